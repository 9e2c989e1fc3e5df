// Package publication is the life of a payment policy: a version is drafted, proposed by one person, approved by a second, prepared
// until its aggregates are complete, live, and retired. What a policy says is a text to this package; internal/domain/risk reads it.
package publication

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// State is where a version stands. The zero value is invalid and never stored.
type State string

// The states.
const (
	Draft     State = "draft"     // can be edited; decides nothing
	Proposed  State = "proposed"  // waits for a second person
	Preparing State = "preparing" // approved; waits for its aggregates, and for its effective instant
	Live      State = "live"      // decides; a tenant has one at most
	Retired   State = "retired"   // decided once; can be rolled back to
	Withdrawn State = "withdrawn" // given up before it decided anything
)

// Valid reports whether s can be stored.
func (s State) Valid() bool {
	switch s {
	case Draft, Proposed, Preparing, Live, Retired, Withdrawn:
		return true
	default:
		return false
	}
}

// Version is one version of a tenant's payment policy. The version that ships with Probity, or with the installation, is number 0 of every
// tenant and has no record.
type Version struct {
	ID       string
	TenantID string
	Number   int64 // 1, 2, 3 … in the order of drafting
	State    State
	Revision int64 // of the record; every change makes a new one

	PolicyID      string // "policy" in the text
	PolicyVersion string // "version" in the text; with PolicyID it names what a payment was decided by
	Text          string // YAML, as written
	Digest        string // SHA-256 of the text, in hexadecimal
	Note          string // why it was made, for colleagues

	DraftedBy  string   // who wrote the text that stands: a key or a member of staff
	Editors    []string // everybody who ever wrote in the draft, the first one first
	ProposedBy string
	ApprovedBy string

	CreatedAt   time.Time
	ProposedAt  time.Time
	EffectiveAt time.Time // decides from this instant, or from when it is prepared, whichever is later; zero before it is proposed
	ApprovedAt  time.Time
	PreparedAt  time.Time // when everything that it reads was complete
	LiveAt      time.Time // when it last began to decide
	RetiredAt   time.Time // when it last ceased to
	// RollbackReason is why it last returned or ceased by a rollback; empty when it never did.
	RollbackReason string

	// Done of Total steps of the preparation are made; both are 0 while there is nothing to prepare or it has not begun.
	Done, Total int64
}

// The bounds of what people write about a version.
const (
	MaxNote   = 2000 // characters
	MaxReason = 2000
	MaxDrafts = 100 // of one tenant at a time: each may be a megabyte
)

// Content is what a draft holds, after the text was compiled.
type Content struct {
	PolicyID      string
	PolicyVersion string
	Text          string
	Note          string
}

// Digest returns the SHA-256 of a policy's text, in hexadecimal.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Start returns a new draft.
func Start(id string, number int64, c Content, by access.Actor, now time.Time) (Version, []journal.Draft) {
	v := Version{ID: id, TenantID: by.TenantID, Number: number, State: Draft, Revision: 1, CreatedAt: now}
	v = v.filled(c, by)
	return v, v.said(journal.PolicyDrafted, "sha256", v.Digest)
}

func (v Version) filled(c Content, by access.Actor) Version {
	v.PolicyID, v.PolicyVersion, v.Text, v.Note = c.PolicyID, c.PolicyVersion, c.Text, c.Note
	v.Digest, v.DraftedBy = Digest(c.Text), by.ID
	if !slices.Contains(v.Editors, by.ID) {
		v.Editors = append(slices.Clip(v.Editors), by.ID)
	}
	return v
}

// said is a journal entry about the version.
func (v Version) said(t journal.EventType, pairs ...string) []journal.Draft {
	pairs = append([]string{"number", strconv.FormatInt(v.Number, 10), "policy_version", v.PolicyVersion}, pairs...)
	return []journal.Draft{journal.Of(t, v.ID, "", pairs...)}
}

// Edit replaces what a draft holds.
func (v Version) Edit(c Content, by access.Actor) (Version, []journal.Draft, error) {
	if v.State != Draft {
		return v, nil, v.wrong("only a draft can be edited; make a new draft from this version")
	}
	v = v.filled(c, by)
	v.Revision++
	return v, v.said(journal.PolicyEdited, "sha256", v.Digest), nil
}

// Propose asks a second person to publish the draft. A zero effective instant means as soon as it is ready.
func (v Version) Propose(by access.Actor, effectiveAt, now time.Time) (Version, []journal.Draft, error) {
	if v.State != Draft {
		return v, nil, v.wrong("only a draft can be proposed")
	}
	if by.Kind != access.Staff {
		return v, nil, problem.New(problem.Forbidden, "person_required", "a policy is proposed by a person, not by a key")
	}
	if effectiveAt.After(now.Add(maxAhead)) {
		return v, nil, problem.Field("effective_at", "out_of_range", "effective_at may lie at most 400 days ahead")
	}
	if effectiveAt.Before(now) {
		effectiveAt = now
	}
	v.State, v.ProposedBy, v.ProposedAt, v.EffectiveAt = Proposed, by.ID, now, effectiveAt
	v.Revision++
	return v, v.said(journal.PolicyProposed, "effective_at", effectiveAt.UTC().Format(time.RFC3339)), nil
}

// maxAhead is how far ahead a version can be scheduled.
const maxAhead = 400 * 24 * time.Hour

