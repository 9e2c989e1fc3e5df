package risk

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// story is one worked case; testdata/cases/README.md says how it is written.
type story struct {
	Story   string   `yaml:"story"`
	History []string `yaml:"history"`
	Learned []string `yaml:"learned"`
	Payment string   `yaml:"payment"`
	Expect  Outcome  `yaml:"expect"`
	Reasons []string `yaml:"reasons"`
}

// decidedAt is when the payment of every story occurs.
var decidedAt = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestCases(t *testing.T) {
	policy := defaultForTest(t)
	files, err := filepath.Glob("testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	count := 0
	for _, file := range files {
		for _, c := range readStories(t, file) {
			count++
			t.Run(c.Story, func(t *testing.T) {
				facts := FactsOf(policy, c.profile(t), parsePayment(t, c.Payment))
				decision := Decide(policy, &facts)
				var codes []string
				for _, reason := range decision.Reasons {
					codes = append(codes, reason.Code)
				}
				if decision.Outcome != c.Expect || !slices.Equal(codes, c.Reasons) {
					t.Errorf("got %s %v, want %s %v\nfacts %+v", decision.Outcome, codes, c.Expect, c.Reasons, facts)
				}
				if len(decision.Evaluations()) != len(policy.Rules) {
					t.Errorf("got %d evaluations, want one for each of %d rules", len(decision.Evaluations()), len(policy.Rules))
				}
			})
		}
	}
	if count < 25 {
		t.Errorf("got %d cases, want at least 25", count)
	}
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

func (c story) profile(t *testing.T) Profile {
	t.Helper()
	var profile Profile
	for _, text := range c.History {
		for _, payment := range parseHistory(t, text) {
			profile = Fold(profile, payment)
		}
	}
	for _, text := range c.Learned {
		profile = Learn(profile, parseLesson(t, text))
	}
	return profile
}

const (
	amountPart = `([A-Z]{3}) ([0-9.]+)`
	wherePart  = `(?: from ([A-Z]{2})(?:/([A-Z0-9-]+))?(?:/([A-Za-z]+))?)?(?: with method (\w+)(?: \(fingerprint (\w+)\))?)?(?: on device (\w+))?`
	agoPart    = `([0-9]+) (days|hours) ago`
)

var (
	historyShape = regexp.MustCompile(`^([0-9]+) payments? of ` + amountPart + `(?: to ([0-9.]+))?(?:, one every ([0-9]+) days,)?` +
		wherePart + `(?:, the last ` + agoPart + `)?$`)
	paymentShape = regexp.MustCompile(`^` + amountPart + wherePart + `$`)
	lessonShape  = regexp.MustCompile(`^(.+), ` + agoPart + `$`)
	lessonWhere  = regexp.MustCompile(`^` + wherePart + `$`)
)

func parseHistory(t *testing.T, text string) []ApprovedPayment {
	t.Helper()
	m := historyShape.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("not a history: %q", text)
	}
	count, currency := number(t, m[1]), m[2]
	lowest := minor(t, currency, m[3])
	highest := lowest
	if m[4] != "" {
		highest = minor(t, currency, m[4])
	}
	every := int64(1)
	if m[5] != "" {
		every = number(t, m[5])
	}
	place, method, device := where(m[6:12])
	last := decidedAt.Add(-24 * time.Hour)
	if m[12] != "" {
		last = ago(t, m[12], m[13])
	}
	payments := make([]ApprovedPayment, count)
	for i := range payments {
		payments[i] = ApprovedPayment{
			AmountMinor: lowest + (highest-lowest)*int64(i)/max(count-1, 1),
			Currency:    currency,
			Place:       place,
			DeviceID:    device,
			Method:      method,
			OccurredAt:  last.Add(-time.Duration(every*(count-1-int64(i))) * 24 * time.Hour),
		}
	}
	return payments
}

func parsePayment(t *testing.T, text string) Payment {
	t.Helper()
	m := paymentShape.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("not a payment: %q", text)
	}
	place, method, device := where(m[3:9])
	return Payment{
		AmountMinor: minor(t, m[1], m[2]), Currency: m[1], Place: place, DeviceID: device,
		Method: method, MethodKind: "card", Merchant: "Corner shop", OccurredAt: decidedAt,
	}
}

func parseLesson(t *testing.T, text string) Lesson {
	t.Helper()
	m := lessonShape.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("not a lesson: %q", text)
	}
	w := lessonWhere.FindStringSubmatch(" from " + m[1])
	if w == nil {
		t.Fatalf("not a lesson: %q", text)
	}
	place, method, device := where(w[1:7])
	return Lesson{Place: place, DeviceID: device, Method: method, At: ago(t, m[2], m[3])}
}

func where(m []string) (Place, Method, string) {
	return Place{Country: m[0], Region: m[1], City: m[2]}, Method{ID: m[3], Fingerprint: m[4]}, m[5]
}

func ago(t *testing.T, count, unit string) time.Time {
	t.Helper()
	step := time.Hour
	if unit == "days" {
		step = 24 * time.Hour
	}
	return decidedAt.Add(-time.Duration(number(t, count)) * step)
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
