package risk

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/domain/risk/history"
)

// story is one worked case; testdata/cases/README.md says how it is written.
type story struct {
	Story   string              `yaml:"story"`
	History []string            `yaml:"history"`
	Learned []string            `yaml:"learned"`
	Lists   map[string][]string `yaml:"lists"`
	Payment string              `yaml:"payment"`
	Expect  Outcome             `yaml:"expect"`
	Reasons []string            `yaml:"reasons"`
	Decided string              `yaml:"decided by"`
}

// decidedAt is when the payment of every story occurs.
var decidedAt = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// storyAccount is the account whose payment is decided.
const storyAccount = "self"

func TestCases(t *testing.T) {
	policy := defaultForTest(t)
	files, err := filepath.Glob("testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	hit := map[string]bool{}
	for _, file := range files {
		for _, c := range readStories(t, file) {
			t.Run(c.Story, func(t *testing.T) {
				facts := FactsFor(policy, c.sources(t, policy), parsePayment(t, c.Payment))
				decision := Decide(policy, facts)
				var codes []string
				for _, reason := range decision.Reasons {
					codes = append(codes, reason.Code)
				}
				if decision.Outcome != c.Expect || !slices.Equal(codes, c.Reasons) || c.Decided != "" && decision.DecidedBy != c.Decided {
					t.Errorf("got %s by %q %v, want %s by %q %v\n%s", decision.Outcome, decision.DecidedBy, codes, c.Expect, c.Decided, c.Reasons,
						describe(policy, facts))
				}
				checkReplay(t, policy, facts, decision)
				for _, e := range decision.Evaluations() {
					hit[e.Code] = hit[e.Code] || e.True
				}
			})
		}
	}
	for i := range policy.Rules {
		if !hit[policy.Rules[i].Code] {
			t.Errorf("no case raises %s; add one to testdata/cases", policy.Rules[i].Code)
		}
	}
}

// checkReplay decides again from the facts as they are stored.
func checkReplay(t *testing.T, policy *Policy, facts *Facts, want Decision) {
	t.Helper()
	stored := facts.AppendBinary(policy, nil)
	decoded, err := DecodeFacts(policy, &facts.Payment, stored)
	if err != nil {
		t.Fatal(err)
	}
	if got := Decide(policy, decoded); got.Outcome != want.Outcome || got.Raised != want.Raised || got.DecidedBy != want.DecidedBy {
		t.Errorf("a replay of %d bytes differs: got %s, want %s", len(stored), got.Outcome, want.Outcome)
	}
}

// describe shows the facts that are not zero.
func describe(policy *Policy, facts *Facts) string {
	var b strings.Builder
	for _, field := range Fields(policy) {
		if strings.HasPrefix(field.Name, "payment.") {
			continue
		}
		if text := fmt.Sprint(field.value(&facts.Payment, facts)); text != "0" && text != "false" && text != "" {
			b.WriteString(field.Name + " = " + text + "\n")
		}
	}
	return b.String()
}

func defaultForTest(t testing.TB) *Policy {
	t.Helper()
	policy, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func readStories(t *testing.T, file string) []story {
	t.Helper()
	data, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = data.Close() }()
	decoder := yaml.NewDecoder(data)
	decoder.KnownFields(true)
	var stories []story
	if err := decoder.Decode(&stories); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return stories
}

// sources folds the story as a server would have: entries by time, then what became known of them.
func (c story) sources(t *testing.T, policy *Policy) Sources {
	t.Helper()
	set, err := Maintain(policy)
	if err != nil {
		t.Fatal(err)
	}
	var past []happened
	for _, text := range c.History {
		past = append(past, parseHistory(t, text)...)
	}
	slices.SortStableFunc(past, func(a, b happened) int { return a.entry.Payment.OccurredAt.Compare(b.entry.Payment.OccurredAt) })
	from := Sources{Set: set, Profile: &history.Profile{}, Index: history.NewIndex(set, 10_000)}
	for i := range past {
		p := &past[i].entry.Payment
		p.AmountReference, p.AmountKnown = policy.ReferenceAmount(p.AmountMinor, p.Currency)
		from.Index.Fold(&past[i].entry)
		if p.AccountID == storyAccount {
			from.Profile.Fold(set, &past[i].entry)
		}
	}
	for _, h := range past {
		if !h.fraud {
			continue
		}
		label := history.Label{Payment: h.entry.Payment, Outcome: h.entry.Outcome, Fraud: true, KnownAt: decidedAt.Add(-time.Minute)}
		from.Index.FoldLabel(&label)
		if label.Payment.AccountID == storyAccount {
			from.Profile.FoldLabel(set, &label)
		}
	}
	for _, text := range c.Learned {
		from.Profile.Learn(parseLesson(t, text))
	}
	var entries []ListEntry
	for list, values := range c.Lists {
		for _, value := range values {
			entries = append(entries, parseListEntry(t, list, value))
		}
	}
	from.Lists = NewLists(entries)
	return from
}

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
	agoPart     = `([0-9]+) (days?|hours?|minutes?|seconds?) ago`
)

