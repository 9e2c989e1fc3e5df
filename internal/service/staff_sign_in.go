package service

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// The wall-time limits of staff sign-in.
const (
	firstStartFor    = 24 * time.Hour
	inviteFor        = 72 * time.Hour
	staffSessionFor  = 12 * time.Hour
	staffSessionIdle = time.Hour
	maxFailures      = 8
	lockFor          = 15 * time.Minute
	minPassphrase    = 12
	maxPassphrase    = 200
)

// FirstStartLink returns a one-time link with which the tenant's first administrator joins, or "" when the tenant has staff. Earlier
// unused links of this kind stop working: only the latest printed one does.
func (s *Service) FirstStartLink(ctx context.Context, tenantID string) (string, error) {
	secret := token()
	needed := false
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		needed = false // a transaction may run more than once
		members, err := tx.Members(tenantID)
		if err != nil || len(members) > 0 {
			return err
		}
		needed = true
		wall := s.Clock.Wall()
		if err := tx.RevokeLinks(tenantID, access.FirstStart); err != nil {
			return err
		}
		return tx.InsertLink(access.Link{
			ID: id.New(id.Link, wall), TenantID: tenantID, Purpose: access.FirstStart, Hash: hash(secret), Role: access.Administrator,
			CreatedBy: "first_start", CreatedAt: wall, ExpiresAt: wall.Add(firstStartFor),
		})
	})
	if err != nil || !needed {
		return "", err
	}
	return s.BaseURL + "/console/join?token=" + secret, nil
}

// InviteStaff makes a one-time link with which one more person joins in a role.
func (s *Service) InviteStaff(ctx context.Context, actor access.Actor, email string, role access.Role) (string, time.Time, error) {
	if err := actor.Require(access.ManageStaff); err != nil {
		return "", time.Time{}, err
	}
	if !role.Valid() {
		return "", time.Time{}, problem.Field("role", "role_unknown", "role must be reviewer, analyst or administrator")
	}
	if err := checkStaffEmail(email); err != nil {
		return "", time.Time{}, err
	}
	secret := token()
	expires := s.Clock.Wall().Add(inviteFor)
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.MemberByEmail(email); !problem.Is(err, problem.NotFound) {
			if err != nil {
				return err
			}
			return &problem.Problem{Kind: problem.Conflict, Code: "email_taken", Field: "email", Message: "somebody with this address has joined already"}
		}
		l := access.Link{
			ID: id.New(id.Link, s.Clock.Wall()), TenantID: actor.TenantID, Purpose: access.StaffInvite, Hash: hash(secret), Role: role, Email: email,
			CreatedBy: actor.ID, CreatedAt: s.Clock.Wall(), ExpiresAt: expires,
		}
		if err := tx.InsertLink(l); err != nil {
			return err
		}
		return tx.Append(actor, journal.Of(journal.StaffInvited, l.ID, "", "role", string(role)))
	})
	return s.BaseURL + "/console/join?token=" + secret, expires, err
}

func checkStaffEmail(email string) error {
	if email == "" {
		return problem.Field("email", "required", "an e-mail address is the sign-in name")
	}
	return account.Profile{Kind: account.Individual, Name: "staff", Email: email}.Check(time.Time{})
}

// Join is what a new member of staff fills in.
type Join struct {
	Token      string
	Local      bool // the browser is on the machine itself; first-start links open nowhere else
	Name       string
	Email      string // first start only; an invitation fixes it
	Passphrase string
}

// LookAtLink says what a one-time staff link is for, without using it up.
func (s *Service) LookAtLink(ctx context.Context, secret string, local bool) (access.Link, error) {
	var l access.Link
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		l, err = s.staffLink(tx, secret, local)
		return err
	})
	return l, err
}

func (s *Service) staffLink(tx *store.Tx, secret string, local bool) (access.Link, error) {
	l, err := tx.LinkByHash(hash(secret))
	if err != nil && !problem.Is(err, problem.NotFound) {
		return l, err
	}
	if err != nil || (l.Purpose != access.FirstStart && l.Purpose != access.StaffInvite) {
		return l, problem.New(problem.NotFound, "link_unknown", "this link is not valid; ask for a new one")
	}
	if l.Purpose == access.FirstStart && !local {
		return l, problem.New(problem.Forbidden, "link_local_only", "the first-start link opens on the machine that runs Probity only, at localhost")
	}
	if !l.UsedAt.IsZero() {
		return l, problem.New(problem.Gone, "link_used", "this link was used already; sign in, or ask an administrator for a new one")
	}
	if s.Clock.Wall().After(l.ExpiresAt) {
		return l, problem.New(problem.Gone, "link_expired", "this link has expired; ask for a new one, or restart Probity to print a new first-start link")
	}
	return l, nil
}

