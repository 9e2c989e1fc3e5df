package service

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// The wall-time limits of a holder's sign-in.
const (
	signInCodeFor     = 15 * time.Minute
	maxCodeAttempts   = 5
	maxCodesPerHour   = 5
	portalLinkFor     = 5 * time.Minute
	holderSessionFor  = 4 * time.Hour
	holderSessionIdle = 45 * time.Minute
)

// SignInRequest says which account a browser wants to sign in to: by a verification (from the link in a mail) or by e-mail address.
type SignInRequest struct {
	VerificationID string
	Email          string
}

// RequestSignInCode mails a one-time code to the account that the request names, if there is one. The answer is the same whether or
// not there is, and takes as long: nobody learns from it who has an account. It returns the token that binds the code to the browser
// that asked.
func (s *Service) RequestSignInCode(ctx context.Context, in SignInRequest) (string, error) {
	if in.VerificationID == "" {
		in.Email = strings.TrimSpace(in.Email)
		if in.Email == "" || !strings.Contains(in.Email, "@") || len(in.Email) > 254 {
			return "", problem.Field("email", "email_malformed", "enter the e-mail address of the account")
		}
	}
	browser := token()
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		accounts, err := accountsToSignIn(tx, in)
		if err != nil {
			return err
		}
		// Two requests for one address lock its accounts in one order, whatever happens to them in between.
		slices.SortFunc(accounts, func(a, b account.Account) int {
			return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.ID, b.ID))
		})
		wall := s.Clock.Wall()
		mails := 0
		for _, a := range accounts {
			// Under the lock, so that requests sent at the same time all count.
			if err := tx.LockAccount(a.TenantID, a.ID); err != nil {
				return err
			}
			recent, err := tx.CountChallenges(a.TenantID, a.ID, in.askedBy(), wall.Add(-time.Hour))
			if err != nil {
				return err
			}
			if a.Profile.Email == "" || recent >= maxCodesPerHour {
				continue
			}
			c := access.Challenge{
				ID: id.New(id.SignIn, wall), TenantID: a.TenantID, AccountID: a.ID, AskedBy: in.askedBy(), BrowserHash: hash(browser), CreatedAt: wall, ExpiresAt: wall.Add(signInCodeFor),
			}
			if err := tx.InsertChallenge(c); err != nil {
				return err
			}
			if err := tx.EnqueueNow(store.Job{
				TenantID: a.TenantID, Kind: JobSendSignInCode, Key: "sign_in:" + c.ID,
				Payload: map[string]string{"challenge_id": c.ID, "account_id": a.ID},
			}); err != nil {
				return err
			}
			mails++
		}
		if mails > 0 {
			return nil
		}
		// A transaction that writes nothing is over much sooner. This job finds no challenge, and so nobody to write to.
		none := id.New(id.SignIn, wall)
		return tx.EnqueueNow(store.Job{Kind: JobSendSignInCode, Key: "sign_in:" + none, Payload: map[string]string{"challenge_id": none}})
	})
	return browser, err
}

func (in SignInRequest) askedBy() access.AskedBy {
	if in.VerificationID != "" {
		return access.ByVerification
	}
	return access.ByEmail
}

func accountsToSignIn(tx *store.Tx, in SignInRequest) ([]account.Account, error) {
	if in.VerificationID == "" {
		return tx.AccountsByEmail(in.Email)
	}
	tenantID, accountID, found, err := tx.AccountOfVerification(in.VerificationID)
	if err != nil || !found {
		return nil, err
	}
	a, err := tx.Account(tenantID, accountID)
	return []account.Account{a}, err
}

