package world

import (
	"context"
	"strconv"
	"time"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/samples"
)

// weeks is how far back the ordinary payments reach.
const weeks = 8 * 7 * 24 * time.Hour

// ordinaryWeeks lets a member pay as usual, in regular steps over the weeks before the account came to Probity. Amounts swing a little
// around the usual one. The payments depend on nothing but the member and the account, so the same ones are sent when this is repeated.
func (w *World) ordinaryWeeks(ctx context.Context, m member, a known) error {
	step := weeks / time.Duration(m.Payments+1)
	for n := range m.Payments {
		at := a.CreatedAt.Add(-weeks + time.Duration(n+1)*step + time.Duration(n*n%7)*time.Hour)
		swing := int64(88 + n*37%25) // per cent
		p := w.payment(m, a, m.Habit.Home, m.Habit.AmountMinor*swing/100)
		p.OccurredAt = &at
		// Every fourth payment is made with another method, so that all of them are known.
		p.PaymentMethodID = a.methods[(n%4+1)/4*(len(a.methods)-1)].ID
		if _, err := w.Client.CreatePayment(ctx, p, client.Once("world:payment:"+m.ExternalID+":"+strconv.Itoa(n))); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) payment(m member, a known, from place, minor int64) client.NewPayment {
	return client.NewPayment{
		AccountID: a.ID, PaymentMethodID: a.methods[0].ID, Amount: client.Money{AmountMinor: minor, Currency: m.Habit.Currency}, IP: from.IP,
		Location: &client.Location{Country: from.Country, Region: from.Region, City: from.City}, Device: &client.Device{ID: from.Device},
		Merchant: "Nimbus Cloud instances",
	}
}

// playPlot plays what sets a member apart, from wherever it was left.
func (w *World) playPlot(ctx context.Context, m member, a known) error {
	switch m.Plot {
	case plotOrdinary:
		return nil
	case plotMethodAlert:
		return w.alertMethod(ctx, m, a)
	case plotHeld:
		return w.hold(ctx, m, a)
	case plotSuspended:
		return w.surprise(ctx, m, a)
	case plotAwaiting, plotUndelivered:
		if err := w.surprise(ctx, m, a); err != nil {
			return err
		}
		if m.Plot == plotAwaiting {
			// An ordinary payment is rejected too, with the same verification.
			p := w.payment(m, a, m.Habit.Home, m.Habit.AmountMinor)
			if _, err := w.Client.CreatePayment(ctx, p, client.Once("world:restricted:"+m.ExternalID)); err != nil {
				return err
			}
		}
		return w.askSupport(ctx, m, a)
	case plotCanceled:
		return w.cancel(ctx, m, a)
	case plotReviewDueSoon, plotInReview:
		return w.submit(ctx, m, a)
	case plotApproved:
		if err := w.decide(ctx, m, a, client.NewDecision{Decision: "approve", Note: "On a journey; identity card, card and statement agree."}); err != nil {
			return err
		}
		return w.retry(ctx, m, a)
	case plotDeclined:
		return w.decide(ctx, m, a, client.NewDecision{
			Decision: "decline", Note: "Papers of a person who is unknown to the company.",
			Reasons: []client.NewReason{{Requirement: "government_id", Code: "id.name_mismatch_holder", Note: "Not in the commercial register."}},
		})
	case plotResubmission:
		return w.decide(ctx, m, a, client.NewDecision{
			Decision: "request_resubmission",
			Reasons:  []client.NewReason{{Requirement: "billing_statement", Code: "statement.page_missing", Note: "Page 2 with the transactions is not there."}},
		})
	default:
		return errUnknownPlot
	}
}

// surprise lets somebody pay from far away, far more than usual.
func (w *World) surprise(ctx context.Context, m member, a known) error {
	_, err := w.Client.CreatePayment(ctx, w.payment(m, a, *m.Surprise, m.Habit.SurpriseMinor), client.Once("world:surprise:"+m.ExternalID))
	return err
}

// retry pays what was rejected once more, after the approval.
func (w *World) retry(ctx context.Context, m member, a known) error {
	_, err := w.Client.CreatePayment(ctx, w.payment(m, a, *m.Surprise, m.Habit.SurpriseMinor), client.Once("world:retry:"+m.ExternalID))
	return err
}

// alertMethod opens a verification without a payment.
func (w *World) alertMethod(ctx context.Context, m member, a known) error {
	if _, found, err := w.verification(ctx, a); err != nil || found {
		return err
	}
	_, err := w.Client.OpenVerification(ctx, client.NewVerification{
		AccountID: a.ID, Type: "payment_security", PaymentMethodID: a.methods[0].ID, Reason: "The card scheme reported this card as possibly copied.",
	}, client.Once("world:alert:"+m.ExternalID))
	return err
}

func (w *World) cancel(ctx context.Context, m member, a known) error {
	v, err := w.rejected(ctx, m, a)
	if err != nil || !awaits(v) {
		return err
	}
	_, err = w.Client.CancelVerification(ctx, v.ID)
	return err
}

// rejected returns the verification that the member's surprise opened, and lets the surprise happen when it has not. Whoever acts on it
// has its mail: one that is overtaken by an answer is not sent.
func (w *World) rejected(ctx context.Context, m member, a known) (client.Verification, error) {
	_, found, err := w.verification(ctx, a)
	if err != nil {
		return client.Verification{}, err
	}
	if !found {
		if err := w.surprise(ctx, m, a); err != nil {
			return client.Verification{}, err
		}
	}
	if err := w.settle(ctx, a.ID); err != nil {
		return client.Verification{}, err
	}
	v, found, err := w.verification(ctx, a)
	if err == nil && !found {
		err = errNotRejected
	}
	return v, err
}

// verification returns the account's verification, and whether there is one.
func (w *World) verification(ctx context.Context, a known) (client.Verification, bool, error) {
	list, err := w.Client.ListVerifications(ctx, client.VerificationFilter{AccountID: a.ID})
	if err != nil || len(list.Items) == 0 {
		return client.Verification{}, false, err
	}
	return list.Items[0], true, nil
}

func awaits(v client.Verification) bool { return v.Status == "awaiting_submission" }

// submit sends what is still missing and submits it.
func (w *World) submit(ctx context.Context, m member, a known) error {
	v, err := w.rejected(ctx, m, a)
	if err != nil || !awaits(v) {
		return err
	}
	papers, err := w.papers[m.ExternalID]()
	if err != nil {
		return err
	}
	for _, requirement := range v.Requirements {
		if requirement.Status != "required" {
			continue
		}
		e := client.NewEvidence{Requirement: requirement.Kind}
		switch requirement.Kind {
		case "government_id":
			e.DocumentType, e.FileName, e.Content = "id_card", samples.GovernmentIDFile, papers.GovernmentID
		case "payment_method":
			e.FileName, e.Content = samples.PaymentMethodFile, papers.PaymentMethod
		default:
			e.FileName, e.Content = samples.BillingStatementFile, papers.BillingStatement
		}
		if _, err := w.Client.SendEvidence(ctx, v.ID, e); err != nil {
			return err
		}
	}
	_, err = w.Client.SubmitVerification(ctx, v.ID)
	return err
}

// decide submits, and decides the open case with the platform's key.
func (w *World) decide(ctx context.Context, m member, a known, d client.NewDecision) error {
	if err := w.submit(ctx, m, a); err != nil {
		return err
	}
	// The holder has the mail about the submission before the one about the decision.
	if err := w.settle(ctx, a.ID); err != nil {
		return err
	}
	v, _, err := w.verification(ctx, a)
	if err != nil || v.Status != "in_review" || v.CaseID == nil {
		return err
	}
	_, err = w.Client.DecideCase(ctx, *v.CaseID, d)
	return err
}

// askSupport opens a ticket for the rejection.
func (w *World) askSupport(ctx context.Context, m member, a known) error {
	message, steps := "The page said that I would get a mail, and none came. Is my address right?", "Looked in the spam folder; asked a colleague to write to me."
	if m.Locale == "zh-CN" {
		message, steps = "付款被拒绝，但这笔付款不是我操作的。我还需要提交材料吗？", "已检查付款记录，已修改平台密码。"
	}
	_, err := w.Client.CreateTicket(ctx, client.NewTicket{
		AccountID: a.ID, ErrorCode: "RISK.RISK_CONTROL_REJECTION", StepsTaken: steps, Message: message,
	}, client.Once("world:ticket:"+m.ExternalID))
	return err
}
