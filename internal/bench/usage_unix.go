//go:build unix

package bench

import (
	"syscall"
	"time"
)

// processorTime is what this process has used of all cores, in its own code and in the system's.
func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
