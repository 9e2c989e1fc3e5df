package service

import (
	"context"
	"log/slog"

	"github.com/probity/probity/internal/standard/problem"
)

// analyzeFirstAfter is after how many past payments the database is told to look at its tables anew.
const analyzeFirstAfter = 20_000

// importedSince counts past payments, so that the database looks at its tables after 20,000 of them, and then each time that they have
// doubled: seldom enough to cost nothing beside the import. It belongs to whoever brings payments in.
type importedSince struct {
	count, next int
}

// isTime counts some more and reports whether the database should look.
func (i *importedSince) isTime(more int) bool {
	i.count += more
	if i.count < max(i.next, analyzeFirstAfter) {
		return false
	}
	i.next = 2 * i.count
	return true
}

// analyzeAfter has the database look at its tables when much was brought in. That it cannot fails nothing: it looks by itself, later.
func (s *Service) analyzeAfter(ctx context.Context, results []ImportResult) {
	added := 0
	for _, r := range results {
		if r.Err == nil && !r.Known {
			added++
		}
	}
	if !s.imported.isTime(added) {
		return
	}
	if err := s.Store.AnalyzePayments(ctx); err != nil && ctx.Err() == nil {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "the tables of payments could not be analysed after an import", slog.String("sort", problem.Sort(err)))
	}
}
