package risk

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math"
	"strconv"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/domain/risk/scorecard"
)

// The codec keeps everything of Facts but the payment, which has columns of its own, and what follows from payment and policy. It holds no
// personal value. About 60 to 100 bytes.

const factsVersion = 1

const (
	flagEstablished = 1 << iota
	flagPlaceKnown
	flagDeviceKnown
	flagMethodKnown
	flagOverrun
	flagFailClosed
)

// ErrFacts is returned for stored facts that are damaged, or were made under a policy with other aggregates, lists or scorecard.
var ErrFacts = errors.New("stored facts do not belong to this policy or are damaged")

// AppendBinary appends the facts, as DecodeFacts reads them under the same policy.
func (f *Facts) AppendBinary(policy *Policy, dst []byte) []byte {
	dst = append(dst, factsVersion)
	dst = binary.LittleEndian.AppendUint32(dst, policy.shape)
	h := &f.History
	flags := bit(h.Established, flagEstablished) | bit(h.PlaceKnown, flagPlaceKnown) | bit(h.DeviceKnown, flagDeviceKnown) |
		bit(h.MethodKnown, flagMethodKnown) | bit(f.Budget.Overrun, flagOverrun) | bit(f.Budget.FailClosed, flagFailClosed)
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(h.ApprovedPayments))
	dst = appendNumber(dst, h.SinceElsewhere)
	dst = binary.AppendUvarint(dst, uint64(h.Spending.Count))
	if h.Spending.Count != 0 {
		dst = appendNumber(dst, h.Spending.MeanMinor)
		dst = appendNumber(dst, h.Spending.StddevMinor)
		dst = binary.AppendUvarint(dst, uint64(h.Spending.MaxMinor))
	}
	for i := range policy.Aggregates {
		dst = appendNumber(dst, f.aggregate(i))
	}
	dst = binary.AppendUvarint(dst, f.Listed)
	if policy.scored() {
		dst = binary.AppendVarint(dst, int64(f.Score.Points))
	}
	if f.Budget.Overrun {
		dst = binary.AppendUvarint(dst, uint64(f.Budget.Evaluated))
	}
	return dst
}

func bit(set bool, flag byte) byte {
	if set {
		return flag
	}
	return 0
}

// largestWhole bounds the numbers that are written as integers: beyond, a double is not sure to be one.
const largestWhole = 1 << 53

// appendNumber writes a whole number as a varint, shifted left by one, and anything else as 1 and the eight bytes of the double.
func appendNumber(dst []byte, value float64) []byte {
	if whole := int64(value); value >= -largestWhole && value <= largestWhole && float64(whole) == value && !(value == 0 && math.Signbit(value)) {
		return binary.AppendUvarint(dst, uint64(whole<<1^whole>>63)<<1)
	}
	return binary.LittleEndian.AppendUint64(binary.AppendUvarint(dst, 1), math.Float64bits(value))
}

// DecodeFacts reads what AppendBinary wrote under the same policy, for the payment that it was about. The error is ErrFacts.
func DecodeFacts(policy *Policy, payment *history.Payment, data []byte) (*Facts, error) {
	facts := &Facts{Payment: *payment}
	facts.Payment.AmountReference, facts.Payment.AmountKnown = policy.reference.convert(payment.AmountMinor, payment.Currency)
	r := factsReader{data: data}
	if r.byte() != factsVersion || r.uint32() != policy.shape {
		return nil, ErrFacts
	}
	flags := r.byte()
	h := &facts.History
	h.Established, h.PlaceKnown = flags&flagEstablished != 0, flags&flagPlaceKnown != 0
	h.DeviceKnown, h.MethodKnown = flags&flagDeviceKnown != 0, flags&flagMethodKnown != 0
	h.ApprovedPayments = r.count()
	h.SinceElsewhere = r.number()
	h.Spending.Count = r.count()
	if h.Spending.Count != 0 {
		h.Spending.MeanMinor, h.Spending.StddevMinor, h.Spending.MaxMinor = r.number(), r.number(), r.count()
	}
	if len(policy.Aggregates) > 0 {
		facts.Aggregates = make([]float64, len(policy.Aggregates))
	}
	for i := range facts.Aggregates {
		facts.Aggregates[i] = r.number()
	}
	facts.Listed = r.uvarint()
	if policy.scored() {
		facts.Score.Points = scorecard.Points(r.varint())
		facts.Score.Probability = policy.Scorecard.Model.ProbabilityOf(facts.Score.Points)
	}
	facts.Budget = Budget{Overrun: flags&flagOverrun != 0, FailClosed: flags&flagFailClosed != 0}
	if facts.Budget.Overrun {
		facts.Budget.Evaluated = int(r.count())
	}
	if r.failed || len(r.data) != 0 || facts.Budget.Evaluated > len(policy.Rules) || flags >= flagFailClosed<<1 {
		return nil, ErrFacts
	}
	return facts, nil
}

// factsReader reads from the front of data; once it failed, it yields zeros.
type factsReader struct {
	data   []byte
	failed bool
}

func (r *factsReader) take(n int) []byte {
	if len(r.data) < n {
		r.failed, r.data = true, nil
		return make([]byte, n)
	}
	out := r.data[:n]
	r.data = r.data[n:]
	return out
}

func (r *factsReader) byte() byte     { return r.take(1)[0] }
func (r *factsReader) uint32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }

func (r *factsReader) uvarint() uint64 {
	value, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.failed, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return value
}

func (r *factsReader) varint() int64 {
	value, n := binary.Varint(r.data)
	if n <= 0 || value > math.MaxInt32 || value < math.MinInt32 {
		r.failed, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return value
}

func (r *factsReader) count() int64 {
	value := r.uvarint()
	if value > math.MaxInt64 {
		r.failed = true
		return 0
	}
	return int64(value)
}

func (r *factsReader) number() float64 {
	head := r.uvarint()
	if head&1 == 0 {
		zigzag := head >> 1
		return float64(int64(zigzag>>1) ^ -int64(zigzag&1))
	}
	value := math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
	if head != 1 || value != value || math.IsInf(value, 0) {
		r.failed = true
		return 0
	}
	return value
}

// shapeOf is a digest of what the codec's positions mean: aggregates, lists and scorecard of a policy.
func shapeOf(p *Policy) uint32 {
	digest := fnv.New32a()
	put := func(parts ...string) {
		for _, part := range parts {
			_, _ = digest.Write(append([]byte(part), 0))
		}
	}
	for i := range p.Aggregates {
		d := &p.Aggregates[i].Definition
		put("aggregate", p.Aggregates[i].Name, d.Where, string(d.Field), strconv.Itoa(int(d.Of)), strconv.Itoa(int(d.Function)),
			d.Window.String(), d.Delay.String(), strconv.FormatBool(d.IncludeCurrent))
		for _, field := range d.Entity {
			put(string(field))
		}
	}
	for _, list := range p.Lists {
		put("list", list.Name, string(list.Field))
	}
	if p.scored() {
		put("scorecard", p.Scorecard.Model.Name, p.Scorecard.Model.Provenance.Fingerprint)
	}
	return digest.Sum32()
}
