package paymentfile

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
)

var declaredForTest = []risk.List{
	{Name: "blocked_devices", Kind: risk.ListBlock, Field: history.Device},
	{Name: "blocked_addresses", Kind: risk.ListBlock, Field: history.IP},
	{Name: "blocked_countries", Kind: risk.ListBlock, Field: history.Country},
}

func TestListEntriesAreReadFromCSVAndNDJSONAlike(t *testing.T) {
	csv := "\ufeffvalue,list,reason,expires_at\r\n" +
		"dev-1,blocked_devices,\"three\nchargebacks, at once\",2027-11-09T10:00:00Z\r\n\r\n" +
		" 2001:DB8::/33 ,blocked_addresses,,\nxk,blocked_countries,,2026-01-01\n"
	ndjson := `{"list":"blocked_devices","value":"dev-1","reason":"three chargebacks","expires_at":"2027-11-09T11:00:00+01:00"}

{"id":"lse_01jc0000000000000000000000","list":"blocked_addresses","value":"2001:db8::/33","reason":null,"added_by":"stf_1","created_at":"2026-11-09T10:00:00Z","expires_at":null,"removed_at":null}
{"list":"blocked_countries","value":"XK","expires_at":"2026-01-01"}`
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(csv))
	_ = w.Close()
	want := []risk.ListEntry{
		{List: "blocked_devices", Value: "dev-1", ExpiresAt: time.Date(2027, 11, 9, 10, 0, 0, 0, time.UTC)},
		{List: "blocked_addresses", Value: "2001:db8::/33"},
		{List: "blocked_countries", Value: "XK", ExpiresAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	for name, text := range map[string]string{"CSV": csv, "NDJSON": ndjson, "CSV packed": packed.String()} {
		t.Run(name, func(t *testing.T) {
			got, faults, err := ReadListEntries(strings.NewReader(text), declaredForTest)
			if err != nil || faults.Total != 0 || !slices.Equal(got, want) {
				t.Errorf("got %v %+v %v, want %v", got, faults, err, want)
			}
		})
	}
}

func TestARowOfAListThatIsWrongIsToldWithItsLine(t *testing.T) {
	csv := "list,value,expires_at,reason\n" +
		"blocked_devices,dev-1,,\n" +
		",dev-1,,\n" +
		"blocked_dveices,dev-1,,\n" +
		"blocked_devices,,,\n" +
		"blocked_devices,dev-1,,\n" +
		"blocked_devices,dev-2,tomorrow,\n" +
		"blocked_addresses,10.0.0.256,,\n" +
		"blocked_devices,4111 1111 1111 1111,,\n" +
		"blocked_devices,dev-3\n" +
		"blocked_devices,dev-4,," + strings.Repeat("r", 501) + "\n" +
		"blocked_devices,dev-\xff,,\n"
	entries, faults, err := ReadListEntries(strings.NewReader(csv), declaredForTest)
	want := []Fault{
		{3, listNotNamed}, {4, listUnknown}, {5, "value: a value of a list has 1 to 256 bytes"}, {6, valueTwice}, {7, badExpiry},
		{8, "value: an address is written like 203.0.113.7 or 2001:db8::7, a range like 203.0.113.0/24"}, {9, valueIsCard}, {10, columnCount},
		{11, reasonTooLong}, {12, notTextEncoding},
	}
	if err != nil || entries != nil || !slices.Equal(faults.Listed, want) {
		t.Errorf("got %v %v\n%v\nwant\n%v", entries, err, faults.Listed, want)
	}
	ndjson := `{"list":"blocked_devices","value":"dev-1"}
{"list":"blocked_devices","value":7}
{"list":"blocked_devices","valeu":"dev-2"}
{"list":"blocked_devices","value":"dev-2","value":"dev-3"}
["blocked_devices"]
{"list":"blocked_devices","value":"dev-2"} {}
{"list":"blocked_devices","value":"dev-2"
{"list":"blocked_devices","value":"dev-2","removed_at":"2026-11-09T10:00:00Z"}`
	_, faults, err = ReadListEntries(strings.NewReader(ndjson), declaredForTest)
	want = []Fault{{2, entryMalformed}, {3, entryMalformed}, {4, entryMalformed}, {5, entryMalformed}, {6, entryMalformed}, {7, entryMalformed}, {8, entryRemoved}}
	if err != nil || !slices.Equal(faults.Listed, want) {
		t.Errorf("got %v\n%v\nwant\n%v", err, faults.Listed, want)
	}
}

func TestAFileOfListsNeedsTheHeading(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":               {"", "the first row must name the columns"},
		"no list":               {"value,reason\n", "the columns list and value are required"},
		"a column nobody knows": {"list,value,expire_at\n", "column 3 of the heading is not one of list, value"},
		"a column twice":        {"list,value,list\n", "column 3 of the heading"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := ReadListEntries(strings.NewReader(c.text), declaredForTest); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// FuzzListEntries reads anything, and wants either entries that a list can hold or a line for every one that it cannot.
func FuzzListEntries(f *testing.F) {
	f.Add([]byte("list,value,expires_at,reason\nblocked_devices,dev-1,2027-11-09,why\nblocked_addresses,::1,,\n"))
	f.Add([]byte(`{"list":"blocked_devices","value":"dev-1","expires_at":null}`))
	f.Add([]byte("list,value\nblocked_devices,\"a\nb\"\n\"open,x\n"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, faults, err := ReadListEntries(bytes.NewReader(data), declaredForTest)
		if err != nil || faults.Total > 0 {
			if entries != nil || err == nil && len(faults.Listed) == 0 {
				t.Fatalf("got %d entries, %+v, %v", len(entries), faults, err)
			}
			return
		}
		for _, e := range entries {
			at := slices.IndexFunc(declaredForTest, func(l risk.List) bool { return l.Name == e.List })
			if at < 0 {
				t.Fatal("got an entry of a list that nobody declared")
			}
			if normal, err := declaredForTest[at].Normal(e.Value); err != nil || normal != e.Value {
				t.Fatalf("got a value that is not as the list holds it: %v", err)
			}
		}
	})
}
