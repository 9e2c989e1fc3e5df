package store

import "context"

// Size returns how many bytes the records take, all indexes included: what a copy of the database would hold, not the room that the
// database keeps beside it (logs, pages that are free).
func (s *Store) Size(ctx context.Context) (int64, error) {
	query := "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
	if s.dialect == onPostgres {
		query = `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
			WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'`
	}
	var size int64
	err := s.reader.QueryRowContext(ctx, query).Scan(&size)
	return size, err
}
