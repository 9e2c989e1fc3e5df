package store

import (
	"time"

	"github.com/probity/probity/internal/domain/enforcement"
)

const enforcementColumns = "tenant_id, account_id, state, version, verification_id, due_at, suspended_at, acknowledged_at, sequence"

func scanEnforcement(r row) (enforcement.Enforcement, error) {
	var e enforcement.Enforcement
	err := r.Scan(&e.TenantID, &e.AccountID, &e.State, &e.Version, &e.VerificationID, instant{&e.DueAt}, instant{&e.SuspendedAt},
		instant{&e.AcknowledgedAt}, &e.Sequence)
	return e, err
}

// Enforcement returns where enforcement on an account stands: None, at version 0, when nothing ever happened.
func (tx *Tx) Enforcement(tenantID, accountID string) (enforcement.Enforcement, error) {
	e, found, err := maybe(tx, scanEnforcement,
		"SELECT "+enforcementColumns+" FROM enforcements WHERE tenant_id = $1 AND account_id = $2", tenantID, accountID)
	if err == nil && !found {
		e = enforcement.Enforcement{TenantID: tenantID, AccountID: accountID, State: enforcement.None}
	}
	return e, err
}

// NoteAcknowledged notes on the account that the platform confirmed a command, if it is the latest one; otherwise it does nothing.
// It makes a new version of the account's enforcement, so that what was decided meanwhile from the old one is not saved over it.
func (tx *Tx) NoteAcknowledged(tenantID, accountID string, sequence int64, at time.Time) error {
	_, err := tx.exec(`UPDATE enforcements SET acknowledged_at = $1, version = version + 1
		WHERE tenant_id = $2 AND account_id = $3 AND sequence = $4 AND acknowledged_at IS NULL`, micros(at), tenantID, accountID, sequence)
	return err
}

const commandColumns = "tenant_id, id, account_id, verification_id, kind, sequence, state, created_at, settled_at"

func scanCommand(r row) (enforcement.Command, error) {
	var c enforcement.Command
	err := r.Scan(&c.TenantID, &c.ID, &c.AccountID, &c.VerificationID, &c.Kind, &c.Sequence, &c.State, instant{&c.CreatedAt},
		instant{&c.SettledAt})
	return c, err
}

// InsertCommand adds a command to the platform. It is journalled with the enforcement that it carries out.
func (tx *Tx) InsertCommand(c enforcement.Command) error {
	return tx.insert("commands", commandColumns, nil, c.TenantID, c.ID, c.AccountID, c.VerificationID, c.Kind, c.Sequence, c.State,
		micros(c.CreatedAt), micros(c.SettledAt))
}

// Command returns a command.
func (tx *Tx) Command(tenantID, id string) (enforcement.Command, error) {
	return one(tx, "command", scanCommand, "SELECT "+commandColumns+" FROM commands WHERE tenant_id = $1 AND id = $2", tenantID, id)
}

// LatestCommand returns the command of an account with the highest sequence number, and whether there is one.
func (tx *Tx) LatestCommand(tenantID, accountID string) (enforcement.Command, bool, error) {
	return maybe(tx, scanCommand,
		"SELECT "+commandColumns+" FROM commands WHERE tenant_id = $1 AND account_id = $2 ORDER BY sequence DESC LIMIT 1", tenantID, accountID)
}
