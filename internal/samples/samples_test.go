package samples

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestADrawnSet(t *testing.T) {
	set, err := Draw(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("holds pictures that decode and are 1200 pixels wide", func(t *testing.T) {
		for name, body := range map[string][]byte{GovernmentIDFile: set.GovernmentID, PaymentMethodFile: set.PaymentMethod} {
			picture, err := png.Decode(bytes.NewReader(body))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := picture.Bounds().Dx(); got != 1200 {
				t.Errorf("%s is %d pixels wide, want 1200", name, got)
			}
		}
	})
	t.Run("holds a PDF of one page", func(t *testing.T) {
		if !bytes.HasPrefix(set.BillingStatement, []byte("%PDF-1.")) || !bytes.Contains(set.BillingStatement, []byte("/Count 1")) {
			t.Error("the statement is no PDF of one page")
		}
	})
	t.Run("is the same every time", func(t *testing.T) {
		again, err := Draw(Options{})
		if err != nil {
			t.Fatal(err)
		}
		same := bytes.Equal(set.GovernmentID, again.GovernmentID) && bytes.Equal(set.PaymentMethod, again.PaymentMethod) &&
			bytes.Equal(set.BillingStatement, again.BillingStatement)
		if !same {
			t.Error("the same options gave other bytes")
		}
	})
	t.Run("differs from another person's", func(t *testing.T) {
		other, err := Draw(Options{Name: "Jonas Lindqvist", First6: "520000", Last4: "1234"})
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(set.GovernmentID, other.GovernmentID) || bytes.Equal(set.PaymentMethod, other.PaymentMethod) ||
			bytes.Equal(set.BillingStatement, other.BillingStatement) {
			t.Error("two people have a document in common")
		}
	})
}

func TestDrawRefuses(t *testing.T) {
	for name, options := range map[string]Options{
		"a name of letters that the fonts lack": {Name: "李伟"},
		"a name of more than 40 letters":        {Name: strings.Repeat("a", 41)},
		"a name of spaces":                      {Name: "   "},
		"digits in the name":                    {Name: "Alma 2"},
		"five digits before the gap":            {First6: "40001"},
		"letters among the last four":           {Last4: "98x6"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Draw(options); err == nil {
				t.Error("the options were taken")
			}
		})
	}
}

func TestWritePutsThreeFilesIntoANewDirectory(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "papers")
	if err := Write(directory, Options{Name: "Ðóra Ågren-Müller"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{GovernmentIDFile, PaymentMethodFile, BillingStatementFile} {
		if info, err := os.Stat(filepath.Join(directory, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s was not written: %v", name, err)
		}
	}
}

func TestTheStatementIsOfTheMonthBefore(t *testing.T) {
	for date, want := range map[string]string{"2026-01-05": "2025-12", "2026-03-31": "2026-02", "2026-02-12": "2026-01"} {
		day, err := time.Parse(time.DateOnly, date)
		if err != nil {
			t.Fatal(err)
		}
		p, err := newPerson(Options{Date: day})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.statementMonth().Format("2006-01"); got != want {
			t.Errorf("submitted on %s: the statement is of %s, want %s", date, got, want)
		}
	}
}

// The worked example is the TD1 specimen of ICAO 9303-5, appendix B.
func TestCheckDigitsAreThoseOfICAO9303(t *testing.T) {
	for field, want := range map[string]string{"D23145890": "7", "740812": "2", "120415": "9",
		"D231458907<<<<<<<<<<<<<<<" + "7408122" + "1204159" + "<<<<<<<<<<<": "6"} {
		if got := checkDigit(field); got != want {
			t.Errorf("check digit of %s: got %s, want %s", field, got, want)
		}
	}
}

func TestTheMachineReadableZoneIsThreeLinesOfThirty(t *testing.T) {
	p, err := newPerson(Options{Name: "Maximiliana Alexandrina Brandstätter-Oyelaran"[:40]})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range p.mrzLines() {
		if len(line) != 30 || strings.Trim(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<") != "" {
			t.Errorf("not 30 characters of a machine-readable zone: %q", line)
		}
	}
}
