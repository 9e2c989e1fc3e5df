package paymentfile

import "strings"

// usual are the headings that say by themselves what they are, in the order in which they are tried.
var usual = map[Field][]string{
	ID:          {"id", "payment_id", "transaction_id", "trans_num", "tx_id"},
	At:          {"at", "occurred_at", "tx_datetime", "trans_date_trans_time", "datetime", "timestamp", "date"},
	Account:     {"account", "account_id", "customer_id", "cc_num", "user_id"},
	Amount:      {"amount", "tx_amount", "amt"},
	Currency:    {"currency"},
	Merchant:    {"merchant", "merchant_id", "terminal_id"},
	Device:      {"device", "device_id"},
	IP:          {"ip", "ip_address"},
	Country:     {"country"},
	Region:      {"region"},
	City:        {"city"},
	Method:      {"payment_method", "payment_method_id"},
	Fingerprint: {"fingerprint"},
	MethodKind:  {"method_kind"},
	Outcome:     {"outcome"},
	Fraud:       {"fraud", "is_fraud", "tx_fraud"},
	KnownAt:     {"known_at"},
}

// Guess returns the map of a CSV file whose headings say by themselves what they are. A column amount_minor is an amount in minor units. Without
// a column for the currency all amounts are in the one given.
func Guess(headings []string, currency string) *Map {
	m := &Map{Delimiter: ',', Columns: map[Field]Column{}}
	find := func(name string) (string, bool) {
		for _, heading := range headings {
			if strings.EqualFold(strings.TrimSpace(heading), name) {
				return heading, true
			}
		}
		return "", false
	}
	for _, field := range fields {
		for _, name := range usual[field] {
			if heading, found := find(name); found {
				m.Columns[field] = Column{Name: heading}
				break
			}
		}
	}
	if heading, found := find("amount_minor"); found {
		m.Columns[Amount] = Column{Name: heading, Unit: "minor"}
	}
	if _, found := m.Columns[Currency]; !found && currency != "" {
		m.Columns[Currency] = Column{Constant: currency}
	}
	return m
}

// Native returns the map of NDJSON that looks like the bodies of POST /v1/payments, with the members id, outcome, fraud and known_at
// beside it.
func Native() *Map {
	m := &Map{Delimiter: ',', Columns: map[Field]Column{}}
	for field, path := range map[Field]string{
		ID: "id", At: "occurred_at", Account: "account_id", Currency: "amount.currency", Merchant: "merchant",
		Device: "device.id", IP: "ip", Country: "location.country", Region: "location.region", City: "location.city",
		Method: "payment_method_id", Fingerprint: "fingerprint", MethodKind: "method_kind", Outcome: "outcome", Fraud: "fraud", KnownAt: "known_at",
	} {
		m.Columns[field] = Column{Name: path}
	}
	m.Columns[Amount] = Column{Name: "amount.amount_minor", Unit: "minor"}
	return m
}

// String writes the map as one line for people: field=column, in the order of the fields.
func (m *Map) String() string {
	var parts []string
	for _, field := range fields {
		switch c, found := m.Columns[field]; {
		case !found:
		case c.Constant != "":
			parts = append(parts, string(field)+"="+c.Constant)
		default:
			parts = append(parts, string(field)+"←"+c.Name)
		}
	}
	return strings.Join(parts, ", ")
}
