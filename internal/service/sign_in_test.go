package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// ask asks for a sign-in code and has it mailed; it returns the browser's token.
func (w *world) ask(email string) string {
	w.Helper()
	browser, err := w.s.RequestSignInCode(w.Context(), service.SignInRequest{Email: email})
	w.must(err)
	w.work()
	return browser
}

func wrongCode(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestAHolderSignsInWithAMailedCode(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		browser := w.ask(" ALMA@mail.example ")
		code := w.code("alma@mail.example")
		actor, session, err := w.s.SignInWithCode(w.Context(), browser, code[:3]+" "+code[3:])
		w.must(err)
		if actor != p.holder {
			w.Errorf("got %+v, want the account", actor)
		}
		again, err := w.s.HolderOf(w.Context(), session)
		w.must(err)
		if again != p.holder {
			w.Errorf("got %+v by the session", again)
		}
		if _, _, err := w.s.StaffOf(w.Context(), session); !problem.Is(err, problem.Unauthenticated) {
			w.Errorf("got %v, want that a holder's session opens no console", err)
		}
		_, _, err = w.s.SignInWithCode(w.Context(), browser, code)
		refused(w, err, problem.Invalid, "code_wrong")
		w.must(w.s.SignOut(w.Context(), session))
		_, err = w.s.HolderOf(w.Context(), session)
		refused(w, err, problem.Unauthenticated, "session_over")
		w.must(w.s.SignOut(w.Context(), session))
		if stored := w.text("challenges", "sessions", "jobs", "journal"); strings.Contains(stored, code) || strings.Contains(stored, session) || strings.Contains(stored, browser) {
			w.Error("a code, session or browser token is stored in clear")
		}
	})
}

func TestCodesThatDoNotSignIn(t *testing.T) {
	for _, test := range []struct {
		name string
		try  func(w *world, browser, code string) (string, string)
	}{
		{"in another browser", func(w *world, _, code string) (string, string) { return w.ask("other@mail.example"), code }},
		{"without a browser", func(_ *world, _, code string) (string, string) { return "", code }},
		{"after a quarter of an hour of wall time", func(w *world, browser, code string) (string, string) {
			w.pass(15*time.Minute + time.Second)
			return browser, code
		}},
		{"empty", func(_ *world, browser, _ string) (string, string) { return browser, "" }},
		{"after five wrong ones", func(w *world, browser, code string) (string, string) {
			for range 5 {
				_, _, err := w.s.SignInWithCode(w.Context(), browser, wrongCode(code))
				refused(w, err, problem.Invalid, "code_wrong")
			}
			return browser, code
		}},
		{"after wrong ones that came at once", func(w *world, browser, code string) (string, string) {
			for _, err := range atOnce(8, func(int) error {
				_, _, err := w.s.SignInWithCode(w.Context(), browser, wrongCode(code))
				return err
			}) {
				if err == nil {
					w.Error("a wrong code signed in")
				}
			}
			return browser, code
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			on(t, func(w *world) {
				w.person()
				browser := w.ask("alma@mail.example")
				browser, code := test.try(w, browser, w.code("alma@mail.example"))
				_, session, err := w.s.SignInWithCode(w.Context(), browser, code)
				refused(w, err, problem.Invalid, "code_wrong")
				if session != "" || w.counts()["sessions"] != 0 {
					w.Error("a session was opened")
				}
			})
		})
	}
}

func TestFourWrongCodesAndTheRightOneSignIn(t *testing.T) {
	on(t, func(w *world) {
		w.person()
		browser := w.ask("alma@mail.example")
		code := w.code("alma@mail.example")
		for range 4 {
			_, _, err := w.s.SignInWithCode(w.Context(), browser, wrongCode(code))
			refused(w, err, problem.Invalid, "code_wrong")
		}
		_, _, err := w.s.SignInWithCode(w.Context(), browser, code)
		w.must(err)
	})
}

