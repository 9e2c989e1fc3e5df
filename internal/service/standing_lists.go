package service

import (
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/risk"
)

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

// changedLists returns the lists of a policy after what was changed on them since the list epoch that is known. It reads the changed entries
// only: payments wait for it.
func changedLists(tx *store.Tx, tenantID string, known *livePolicy) (*risk.Lists, error) {
	declared := declaredLists(known.Policy)
	if len(declared) == 0 {
		return known.Lists, nil
	}
	values, err := tx.ChangedValues(tenantID, known.ListEpoch)
	if err != nil {
		return nil, err
	}
	var changes []risk.ListChange
	for _, v := range values {
		l, found := declared[v.List]
		if !found {
			continue
		}
		if value, err := l.Normal(v.Value); err == nil {
			changes = append(changes, risk.ListChange{ListEntry: risk.ListEntry{List: v.List, Value: value, ExpiresAt: v.ExpiresAt}, Removed: v.Removed})
		}
	}
	return known.Lists.With(changes), nil
}