// sendSignInCode makes the code, keeps its hash, and mails it. The code itself is never stored: a retry makes a new one.
func (s *Service) sendSignInCode(ctx context.Context, job store.Job) error {
	code, err := sixDigits()
	if err != nil {
		return err
	}
	var to, brand string
	var rendered notice.Rendered
	err = s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		c, err := tx.Challenge(job.TenantID, job.Payload["challenge_id"])
		if err != nil {
			return err
		}
		a, err := tx.Account(job.TenantID, job.Payload["account_id"])
		if err != nil {
			return err
		}
		t, err := tx.Tenant(job.TenantID)
		if err != nil {
			return err
		}
		if s.Clock.Wall().After(c.ExpiresAt) || !c.UsedAt.IsZero() {
			return nil
		}
		to, brand = a.Profile.Email, t.Name
		c.CodeHash = codeHash(c.ID, code)
		if rendered, err = notice.RenderSignInCode(notice.SignInCode{
			Locale: a.Profile.Locale, Brand: t.Name, BrandColor: t.BrandColor, SupportEmail: t.SupportEmail, HolderName: a.Profile.Name, Code: code,
			ValidMinutes: int(signInCodeFor.Minutes()),
		}); err != nil {
			return err
		}
		return tx.SaveChallenge(c)
	})
	if err != nil && !problem.Is(err, problem.NotFound) {
		return err
	}
	if to == "" {
		return s.finish(ctx, job)
	}
	// Each attempt has a code of its own, so it is a mail of its own: a mail program that drops repetitions would show the wrong one.
	_, err = s.Mailer.Send(ctx, mail.Message{
		To: to, FromName: brand, Subject: rendered.Subject, Text: rendered.Text, HTML: rendered.HTML,
		ID: job.ID + "." + strconv.Itoa(job.Attempts), At: s.Clock.Wall(),
	})
	if err != nil && !undeliverable(err) {
		return err
	}
	return s.finish(ctx, job)
}

func sixDigits() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%06d", n), nil
}

// codeHash binds a code to its challenge. Six digits can be guessed from any hash; the five attempts are what protects them.
func codeHash(challengeID, code string) []byte {
	sum := sha256.Sum256([]byte(challengeID + "\x00" + code))
	return sum[:]
}

// SignInWithCode exchanges a mailed code for a session of the account it was mailed for. Only the browser that asked for it can.
func (s *Service) SignInWithCode(ctx context.Context, browser, code string) (access.Actor, string, error) {
	wrong := problem.Field("code", "code_wrong", "that code is wrong, was used or has expired; check the latest mail, or ask for a new code")
	code = strings.NewReplacer(" ", "", "-", "").Replace(code)
	if browser == "" {
		return access.Actor{}, "", wrong
	}
	var actor access.Actor
	var session string
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		actor, session = access.Actor{}, "" // a transaction may run more than once
		wall := s.Clock.Wall()
		challenges, err := tx.ChallengesByBrowser(hash(browser))
		if err != nil {
			return err
		}
		var guessed []access.Challenge
		for _, c := range challenges {
			if !c.UsedAt.IsZero() || wall.After(c.ExpiresAt) || c.Attempts >= maxCodeAttempts || len(c.CodeHash) == 0 {
				continue
			}
			if subtle.ConstantTimeCompare(c.CodeHash, codeHash(c.ID, code)) == 1 {
				c.UsedAt = wall
				actor = access.Actor{Kind: access.Holder, TenantID: c.TenantID, ID: c.AccountID}
				if err := tx.SaveChallenge(c); err != nil {
					return err
				}
				session, err = s.startSession(tx, actor, access.HolderSession, holderSessionFor, journal.HolderSignedIn)
				return err
			}
			guessed = append(guessed, c)
		}
		// The code fits none of the accounts that share the address, so it was a guess at each of them.
		for _, c := range guessed {
			c.Attempts++
			if err := tx.SaveChallenge(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && session == "" {
		err = wrong
	}
	return actor, session, err
}

// MintPortalSession makes a one-time URL that signs its bearer in to one account. The tenant's own site, which knows who is signed in
// there, hands it to the holder's browser at once.
func (s *Service) MintPortalSession(ctx context.Context, actor access.Actor, accountID string) (string, time.Time, error) {
	if err := actor.Require(access.ManageAccounts); err != nil {
		return "", time.Time{}, err
	}
	secret := token()
	expires := s.Clock.Wall().Add(portalLinkFor)
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.Account(actor.TenantID, accountID); err != nil {
			return err
		}
		l := access.Link{
			ID: id.New(id.Link, s.Clock.Wall()), TenantID: actor.TenantID, Purpose: access.PortalSession, Hash: hash(secret), AccountID: accountID,
			CreatedBy: actor.ID, CreatedAt: s.Clock.Wall(), ExpiresAt: expires,
		}
		if err := tx.InsertLink(l); err != nil {
			return err
		}
		return tx.Append(actor, journal.Of(journal.PortalSessionMinted, l.ID, accountID))
	})
	return s.BaseURL + "/kyc/session?token=" + secret, expires, err
}

