package portal

import (
	"net/http"
	"sync"

	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/problem"
)

// atMost lets a client through as often as the throttle allows.
func (p *portal) atMost(throttle *web.Throttle, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if throttle.Allow(r) {
			next(w, r)
			return
		}
		w.Header().Set("Retry-After", "60")
		p.fail(w, r, p.anonymous(w, r), problem.New(problem.TooMany, "too_many_tries", "too many tries from this network; wait a minute"))
	}
}

// inFlight counts what the accounts are sending at this moment. The zero value is ready to use.
type inFlight struct {
	mutex  sync.Mutex
	counts map[string]int // by account
}

// begin takes a place for the account, and says whether there was one; end gives it back.
func (f *inFlight) begin(accountID string) (end func(), ok bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.counts[accountID] >= maxUploads {
		return nil, false
	}
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[accountID]++
	return func() {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		if f.counts[accountID]--; f.counts[accountID] == 0 {
			delete(f.counts, accountID)
		}
	}, true
}

func tooManyUploads() error {
	return &problem.Problem{Kind: problem.TooMany, Code: "too_many_uploads", Field: "file", Message: "wait until the others have arrived"}
}
