package main

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

const (
	// leastGarbage and mostGarbage bound how much garbage may come to what is in use before it is collected, in percent of that.
	leastGarbage = 300
	mostGarbage  = 2000
	// garbageShare is what part of the machine's memory garbage may take in any case.
	garbageShare = 4
	lookAtHeap   = 10 * time.Second
)

// collectLess has a server collect garbage seldom, until ctx ends, unless GOGC or GOMEMLIMIT say when: what thousands of requests a second leave
// behind is much, and decisions wait while what is in use is looked through. Garbage may come to three times what is in use, or to a quarter of
// the memory that there is.
func collectLess(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(leastGarbage)
	room := memory() / garbageShare
	go func() {
		again := time.NewTicker(lookAtHeap)
		defer again.Stop()
		set := leastGarbage
		for {
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
			sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
			metrics.Read(sample)
			if sample[0].Value.Kind() != metrics.KindUint64 {
				return
			}
			want := garbagePercent(sample[0].Value.Uint64(), room)
			if want*10 < set*9 || want*10 > set*11 { // each setting stops the program for a moment
				set = want
				debug.SetGCPercent(set)
			}
		}
	}()
}

// garbagePercent is how much garbage may come to what is in use, both in bytes, when there is room for so much.
func garbagePercent(live, room uint64) int {
	return int(min(max(float64(room)/float64(max(live, 1))*100, leastGarbage), mostGarbage))
}

// memory is how many bytes this process may use: those of the machine, or what a container is given. 0 means that nobody says.
func memory() uint64 {
	least := uint64(math.MaxUint64)
	for _, text := range []string{machineMemory(read("/proc/meminfo")), read("/sys/fs/cgroup/memory.max"), read("/sys/fs/cgroup/memory/memory.limit_in_bytes")} {
		if bytes, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64); err == nil && bytes > 0 {
			least = min(least, bytes)
		}
	}
	if least == math.MaxUint64 {
		return 0
	}
	return least
}

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "" // not Linux, or not in a container
	}
	return string(text)
}

// machineMemory returns the bytes that a text like /proc/meminfo names, as text; empty when it names none.
func machineMemory(meminfo string) string {
	for line := range strings.Lines(meminfo) {
		rest, found := strings.CutPrefix(line, "MemTotal:")
		if !found {
			continue
		}
		if kilobytes, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 53); err == nil {
			return strconv.FormatUint(kilobytes*1024, 10)
		}
	}
	return ""
}
