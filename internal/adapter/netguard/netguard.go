// Package netguard makes HTTP clients that are safe to point at an address that somebody else chose (a tenant's webhook endpoint or
// connector). The address is checked when the connection is dialled, after the name was resolved, so a name that resolves to the
// inside of our network, or does so only the second time, is refused (server-side request forgery, CWE-918). Redirects are never
// followed, no proxy is taken from the environment, times and sizes are bounded.
package netguard

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/probity/probity/internal/standard/problem"
)

// ErrRefusedAddress says that a name resolved to an address which these rules do not allow. Its text holds no address.
var ErrRefusedAddress = errors.New("the host resolves to an address that is not public; " +
	"to reach a private network on purpose, name it in the allow-list of networks")

// ErrResponseTooLarge says that a response body went past its limit; what was read before it is good.
var ErrResponseTooLarge = errors.New("the response body is over its limit")

// Rules say which addresses beyond the public internet may be reached. The zero value allows public addresses only.
type Rules struct {
	// AllowLoopback allows this machine itself, for the demo and for tests.
	AllowLoopback bool
	// Allow lists networks that are allowed although they are not public, e.g. 10.20.0.0/16 where the tenant's platform lives.
	Allow []netip.Prefix
}

// Options configure a Client. The zero value of each gets the default that its comment names.
type Options struct {
	Rules Rules
	// Timeout bounds the whole exchange, body included; default 20 s (Standard Webhooks: 15 to 30 s).
	Timeout time.Duration
	// MaxResponseBytes bounds a response body; default 64 KiB.
	MaxResponseBytes int64
}

const (
	defaultTimeout          = 20 * time.Second
	defaultMaxResponseBytes = 64 << 10
	maxResponseHeaderBytes  = 64 << 10
	dialTimeout             = 10 * time.Second
)

// Client sends requests under its Options. It is safe for concurrent use; make one with NewClient.
type Client struct {
	http  *http.Client
	limit int64
}

// NewClient returns a client that dials only what the rules allow.
func NewClient(options Options) *Client {
	if options.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	if options.MaxResponseBytes <= 0 {
		options.MaxResponseBytes = defaultMaxResponseBytes
	}
	dialer := &net.Dialer{Timeout: dialTimeout, ControlContext: options.Rules.control}
	transport := &http.Transport{
		Proxy:                  nil, // a proxy would dial for us, past the check
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        30 * time.Second,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // a compressed bomb would pass the limit on the wire
	}
	return &Client{
		http: &http.Client{
			Transport:     transport,
			Timeout:       options.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limit: options.MaxResponseBytes,
	}
}

// Do sends one request. A redirect comes back as the 3xx it is. The body returned reads at most MaxResponseBytes and then fails with
// ErrResponseTooLarge; the caller closes it. errors.Is(err, ErrRefusedAddress) holds when the rules refused the address. Errors of
// net/http hold the URL, which may be a secret: do not log them.
func (c *Client) Do(request *http.Request) (*http.Response, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	response.Body = &limitedBody{body: response.Body, left: c.limit}
	return response, nil
}

// CloseIdle closes connections that wait for another request.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

// control runs after resolution and before the connect system call, on the very address that is about to be used.
func (r Rules) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrRefusedAddress
	}
	return r.CheckAddress(target.Addr())
}

// CheckAddress returns ErrRefusedAddress unless the address is public or the rules allow it. IPv4 in an IPv6 coat is judged as the
// IPv4 address that it is.
func (r Rules) CheckAddress(address netip.Addr) error {
	address = address.WithZone("").Unmap()
	if r.AllowLoopback && address.IsLoopback() {
		return nil
	}
	if !r.onAllowList(address) && !isPublic(address) {
		return ErrRefusedAddress
	}
	return nil
}

// CheckURL returns a Problem for the field unless raw is an absolute URL that may be registered as a destination: https with a host
// and without credentials or a fragment. Plain http is accepted only for this machine when the rules allow loopback, and for an
// address literal on the allow-list. A host that is an address literal is checked here already; a name is checked when dialled.
func (r Rules) CheckURL(field, raw string) error {
	refuse := func(message string) error { return problem.Field(field, "url_not_accepted", message) }
	if len(raw) > 2048 {
		return refuse("a URL has at most 2048 characters")
	}
	target, err := url.Parse(raw)
	if err != nil || target.Hostname() == "" {
		return refuse("give an absolute URL such as https://example.com/webhooks")
	}
	if port := target.Port(); port != "" {
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			return refuse("a port is a number from 1 to 65535")
		}
	}
	if target.User != nil {
		return refuse("a URL here carries no user name or password; requests are signed instead")
	}
	if target.Fragment != "" {
		return refuse("a URL here has no #fragment")
	}
	address, notLiteral := netip.ParseAddr(target.Hostname())
	isLocal := r.AllowLoopback && (target.Hostname() == "localhost" || (notLiteral == nil && address.IsLoopback()))
	if target.Hostname() == "localhost" && !r.AllowLoopback {
		return refuse("this address is not public; use a public host name, or have the operator allow its network")
	}
	if notLiteral == nil && r.CheckAddress(address) != nil {
		return refuse("this address is not public; use a public host name, or have the operator allow its network")
	}
	switch strings.ToLower(target.Scheme) {
	case "https":
		return nil
	case "http":
		if isLocal || (notLiteral == nil && r.onAllowList(address)) {
			return nil
		}
	}
	return refuse("only https is accepted")
}

func (r Rules) onAllowList(address netip.Addr) bool {
	for _, network := range r.Allow {
		if network.Contains(address.WithZone("").Unmap()) {
			return true
		}
	}
	return false
}

// limitedBody fails with ErrResponseTooLarge where an io.LimitedReader would pretend that the body ended.
type limitedBody struct {
	body io.ReadCloser
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrResponseTooLarge
	}
	// One byte more than is left tells a body of exactly the limit from one over it.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), ErrResponseTooLarge
		b.left = -1
		return n, err
	}
	b.left -= int64(n)
	return n, err
}

func (b *limitedBody) Close() error { return b.body.Close() }