// JoinStaff uses a one-time link up, creates the member of staff and signs them in.
func (s *Service) JoinStaff(ctx context.Context, in Join) (access.Actor, string, error) {
	var actor access.Actor
	if strings.TrimSpace(in.Name) == "" {
		return actor, "", problem.Field("name", "required", "enter your name; it stands beside your decisions")
	}
	if err := account.CheckText("name", in.Name, 80); err != nil {
		return actor, "", err
	}
	if err := checkPassphrase(in.Passphrase); err != nil {
		return actor, "", err
	}
	// The slow hash is computed before the transaction, so that it never holds the writer.
	if err := s.hashing.Acquire(ctx, 1); err != nil {
		return actor, "", err
	}
	hashed, err := hashPassphrase(in.Passphrase)
	s.hashing.Release(1)
	if err != nil {
		return actor, "", err
	}
	session := ""
	err = s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		l, err := s.staffLink(tx, in.Token, in.Local)
		if err != nil {
			return err
		}
		m := access.Member{
			ID: id.New(id.Staff, tx.Now()), TenantID: l.TenantID, Name: strings.TrimSpace(in.Name), Email: l.Email, Role: l.Role,
			PassphraseHash: hashed, Version: 1, CreatedAt: tx.Now(),
		}
		if l.Purpose == access.FirstStart {
			m.Email = strings.TrimSpace(in.Email)
		}
		if err := checkStaffEmail(m.Email); err != nil {
			return err
		}
		if err := tx.UseLink(l, s.Clock.Wall()); err != nil {
			return err
		}
		actor = access.Actor{Kind: access.Staff, TenantID: m.TenantID, ID: m.ID, Role: m.Role}
		if err := tx.InsertMember(actor, m, []journal.Draft{journal.Of(journal.StaffJoined, m.ID, "", "role", string(m.Role))}); err != nil {
			return err
		}
		session, err = s.startSession(tx, actor, access.ConsoleSession, staffSessionFor, journal.StaffSignedIn)
		return err
	})
	return actor, session, err
}

func checkPassphrase(p string) error {
	if n := utf8.RuneCountInString(p); n < minPassphrase || n > maxPassphrase {
		return problem.Field("passphrase", "passphrase_too_short", "a passphrase has 12 to 200 characters; four or five unrelated words are good")
	}
	return nil
}

// SignInStaff checks an e-mail address and passphrase. After eight refusals in a row the member is locked for a quarter of an hour.
func (s *Service) SignInStaff(ctx context.Context, email, passphrase string) (access.Actor, string, error) {
	refused := problem.New(problem.Unauthenticated, "sign_in_refused", "the e-mail address or the passphrase is not right, or the account is locked for a quarter of an hour after too many tries")
	if utf8.RuneCountInString(passphrase) > maxPassphrase {
		return access.Actor{}, "", refused
	}
	var m access.Member
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		m, err = tx.MemberByEmail(strings.TrimSpace(email))
		return err
	})
	if err != nil && !problem.Is(err, problem.NotFound) {
		return access.Actor{}, "", err
	}
	known := err == nil && m.DisabledAt.IsZero()
	// An unknown address costs as much time as a known one.
	matches, err := s.checkPassphraseOf(ctx, m, passphrase)
	if err != nil {
		return access.Actor{}, "", err
	}
	if !known {
		return access.Actor{}, "", refused
	}
	actor, session, err := s.countSignIn(ctx, m, matches)
	// Somebody tried at the same time: this try still has to count, or many at once would be one.
	for tries := 0; problem.Is(err, problem.Conflict) && tries < maxFailures; tries++ {
		actor, session, err = s.countSignIn(ctx, m, matches)
	}
	if err == nil && session == "" {
		return access.Actor{}, "", refused
	}
	return actor, session, err
}

// checkPassphraseOf compares a passphrase. A few at a time: each takes 64 MiB, and anybody may ask.
func (s *Service) checkPassphraseOf(ctx context.Context, m access.Member, passphrase string) (bool, error) {
	if err := s.hashing.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer s.hashing.Release(1)
	return checkHash(m.PassphraseHash, passphrase), nil
}

