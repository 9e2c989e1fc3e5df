package world

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/samples"
	"github.com/probity/probity/internal/standard/money"
)

func TestTheCastKeepsTheRules(t *testing.T) {
	members, err := cast()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 9, 12, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	plots := map[plot]int{}
	for _, m := range members {
		t.Run(m.Name, func(t *testing.T) {
			plots[m.Plot]++
			profile := account.Profile{
				ExternalID: m.ExternalID, Kind: account.Kind(m.Kind), Name: m.Name, Email: m.Email, Phone: m.Phone, Country: m.Address.Country,
				DateOfBirth: m.Birth, Locale: m.Locale, TimeZone: m.TimeZone,
			}
			if err := profile.Check(now); err != nil {
				t.Error(err)
			}
			if seen[m.ExternalID] || seen[m.Email] {
				t.Error("the external id or the address is somebody else's too")
			}
			seen[m.ExternalID], seen[m.Email] = true, true
			if _, domain, _ := strings.Cut(m.Email, "@"); !strings.HasSuffix("."+domain, ".example") && domain != "example.com" {
				t.Errorf("the mail goes to %s, which may belong to somebody", domain)
			}
			for _, one := range m.Methods {
				check := payment.Method{Kind: payment.MethodKind(one.Kind), Brand: one.Brand, First6: one.First6, Last4: one.Last4}
				if err := check.Check(); err != nil {
					t.Error(err)
				}
			}
			for _, minor := range []int64{m.Habit.AmountMinor, m.Habit.SurpriseMinor} {
				if err := (money.Amount{AmountMinor: minor, Currency: m.Habit.Currency}).Check("amount"); err != nil {
					t.Error(err)
				}
			}
			if (m.Kind == "enterprise") != (m.Industry != "") || (m.Kind == "individual") != (m.Birth != "") {
				t.Error("a person has a birthday, an enterprise an industry")
			}
		})
	}
	for _, p := range []plot{
		plotOrdinary, plotApproved, plotDeclined, plotCanceled, plotSuspended, plotReviewDueSoon, plotInReview, plotResubmission, plotAwaiting,
		plotUndelivered, plotHeld, plotMethodAlert,
	} {
		if plots[p] == 0 {
			t.Errorf("nobody plays %s", p)
		}
	}
}

func TestTheSpecimensFitTheFirstMember(t *testing.T) {
	members, err := cast()
	if err != nil {
		t.Fatal(err)
	}
	first, want := members[0], samples.Default()
	got := first.papers(want.Date)
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestPapersCanBeDrawn(t *testing.T) {
	members, err := cast()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		latin := !slices.ContainsFunc([]rune(m.paperName()), func(r rune) bool { return r > 0x24f })
		if m.sendsPapers() && (!latin || m.Methods[0].Kind != "card") {
			t.Errorf("%s sends papers, so the name must be Latin and the first payment method a card", m.ExternalID)
		}
	}
}
