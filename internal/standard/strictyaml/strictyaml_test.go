package strictyaml

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

var word = regexp.MustCompile(`^[a-z]+$`)

// note is what the tests read: a mapping with every kind of value.
type note struct {
	name, kind, date, remark string
	count, cents             int64
	share                    float64
	urgent                   bool
	every                    time.Duration
	tags                     []*yaml.Node
	owner                    string
}

func readNote(data string) (note, error) {
	root, faults := Read([]byte(data), "note", 4096)
	top := NewMapping(faults, root, "", "name", "kind?", "date?", "remark?", "count?", "cents?", "share?", "urgent?", "every?", "tags?", "owner?")
	n := note{
		name: top.Matching("name", word, "a lower-case word"), kind: top.OneOf("kind", "short", "long"), date: top.Date("date"),
		remark: top.TextOrBlank("remark", 8), count: top.Whole("count", 0, 10), cents: top.Amount("cents", 2),
		share: top.Number("share", 0, 1), urgent: top.Flag("urgent"), every: top.Span("every", 10*time.Minute, 400*24*time.Hour),
		tags: top.List("tags", 1, 2), owner: top.Child("owner", "name").Text("name", 8),
	}
	return n, faults.Err()
}

func TestAWholeDocumentIsRead(t *testing.T) {
	n, err := readNote("name: a\nkind: long\ndate: 2026-11-20\nremark: ''\ncount: 3\ncents: 1.5\nshare: 5e-1\nurgent: true\nevery: 30d\n" +
		"tags: [x, y]\nowner: {name: Bo}\n")
	if err != nil {
		t.Fatal(err)
	}
	if n.name != "a" || n.kind != "long" || n.date != "2026-11-20" || n.count != 3 || n.cents != 150 || n.share != 0.5 || !n.urgent ||
		n.every != 30*24*time.Hour || len(n.tags) != 2 || n.owner != "Bo" {
		t.Errorf("got %+v", n)
	}
}

func TestWhatIsWrongIsToldWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                      {"", "the note is empty"},
		"only a comment":               {"# nothing\n", "the note is empty"},
		"too long":                     {strings.Repeat("#", 4097), "the note is longer than 4096 bytes"},
		"not YAML":                     {"name: [", "line 1: not YAML"},
		"a second document":            {"name: a\n---\nb: c\n", "line 2, column 1: a note is one YAML document; remove what follows the first"},
		"a broken second document":     {"name: a\n---\n\t{", "not YAML"},
		"an anchor":                    {"name: &x a\n", "line 1, column 7: anchors and aliases are not accepted"},
		"a list instead of keys":       {"[]", "line 1, column 1: must be a mapping with the keys name, kind, date"},
		"an unknown key":               {"name: a\nkindd: long\n", "line 2, column 1: unknown key; known are name, kind, date"},
		"a key that is nearly known":   {"name: a\nkindd: long\n", "did you mean kind?\n  | kindd: long\n  | ^"},
		"a key given twice":            {"name: a\nname: b\n", "line 2, column 1: the key name is given twice"},
		"a missing key":                {"kind: long\n", "line 1, column 1: the key name is missing"},
		"a blank text":                 {"name: ' '\n", "name: must be a text of 1 to 128 bytes"},
		"a wrong shape":                {"name: A\n", "line 1, column 7: name: must be a lower-case word\n  | name: A\n  | ......^"},
		"none of the words":            {"name: a\nkind: shrot\n", "kind: must be one of short, long; did you mean short?"},
		"a day that is none":           {"name: a\ndate: 2026-02-30\n", "date: must be a date as 2026-11-20"},
		"a remark too long":            {"name: a\nremark: 123456789\n", "remark: must be a text of at most 8 bytes"},
		"a number too large":           {"name: a\ncount: 11\n", "count: must be a whole number from 0 to 10"},
		"a fraction of a cent":         {"name: a\ncents: 1.555\n", "cents: must be an amount with at most 2 decimals"},
		"a share above one":            {"name: a\nshare: 1.5\n", "share: must be a number from 0 to 1"},
		"a number that is none":        {"name: a\nshare: 0x1p-2\n", "share: must be a number from 0 to 1"},
		"a flag that is a word":        {"name: a\nurgent: very\n", "urgent: must be true or false"},
		"a span without unit":          {"name: a\nevery: 30\n", "every: must be a span as 10m, 24h or 30d, from 10m to 400d"},
		"a span too short":             {"name: a\nevery: 9m\n", "every: must be a span"},
		"a span too long for a number": {"name: a\nevery: 213504d\n", "every: must be a span"}, // as nanoseconds it would wrap to 25 minutes
		"an empty list":                {"name: a\ntags: []\n", "tags: must be a list of 1 to 2 entries"},
		"a mapping in a mapping":       {"name: a\nowner: {nmae: Bo}\n", "line 2, column 9: owner: unknown key; known are name; did you mean name?"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readNote(c.text)
			var refused *Error
			if !errors.As(err, &refused) || refused.Document != "note" {
				t.Fatalf("got %v, want an Error of the note", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want it to hold %q", err, c.want)
			}
		})
	}
}

