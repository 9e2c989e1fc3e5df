package service_test

import (
	"testing"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
)

// spoil makes what versions in a state say unreadable, as for a program that bounds the cost of conditions lower than the one before.
func (w *world) spoil(state string) {
	w.Helper()
	_, err := w.db.ExecContext(w.Context(), "UPDATE policies SET body = 'policy: gone' WHERE state = '"+state+"'")
	w.must(err)
	w.rebuild()
}

func TestARetiredPolicyThatNoLongerCompilesStopsNoPayment(t *testing.T) {
	on(t, func(w *world) {
		w.publish(small("1", "approved"))
		w.publish(small("2", "rejected"))
		w.spoil("retired")
		if got := w.pay(w.person().attempt(dollars(150))).Payment; got.Outcome != payment.Rejected || got.PolicyVersion != "2" {
			w.Errorf("got %s by %s, want the live version to decide", got.Outcome, got.PolicyVersion)
		}
	})
}

func TestATenantWhosePolicyNoLongerCompilesStopsNoOther(t *testing.T) {
	on(t, func(w *world) {
		mine, key := w.tenant, w.key
		var err error
		w.tenant, err = w.s.CreateTenant(w.Context(), policyWithoutConnector())
		w.must(err)
		w.key = w.newKey(w.tenant.ID)
		w.publish(small("1", "approved"))
		first := w.pay(w.person().attempt(dollars(20))).Payment
		_, err = w.s.ReportOutcome(w.Context(), w.key, service.OutcomeReport{PaymentID: first.ID, Kind: payment.Chargeback})
		w.must(err)
		w.spoil("live")
		_, err = w.s.AuthorizePayment(w.Context(), w.key, payment.Attempt{AccountID: first.Attempt.AccountID, Amount: dollars(20)})
		if err == nil {
			w.Error("got a payment decided without its policy")
		}
		w.tenant, w.key = mine, key
		w.follow()
		w.pay(w.person().attempt(dollars(20)))
		w.follow()
		if status := w.s.FollowerStatus(); status.Entities == 0 {
			w.Errorf("got %+v, want what this tenant did to be followed", status)
		}
	})
}
