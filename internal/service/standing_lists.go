package service

import (
	"maps"
	"slices"
	"strings"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
)

// listsAtOnce is how many entries a group of decisions reads itself, which takes a few milliseconds. Longer lists are read before a policy is
// live that compares them.
const listsAtOnce = 2000

// heldLists are the lists that a policy compares, in memory. It is immutable.
type heldLists struct {
	*risk.Lists
	epoch    int64                // the list epoch of the entries in them
	declared map[string]risk.List // by name
	ids      map[string]string    // by name, of those that there were: a list that was made anew is another one
}

// listsKey is the same for policies that compare the same lists with the same fields: they can use each other's.
func listsKey(policy *risk.Policy) string {
	var parts []string
	for _, l := range policy.Lists {
		parts = append(parts, l.Name+"\x00"+string(l.Field))
	}
	slices.Sort(parts)
	return strings.Join(parts, "\x00")
}

// readLists prepares the entries that stand on the tenant's lists for a policy, as of the epoch in the settings. They can be many.
func (s *Service) readLists(tx *store.Tx, settings publication.Settings, policy *risk.Policy) (*heldLists, error) {
	ids, err := idsOfLists(tx, settings.TenantID, declaredLists(policy))
	if err != nil {
		return nil, err
	}
	held := &heldLists{epoch: settings.ListEpoch, declared: declaredLists(policy), ids: ids}
	if held.Lists, err = loadLists(tx, settings.TenantID, policy); err != nil {
		return nil, err
	}
	s.policies.mu.Lock()
	defer s.policies.mu.Unlock()
	s.policies.whole++
	return held, nil
}

// loadLists prepares the entries that stand on the tenant's lists for a policy: it says which field of a payment each list is compared with,
// and so how a value is spelled. A list that the policy does not name, and a value that its field can never have, match nothing.
func loadLists(tx *store.Tx, tenantID string, policy *risk.Policy) (*risk.Lists, error) {
	declared := declaredLists(policy)
	if len(declared) == 0 {
		return risk.NewLists(nil), nil
	}
	values, err := tx.StandingValues(tenantID)
	if err != nil {
		return nil, err
	}
	entries := make([]risk.ListEntry, 0, len(values))
	for _, v := range values {
		l, found := declared[v.List]
		if !found {
			continue
		}
		if value, err := l.Normal(v.Value); err == nil {
			entries = append(entries, risk.ListEntry{List: v.List, Value: value, ExpiresAt: v.ExpiresAt})
		}
	}
	return risk.NewLists(entries), nil
}

func declaredLists(policy *risk.Policy) map[string]risk.List {
	declared := map[string]risk.List{}
	for _, l := range policy.Lists {
		declared[l.Name] = l
	}
	return declared
}

// idsOfLists returns the lists that are declared and exist, by name.
func idsOfLists(tx *store.Tx, tenantID string, declared map[string]risk.List) (map[string]string, error) {
	ids := map[string]string{}
	if len(declared) == 0 {
		return ids, nil
	}
	lists, err := tx.Lists(tenantID)
	for _, l := range lists {
		if _, found := declared[l.Name]; found {
			ids[l.Name] = l.ID
		}
	}
	return ids, err
}

// upToDate returns the lists with what was changed on them since their epoch. It reads the changed entries only: payments wait for it. The
// result is nil when one of the lists was deleted meanwhile, which nobody can tell from its entries.
func (h *heldLists) upToDate(tx *store.Tx, settings publication.Settings) (*heldLists, error) {
	if h.epoch >= settings.ListEpoch { // of a transaction that began earlier, the newer entries are as good
		return h, nil
	}
	ids, err := idsOfLists(tx, settings.TenantID, h.declared)
	if err != nil {
		return nil, err
	}
	for name, id := range h.ids {
		if ids[name] != id {
			return nil, nil
		}
	}
	after := &heldLists{Lists: h.Lists, epoch: settings.ListEpoch, declared: h.declared, ids: ids}
	if len(h.declared) == 0 {
		return after, nil
	}
	values, err := tx.ChangedValues(settings.TenantID, h.epoch)
	if err != nil {
		return nil, err
	}
	var changes []risk.ListChange
	for _, v := range values {
		l, found := h.declared[v.List]
		if !found {
			continue
		}
		if value, err := l.Normal(v.Value); err == nil {
			changes = append(changes, risk.ListChange{ListEntry: risk.ListEntry{List: v.List, Value: value, ExpiresAt: v.ExpiresAt}, Removed: v.Removed})
		}
	}
	after.Lists = h.Lists.With(changes)
	return after, nil
}

