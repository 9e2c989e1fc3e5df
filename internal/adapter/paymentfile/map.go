package paymentfile

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/standard/money"
)

// Field is what a column says about a payment.
type Field string

// The fields of a Map. At, Account, Amount and Currency are required.
const (
	ID          Field = "id"             // the payment's own id; without it payments are named by their line
	At          Field = "at"             // when it was made
	Account     Field = "account"        // who pays
	Amount      Field = "amount"         // how much
	Currency    Field = "currency"       // ISO 4217
	Merchant    Field = "merchant"       // who is paid
	Device      Field = "device"         // with which device
	IP          Field = "ip"             // from which address; any text, so that a data set may hide real ones
	Country     Field = "country"        // from where: ISO 3166-1 alpha-2
	Region      Field = "region"         // from where
	City        Field = "city"           // from where
	Method      Field = "payment_method" // id of the payment method
	Fingerprint Field = "fingerprint"    // the same for the same card under another id
	MethodKind  Field = "method_kind"    // card, bank_account or wallet
	Outcome     Field = "outcome"        // what became of it: approved, review or rejected; without it, approved
	Fraud       Field = "fraud"          // whether it turned out to be fraud; an empty value is not known
	KnownAt     Field = "known_at"       // when that became known
)

// The fields by position, in the order in which they are explained.
const (
	atID = iota
	atAt
	atAccount
	atAmount
	atCurrency
	atMerchant
	atDevice
	atIP
	atCountry
	atRegion
	atCity
	atMethod
	atFingerprint
	atKind
	atOutcome
	atFraud
	atKnownAt
)

var fields = [...]Field{
	ID, At, Account, Amount, Currency, Merchant, Device, IP, Country, Region, City, Method, Fingerprint, MethodKind, Outcome, Fraud, KnownAt,
}

// Column says where one field comes from. Exactly one of Name and Constant is given.
type Column struct {
	Name     string // the column's heading; in NDJSON the path of the member, e.g. amount.currency
	Constant string // the same value for every payment

	// Instants: "iso" (the default: RFC 3339, or a date with or without a time), "unix", "unix_ms", "unix_us", "seconds", "minutes",
	// "hours" or "days" after Since, or a pattern such as DD/MM/YYYY hh:mm:ss.
	Format string
	Since  string // for offsets: the instant that is 0
	Zone   string // IANA zone of instants that do not say theirs; UTC when empty

	// Amounts.
	Unit         string // "major" (the default: 12.50) or "minor" (1250)
	Round        bool   // accept more decimals than the currency has, rounded half away from zero
	DecimalComma bool   // 12,50 is twelve and a half
	Prefix       string // dropped when the value begins with it, e.g. $

	// Values that mean something, compared without regard to case. For Fraud: True and False; when only True is given, every other value
	// but the empty one is false. For Outcome: Approved, Review and Rejected.
	True, False                []string
	Approved, Review, Rejected []string
}

// Map says which column of a file is what.
type Map struct {
	Delimiter byte // of CSV; ',' unless said
	Columns   map[Field]Column
}

// maxMapBytes bounds the text of a map.
const maxMapBytes = 64 << 10

// columnKeys are the keys of a column that is written as a mapping, with the fields that may have them.
var columnKeys = map[string]func(Field) bool{
	"column": anyField, "constant": anyField,
	"format": isInstant, "since": isInstant, "zone": isInstant,
	"unit": isAmount, "round": isAmount, "decimal_comma": isAmount, "prefix": isAmount,
	"true": isFraud, "false": isFraud,
	"approved": isOutcome, "review": isOutcome, "rejected": isOutcome,
}

func anyField(Field) bool    { return true }
func isInstant(f Field) bool { return f == At || f == KnownAt }
func isAmount(f Field) bool  { return f == Amount }
func isFraud(f Field) bool   { return f == Fraud }
func isOutcome(f Field) bool { return f == Outcome }

