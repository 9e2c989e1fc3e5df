package web

import "net/http"

// SecretCookies says how cookies that hold a secret are kept: out of the reach of scripts and of other sites' forms. Secure, for an
// installation that is reached over TLS, also takes them from other hosts of the domain: a browser keeps a cookie whose name begins with
// __Host- only when this very host has set it, over TLS and for all of its paths (RFC 6265bis §4.1.3.2), so that no neighbour can plant
// a session. The price is that Path no longer limits who sees them, which never was a protection.
type SecretCookies struct {
	Secure bool
	Path   string // without Secure, e.g. "/kyc"
}

func (c SecretCookies) name(name string) string {
	if c.Secure {
		return "__Host-" + name
	}
	return name
}

// Get returns what the cookie holds, or "".
func (c SecretCookies) Get(r *http.Request, name string) string {
	cookie, err := r.Cookie(c.name(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Set keeps a value in the browser. A lifetime of zero seconds means until the browser is closed; a negative one removes it.
func (c SecretCookies) Set(w http.ResponseWriter, name, value string, seconds int) {
	path := c.Path
	if c.Secure {
		path = "/"
	}
	http.SetCookie(w, &http.Cookie{
		Name: c.name(name), Value: value, Path: path, MaxAge: seconds, HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode,
	})
}
