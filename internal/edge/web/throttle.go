package web

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// maxClients bounds how many clients a Throttle remembers.
const maxClients = 20_000

// Throttle bounds how often one client may ask for something that costs others: a mail, a slow hash, a guess at a code. It comes before
// the limits of each account, which a client that tries many accounts never meets. It is safe for concurrent use.
type Throttle struct {
	burst int
	every time.Duration
	now   func() time.Time

	mutex   sync.Mutex
	clients map[string]time.Time // when the client will have all of its tries again
}

// NewThrottle returns a throttle that allows burst tries at once, and one more after each every. now tells wall time.
func NewThrottle(burst int, every time.Duration, now func() time.Time) *Throttle {
	return &Throttle{burst: burst, every: every, now: now, clients: map[string]time.Time{}}
}

// Allow takes one try of the request's client, and reports whether there was one left. A client that cannot be told from others is
// never refused: on the machine itself, and behind a proxy there that does not say for whom it asks.
func (t *Throttle) Allow(r *http.Request) bool {
	client := clientOf(r)
	if client == "" {
		return true
	}
	now := t.now()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	full := t.clients[client]
	// A clock that was set back must not lock anybody out for longer than the tries take to come back.
	if latest := now.Add(time.Duration(t.burst) * t.every); full.Before(now) || full.After(latest) {
		full = now
	}
	full = full.Add(t.every)
	if full.Sub(now) > time.Duration(t.burst)*t.every {
		return false
	}
	if _, known := t.clients[client]; !known && len(t.clients) >= maxClients {
		t.makeRoom(now)
	}
	t.clients[client] = full
	return true
}

// makeRoom forgets the clients that have all of their tries again; when that is nobody, everybody.
func (t *Throttle) makeRoom(now time.Time) {
	for client, full := range t.clients {
		if !full.After(now) {
			delete(t.clients, client)
		}
	}
	if len(t.clients) >= maxClients {
		clear(t.clients)
	}
}

// clientOf names the client of a request: its IPv4 address, or the /64 network of its IPv6 address, because one customer has all of that.
// The connection's own address counts, unless it is one of the machine or of a private network: then a proxy stands there, and the
// last address of X-Forwarded-For, the one that the proxy added, is the client's. Everything before that address is the client's claim.
func clientOf(r *http.Request) string {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	address := remote.Addr().Unmap().WithZone("")
	if address.IsLoopback() || address.IsPrivate() {
		if forwarded, ok := lastForwarded(r.Header.Values("X-Forwarded-For")); ok {
			address = forwarded
		}
	}
	if address.IsLoopback() {
		return ""
	}
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}

func lastForwarded(headers []string) (netip.Addr, bool) {
	if len(headers) == 0 {
		return netip.Addr{}, false
	}
	last := headers[len(headers)-1]
	address, err := netip.ParseAddr(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]))
	return address.Unmap().WithZone(""), err == nil
}
