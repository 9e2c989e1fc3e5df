package netguard_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/netguard"
	"github.com/probity/probity/internal/standard/problem"
)

func TestCheckAddress(t *testing.T) {
	tests := []struct {
		name    string
		rules   netguard.Rules
		address string
		allowed bool
	}{
		{"a public IPv4 address is allowed", netguard.Rules{}, "93.184.216.34", true},
		{"a public IPv6 address is allowed", netguard.Rules{}, "2606:4700::6810:84e5", true},
		{"loopback is refused", netguard.Rules{}, "127.0.0.1", false},
		{"loopback of IPv6 is refused", netguard.Rules{}, "::1", false},
		{"any of 127/8 is refused", netguard.Rules{}, "127.99.0.1", false},
		{"loopback in an IPv6 coat is refused", netguard.Rules{}, "::ffff:127.0.0.1", false},
		{"an IPv4-compatible address is refused", netguard.Rules{}, "::127.0.0.1", false},
		{"the unspecified address is refused", netguard.Rules{}, "0.0.0.0", false},
		{"the unspecified IPv6 address is refused", netguard.Rules{}, "::", false},
		{"private 10/8 is refused", netguard.Rules{}, "10.1.2.3", false},
		{"private 172.16/12 is refused", netguard.Rules{}, "172.31.255.255", false},
		{"the address after 172.16/12 is allowed", netguard.Rules{}, "172.32.0.1", true},
		{"private 192.168/16 is refused", netguard.Rules{}, "192.168.1.1", false},
		{"a private address in an IPv6 coat is refused", netguard.Rules{}, "::ffff:10.0.0.1", false},
		{"the cloud metadata address is refused", netguard.Rules{}, "169.254.169.254", false},
		{"link-local with a zone is refused", netguard.Rules{}, "fe80::1%eth0", false},
		{"unique local is refused", netguard.Rules{}, "fd00:ec2::254", false},
		{"carrier-grade NAT is refused", netguard.Rules{}, "100.100.100.200", false},
		{"multicast is refused", netguard.Rules{}, "224.0.0.1", false},
		{"IPv6 multicast is refused", netguard.Rules{}, "ff02::1", false},
		{"broadcast is refused", netguard.Rules{}, "255.255.255.255", false},
		{"NAT64 of a private address is refused", netguard.Rules{}, "64:ff9b::10.0.0.1", false},
		{"6to4 is refused", netguard.Rules{}, "2002:7f00:1::", false},
		{"Teredo is refused", netguard.Rules{}, "2001:0:4136:e378::1", false},
		{"benchmarking is refused", netguard.Rules{}, "198.19.0.1", false},
		{"loopback is allowed when asked for", netguard.Rules{AllowLoopback: true}, "127.0.0.1", true},
		{"mapped loopback is allowed when asked for", netguard.Rules{AllowLoopback: true}, "::ffff:127.0.0.1", true},
		{"allowing loopback allows nothing else", netguard.Rules{AllowLoopback: true}, "10.0.0.1", false},
		{"a network on the list is allowed", netguard.Rules{Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}}, "10.20.3.4", true},
		{"its neighbour is not", netguard.Rules{Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}}, "10.21.3.4", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.rules.CheckAddress(netip.MustParseAddr(test.address))
			if got, want := err == nil, test.allowed; got != want {
				t.Errorf("allowed: got %v, want %v", got, want)
			}
			if err != nil && !errors.Is(err, netguard.ErrRefusedAddress) {
				t.Errorf("got error %v, want ErrRefusedAddress", err)
			}
		})
	}
	t.Run("the invalid address is refused", func(t *testing.T) {
		if err := (netguard.Rules{}).CheckAddress(netip.Addr{}); err == nil {
			t.Error("got no error")
		}
	})
}

