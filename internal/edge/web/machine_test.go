package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/probity/probity/internal/edge/web"
)

func TestFromThisMachine(t *testing.T) {
	tests := []struct {
		name, remote, host, header, value string
		want                              bool
	}{
		{"a browser on the machine", "127.0.0.1:4000", "localhost:8080", "", "", true},
		{"by the IPv6 address", "[::1]:4000", "[::1]:8080", "", "", true},
		{"with a form of its own page", "127.0.0.1:4000", "localhost:8080", "Origin", "http://localhost:8080", true},
		{"a privacy-minded browser", "127.0.0.1:4000", "localhost:8080", "Origin", "null", true},
		{"another machine", "203.0.113.9:4000", "localhost:8080", "", "", false},
		{"a name that somebody else resolves to the machine", "127.0.0.1:4000", "evil.example:8080", "", "", false},
		{"a tunnel", "127.0.0.1:4000", "localhost:8080", "X-Forwarded-For", "203.0.113.9", false},
		{"a proxy that says the scheme only", "127.0.0.1:4000", "localhost:8080", "X-Forwarded-Proto", "https", false},
		{"a proxy that says nothing of itself, with a form", "127.0.0.1:4000", "localhost:8080", "Origin", "https://kyc.example.com", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://"+test.host+"/", http.NoBody)
			r.RemoteAddr = test.remote
			if test.header != "" {
				r.Header.Set(test.header, test.value)
			}
			if got := web.FromThisMachine(r); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
