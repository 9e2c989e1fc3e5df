package console

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/testkit/browser"
)

// sampleExplanation is a rejection with everything that an explanation can hold.
func sampleExplanation() explanationView {
	return explanationView{
		PaymentID: "pay_06f3q8x2m4v7t9k1c5n0b8h2w6", Amount: "USD 1,200.00", Merchant: "Harbour Cloud", When: "Friday 20 November 2026, 14:03 (Asia/Singapore)", Stamp: "2026-11-20T06:03:00Z",
		Tone: web.Negative, Title: "Rejected: two rules were raised together",
		Why:   "New or unrecognised location, and Payment method used for the first time. Two raised rules reject together whatever the amount.",
		Links: []linkTo{{"The verification that followed", "/x"}, {"Account of Alma Petersen", "/x"}},
		Rules: []ruleResult{
			{Name: "New or unrecognised location", Code: "new_location", When: `payment.country != "" && !history.place_known`, Raised: true, Decisive: true, Effect: "Counts towards a rejection; alone it rejects above USD 1,000.00.",
				Saw: []saw{{"Country", "Brazil", "payment.country"}, {"Place known", "no", "history.place_known"}}},
			{Name: "Payment method used for the first time", Code: "new_payment_method", When: "payment.method_given && !history.method_known", Raised: true, Decisive: true, Effect: "Counts towards a rejection; alone it rejects above USD 1,000.00.",
				Saw: []saw{{"Payment method named", "yes", "payment.method_given"}, {"Payment method known", "no", "history.method_known"}}},
			{Name: "Many devices in a day", Code: "many_devices", When: "aggregate.devices_24h > 3", Raised: true, Shadow: true, Effect: "Would hold the payment for a person.", Saw: []saw{{"Devices of the account in 24 hours", "5", "aggregate.devices_24h"}}},
			{Name: "Impossible journey", Code: "impossible_journey", When: "history.seconds_since_elsewhere < 3600.0", Failed: "It could not be evaluated: a division by zero, for example. It did not count.", Hard: true},
			{Name: "Significant change in usual spending", Code: "unusual_spending", When: "history.spending.count >= threshold.unusual_min_payments\n  && payment.amount_minor > threshold.unusual_times_mean * history.spending.mean_minor", Saw: []saw{{"Payments in USD", "34", ""}, {"Mean", "USD 410.22", ""}, {"Largest so far", "USD 1,350.00", ""}}},
			{Name: "Blocked device", Code: "blocked_device", When: "list.blocked_devices", Saw: []saw{{"On the list blocked_devices", "no", ""}}, Hard: true},
		},
		Past: []figure{
			{"36", "approved payments in 400 days", "history.approved_payments", false}, {"34", "of them in USD", "", false}, {"USD 410.22", "mean amount in USD", "", false}, {"USD 120.40", "standard deviation", "", false},
			{"USD 1,350.00", "largest so far", "", false}, {"no", "place known", "", true}, {"yes", "device known", "", false}, {"no", "payment method known", "", true},
		},
		Sums:  []figure{{"5", "devices of the account in 24 hours", "aggregate.devices_24h", true}, {"0.031", "share of confirmed fraud at the merchant in 30 days, known a week before", "aggregate.merchant_fraud_share", false}},
		Score: &scoreView{Title: "18.4 % likely to be fraud", Note: "It holds payments from 25 % on.", Model: "card 2026-11", Base: "Every payment begins at −62 points.", Parts: partsOf([]string{"Amount against the mean", "Merchant's confirmed fraud", "Hour of the day", "Known device"}, []string{"2.9 times", "3.1 %", "06:03 UTC", ""}, []float64{31, 12.5, 4, -18}, signed)},
		Lists: []listHit{{"blocked_devices", "device", "/x", false}, {"trusted_merchants", "merchant", "/x", true}},
		Payment: []web.Definition{{Term: "Account", Body: link("Alma Petersen", "/x")}, {Term: "Merchant", Value: "Harbour Cloud"}, {Term: "Method", Value: "Visa 400012••••••9876"}, {Term: "Where", Value: "Campinas, SP, Brazil"},
			{Term: "IP address", Value: "203.0.113.77"}, {Term: "Device", Value: "device-1"}, {Term: "Asked by", Value: "API"}},
		Versions: []web.Definition{{Term: "Policy", Body: link("Version 3", "/x")}, {Term: "Named", Value: "default 2026-11-20"}, {Term: "Scorecard", Value: "card 2026-11"}, {Term: "Facts", Value: "104 bytes, stored with the decision"}},
		Learned:  []web.TimelineItem{{When: "22 Nov 2026, 09:10", Title: "Fraud, confirmed", Who: "Ana Ruiz", Tone: web.Negative}}, CanReport: true, Report: &form{}, CanReplay: true,
	}
}

