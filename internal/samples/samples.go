// Package samples draws the documents of people who do not exist: an identity card of Utopia, a payment card with its middle
// digits covered, and a bank statement, all marked SPECIMEN. They are good to upload to the KYC Center, so that its whole story
// can be played without anybody's real papers. The same options always give the same bytes.
//
// No full card number is ever made: a card is known by its first six and last four digits only.
package samples

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// The names that Write gives the documents.
const (
	GovernmentIDFile     = "government_id.png"
	PaymentMethodFile    = "payment_method.png"
	BillingStatementFile = "billing_statement.pdf"
)

// Options says whose documents are drawn. The zero value of a field means that of Default.
type Options struct {
	Name   string    // in Latin letters, at most 40 of them; given names first
	First6 string    // of the card, six digits
	Last4  string    // of the card, four digits
	Birth  time.Time // day of birth; one is made up from the name when it is not given
	Date   time.Time // the day on which the documents are submitted: the statement is of the month before
}

// Default returns the person that documents are drawn of when nothing else is said.
func Default() Options {
	return Options{
		Name: "Alma Petersen", First6: "400012", Last4: "9876", Birth: time.Date(1990, 4, 12, 0, 0, 0, 0, time.UTC),
		Date: time.Date(2026, 2, 12, 0, 0, 0, 0, time.UTC),
	}
}

// Set is one person's documents, encoded.
type Set struct {
	GovernmentID     []byte // PNG, 1200 px wide
	PaymentMethod    []byte // PNG, 1200 px wide
	BillingStatement []byte // PDF, A4
}

// Draw returns the documents. It fails when an option breaks its rule; the error names the option, never its value.
func Draw(options Options) (Set, error) {
	p, err := newPerson(options)
	if err != nil {
		return Set{}, err
	}
	var set Set
	if set.GovernmentID, err = drawGovernmentID(p); err != nil {
		return Set{}, fmt.Errorf("draw the government id: %w", err)
	}
	if set.PaymentMethod, err = drawPaymentMethod(p); err != nil {
		return Set{}, fmt.Errorf("draw the payment method: %w", err)
	}
	if set.BillingStatement, err = drawStatement(p); err != nil {
		return Set{}, fmt.Errorf("draw the billing statement: %w", err)
	}
	return set, nil
}

// Write draws the documents into the directory, which it makes when it is missing, under GovernmentIDFile, PaymentMethodFile and
// BillingStatementFile.
func Write(directory string, options Options) error {
	set, err := Draw(options)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("write samples: %w", err)
	}
	for name, body := range map[string][]byte{GovernmentIDFile: set.GovernmentID, PaymentMethodFile: set.PaymentMethod,
		BillingStatementFile: set.BillingStatement} {
		if err := os.WriteFile(filepath.Join(directory, name), body, 0o644); err != nil {
			return fmt.Errorf("write samples: %w", err)
		}
	}
	return nil
}

// person is somebody invented: what the options say, and the rest made up from the name, the same each time.
type person struct {
	given, surname string
	first6, last4  string
	date           time.Time
	birth          time.Time
	number         string // of the identity card, nine characters
	seed           uint64
}

func newPerson(options Options) (person, error) {
	standard := Default()
	if options.Name == "" {
		options.Name, options.Birth = standard.Name, standard.Birth
	}
	if options.First6 == "" {
		options.First6 = standard.First6
	}
	if options.Last4 == "" {
		options.Last4 = standard.Last4
	}
	if options.Date.IsZero() {
		options.Date = standard.Date
	}
	words := strings.Fields(options.Name)
	if len(words) == 0 || len([]rune(options.Name)) > 40 || !drawable(options.Name) {
		return person{}, fmt.Errorf("samples: the name must be at most 40 Latin letters")
	}
	if !digits(options.First6, 6) || !digits(options.Last4, 4) {
		return person{}, fmt.Errorf("samples: first6 must be six digits and last4 four")
	}
	hash := fnv.New64a()
	// A hash never fails to be written to.
	_, _ = hash.Write([]byte(options.Name))
	seed := hash.Sum64()
	p := person{
		given: strings.Join(words[:len(words)-1], " "), surname: words[len(words)-1],
		first6: options.First6, last4: options.Last4, date: options.Date, seed: seed,
		number: fmt.Sprintf("UT%07d", seed>>16%10_000_000),
		birth:  options.Birth,
	}
	if p.birth.IsZero() {
		p.birth = time.Date(1965+int(seed>>24%38), time.Month(1+seed>>32%12), 1+int(seed>>40%28), 0, 0, 0, 0, time.UTC)
	}
	return p, nil
}

// fullName returns the name as it is printed, given names first.
func (p person) fullName() string { return strings.TrimSpace(p.given + " " + p.surname) }

// issued returns the day on which the identity card was issued, some two years before the documents are submitted.
func (p person) issued() time.Time { return p.date.AddDate(-2, -int(p.seed>>3%9), -int(p.seed>>5%20)) }

// expires returns the last day of the identity card.
func (p person) expires() time.Time { return p.issued().AddDate(10, 0, -1) }

// statementMonth returns the first day of the last whole month before the documents are submitted.
func (p person) statementMonth() time.Time {
	return time.Date(p.date.Year(), p.date.Month()-1, 1, 0, 0, 0, 0, time.UTC)
}

func digits(s string, count int) bool {
	if len(s) != count {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// drawable reports whether the fonts that we draw with have every letter of the name.
func drawable(name string) bool {
	for _, r := range name {
		if !unicode.Is(unicode.Latin, r) && !strings.ContainsRune(" -'’.", r) {
			return false
		}
		if r != ' ' && !hasGlyph(r) {
			return false
		}
	}
	return true
}
