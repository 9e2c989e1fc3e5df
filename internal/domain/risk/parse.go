package risk

import (
	"math/big"
	"regexp"
	"sort"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// MaxPolicyBytes bounds the text of a policy.
const MaxPolicyBytes = 256 << 10

const (
	maxRules      = 64
	maxThresholds = 64
	maxRates      = 256
	maxWhenBytes  = 4096
)

var (
	wordShape     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	versionShape  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	currencyShape = regexp.MustCompile(`^[A-Z]{3}$`)
)

// ParsePolicy reads and compiles a policy. It is strict: unknown and missing keys, wrong types, conditions that do not type-check or
// cost too much are refused, all at once, with their line and column. A non-nil error is a *PolicyError.
func ParsePolicy(data []byte) (*Policy, error) {
	if len(data) > MaxPolicyBytes {
		return nil, &PolicyError{Faults: []Fault{{Message: "the policy is longer than " + strconv.Itoa(MaxPolicyBytes) + " bytes"}}}
	}
	root, fault := readDocument(data)
	if fault != nil {
		return nil, &PolicyError{Faults: []Fault{*fault}}
	}
	f := &faults{}
	top := newObject(f, root, "", "policy", "version", "effective_from", "description", "reference", "combination", "thresholds", "rules")
	policy := &Policy{
		ID:            top.matching("policy", wordShape, "a lower-case word, as default"),
		Version:       top.matching("version", versionShape, "a version, as 2026-11-20"),
		EffectiveFrom: top.date("effective_from"),
		Description:   top.text("description", 4096),
	}
	decimals := policy.readReference(top.child("reference", "currency", "decimals", "as_of", "source", "rates"))
	combination := top.child("combination", "established_after_approved", "capped_amount", "triggers_to_reject")
	policy.Combination = Combination{
		EstablishedAfterApproved: combination.whole("established_after_approved", 0, 1_000_000),
		CappedAmountMinor:        combination.amount("capped_amount", decimals),
		TriggersToReject:         combination.whole("triggers_to_reject", 1, maxRules),
	}
	constants := policy.readThresholds(top, decimals)
	compiler, err := newCompiler(f, data, append(constants,
		constant{"established_after_approved", policy.Combination.EstablishedAfterApproved}))
	if err != nil {
		return nil, err
	}
	policy.adapt = compiler.env.CELTypeAdapter().NativeToValue
	policy.readRules(top, decimals, compiler)
	if len(f.list) > 0 {
		sort.SliceStable(f.list, func(i, j int) bool { return f.list[i].Line < f.list[j].Line })
		return nil, &PolicyError{Faults: f.list}
	}
	return policy, nil
}

// readReference reads the rate table and returns the decimals of the reference currency.
func (p *Policy) readReference(o object) int64 {
	decimals := o.whole("decimals", 0, 4)
	p.reference = reference{
		currency: o.matching("currency", currencyShape, "an ISO 4217 code, as USD"),
		asOf:     o.date("as_of"),
		factors:  map[string]uint64{},
	}
	o.text("source", 4096)
	p.reference.factors[p.reference.currency] = factorUnit
	for i, node := range o.list("rates", maxRates) {
		rate := newObject(o.faults, node, o.at("rates["+strconv.Itoa(i)+"]"), "currency", "decimals", "value")
		currency := rate.matching("currency", currencyShape, "an ISO 4217 code, as EUR")
		value := rate.text("value", 128)
		minor := rate.whole("decimals", 0, 4)
		if currency == "" || value == "" {
			continue
		}
		if p.reference.factors[currency] != 0 {
			rate.faults.add(rate.fields["currency"], rate.at("currency"), "this currency already has a rate")
			continue
		}
		factor, ok := parseScaled(value, 9+decimals)
		if ok {
			factor.Quo(factor, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(minor), nil)))
		}
		if !ok || !wholeUint64(factor) {
			rate.faults.add(rate.fields["value"], rate.at("value"),
				"must be the price of one unit in the reference currency, as 1.17, not 0 and with at most 9 decimals")
			continue
		}
		p.reference.factors[currency] = factor.Num().Uint64()
	}
	return decimals
}

