package service

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/access"
)

var (
	aKey   = sha256.Sum256([]byte("a"))
	anHour = time.Date(2026, 11, 9, 2, 0, 0, 0, time.UTC)
	holder = access.Actor{Kind: access.Key, TenantID: "ten_1", ID: "key_1"}
)

func TestAKeyIsRememberedForASecond(t *testing.T) {
	for _, test := range []struct {
		name  string
		later time.Duration
		want  bool
	}{
		{"at once", 0, true},
		{"a moment later", 499 * time.Millisecond, true},
		{"a second later it is looked up", time.Second, false},
		{"of a clock that was set back nothing is known", -time.Microsecond, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var keys rememberedKeys
			keys.remember(keys.reading(), aKey, holder, anHour)
			got, found := keys.find(aKey, anHour.Add(test.later))
			if found != test.want || found && got != holder {
				t.Errorf("got %v %v, want %v", got, found, test.want)
			}
		})
	}
}

func TestOneRequestLooksAKeyUpAgainWhileOthersGoOn(t *testing.T) {
	var keys rememberedKeys
	keys.remember(keys.reading(), aKey, holder, anHour)
	later := anHour.Add(keyLookAgain)
	if _, found := keys.find(aKey, later); found {
		t.Error("the first request after half the time did not look again")
	}
	if _, found := keys.find(aKey, later); !found {
		t.Error("the second one looked, too")
	}
	if _, found := keys.find(aKey, anHour.Add(keyGoodFor)); found {
		t.Error("what nobody could look up again was used all the same")
	}
}

func TestWhatWasReadBeforeARevocationIsNotRemembered(t *testing.T) {
	var keys rememberedKeys
	reading := keys.reading() // the row is read, and then the key revoked
	keys.forget()
	keys.remember(reading, aKey, holder, anHour)
	if _, found := keys.find(aKey, anHour); found {
		t.Error("a key that was revoked meanwhile was remembered")
	}
}

func TestRememberedKeysAreBounded(t *testing.T) {
	var keys rememberedKeys
	for i := range maxRememberedKeys + 5 {
		keys.remember(keys.reading(), sha256.Sum256([]byte{byte(i), byte(i >> 8)}), holder, anHour)
	}
	if got := len(keys.keys); got > maxRememberedKeys {
		t.Errorf("got %d keys", got)
	}
}
