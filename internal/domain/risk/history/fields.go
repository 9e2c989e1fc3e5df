package history

import "strings"

// field is a Field as a number; 0 is none.
type field uint8

const (
	fieldAccount field = iota + 1
	fieldPaymentMethod
	fieldMethodKind
	fieldFingerprint
	fieldMerchant
	fieldDevice
	fieldIP
	fieldCountry
	fieldRegion
	fieldCity
	fieldCurrency
	fieldAmount
	fieldAmountMinor
	fieldCount
)

// number returns the field's number, 0 when there is no such field. The numbers are part of what is stored: they seed the hashes.
func (f Field) number() field {
	switch f {
	case Account:
		return fieldAccount
	case PaymentMethod:
		return fieldPaymentMethod
	case MethodKind:
		return fieldMethodKind
	case Fingerprint:
		return fieldFingerprint
	case Merchant:
		return fieldMerchant
	case Device:
		return fieldDevice
	case IP:
		return fieldIP
	case Country:
		return fieldCountry
	case Region:
		return fieldRegion
	case City:
		return fieldCity
	case Currency:
		return fieldCurrency
	case Amount:
		return fieldAmount
	case AmountMinor:
		return fieldAmountMinor
	}
	return 0
}

func (f field) isAmount() bool { return f == fieldAmount || f == fieldAmountMinor }

// subject is a payment with what is worked out about it on the way: the hashes of its fields and which filters it passes.
type subject struct {
	payment  *Payment
	at       int64
	hashed   uint32     // by field: hash is worked out
	known    uint32     // by field: the payment has a value
	owner    *SeriesSet // whose filters are counted in:
	filtered uint64     // by filter, for the first 64: it was asked
	passed   uint64
	hashes   [fieldCount]uint64
}

// hash returns the hash of the field's value, and false when it is not known.
func (s *subject) hash(f field) (uint64, bool) {
	if s.hashed&(1<<f) == 0 {
		s.hashed |= 1 << f
		if h, known := hashField(s.payment, f); known {
			s.known |= 1 << f
			s.hashes[f] = h
		}
	}
	return s.hashes[f], s.known&(1<<f) != 0
}

// amount returns the value of an amount field, and false when it is not known.
func (s *subject) amount(f field) (int64, bool) { return amountOf(s.payment, f) }

func amountOf(p *Payment, f field) (int64, bool) {
	if f == fieldAmount {
		return p.AmountReference, p.AmountKnown && p.AmountReference >= 0
	}
	return p.AmountMinor, p.AmountMinor >= 0
}

func hashField(p *Payment, f field) (uint64, bool) {
	var text string
	seed := uint64(f)
	switch f {
	case fieldAccount:
		text = p.AccountID
	case fieldPaymentMethod:
		text = p.Method.ID
	case fieldMethodKind:
		text = p.MethodKind
	case fieldFingerprint:
		text = p.Method.Fingerprint
	case fieldMerchant:
		text = p.Merchant
	case fieldDevice:
		text = p.DeviceID
	case fieldIP:
		text = p.IP
	case fieldCountry:
		text = p.Place.country()
	case fieldRegion:
		text = p.Place.region()
		seed = hash(seed, p.Place.country())
	case fieldCity:
		text = strings.ToUpper(strings.TrimSpace(p.Place.City))
		seed = hash(hash(seed, p.Place.country()), p.Place.region())
	case fieldCurrency:
		text = p.Currency
	case fieldAmount, fieldAmountMinor:
		amount, known := amountOf(p, f)
		return hashNumber(seed, uint64(amount)), known
	}
	return hash(seed, text), text != ""
}

// The two parts of the key of a place: its country, and in the lower bits its region, 0 when that is not known. So the regions of a country lie together.
const (
	regionBits = keyBits - 16
	regionMask = 1<<regionBits - 1
)

// placeKey returns the key of a place, and false when its country is not known.
func placeKey(place *Place) (uint64, bool) {
	country := place.country()
	if country == "" {
		return 0, false
	}
	var key uint64
	if len(country) == 2 {
		key = uint64(country[0])<<8 | uint64(country[1])
	} else {
		key = hash(uint64(fieldCountry), country) >> 48
	}
	key <<= regionBits
	if region := place.region(); region != "" {
		key |= max(hash(hash(uint64(fieldRegion), country), region)>>(64-regionBits), 1)
	}
	return key, true
}
