package risk

import (
	"maps"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/problem"
)

// maxListValueBytes bounds one entry of a list.
const maxListValueBytes = 256

// ListEntry puts a value on a list.
type ListEntry struct {
	List      string    // the list's name in the policy
	Value     string    // as List.Normal returns it
	ExpiresAt time.Time // from this instant it no longer counts; zero means never
}

// Lists are the entries of one tenant's lists, prepared for decisions. It is immutable and safe for concurrent use: a changed entry makes
// a new one.
type Lists struct {
	named map[string]*listSet
	bound atomic.Pointer[boundLists]
}

// listSet is one list. The expiry is in Unix microseconds, 0 for never.
type listSet struct {
	values    map[string]int64
	addresses map[netip.Addr]int64
	prefixes  map[netip.Prefix]int64
	lengths   []netip.Prefix // one of each family and length that occurs, so that a look-up tries only these
	// What was changed since these were prepared, so that a change takes no copy of all: values that were put on the list, and those that
	// were taken off it or are in fresh with another expiry.
	fresh *listSet
	gone  map[string]bool
}

// maxFresh is how many changes are kept beside a list before all of it is prepared again.
const maxFresh = 2048

// ListChange is a change of one entry. The list has its value at most once.
type ListChange struct {
	ListEntry
	Removed bool
}

// With returns the lists after the changes, in their order. It takes as long as what was changed lately is large, not the lists.
func (l *Lists) With(changes []ListChange) *Lists {
	out := &Lists{named: maps.Clone(l.named)}
	changed := map[string]*listSet{}
	for _, c := range changes {
		set := changed[c.List]
		if set == nil {
			set = newListSet()
			if before := l.named[c.List]; before != nil {
				set = before.beside()
			}
			changed[c.List], out.named[c.List] = set, set
		}
		delete(set.fresh.values, c.Value)
		set.gone[c.Value] = true
		if !c.Removed {
			set.fresh.values[c.Value] = expiryOf(c.ExpiresAt)
		}
	}
	for name, set := range changed {
		out.named[name] = set.settled()
	}
	return out
}

func newListSet() *listSet {
	return &listSet{
		values: map[string]int64{}, addresses: map[netip.Addr]int64{}, prefixes: map[netip.Prefix]int64{},
		fresh: &listSet{values: map[string]int64{}}, gone: map[string]bool{},
	}
}

// beside returns a set on the same prepared values whose changes can be changed.
func (s *listSet) beside() *listSet {
	out := *s
	out.fresh, out.gone = &listSet{values: map[string]int64{}}, maps.Clone(s.gone)
	if out.gone == nil {
		out.gone = map[string]bool{}
	}
	if s.fresh != nil {
		out.fresh.values = maps.Clone(s.fresh.values)
	}
	return &out
}

// settled prepares the changes for look-ups, or all values anew when there are many changes.
func (s *listSet) settled() *listSet {
	changes := prepared(s.fresh.values)
	if len(s.gone) <= maxFresh {
		s.fresh = changes
		return s
	}
	all := maps.Clone(s.values)
	for value := range s.gone {
		delete(all, value)
	}
	maps.Copy(all, s.fresh.values)
	return prepared(all)
}

func prepared(values map[string]int64) *listSet {
	out := newListSet()
	for value, expiry := range values {
		out.put(value, expiry)
	}
	return out
}

