package pan

import "testing"

func TestFindInIdentifier(t *testing.T) {
	for value, want := range map[string]bool{
		"4111111111111111":                     true,
		"order-4111-1111-1111-1111":            true,
		"41111111-1111-1111-a000-000000000000": false, // a UUID
		"a4111111111111111b00000000000000":     false, // 128 bits in hexadecimal
		"order-17":                             false,
	} {
		if got := FindInIdentifier(value); got != want {
			t.Errorf("FindInIdentifier(%q) = %v, want %v", value, got, want)
		}
	}
}
