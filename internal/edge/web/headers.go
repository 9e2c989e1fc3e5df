package web

import (
	"mime"
	"net/http"
)

// contentPolicy is the content security policy of every page: everything from here, nothing inline, never in a foreign frame.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
	"font-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"

// SecurityHeaders sets the headers of a dynamic page before next runs; next may replace them for its own answer.
//
// The referrer policy is same-origin and not no-referrer: under the latter browsers send "Origin: null" with our own forms,
// which RefuseCrossOrigin could not tell from a foreign one on an installation without TLS.
func SecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		header.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// RefuseCrossOrigin answers 403 to a request that changes something and that a browser sent from another site (Fetch metadata,
// else Origin against Host). Reads and clients that are not browsers pass.
func RefuseCrossOrigin(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(next)
}

// AttachmentHeaders replaces the headers for an answer that is the bytes of an attachment shown inside our own page: it may be
// framed by us, is never cached, and is displayed or, with a file name, offered under it. contentType must be one that we stored,
// never one that a submitter claimed.
func AttachmentHeaders(w http.ResponseWriter, contentType, name string) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	// The browser's own PDF viewer styles and embeds itself under this policy; scripts of the page are not among what it allows.
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; img-src 'self' data:; frame-ancestors 'self'")
	disposition := "inline"
	if name != "" {
		disposition = mime.FormatMediaType("inline", map[string]string{"filename": name})
	}
	header.Set("Content-Disposition", disposition)
}

// MailHeaders replaces the headers for an answer that is the HTML of a mail, shown in a frame of the mailbox page: inline styles
// as mails have them, no script, no request to anywhere, and an origin of its own. Links may open the top window.
func MailHeaders(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "+
		"base-uri 'none'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation")
}
