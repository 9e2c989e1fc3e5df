//go:build unix

package postgres

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user of the operating system that the server runs as.
type account struct {
	switched bool // to uid and gid, because PostgreSQL refuses to run as root
	uid, gid int
}

// serverAccount returns the account of this process, or an unprivileged one when this process is root's.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(found.Uid)
		gid, gidErr := strconv.Atoi(found.Gid)
		if uidErr != nil || gidErr != nil || uid == 0 {
			continue
		}
		return account{switched: true, uid: uid, gid: gid}, nil
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as")
}

// own hands the folder over to the account.
func (a account) own(folder string) error {
	if !a.switched {
		return nil
	}
	return os.Chown(folder, a.uid, a.gid)
}

// attributes returns how to start the keeper: as the account, and in a session of its own, so that an interrupt typed at the
// terminal reaches the tests and not the server, which ends after them.
func (a account) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setsid: true}
	if a.switched {
		attributes.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attributes
}
