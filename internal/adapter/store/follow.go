package store

// Span is a run of sequence numbers, both ends included.
type Span struct{ From, To int64 }

// NewestPayment returns the highest sequence number of the decision log that the transaction sees, 0 when the log is empty.
func (tx *Tx) NewestPayment() (int64, error) {
	return one(tx, "payment", scanCount64, "SELECT COALESCE(MAX(seq), 0) FROM payments")
}

// LogIn gives up to limit payments of the whole log whose numbers are in the spans to do, in order, as PastLog does.
func (tx *Tx) LogIn(spans []Span, limit int, do func(*LogEntry) error) error {
	if len(spans) == 0 {
		return nil
	}
	from, to := make([]int64, len(spans)), make([]int64, len(spans))
	for i, s := range spans {
		from[i], to[i] = s.From, s.To
	}
	keys, next := tx.store.dialect.keys("low bigint", "high bigint")
	args, err := tx.store.dialect.keyArgs(from, to)
	if err != nil {
		return err
	}
	// A cross join has SQLite look up each span, and not each payment.
	return each(tx, scanPast, do, "SELECT "+pastColumns+" FROM "+keys+" CROSS JOIN payments p"+withMethods+
		" WHERE p.seq BETWEEN k.low AND k.high ORDER BY p.seq LIMIT "+placeholders(next, 1), append(args, limit)...)
}
