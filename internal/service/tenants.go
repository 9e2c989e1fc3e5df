package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/webhook"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/pan"
	"github.com/probity/probity/internal/standard/problem"
)

// KeyPrefix begins every API key, so that a leaked one is recognised by scanners.
const KeyPrefix = "pk_live_"

// CreateTenant adds an organisation. It is asked for on the command line, by whoever runs the installation. The secret that signs
// commands to its connector is returned here and never again.
func (s *Service) CreateTenant(ctx context.Context, t policy.Tenant) (policy.Tenant, error) {
	if t.TimeZone == "" {
		t.TimeZone = "UTC"
	}
	if t.Calendar == "" {
		t.Calendar = "weekdays"
	}
	if t.BrandColor == "" {
		t.BrandColor = "#1f5eff"
	}
	if err := s.checkTenant(t); err != nil {
		return t, err
	}
	secret := t.ConnectorKey
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if t.ID == "" {
			t.ID = id.New(id.Tenant, tx.Now())
		}
		var err error
		if secret, t.ConnectorKey, err = s.connectorSecret(t.ID, t.ConnectorURL, secret); err != nil {
			return err
		}
		t.Version, t.CreatedAt = 1, tx.Now()
		return tx.InsertTenant(access.SystemActor(t.ID, "command"), t, []journal.Draft{journal.Of(journal.TenantCreated, t.ID, "")})
	})
	t.ConnectorKey = secret
	return t, err
}

var color = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// connectorSecret returns the secret that signs commands, made when there is none, as it is told once and as it is stored. Without a
// connector there is none.
func (s *Service) connectorSecret(tenantID, target string, secret policy.Secret) (told, stored policy.Secret, err error) {
	if target == "" {
		return "", "", nil
	}
	if secret == "" {
		secret = policy.Secret(webhook.NewSecret().Reveal())
	}
	if _, err := webhook.ParseSecret(secret.Reveal()); err != nil {
		return "", "", err
	}
	sealed, err := s.Keys.SealText(tenantID, sealedForConnector, secret.Reveal())
	return secret, policy.Secret(sealed), err
}

func (s *Service) checkTenant(t policy.Tenant) error {
	if strings.TrimSpace(t.Name) == "" {
		return problem.Field("name", "required", "a tenant needs a name; holders see it in every mail")
	}
	if err := account.CheckText("name", t.Name, 80); err != nil {
		return err
	}
	if strings.ContainsAny(t.Name, "\n\t") || pan.Find(t.Name) {
		return problem.Field("name", "name_malformed", "a tenant's name is one line, as it stands in mails and on pages, and holds no card number")
	}
	if address, err := mail.ParseAddress(t.SupportEmail); t.SupportEmail != "" && (err != nil || address.Address != t.SupportEmail) {
		return problem.Field("support_email", "email_malformed", "support_email must be a plain address such as help@example.com")
	}
	if !color.MatchString(t.BrandColor) {
		return problem.Field("brand_color", "color_malformed", "brand_color must look like #1f5eff")
	}
	if _, err := time.LoadLocation(t.TimeZone); err != nil || t.TimeZone == "Local" {
		return problem.Field("time_zone", "time_zone_unknown", "time_zone must be an IANA name such as Asia/Shanghai")
	}
	if t.Calendar != "weekdays" {
		return problem.Field("calendar", "calendar_unknown", "the calendar must be weekdays; official calendars are not built yet")
	}
	if t.ConnectorURL != "" {
		return s.Outbound.CheckURL("connector_url", t.ConnectorURL)
	}
	return nil
}

// Tenants lists the organisations of this installation.
func (s *Service) Tenants(ctx context.Context) ([]policy.Tenant, error) {
	var tenants []policy.Tenant
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		tenants, err = tx.Tenants()
		return err
	})
	return tenants, err
}

// Tenant returns one organisation.
func (s *Service) Tenant(ctx context.Context, tenantID string) (policy.Tenant, error) {
	var t policy.Tenant
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		t, err = tx.Tenant(tenantID)
		return err
	})
	return t, err
}

// SetConnector tells where the enforcement commands of a tenant go. A new secret is made when none is given.
func (s *Service) SetConnector(ctx context.Context, tenantID, target string, secret policy.Secret) (policy.Tenant, error) {
	var t policy.Tenant
	if err := s.Outbound.CheckURL("connector_url", target); err != nil {
		return t, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		if t, err = tx.Tenant(tenantID); err != nil {
			return err
		}
		t.ConnectorURL = target
		if secret, t.ConnectorKey, err = s.connectorSecret(t.ID, target, secret); err != nil {
			return err
		}
		t.Version++
		return tx.UpdateTenant(access.SystemActor(t.ID, "command"), t, []journal.Draft{journal.Of(journal.TenantUpdated, t.ID, "")})
	})
	t.ConnectorKey = secret
	return t, err
}

