package web

import "net/http"

const flashCookie = "probity_flash"

// SetFlash leaves a message for the page that the browser is about to be redirected to. It carries only the catalog key of the
// message, so that nobody can plant words of their own, and no personal data sits in a cookie. path limits who sees it: "/kyc".
func SetFlash(w http.ResponseWriter, path, key string) {
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Value: key, Path: path, MaxAge: 60,
		HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// TakeFlash returns the catalog key that SetFlash left, or "", and removes it. The caller asks its catalog whether it Has the
// key before showing it. A request of upload.js leaves it in place, because the page itself is asked for once more after it.
func TakeFlash(w http.ResponseWriter, r *http.Request, path string) string {
	cookie, err := r.Cookie(flashCookie)
	if err != nil || !validKey(cookie.Value) {
		return ""
	}
	if r.Header.Get("X-Probity-Upload") != "" {
		return cookie.Value
	}
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Path: path, MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return cookie.Value
}

// validKey reports whether s looks like a catalog key.
func validKey(s string) bool {
	if s == "" || len(s) > 80 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-' {
			return false
		}
	}
	return true
}
