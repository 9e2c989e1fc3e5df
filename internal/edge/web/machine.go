package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// FromThisMachine reports whether the browser runs on this very machine: the connection comes from a loopback address, the address bar says so
// too (a foreign page that resolves its own name to 127.0.0.1 does not), and no proxy stands in between. A proxy that tells nothing of
// itself and writes its own Host is found out by what the browser says of the page that a form was on.
func FromThisMachine(r *http.Request) bool {
	for _, header := range []string{
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-Ip", "Forwarded", "Via", "Cf-Connecting-Ip", "True-Client-Ip",
	} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	for _, header := range []string{"Origin", "Referer"} {
		if page, err := url.Parse(r.Header.Get(header)); err != nil || page.Host != "" && !isLocalHost(page.Host) {
			return false
		}
	}
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !remote.Addr().Unmap().IsLoopback() {
		return false
	}
	return isLocalHost(r.Host)
}

// isLocalHost reports whether a host, with or without a port, is this machine's name for itself.
func isLocalHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}
