package paymentfile

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/risk/history"
)

func mapForTest(t testing.TB, text string) *Map {
	t.Helper()
	m, err := ParseMap([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readAll(t testing.TB, r source) []Row {
	t.Helper()
	var rows []Row
	for {
		var row Row
		err := r.Next(&row)
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

func readText(t testing.TB, text string, options Options) ([]Row, Faults) {
	t.Helper()
	r, err := NewReader(strings.NewReader(text), options)
	if err != nil {
		t.Fatal(err)
	}
	rows := readAll(t, r)
	return rows, r.Faults()
}

const fullMap = `
delimiter: ";"
columns:
  id: key
  at: {column: when, format: "DD/MM/YYYY hh:mm:ss", zone: Europe/Paris}
  account: who
  amount: {column: sum, decimal_comma: true, prefix: "€"}
  currency: {constant: EUR}
  merchant: shop
  device: phone
  ip: address
  country: land
  region: part
  city: town
  payment_method: card
  fingerprint: print
  method_kind: kind
  outcome: {column: result, approved: [ok], rejected: [no, "never"], review: [wait]}
  fraud: {column: bad, "true": [J], "false": [N]}
  known_at: {column: told, format: unix}
`

func TestAMapNamesEveryColumn(t *testing.T) {
	text := "key;when;who;sum;shop;phone;address;land;part;town;card;print;kind;result;bad;told\n" +
		"k1;01/07/2018 02:30:05;anna;€12,50;bakery;d1;10.0.0.1;FR;IDF;Paris;pm;fp;card;NO;j;1530500000\n"
	rows, faults := readText(t, text, Options{Map: mapForTest(t, fullMap)})
	want := []Row{{
		Line: 2, Outcome: history.Rejected,
		Payment: history.Payment{
			ID: "k1", AccountID: "anna", AmountMinor: 1250, Currency: "EUR", Merchant: "bakery", DeviceID: "d1", IP: "10.0.0.1",
			Place:  history.Place{Country: "FR", Region: "IDF", City: "Paris"},
			Method: history.Method{ID: "pm", Fingerprint: "fp"}, MethodKind: "card",
			OccurredAt: time.Date(2018, 7, 1, 0, 30, 5, 0, time.UTC),
		},
		Truth: Truth{Known: true, Fraud: true, KnownAt: time.Unix(1530500000, 0).UTC()},
	}}
	if !reflect.DeepEqual(rows, want) || faults.Total != 0 {
		t.Errorf("got %+v %+v, want %+v", rows, faults, want)
	}
}

func TestUsualHeadingsNeedNoMap(t *testing.T) {
	text := "transaction_id,at,customer_id,terminal_id,amount,fraud,scenario\n0,2018-04-01T00:00:31Z,596,3156,57.16,1,3\n"
	rows, faults := readText(t, text, Options{Currency: "EUR"})
	if len(rows) != 1 || faults.Total != 0 {
		t.Fatalf("got %+v %+v", rows, faults)
	}
	got := rows[0]
	if got.Payment.ID != "0" || got.Payment.AccountID != "596" || got.Payment.Merchant != "3156" || got.Payment.AmountMinor != 5716 ||
		got.Payment.Currency != "EUR" || !got.Truth.Fraud || got.Outcome != history.Approved {
		t.Errorf("got %+v", got)
	}
}

func TestLinesLikeTheAPIsBodiesNeedNoMap(t *testing.T) {
	text := `{"id":"p1","account_id":"a","payment_method_id":"pm_1","amount":{"amount_minor":1250,"currency":"USD"},"ip":"192.0.2.1",` +
		`"location":{"country":"SG","region":null,"city":"S\u00e3o"},"device":{"id":"d"},"merchant":"m","occurred_at":"2026-11-09T10:00:00.25Z",` +
		`"metadata":[{"id":"other"}],"fraud":true,"known_at":"2026-11-19T10:00:00Z"}` + "\n\n"
	rows, faults := readText(t, text, Options{})
	if len(rows) != 1 || faults.Total != 0 {
		t.Fatalf("got %+v %+v", rows, faults)
	}
	want := history.Payment{
		ID: "p1", AccountID: "a", AmountMinor: 1250, Currency: "USD", IP: "192.0.2.1", DeviceID: "d", Merchant: "m",
		Place: history.Place{Country: "SG", City: "São"}, Method: history.Method{ID: "pm_1"}, OccurredAt: time.Date(2026, 11, 9, 10, 0, 0, 250e6, time.UTC),
	}
	if got := rows[0]; got.Payment != want || !got.Truth.Fraud || got.Truth.KnownAt.IsZero() {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestBadRowsAreListedByLineWithTheirReason(t *testing.T) {
	text := "\xef\xbb\xbfid,at,account,amount,currency,country,method_kind,outcome,fraud,known_at\r\n" + // 1
		"a,2018-04-01,x,1.00,USD,,,,,\r\n" + // 2
		"b,yesterday,x,1.00,USD,,,,,\r\n" + // 3
		"c,2018-04-01,,1.00,USD,,,,,\r\n" + // 4
		"d,2018-04-01,x,-1.00,USD,,,,,\r\n" + // 5
		"e,2018-04-01,x,+1,USD,,,,,\r\n" + // 6
		"f,2018-04-01,x,1.005,USD,,,,,\r\n" + // 7
		"g,2018-04-01,x,one,USD,,,,,\r\n" + // 8
		"h,2018-04-01,x,1,usd,,,,,\r\n" + // 9
		"a,2018-04-01,x,1,USD,,,,,\r\n" + // 10: twice
		"d,2018-04-01,x,1,USD,,,,,\r\n" + // 11: the first good row of its id
		"i,2031-04-01,x,1,USD,,,,,\r\n" + // 12
		"j,2018-04-01,x,1,USD,XX,,,,\r\n" + // 13
		"k,2018-04-01,x,1,USD,,cheque,,,\r\n" + // 14
		"l,2018-04-01,x,1,USD,,,perhaps,,\r\n" + // 15
		"m,2018-04-01,x,1,USD,,,,perhaps,\r\n" + // 16
		"n,2018-04-01,x,1,USD,,,,1,2018-03-31\r\n" + // 17
		"o,2018-04-01,x,1,USD,,,,1,soon\r\n" + // 18
		"p,2018-04-01,x\r\n" + // 19
		"q,2018-04-01,x \"y\" z,1,USD,,,,,\r\n" + // 20
		"\r\n" + // 21: blank
		"r,2018-04-01,x,9999999999999999,USD,,,,,\r\n" + // 22
		"s,2018-04-01," + strings.Repeat("x", 201) + ",1,USD,,,,,\r\n" + // 23
		"t,2018-04-01," + strings.Repeat("x", 70_000) + ",1,USD,,,,,\r\n" + // 24
		"u,2018-04-01,\"x,\r\n\"\"y\"\"\",1,USD,,,,,\r\n" + // 25 and 26
		"v,2018-04-01,\"x,1,USD,,,,,\r\n" + // 27: a quote that stays open
		"w,2018-04-01,x,1,USD,,,,," // 28: no line end
	rows, faults := readText(t, text, Options{Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	var ids []string
	for _, row := range rows {
		ids = append(ids, fmt.Sprintf("%s@%d", row.Payment.ID, row.Line))
	}
	if want := []string{"a@2", "d@11", "u@25", "w@28"}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
	if got, want := rows[2].Payment.AccountID, "x,\n\"y\""; got != want {
		t.Errorf("got the account %q, want %q", got, want)
	}
	want := []Fault{
		{3, badAt}, {4, noAccount}, {5, negative}, {6, notAnAmount}, {7, tooPrecise}, {8, notAnAmount}, {9, noCurrency}, {10, duplicate},
		{12, inTheFuture}, {13, badCountry}, {14, badKind}, {15, badOutcome}, {16, badFraud}, {17, knownTooSoon}, {18, badKnownAt},
		{19, columnCount}, {20, quoteMisplace}, {22, tooLarge}, {23, textTooLong}, {24, recordTooLong}, {27, quoteNotEnded},
	}
	if !slices.Equal(faults.Listed, want) {
		t.Errorf("got\n%v\nwant\n%v", faults.Listed, want)
	}
	if faults.Total != int64(len(want)) || len(faults.ByReason) != len(want)-1 {
		t.Errorf("got %d faults of %d reasons, want %d of one less", faults.Total, len(faults.ByReason), len(want))
	}
}

func TestFaultsBeyondTheListAreCounted(t *testing.T) {
	text := "id,at,account,amount,currency\n" + strings.Repeat("1,never,x,1,USD\n", 1000)
	_, faults := readText(t, text, Options{})
	if faults.Total != 1000 || len(faults.Listed) != maxListed || faults.ByReason[0] != (Count{badAt, 1000}) {
		t.Errorf("got %d faults, %d listed, %v", faults.Total, len(faults.Listed), faults.ByReason)
	}
}

func TestNDJSONFaults(t *testing.T) {
	good := `{"account_id":"a","amount":{"amount_minor":1,"currency":"USD"},"occurred_at":"2026-11-09T10:00:00Z"}`
	text := strings.Join([]string{
		good,
		`{"account_id":"a",`,
		`[1]`,
		good + ` x`,
		`{"account_id":"a","account_id":"b"}`,
		strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
		`{"account_id":{"x":1},"amount":{"amount_minor":1,"currency":"USD"},"occurred_at":"2026-11-09T10:00:00Z"}`,
		`{"account_id":"a","amount":{"amount_minor":1.5,"currency":"USD"},"occurred_at":"2026-11-09T10:00:00Z"}`,
		`{"account_id":"a","amount":{"amount_minor":1e3,"currency":"USD"},"occurred_at":"2026-11-09T10:00:00Z"}`,
		good,
	}, "\n")
	rows, faults := readText(t, text, Options{})
	if len(rows) != 2 || rows[1].Payment.ID != "line 10" {
		t.Errorf("got %+v, want two payments named by their lines", rows)
	}
	want := []Fault{{2, jsonMalformed}, {3, jsonMalformed}, {4, jsonMalformed}, {5, jsonTwice}, {6, jsonDeep}, {7, noAccount}, {8, noFractional}, {9, notAnAmount}}
	if !slices.Equal(faults.Listed, want) {
		t.Errorf("got\n%v\nwant\n%v", faults.Listed, want)
	}
}

func TestPackedFilesAreUnpacked(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte("id,at,account,amount,currency\n1,2018-04-01,x,1,USD\n"))
	_ = w.Close()
	r, err := NewReader(&packed, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(readAll(t, r)); got != 1 {
		t.Errorf("got %d rows, want 1", got)
	}
}

func TestAPackedFileThatIsCutOffIsAnError(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte("id,at,account,amount,currency\n" + strings.Repeat("1,2018-04-01,x,1,USD\n", 100_000)))
	_ = w.Close()
	r, err := NewReader(bytes.NewReader(packed.Bytes()[:packed.Len()/2]), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var row Row
	for err == nil {
		err = r.Next(&row)
	}
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got the end of the file, want an error")
	}
}

func TestHeadingsThatDoNotFit(t *testing.T) {
	tests := []struct {
		name, text, want string
		options          Options
	}{
		{"nothing in the file", "", "empty", Options{}},
		{"no column says who pays", "at,amount,currency\n", "the field account is missing", Options{}},
		{"no currency anywhere", "at,amount,account\n", "the field currency is missing", Options{}},
		{"the map names a column that is not there", "at,amount\n", `no column "key"`, Options{Map: mapForTest(t, strings.Replace(fullMap, `delimiter: ";"`, "", 1))}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewReader(strings.NewReader(test.text), test.options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestOrderedSortsWithinItsReach(t *testing.T) {
	var text strings.Builder
	text.WriteString("id,at,account,amount,currency\n")
	for i, second := range []int{5, 3, 4, 3, 9, 1, 2, 10, 8, 0} {
		fmt.Fprintf(&text, "%d,2018-04-01T00:00:%02dZ,x,1,USD\n", i, second)
	}
	tests := []struct {
		reach int
		want  string
		late  []int64
	}{
		{100, "9 5 6 1 3 2 0 8 4 7", nil},
		{3, "1 3 2 0 8 4 7", []int64{7, 8, 11}},
	}
	for _, test := range tests {
		r, err := NewReader(strings.NewReader(text.String()), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, row := range readAll(t, NewOrdered(r, test.reach)) {
			ids = append(ids, row.Payment.ID)
		}
		var late []int64
		for _, fault := range r.Faults().Listed {
			if fault.Reason != outOfOrder {
				t.Errorf("got %v", fault)
			}
			late = append(late, fault.Line)
		}
		if got := strings.Join(ids, " "); got != test.want || !slices.Equal(late, test.late) {
			t.Errorf("reach %d: got %s and late lines %v, want %s and %v", test.reach, got, late, test.want, test.late)
		}
	}
}

func TestEachReadsAheadAndKeepsTheOrder(t *testing.T) {
	var text strings.Builder
	text.WriteString("id,at,account,amount,currency\n")
	const rows = 3*batchRows + 7
	for i := range rows {
		fmt.Fprintf(&text, "%d,2018-04-01,x,1,USD\n", i)
	}
	open := func() *Reader {
		r, err := NewReader(strings.NewReader(text.String()), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	next := 0
	err := Each(t.Context(), open(), func(row *Row) error {
		if row.Payment.ID != fmt.Sprint(next) {
			t.Fatalf("got payment %s, want %d", row.Payment.ID, next)
		}
		next++
		return nil
	})
	if err != nil || next != rows {
		t.Errorf("got %d rows and %v, want %d", next, err, rows)
	}
	enough := errors.New("enough")
	if err := Each(t.Context(), open(), func(*Row) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want what the function said", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := Each(stopped, open(), func(*Row) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was stopped", err)
	}
	if err := Each(t.Context(), broken{}, func(*Row) error { return nil }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want what reading failed with", err)
	}
}

type broken struct{}

func (broken) Next(*Row) error { return io.ErrUnexpectedEOF }

func TestLabelsOfAFileOfTheirOwn(t *testing.T) {
	labels, err := ReadLabels(strings.NewReader("payment_id,fraud,known_at\na,1,2018-04-05\nb,0,\na,0,2018-04-09\nc,1,\n,1,\nd,,\ne,maybe,\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := readText(t, "id,at,account,amount,currency,fraud\na,2018-04-01,x,1,USD,1\nb,2018-04-01,x,1,USD,1\nz,2018-04-01,x,1,USD,1\n", Options{Labels: labels})
	want := []Truth{
		{Known: true, Fraud: false, KnownAt: time.Date(2018, 4, 9, 0, 0, 0, 0, time.UTC)}, // the later word counts
		{Known: true, Fraud: false},
		{Known: true, Fraud: true}, // the file's own
	}
	for i, row := range rows {
		if row.Truth != want[i] {
			t.Errorf("got %+v for %s, want %+v", row.Truth, row.Payment.ID, want[i])
		}
	}
	if got := labels.Faults(); !slices.Equal(got.Listed, []Fault{{4, olderKnown}, {6, noPayment}, {7, noVerdict}, {8, badFraud}}) {
		t.Errorf("got %v", got.Listed)
	}
	if labels.Count() != 3 || labels.Unused() != 1 {
		t.Errorf("got %d labels, %d unused, want 3 and 1", labels.Count(), labels.Unused())
	}
}

// The shared file is not part of the repository; where it is, reading it must be fast and complete.
const sharedFile = "../../../../shared/data/payments/payments-2018-04-to-07.csv.gz"

func TestTheSharedFileIsReadWhole(t *testing.T) {
	packed, err := os.Open(sharedFile)
	if err != nil || testing.Short() {
		t.Skip("without the shared payments")
	}
	defer func() { _ = packed.Close() }()
	r, err := NewReader(packed, Options{Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	var row Row
	var rows, fraud int
	for err = r.Next(&row); err == nil; err = r.Next(&row) {
		rows++
		if row.Truth.Fraud {
			fraud++
		}
	}
	if !errors.Is(err, io.EOF) || rows+int(r.Faults().Total) != 1_169_723 || fraud != 9_465 {
		t.Errorf("got %d rows, %d fraud, faults %+v, %v", rows, fraud, r.Faults().ByReason, err)
	}
}

func BenchmarkReader(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("transaction_id,at,customer_id,terminal_id,amount,fraud,scenario\n")
	const rows = 200_000
	at := time.Date(2018, 4, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		fmt.Fprintf(&text, "%d,%s,%d,%d,%d.%02d,0,0\n", i, at.Add(time.Duration(i)*time.Second).Format(time.RFC3339), i*7919%5000, i*104729%10000, i%300, i%100)
	}
	for _, ordered := range []bool{false, true} {
		b.Run(fmt.Sprintf("ordered=%t", ordered), func(b *testing.B) {
			for b.Loop() {
				r, err := NewReader(bytes.NewReader(text.Bytes()), Options{Currency: "EUR"})
				if err != nil {
					b.Fatal(err)
				}
				var from source = r
				if ordered {
					from = NewOrdered(r, 0)
				}
				var row Row
				for from.Next(&row) == nil {
				}
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