func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	on(t, func(w *world) {
		w.person(func(a *account.Profile) { a.Email = "" })
		before := w.counts()
		unknown, err := w.s.RequestSignInCode(w.Context(), service.SignInRequest{Email: "nobody@mail.example"})
		w.must(err)
		byLink, err := w.s.RequestSignInCode(w.Context(), service.SignInRequest{VerificationID: "ver_00000000000000000000000000"})
		w.must(err)
		if len(unknown) != 43 || len(byLink) != 43 || unknown == byLink {
			w.Errorf("got tokens %q and %q, want ones like any other", unknown, byLink)
		}
		if got := w.grown(before); got != "jobs+2" {
			w.Errorf("got %q, want a job each, so that the answer takes as long as any other", got)
		}
		w.work()
		if got := w.grown(before); got != "" || len(w.post.mails()) != 0 {
			w.Errorf("got %q and %d mails, want nothing", got, len(w.post.mails()))
		}
		_, _, err = w.s.SignInWithCode(w.Context(), unknown, "123456")
		refused(w, err, problem.Invalid, "code_wrong")
	})
}

func TestALinkInAMailLeadsToACodeForItsAccountOnly(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		w.person(func(a *account.Profile) { a.Name = "Another Account" })
		_, v := w.reject(p)
		browser, err := w.s.RequestSignInCode(w.Context(), service.SignInRequest{VerificationID: v.ID})
		w.must(err)
		w.work()
		actor, _, err := w.s.SignInWithCode(w.Context(), browser, w.code("alma@mail.example"))
		w.must(err)
		if actor != p.holder {
			w.Errorf("got %+v, want the account of the verification", actor)
		}
	})
}

func TestSeveralAccountsWithOneAddress(t *testing.T) {
	on(t, func(w *world) {
		first, second := w.person(), w.person(func(a *account.Profile) { a.Name = "Petersen Trading" })
		browser := w.ask("alma@mail.example")
		codes := map[string]string{}
		for _, m := range w.post.mails() {
			for _, p := range []person{first, second} {
				if strings.Contains(m.Text, p.account.Profile.Name) {
					codes[p.account.ID] = sixDigits.FindString(m.Text)
				}
			}
		}
		if len(codes) != 2 {
			w.Fatalf("got codes for %d accounts, want both, each named in its mail", len(codes))
		}
		_, _, err := w.s.SignInWithCode(w.Context(), browser, wrongCode(""))
		if codes[first.account.ID] != "000000" && codes[second.account.ID] != "000000" {
			refused(w, err, problem.Invalid, "code_wrong")
		}
		for _, p := range []person{second, first} {
			actor, _, err := w.s.SignInWithCode(w.Context(), browser, codes[p.account.ID])
			w.must(err)
			if actor.ID != p.account.ID {
				w.Errorf("got account %s, want the one that the code was mailed for", actor.ID)
			}
		}
		if codes[first.account.ID] == codes[second.account.ID] {
			w.Skip("both codes are equal, which happens once in a million runs")
		}
	})
}

func TestFiveCodesAnHour(t *testing.T) {
	on(t, func(w *world) {
		w.person()
		for _, err := range atOnce(9, func(int) error {
			_, err := w.s.RequestSignInCode(w.Context(), service.SignInRequest{Email: "alma@mail.example"})
			return err
		}) {
			w.must(err)
		}
		w.work()
		if got := len(w.post.mails()); got != 5 {
			w.Errorf("got %d mails, want 5", got)
		}
		w.pass(time.Hour + time.Second)
		w.ask("alma@mail.example")
		if got := len(w.post.mails()); got != 6 {
			w.Errorf("got %d mails after an hour, want 6", got)
		}
	})
}

func TestWhoKnowsOnlyTheAddressCannotUseUpTheCodesOfTheLink(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		view, err := w.s.OpenVerification(w.Context(), w.key, service.OpenVerification{AccountID: p.account.ID, Type: verification.PaymentSecurity})
		w.must(err)
		w.work()
		for range 7 {
			w.ask("alma@mail.example")
		}
		before := len(w.post.mails())
		_, err = w.s.RequestSignInCode(w.Context(), service.SignInRequest{VerificationID: view.Verification.ID})
		w.must(err)
		w.work()
		if got := len(w.post.mails()); got != before+1 {
			w.Errorf("got %d mails, want one more than %d", got, before)
		}
	})
}

