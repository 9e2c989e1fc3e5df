package paymentfile

import (
	"errors"
	"io"
)

// DefaultReach is how many rows Ordered holds when it is not told.
const DefaultReach = 1 << 16

const outOfOrder = "at: out of order by more rows than are sorted here; sort the file by time"

// Ordered reads payments in the order of time from a file that is nearly in that order: it holds a bounded number of rows and always
// gives the earliest, of equal ones the first of the file. A row that comes so late that a later payment is gone already is a fault.
type Ordered struct {
	reader *Reader
	reach  int
	rows   []Row
	free   []int32
	queue  []queued // from head on in the order of time
	head   int
	ended  error
	last   int64 // the instant given last
}

type queued struct {
	at  int64
	row int32
}

// NewOrdered sorts what the reader reads over so many rows; 0 for DefaultReach.
func NewOrdered(reader *Reader, reach int) *Ordered {
	if reach <= 0 {
		reach = DefaultReach
	}
	return &Ordered{reader: reader, reach: reach}
}

// Next is Reader.Next in the order of time.
func (o *Ordered) Next(row *Row) error {
	for o.ended == nil && len(o.queue)-o.head < o.reach {
		if err := o.hold(); err != nil {
			o.ended = err
		}
	}
	if o.ended != nil && !errors.Is(o.ended, io.EOF) || o.head == len(o.queue) {
		return o.ended
	}
	first := o.queue[o.head]
	o.head++
	if o.head >= o.reach { // as many moves as rows were given since: constant for each
		o.queue = append(o.queue[:0], o.queue[o.head:]...)
		o.head = 0
	}
	*row = o.rows[first.row]
	o.free = append(o.free, first.row)
	o.last = first.at
	return nil
}

// hold reads one row and puts it in its place.
func (o *Ordered) hold() error {
	slot := int32(len(o.rows))
	if n := len(o.free); n > 0 {
		slot = o.free[n-1]
		o.free = o.free[:n-1]
	} else {
		o.rows = append(o.rows, Row{})
	}
	row := &o.rows[slot]
	for {
		if err := o.reader.Next(row); err != nil {
			o.free = append(o.free, slot)
			return err
		}
		if at := row.Payment.OccurredAt.UnixMicro(); at >= o.last {
			o.queue = append(o.queue, queued{})
			i := len(o.queue) - 1
			for ; i > o.head && o.queue[i-1].at > at; i-- {
				o.queue[i] = o.queue[i-1]
			}
			o.queue[i] = queued{at: at, row: slot}
			return nil
		}
		o.reader.Refuse(row.Line, outOfOrder)
	}
}
