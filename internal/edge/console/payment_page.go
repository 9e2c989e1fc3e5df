package console

import (
	"net/http"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
)

// showExplanation shows why a payment was decided as it was; asked to, it decides it again and proves the stored result.
func showExplanation(v *visit) error { return v.explanationBody(http.StatusOK, &form{}) }

func (v *visit) explanationBody(status int, f *form) error {
	paymentID := v.r.PathValue("id")
	var replayed service.PaymentReplay
	var err error
	again := v.r.Method == http.MethodGet && v.r.URL.Query().Get("replay") != ""
	if again {
		replayed, err = v.s.Service.ReplayPayment(v.r.Context(), v.actor, paymentID)
	} else {
		replayed.PaymentExplanation, err = v.s.Service.ExplainPayment(v.r.Context(), v.actor, paymentID)
	}
	if err != nil {
		return err
	}
	e, err := v.explanation(replayed.PaymentExplanation)
	if err != nil {
		return err
	}
	e.CanReport, e.Report = v.may(access.ReportOutcomes), f
	if again && replayed.Unexplained == "" {
		e.Replay = replayWords(replayed)
	}
	return v.show(status, e.Amount, "/console/accounts", explanationPage(e))
}

// replayWords says what deciding again gave.
func replayWords(r service.PaymentReplay) *replayResult {
	out := &replayResult{Same: r.Same && len(r.Differing) == 0}
	switch {
	case !r.Same:
		out.Text = "The policy of this name answers otherwise to the stored facts. Something was changed outside of Probity: tell whoever runs it."
	case len(r.Differing) > 0:
		out.Text = "The outcome and its reasons are the same. But the account's log gives other facts now: " + join(r.Differing) + ". Payments that were brought in from the past since do that."
	default:
		out.Text = "Same outcome, same reasons. " + plural(r.Folded, "earlier payment of the account was", "earlier payments of the account were") +
			" folded again and gave the same facts about it. Facts about merchants, devices and addresses are taken as they were stored."
	}
	return out
}

// explanation says in words why a payment was decided as it was.
func (v *visit) explanation(x service.PaymentExplanation) (explanationView, error) {
	p := x.Payment
	a, err := v.s.Service.Account(v.r.Context(), v.actor, p.Attempt.AccountID)
	if err != nil {
		return explanationView{}, err
	}
	people, err := v.people()
	if err != nil {
		return explanationView{}, err
	}
	e := explanationView{
		PaymentID: p.ID, Amount: amount(p), Merchant: p.Attempt.Merchant, When: v.full(p.Attempt.OccurredAt), Stamp: web.Stamp(p.Attempt.OccurredAt),
		Learned: v.learnedOf(x.Findings, people), Links: linksOf(x.PaymentView, a), Unasked: x.Unexplained == service.NotAsked,
	}
	e.Title, e.Why, e.Tone = decided{view: x.PaymentView, policy: x.Policy, explanation: x.Explanation}.verdict()
	if e.Payment, err = v.paymentLines(p, a); err != nil {
		return e, err
	}
	e.Versions = []web.Definition{{Term: "Named", Value: p.PolicyID + " " + p.PolicyVersion}}
	switch x.Unexplained {
	case service.NotAsked:
		e.Versions = nil
		return e, nil
	case service.TextGone:
		e.Partial = "The text of the policy that decided this payment is not stored here, so its rules cannot be shown."
		return e, nil
	case service.FactsGone:
		e.Partial = "The policy of this name has changed since, so the stored facts cannot be read by it."
		return e, nil
	default:
	}
	return e, v.fill(&e, x)
}

// fill adds what the rules saw.
func (v *visit) fill(e *explanationView, x service.PaymentExplanation) error {
	f := factWriter{policy: x.Policy, currency: x.Payment.Attempt.Amount.Currency}
	e.Rules = rulesOf(f, x.Explanation)
	used := map[string]bool{}
	for i := range x.Explanation.Rules {
		for _, fact := range x.Explanation.Rules[i].Reads {
			used[fact.Name] = used[fact.Name] || x.Explanation.Rules[i].True
		}
	}
	e.Past, e.Sums, e.Score = f.figures(x.Explanation.History, used), f.figures(x.Explanation.Aggregates, used), scoreOf(x.Explanation)
	asked, err := v.listsAsked(x.Policy)
	if err != nil {
		return err
	}
	for i, hit := range x.Explanation.Lists {
		line := listHit{Name: hit.Name, Field: fieldName(hit.Field), On: hit.Listed}
		if i < len(asked) && !asked[i].Missing {
			line.URL = asked[i].URL
		}
		e.Lists = append(e.Lists, line)
	}
	title := web.Definition{Term: "Policy", Value: versionTitle(x.Version)}
	if url := versionURL(x.Version); url != "" {
		title.Body = link(title.Value, url)
	} else {
		title.Body = link(title.Value, "/console/policy/versions/"+shippedID)
	}
	e.Versions = append([]web.Definition{title}, e.Versions...)
	if x.Explanation.ScorecardName != "" {
		e.Versions = append(e.Versions, web.Definition{Term: "Scorecard", Value: x.Explanation.ScorecardName})
	}
	if until := x.Explanation.EvaluatedUntil; until >= 0 {
		e.Versions = append(e.Versions, web.Definition{Term: "Budget", Value: "Over after " + plural(until, "rule", "rules")})
	}
	e.Versions = append(e.Versions, web.Definition{Term: "Facts", Value: plural(len(x.Payment.Facts), "byte", "bytes") + ", stored with the decision"})
	e.CanReplay = true
	return nil
}

// linksOf are the ways on from a payment.
func linksOf(view service.PaymentView, a service.AccountView) []linkTo {
	var links []linkTo
	if view.CaseID != "" {
		links = append(links, linkTo{"The case of this payment", "/console/cases/" + view.CaseID})
	}
	if verificationID := view.VerificationID(); verificationID != "" {
		links = append(links, linkTo{"The verification that followed", "/console/verifications/" + verificationID})
	}
	return append(links, linkTo{"Account of " + a.Account.Profile.Name, "/console/accounts/" + a.Account.ID})
}

// paymentLines are what the platform said of the payment.
func (v *visit) paymentLines(p payment.Payment, a service.AccountView) ([]web.Definition, error) {
	methods, err := v.s.Service.PaymentMethods(v.r.Context(), v.actor, a.Account.ID)
	if err != nil {
		return nil, err
	}
	lines := []web.Definition{{Term: "Account", Body: link(a.Account.Profile.Name, "/console/accounts/"+a.Account.ID)}, {Term: "Merchant", Value: p.Attempt.Merchant}}
	for _, m := range methods {
		if m.ID == p.Attempt.PaymentMethodID {
			lines = append(lines, web.Definition{Term: "Method", Value: m.Label()})
		}
	}
	lines = append(lines,
		web.Definition{Term: "Where", Value: place(p.Attempt.Location)}, web.Definition{Term: "IP address", Value: p.Attempt.IP},
		web.Definition{Term: "Device", Value: p.Attempt.DeviceID}, web.Definition{Term: "Asked", Value: sourceName(p.Source)},
	)
	if !p.CreatedAt.Equal(p.Attempt.OccurredAt) {
		lines = append(lines, web.Definition{Term: "Decided", Value: v.short(p.CreatedAt)})
	}
	return lines, nil
}

func sourceName(s payment.Source) string {
	switch s {
	case payment.FromAPI:
		return "by itself"
	case payment.FromBatch:
		return "in a batch"
	case payment.FromHistory:
		return "not asked: brought in from the past"
	default:
		return string(s)
	}
}