func wholeUint64(r *big.Rat) bool { return r.IsInt() && r.Num().IsUint64() && r.Num().Sign() > 0 }

func (p *Policy) readThresholds(top object, decimals int64) []constant {
	constants := []constant{}
	taken := map[string]bool{"established_after_approved": true}
	for i, node := range top.list("thresholds", maxThresholds) {
		o := newObject(top.faults, node, "thresholds["+strconv.Itoa(i)+"]", "name", "value", "unit", "meaning")
		threshold := Threshold{
			Name:    o.matching("name", wordShape, "a lower-case word, as unusual_floor"),
			Value:   o.text("value", 128),
			Unit:    Unit(o.oneOf("unit", string(UnitPayments), string(UnitFactor), string(UnitAmount))),
			Meaning: o.text("meaning", 1024),
		}
		if taken[threshold.Name] {
			o.faults.add(o.fields["name"], o.at("name"), "this threshold is already there")
		}
		if threshold.Name == "" || taken[threshold.Name] {
			continue
		}
		taken[threshold.Name] = true
		p.Thresholds = append(p.Thresholds, threshold)
		switch threshold.Unit {
		case UnitPayments:
			constants = append(constants, constant{threshold.Name, o.whole("value", 0, 1_000_000)})
		case UnitAmount:
			constants = append(constants, constant{threshold.Name, o.amount("value", decimals)})
		case UnitFactor:
			constants = append(constants, constant{threshold.Name, o.factor("value")})
		}
	}
	return constants
}

func (o object) factor(key string) float64 {
	value := o.text(key, 128)
	if value == "" {
		return 0
	}
	number, ok := parseScaled(value, 0)
	if !ok {
		o.faults.add(o.fields[key], o.at(key), "must be a number, as 3 or 2.5")
		return 0
	}
	out, _ := number.Float64()
	return out
}

func (p *Policy) readRules(top object, decimals int64, compiler *compiler) {
	names, codes := map[string]bool{}, map[string]bool{}
	for i, node := range top.list("rules", maxRules) {
		o := newObject(top.faults, node, "rules["+strconv.Itoa(i)+"]", "name", "code", "mode", "message", "when", "alone_above")
		rule := Rule{
			Name:            o.text("name", 128),
			Code:            o.matching("code", wordShape, "a lower-case word, as new_location"),
			Mode:            Mode(o.oneOf("mode", string(Active), string(Shadow), string(Disabled))),
			When:            o.text("when", maxWhenBytes),
			Text:            readText(o),
			AloneAboveMinor: o.amount("alone_above", decimals),
		}
		if rule.Name != "" && names[rule.Name] {
			o.faults.add(o.fields["name"], o.at("name"), "another rule has this name")
		}
		if rule.Code != "" && codes[rule.Code] {
			o.faults.add(o.fields["code"], o.at("code"), "another rule has this reason code")
		}
		names[rule.Name], codes[rule.Code] = true, true
		if rule.When != "" {
			rule.program = compiler.compile(o.fields["when"], o.at("when"))
		}
		p.Rules = append(p.Rules, rule)
	}
}

var localeShape = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

func readText(o object) Text {
	node := o.fields["message"]
	if node == nil {
		return nil
	}
	keys := []string{"en"}
	if node.Kind == yaml.MappingNode {
		for i := 0; i < len(node.Content); i += 2 {
			if key := node.Content[i].Value; key != "en" && localeShape.MatchString(key) {
				keys = append(keys, key+"?")
			}
		}
	}
	message := o.child("message", keys...)
	text := Text{}
	for locale := range message.fields {
		text[locale] = message.text(locale, 1024)
	}
	return text
}
