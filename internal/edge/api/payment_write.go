package api

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendPayment writes a payment as encode does, byte for byte (a test compares the two), without looking at its type again each time.
func appendPayment(out []byte, p *Payment) []byte {
	out = appendText(append(out, `{"id":`...), p.ID)
	out = appendText(append(out, `,"account_id":`...), p.AccountID)
	out = appendOrNull(append(out, `,"payment_method_id":`...), p.PaymentMethodID)
	out = strconv.AppendInt(append(out, `,"amount":{"amount_minor":`...), p.Amount.AmountMinor, 10)
	out = appendText(append(out, `,"currency":`...), p.Amount.Currency)
	out = appendOrNull(append(out, `},"ip":`...), p.IP)
	out = append(out, `,"location":`...)
	if l := p.Location; l == nil {
		out = append(out, "null"...)
	} else {
		out = appendText(append(out, `{"country":`...), l.Country)
		out = appendOrNull(append(out, `,"region":`...), l.Region)
		out = append(appendOrNull(append(out, `,"city":`...), l.City), '}')
	}
	out = append(out, `,"device":`...)
	if p.Device == nil {
		out = append(out, "null"...)
	} else {
		out = append(appendText(append(out, `{"id":`...), p.Device.ID), '}')
	}
	out = appendOrNull(append(out, `,"merchant":`...), p.Merchant)
	out = appendInstant(append(out, `,"occurred_at":`...), p.OccurredAt)
	out = appendText(append(out, `,"outcome":`...), p.Outcome)
	out = append(out, `,"error":`...)
	if p.Error == nil {
		out = append(out, "null"...)
	} else {
		out = appendText(append(out, `{"code":`...), p.Error.Code)
		out = append(appendText(append(out, `,"message":`...), p.Error.Message), '}')
	}
	out = append(out, `,"reasons":[`...)
	for i, reason := range p.Reasons {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendText(append(out, `{"code":`...), reason.Code)
		out = append(appendText(append(out, `,"message":`...), reason.Message), '}')
	}
	out = appendOrNull(append(out, `],"verification_id":`...), p.VerificationID)
	out = appendOrNull(append(out, `,"case_id":`...), p.CaseID)
	out = appendOrNull(append(out, `,"reported_outcome":`...), p.ReportedOutcome)
	out = append(out, `,"next_step":`...)
	if p.NextStep == nil {
		out = append(out, "null"...)
	} else {
		out = appendText(append(out, `{"kind":`...), p.NextStep.Kind)
		out = appendText(append(out, `,"url":`...), p.NextStep.URL)
		out = append(appendText(append(out, `,"message":`...), p.NextStep.Message), '}')
	}
	out = appendText(append(out, `,"policy_version":`...), p.PolicyVersion)
	out = appendInstant(append(out, `,"created_at":`...), p.CreatedAt)
	return append(out, "}\n"...)
}

func appendOrNull(out []byte, text *string) []byte {
	if text == nil {
		return append(out, "null"...)
	}
	return appendText(out, *text)
}

// appendText writes a string. Whatever needs an escape is left to encoding/json.
func appendText(out []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendEscaped(out, text)
		}
	}
	out = append(out, '"')
	out = append(out, text...)
	return append(out, '"')
}

func appendEscaped(out []byte, text string) []byte {
	if plain := utf8.ValidString(text); plain {
		escapes := false
		for _, r := range text {
			escapes = escapes || r < 0x20 || r == '"' || r == '\\' || r == '\u2028' || r == '\u2029'
		}
		if !escapes {
			out = append(out, '"')
			out = append(out, text...)
			return append(out, '"')
		}
	}
	var into appender
	if encode(&into, text) != nil {
		return append(out, `""`...) // a string can always be written
	}
	return append(out, into[:len(into)-1]...) // without the end of the line
}

// appender is a slice that can be written to.
type appender []byte

// Write implements io.Writer.
func (a *appender) Write(part []byte) (int, error) {
	*a = append(*a, part...)
	return len(part), nil
}

// appendInstant writes an instant as its MarshalJSON does.
func appendInstant(out []byte, at time.Time) []byte {
	if year := at.Year(); year < 0 || year > 9999 {
		raw, err := json.Marshal(at)
		if err != nil {
			return append(out, "null"...)
		}
		return append(out, raw...)
	}
	out = append(out, '"')
	out = at.AppendFormat(out, time.RFC3339Nano)
	return append(out, '"')
}
