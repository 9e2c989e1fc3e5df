package paymentfile

import (
	"context"
	"errors"
	"io"
)

// source is a Reader or an Ordered.
type source interface{ Next(row *Row) error }

// batchRows is how many rows change goroutines at once.
const batchRows = 512

// Each calls fn with every payment of the source, in its order, while another goroutine reads ahead. The row is fn's until it returns.
// Each ends with the source, the first error of fn or of reading, or the context; what it started has ended when it returns.
func Each(ctx context.Context, from source, fn func(row *Row) error) error {
	full, empty := make(chan []Row, 2), make(chan []Row, 3)
	for range cap(empty) {
		empty <- make([]Row, 0, batchRows)
	}
	stop, failure := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(full)
		for {
			var batch []Row
			select {
			case batch = <-empty:
			case <-stop:
				return
			}
			err := fillBatch(from, &batch)
			select {
			case full <- batch:
			case <-stop:
				return
			}
			if err != nil {
				failure <- err
				return
			}
		}
	}()
	err := func() error {
		for batch := range full {
			if err := ctx.Err(); err != nil {
				return err
			}
			for i := range batch {
				if err := fn(&batch[i]); err != nil {
					return err
				}
			}
			empty <- batch[:0]
		}
		return nil
	}()
	close(stop)
	for range full { // until the other goroutine has ended
	}
	if err != nil {
		return err
	}
	select {
	case err = <-failure:
	default:
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// fillBatch reads as many rows as fit.
func fillBatch(from source, batch *[]Row) error {
	rows := (*batch)[:0]
	for len(rows) < cap(rows) {
		rows = rows[:len(rows)+1]
		if err := from.Next(&rows[len(rows)-1]); err != nil {
			*batch = rows[:len(rows)-1]
			return err
		}
	}
	*batch = rows
	return nil
}