func samplePolicy() policyView {
	wave := func(scale int64) []int64 {
		var out []int64
		for i := range 30 {
			out = append(out, int64((i*7)%11)*scale)
		}
		return out
	}
	return policyView{
		Title: "Version 3", Name: "default 2026-11-20", Since: "Live since 20 Nov 2026, 10:02", By: ", drafted by Ana Ruiz, approved by Ben Okoro", VersionURL: "/x", CanDraft: true,
		Description: "Three triggers: a place, an amount or a payment method that is not what the account is known for. One trigger alone seldom matters; two together usually mean that somebody else is paying.",
		Waiting:     []versionLine{{ID: "pol_1", Title: "Version 4", Detail: "was proposed by Ana Ruiz 2 hours ago and waits for a second person"}}, Decided: 18231, Days: 30,
		Rules: []policyRule{
			{"New or unrecognised location", "new_location", "active", "Counts towards a rejection; alone it rejects above USD 1,000.00.", `payment.country != "" && !history.place_known`, spark{Counts: wave(3), What: "payments raised it"}, 12, 401, "2.2 %", 88},
			{"Many devices in a day", "many_devices", "shadow", "Would hold the payment for a person.", "aggregate.devices_24h > 3", spark{Counts: wave(1), What: "payments raised it", Quiet: true}, 1, 33, "0.2 %", 0},
			{"Night", "night", "disabled", "Counts towards a rejection.", "payment.night", spark{}, 0, 0, "", 0},
		},
		Combined:   []string{"Two raised rules reject together, whatever the amount.", "One alone rejects above its own amount.", "An account with fewer than 10 approved payments is rejected from USD 500.00 on only."},
		Thresholds: []namedValue{{"unusual_floor", "USD 50.00", "Nothing below this amount is unusual, so that a lunch after five coffees is not."}, {"unusual_times_mean", "3 ×", "An unusual amount is more than so many times the mean."}},
		Aggregates: []aggregateLine{{"devices_24h", "Number of different devices of the account's approved payments in 24 hours", "", ""}, {"merchant_fraud_share", "Share of confirmed fraud among the merchant's payments in 30 days", "", "Up to 7 days before the payment, as feedback takes time."}},
		Lists:      []policyList{{Name: "blocked_devices", Field: "device", URL: "/x", Entries: 12}, {Name: "trusted", Missing: true}},
		Scorecard:  []web.Definition{{Term: "Model", Value: "card 2026-11"}, {Term: "Features", Value: "12"}},
	}
}

func sampleVersion() versionPage {
	text := linesOf("policy: default\nversion: \"2026-11-21\"\nrules:\n  - name: New or unrecognised location\n    code: new_location\n    when: payment.country != \"\" && !history.place_known && payment.amount_reference > threshold.unusual_floor_of_a_very_long_name_indeed")
	return versionPage{
		Line: versionLine{ID: "pol_1", Title: "Version 4", Name: "default 2026-11-21", State: "Proposed", Tone: web.Attention, Note: "Hold payments of many devices.", Share: -1}, Revision: 2, Text: text,
		Facts:   []web.Definition{{Term: "Named", Value: "default 2026-11-21"}, {Term: "Drafted", Value: "Ana Ruiz, 20 Nov 2026, 10:02"}, {Term: "Proposed", Value: "Ana Ruiz, 20 Nov 2026, 10:10"}, {Term: "In force from", Value: "as soon as it is ready"}},
		LiveURL: "/x", LiveName: "version 3", WhyNot: "You wrote or proposed this version, so a colleague has to approve it: an analyst or an administrator.", CanWithdraw: true, Form: &form{},
	}
}