func TestACodeThatIsMailedAgainIsANewOne(t *testing.T) {
	on(t, func(w *world) {
		w.person()
		var lost mail.Message
		w.post.fail = func(m mail.Message) (bool, error) {
			lost = m
			return false, &mail.Error{Stage: mail.StageContent}
		}
		browser := w.ask("alma@mail.example")
		w.post.fail = nil
		w.pass(5 * time.Second)
		w.work()
		sent := w.post.mails()
		if len(sent) != 1 || sent[0].ID == lost.ID {
			w.Fatalf("got %d mails, want one with a Message-ID of its own", len(sent))
		}
		old := sixDigits.FindString(lost.Text)
		if code := w.code("alma@mail.example"); code != old {
			_, _, err := w.s.SignInWithCode(w.Context(), browser, old)
			refused(w, err, problem.Invalid, "code_wrong")
		}
		_, _, err := w.s.SignInWithCode(w.Context(), browser, w.code("alma@mail.example"))
		w.must(err)
	})
}

func TestSessionsKeepWallTime(t *testing.T) {
	on(t, func(w *world) {
		w.person()
		browser := w.ask("alma@mail.example")
		moved, err := w.s.AdvanceClock(w.Context(), w.key, 300*24*time.Hour)
		w.must(err)
		if want := start.Add(300 * 24 * time.Hour); !moved.Equal(want) || !w.now().Equal(want) {
			w.Errorf("got %v, clock %v, want %v", moved, w.now(), want)
		}
		_, session, err := w.s.SignInWithCode(w.Context(), browser, w.code("alma@mail.example"))
		w.must(err)
		_, err = w.s.AdvanceClock(w.Context(), w.key, 24*time.Hour)
		w.must(err)
		for range 5 {
			w.pass(44 * time.Minute)
			if _, err := w.s.HolderOf(w.Context(), session); err != nil {
				w.Fatalf("a session in use ended: %v", err)
			}
		}
		w.pass(21 * time.Minute) // four hours and a minute since it began
		_, err = w.s.HolderOf(w.Context(), session)
		refused(w, err, problem.Unauthenticated, "session_over")
	})
}

func TestAnIdleSessionEnds(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		url, _, err := w.s.MintPortalSession(w.Context(), w.key, p.account.ID)
		w.must(err)
		_, session, err := w.s.SignInWithLink(w.Context(), linkToken(url))
		w.must(err)
		w.pass(46 * time.Minute)
		_, err = w.s.HolderOf(w.Context(), session)
		refused(w, err, problem.Unauthenticated, "session_over")
	})
}

func linkToken(url string) string {
	_, token, _ := strings.Cut(url, "token=")
	return token
}

func TestAPortalLinkSignsInOnce(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		url, expires, err := w.s.MintPortalSession(w.Context(), w.key, p.account.ID)
		w.must(err)
		if !expires.Equal(w.clock.Wall().Add(5 * time.Minute)) {
			w.Errorf("got expiry %v", expires)
		}
		_, err = w.s.LookAtLink(w.Context(), linkToken(url), true)
		refused(w, err, problem.NotFound, "link_unknown") // it makes nobody staff
		sessions := make([]string, 5)
		used := 0
		for _, err := range atOnce(5, func(i int) error {
			var err error
			_, sessions[i], err = w.s.SignInWithLink(w.Context(), linkToken(url))
			return err
		}) {
			if err == nil {
				used++
				continue
			}
			refused(w, err, problem.Gone, "link_used")
		}
		if used != 1 || w.countEvents(journal.HolderSignedIn) != 1 {
			w.Errorf("the link signed in %d times", used)
		}
		late, _, err := w.s.MintPortalSession(w.Context(), w.key, p.account.ID)
		w.must(err)
		w.pass(5*time.Minute + time.Second)
		_, _, err = w.s.SignInWithLink(w.Context(), linkToken(late))
		refused(w, err, problem.Gone, "link_expired")
		_, _, err = w.s.SignInWithLink(w.Context(), "made-up")
		refused(w, err, problem.NotFound, "link_unknown")
		if strings.Contains(w.text("links", "sessions", "journal"), linkToken(url)) {
			w.Error("the token of a link is stored in clear")
		}
	})
}

