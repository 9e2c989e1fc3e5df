package paymentfile

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// FuzzReader reads anything, and wants an account of every row: used or refused, and never a payment that breaks a rule.
func FuzzReader(f *testing.F) {
	f.Add([]byte("id,at,account,amount,currency\n1,2018-04-01,x,1.50,USD\n"), byte(0))
	f.Add([]byte("id,at,account,amount,currency\n1,2018-04-01,\"x\ny\",1,USD\n2,\"open,x,1,USD\n\n"), byte(1))
	f.Add([]byte(`{"account_id":"a","amount":{"amount_minor":1,"currency":"USD"},"occurred_at":"2026-11-09T10:00:00Z"}`), byte(0))
	f.Add([]byte("\xef\xbb\xbfid,at,account,amount,currency\r\n"), byte(2))
	f.Add([]byte("\x1f\x8b\x08"), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, format byte) {
		r, err := NewReader(bytes.NewReader(data), Options{Format: Format(format % 3), Currency: "EUR"})
		if err != nil {
			return
		}
		var row Row
		var used, last int64
		for {
			err := r.Next(&row)
			if err != nil {
				break
			}
			used++
			p := row.Payment
			if p.AccountID == "" || p.ID == "" || p.AmountMinor < 0 || p.OccurredAt.Before(time.Unix(0, 0)) || !row.Outcome.Valid() || row.Line <= last {
				t.Fatalf("got a payment that breaks a rule, line %d", row.Line)
			}
			last = row.Line
		}
		if faults := r.Faults(); used+faults.Total != r.Rows() {
			t.Fatalf("got %d used and %d refused of %d rows", used, faults.Total, r.Rows())
		}
	})
}

// FuzzCSV holds the cutting of rows to the standard library's, where that accepts the whole text.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"a,b\nc,d\n", "\"a\"\"\",\"b\n\",c\r\n", ",,\n,\n", "a\n\n\nb", "\"", "a\"b,c\n", "\"a\"b\n", "\"x\r\ny\"\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxRecord/2 || strings.HasPrefix(text, "\xef\xbb\xbf") {
			return
		}
		standard := csv.NewReader(strings.NewReader(text))
		standard.FieldsPerRecord = -1
		want, err := standard.ReadAll()
		if err != nil {
			return
		}
		r := &csvRecords{records: *newRecords(&trickle{text: text}), delimiter: ','}
		for i := 0; ; i++ {
			cells, _, reason, err := r.next()
			if errors.Is(err, io.EOF) && i == len(want) {
				return
			}
			if err != nil || reason != "" || i >= len(want) || len(cells) != len(want[i]) {
				t.Fatalf("row %d: got %q %q %v, want %q", i, cells, reason, err, want)
			}
			for j, cell := range cells {
				if string(cell) != want[i][j] {
					t.Fatalf("row %d: got %q, want %q", i, cells, want[i])
				}
			}
		}
	})
}

// trickle gives a text in small pieces.
type trickle struct{ text string }

func (s *trickle) Read(into []byte) (int, error) {
	if s.text == "" {
		return 0, io.EOF
	}
	n := copy(into[:min(len(into), 3)], s.text)
	s.text = s.text[n:]
	return n, nil
}

// FuzzJSON holds the scanner to the standard library's idea of JSON and of the wanted members.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"a":{"b":"x\u0041"},"c":[1,{"a":2}],"d":-1.5e+3}`, `{"a":tru}`, `{"a":01}`, `{"a":"\x"}`, `{"a" : null }`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := newMembers([]string{"a", "a.b", "d"})
		values, reason := m.read([]byte(text))
		var document map[string]any
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		valid := json.Valid([]byte(text)) && decoder.Decode(&document) == nil && document != nil
		if reason == jsonTwice || reason == jsonDeep {
			return
		}
		if valid != (reason == "") {
			t.Fatalf("got %q, and the standard library says %t", reason, valid)
		}
		if !valid {
			return
		}
		if s, isText := document["d"].(string); isText && strings.ToValidUTF8(s, "") == s && !strings.ContainsRune(s, '\uFFFD') && string(values[2]) != s {
			t.Fatalf("got %q, want %q", values[2], s)
		}
		if n, isNumber := document["d"].(json.Number); isNumber && string(values[2]) != n.String() {
			t.Fatalf("got %q, want %q", values[2], n)
		}
	})
}

