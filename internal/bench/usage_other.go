//go:build !unix

package bench

import "time"

// processorTime is not known here; what is made of it is zero.
func processorTime() time.Duration { return 0 }
