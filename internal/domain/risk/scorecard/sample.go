package scorecard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
)

// Sample is a set of labelled payments, column by column.
type Sample struct {
	Columns [][]float64 // one for each feature; NaN is missing
	Fraud   []bool
}

// NewSample returns an empty sample of so many features.
func NewSample(features int) *Sample { return &Sample{Columns: make([][]float64, features)} }

// Add appends one payment. Features beyond those given are missing.
func (s *Sample) Add(features []float64, fraud bool) {
	for i := range s.Columns {
		value := math.NaN()
		if i < len(features) {
			value = features[i]
		}
		s.Columns[i] = append(s.Columns[i], value)
	}
	s.Fraud = append(s.Fraud, fraud)
}

// Frauds returns how many payments of the sample are fraud.
func (s *Sample) Frauds() int {
	n := 0
	for _, fraud := range s.Fraud {
		if fraud {
			n++
		}
	}
	return n
}

// ErrNothingToLearn is returned by Train when a window has no fraud, or nothing but fraud.
var ErrNothingToLearn = errors.New("scorecard: a window needs payments of both kinds, fraud and legitimate")

// check verifies the shape, and that there is something to tell apart.
func (s *Sample) check(features int, bothKinds bool) error {
	if len(s.Columns) != features {
		return fmt.Errorf("scorecard: the sample has %d features, the options %d", len(s.Columns), features)
	}
	for _, column := range s.Columns {
		if len(column) != len(s.Fraud) {
			return errors.New("scorecard: the sample's columns are not of one length")
		}
	}
	if frauds := s.Frauds(); bothKinds && (frauds == 0 || frauds == len(s.Fraud)) {
		return ErrNothingToLearn
	}
	return nil
}

// joined returns the payments of all samples, in their order.
func joined(samples ...*Sample) *Sample {
	out := NewSample(len(samples[0].Columns))
	for i := range out.Columns {
		columns := make([][]float64, len(samples))
		for j, s := range samples {
			columns[j] = s.Columns[i]
		}
		out.Columns[i] = slices.Concat(columns...)
	}
	for _, s := range samples {
		out.Fraud = append(out.Fraud, s.Fraud...)
	}
	return out
}

// fingerprint returns 16 hexadecimal digits that depend on every value and label.
func (s *Sample) fingerprint() string {
	h := fnv.New64a()
	var buffer [8]byte
	for _, column := range s.Columns {
		for _, value := range column {
			binary.LittleEndian.PutUint64(buffer[:], math.Float64bits(value))
			_, _ = h.Write(buffer[:])
		}
	}
	for _, fraud := range s.Fraud {
		buffer[0] = 0
		if fraud {
			buffer[0] = 1
		}
		_, _ = h.Write(buffer[:1])
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// scatter returns a number that depends on every bit of its arguments: the only randomness of training.
func scatter(values ...uint64) uint64 {
	x := uint64(0x9e3779b97f4a7c15)
	for _, v := range values {
		x ^= v
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}