// FuzzParseMap reads anything as a map; an accepted one has what a reader needs.
func FuzzParseMap(f *testing.F) {
	f.Add([]byte(fullMap))
	f.Add([]byte("columns: {at: a, account: b, amount: c, currency: {constant: USD}}"))
	f.Add([]byte("columns: [1]\ndelimiter: xx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMap(data)
		if err != nil {
			return
		}
		if m.check() != nil || m.Delimiter == 0 {
			t.Fatalf("accepted %+v", m)
		}
	})
}

func TestInstantsAreThoseOfPackageTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Int64Range(0, latest).Draw(t, "instant")
		at := time.UnixMicro(want).UTC()
		zone := time.FixedZone("", rapid.IntRange(-14*60, 14*60).Draw(t, "offset")*60)
		texts := []string{
			at.Format("2006-01-02T15:04:05.000000Z"), at.Format("2006-01-02 15:04:05.999999"),
		}
		if local := at.In(zone); local.Year() <= 9999 && local.Year() >= 1970 {
			texts = append(texts, local.Format("2006-01-02T15:04:05.999999-07:00"))
		}
		for _, text := range texts {
			if got, ok := (instants{}).parse([]byte(text)); !ok || got != want {
				t.Fatalf("got %d %t for %s, want %d", got, ok, text, want)
			}
		}
		paris, err := newInstants(Column{Format: "DD.MM.YYYY hh:mm:ss", Zone: "Europe/Paris"})
		if err != nil {
			t.Skip("no zone database")
		}
		local := at.In(paris.zone)
		got, ok := paris.parse([]byte(local.Format("02.01.2006 15:04:05")))
		if want := at.Truncate(time.Second).UnixMicro(); local.Year() <= 9999 && local.Year() >= 1970 && (!ok || got != want && got != want-3600e6 && got != want+3600e6) {
			t.Fatalf("got %d %t in Paris, want %d", got, ok, want)
		}
	})
}

