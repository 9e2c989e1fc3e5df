package id

import (
	"testing"
	"time"
)

func TestNew(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	first, second := New(Account, at), New(Account, at.Add(time.Millisecond))
	if !Valid(Account, first) || !Valid(Account, second) {
		t.Fatalf("not valid: %q %q", first, second)
	}
	if first >= second {
		t.Errorf("a later identifier must sort after an earlier one: %q %q", first, second)
	}
	if Valid(Payment, first) {
		t.Errorf("an identifier is valid under its own prefix only")
	}
	if again := New(Account, at); again == first {
		t.Errorf("two identifiers of one millisecond are equal")
	}
}

func TestLooks(t *testing.T) {
	for value, want := range map[string]bool{
		New(Verification, time.Unix(0, 0)):   true,
		"acct_4111111111111111":              false,
		"4111111111111111":                   false,
		"pm_zzzzzzzzzzzzzzzzzzzzzzzzzz":      false, // over 128 bits
		"":                                   false,
		"payment_00000000000000000000000000": false,
	} {
		if got := Looks(value); got != want {
			t.Errorf("Looks(%q) = %v, want %v", value, got, want)
		}
	}
}
