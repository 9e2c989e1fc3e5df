package policycase

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/money"
)

// decidedAt is when the payment of every story is made.
var decidedAt = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// account is the account whose payment is decided.
const account = "self"

// happened is one earlier payment of a story.
type happened struct {
	entry history.Entry
	fraud bool // confirmed before the payment that is decided
}

const (
	amountPart = `([A-Z]{3}) ([0-9.]+)`
	wherePart  = `(?: from ([A-Z]{2})(?:/([A-Z0-9-]+))?(?:/([A-Za-z]+))?)?(?: with method (\w+)(?: \(fingerprint (\w+)\))?)?(?: on device (\w+))?` +
		`(?: at (\w+))?(?: via ([0-9a-f.:]+))?`
	whereGroups = 8
	agoPart     = `([0-9]{1,6}) (days?|hours?|minutes?|seconds?) ago`
)

var (
	historyShape = regexp.MustCompile(`^([0-9]{1,6}) (rejected |held )?payments?( confirmed as fraud)? of ` + amountPart + `(?: to ([0-9.]+))?` +
		`(?: by (?:(\w+)|([0-9]{1,6}) accounts))?(?: with ([0-9]{1,6}) methods)?(?:, one every ([0-9]{1,6}) (days?|hours?|minutes?|seconds?),)?` +
		wherePart + `(?:, the last ` + agoPart + `)?$`)
	paymentShape = regexp.MustCompile(`^` + amountPart + wherePart + `$`)
	lessonShape  = regexp.MustCompile(`^(.+), ` + agoPart + `$`)
	lessonWhere  = regexp.MustCompile(`^` + wherePart + `$`)
	listedShape  = regexp.MustCompile(`^(\S+)(?:, (until) ` + agoPart + `)?$`)
)

func parseHistory(text string) ([]happened, error) {
	m := historyShape.FindStringSubmatch(text)
	if m == nil {
		return nil, notALine("history", text, "12 payments of USD 10.00 to 80.00, one every 3 days, from DE/BE with method A on device D1, the last 2 days ago")
	}
	count, currency := number(m[1]), m[4]
	if count < 1 || count > maxPayments {
		return nil, fmt.Errorf("history: a line is 1 to %d payments", maxPayments)
	}
	lowest, err := minor(currency, m[5])
	highest := lowest
	if err == nil && m[6] != "" {
		highest, err = minor(currency, m[6])
	}
	if err != nil {
		return nil, err
	}
	step := 24 * time.Hour
	if m[10] != "" {
		step = span(m[10], m[11])
	}
	last := decidedAt.Add(-24 * time.Hour)
	if tail := m[12+whereGroups:]; tail[0] != "" {
		last = decidedAt.Add(-span(tail[0], tail[1]))
	}
	outcome := map[string]history.Outcome{"": history.Approved, "rejected ": history.Rejected, "held ": history.Review}[m[2]]
	past := make([]happened, count)
	for i := range past {
		payment := where(m[12 : 12+whereGroups])
		payment.AccountID, payment.Currency = account, currency
		payment.AmountMinor = lowest + (highest-lowest)*int64(i)/max(count-1, 1)
		payment.OccurredAt = last.Add(-step * time.Duration(count-1-int64(i)))
		if m[7] != "" {
			payment.AccountID = m[7]
		}
		if m[8] != "" {
			payment.AccountID = "other" + strconv.FormatInt(int64(i)%max(number(m[8]), 1), 10)
		}
		if m[9] != "" {
			payment.Method = history.Method{ID: "tried" + strconv.FormatInt(int64(i)%max(number(m[9]), 1), 10)}
		}
		past[i] = happened{entry: history.Entry{Payment: payment, Outcome: outcome}, fraud: m[3] != ""}
	}
	return past, nil
}

// notALine says where a line stands and how one looks.
func notALine(key, text, example string) error {
	return fmt.Errorf("%s: %q is not understood; write for example: %s", key, text[:min(len(text), 200)], example)
}

func parsePayment(text string) (*history.Payment, error) {
	m := paymentShape.FindStringSubmatch(text)
	if m == nil {
		return nil, notALine("payment", text, "USD 20.00 from FR/IDF with method B on device D2 at shop via 203.0.113.7")
	}
	payment := where(m[3:])
	payment.AccountID, payment.Currency, payment.MethodKind, payment.OccurredAt = account, m[1], "card", decidedAt
	var err error
	payment.AmountMinor, err = minor(m[1], m[2])
	return &payment, err
}

func parseLesson(text string) (history.Lesson, error) {
	const example = "FR/IDF with method B, 5 days ago"
	m := lessonShape.FindStringSubmatch(text)
	if m == nil {
		return history.Lesson{}, notALine("learned", text, example)
	}
	w := lessonWhere.FindStringSubmatch(" from " + m[1])
	if w == nil {
		return history.Lesson{}, notALine("learned", text, example)
	}
	payment := where(w[1:])
	return history.Lesson{Place: payment.Place, DeviceID: payment.DeviceID, Method: payment.Method, At: decidedAt.Add(-span(m[2], m[3]))}, nil
}

// parseListEntry reads a value, as it is on a list now, or "VALUE, until 2 days ago".
func parseListEntry(list, text string) (risk.ListEntry, error) {
	m := listedShape.FindStringSubmatch(text)
	if m == nil {
		return risk.ListEntry{}, notALine("lists", text, "D1, or: D1, until 3 days ago")
	}
	entry := risk.ListEntry{List: list, Value: m[1]}
	if m[2] == "until" {
		entry.ExpiresAt = decidedAt.Add(-span(m[3], m[4]))
	}
	return entry, nil
}

func where(m []string) history.Payment {
	return history.Payment{
		Place: history.Place{Country: m[0], Region: m[1], City: m[2]}, Method: history.Method{ID: m[3], Fingerprint: m[4]},
		DeviceID: m[5], Merchant: m[6], IP: m[7],
	}
}

func span(count, unit string) time.Duration {
	steps := map[string]time.Duration{"day": 24 * time.Hour, "hour": time.Hour, "minute": time.Minute, "second": time.Second}
	return time.Duration(number(count)) * steps[strings.TrimSuffix(unit, "s")]
}

// number reads digits that a pattern has bounded to six.
func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// minor reads an amount that is written with all the decimals of its currency.
func minor(currency, text string) (int64, error) {
	exponent, known := money.Exponent(currency)
	if !known {
		exponent = 2 // a case may be about a currency that nobody knows
	}
	units, cents, _ := strings.Cut(text, ".")
	if len(cents) != exponent || strings.Contains(text, ".") != (exponent > 0) || len(units) > 12 || units == "" || strings.Contains(cents, ".") {
		return 0, fmt.Errorf("an amount in %s is written with %d decimals", currency, exponent)
	}
	n, err := strconv.ParseInt(units+cents, 10, 64)
	if err != nil {
		return 0, errors.New("an amount is digits and a point")
	}
	return n, nil
}