// CreateKey makes an API key. Its secret is returned here and never again: only its SHA-256 is kept.
func (s *Service) CreateKey(ctx context.Context, tenantID, name string) (access.APIKey, policy.Secret, error) {
	var k access.APIKey
	if strings.TrimSpace(name) == "" {
		return k, "", problem.Field("name", "required", "name the key after the system that will use it")
	}
	if err := account.CheckText("name", name, 80); err != nil {
		return k, "", err
	}
	secret := KeyPrefix + token()
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.Tenant(tenantID); err != nil {
			return err
		}
		k = access.APIKey{
			ID: id.New(id.APIKey, tx.Now()), TenantID: tenantID, Name: name, Hint: secret[len(secret)-4:], Hash: hash(secret), CreatedAt: tx.Now(),
		}
		return tx.InsertAPIKey(access.SystemActor(tenantID, "command"), k, []journal.Draft{journal.Of(journal.KeyCreated, k.ID, "")})
	})
	return k, policy.Secret(secret), err
}

// RevokeKey ends an API key: this process refuses it from the commit on, every other one within keyGoodFor.
func (s *Service) RevokeKey(ctx context.Context, tenantID, keyID string) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		keys, err := tx.APIKeys(tenantID)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if k.ID != keyID {
				continue
			}
			if !k.RevokedAt.IsZero() {
				return nil
			}
			k.RevokedAt = tx.Now()
			tx.AfterCommit(s.keys.forget)
			return tx.RevokeAPIKey(access.SystemActor(tenantID, "command"), k, []journal.Draft{journal.Of(journal.KeyRevoked, k.ID, "")})
		}
		return problem.Missing("API key")
	})
}

// APIKeys lists a tenant's API keys, without their secrets.
func (s *Service) APIKeys(ctx context.Context, tenantID string) ([]access.APIKey, error) {
	var keys []access.APIKey
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		_, err := tx.Tenant(tenantID)
		if err == nil {
			keys, err = tx.APIKeys(tenantID)
		}
		return err
	})
	return keys, err
}

// AuthenticateKey returns the actor that an API key stands for. A key that is not known is Unauthenticated; when the database does not say,
// the answer is Unavailable.
func (s *Service) AuthenticateKey(ctx context.Context, secret string) (access.Actor, error) {
	unknown := problem.New(problem.Unauthenticated, "api_key_unknown", "send Authorization: Bearer followed by a valid API key")
	if !strings.HasPrefix(secret, KeyPrefix) || len(secret) > 200 {
		return access.Actor{}, unknown
	}
	sum, wall, reading := sha256.Sum256([]byte(secret)), s.Clock.Wall(), s.keys.reading()
	if actor, found := s.keys.find(sum, wall); found {
		return actor, nil
	}
	var k access.APIKey
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		k, err = tx.APIKeyByHash(sum[:])
		return err
	})
	if problem.Is(err, problem.NotFound) {
		return access.Actor{}, unknown
	}
	if err != nil {
		if problem.As(err) != nil || ctx.Err() != nil {
			return access.Actor{}, err
		}
		s.Log.LogAttrs(ctx, slog.LevelError, "an API key could not be looked up", slog.String("sort", problem.Sort(err)))
		return access.Actor{}, problem.New(problem.Unavailable, "database_unavailable", "the database does not answer, so keys cannot be checked; try again in a moment")
	}
	if wall.Sub(k.LastUsedAt) > time.Hour {
		// To the hour is enough to find keys that nobody uses, and costs the hot path nothing. Nobody is refused because it cannot be written.
		if err := s.write(ctx, func(_ context.Context, tx *store.Tx) error { return tx.TouchAPIKey(k.ID, wall) }); err != nil {
			s.Log.LogAttrs(ctx, slog.LevelWarn, "when an API key was used last could not be written", slog.String("sort", problem.Sort(err)))
		}
	}
	actor := access.Actor{Kind: access.Key, TenantID: k.TenantID, ID: k.ID}
	s.keys.remember(reading, sum, actor, wall)
	return actor, nil
}

// token returns 256 random bits as text for URLs and headers.
func token() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// hash is what is kept of a token. Tokens are random and long, so a fast hash is enough.
func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