// listsFor returns the lists of the policy that decides, as of the epoch in the settings: those that the node has, brought up to date. It
// reads them whole when the node has none.
func (s *Service) listsFor(tx *store.Tx, settings publication.Settings, policy *risk.Policy, known *livePolicy) (*heldLists, error) {
	key := listsKey(policy)
	var held *heldLists
	if known != nil && listsKey(known.Policy) == key {
		held = known.held
	} else {
		held = s.policies.spareLists(settings.TenantID, key)
	}
	if held != nil {
		current, err := held.upToDate(tx, settings)
		if err != nil || current != nil {
			return current, err
		}
	}
	return s.readLists(tx, settings, policy)
}

// holdLists reads the lists of policies that are kept up beside the live one, before they decide. The follower does so: nobody waits.
func (s *Service) holdLists(tx *store.Tx, live *livePolicy) error {
	own := listsKey(live.Policy)
	others := map[string]*risk.Policy{}
	for _, policy := range live.beside {
		if key := listsKey(policy); key != "" && key != own {
			others[key] = policy
		}
	}
	settings, held := publication.Settings{}, map[string]*heldLists{}
	if len(others) > 0 {
		var err error
		if settings, err = tx.RiskSettings(live.TenantID); err != nil {
			return err
		}
	}
	for key, policy := range others {
		var err error
		spare := s.policies.spareLists(live.TenantID, key)
		if spare != nil {
			if spare, err = spare.upToDate(tx, settings); err != nil {
				return err
			}
		}
		if spare == nil {
			if spare, err = s.readLists(tx, settings, policy); err != nil {
				return err
			}
		}
		held[key] = spare
	}
	s.policies.keepSpare(live, held)
	return nil
}

// hasLists reports whether the node has the lists that a policy compares, or can read them in no time.
func (s *Service) hasLists(tx *store.Tx, live *livePolicy, policy *risk.Policy) (bool, error) {
	if s.policies.holdsLists(live, policy) {
		return true, nil
	}
	entries, err := tx.CountEntriesOfTenant(live.TenantID)
	return entries <= listsAtOnce, err
}

// holdsLists reports whether the lists that a policy compares are in memory.
func (c *policyCache) holdsLists(live *livePolicy, policy *risk.Policy) bool {
	key := listsKey(policy)
	return key == "" || key == listsKey(live.Policy) || c.spareLists(live.TenantID, key) != nil
}

func (c *policyCache) spareLists(tenantID, key string) *heldLists {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spare[tenantID][key]
}

// keepSpare replaces what is kept beside the live policy's lists, unless another policy has gone live meanwhile.
func (c *policyCache) keepSpare(live *livePolicy, held map[string]*heldLists) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.live[live.TenantID]; now == nil || now.Epoch != live.Epoch {
		return
	}
	if c.spare == nil {
		c.spare = map[string]map[string]*heldLists{}
	}
	c.spare[live.TenantID] = held
}

// setAside keeps the lists of a policy that is live no more: it may be again at once. Its caller holds mu.
func (c *policyCache) setAside(before *livePolicy) {
	if c.spare == nil {
		c.spare = map[string]map[string]*heldLists{}
	}
	spare := maps.Clone(c.spare[before.TenantID])
	if spare == nil {
		spare = map[string]*heldLists{}
	}
	spare[listsKey(before.Policy)] = before.held
	c.spare[before.TenantID] = spare
}