var (
	historyShape = regexp.MustCompile(`^([0-9]+) (rejected |held )?payments?( confirmed as fraud)? of ` + amountPart + `(?: to ([0-9.]+))?` +
		`(?: by (?:(\w+)|([0-9]+) accounts))?(?: with ([0-9]+) methods)?(?:, one every ([0-9]+) (days?|hours?|minutes?|seconds?),)?` +
		wherePart + `(?:, the last ` + agoPart + `)?$`)
	paymentShape = regexp.MustCompile(`^` + amountPart + wherePart + `$`)
	lessonShape  = regexp.MustCompile(`^(.+), ` + agoPart + `$`)
	lessonWhere  = regexp.MustCompile(`^` + wherePart + `$`)
	listedShape  = regexp.MustCompile(`^(\S+)(?:, (until) ` + agoPart + `)?$`)
)

func parseHistory(t *testing.T, text string) []happened {
	t.Helper()
	m := historyShape.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("not a history: %q", text)
	}
	count, currency := number(t, m[1]), m[4]
	lowest := minor(t, currency, m[5])
	highest := lowest
	if m[6] != "" {
		highest = minor(t, currency, m[6])
	}
	step := 24 * time.Hour
	if m[10] != "" {
		step = span(t, m[10], m[11])
	}
	last := decidedAt.Add(-24 * time.Hour)
	if tail := m[12+whereGroups:]; tail[0] != "" {
		last = decidedAt.Add(-span(t, tail[0], tail[1]))
	}
	outcome := map[string]history.Outcome{"": history.Approved, "rejected ": history.Rejected, "held ": history.Review}[m[2]]
	past := make([]happened, count)
	for i := range past {
		payment := where(m[12 : 12+whereGroups])
		payment.AccountID, payment.Currency = storyAccount, currency
		payment.AmountMinor = lowest + (highest-lowest)*int64(i)/max(count-1, 1)
		payment.OccurredAt = last.Add(-step * time.Duration(count-1-int64(i)))
		if m[7] != "" {
			payment.AccountID = m[7]
		}
		if m[8] != "" {
			payment.AccountID = "other" + strconv.FormatInt(int64(i)%number(t, m[8]), 10)
		}
		if m[9] != "" {
			payment.Method = history.Method{ID: "tried" + strconv.FormatInt(int64(i)%number(t, m[9]), 10)}
		}
		past[i] = happened{entry: history.Entry{Payment: payment, Outcome: outcome}, fraud: m[3] != ""}
	}
	return past
}

func parsePayment(t *testing.T, text string) *history.Payment {
	t.Helper()
	m := paymentShape.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("not a payment: %q", text)
	}
	payment := where(m[3:])
	payment.AccountID, payment.Currency, payment.MethodKind, payment.OccurredAt = storyAccount, m[1], "card", decidedAt
	payment.AmountMinor = minor(t, m[1], m[2])
	return &payment
}

func parseLesson(t *testing.T, text string) history.Lesson {
	t.Helper()
	m := lessonShape.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("not a lesson: %q", text)
	}
	w := lessonWhere.FindStringSubmatch(" from " + m[1])
	if w == nil {
		t.Fatalf("not a lesson: %q", text)
	}
	payment := where(w[1:])
	return history.Lesson{Place: payment.Place, DeviceID: payment.DeviceID, Method: payment.Method, At: decidedAt.Add(-span(t, m[2], m[3]))}
}

// parseListEntry reads a value, as it is on a list now, or "VALUE, until 2 days ago".
func parseListEntry(t *testing.T, list, text string) ListEntry {
	t.Helper()
	m := listedShape.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("not an entry of a list: %q", text)
	}
	entry := ListEntry{List: list, Value: m[1]}
	if m[2] == "until" {
		entry.ExpiresAt = decidedAt.Add(-span(t, m[3], m[4]))
	}
	return entry
}

func where(m []string) history.Payment {
	return history.Payment{
		Place: history.Place{Country: m[0], Region: m[1], City: m[2]}, Method: history.Method{ID: m[3], Fingerprint: m[4]},
		DeviceID: m[5], Merchant: m[6], IP: m[7],
	}
}

func span(t *testing.T, count, unit string) time.Duration {
	t.Helper()
	steps := map[string]time.Duration{"day": 24 * time.Hour, "hour": time.Hour, "minute": time.Minute, "second": time.Second}
	return time.Duration(number(t, count)) * steps[strings.TrimSuffix(unit, "s")]
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func minor(t *testing.T, currency, text string) int64 {
	t.Helper()
	if currency == "JPY" {
		return number(t, text)
	}
	units, cents, found := strings.Cut(text, ".")
	if !found || len(cents) != 2 {
		t.Fatalf("write the amount with two decimals: %q", text)
	}
	return number(t, units)*100 + number(t, cents)
}
