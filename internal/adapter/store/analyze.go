package store

import (
	"context"
	"fmt"
)

// AnalyzePayments has PostgreSQL look anew at what the tables of payments hold, so that it plans queries for as much as there is now: until
// it does so by itself, which takes about a minute, it plans for what there was before. Nobody waits for it but the caller. SQLite plans by
// the queries alone.
func (s *Store) AnalyzePayments(ctx context.Context) error {
	if s.dialect != onPostgres {
		return nil
	}
	if _, err := s.writer.ExecContext(ctx, "ANALYZE payments, profiles, accounts, payment_methods, restrictions, retry_grants, payment_findings"); err != nil {
		return fmt.Errorf("analyze the payments: %w", err)
	}
	return nil
}