// SignInWithLink uses a minted portal session up, and returns the session of the account it was minted for.
func (s *Service) SignInWithLink(ctx context.Context, secret string) (access.Actor, string, error) {
	var actor access.Actor
	var session string
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		l, err := s.useLink(tx, secret, access.PortalSession)
		if err != nil {
			return err
		}
		actor = access.Actor{Kind: access.Holder, TenantID: l.TenantID, ID: l.AccountID}
		session, err = s.startSession(tx, actor, access.HolderSession, holderSessionFor, journal.HolderSignedIn)
		return err
	})
	return actor, session, err
}

// useLink finds a one-time link and uses it up.
func (s *Service) useLink(tx *store.Tx, secret string, purpose access.LinkPurpose) (access.Link, error) {
	l, err := tx.LinkByHash(hash(secret))
	if err != nil && !problem.Is(err, problem.NotFound) {
		return l, err
	}
	if err != nil || l.Purpose != purpose {
		return l, problem.New(problem.NotFound, "link_unknown", "this link is not valid; ask for a new one")
	}
	if !l.UsedAt.IsZero() {
		return l, problem.New(problem.Gone, "link_used", "this link was used already; ask for a new one")
	}
	if s.Clock.Wall().After(l.ExpiresAt) {
		return l, problem.New(problem.Gone, "link_expired", "this link has expired; ask for a new one")
	}
	return l, tx.UseLink(l, s.Clock.Wall())
}

// startSession opens a browser session and returns its token.
func (s *Service) startSession(tx *store.Tx, actor access.Actor, kind access.SessionKind, length time.Duration, event journal.EventType) (string, error) {
	secret := token()
	wall := s.Clock.Wall()
	if err := tx.InsertSession(access.Session{
		ID: id.New(id.Session, wall), TenantID: actor.TenantID, Kind: kind, SubjectID: actor.ID, Hash: hash(secret),
		CreatedAt: wall, SeenAt: wall, ExpiresAt: wall.Add(length),
	}); err != nil {
		return "", err
	}
	accountID := ""
	if kind == access.HolderSession {
		accountID = actor.ID
	}
	return secret, tx.Append(actor, journal.Of(event, actor.ID, accountID))
}

// HolderOf returns the account holder whose browser shows the session token.
func (s *Service) HolderOf(ctx context.Context, session string) (access.Actor, error) {
	found, err := s.session(ctx, session, access.HolderSession, holderSessionIdle)
	return access.Actor{Kind: access.Holder, TenantID: found.TenantID, ID: found.SubjectID}, err
}

// session finds a session that is neither revoked, expired nor idle for too long, and notes that it was seen.
func (s *Service) session(ctx context.Context, secret string, kind access.SessionKind, idle time.Duration) (access.Session, error) {
	over := problem.New(problem.Unauthenticated, "session_over", "your session is over; sign in again")
	var found access.Session
	if secret == "" {
		return found, over
	}
	wall := s.Clock.Wall()
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		found, err = tx.SessionByHash(hash(secret))
		return err
	})
	if problem.Is(err, problem.NotFound) {
		return access.Session{}, over
	}
	if err != nil {
		return access.Session{}, err
	}
	if found.Kind != kind || wall.After(found.ExpiresAt) || wall.After(found.SeenAt.Add(idle)) {
		return access.Session{}, over
	}
	if wall.Sub(found.SeenAt) > time.Minute {
		err = s.write(ctx, func(_ context.Context, tx *store.Tx) error { return tx.TouchSession(found.ID, wall) })
	}
	return found, err
}

// SignOut ends a session at once.
func (s *Service) SignOut(ctx context.Context, secret string) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		found, err := tx.SessionByHash(hash(secret))
		if problem.Is(err, problem.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return tx.RevokeSession(found.ID, s.Clock.Wall())
	})
}