// Approve is the second person's yes. Whoever proposed it or ever wrote in it can't give it, unless the tenant lets one person publish alone.
func (v Version) Approve(by access.Actor, alone bool, now time.Time) (Version, []journal.Draft, error) {
	if v.State != Proposed {
		return v, nil, v.wrong("only a proposed version can be approved")
	}
	if by.Kind != access.Staff {
		return v, nil, problem.New(problem.Forbidden, "person_required", "a policy is approved by a person, not by a key")
	}
	if !alone && (by.ID == v.ProposedBy || slices.Contains(v.Editors, by.ID)) {
		return v, nil, problem.New(problem.Forbidden, "second_person_required",
			"a policy is published by a second person: a colleague who neither wrote nor proposed this version approves it")
	}
	v.State, v.ApprovedBy, v.ApprovedAt = Preparing, by.ID, now
	v.Revision++
	return v, v.said(journal.PolicyApproved, "proposed_by", v.ProposedBy, "drafted_by", v.DraftedBy), nil
}

// Progress notes how far the preparation is; it is finished when all steps are made. It reports whether that changed anything. It makes no
// new revision: nobody's decision about the version depends on it.
func (v Version) Progress(done, total int64, finished bool, now time.Time) (Version, bool) {
	if v.State != Preparing || !v.PreparedAt.IsZero() || (v.Done == done && v.Total == total && !finished) {
		return v, false
	}
	v.Done, v.Total = done, total
	if finished {
		v.PreparedAt = now
	}
	return v, true
}

// Ready reports whether an approved version may begin to decide at the instant.
func (v Version) Ready(now time.Time) bool {
	return v.State == Preparing && !v.PreparedAt.IsZero() && !now.Before(v.EffectiveAt)
}

// Publish lets the version decide from now on.
func (v Version) Publish(now time.Time) (Version, []journal.Draft, error) {
	if !v.Ready(now) {
		return v, nil, v.wrong("only a version that is approved, prepared and due can go live")
	}
	v.State, v.LiveAt = Live, now
	v.Revision++
	return v, v.said(journal.PolicyPublished, "sha256", v.Digest), nil
}

// Retire ends the time in which the version decides.
// The reason is that of a rollback, and empty when another version was published.
func (v Version) Retire(reason string, now time.Time) (Version, []journal.Draft, error) {
	if v.State != Live {
		return v, nil, v.wrong("only the live version can be retired")
	}
	v.State, v.RetiredAt, v.RollbackReason = Retired, now, reason
	v.Revision++
	return v, v.said(journal.PolicyRetired), nil
}

// Return makes a retired version live again.
func (v Version) Return(reason string, now time.Time) (Version, []journal.Draft, error) {
	if v.State != Retired {
		return v, nil, v.wrong("only a version that was live before can be rolled back to")
	}
	v.State, v.LiveAt, v.RetiredAt, v.RollbackReason = Live, now, time.Time{}, reason
	v.Revision++
	return v, v.said(journal.PolicyPublished, "sha256", v.Digest), nil
}

// Withdraw gives a version up that has not decided anything.
func (v Version) Withdraw() (Version, []journal.Draft, error) {
	if v.State != Draft && v.State != Proposed && v.State != Preparing {
		return v, nil, v.wrong("only a version that was never live can be withdrawn; roll back to another one instead")
	}
	v.State = Withdrawn
	v.Revision++
	return v, v.said(journal.PolicyWithdrawn), nil
}

// ProposedAlready reports whether the step that the actor asks for was made by them: a button was pressed twice.
func (v Version) ProposedAlready(by access.Actor) bool {
	return v.State == Proposed && v.ProposedBy == by.ID
}

// ApprovedAlready is ProposedAlready for the second person's yes.
func (v Version) ApprovedAlready(by access.Actor) bool {
	return (v.State == Preparing || v.State == Live) && v.ApprovedBy == by.ID
}

// CheckRevision returns a conflict when another revision stands than the caller saw; 0 means whatever stands.
func (v Version) CheckRevision(expected int64) error {
	if expected == 0 || expected == v.Revision {
		return nil
	}
	return problem.New(problem.Conflict, "policy_changed", "this version changed since you looked; look at it again and repeat")
}

func (v Version) wrong(message string) error {
	return problem.New(problem.Conflict, "policy_state", message)
}

// Settings is what a tenant decides about its decisions. The zero value, with the tenant's id, is what a tenant begins with.
type Settings struct {
	TenantID  string
	Epoch     int64  // grows with every change of what decides: policy, these settings
	ListEpoch int64  // grows with every change of an entry of a list
	LiveID    string // the live version; empty for number 0
	OnePerson bool   // one person may publish alone; for demos
	Budget    Budget
}

// Budget is how long the rules of one payment may take. The zero value is no limit.
type Budget struct {
	Limit time.Duration
	// FailClosed rejects a payment whose rules take longer; otherwise the rules that are left are skipped. Neither ever skips a restriction.
	FailClosed bool
}

// MaxBudget is the longest budget that can be set.
const MaxBudget = time.Second

// Check returns the first rule that the settings break.
func (s Settings) Check() error {
	if s.Budget.Limit < 0 || s.Budget.Limit > MaxBudget {
		return problem.Field("budget_ms", "out_of_range", "the budget of one decision is from 0 (no limit) to 1000 milliseconds")
	}
	return nil
}
