package access

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/standard/problem"
)

var (
	kinds       = []ActorKind{Key, Staff, Holder, System}
	permissions = []Permission{
		ManageAccounts, OpenVerification, SendEvidence, DecideCases, ReadTenant, ManageTickets, ManageWebhooks, ManageStaff,
		ReportOutcomes, DraftPolicies, PublishPolicies, ManageLists,
	}
)

// rights is what each party may do, written out so that a change of it is seen here. y: yes, -: no.
var rights = []struct {
	who   string
	actor Actor
	may   string // in the order of permissions
}{
	{"a key", Actor{Kind: Key, TenantID: "ten_1", ID: "key_1"}, "yyyyyyy-yy-y"},
	{"a reviewer", Actor{Kind: Staff, TenantID: "ten_1", ID: "stf_1", Role: Reviewer}, "-yyyyy--y---"},
	{"an analyst", Actor{Kind: Staff, TenantID: "ten_1", ID: "stf_3", Role: Analyst}, "-yyyyy--yyyy"},
	{"an administrator", Actor{Kind: Staff, TenantID: "ten_1", ID: "stf_2", Role: Administrator}, "-yyyyyyyyyyy"},
	{"a holder", Actor{Kind: Holder, TenantID: "ten_1", ID: "acct_1"}, "------------"},
	{"the system", SystemActor("ten_1", "deadlines"), "-y--y-------"},
	{"nobody in particular", Actor{TenantID: "ten_1"}, "------------"},
	{"a key that claims a role", Actor{Kind: Key, TenantID: "ten_1", Role: Administrator}, "yyyyyyy-yy-y"},
	{"a holder who claims a role", Actor{Kind: Holder, TenantID: "ten_1", Role: Administrator}, "------------"},
}

func TestWhatEachPartyMayDo(t *testing.T) {
	for _, r := range rights {
		for i, p := range permissions {
			may := "may not"
			if r.may[i] == 'y' {
				may = "may"
			}
			t.Run(r.who+" "+may+" "+string(p), func(t *testing.T) {
				err := r.actor.Require(p)
				if may == "may" && err != nil {
					t.Errorf("got %v", err)
				}
				if may != "may" && !problem.Is(err, problem.Forbidden) {
					t.Errorf("got %v, want forbidden", err)
				}
			})
		}
	}
}

func TestWithoutATenantNothingIsAllowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Actor{
			Kind: rapid.SampledFrom(append(kinds, "")).Draw(t, "kind"), ID: rapid.String().Draw(t, "id"),
			Role: rapid.SampledFrom([]Role{"", Reviewer, Analyst, Administrator}).Draw(t, "role"),
		}
		p := rapid.SampledFrom(permissions).Draw(t, "permission")
		if err := a.Require(p); !problem.Is(err, problem.Unauthenticated) {
			t.Fatalf("got %v, want unauthenticated", err)
		}
		if err := a.RequireAccount(p, a.ID); err == nil {
			t.Fatal("got allowed on an account without a tenant")
		}
	})
}

func TestAccessToOneAccount(t *testing.T) {
	holder := Actor{Kind: Holder, TenantID: "ten_1", ID: "acct_1"}
	for _, c := range []struct {
		name    string
		actor   Actor
		account string
		want    problem.Kind // Unspecified means allowed
	}{
		{"a holder reaches their own account", holder, "acct_1", problem.Unspecified},
		{"a holder is told that somebody else's does not exist", holder, "acct_2", problem.NotFound},
		{"a holder is told that no account does not exist", holder, "", problem.NotFound},
		{"a holder without a tenant reaches nothing", Actor{Kind: Holder, ID: "acct_1"}, "acct_1", problem.NotFound},
		{"a key reaches any account", Actor{Kind: Key, TenantID: "ten_1"}, "acct_2", problem.Unspecified},
		{"the system sends no evidence", SystemActor("ten_1", "deadlines"), "acct_1", problem.Forbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.actor.RequireAccount(SendEvidence, c.account)
			if (c.want == problem.Unspecified && err != nil) || (c.want != problem.Unspecified && !problem.Is(err, c.want)) {
				t.Errorf("got %v, want kind %d", err, c.want)
			}
		})
	}
}

func TestValidityOfRoles(t *testing.T) {
	for role, want := range map[Role]bool{Reviewer: true, Analyst: true, Administrator: true, "": false, "owner": false} {
		if got := role.Valid(); got != want {
			t.Errorf("%q: got %v, want %v", role, got, want)
		}
	}
}
