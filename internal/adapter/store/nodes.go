package store

import (
	"strings"
	"time"
)

// Node is a process that decides payments on the database.
type Node struct {
	ID       string
	Beat     int64     // grows while it lives
	SeenAt   time.Time // wall time, by its own clock
	Complete []string  // versions of policies that are being prepared and for which it has everything
}

// Nodes returns the nodes that were not forgotten.
func (tx *Tx) Nodes() ([]Node, error) {
	return all(tx, func(r row) (Node, error) {
		var n Node
		var complete string
		err := r.Scan(&n.ID, &n.Beat, instant{&n.SeenAt}, &complete)
		n.Complete = strings.Fields(complete)
		return n, err
	}, "SELECT id, beat, seen_at, complete FROM nodes ORDER BY id")
}

// BeatNode says that a node lives, and for what it is complete. Beat is counted by the database.
func (tx *Tx) BeatNode(n Node) error {
	_, err := tx.exec(`INSERT INTO nodes (id, beat, seen_at, complete) VALUES ($1, 1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET beat = nodes.beat + 1, seen_at = excluded.seen_at, complete = excluded.complete`,
		n.ID, micros(n.SeenAt), strings.Join(n.Complete, " "))
	return err
}

// ForgetNode removes a node that has not lived since a beat; a later one keeps it.
func (tx *Tx) ForgetNode(id string, beat int64) error {
	_, err := tx.exec("DELETE FROM nodes WHERE id = $1 AND beat <= $2", id, beat)
	return err
}
