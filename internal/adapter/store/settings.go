package store

// Setting returns a value of the whole installation by its name, and whether it was ever saved.
func (tx *Tx) Setting(name string) (string, bool, error) {
	return maybe(tx, func(r row) (value string, err error) {
		err = r.Scan(&value)
		return value, err
	}, "SELECT value FROM settings WHERE name = $1", name)
}

// HoldSetting returns a value of the whole installation, saved as the initial one when it never was, and lets nobody else save it until
// the transaction ends. Whoever changes a value by what it was reads it this way.
func (tx *Tx) HoldSetting(name, initial string) (string, error) {
	value, _, err := maybe(tx, func(r row) (value string, err error) {
		err = r.Scan(&value)
		return value, err
	}, "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = settings.value RETURNING value", name, initial)
	return value, err
}

// SaveSetting keeps a value of the whole installation.
func (tx *Tx) SaveSetting(name, value string) error {
	_, err := tx.exec("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	return err
}
