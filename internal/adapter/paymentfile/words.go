package paymentfile

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/probity/probity/internal/domain/risk/history"
)

// words says what values mean, without regard to case.
type words struct {
	meanings map[string]uint8
	other    uint8 // what all others mean; 0: nothing
}

// What a word for fraud means.
const (
	isTrue uint8 = iota + 1
	isFalse
)

func (w words) of(value []byte) (meaning uint8, known bool) {
	if meaning = w.meanings[string(value)]; meaning == 0 {
		meaning = w.meanings[strings.ToLower(strings.TrimSpace(string(value)))]
	}
	if meaning == 0 {
		meaning = w.other
	}
	return meaning, meaning != 0
}

func (w words) add(meaning uint8, values ...string) {
	for _, value := range values {
		w.meanings[strings.ToLower(strings.TrimSpace(value))] = meaning
	}
}

func fraudWords(c Column) words {
	w := words{meanings: map[string]uint8{}}
	if c.True == nil && c.False == nil {
		w.add(isTrue, "1", "true", "t", "yes", "y", "fraud", "fraud_confirmed", "chargeback")
		w.add(isFalse, "0", "false", "f", "no", "n", "legitimate", "legitimate_confirmed", "settled", "refunded")
		return w
	}
	w.add(isFalse, c.False...)
	w.add(isTrue, c.True...)
	switch {
	case c.False == nil:
		w.other = isFalse
	case c.True == nil:
		w.other = isTrue
	}
	return w
}

func outcomeWords(c Column) words {
	w := words{meanings: map[string]uint8{}}
	if c.Approved == nil && c.Review == nil && c.Rejected == nil {
		c.Approved, c.Review, c.Rejected = []string{"approved"}, []string{"review"}, []string{"rejected"}
	}
	w.add(uint8(history.Approved), c.Approved...)
	w.add(uint8(history.Review), c.Review...)
	w.add(uint8(history.Rejected), c.Rejected...)
	return w
}

// maxTexts bounds the texts that are remembered to be used again.
const maxTexts = 1 << 20

// texts makes one string of equal values, because accounts, merchants and countries come again and again.
type texts map[string]string

func (t texts) of(value []byte) string {
	if len(value) == 0 {
		return ""
	}
	if text, found := t[string(value)]; found {
		return text
	}
	if len(t) >= maxTexts {
		clear(t)
	}
	text := string(value)
	t[text] = text
	return text
}

// lineID names a payment that has no id of its own.
func lineID(line int64) string { return "line " + strconv.FormatInt(line, 10) }

// idSet remembers ids by a hash of 64 bits: among a hundred million payments two different ids look the same with a chance of 1 in 3,700.
type idSet struct {
	slots []uint64 // 0 is free; a power of two, at most three quarters full
	count int
}

// add returns false when the id was there.
func (s *idSet) add(id []byte) bool {
	if 4*(s.count+1) > 3*len(s.slots) {
		s.grow()
	}
	if !s.place(hash64(id)) {
		return false
	}
	s.count++
	return true
}

func (s *idSet) place(hash uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case 0:
			s.slots[i] = hash
			return true
		case hash:
			return false
		}
	}
}

func (s *idSet) grow() {
	old := s.slots
	s.slots = make([]uint64, max(1024, 2*len(old)))
	for _, hash := range old {
		if hash != 0 {
			s.place(hash)
		}
	}
}

// hash64 is a hash that is the same on every machine, never 0.
func hash64(text []byte) uint64 {
	h := uint64(len(text)) * 0x9e3779b97f4a7c15
	for len(text) >= 8 {
		h = mix(h ^ binary.LittleEndian.Uint64(text))
		text = text[8:]
	}
	var last uint64
	for i, c := range text {
		last |= uint64(c) << (8 * i)
	}
	return max(1, mix(h^last^0xa0761d6478bd642f))
}

// mix is the finalizer of MurmurHash3: every bit of x decides about every bit of the result.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
