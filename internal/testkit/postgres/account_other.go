//go:build !unix

package postgres

import "syscall"

// account is the user of the operating system that the server runs as.
type account struct{}

// serverAccount says that there is no private server here: the keeper is a shell script.
func serverAccount() (account, error) { return account{}, errNoPrograms }

// own does nothing here.
func (a account) own(string) error { return nil }

// attributes returns nothing special here.
func (a account) attributes() *syscall.SysProcAttr { return nil }
