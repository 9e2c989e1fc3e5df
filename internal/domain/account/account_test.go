package account

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/statedoc"
)

var now = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

func whole() Profile {
	return Profile{
		ExternalID: "user-17", Kind: Individual, Name: "Lin Mei", Email: "lin.mei@example.com", Phone: "+65 6123 4567",
		Address: Address{Lines: []string{"1 Harbour Road"}, City: "Singapore", PostalCode: "018989", Country: "SG"},
		Country: "SG", DateOfBirth: "1990-02-28", Locale: "zh-CN", TimeZone: "Asia/Singapore", Industry: "retail",
	}
}

func TestAProfile(t *testing.T) {
	long := strings.Repeat("字", 201)
	for _, c := range []struct {
		name   string
		change func(*Profile)
		field  string
		code   string
	}{
		{"with everything is accepted", func(*Profile) {}, "", ""},
		{"of an enterprise is accepted", func(p *Profile) { p.Kind = Enterprise }, "", ""},
		{"with only kind and name is accepted", func(p *Profile) { *p = Profile{Kind: Individual, Name: "李梅"} }, "", ""},
		{"with a name of two hundred characters is accepted", func(p *Profile) { p.Name = strings.Repeat("字", 200) }, "", ""},
		{"without a kind is refused", func(p *Profile) { p.Kind = "" }, "kind", "kind_unknown"},
		{"of an unknown kind is refused", func(p *Profile) { p.Kind = "robot" }, "kind", "kind_unknown"},
		{"without a name is refused", func(p *Profile) { p.Name = "" }, "name", "required"},
		{"with a blank name is refused", func(p *Profile) { p.Name = " \t" }, "name", "required"},
		{"with a name that is too long is refused", func(p *Profile) { p.Name = long }, "name", "too_long"},
		{"with an external id that is too long is refused", func(p *Profile) { p.ExternalID = long }, "external_id", "too_long"},
		{"with a phone that is too long is refused", func(p *Profile) { p.Phone = long }, "phone", "too_long"},
		{"with an industry that is too long is refused", func(p *Profile) { p.Industry = long }, "industry", "too_long"},
		{"with activities that are too long is refused", func(p *Profile) { p.BusinessActivities = long }, "business_activities", "too_long"},
		{"with a city that is too long is refused", func(p *Profile) { p.Address.City = long }, "address.city", "too_long"},
		{"with a region that is too long is refused", func(p *Profile) { p.Address.Region = long }, "address.region", "too_long"},
		{"with a postal code that is too long is refused", func(p *Profile) { p.Address.PostalCode = long }, "address.postal_code", "too_long"},
		{"with an address line that is too long is refused", func(p *Profile) { p.Address.Lines = []string{long} }, "address.lines", "too_long"},
		{"with seven address lines is refused", func(p *Profile) { p.Address.Lines = make([]string, 7) }, "address.lines", "too_long"},
		{"with a control character is refused", func(p *Profile) { p.Name = "Lin\x00Mei" }, "name", "control_character"},
		{"with broken UTF-8 is refused", func(p *Profile) { p.Name = "Lin\xff" }, "name", "control_character"},
		{"with a mail address that is none is refused", func(p *Profile) { p.Email = "lin" }, "email", "email_malformed"},
		{"with a display name in the mail address is refused", func(p *Profile) { p.Email = "Lin <lin@example.com>" }, "email", "email_malformed"},
		{"with two mail addresses is refused", func(p *Profile) { p.Email = "a@example.com, b@example.com" }, "email", "email_malformed"},
		{"with a header in the mail address is refused", func(p *Profile) { p.Email = "a@example.com\r\nBcc: b@example.com" }, "email", "email_malformed"},
		{"with a mail address that is too long is refused", func(p *Profile) { p.Email = strings.Repeat("a", 250) + "@example.com" }, "email", "email_malformed"},
		{"with an unknown country is refused", func(p *Profile) { p.Country = "XZ" }, "country", "country_unknown"},
		{"with a country in lower case is refused", func(p *Profile) { p.Country = "sg" }, "country", "country_unknown"},
		{"with an unknown country in its address is refused", func(p *Profile) { p.Address.Country = "Singapore" }, "address.country", "country_unknown"},
		{"with a birth in the future is refused", func(p *Profile) { p.DateOfBirth = "2026-04-02" }, "date_of_birth", "date_out_of_range"},
		{"with a birth before 1900 is refused", func(p *Profile) { p.DateOfBirth = "1899-12-31" }, "date_of_birth", "date_out_of_range"},
		{"with a day that does not exist is refused", func(p *Profile) { p.DateOfBirth = "1990-02-30" }, "date_of_birth", "date_out_of_range"},
		{"with a birth in another form is refused", func(p *Profile) { p.DateOfBirth = "28/02/1990" }, "date_of_birth", "date_out_of_range"},
		{"with an unknown time zone is refused", func(p *Profile) { p.TimeZone = "Mars/Olympus" }, "time_zone", "time_zone_unknown"},
		{"with the machine's time zone is refused", func(p *Profile) { p.TimeZone = "Local" }, "time_zone", "time_zone_unknown"},
		{"with a path as time zone is refused", func(p *Profile) { p.TimeZone = "../../etc/passwd" }, "time_zone", "time_zone_unknown"},
		{"with a locale that is none is refused", func(p *Profile) { p.Locale = "english please" }, "locale", "locale_malformed"},
		{"with a locale that is too long is refused", func(p *Profile) { p.Locale = "en" + strings.Repeat("-abcdefgh", 4) }, "locale", "locale_malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			profile := whole()
			c.change(&profile)
			err := profile.Check(now)
			if c.code == "" {
				if err != nil {
					t.Errorf("got %v, want it accepted", err)
				}
				return
			}
			if p := problem.As(err); p == nil || p.Code != c.code || p.Field != c.field {
				t.Errorf("got %v, want %s of %s", err, c.code, c.field)
			}
		})
	}
}

func TestARefusalNeverHoldsTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := "q" + rapid.StringMatching(`[0-9]{12}`).Draw(t, "secret") + "\x01"
		profile := whole()
		switch rapid.IntRange(0, 6).Draw(t, "field") {
		case 0:
			profile.Name = secret
		case 1:
			profile.Email = secret
		case 2:
			profile.Country = secret
		case 3:
			profile.DateOfBirth = secret
		case 4:
			profile.TimeZone = secret
		case 5:
			profile.Locale = secret
		default:
			profile.Kind = Kind(secret)
		}
		if err := profile.Check(now); err == nil || strings.Contains(err.Error(), strings.TrimSuffix(secret, "\x01")) {
			t.Fatalf("got %v, want a refusal without the value", err)
		}
	})
}

func TestTextThatIsAcceptedIsCleanAndWithinItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, limit := rapid.String().Draw(t, "text"), rapid.IntRange(0, 40).Draw(t, "limit")
		if CheckText("note", text, limit) == nil && (utf8.RuneCountInString(text) > limit || strings.ContainsAny(text, "\x00\x1b\x7f\r")) {
			t.Fatalf("got %q accepted with limit %d", text, limit)
		}
	})
}

func TestTheZoneOfAnAccount(t *testing.T) {
	fallback := time.FixedZone("tenant", 3600)
	for _, c := range []struct{ name, zone, want string }{
		{"is its own", "Asia/Singapore", "Asia/Singapore"}, {"is the tenant's when it has none", "", "tenant"}, {"is the tenant's when its own is unknown", "Mars/Olympus", "tenant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (Profile{TimeZone: c.zone}).Zone(fallback).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTheRestrictionPageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "restriction")
	if len(page.Built()) != 0 {
		t.Errorf("got %v, want no functions: use cases place and lift a restriction", page.Built())
	}
	for _, c := range []struct {
		name string
		r    Restriction
		want bool
	}{
		{"one that was placed stands", Restriction{ID: "rst_1", PlacedAt: now}, true},
		{"one that was lifted does not", Restriction{ID: "rst_1", PlacedAt: now, LiftedAt: now}, false},
		{"no restriction does not", Restriction{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.r.Standing(); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