// looks are the risk team's pages with everything on them.
func looks() map[string]templ.Component {
	preparing := sampleVersion()
	preparing.Line.Share, preparing.Line.Progress, preparing.WhyNot, preparing.CanApprove, preparing.CanPropose, preparing.CanEdit, preparing.CanReturn = 0.62, "124,000 of 200,000 payments", "", true, true, true, true
	text := []string{"policy: default", "rules:", "  - name: Broken", "\twhen: payment.contry != \"\"", "    mode: active", "    code: broken"}
	replayed := sampleExplanation()
	replayed.Replay = &replayResult{Same: true, Text: "Rejected, with the same rules raised, from the same facts."}
	changed, added, removed := diffOf("@@ -4,5 +4,6 @@\n policy: default\n version: \"2026-11-21\"\n+description: other\n rules:\n-  - name: New or unrecognised location\n-    when: payment.country != \"\" && !history.place_known && payment.amount_reference > threshold.unusual_floor_of_a_very_long_name_indeed\n+  - name: Elsewhere\n+    when: payment.night\n")
	lists := listsView{lists: []listLine{{"lst_1", "blocked_devices", "block", "Devices that were seen in confirmed fraud.", 1204, "by the live policy"}, {"lst_2", "trusted_merchants", "allow", "", 3, "by nothing yet"}}, form: &form{}, canManage: true}
	entries := []entryLine{{"le_1", "4f1c-very-long-device-identifier-that-goes-on-and-on-0123456789abcdef0123456789", "Seen in three chargebacks", "20 Nov 2026, 10:02", "Ana Ruiz", "never", false}, {"le_2", "203.0.113.9", "Tor exit", "1 Nov 2026, 10:02", "Ben Okoro", "8 Nov 2026, 10:02", true}}
	held := heldView{caseID: "case_1", version: 1, accountID: "acct_1", accountName: "Alma Petersen", accountWho: "Individual · Denmark", due: "Due in 1 day 4 hours", dueTone: web.Neutral, dueWhen: "Tuesday 24 November 2026, 23:59 (Asia/Singapore)", dueStamp: "2026-11-24T15:59:59Z",
		explanation: sampleExplanation(), latest: []paymentLine{{"/x", "USD 120.00", "20 Nov 2026, 10:02 · Harbour Cloud", "Approved", web.Positive}}, form: &form{}}
	held.explanation.Tone, held.explanation.Title = web.Info, "Held: Many devices in a day asks for a person"
	lines := []besideLine{{Label: "Approved", Live: "12,000", Tried: "12,040", Diff: "+40"}, {Label: "Held for a person", Live: "0", Tried: "12", Diff: "+12"}, {Label: "Rejected", Live: "402", Tried: "350", Diff: "−52"}}
	money := []besideLine{{Label: "Fraud stopped", Note: "of 41 confirmed", Live: "30", Tried: "34", Diff: "+4", Better: true}, {Label: "Amount saved", Live: "USD 12,040.00", Tried: "USD 14,990.00", Diff: "+USD 2,950.00", Better: true}, {Label: "Good payments blocked", Live: "120", Tried: "140", Diff: "+20", Worse: true}}
	return map[string]templ.Component{
		"explanation": explanationPage(sampleExplanation()), "explanation-replayed": explanationPage(replayed), "policy": policyPage(samplePolicy()),
		"policy-empty": policyPage(policyView{Title: "The policy that ships", Name: "default 2026-11-20", Since: "Live since the beginning", Days: 30}),
		"version":      versionBody(sampleVersion()), "version-actions": versionBody(preparing),
		"editor": editorPage(editorView{Title: "New draft", Back: linkTo{"All versions", "/x"}, Form: &form{values: map[string][]string{"text": {strings.Join(text, "\n")}}, errors: []web.FieldError{{Field: "text", Message: "The policy has 1 fault."}}}, Faults: []faultLine{{Place: "Line 4, column 8", Path: "rules[0].when", Message: "payment.contry is not a field; did you mean payment.country?", Lines: listing(text, 4, 8)}}}),
		"diff":   diffPage(diffView{From: versionLine{Title: "Version 3"}, To: sampleVersion().Line, Lines: changed, Added: added, Removed: removed, Summary: []string{"Rule new_location was removed."}, Choices: []web.Option{{Value: "a", Label: "Version 3"}, {Value: "b", Label: "Version 2"}}}),
		"lists":  listsPage(lists),
		"list":   listPage(listView{id: "lst_1", name: "blocked_devices", kind: "block", description: "Devices that were seen in confirmed fraud.", entries: entries, form: &form{}, canManage: true, about: []web.Definition{{Term: "Rules read it as", Body: monoText("list.blocked_devices")}}}),
		"held":   heldPage(held),
		"backtest-running": backtestPage(backtestView{form: &form{}, choices: []web.Option{{Value: "x", Label: "Version 4, proposed"}}, ended: templ.NopComponent, running: templ.Join(
			trialStep(service.TrialProgress{Read: 5000, OfAbout: 38000, Share: 0.13}), trialStep(service.TrialProgress{Decided: 15000, Payments: 37412, Share: 0.4}))}),
		"backtest": backtestPage(backtestView{form: &form{}, choices: []web.Option{{Value: "x", Label: "Version 4, proposed"}}, result: &backtestResult{Title: "Version 4 against version 3", Span: "12,402 payments from 1 Nov 2026 to 20 Nov 2026, 41 known to be fraud", Tried: "Version 4", Live: "Version 3", Outcomes: lines, Money: money, Rules: lines, Changed: 64, Examples: []changedPayment{{"pay_1", "20 Nov 2026, 10:02", "USD 120.00", "approved", "review", "fraud", "Many devices in a day"}}}}),
	}
}

