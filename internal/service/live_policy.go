package service

import (
	"errors"
	"slices"
	"sync"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/standard/strictyaml"
)

// livePolicy is what decides the payments of one tenant at one moment. It is immutable.
type livePolicy struct {
	TenantID string
	Policy   *risk.Policy
	Number   int64 // of the tenant's policy version; 0 for the policy that ships
	Epoch    int64 // grows with every change of what decides: policy, budget
	// ListEpoch is that of the entries in Lists.
	ListEpoch int64
	Lists     *risk.Lists
	held      *heldLists // Lists, with what it takes to bring them up to date
	Budget    publication.Budget
	// Series are what has to be kept up of the past: what this policy reads, what the approved versions will read that are being prepared,
	// and what the version that was live before reads, so that publishing and rolling back take no time.
	Series *history.SeriesSet
	needs  []history.Definition // what Series was made from
	beside []*risk.Policy       // whose aggregates and lists are kept up, but for Policy
	// complete are those of Series that have their past: not those of versions that are still being prepared.
	complete *history.SeriesSet
}

// policyCache keeps what decides, by tenant, and compiled policies by their text. Both are looked up in each group of decisions.
type policyCache struct {
	mu       sync.Mutex
	live     map[string]*livePolicy
	spare    map[string]map[string]*heldLists // by tenant and listsKey: of policies beside the live one
	whole    int64                            // how often lists were read whole
	compiled map[string]*risk.Policy          // by digest of the text
	order    []string                         // of the digests, oldest first

	compiling sync.Mutex // held while a text that somebody wrote is compiled
}

// maxCompiled bounds the compiled policies in memory; each takes about a megabyte.
const maxCompiled = 64

// livePolicy returns what decides the tenant's payments in the transaction's view of the records. It is cheap: one small row is read,
// and what it names is kept compiled in memory, so that every node sees a change with its next group. A transaction that changes what
// decides must not ask it afterwards: it may roll back.
func (s *Service) livePolicy(tx *store.Tx, tenantID string) (*livePolicy, error) {
	settings, err := tx.RiskSettings(tenantID)
	if err != nil {
		return nil, err
	}
	s.policies.mu.Lock()
	known := s.policies.live[tenantID]
	s.policies.mu.Unlock()
	if known != nil && known.Epoch == settings.Epoch && known.ListEpoch == settings.ListEpoch {
		return known, nil
	}
	fresh, err := s.freshPolicy(tx, settings, known)
	if err != nil {
		return nil, err
	}
	s.policies.mu.Lock()
	defer s.policies.mu.Unlock()
	if s.policies.live == nil {
		s.policies.live = map[string]*livePolicy{}
	}
	// A transaction that began earlier may see an older epoch; the newest stays.
	if known = s.policies.live[tenantID]; known == nil || known.Epoch < fresh.Epoch || known.Epoch == fresh.Epoch && known.ListEpoch < fresh.ListEpoch {
		if known != nil && listsKey(known.Policy) != listsKey(fresh.Policy) {
			s.policies.setAside(known)
		}
		s.policies.live[tenantID] = fresh
	}
	return fresh, nil
}

// freshPolicy brings what is known up to date. Lists with a hundred thousand entries take most of a second to read, for which payments
// would wait: they are read when the node starts, or before a policy goes live that declares others, and after that only what has changed.
func (s *Service) freshPolicy(tx *store.Tx, settings publication.Settings, known *livePolicy) (*livePolicy, error) {
	var err error
	var out *livePolicy
	if known != nil && known.Epoch == settings.Epoch {
		copied := *known
		out = &copied
	} else if out, err = s.loadLivePolicy(tx, settings); err != nil {
		return nil, err
	}
	if out.held, err = s.listsFor(tx, settings, out.Policy, known); err != nil {
		return nil, err
	}
	out.Lists, out.ListEpoch = out.held.Lists, out.held.epoch
	return out, nil
}

func (s *Service) loadLivePolicy(tx *store.Tx, settings publication.Settings) (*livePolicy, error) {
	var err error
	out := &livePolicy{TenantID: settings.TenantID, Policy: s.Policy, Epoch: settings.Epoch, Budget: settings.Budget}
	if settings.LiveID != "" {
		v, err := tx.PolicyVersion(settings.TenantID, settings.LiveID)
		if err != nil {
			return nil, err
		}
		if out.Policy, err = s.compiledPolicy(v.Text); err != nil {
			return nil, err
		}
		out.Number = v.Number
	}
	complete, filling, err := s.maintained(tx, settings, out.Policy)
	if err != nil {
		return nil, err
	}
	policies := slices.Concat(complete, filling)
	out.beside = policies[1:] // the first one is that which is live
	for _, policy := range policies {
		out.needs = append(out.needs, policy.Definitions()...)
	}
	if out.Series, err = risk.Maintain(policies...); err != nil {
		return nil, err
	}
	if out.complete, err = risk.Maintain(complete...); err != nil {
		return nil, err
	}
	return out, nil
}