func expiryOf(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// boundLists are the lists that one policy declares, in its order.
type boundLists struct {
	policy *Policy
	sets   []*listSet
}

// NewLists prepares the entries. When a value is on a list twice, the later expiry counts.
func NewLists(entries []ListEntry) *Lists {
	out := &Lists{named: map[string]*listSet{}}
	for _, entry := range entries {
		set := out.named[entry.List]
		if set == nil {
			set = newListSet()
			out.named[entry.List] = set
		}
		set.put(entry.Value, expiryOf(entry.ExpiresAt))
	}
	return out
}

func (s *listSet) put(value string, expiry int64) {
	put(s.values, value, expiry)
	if address, err := netip.ParseAddr(value); err == nil {
		put(s.addresses, address.Unmap(), expiry)
	}
	prefix, err := netip.ParsePrefix(value)
	if err != nil {
		return
	}
	put(s.prefixes, prefix.Masked(), expiry)
	for _, known := range s.lengths {
		if known.Bits() == prefix.Bits() && known.Addr().Is4() == prefix.Addr().Is4() {
			return
		}
	}
	s.lengths = append(s.lengths, prefix)
}

func put[K comparable](values map[K]int64, key K, expiry int64) {
	before, there := values[key]
	if !there || before != 0 && (expiry == 0 || expiry > before) {
		values[key] = expiry
	}
}

// match returns the policy's lists that the payment is on at the instant, a bit for each.
func (l *Lists) match(policy *Policy, p *history.Payment, at time.Time) uint64 {
	bound := l.bound.Load()
	if bound == nil || bound.policy != policy {
		bound = &boundLists{policy: policy, sets: make([]*listSet, len(policy.Lists))}
		for i, list := range policy.Lists {
			bound.sets[i] = l.named[list.Name]
		}
		l.bound.Store(bound)
	}
	var listed uint64
	for i, set := range bound.sets {
		if set != nil && set.has(policy.Lists[i].Field, p, at) {
			listed |= 1 << i
		}
	}
	return listed
}

func (s *listSet) has(field history.Field, p *history.Payment, at time.Time) bool {
	value := fieldText(field, p)
	if value == "" {
		return false
	}
	instant := at.UnixMicro()
	return s.holds(field, value, instant) || s.fresh != nil && s.fresh.holds(field, value, instant)
}

// stands reports whether a prepared value counts at the instant, and was not changed since it was prepared.
func (s *listSet) stands(value func() string, expiry, at int64) bool {
	return (expiry == 0 || at < expiry) && (len(s.gone) == 0 || !s.gone[value()])
}

// holds looks at the prepared values only.
func (s *listSet) holds(field history.Field, value string, at int64) bool {
	if expiry, found := s.values[value]; found && s.stands(func() string { return value }, expiry, at) {
		return true
	}
	if field != history.IP {
		return false
	}
	address, err := netip.ParseAddr(value)
	if err != nil {
		return false
	}
	address = address.Unmap()
	if expiry, found := s.addresses[address]; found && s.stands(address.String, expiry, at) {
		return true
	}
	for _, length := range s.lengths {
		if length.Addr().Is4() != address.Is4() {
			continue
		}
		prefix, err := address.Prefix(length.Bits())
		if err != nil {
			continue
		}
		if expiry, found := s.prefixes[prefix]; found && s.stands(prefix.String, expiry, at) {
			return true
		}
	}
	return false
}

// listFields are the fields that a list can be about.
var listFields = []history.Field{history.Account, history.PaymentMethod, history.Fingerprint, history.Merchant, history.Device,
	history.IP, history.Country, history.Region, history.Currency}

// fieldText returns the payment's value of a field as a list holds it.
func fieldText(field history.Field, p *history.Payment) string {
	switch field {
	case history.Account:
		return p.AccountID
	case history.PaymentMethod:
		return p.Method.ID
	case history.Fingerprint:
		return p.Method.Fingerprint
	case history.Merchant:
		return p.Merchant
	case history.Device:
		return p.DeviceID
	case history.IP:
		return p.IP
	case history.Country:
		return p.Place.Country
	case history.Region:
		return regionText(p.Place)
	case history.Currency:
		return p.Currency
	case history.MethodKind, history.City, history.Amount, history.AmountMinor:
		return ""
	default:
		return ""
	}
}

// regionText names a region with its country: DE/BE. It is empty when the region is not known.
func regionText(place history.Place) string {
	if place.Region == "" {
		return ""
	}
	country := strings.ToUpper(place.Country)
	return country + "/" + strings.TrimPrefix(strings.ToUpper(place.Region), country+"-")
}

// Normal returns the value as entries of the list hold it, or a problem for one that can never match: an address is written canonically
// (10.0.0.0/8 for a range), a country in capitals, a region as DE/BE.
func (l List) Normal(value string) (string, error) {
	value = strings.TrimSpace(value)
	if value == "" || len(value) > maxListValueBytes {
		return "", problem.Field("value", "value_malformed", "a value of a list has 1 to 256 bytes")
	}
	switch l.Field {
	case history.IP:
		if address, err := netip.ParseAddr(value); err == nil && address.Zone() == "" {
			return address.Unmap().String(), nil
		}
		if prefix, err := netip.ParsePrefix(value); err == nil {
			return prefix.Masked().String(), nil
		}
		return "", problem.Field("value", "ip_malformed", "an address is written like 203.0.113.7 or 2001:db8::7, a range like 203.0.113.0/24")
	case history.Country, history.Currency:
		value = strings.ToUpper(value)
		if wanted := map[history.Field]int{history.Country: 2, history.Currency: 3}[l.Field]; len(value) != wanted {
			return "", problem.Field("value", "value_malformed", "a country is written like SG, a currency like EUR")
		}
	case history.Region:
		value = strings.ToUpper(value)
		if country, region, found := strings.Cut(value, "/"); !found || len(country) != 2 || region == "" {
			return "", problem.Field("value", "value_malformed", "a region is written with its country, like DE/BE")
		}
	default: // identifiers are compared as they are
	}
	return value, nil
}
