//go:build !unix

package app

// lockDirectory does nothing where the system has no flock; the database's own lock still protects the file.
func lockDirectory(string) (func(), error) { return func() {}, nil }
