package service_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// act does one random thing to one of the people. Whatever it does is refused with a problem or done, never half of it.
func (w *world) act(r *rand.Rand, people []person) error {
	ctx := w.Context()
	p := people[r.IntN(len(people))]
	list, _, err := w.s.Verifications(ctx, w.key, store.VerificationFilter{AccountID: p.account.ID}, store.Page{Limit: 1})
	if err != nil {
		return err
	}
	var v verification.Verification
	if len(list) > 0 {
		v = list[0]
	}
	switch r.IntN(12) {
	case 0:
		_, err = w.payOnce(ctx, string(rune('a'+r.IntN(20))), "body", p.attempt(dollars(900)))
	case 1:
		_, err = w.s.AuthorizePayment(ctx, w.key, p.attempt(dollars(1+r.Int64N(2000))))
	case 2:
		_, err = w.s.OpenVerification(ctx, w.reviewer, service.OpenVerification{AccountID: p.account.ID, Type: verification.PaymentSecurity})
	case 3, 4, 5:
		_, err = w.s.SendEvidence(ctx, p.holder, upload(v.ID, verification.RequirementKinds[r.IntN(3)]))
	case 6:
		var view service.VerificationView
		if view, err = w.s.Verification(ctx, p.holder, v.ID); err == nil && len(view.Evidence) > 0 {
			err = w.s.WithdrawEvidence(ctx, p.holder, view.Evidence[r.IntN(len(view.Evidence))].ID)
		}
	case 7:
		_, err = w.s.Submit(ctx, p.holder, v.ID)
	case 8:
		decision := []service.CaseDecision{{Decision: casework.Approve}, askAgain(), {Decision: casework.Decline}}[r.IntN(3)]
		decision.CaseID = v.CaseID
		_, err = w.s.DecideCase(ctx, w.reviewer, decision)
	case 9:
		if r.IntN(3) == 0 {
			_, err = w.s.CancelVerification(ctx, w.reviewer, v.ID)
		}
	case 10:
		_, err = w.s.RunDueJobs(ctx)
		if _, moveError := w.s.AdvanceClock(ctx, w.key, time.Duration(r.Int64N(int64(12*time.Hour)))); err == nil {
			err = moveError
		}
	case 11:
		_, err = w.s.UpdateAccount(ctx, w.key, p.account.ID, func(a account.Profile) account.Profile { a.Phone = "+65 6555 0100"; return a })
		if err == nil {
			_, err = w.s.RequestSignInCode(ctx, service.SignInRequest{Email: p.account.Profile.Email})
		}
	}
	return err
}

func TestManyThingsAtOnceBreakNothing(t *testing.T) {
	on(t, func(w *world) {
		seed := uint64(time.Now().UnixNano())
		w.Logf("seed %d", seed)
		people := []person{w.person(), w.person(func(a *account.Profile) { a.TimeZone = "America/New_York" }), w.person(func(a *account.Profile) { a.Email = "" })}
		for _, err := range atOnce(6, func(i int) error {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			var broken error
			for range 40 {
				if err := w.act(r, people); err != nil && problem.As(err) == nil {
					broken = errors.Join(broken, err)
				}
			}
			return broken
		}) {
			w.must(err)
		}
		w.invariants()
		before := w.clock.Offset()
		w.must(w.s.RestoreClock(w.Context()))
		if after := w.clock.Offset(); after != before {
			w.Errorf("the clock was saved at %v and stands at %v", after, before)
		}
		for range 4 {
			w.work()
			w.at(w.now().Add(2 * time.Hour))
		}
		w.invariants()
		if w.countEvents("verification.opened") < 2 {
			w.Errorf("got entries %s, want more of a story", join(w.types(0)))
		}
	})
}