const passphrase = "four unrelated words here"

// administrator joins as the tenant's first member of staff.
func (w *world) administrator() (access.Actor, string) {
	w.Helper()
	link, err := w.s.FirstStartLink(w.Context(), w.tenant.ID)
	w.must(err)
	actor, session, err := w.s.JoinStaff(w.Context(), service.Join{
		Token: linkToken(link), Local: true, Name: "Ines Moreau", Email: "ines@harbour.example", Passphrase: passphrase,
	})
	w.must(err)
	return actor, session
}

func TestTheFirstAdministratorJoinsOnTheMachineItself(t *testing.T) {
	alone(t)
	on(t, func(w *world) {
		old, err := w.s.FirstStartLink(w.Context(), w.tenant.ID)
		w.must(err)
		link, err := w.s.FirstStartLink(w.Context(), w.tenant.ID)
		w.must(err)
		join := service.Join{Token: linkToken(link), Local: true, Name: "Ines Moreau", Email: "ines@harbour.example", Passphrase: passphrase}
		for _, test := range []struct {
			name   string
			change func(*service.Join)
			kind   problem.Kind
			code   string
		}{
			{"an earlier link", func(j *service.Join) { j.Token = linkToken(old) }, problem.NotFound, "link_unknown"},
			{"from elsewhere", func(j *service.Join) { j.Local = false }, problem.Forbidden, "link_local_only"},
			{"a short passphrase", func(j *service.Join) { j.Passphrase = "short" }, problem.Invalid, "passphrase_too_short"},
			{"no name", func(j *service.Join) { j.Name = " " }, problem.Invalid, "required"},
			{"no address", func(j *service.Join) { j.Email = "" }, problem.Invalid, "required"},
		} {
			in := join
			test.change(&in)
			_, _, err := w.s.JoinStaff(w.Context(), in)
			refused(w, err, test.kind, test.code)
		}
		actor, session, err := w.s.JoinStaff(w.Context(), join)
		w.must(err)
		if actor.Role != access.Administrator {
			w.Errorf("got role %s", actor.Role)
		}
		if _, _, err := w.s.StaffOf(w.Context(), session); err != nil {
			w.Errorf("got %v, want a session", err)
		}
		_, _, err = w.s.JoinStaff(w.Context(), join)
		refused(w, err, problem.Gone, "link_used")
		if again, err := w.s.FirstStartLink(w.Context(), w.tenant.ID); err != nil || again != "" {
			w.Errorf("got link %q (%v), want none once there is staff", again, err)
		}
	})
}

func TestAnEndedAccessEndsAtOnceAndCanBeGivenBack(t *testing.T) {
	alone(t)
	on(t, func(w *world) {
		admin, _ := w.administrator()
		link, _, err := w.s.InviteStaff(w.Context(), admin, "leo@harbour.example", access.Reviewer)
		w.must(err)
		leo, session, err := w.s.JoinStaff(w.Context(), service.Join{Token: linkToken(link), Name: "Leo", Passphrase: passphrase})
		w.must(err)
		refused(w, w.s.SetStaffAccess(w.Context(), leo, admin.ID, false), problem.Forbidden, "forbidden")
		refused(w, w.s.SetStaffAccess(w.Context(), admin, admin.ID, false), problem.Conflict, "own_access")
		for range 2 { // a double click
			w.must(w.s.SetStaffAccess(w.Context(), admin, leo.ID, false))
		}
		_, _, err = w.s.StaffOf(w.Context(), session)
		refused(w, err, problem.Unauthenticated, "session_over")
		_, _, err = w.s.SignInStaff(w.Context(), "leo@harbour.example", passphrase)
		refused(w, err, problem.Unauthenticated, "sign_in_refused")
		w.must(w.s.SetStaffAccess(w.Context(), admin, leo.ID, true))
		if _, _, err := w.s.SignInStaff(w.Context(), "leo@harbour.example", passphrase); err != nil {
			w.Errorf("the access that was given back does not sign in: %v", err)
		}
	})
}

