package pan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/standard/id"
)

func TestFindInJSON(t *testing.T) {
	account := id.New(id.Account, time.UnixMilli(1_790_000_000_000))
	tests := []struct {
		name, body, want string // want is the path, empty when nothing is found
	}{
		{"a string", `{"name":"4111111111111111"}`, "name"},
		{"a string with escapes", `{"name":"4111\u0020111111111111"}`, "name"},
		{"a string with escaped digits", `{"name":"\u0034111111111111111"}`, "name"},
		{"a number", `{"name":4111111111111111}`, "name"},
		{"a negative number", `{"name":-4111111111111111}`, "name"},
		{"a number with an exponent", `{"name":4.111111111111111e15}`, "name"},
		{"a number with a negative exponent", `{"name":41111111111111110e-1}`, "name"},
		{"a number with decimals", `{"name":4111111111111111.00}`, "name"},
		{"nested", `{"address":{"lines":["Road 1","4111 1111 1111 1111"]}}`, "address.lines[1]"},
		{"after other values", `{"a":{"b":[1,{"c":true}],"d":null},"e":[[],[{}],["4111111111111111"]]}`, "e[2][0]"},
		{"the first of two", `{"a":"4111111111111111","b":"4111111111111111"}`, "a"},
		{"in a name", `{"metadata":{"4111111111111111":true}}`, "metadata.(name)"},
		{"in a name at the root", `{"4111-1111-1111-1111":true}`, "(name)"},
		{"in a plain name", `{"n4111111111111111":true}`, "(name)"},
		{"in a name behind an array", `[{},{"4111111111111111":1}]`, "[1].(name)"},
		{"below a name that is no plain word", `{"an é":{"b":"4111111111111111"}}`, "(name).b"},
		{"below names that spell a number together", `{"a4111":{"_1111":{"_1111":{"_1111":"4111111111111111"}}}}`, "(name)"},
		{"a string alone", `"4111111111111111"`, "(body)"},
		{"a number alone", ` 4111111111111111 `, "(body)"},
		{"in an array alone", `[1,4111111111111111]`, "[1]"},
		{"a field that is named like a time but holds none", `{"created_at":"4111111111111111"}`, "created_at"},
		{"a telephone field with more digits than a telephone", `{"phone":"4111 1111 1111 1111"}`, "phone"},
		{"a weight of a scorecard in a policy", `{"policy_text":"points: [0.4111111111111111, -2.4111111111111111e-3]"}`, ""},
		{"a card in a policy", `{"policy_text":"# 4111111111111111\nweight: 0.5"}`, "policy_text"},
		{"a card behind a point in a policy", `{"policy_text":"card.4111111111111111"}`, "policy_text"},
		{"a weight elsewhere", `{"text":"0.4111111111111111"}`, "text"},
		{"an amount that is a string", `{"amount_minor":"4111111111111111"}`, "amount_minor"},
		{"behind our prefix", `{"account_id":"acct_4111111111111111"}`, "account_id"},
		{"a fingerprint of digits only", `{"fingerprint":"4111111111111111"}`, "fingerprint"},

		{"nothing", `{}`, ""},
		{"null", `null`, ""},
		{"a masked card", `{"first6":"411111","last4":"1111","holder_name":"A. Holder"}`, ""},
		{"a telephone number", `{"phone":"+4915112345674"}`, ""},
		{"a telephone number without a plus that passes", `{"phone":"378282246310005"}`, ""},
		{"one of our identifiers", `{"account_id":"` + account + `"}`, ""},
		{"an identifier with a passing number inside", `{"account_id":"acct_0000000000` + "4111111111111111" + `"}`, ""},
		{"an instant", `{"occurred_at":"2026-11-20T12:00:00.123456789Z"}`, ""},
		{"money", `{"amount":{"amount_minor":4111111111111111,"currency":"USD"}}`, ""},
		{"a time in nanoseconds", `{"created_at":4111111111111111}`, ""},
		{"a UUID with a passing number inside", `{"device":{"id":"ab000000-0000-4111-1111-111111111111"}}`, ""},
		{"a digest with a passing number inside", `{"fingerprint":"a4111111111111111` + strings.Repeat("b", 47) + `"}`, ""},
		{"a huge exponent costs nothing", `{"n":4e1000000000000}`, ""},
		{"a tiny exponent", `{"n":4111111111e-400}`, ""},
		{"coordinates", `{"lat":37.8282246310005,"lon":-122.4194155}`, ""},
		{"an order number of a payment system", `{"external_id":"4200001234202611201234567890"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path, found, err := FindInJSON([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if path != test.want || found != (test.want != "") {
				t.Errorf("got %q, %v, want %q", path, found, test.want)
			}
		})
	}
}

func TestFindInJSONRefusesMalformedBodies(t *testing.T) {
	for _, body := range []string{
		"", " ", "{", "[1,]", `{"a":1}{"b":2}`, `{"a":}`, `{"name":"4111111111111111"`, "\xff", strings.Repeat("[", 100_000),
	} {
		path, found, err := FindInJSON([]byte(body))
		if !errors.Is(err, ErrMalformed) || found || path != "" {
			t.Errorf("got %q, %v, %v, want ErrMalformed", path, found, err)
		}
	}
}

func TestALongPathIsNotEchoed(t *testing.T) {
	body := strings.Repeat(`{"abcdefghijklmnopqrstuvwxyz":`, 50) + `"4111111111111111"` + strings.Repeat("}", 50)
	if path, found, err := FindInJSON([]byte(body)); path != HiddenName || !found || err != nil {
		t.Errorf("got %q, %v, %v", path, found, err)
	}
}

func FuzzFindInJSON(f *testing.F) {
	for _, seed := range []string{
		`{"name":"4111111111111111"}`, `[{"4111 1111 1111 1111":[1,2,{"a":"b"}]}]`, `{"a4111":{"_1111":{"_1111":{"_1111":"4111111111111111"}}}}`,
		`{"n":4.111111111111111e15}`, `{"phone":"+4915112345674","created_at":"2026-11-20T12:00:00Z"}`, `{"a":[}`, `""`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		path, found, err := FindInJSON(body)
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("an unknown error: %v", err)
		}
		if found != (path != "") || found && err != nil {
			t.Fatalf("got %q, %v, %v", path, found, err)
		}
		if Find(path) {
			t.Fatalf("the path %q tells what was found", path)
		}
	})
}
