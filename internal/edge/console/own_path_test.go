package console

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzOwnPath looks for an address that leads out of the console after signing in.
func FuzzOwnPath(f *testing.F) {
	for _, seed := range []string{
		"/console/cases/case_1?show=open", "//evil.example/console/", `/console/\\evil.example`, "https://evil.example/console/", "/console/../kyc/",
		"javascript:alert(1)", "/console/\r\nSet-Cookie: a=b", "", "%2f%2fevil.example", "/console/%2e%2e/%2e%2e/",
	} {
		f.Add(seed)
	}
	base, err := url.Parse("https://kyc.example.com/console/sign-in")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target string) {
		got := ownPath(target)
		led, err := base.Parse(got)
		if err != nil || led.Host != base.Host || led.Scheme != base.Scheme || !strings.HasPrefix(got, "/console/") || strings.ContainsAny(got, "\\\r\n") {
			t.Errorf("%q leads to %q", target, got)
		}
	})
}
