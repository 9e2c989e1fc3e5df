package service

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/probity/probity/internal/domain/access"
)

// How old what is remembered of an API key may be. A key that was revoked by this process is forgotten with the commit; one that was
// revoked by another process (a second node, `probity key revoke`) is refused within keyGoodFor.
const (
	keyGoodFor = time.Second
	// A key that is in use is looked up again before that, by one request while the others go on.
	keyLookAgain = keyGoodFor / 2
	// maxRememberedKeys bounds the memory. Only keys that exist are remembered.
	maxRememberedKeys = 10_000
)

// rememberedKey is an API key that was found in the database.
type rememberedKey struct {
	actor access.Actor
	at    time.Time // wall time just before it was read
	again atomic.Bool
}

// rememberedKeys spares a request the database when its key was looked up a moment ago. The zero value is ready.
type rememberedKeys struct {
	mutex   sync.RWMutex
	keys    map[[sha256.Size]byte]*rememberedKey
	forgets int // how often something was forgotten: what was read before may be out of date
}

// find returns the actor of a key that was found recently enough.
func (k *rememberedKeys) find(hash [sha256.Size]byte, wall time.Time) (access.Actor, bool) {
	k.mutex.RLock()
	found := k.keys[hash]
	k.mutex.RUnlock()
	if found == nil {
		return access.Actor{}, false
	}
	// Of a clock that was set back, nothing is known.
	age := wall.Sub(found.at)
	if age < 0 || age >= keyGoodFor || age >= keyLookAgain && found.again.CompareAndSwap(false, true) {
		return access.Actor{}, false
	}
	return found.actor, true
}

// reading returns what remember needs to know from before the database was read.
func (k *rememberedKeys) reading() int {
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	return k.forgets
}

// remember keeps what was read of a key, unless one was revoked since reading.
func (k *rememberedKeys) remember(reading int, hash [sha256.Size]byte, actor access.Actor, wall time.Time) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if reading != k.forgets {
		return
	}
	if k.keys == nil || len(k.keys) >= maxRememberedKeys {
		k.keys = map[[sha256.Size]byte]*rememberedKey{}
	}
	k.keys[hash] = &rememberedKey{actor: actor, at: wall}
}

// forget forgets every key. Keys are revoked rarely, and the next request of each looks it up again.
func (k *rememberedKeys) forget() {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.keys = nil
	k.forgets++
}
