package pan

// lengths is a set of number lengths: bit n is set when n digits are allowed.
type lengths uint32

const (
	l13      lengths = 1 << 13
	l14      lengths = 1 << 14
	l15      lengths = 1 << 15
	l16      lengths = 1 << 16
	l17      lengths = 1 << 17
	l18      lengths = 1 << 18
	l19      lengths = 1 << 19
	from16           = l16 | l17 | l18 | l19
	from14           = l14 | l15 | from16
	from13           = l13 | from14
	longest          = 19
	shortest         = 13
)

// issuer is a range of leading digits (an IIN range) and the lengths that numbers in it may have. first and last have the same number of
// digits, both ends count.
type issuer struct {
	scheme      string // for the reader of this table
	first, last int
	allowed     lengths
}

// issuers is the table of ranges that make a number a card number. It is wider than what each scheme issues today: a number that once
// was a card still is a secret. Ranges may overlap; one match is enough. The schemes publish no common list: these are the ranges of the
// public "Payment card number" tables and of design §6, to be widened when a scheme announces another.
var issuers = []issuer{
	{"UATP", 1, 1, l15},
	{"GPN", 1946, 1946, from16},
	{"Mir", 2200, 2204, from16},
	{"Borica", 2205, 2205, l16},
	{"Mastercard", 2221, 2720, l16},
	{"Diners Club", 300, 305, from14},
	{"Diners Club", 3095, 3095, from14},
	{"American Express", 34, 34, l15},
	{"JCB", 3528, 3589, from16},
	{"RuPay", 353, 353, l16},
	{"RuPay", 356, 356, l16},
	{"Diners Club", 36, 36, from14},
	{"American Express", 37, 37, l15},
	{"Hipercard", 384100, 384199, l13 | l16 | l19},
	{"Diners Club", 38, 39, from14},
	{"Visa", 4, 4, l13 | l16 | l19},
	{"Switch", 4903, 4903, l16 | l18 | l19},
	{"Switch", 4905, 4905, l16 | l18 | l19},
	{"Switch", 4911, 4911, l16 | l18 | l19},
	{"Switch", 4936, 4936, l16 | l18 | l19},
	{"Maestro", 50, 50, from13},
	{"Verve", 506099, 506198, l16 | l18 | l19},
	{"Verve", 507865, 507964, l16 | l18 | l19},
	{"RuPay", 508, 508, l16},
	{"Mastercard", 51, 55, l16},
	{"Uzcard", 5614, 5614, l16},
	{"Maestro", 56, 58, from13},
	{"RuPay", 60, 60, l16},
	{"Discover", 6011, 6011, from16},
	{"UkrCard", 604001, 604200, from16},
	{"Maestro", 60, 61, from13},
	{"UnionPay", 62, 62, from16},
	{"Discover", 622126, 622925, from16},
	{"Maestro", 63, 69, from13},
	{"Discover", 644, 649, from16},
	{"Discover", 65, 65, from16},
	{"RuPay", 65, 65, l16},
	{"Troy", 65, 65, l16},
	{"Verve", 650002, 650027, l16 | l18 | l19},
	{"UnionPay", 81, 81, from16},
	{"RuPay", 81, 82, l16},
	{"Uzcard", 8600, 8600, l16},
	{"Troy", 9792, 9792, l16},
	{"Humo", 9860, 9860, l16},
}

// issued reports whether some issuer range holds the number and allows its length.
func issued(digits []byte) bool {
	length := lengths(1) << len(digits)
	for i := range issuers {
		if issuers[i].allowed&length != 0 && issuers[i].holds(digits) {
			return true
		}
	}
	return false
}

// holds compares as many leading digits as the range's ends have.
func (r *issuer) holds(digits []byte) bool {
	leading := 0
	for rest, i := r.last, 0; rest > 0; rest, i = rest/10, i+1 {
		leading = leading*10 + int(digits[i])
	}
	return r.first <= leading && leading <= r.last
}
