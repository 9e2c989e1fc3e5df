package main

import "testing"

func TestGarbageMayTakeAQuarterOfTheMemoryOrThreeTimesWhatIsInUse(t *testing.T) {
	const gigabyte = 1 << 30
	for name, c := range map[string]struct {
		live, room uint64
		want       int
	}{
		"much memory":         {gigabyte / 4, 2 * gigabyte, 800},
		"little memory":       {gigabyte, gigabyte / 4, leastGarbage},
		"nobody says":         {gigabyte, 0, leastGarbage},
		"hardly anything yet": {1 << 20, 8 * gigabyte, mostGarbage},
		"nothing at all":      {0, gigabyte, mostGarbage},
	} {
		if got := garbagePercent(c.live, c.room); got != c.want {
			t.Errorf("%s: got %d %%, want %d", name, got, c.want)
		}
	}
}

func TestTheMemoryOfTheMachineIsRead(t *testing.T) {
	for text, want := range map[string]string{
		"MemTotal:       24528340 kB\nMemFree: 1 kB\n": "25117020160",
		"MemFree: 1 kB\n":     "",
		"MemTotal: many kB\n": "",
		"":                    "",
	} {
		if got := machineMemory(text); got != want {
			t.Errorf("got %q of %q, want %q", got, text, want)
		}
	}
}