func TestStaffAreInvitedIntoARole(t *testing.T) {
	alone(t)
	on(t, func(w *world) {
		admin, _ := w.administrator()
		_, _, err := w.s.InviteStaff(w.Context(), w.reviewer, "leo@harbour.example", access.Reviewer)
		refused(w, err, problem.Forbidden, "forbidden")
		_, _, err = w.s.InviteStaff(w.Context(), admin, "INES@harbour.example", access.Reviewer)
		refused(w, err, problem.Conflict, "email_taken")
		_, _, err = w.s.InviteStaff(w.Context(), admin, "leo@harbour.example", "owner")
		refused(w, err, problem.Invalid, "role_unknown")
		late, _, err := w.s.InviteStaff(w.Context(), admin, "late@harbour.example", access.Reviewer)
		w.must(err)
		w.pass(73 * time.Hour)
		_, _, err = w.s.JoinStaff(w.Context(), service.Join{Token: linkToken(late), Name: "Late", Passphrase: passphrase})
		refused(w, err, problem.Gone, "link_expired")
		link, _, err := w.s.InviteStaff(w.Context(), admin, "leo@harbour.example", access.Reviewer)
		w.must(err)
		leo, _, err := w.s.JoinStaff(w.Context(), service.Join{Token: linkToken(link), Name: "Leo", Email: "forged@harbour.example", Passphrase: passphrase})
		w.must(err)
		if leo.Role != access.Reviewer {
			w.Errorf("got role %s, want that of the invitation", leo.Role)
		}
		if _, _, err := w.s.SignInStaff(w.Context(), "leo@harbour.example", passphrase); err != nil {
			w.Errorf("the invited address does not sign in: %v", err)
		}
	})
}

func TestEightWrongPassphrasesLockForAQuarterOfAnHour(t *testing.T) {
	on(t, func(w *world) {
		w.administrator()
		_, _, unknown := w.s.SignInStaff(w.Context(), "nobody@harbour.example", passphrase)
		refused(w, unknown, problem.Unauthenticated, "sign_in_refused")
		// At once, because guesses made at once have to count as well.
		for _, err := range atOnce(8, func(int) error {
			_, _, err := w.s.SignInStaff(w.Context(), "ines@harbour.example", "not the right passphrase")
			return err
		}) {
			refused(w, err, problem.Unauthenticated, "sign_in_refused")
			if err.Error() != unknown.Error() {
				w.Error("a wrong passphrase is told from an unknown address")
			}
		}
		_, session, err := w.s.SignInStaff(w.Context(), "ines@harbour.example", passphrase)
		refused(w, err, problem.Unauthenticated, "sign_in_refused")
		if session != "" || w.countEvents(journal.StaffSignInRefused) != 8 {
			w.Errorf("got session %v and %d entries", session != "", w.countEvents(journal.StaffSignInRefused))
		}
		w.pass(15*time.Minute + time.Second)
		_, session, err = w.s.SignInStaff(w.Context(), " Ines@Harbour.example", passphrase)
		w.must(err)
		w.pass(61 * time.Minute)
		_, _, err = w.s.StaffOf(w.Context(), session)
		refused(w, err, problem.Unauthenticated, "session_over")
		if text := w.text("members", "journal", "sessions"); strings.Contains(text, passphrase) {
			w.Error("a passphrase is stored in clear")
		}
	})
}

func TestAnAPIKeyEndsAtOnce(t *testing.T) {
	on(t, func(w *world) {
		key, secret, err := w.s.CreateKey(w.Context(), w.tenant.ID, "platform")
		w.must(err)
		actor, err := w.s.AuthenticateKey(w.Context(), secret.Reveal())
		w.must(err)
		if actor.TenantID != w.tenant.ID || actor.Kind != access.Key {
			w.Errorf("got %+v", actor)
		}
		w.must(w.s.RevokeKey(w.Context(), w.tenant.ID, key.ID))
		_, err = w.s.AuthenticateKey(w.Context(), secret.Reveal())
		refused(w, err, problem.Unauthenticated, "api_key_unknown")
		if strings.Contains(w.text("api_keys", "journal"), secret.Reveal()) {
			w.Error("an API key is stored in clear")
		}
	})
}