// The pictures land in the directory of "go test -artifacts -outputdir DIR".
func TestTheRiskPagesWithEverythingOnThem(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	mux := http.NewServeMux()
	mux.Handle("/assets/", web.Assets())
	pages := looks()
	mux.HandleFunc("/look/{name}", func(w http.ResponseWriter, r *http.Request) {
		page := web.Page{Title: r.PathValue("name"), Locale: web.English, Brand: web.Brand{Name: "Nimbus Cloud"}, Area: "Review console", Wide: true, Styles: []string{"console.css", "risk.css"}, Scripts: []string{"console.js"}, Tools: searchBox(),
			Nav:      []web.NavItem{{Label: "Queue", URL: "/x", Count: 3}, {Label: "Policy", URL: "/x", Current: true}, {Label: "Tickets", URL: "/x"}, {Label: "Accounts", URL: "/x"}, {Label: "Undelivered", URL: "/x"}, {Label: "Staff", URL: "/x"}},
			SignedIn: &web.SignedIn{Name: "Ana Ruiz", SignOutURL: "/x"}, Above: clockBar("Friday 20 November 2026, 14:03 (Asia/Singapore)", web.Stamp(time.Unix(0, 0)), "/")}
		if err := web.Render(w, r, http.StatusOK, page, pages[r.PathValue("name")]); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(web.SecurityHeaders(mux))
	defer server.Close()
	chromium := browser.New(t)
	desk, phone := chromium.Desktop(), chromium.Phone()
	for name := range pages {
		for width, page := range map[string]*browser.Page{"1280": desk, "390": phone} {
			page.Goto(server.URL + "/look/" + name)
			page.Accessible()
			page.Screenshot(filepath.Join(t.ArtifactDir(), name+"-"+width+".png"))
		}
	}
}
