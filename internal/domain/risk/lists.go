package risk

import (
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
			set = &listSet{values: map[string]int64{}, addresses: map[netip.Addr]int64{}, prefixes: map[netip.Prefix]int64{}}
			out.named[entry.List] = set
		}
		set.add(entry)
	}
	return out
}

func (s *listSet) add(entry ListEntry) {
	expiry := int64(0)
	if !entry.ExpiresAt.IsZero() {
		expiry = entry.ExpiresAt.UnixMicro()
	}
	put(s.values, entry.Value, expiry)
	if address, err := netip.ParseAddr(entry.Value); err == nil {
		put(s.addresses, address.Unmap(), expiry)
	}
	prefix, err := netip.ParsePrefix(entry.Value)
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

// match returns the policy's lists that the payment is on, a bit for each.
func (l *Lists) match(policy *Policy, p *history.Payment) uint64 {
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
		if set != nil && set.has(policy.Lists[i].Field, p) {
			listed |= 1 << i
		}
	}
	return listed
}

func (s *listSet) has(field history.Field, p *history.Payment) bool {
	value := fieldText(field, p)
	if value == "" {
		return false
	}
	at := p.OccurredAt.UnixMicro()
	if expiry, found := s.values[value]; found && (expiry == 0 || at < expiry) {
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
	if expiry, found := s.addresses[address]; found && (expiry == 0 || at < expiry) {
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
		if expiry, found := s.prefixes[prefix]; found && (expiry == 0 || at < expiry) {
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
