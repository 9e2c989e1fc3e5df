package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/probity/probity/internal/edge/web"
)

// from is a request of a client, through a proxy when something was forwarded.
func from(t *web.Throttle, remote string, forwarded ...string) bool {
	r := httptest.NewRequest(http.MethodPost, "/kyc/sign-in", nil)
	r.RemoteAddr = remote
	for _, one := range forwarded {
		r.Header.Add("X-Forwarded-For", one)
	}
	return t.Allow(r)
}

func TestAClientThatTriesTooOftenHasToWait(t *testing.T) {
	now := time.Date(2026, 11, 9, 2, 0, 0, 0, time.UTC)
	throttle := web.NewThrottle(3, 10*time.Second, func() time.Time { return now })
	try := func(want bool) {
		t.Helper()
		if got := from(throttle, "198.51.100.7:5000"); got != want {
			t.Errorf("got %t, want %t", got, want)
		}
	}
	try(true)
	try(true)
	try(true)
	try(false)
	try(false)
	if !from(throttle, "198.51.100.8:5000") {
		t.Error("another client was refused for it")
	}
	now = now.Add(10 * time.Second)
	try(true)
	try(false)
	now = now.Add(-time.Hour) // the clock was set back
	try(true)
	now = now.Add(24 * time.Hour)
	try(true)
	try(true)
	try(true)
	try(false)
}

func TestClientsAreToldApart(t *testing.T) {
	tests := []struct {
		name            string
		remote          string
		forwarded       []string
		again           string
		forwardedAgain  []string
		isTheSameClient bool
	}{
		{"another port is the same client", "198.51.100.7:1", nil, "198.51.100.7:2", nil, true},
		{"another address is another client", "198.51.100.7:1", nil, "198.51.100.8:1", nil, false},
		{"addresses of one IPv6 network are one client", "[2001:db8::1]:1", nil, "[2001:db8::2]:1", nil, true},
		{"another IPv6 network is another client", "[2001:db8::1]:1", nil, "[2001:db8:0:1::1]:1", nil, false},
		{"IPv4 in an IPv6 coat is that IPv4 address", "[::ffff:198.51.100.7]:1", nil, "198.51.100.7:1", nil, true},
		{"a proxy on the machine says who asks", "127.0.0.1:1", []string{"198.51.100.7"}, "127.0.0.1:1", []string{"198.51.100.8"}, false},
		{"a proxy in a private network says who asks", "10.0.0.2:1", []string{"198.51.100.7"}, "10.0.0.2:1", []string{"198.51.100.8"}, false},
		{"what stands before the proxy's word is the client's own claim", "10.0.0.2:1", []string{"1.1.1.1, 198.51.100.7"}, "10.0.0.2:1",
			[]string{"2.2.2.2, 198.51.100.7"}, true},
		{"also in a header of its own", "10.0.0.2:1", []string{"1.1.1.1", "198.51.100.7"}, "10.0.0.2:1", []string{"2.2.2.2", "198.51.100.7"}, true},
		{"a client of the internet cannot pass for another", "198.51.100.7:1", []string{"1.1.1.1"}, "198.51.100.7:1", []string{"2.2.2.2"}, true},
		{"a private client without a proxy is itself", "10.0.0.2:1", nil, "10.0.0.3:1", nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			throttle := web.NewThrottle(1, time.Minute, func() time.Time { return time.Unix(1_800_000_000, 0) })
			if !from(throttle, test.remote, test.forwarded...) {
				t.Fatal("the first try was refused")
			}
			if got := !from(throttle, test.again, test.forwardedAgain...); got != test.isTheSameClient {
				t.Errorf("got %t, want %t that it counts for the same client", got, test.isTheSameClient)
			}
		})
	}
}

func TestOnTheMachineItselfNobodyHasToWait(t *testing.T) {
	throttle := web.NewThrottle(1, time.Minute, func() time.Time { return time.Unix(1_800_000_000, 0) })
	for range 5 {
		if !from(throttle, "127.0.0.1:4000") || !from(throttle, "[::1]:4000") || !from(throttle, "@") {
			t.Fatal("refused")
		}
	}
}

func TestAThrottleForgets(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	throttle := web.NewThrottle(1, time.Minute, func() time.Time { return now })
	for i := range 50_000 {
		if !from(throttle, fmt.Sprintf("203.%d.%d.%d:1", i>>16&255, i>>8&255, i&255)) {
			t.Fatal("a first try was refused")
		}
	}
}
