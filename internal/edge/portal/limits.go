package portal

import (
	"context"
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

// inFlight bounds what each account has on its way at once. It is safe for concurrent use.
type inFlight struct {
	limit  int
	mutex  sync.Mutex
	places map[string]*places // by account
}

// places are those of one account.
type places struct {
	taken chan struct{} // as many as are taken
	users int           // who have one or wait for one
}

func (f *inFlight) of(accountID string) *places {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.places == nil {
		f.places = map[string]*places{}
	}
	p := f.places[accountID]
	if p == nil {
		p = &places{taken: make(chan struct{}, f.limit)}
		f.places[accountID] = p
	}
	p.users++
	return p
}

func (f *inFlight) leave(accountID string, p *places) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if p.users--; p.users == 0 {
		delete(f.places, accountID)
	}
}

// begin takes a place for the account if one is free, and says whether; end gives it back.
func (f *inFlight) begin(accountID string) (end func(), free bool) {
	p := f.of(accountID)
	select {
	case p.taken <- struct{}{}:
		return func() { <-p.taken; f.leave(accountID, p) }, true
	default:
		f.leave(accountID, p)
		return nil, false
	}
}

// wait takes a place for the account when one is free. Its error is that of ctx.
func (f *inFlight) wait(ctx context.Context, accountID string) (end func(), err error) {
	p := f.of(accountID)
	select {
	case p.taken <- struct{}{}:
		return func() { <-p.taken; f.leave(accountID, p) }, nil
	case <-ctx.Done():
		f.leave(accountID, p)
		return nil, ctx.Err()
	}
}

func tooManyUploads() error {
	return &problem.Problem{Kind: problem.TooMany, Code: "too_many_uploads", Field: "file", Message: "wait until the others have arrived"}
}
