package notice

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/testkit/statedoc"
)

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

// stateOf reads a notice's state from its instants, as docs/states/notice.md says.
func stateOf(n Notice) string {
	switch {
	case !n.ReceivedAt.IsZero():
		return "received"
	case !n.AcceptedAt.IsZero():
		return "accepted"
	case !n.BouncedAt.IsZero():
		return "bounced"
	default:
		return "created"
	}
}

func types(drafts []journal.Draft) []string {
	var out []string
	for _, draft := range drafts {
		out = append(out, string(draft.Type))
	}
	return out
}

type event struct {
	name string
	do   func(Notice) (Notice, []journal.Draft, bool)
}

var events = []event{
	{"Accept", func(n Notice) (Notice, []journal.Draft, bool) { return n.Accept(false, noon) }},
	{"Accept", func(n Notice) (Notice, []journal.Draft, bool) { return n.Accept(true, noon) }},
	{"Bounce", func(n Notice) (Notice, []journal.Draft, bool) { return n.Bounce(noon) }},
	{"Opened", func(n Notice) (Notice, []journal.Draft, bool) { return n.Opened(noon) }},
}

func TestTheNoticePageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "notice")
	var seen []string
	for _, n := range []Notice{{}, {AcceptedAt: noon}, {BouncedAt: noon}, {ReceivedAt: noon}, {AcceptedAt: noon, BouncedAt: noon}} {
		for _, e := range events {
			if out, drafts, changed := e.do(n); changed && stateOf(out) != stateOf(n) {
				seen = append(seen, statedoc.Seen(stateOf(n), stateOf(out), e.name, types(drafts)...))
			}
		}
	}
	if got, want := statedoc.Sorted(seen), page.Built(); !slices.Equal(got, want) {
		t.Errorf("the code does\n%s\nthe page says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReceiptOfANotice(t *testing.T) {
	fresh := Notice{ID: "ntc_1", VerificationID: "ver_1", Round: 2, Kind: ResubmissionRequested, Version: 1}
	t.Run("acceptance by the recipient's own server is receipt", func(t *testing.T) {
		n, drafts, changed := fresh.Accept(true, noon)
		if !changed || n.ReceivedAt != noon || len(drafts) != 2 || drafts[1].Data["by"] != "mail" || drafts[1].Data["round"] != "2" {
			t.Errorf("got %+v %+v", n, drafts)
		}
	})
	t.Run("acceptance by a relay is not", func(t *testing.T) {
		n, drafts, changed := fresh.Accept(false, noon)
		if !changed || !n.ReceivedAt.IsZero() || len(drafts) != 1 || drafts[0].Data["final"] != "false" {
			t.Errorf("got %+v %+v", n, drafts)
		}
	})
	t.Run("opening the Internal Message is receipt", func(t *testing.T) {
		n, drafts, changed := fresh.Opened(noon)
		if !changed || n.ReceivedAt != noon || drafts[0].Data["by"] != "internal_message" {
			t.Errorf("got %+v %+v", n, drafts)
		}
	})
	t.Run("the first of the two counts", func(t *testing.T) {
		n, _, _ := fresh.Opened(noon)
		n, drafts, changed := n.Accept(true, noon.Add(time.Hour))
		if !changed || n.ReceivedAt != noon || len(drafts) != 1 {
			t.Errorf("got %+v %+v, want the acceptance noted and the receipt kept", n, drafts)
		}
		if _, _, changed := n.Opened(noon.Add(2 * time.Hour)); changed {
			t.Error("got a second receipt")
		}
	})
	t.Run("an acceptance is noted once", func(t *testing.T) {
		n, _, _ := fresh.Accept(false, noon)
		if _, _, changed := n.Accept(true, noon); changed {
			t.Error("got a second acceptance")
		}
	})
	t.Run("a mail that was accepted can't be refused afterwards, and one that was refused not twice", func(t *testing.T) {
		accepted, _, _ := fresh.Accept(false, noon)
		bounced, _, _ := fresh.Bounce(noon)
		for _, n := range []Notice{accepted, bounced} {
			if _, _, changed := n.Bounce(noon); changed {
				t.Errorf("got a refusal of %s", stateOf(n))
			}
		}
	})
	t.Run("a bounced mail is not received", func(t *testing.T) {
		if n, _, _ := fresh.Bounce(noon); !n.ReceivedAt.IsZero() {
			t.Errorf("got received at %v", n.ReceivedAt)
		}
	})
}

func TestWhichNoticesStartAClock(t *testing.T) {
	for _, kind := range Kinds {
		if got, want := kind.StartsClock(), kind == PaymentMethodAlert || kind == ResubmissionRequested; got != want {
			t.Errorf("%s: got %v, want %v", kind, got, want)
		}
	}
}

func TestNoSequenceOfEventsUndoesAReceipt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Notice{Version: 1}
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			before := n
			out, drafts, changed := events[rapid.IntRange(0, len(events)-1).Draw(t, "event")].do(n)
			if changed != (len(drafts) > 0) || changed != (out.Version == before.Version+1) || (!changed && out != before) {
				t.Fatalf("got changed %v with %d entries, version %d after %d", changed, len(drafts), out.Version, before.Version)
			}
			if !before.ReceivedAt.IsZero() && out.ReceivedAt != before.ReceivedAt {
				t.Fatal("a receipt changed")
			}
			n = out
		}
	})
}