// maintained returns the policies whose aggregates are kept up while the given one is live: those whose aggregates have all of the past,
// and those that wait for them to be filled.
func (s *Service) maintained(tx *store.Tx, settings publication.Settings, live *risk.Policy) (complete, filling []*risk.Policy, err error) {
	complete = []*risk.Policy{live}
	if settings.LiveID != "" {
		complete = append(complete, s.Policy)
	}
	beside, err := tx.PoliciesIn(settings.TenantID, publication.Preparing)
	if err != nil {
		return nil, nil, err
	}
	before, found, err := tx.RetiredLast(settings.TenantID)
	if err != nil {
		return nil, nil, err
	}
	if found {
		beside = append(beside, before)
	}
	for _, v := range beside {
		policy, err := s.compiledPolicy(v.Text)
		if errors.Is(err, errStoredPolicy) {
			// Another version of the program stored it. What decides goes on without keeping up what it reads.
			s.Log.Warn("a policy beside the live one does not compile with this version of the program", "tenant_id", v.TenantID, "number", v.Number)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if v.State == publication.Preparing && v.PreparedAt.IsZero() {
			filling = append(filling, policy)
		} else {
			complete = append(complete, policy)
		}
	}
	return complete, filling, nil
}

// errStoredPolicy is the failure to compile a policy that was compiled when it was stored: by a newer version, say.
var errStoredPolicy = errors.New("a stored policy does not compile with this version of the program; was it published by a newer one?")

// compiledPolicy compiles the text of a stored policy, once.
func (s *Service) compiledPolicy(text string) (*risk.Policy, error) {
	digest := publication.Digest(text)
	s.policies.mu.Lock()
	policy := s.policies.compiled[digest]
	s.policies.mu.Unlock()
	if policy != nil {
		return policy, nil
	}
	policy, err := risk.ParsePolicy([]byte(text))
	if err != nil {
		return nil, errStoredPolicy
	}
	s.policies.keep(digest, policy)
	return policy, nil
}

func (c *policyCache) keep(digest string, policy *risk.Policy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.compiled == nil {
		c.compiled = map[string]*risk.Policy{}
	}
	if c.compiled[digest] == nil {
		c.order = append(c.order, digest)
	}
	c.compiled[digest] = policy
	for len(c.order) > maxCompiled {
		delete(c.compiled, c.order[0])
		c.order = c.order[1:]
	}
}

// compileDraft compiles a text that somebody wrote. What is wrong with it comes back as a problem with the places.
func (s *Service) compileDraft(text string) (*risk.Policy, error) {
	if text == "" {
		return nil, problem.Field("policy_text", "required", "a policy is a YAML text; GET /v1/policies/live has one to begin with")
	}
	// A text can take seconds: one at a time, so that payments keep the other processors, and none twice.
	s.policies.compiling.Lock()
	defer s.policies.compiling.Unlock()
	digest := publication.Digest(text)
	s.policies.mu.Lock()
	known := s.policies.compiled[digest]
	s.policies.mu.Unlock()
	if known != nil {
		return known, nil
	}
	policy, err := risk.ParsePolicy([]byte(text))
	if wrong, isPolicy := errors.AsType[*strictyaml.Error](err); isPolicy {
		refused := problem.Field("policy_text", "policy_faulty", "the policy does not compile; errors says where, and what is accepted there")
		for _, f := range wrong.Faults {
			refused.Faults = append(refused.Faults, problem.Fault{Line: f.Line, Column: f.Column, Path: f.Path, Message: f.Message})
		}
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	s.policies.keep(digest, policy)
	return policy, nil
}

// policyNamed returns the policy that decided a payment, by the name that the payment keeps. The policies are compiled from their texts as
// they were stored, so a decision can be made again years later.
func (s *Service) policyNamed(tx *store.Tx, tenantID, policyID, policyVersion string) (*risk.Policy, int64, error) {
	v, found, err := tx.PolicyByName(tenantID, policyID, policyVersion)
	if err != nil {
		return nil, 0, err
	}
	if found {
		policy, err := s.compiledPolicy(v.Text)
		return policy, v.Number, err
	}
	if s.Policy.ID == policyID && s.Policy.Version == policyVersion {
		return s.Policy, 0, nil
	}
	shipped, err := tx.ShippedPolicies(policyID, policyVersion)
	if err != nil {
		return nil, 0, err
	}
	if len(shipped) == 0 {
		return nil, 0, problem.New(problem.NotFound, "policy_text_gone", "the text of the policy that decided this payment is not stored here")
	}
	policy, err := s.compiledPolicy(shipped[0].Text)
	return policy, 0, err
}
