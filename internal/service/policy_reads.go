package service

import (
	"context"
	"strconv"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/policydiff"
	"github.com/probity/probity/internal/standard/problem"
)

// PolicyInForce is the policy that decides a tenant's payments now.
type PolicyInForce struct {
	Version  publication.Version // number 0 when it is the policy that ships: then only Number, PolicyID, PolicyVersion, Text and Digest are set
	Settings publication.Settings
	Compiled *risk.Policy
	BeforeID string // the version that was live immediately before, to which one person may roll back; empty when there is none
}

// LivePolicy returns the policy that decides the tenant's payments.
func (s *Service) LivePolicy(ctx context.Context, actor access.Actor) (PolicyInForce, error) {
	var live PolicyInForce
	if err := actor.Require(access.ReadTenant); err != nil {
		return live, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		settings, err := tx.RiskSettings(actor.TenantID)
		if err != nil {
			return err
		}
		live, err = s.inForce(tx, actor.TenantID, settings.LiveID)
		return err
	})
	return live, err
}

func (s *Service) inForce(tx *store.Tx, tenantID, liveID string) (PolicyInForce, error) {
	live := PolicyInForce{}
	var err error
	if live.Settings, err = tx.RiskSettings(tenantID); err != nil {
		return live, err
	}
	before, _, err := tx.RetiredLast(tenantID)
	if err != nil {
		return live, err
	}
	live.BeforeID = before.ID
	live.Version, live.Compiled, err = s.versionOf(tx, tenantID, liveID)
	return live, err
}

// versionOf returns a version with its compiled policy; without an id, the policy that ships.
func (s *Service) versionOf(tx *store.Tx, tenantID, policyID string) (publication.Version, *risk.Policy, error) {
	if policyID == "" {
		return publication.Version{
			TenantID: tenantID, State: publication.Live, PolicyID: s.Policy.ID, PolicyVersion: s.Policy.Version, Text: string(s.PolicyText),
			Digest: publication.Digest(string(s.PolicyText)),
		}, s.Policy, nil
	}
	v, err := tx.PolicyVersion(tenantID, policyID)
	if err != nil {
		return v, nil, err
	}
	policy, err := s.compiledPolicy(v.Text)
	return v, policy, err
}

// PolicyVersion returns one version of the tenant's policy.
func (s *Service) PolicyVersion(ctx context.Context, actor access.Actor, policyID string) (publication.Version, error) {
	var v publication.Version
	if err := actor.Require(access.ReadTenant); err != nil {
		return v, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		v, err = tx.PolicyVersion(actor.TenantID, policyID)
		return err
	})
	return v, err
}

// PolicyVersions lists the versions of the tenant's policy without their texts, newest first; an empty state means all.
func (s *Service) PolicyVersions(ctx context.Context, actor access.Actor, state publication.State, page store.Page) ([]publication.Version, string, error) {
	var versions []publication.Version
	var next string
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, "", err
	}
	if state != "" && !state.Valid() {
		return nil, "", problem.Field("state", "state_unknown", "state must be draft, proposed, preparing, live, retired or withdrawn")
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		versions, next, err = tx.ListPolicyVersions(actor.TenantID, state, page)
		return err
	})
	return versions, next, err
}

// PolicyDiff says how one version differs from another.
type PolicyDiff struct {
	From, To publication.Version
	Changes  []policydiff.Change // by meaning
	Text     string              // line by line, in the unified form; empty when the texts are the same
}

// ComparePolicies says how one version differs from another. An empty id means the policy that ships; without a from, the live one.
func (s *Service) ComparePolicies(ctx context.Context, actor access.Actor, fromID, toID string) (PolicyDiff, error) {
	var diff PolicyDiff
	if err := actor.Require(access.ReadTenant); err != nil {
		return diff, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		from, old, err := s.versionOf(tx, actor.TenantID, fromID)
		if err != nil {
			return withField(err, "from")
		}
		to, changed, err := s.versionOf(tx, actor.TenantID, toID)
		if err != nil {
			return err
		}
		diff = PolicyDiff{From: from, To: to, Changes: policydiff.Of(old, changed), Text: policydiff.Text(from.Text, to.Text)}
		return nil
	})
	return diff, err
}

// PolicySettings is what the operator decides for a tenant.
type PolicySettings struct {
	OnePerson bool // one person may publish alone; for demos
	Budget    publication.Budget
}

// SetRiskSettings saves what the operator of the installation decides about a tenant's decisions, on the command line: an administrator of
// the tenant must not be able to do away with the second person.
func (s *Service) SetRiskSettings(ctx context.Context, tenantID string, in PolicySettings) (publication.Settings, error) {
	return s.ChangeRiskSettings(ctx, tenantID, func(settings *PolicySettings) { *settings = in })
}

// ChangeRiskSettings is SetRiskSettings for a part of them: change gets what stands. The journal keeps the old values and the new ones.
func (s *Service) ChangeRiskSettings(ctx context.Context, tenantID string, change func(settings *PolicySettings)) (publication.Settings, error) {
	var settings publication.Settings
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		held, err := tx.HoldRiskSettings(tenantID)
		if err != nil {
			return err
		}
		before := PolicySettings{OnePerson: held.OnePerson, Budget: held.Budget}
		after := before
		change(&after)
		held.OnePerson, held.Budget = after.OnePerson, after.Budget
		if err := held.Check(); err != nil {
			return err
		}
		pairs := append([]string{"what", "risk_settings"}, settingsPairs(before, after)...)
		if err := tx.SaveRiskSettings(access.SystemActor(tenantID, "command"), held, []journal.Draft{
			journal.Of(journal.TenantUpdated, tenantID, "", pairs...),
		}); err != nil {
			return err
		}
		settings, err = tx.RiskSettings(tenantID)
		return err
	})
	return settings, err
}

// settingsPairs names what changed, as it was and as it is.
func settingsPairs(before, after PolicySettings) []string {
	var pairs []string
	for _, one := range []struct{ name, was, is string }{
		{"one_person", strconv.FormatBool(before.OnePerson), strconv.FormatBool(after.OnePerson)},
		{"budget", before.Budget.Limit.String(), after.Budget.Limit.String()},
		{"fail_closed", strconv.FormatBool(before.Budget.FailClosed), strconv.FormatBool(after.Budget.FailClosed)},
	} {
		if one.was != one.is {
			pairs = append(pairs, one.name+"_from", one.was, one.name+"_to", one.is)
		}
	}
	return pairs
}

// RememberShippedPolicy keeps the text of the policy that ships, so that what it decided can be explained after an upgrade. A payment names
// its policy by id and version, so a text that changed under the same name is refused: its decisions would be explained by the other text.
func (s *Service) RememberShippedPolicy(ctx context.Context) error {
	digest := publication.Digest(string(s.PolicyText))
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		known, err := tx.ShippedPolicies(s.Policy.ID, s.Policy.Version)
		if err != nil {
			return err
		}
		for _, before := range known {
			if before.Digest != digest {
				return problem.New(problem.Conflict, "policy_version_taken", "the policy "+s.Policy.ID+" "+s.Policy.Version+
					" has decided payments here with another text; give the changed text a new version")
			}
		}
		return tx.KeepShippedPolicy(store.ShippedPolicy{
			PolicyID: s.Policy.ID, PolicyVersion: s.Policy.Version, Digest: digest, Text: string(s.PolicyText), SeenAt: tx.Now(),
		})
	})
}
