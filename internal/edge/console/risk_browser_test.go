package console_test

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/list"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/testkit/browser"
)

// riskDesk is a tenant with some weeks of payments, a policy of its own, a proposed one, lists and held payments.
type riskDesk struct {
	rejected, held, draft, live, list string // ids
}

func (w *world) riskDesk() riskDesk {
	w.Helper()
	var desk riskDesk
	ana := access.Actor{Kind: access.Staff, TenantID: w.Tenant.ID, ID: "stf_a", Role: access.Analyst}
	payer := w.payer("Alma Petersen")
	for i := range 14 {
		w.pay(payer, int64(1500+100*i))
		_, err := w.Clock.Advance(19 * time.Hour)
		w.must(err)
	}
	far := payer
	far.Location = payment.Location{Country: "BR", Region: "SP", City: "Campinas"}
	method, err := w.s.AddPaymentMethod(w.Context(), w.key, payment.Method{
		AccountID: far.AccountID, Kind: payment.Card, Brand: "Visa", First6: "400012", Last4: "1111", HolderName: "ALMA PETERSEN", Fingerprint: "card-7",
	})
	w.must(err)
	far.PaymentMethodID, far.DeviceID = method.ID, "device-7"
	desk.rejected = w.pay(far, 120000).Payment.ID
	_, err = w.s.ReportOutcome(w.Context(), w.key, service.OutcomeReport{PaymentID: desk.rejected, Kind: payment.FraudConfirmed})
	w.must(err)
	made, err := w.s.CreateList(w.Context(), ana, service.NewList{Name: "blocked_devices", Kind: list.Block, Description: "Devices that were seen in confirmed fraud."})
	w.must(err)
	desk.list = made.List.ID
	for _, value := range []string{"device-7", "4f1c-very-long-device-identifier-that-goes-on-and-on-0123456789abcdef0123456789", "device-8"} {
		_, err := w.s.AddListEntry(w.Context(), ana, service.NewListEntry{ListID: made.List.ID, NewEntry: list.NewEntry{Value: value, Reason: "Seen in three chargebacks in one week."}})
		w.must(err)
	}
	desk.live = w.publish(small("1")).ID
	for _, minor := range []int64{15000, 26000, 1200} {
		w.pay(w.payer("Nora Berg"), minor)
	}
	desk.held = w.held().ThisCase.ID
	text := strings.Replace(small("2"), "value: 100.00", "value: 150.00", 1)
	draft, err := w.s.DraftPolicy(w.Context(), ana, service.PolicyDraft{Text: strings.Replace(text, "mode: shadow", "mode: active", 1), Note: "Hold larger payments only, and those from known places."})
	w.must(err)
	_, err = w.s.ProposePolicy(w.Context(), ana, service.PolicyChange{ID: draft.ID})
	w.must(err)
	desk.draft = draft.ID
	w.must(w.s.FlushRuleHits(w.Context()))
	return desk
}

// The pictures land in the directory of "go test -artifacts -outputdir DIR".
func TestTheRiskTeamsPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	w := newWorld(t)
	desk := w.riskDesk()
	chromium := browser.New(t)
	w.administrator("Ana Ruiz", "ana@nimbus.example")
	desktop, phone := chromium.Desktop(), chromium.Phone()
	phone.DisableScripts()
	for width, page := range map[string]*browser.Page{"1280": desktop, "390": phone} {
		page.Goto(w.server.URL + "/console/")
		page.Fill("#field-email", "ana@nimbus.example")
		page.Fill("#field-passphrase", passphrase)
		page.Submit(".gate .button--primary")
		look := func(name, path string) {
			t.Helper()
			if path != "" {
				page.Goto(w.server.URL + path)
			}
			page.Accessible()
			page.Screenshot(filepath.Join(t.ArtifactDir(), "real-"+name+"-"+width+".png"))
		}
		for name, path := range map[string]string{
			"queue": "/console/", "rejected": "/console/payments/" + desk.rejected, "replayed": "/console/payments/" + desk.rejected + "?replay=now",
			"held": "/console/cases/" + desk.held, "policy": "/console/policy", "versions": "/console/policy/versions", "proposed": "/console/policy/versions/" + desk.draft,
			"live": "/console/policy/versions/" + desk.live, "diff": "/console/policy/versions/" + desk.draft + "/diff", "shipped": "/console/policy/versions/shipped",
			"lists": "/console/lists", "list": "/console/lists/" + desk.list, "draft": "/console/policy/versions/new", "backtest-form": "/console/policy/backtest",
		} {
			look(name, path)
		}
		page.Goto(w.server.URL + "/console/policy/backtest?version=" + url.QueryEscape(desk.draft))
		page.Submit(".card .button--primary")
		look("backtest", "")
		page.Goto(w.server.URL + "/console/policy/versions/new")
		page.Fill("#field-text", strings.Replace(small("3"), "payment.amount_reference", "payment.amout_reference", 1))
		page.Expect("422")
		page.Submit("button[value=check]")
		look("faults", "")
		page.Goto(w.server.URL + "/console/cases/" + desk.held)
		page.Click("#field-decision-1")
		look("held-rejecting", "")
	}
}