func TestAllFaultsAreToldInTheOrderOfTheLines(t *testing.T) {
	_, err := readNote("urgent: x\nshare: x\ncount: x\nname: A\n")
	var refused *Error
	if !errors.As(err, &refused) || len(refused.Faults) != 4 {
		t.Fatalf("got %v, want four faults", err)
	}
	for i, fault := range refused.Faults {
		if fault.Line != i+1 {
			t.Errorf("got line %d as number %d", fault.Line, i)
		}
	}
}

func TestALongDocumentTellsAFewFaults(t *testing.T) {
	_, err := readNote(strings.Repeat("b: 1\n", 500))
	var refused *Error
	if !errors.As(err, &refused) || len(refused.Faults) != MaxFaults {
		t.Errorf("got %v, want %d faults", err, MaxFaults)
	}
}

func TestAPlaceInsideATextIsOneOfTheDocument(t *testing.T) {
	for name, c := range map[string]struct {
		text         string
		at           Place
		line, column int
	}{
		"plain":                  {"remark: abc\n", Place{1, 2}, 1, 11},
		"quoted":                 {"remark: 'abc'\n", Place{1, 2}, 1, 12},
		"a block":                {"remark: |\n\n    abc\n    def\n", Place{3, 1}, 4, 6},
		"folded":                 {"remark: >\n  abc\n  def\n", Place{2, 1}, 1, 9},
		"no place":               {"remark: abc\n", Place{}, 1, 9},
		"behind the last line":   {"remark: |\n  a\n", Place{9, 0}, 1, 9},
		"an excerpt that is cut": {"remark: " + strings.Repeat("a", 300) + "\n", Place{1, 250}, 1, 259},
	} {
		t.Run(name, func(t *testing.T) {
			root, faults := Read([]byte(c.text), "note", 4096)
			faults.AddInside(root.Content[1], "remark", c.at, "is wrong")
			var refused *Error
			if !errors.As(faults.Err(), &refused) {
				t.Fatal("got no fault")
			}
			got := refused.Faults[0]
			if got.Line != c.line || got.Column != c.column || utf8.RuneCountInString(got.Source) > maxExcerpt || got.Caret > excerptLead {
				t.Errorf("got %+v, want line %d and column %d", got, c.line, c.column)
			}
		})
	}
}

func TestSuggestion(t *testing.T) {
	names := []string{"payment.amount_minor", "payment.country", "review"}
	for written, want := range map[string]string{
		"payment.contry": "payment.country", "payment.amount": "payment.amount_minor", "country": "payment.country", "reveiw": "review",
		"something else": "", "": "",
	} {
		if want != "" {
			want = "; did you mean " + want + "?"
		}
		if got := Suggestion(written, names); got != want {
			t.Errorf("%s: got %q, want %q", written, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"name: a\nkind: long\nevery: 30d\n", "name: [", "a: &x b\nc: *x\n", "- a\n", "---\n---\n", "name: 'ü\t\xff'\n", "? {a: b}\n: c\n",
		"remark: |2\n  a\n", "every: 99999999999d\n", "<<: {a: b}\n", "\xff\xfen\x00", "cents: 1.005\nshare: -0\n", "name: a\r\nkind: x\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := readNote(text)
		if err == nil {
			if !word.MatchString(n.name) || n.count > 10 || n.share < 0 || n.share > 1 || n.every < 0 {
				t.Errorf("got %+v without a fault", n)
			}
			return
		}
		var refused *Error
		if !errors.As(err, &refused) || len(refused.Faults) == 0 || len(refused.Faults) > MaxFaults {
			t.Fatalf("got %v", err)
		}
		for _, fault := range refused.Faults {
			if fault.Message == "" || fault.Caret > utf8.RuneCountInString(fault.Source) || !utf8.ValidString(fault.Source) {
				t.Errorf("got %+v", fault)
			}
		}
	})
}
