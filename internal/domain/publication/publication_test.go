package publication

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/statedoc"
)

var (
	noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	ana  = access.Actor{Kind: access.Staff, TenantID: "ten_1", ID: "stf_ana", Role: access.Analyst}
	bo   = access.Actor{Kind: access.Staff, TenantID: "ten_1", ID: "stf_bo", Role: access.Analyst}
	key  = access.Actor{Kind: access.Key, TenantID: "ten_1", ID: "key_1"}
)

func drafted(by access.Actor) Version {
	v, _ := Start("pol_1", 1, Content{PolicyID: "default", PolicyVersion: "2", Text: "policy: default"}, by, noon)
	return v
}

func must[T any](t *testing.T) func(v Version, extra T, err error) Version {
	return func(v Version, _ T, err error) Version {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if p := problem.As(err); p == nil || p.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestAVersionGoesFromDraftToLiveAndBack(t *testing.T) {
	step := must[[]journal.Draft](t)
	v := drafted(ana)
	v = step(v.Edit(Content{PolicyID: "default", PolicyVersion: "3", Text: "policy: other"}, ana))
	if v.Digest != Digest("policy: other") || v.PolicyVersion != "3" || v.Revision != 2 {
		t.Errorf("got %+v", v)
	}
	later := noon.Add(time.Hour)
	v = step(v.Propose(ana, later, noon))
	v = step(v.Approve(bo, false, noon))
	if v.Ready(later) {
		t.Error("got a version ready that was not prepared")
	}
	v, changed := v.Progress(3, 9, false, noon)
	if !changed || v.Done != 3 || v.Total != 9 {
		t.Errorf("got %+v", v)
	}
	if _, changed := v.Progress(3, 9, false, noon); changed {
		t.Error("got a change from the same progress")
	}
	v, _ = v.Progress(9, 9, true, noon)
	if v.Ready(noon) || !v.Ready(later) {
		t.Errorf("got ready %v before the effective instant, %v at it", v.Ready(noon), v.Ready(later))
	}
	v = step(v.Publish(later))
	v = step(v.Retire("", later.Add(time.Hour)))
	v = step(v.Return("worse", later.Add(2*time.Hour)))
	if v.State != Live || !v.RetiredAt.IsZero() || v.LiveAt != later.Add(2*time.Hour) {
		t.Errorf("got %+v", v)
	}
}

func TestPublishingTakesTwoPeople(t *testing.T) {
	step := must[[]journal.Draft](t)
	for _, c := range []struct {
		name              string
		drafts            access.Actor
		proposes, approve access.Actor
		alone             bool
		code              string
	}{
		{"one writes and proposes, another approves", ana, ana, bo, false, ""},
		{"a key writes, one proposes, another approves", key, ana, bo, false, ""},
		{"nobody approves what they proposed", key, ana, ana, false, "second_person_required"},
		{"nobody approves what they wrote", ana, bo, ana, false, "second_person_required"},
		{"one person alone where the tenant allows it", ana, ana, ana, true, ""},
		{"a key approves nothing", ana, ana, key, false, "person_required"},
		{"a key approves nothing where one person is enough either", ana, ana, key, true, "person_required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := step(drafted(c.drafts).Propose(c.proposes, time.Time{}, noon))
			_, _, err := v.Approve(c.approve, c.alone, noon)
			if c.code != "" {
				wantCode(t, err, c.code)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	_, _, err := drafted(key).Propose(key, time.Time{}, noon)
	wantCode(t, err, "person_required")
}

func TestWhatCannotBeProposed(t *testing.T) {
	_, _, err := drafted(ana).Propose(ana, noon.Add(401*24*time.Hour), noon)
	wantCode(t, err, "out_of_range")
	v, _, err := drafted(ana).Propose(ana, noon.Add(-time.Hour), noon)
	if err != nil || v.EffectiveAt != noon {
		t.Errorf("got %v %v, want an instant that has passed to mean now", v.EffectiveAt, err)
	}
}

// moves are all that can happen to a version.
var moves = map[string]func(v Version) (Version, []journal.Draft, error){
	"edit":     func(v Version) (Version, []journal.Draft, error) { return v.Edit(Content{Text: "x"}, ana) },
	"propose":  func(v Version) (Version, []journal.Draft, error) { return v.Propose(ana, time.Time{}, noon) },
	"approve":  func(v Version) (Version, []journal.Draft, error) { return v.Approve(bo, false, noon) },
	"publish":  func(v Version) (Version, []journal.Draft, error) { return v.Publish(noon) },
	"retire":   func(v Version) (Version, []journal.Draft, error) { return v.Retire("", noon) },
	"return":   func(v Version) (Version, []journal.Draft, error) { return v.Return("worse", noon) },
	"withdraw": func(v Version) (Version, []journal.Draft, error) { return v.Withdraw() },
}

// allowed says from which states each move leads to which.
var allowed = map[string]map[State]State{
	"edit":     {Draft: Draft},
	"propose":  {Draft: Proposed},
	"approve":  {Proposed: Preparing},
	"publish":  {Preparing: Live},
	"retire":   {Live: Retired},
	"return":   {Retired: Live},
	"withdraw": {Draft: Withdrawn, Proposed: Withdrawn, Preparing: Withdrawn},
}

func TestEveryMoveFromEveryState(t *testing.T) {
	for name, move := range moves {
		for _, from := range []State{Draft, Proposed, Preparing, Live, Retired, Withdrawn} {
			v := drafted(ana)
			v.State, v.ProposedBy, v.EffectiveAt, v.PreparedAt = from, ana.ID, noon, noon
			out, drafts, err := move(v)
			to, may := allowed[name][from]
			if !may {
				wantCode(t, err, "policy_state")
				if !reflect.DeepEqual(out, v) || drafts != nil {
					t.Errorf("%s from %s was refused and changed something", name, from)
				}
				continue
			}
			if err != nil || out.State != to || out.Revision != v.Revision+1 || len(drafts) != 1 {
				t.Errorf("%s from %s: got %s, revision %d, %d entries, %v; want %s", name, from, out.State, out.Revision, len(drafts), err, to)
			}
		}
	}
}

func TestNoSequenceOfMovesSkipsTheSecondPerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drafted(ana)
		for range rapid.IntRange(1, 30).Draw(t, "moves") {
			name := rapid.SampledFrom([]string{"edit", "propose", "approve", "publish", "retire", "return", "withdraw", "progress"}).Draw(t, "move")
			if name == "progress" {
				v, _ = v.Progress(1, 1, rapid.Bool().Draw(t, "finished"), noon)
				continue
			}
			v, _, _ = moves[name](v)
			if !v.State.Valid() || (v.State == Live && (v.ApprovedBy == "" || v.ApprovedBy == v.ProposedBy || v.PreparedAt.IsZero())) {
				t.Fatalf("got %+v", v)
			}
		}
	})
}

func TestSettings(t *testing.T) {
	if err := (Settings{}).Check(); err != nil {
		t.Error(err)
	}
	wantCode(t, Settings{Budget: Budget{Limit: 2 * time.Second}}.Check(), "out_of_range")
	wantCode(t, Settings{Budget: Budget{Limit: -1}}.Check(), "out_of_range")
	wantCode(t, drafted(ana).CheckRevision(7), "policy_changed")
}

func TestThePolicyPageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "policy")
	types := func(drafts []journal.Draft) []string {
		var out []string
		for _, draft := range drafts {
			out = append(out, string(draft.Type))
		}
		return out
	}
	v, drafts := Start("pol_1", 1, Content{}, ana, noon)
	seen := []string{statedoc.Seen(statedoc.Start, string(v.State), "Start", types(drafts)...)}
	for name, move := range moves {
		for _, from := range []State{Draft, Proposed, Preparing, Live, Retired, Withdrawn} {
			v := drafted(ana)
			v.State, v.ProposedBy, v.EffectiveAt, v.PreparedAt = from, ana.ID, noon, noon
			if out, drafts, err := move(v); err == nil {
				seen = append(seen, statedoc.Seen(string(from), string(out.State), strings.ToUpper(name[:1])+name[1:], types(drafts)...))
			}
		}
	}
	if got, want := statedoc.Sorted(seen), page.Built(); !slices.Equal(got, want) {
		t.Errorf("the code does\n%s\nthe page says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