func TestInstants(t *testing.T) {
	tests := []struct {
		name, text string
		column     Column
		want       string // RFC 3339; empty: refused
	}{
		{"a date alone is its first instant", "2018-04-01", Column{}, "2018-04-01T00:00:00Z"},
		{"minutes without seconds", "2018-04-01 10:30", Column{}, "2018-04-01T10:30:00Z"},
		{"a leap day", "2020-02-29", Column{}, "2020-02-29T00:00:00Z"},
		{"no leap day in 2100", "2100-02-29", Column{}, ""},
		{"no 31st of April", "2018-04-31", Column{}, ""},
		{"no hour 24", "2018-04-01T24:00:00Z", Column{}, ""},
		{"letters where digits belong", "2018-0a-01", Column{}, ""},
		{"something behind the end", "2018-04-01T10:00:00Zx", Column{}, ""},
		{"before 1970", "1969-12-31", Column{}, ""},
		{"a zone that the value names beats that of the map", "2018-04-01T10:00:00+0200", Column{Zone: "Asia/Tokyo"}, "2018-04-01T08:00:00Z"},
		{"a zone of the map", "2018-04-01T10:00:00", Column{Zone: "Asia/Tokyo"}, "2018-04-01T01:00:00Z"},
		{"seconds since 1970 with a fraction", "1522540800.25", Column{Format: "unix"}, "2018-04-01T00:00:00.25Z"},
		{"milliseconds since 1970", "1522540800250", Column{Format: "unix_ms"}, "2018-04-01T00:00:00.25Z"},
		{"hours since a date, as simulations count", "25", Column{Format: "hours", Since: "2018-04-01"}, "2018-04-02T01:00:00Z"},
		{"a number too large", "99999999999999999999", Column{Format: "days", Since: "2018-04-01"}, ""},
		{"a number too large for its unit", "3000000000000", Column{Format: "days", Since: "2018-04-01"}, ""},
		{"no number", ".", Column{Format: "unix"}, ""},
		{"a pattern with a letter that stands for itself", "04/01/2018T10:30", Column{Format: "MM/DD/YYYYThh:mm"}, "2018-04-01T10:30:00Z"},
		{"a pattern of another order", "04/01/2018 10:30", Column{Format: "MM/DD/YYYY hh:mm"}, "2018-04-01T10:30:00Z"},
		{"a pattern that does not fit", "2018-04-01", Column{Format: "MM/DD/YYYY"}, ""},
		{"nothing", "", Column{}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in, err := newInstants(test.column)
			if err != nil {
				t.Fatal(err)
			}
			at, ok := in.parse([]byte(test.text))
			got := ""
			if ok {
				got = time.UnixMicro(at).UTC().Format(time.RFC3339Nano)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAmounts(t *testing.T) {
	tests := []struct {
		name, text string
		column     Column
		exponent   int
		want       int64
		reason     string
	}{
		{"two decimals", "57.16", Column{}, 2, 5716, ""},
		{"one decimal", "57.1", Column{}, 2, 5710, ""},
		{"none", "57", Column{}, 2, 5700, ""},
		{"zeros behind the last decimal change nothing", "57.16000", Column{}, 2, 5716, ""},
		{"too many decimals", "57.161", Column{}, 2, 0, tooPrecise},
		{"too many decimals that may be rounded", "57.165", Column{Round: true}, 2, 5717, ""},
		{"rounded down", "57.164999", Column{Round: true}, 2, 5716, ""},
		{"rounded to nothing", "0.004", Column{Round: true}, 2, 0, ""},
		{"a card check", "0.00", Column{}, 2, 0, ""},
		{"yen have no decimals", "57", Column{}, 0, 57, ""},
		{"minor units", "5716", Column{Unit: "minor"}, 2, 5716, ""},
		{"minor units of a table that writes every number with decimals", "5716.0", Column{Unit: "minor"}, 2, 5716, ""},
		{"a fraction of a minor unit", "5716.5", Column{Unit: "minor"}, 2, 0, noFractional},
		{"a comma", "57,16", Column{DecimalComma: true}, 2, 5716, ""},
		{"a comma where none is expected", "57,16", Column{}, 2, 0, notAnAmount},
		{"a currency sign", "$57.16", Column{Prefix: "$"}, 2, 5716, ""},
		{"a refund", "$-57.16", Column{Prefix: "$"}, 2, 0, negative},
		{"minus nothing", "-0.00", Column{}, 2, 0, negative},
		{"nothing", "", Column{}, 2, 0, notAnAmount},
		{"a point alone", ".", Column{}, 2, 0, notAnAmount},
		{"the largest", "10000000000000.00", Column{}, 2, 1e15, ""},
		{"one cent more", "10000000000000.01", Column{}, 2, 0, tooLarge},
		{"more than a number holds", "99999999999999999999999999", Column{}, 2, 0, tooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, reason := newAmounts(test.column).parse([]byte(test.text), test.exponent)
			if got != test.want || reason != test.reason {
				t.Errorf("got %d %q, want %d %q", got, reason, test.want, test.reason)
			}
		})
	}
}

func TestParseMapRefuses(t *testing.T) {
	const rest = "columns: {at: a, account: b, amount: c, currency: {constant: USD}"
	tests := []struct{ name, text, want string }{
		{"nothing", "", "empty"},
		{"a list", "[]", "cannot unmarshal"},
		{"a key that means nothing", rest + "}\nrows: 3", "line 2"},
		{"a field that does not exist", rest + ", price: c}", "unknown field"},
		{"no account", "columns: {at: a, amount: c, currency: {constant: USD}}", "the field account is missing"},
		{"a delimiter of two characters", rest + "}\ndelimiter: ab", "one character"},
		{"a column and a constant", rest + ", id: {column: a, constant: b}}", "one of the two"},
		{"neither", rest + ", known_at: {format: unix}}", "one of the two"},
		{"a key of another field", rest + ", id: {column: a, unit: minor}}", "does not belong"},
		{"an unknown format", "columns: {at: {column: a, format: stardate}, account: b, amount: c, currency: d}", "pattern"},
		{"an offset from nowhere", "columns: {at: {column: a, format: days}, account: b, amount: c, currency: d}", "since"},
		{"an unknown unit", "columns: {at: a, account: b, amount: {column: c, unit: cents}, currency: d}", "major"},
		{"a currency that does not exist", "columns: {at: a, account: b, amount: c, currency: {constant: XXX}}", "ISO 4217"},
		{"a list of lists", rest + ", fraud: {column: a, true: [[1]]}}", "list of texts"},
		{"a heading that is a list", rest + ", id: [a]}", "heading or a mapping"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ParseMap([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
