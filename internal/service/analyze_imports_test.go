package service

import "testing"

func TestTheDatabaseLooksAnewWheneverWhatWasBroughtInHasDoubled(t *testing.T) {
	var since importedSince
	var at []int
	for part := 1; part <= 200; part++ {
		if since.isTime(1000) {
			at = append(at, part)
		}
	}
	if len(at) != 4 || at[0] != 20 || at[1] != 40 || at[2] != 80 || at[3] != 160 {
		t.Errorf("got after %v thousand payments, want after 20, 40, 80 and 160", at)
	}
	if since.isTime(0) {
		t.Error("it is time again without a payment")
	}
}