func TestCheckURL(t *testing.T) {
	local := netguard.Rules{AllowLoopback: true}
	inside := netguard.Rules{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	tests := []struct {
		name     string
		rules    netguard.Rules
		url      string
		accepted bool
	}{
		{"https with a name is accepted", netguard.Rules{}, "https://example.com/hooks?tenant=1", true},
		{"plain http is refused", netguard.Rules{}, "http://example.com/hooks", false},
		{"plain http to this machine is accepted when loopback is", local, "http://localhost:8080/connector", true},
		{"plain http to 127.0.0.1 is accepted when loopback is", local, "http://127.0.0.1:8080/", true},
		{"plain http to this machine is refused otherwise", netguard.Rules{}, "http://localhost:8080/", false},
		{"plain http elsewhere is refused even when loopback is allowed", local, "http://example.com/", false},
		{"plain http to an allowed network is accepted", inside, "http://10.0.0.5:9000/hook", true},
		{"this machine by its name is refused", netguard.Rules{}, "https://localhost/hooks", false},
		{"a port is accepted", netguard.Rules{}, "https://example.com:8443/hooks", true},
		{"a port that does not exist is refused", netguard.Rules{}, "https://example.com:99999/hooks", false},
		{"a private literal is refused", netguard.Rules{}, "https://192.168.1.1/", false},
		{"a mapped private literal is refused", netguard.Rules{}, "https://[::ffff:192.168.1.1]/", false},
		{"credentials are refused", netguard.Rules{}, "https://user:secret@example.com/", false},
		{"a fragment is refused", netguard.Rules{}, "https://example.com/#x", false},
		{"another scheme is refused", netguard.Rules{}, "ftp://example.com/", false},
		{"a file is refused", netguard.Rules{}, "file:///etc/passwd", false},
		{"a relative reference is refused", netguard.Rules{}, "/hooks", false},
		{"nothing is refused", netguard.Rules{}, "", false},
		{"an endless URL is refused", netguard.Rules{}, "https://example.com/" + strings.Repeat("a", 3000), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.rules.CheckURL("url", test.url)
			if got, want := err == nil, test.accepted; got != want {
				t.Fatalf("accepted: got %v (%v), want %v", got, err, want)
			}
			if err == nil {
				return
			}
			if p := problem.As(err); p == nil || p.Kind != problem.Invalid || p.Field != "url" {
				t.Errorf("got %#v, want a problem of kind Invalid for the field url", err)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error repeats the value: %v", err)
			}
		})
	}
}

func get(t *testing.T, client *netguard.Client, url string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err == nil {
		t.Cleanup(func() { _ = response.Body.Close() })
	}
	return response, err
}

func TestClient(t *testing.T) {
	var reached int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/stall":
			<-r.Context().Done()
		default:
			_, _ = io.WriteString(w, strings.Repeat("x", 100))
		}
	}))
	defer server.Close()
	local := netguard.Rules{AllowLoopback: true}

	t.Run("loopback is refused before a connection is made", func(t *testing.T) {
		reached = 0
		_, err := get(t, netguard.NewClient(netguard.Options{}), server.URL)
		if !errors.Is(err, netguard.ErrRefusedAddress) || reached != 0 {
			t.Errorf("got error %v after %d requests, want ErrRefusedAddress after none", err, reached)
		}
	})
	t.Run("a name that resolves to loopback is refused", func(t *testing.T) {
		byName := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
		if _, err := get(t, netguard.NewClient(netguard.Options{}), byName); !errors.Is(err, netguard.ErrRefusedAddress) {
			t.Errorf("got %v, want ErrRefusedAddress", err)
		}
	})
	t.Run("a redirect is returned, not followed", func(t *testing.T) {
		reached = 0
		response, err := get(t, netguard.NewClient(netguard.Options{Rules: local}), server.URL+"/redirect")
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusFound || reached != 1 {
			t.Errorf("got status %d after %d requests, want 302 after 1", response.StatusCode, reached)
		}
	})
	t.Run("a body of exactly the limit is read whole", func(t *testing.T) {
		response, err := get(t, netguard.NewClient(netguard.Options{Rules: local, MaxResponseBytes: 100}), server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || len(body) != 100 {
			t.Errorf("got %d bytes and error %v, want 100 and none", len(body), err)
		}
	})
	t.Run("a body over the limit is cut and says so", func(t *testing.T) {
		response, err := get(t, netguard.NewClient(netguard.Options{Rules: local, MaxResponseBytes: 99}), server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); !errors.Is(err, netguard.ErrResponseTooLarge) || len(body) != 99 {
			t.Errorf("got %d bytes and error %v, want 99 and ErrResponseTooLarge", len(body), err)
		}
	})
	t.Run("a server that never answers runs into the timeout", func(t *testing.T) {
		_, err := get(t, netguard.NewClient(netguard.Options{Rules: local, Timeout: 30 * time.Millisecond}), server.URL+"/stall")
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v, want a timeout", err)
		}
	})
}
