package world

import (
	"context"
	"errors"
	"strings"

	"github.com/probity/probity/client"
)

// errNotHeld is the error of a play that went another way than the cast says.
var errNotHeld = errors.New("the payment with a new card from a new device was not held; the policy and the cast do not fit")

// hold lets a member pay with a card and a device that are new to the account, from home and as much as usual: the policy holds that
// for a person.
func (w *World) hold(ctx context.Context, m member, a known) error {
	added, err := w.Client.AddPaymentMethod(ctx, a.ID, client.NewPaymentMethod{
		Kind: "card", Brand: "Mastercard", First6: "530021", Last4: "0717", HolderName: strings.ToUpper(m.Name), Fingerprint: "nimbus-" + m.ExternalID + "-0717",
	}, client.Once("world:new-card:"+m.ExternalID))
	if err != nil {
		return err
	}
	p := w.payment(m, a, *m.Surprise, m.Habit.AmountMinor)
	p.PaymentMethodID = added.ID
	paid, err := w.Client.CreatePayment(ctx, p, client.Once("world:held:"+m.ExternalID))
	if err == nil && paid.Outcome != "review" {
		err = errNotHeld
	}
	return err
}

// watched is a rule that the draft of the demo adds: it only watches, until somebody trusts it.
const watched = `
  # Watched first: is a night payment with a card that is new to the account worth a look?
  - name: New payment method at night
    code: new_method_at_night
    mode: shadow
    outcome: review
    message:
      en: A new payment method was used at night.
    when: payment.night && payment.method_given && !history.method_known

# Prices of one unit`

// riskTeam leaves what a risk team works with: a list with an entry, feedback about a payment, and a draft of the policy with a rule that
// watches. Lists and drafts that are there stay as they are.
func (w *World) riskTeam(ctx context.Context) error {
	if err := w.blockDevices(ctx); err != nil {
		return err
	}
	if err := w.tellOfFraud(ctx); err != nil {
		return err
	}
	drafts, err := w.Client.ListPolicies(ctx, client.PolicyFilter{})
	if err != nil || len(drafts.Items) > 0 {
		return err
	}
	live, err := w.Client.LivePolicy(ctx)
	if err != nil {
		return err
	}
	text := strings.Replace(live.PolicyText, "\n# Prices of one unit", watched, 1)
	text = strings.Replace(text, `version: "`+live.PolicyVersion+`"`, `version: "`+live.PolicyVersion+`-night"`, 1)
	_, err = w.Client.DraftPolicy(ctx, client.NewPolicy{PolicyText: text, Note: "Watch new cards at night for a week before they are held."}, client.Once("world:draft"))
	return err
}

// blockDevices keeps a list that the policy asks, with the device that the declined customer's payment came from.
func (w *World) blockDevices(ctx context.Context) error {
	lists, err := w.Client.Lists(ctx)
	if err != nil || len(lists.Items) > 0 {
		return err
	}
	made, err := w.Client.CreateList(ctx, client.NewValueList{Name: "blocked_devices", Kind: "block", Description: "Devices that were seen in confirmed fraud."}, client.Once("world:list"))
	if err != nil {
		return err
	}
	for _, m := range w.members {
		if m.Plot != plotDeclined {
			continue
		}
		_, err := w.Client.AddListEntry(ctx, made.ID, client.NewListEntry{Value: m.Surprise.Device, Reason: "Paid for " + m.Name + " with papers of somebody unknown."}, client.Once("world:entry:"+m.ExternalID))
		if err != nil {
			return err
		}
	}
	return nil
}

// tellOfFraud reports the rejected payments of declined customers as fraud.
func (w *World) tellOfFraud(ctx context.Context) error {
	for _, m := range w.members {
		if m.Plot != plotDeclined {
			continue
		}
		a, err := w.account(ctx, m)
		if err != nil {
			return err
		}
		payments, err := w.Client.ListPayments(ctx, client.PaymentFilter{AccountID: a.ID})
		if err != nil {
			return err
		}
		for _, p := range payments.Items {
			if p.Outcome != "rejected" {
				continue
			}
			if _, err := w.Client.ReportOutcome(ctx, p.ID, client.NewOutcome{Outcome: "fraud_confirmed"}); err != nil {
				return err
			}
		}
	}
	return nil
}
