package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/demo"
)

var readyDemo = demo.Ready{
	URL: "http://localhost:8080", APIKey: "pk_live_k", ConsoleLink: "http://localhost:8080/console/join?token=t", FirstStart: true,
	MailboxURL: "http://localhost:8080/mailbox/", PlatformURL: "http://localhost:8080/platform/", KYCURL: "http://localhost:8080/kyc/",
	Played: true, Within: 2 * time.Second,
}

func TestTheDemoPrintsOneLineOfJSON(t *testing.T) {
	var out bytes.Buffer
	if err := printJSON(&out, readyDemo); err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Fatalf("got %q, want one line of JSON (%v)", out.String(), err)
	}
	want := map[string]string{"url": readyDemo.URL, "api_key": readyDemo.APIKey, "console_link": readyDemo.ConsoleLink, "mailbox_url": readyDemo.MailboxURL}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: got %q, want %q", name, got[name], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d members, want %d", len(got), len(want))
	}
}

func TestTheDemoPrintsWhereToBegin(t *testing.T) {
	for name, test := range map[string]struct {
		first bool
		want  []string
	}{
		"before anybody joined": {true, []string{"nobody has joined yet", readyDemo.ConsoleLink, readyDemo.APIKey, "Suspicious payment"}},
		"afterwards":            {false, []string{readyDemo.ConsoleLink, readyDemo.MailboxURL, readyDemo.PlatformURL}},
	} {
		t.Run(name, func(t *testing.T) {
			ready := readyDemo
			ready.FirstStart = test.first
			var out bytes.Buffer
			if err := (&demoCommand{Data: "./probity-data"}).printGuide(&out, ready); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in\n%s", want, out.String())
				}
			}
			if got := strings.Contains(out.String(), "nobody has joined"); got != test.first {
				t.Errorf("got %v, want %v", got, test.first)
			}
		})
	}
}