// countSignIn notes how a try to sign in ended, and opens a session when the passphrase was right and the member is not locked.
func (s *Service) countSignIn(ctx context.Context, m access.Member, matches bool) (access.Actor, string, error) {
	actor := access.Actor{Kind: access.Staff, TenantID: m.TenantID, ID: m.ID, Role: m.Role}
	session := ""
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		session = "" // a transaction may run more than once
		wall := s.Clock.Wall()
		current, err := tx.Member(m.TenantID, m.ID)
		if err != nil {
			return err
		}
		// What was compared is what stood when it was read; a member who was ended or has another passphrase since is not let in.
		if wall.Before(current.LockedUntil) || !current.DisabledAt.IsZero() || current.PassphraseHash != m.PassphraseHash {
			return nil
		}
		current.Version++
		if matches {
			current.Failures, current.LockedUntil = 0, time.Time{}
			if err := tx.SaveMember(current); err != nil {
				return err
			}
			session, err = s.startSession(tx, actor, access.ConsoleSession, staffSessionFor, journal.StaffSignedIn)
			return err
		}
		current.Failures++
		if current.Failures >= maxFailures {
			current.Failures, current.LockedUntil = 0, wall.Add(lockFor)
		}
		if err := tx.SaveMember(current); err != nil {
			return err
		}
		return tx.Append(actor, journal.Of(journal.StaffSignInRefused, m.ID, ""))
	})
	return actor, session, err
}

// StaffOf returns the member of staff whose browser shows the session token.
func (s *Service) StaffOf(ctx context.Context, session string) (access.Actor, access.Member, error) {
	var m access.Member
	found, err := s.session(ctx, session, access.ConsoleSession, staffSessionIdle)
	if err != nil {
		return access.Actor{}, m, err
	}
	err = s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		m, err = tx.Member(found.TenantID, found.SubjectID)
		return err
	})
	if err == nil && !m.DisabledAt.IsZero() {
		err = problem.New(problem.Unauthenticated, "session_over", "your access was ended; ask an administrator")
	}
	return access.Actor{Kind: access.Staff, TenantID: m.TenantID, ID: m.ID, Role: m.Role}, m, err
}

// Staff lists the members of the actor's tenant.
func (s *Service) Staff(ctx context.Context, actor access.Actor) ([]access.Member, error) {
	var members []access.Member
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		members, err = tx.Members(actor.TenantID)
		return err
	})
	return members, err
}

// SetStaffAccess ends the access of another member of staff at once, signed-in browsers included, or gives it back.
func (s *Service) SetStaffAccess(ctx context.Context, actor access.Actor, memberID string, allowed bool) error {
	if err := actor.Require(access.ManageStaff); err != nil {
		return err
	}
	if memberID == actor.ID {
		return problem.New(problem.Conflict, "own_access", "nobody ends their own access; another administrator can")
	}
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		m, err := tx.Member(actor.TenantID, memberID)
		if err != nil || m.DisabledAt.IsZero() == allowed {
			return err
		}
		event := journal.StaffAccessRestored
		m.DisabledAt, m.Failures, m.LockedUntil = time.Time{}, 0, time.Time{}
		if !allowed {
			m.DisabledAt, event = tx.Now(), journal.StaffAccessEnded
		}
		m.Version++
		if err := tx.SaveMember(m); err != nil {
			return err
		}
		return tx.Append(actor, journal.Of(event, m.ID, ""))
	})
}

// The argon2id cost (RFC 9106 §4, second recommended option): 64 MiB, 3 passes, 4 lanes.
const (
	argonMemory = 64 * 1024
	argonTime   = 3
	argonLanes  = 4
	argonLength = 32
)

// hashPassphrase returns an argon2id hash in PHC form.
func hashPassphrase(passphrase string) (string, error) {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	sum := argon2.IDKey([]byte(passphrase), salt, argonTime, argonMemory, argonLanes, argonLength)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum)), nil
}

// checkHash reports whether the passphrase belongs to the hash. Without a hash it does the same work and says no.
func checkHash(stored, passphrase string) bool {
	var version, memory, passes int
	var lanes uint8
	parts := strings.Split(stored, "$")
	salt, want := make([]byte, 16), []byte(nil)
	memory, passes, lanes = argonMemory, argonTime, argonLanes
	if len(parts) == 6 {
		if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil {
			return false
		}
		salt, _ = base64.RawStdEncoding.DecodeString(parts[4])
		want, _ = base64.RawStdEncoding.DecodeString(parts[5])
	}
	got := argon2.IDKey([]byte(passphrase), salt, uint32(passes), uint32(memory), lanes, argonLength)
	return len(want) == argonLength && subtle.ConstantTimeCompare(got, want) == 1
}