// ParseMap reads a Map. An error names the line and what is accepted.
//
//	delimiter: ","            # one character, or tab
//	columns:
//	  id: transaction_id      # a column by its heading
//	  at: {column: at, format: iso, zone: Europe/Paris}
//	  account: customer_id
//	  amount: {column: amount, unit: major}
//	  currency: {constant: USD}
//	  fraud: {column: fraud, true: ["1"], false: ["0"]}
func ParseMap(data []byte) (*Map, error) {
	if len(data) > maxMapBytes {
		return nil, fmt.Errorf("payment map: longer than %d bytes", maxMapBytes)
	}
	var document struct {
		Delimiter string               `yaml:"delimiter"`
		Columns   map[string]yaml.Node `yaml:"columns"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, errors.New("payment map: empty; it needs the key columns")
	} else if err != nil {
		return nil, fmt.Errorf("payment map: %w", err)
	}
	m := &Map{Delimiter: ',', Columns: map[Field]Column{}}
	switch d := document.Delimiter; {
	case d == "":
	case d == "tab":
		m.Delimiter = '\t'
	case len(d) == 1 && d[0] != '"' && d[0] != '\n' && d[0] != '\r':
		m.Delimiter = d[0]
	default:
		return nil, errors.New("payment map: delimiter: must be one character, or tab")
	}
	for name, node := range document.Columns {
		field := Field(name)
		if !slices.Contains(fields[:], field) {
			return nil, fmt.Errorf("payment map: line %d: columns: unknown field; known are %s", node.Line, fieldNames())
		}
		column, err := parseColumn(field, &node)
		if err != nil {
			return nil, fmt.Errorf("payment map: line %d: columns.%s: %w", node.Line, field, err)
		}
		m.Columns[field] = column
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("payment map: %w", err)
	}
	return m, nil
}

func fieldNames() string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// parseColumn reads a heading alone, or a mapping.
func parseColumn(field Field, node *yaml.Node) (Column, error) {
	if node.Kind == yaml.ScalarNode && node.Value != "" {
		return Column{Name: node.Value}, nil
	}
	if node.Kind != yaml.MappingNode {
		return Column{}, errors.New("must be a column's heading or a mapping with the key column or constant")
	}
	var c Column
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		if may, known := columnKeys[key]; !known || !may(field) {
			return Column{}, fmt.Errorf("the key %s does not belong here", strconv.Quote(bounded(key)))
		}
		if err := c.set(key, value); err != nil {
			return Column{}, err
		}
	}
	return c, c.check(field)
}

func bounded(text string) string { return text[:min(len(text), 40)] }

func (c *Column) set(key string, value *yaml.Node) error {
	texts := map[string]*string{"column": &c.Name, "constant": &c.Constant, "format": &c.Format, "since": &c.Since, "zone": &c.Zone,
		"unit": &c.Unit, "prefix": &c.Prefix}
	lists := map[string]*[]string{"true": &c.True, "false": &c.False, "approved": &c.Approved, "review": &c.Review, "rejected": &c.Rejected}
	flags := map[string]*bool{"round": &c.Round, "decimal_comma": &c.DecimalComma}
	switch {
	case texts[key] != nil && value.Kind == yaml.ScalarNode && value.Value != "":
		*texts[key] = value.Value
		return nil
	case lists[key] != nil && value.Kind == yaml.ScalarNode:
		*lists[key] = []string{value.Value}
		return nil
	case lists[key] != nil && value.Kind == yaml.SequenceNode && len(value.Content) > 0 && len(value.Content) <= 100:
		for _, entry := range value.Content {
			if entry.Kind != yaml.ScalarNode {
				return fmt.Errorf("%s must be a list of texts", key)
			}
			*lists[key] = append(*lists[key], entry.Value)
		}
		return nil
	case flags[key] != nil && (value.Value == "true" || value.Value == "false"):
		*flags[key] = value.Value == "true"
		return nil
	}
	return fmt.Errorf("%s has the wrong form", key)
}

var patternShape = regexp.MustCompile(`^[^A-Za-z]*(YYYY|MM|DD|hh|mm|ss|[^A-Za-z]|T)+$`)

// check returns the first rule that the column breaks.
func (c Column) check(field Field) error {
	if (c.Name == "") == (c.Constant == "") {
		return errors.New("needs the key column or constant, one of the two")
	}
	switch c.Format {
	case "", "iso", "unix", "unix_ms", "unix_us":
	case "seconds", "minutes", "hours", "days":
		if c.Since == "" {
			return errors.New("an offset needs the key since, e.g. 2018-04-01")
		}
	default:
		if !patternShape.MatchString(c.Format) || !strings.Contains(c.Format, "YYYY") || !strings.Contains(c.Format, "MM") || !strings.Contains(c.Format, "DD") {
			return errors.New("format must be iso, unix, unix_ms, unix_us, seconds, minutes, hours, days or a pattern of YYYY MM DD hh mm ss")
		}
	}
	if c.Unit != "" && c.Unit != "major" && c.Unit != "minor" {
		return errors.New("unit must be major (12.50) or minor (1250)")
	}
	if field == Currency && c.Constant != "" && !money.Valid(c.Constant) {
		return errors.New("the constant must be an ISO 4217 code, e.g. USD")
	}
	return nil
}

func (m *Map) check() error {
	for _, field := range []Field{At, Account, Amount, Currency} {
		if _, found := m.Columns[field]; !found {
			return fmt.Errorf("columns: the field %s is missing", field)
		}
	}
	return nil
}
