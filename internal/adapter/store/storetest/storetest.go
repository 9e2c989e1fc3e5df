// Package storetest is the contract of internal/adapter/store as tests that every database must pass.
package storetest

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// Run runs the whole contract. address returns the address of a new, empty database that is gone when the test ends.
func Run(t *testing.T, address func(testing.TB) string) {
	for _, test := range []struct {
		name string
		run  func(*world)
	}{
		{"a transaction has one instant, and the next another", oneInstant},
		{"a rollback leaves nothing: no row, no entry, no job, no hook", rollbackLeavesNothing},
		{"a panic rolls back and gives the connection back", panicRollsBack},
		{"a joined transaction shares everything, and its failure fails the outer", joins},
		{"a read sees one state and changes nothing", readsAreReads},
		{"an SQL error that is swallowed still rolls back", poisoned},
		{"a change needs an actor of the tenant and a journal entry", needsEntry},
		{"the hook for workers fires after commits that enqueued a job", wakes},
		{"one transaction at a time holds an account", accountLock},
		{"text that a database cannot keep is refused", refusesBrokenText},
		{"every record comes back as it was written", roundTrips},
		{"no record of one tenant is found by another", tenantsApart},
		{"of two changes from the same version one is refused", compareAndSet},
		{"a change in the name of another tenant is refused", foreignChanges},
		{"the second of a kind is refused where one only may be", uniqueness},
		{"an empty or unknown status is never stored", statusChecks},
		{"restrictions stand until lifted", restrictions},
		{"a default payment method takes the place of the one before", defaultMethod},
		{"retry grants are open until used or expired", retryGrants},
		{"an account's enforcement begins with none, and only the latest acknowledgement counts", enforcements},
		{"cases are listed by due time and counted", caseLists},
		{"notices that bounced and were not received are listed", undelivered},
		{"pages are complete and stable while items are added", pages},
		{"lists keep to their filters", filters},
		{"the journal has no gaps under concurrent writers", journalGapless},
		{"the journal is told by account and by object, newest first", journalOf},
		{"webhook jobs go to the endpoints that want the type", fanOut},
		{"a job is claimed once by concurrent workers, and again after its lease", claimOnce},
		{"a job is due by business time, earliest first", jobsDue},
		{"a lane claims jobs of its own kinds only", claimKinds},
		{"a job ends in the transaction of its effect, or not at all", completeJob},
		{"a job is retried, buried and counted", retryAndBury},
		{"a pending job's key keeps others of its tenant away", jobKeys},
		{"an idempotency key has one answer until it expires", idempotency},
		{"sign-in records: links once, sessions until revoked, guesses all counted", signIn},
		{"the decision log keeps what was decided, in its order, and the keys it came with", decisionLog},
		{"a decision finds an account as it is, whatever was kept of it before", payersAreCurrent},
		{"profile and tail are the whole of the log, whatever fails", profilesFollowTheLog},
		{"one transaction at a time decides about an account", keptOut},
		{"accounts and payment methods are held many at a time", heldAccounts},
		{"a part of a transaction fails by itself", nested},
		{"settings are the latest saved", settings},
		{"versions of a policy: one live, each name once, each change from the revision before", policyVersions},
		{"what decides changes under an epoch that no two changes share", riskSettings},
		{"lists hold each value once, until it is removed or has expired", valueLists},
		{"findings are in order, of one tenant, and end a held payment once", findings},
		{"hits of rules add up", ruleHits},
		{"a snapshot is found when it is whole, and older ones go", snapshots},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(newWorld(t, address(t))) })
	}
}

// start is the business time at which the worlds of the tests begin.
var start = time.Date(2026, 3, 2, 9, 0, 0, 123456000, time.UTC)

// world is a store with a clock that the test moves. Business time goes on by a second each time it is asked for; wall time stands.
type world struct {
	*testing.T
	store *store.Store
	mu    sync.Mutex
	now   time.Time
	wall  time.Time
	woken int
	made  int
}

func newWorld(t *testing.T, address string) *world {
	w := &world{T: t, now: start, wall: start}
	var err error
	w.store, err = store.Open(t.Context(), store.Config{DSN: address, Now: w.tick, Wall: w.readWall, Wake: w.wake})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := w.store.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return w
}

func (w *world) tick() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Second)
	return w.now
}

func (w *world) readWall() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wall
}

func (w *world) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.woken++
}

// advance moves both times.
func (w *world) advance(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now, w.wall = w.now.Add(by), w.wall.Add(by)
}

// name returns an identifier that was not used in this world.
func (w *world) name(prefix string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	return fmt.Sprintf("%s_%06d", prefix, w.made)
}

// try runs fn in a transaction and returns its error.
func (w *world) try(fn func(tx *store.Tx) error) error {
	return w.store.Write(w.Context(), func(_ context.Context, tx *store.Tx) error { return fn(tx) })
}

// write runs fn in a transaction that must commit.
func (w *world) write(fn func(tx *store.Tx) error) {
	w.Helper()
	if err := w.try(fn); err != nil {
		w.Fatalf("write: %v", err)
	}
}

// read runs fn in a read that must succeed.
func (w *world) read(fn func(tx *store.Tx) error) {
	w.Helper()
	if err := w.store.Read(w.Context(), func(_ context.Context, tx *store.Tx) error { return fn(tx) }); err != nil {
		w.Fatalf("read: %v", err)
	}
}

// wantCode fails unless err is a problem with the kind and code.
func (w *world) wantCode(what string, err error, kind problem.Kind, code string) {
	w.Helper()
	if p := problem.As(err); p == nil || p.Kind != kind || p.Code != code {
		w.Errorf("%s: got error %v, want problem %d %s", what, err, kind, code)
	}
}

// same fails unless both are equal.
func (w *world) same(what string, got, want any) {
	w.Helper()
	if !reflect.DeepEqual(got, want) {
		w.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// journalLength returns how many entries a tenant's journal has.
func (w *world) journalLength(tenantID string) int64 {
	w.Helper()
	var length int64
	w.read(func(tx *store.Tx) error {
		t, err := tx.Tenant(tenantID)
		length = t.JournalLength
		return err
	})
	return length
}

// countJobs returns how many jobs are pending and dead.
func (w *world) countJobs() (pending, dead int) {
	w.Helper()
	pending, dead, err := w.store.CountJobs(w.Context())
	if err != nil {
		w.Fatalf("count jobs: %v", err)
	}
	return pending, dead
}

// of returns the system acting for a tenant.
func of(tenantID string) access.Actor { return access.SystemActor(tenantID, "storetest") }

// said returns a journal entry about an object.
func said(t journal.EventType, objectID, accountID string) []journal.Draft {
	return []journal.Draft{journal.Of(t, objectID, accountID, "note", "told")}
}
