package risk

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/probity/probity/internal/standard/strictyaml"
)

// MaxPolicyBytes bounds the text of a policy, a scorecard included.
const MaxPolicyBytes = 1 << 20

// The bounds of a policy's parts. Together with the cost limits they bound what a decision costs.
const (
	MaxAggregates = 64
	MaxLists      = 64

	maxThresholds = 256
	maxRates      = 256
	maxWhenBytes  = 4096
	maxPriority   = 1000
)

const documentName = "policy"

var (
	wordShape     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	versionShape  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	currencyShape = regexp.MustCompile(`^[A-Z]{3}$`)
)

// ParsePolicy reads and compiles a policy. It is strict: unknown and missing keys, wrong types, conditions that do not type-check, divide
// by zero or cost too much are refused, all at once, with their line and column. A non-nil error is a *strictyaml.Error.
func ParsePolicy(data []byte) (*Policy, error) {
	root, faults := strictyaml.Read(data, documentName, MaxPolicyBytes)
	top := strictyaml.NewMapping(faults, root, "", "policy", "version", "effective_from", "description", "reference", "combination", "thresholds?",
		"aggregates?", "lists?", "scorecard?", "rules")
	policy := &Policy{
		ID:            top.Matching("policy", wordShape, "a lower-case word, as default"),
		Version:       top.Matching("version", versionShape, "a version, as 2026-11-20"),
		EffectiveFrom: top.Date("effective_from"),
		Description:   top.Text("description", 4096),
	}
	if err := policy.read(top); err != nil {
		return nil, err
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	policy.plan()
	policy.shape = shapeOf(policy)
	return policy, nil
}

// read reads the parts in the order in which they build on each other. The error is about the rule language itself; faults are in top.
func (p *Policy) read(top strictyaml.Mapping) error {
	p.readReference(top.Child("reference", "currency", "decimals", "as_of", "source", "rates"))
	decimals := p.reference.decimals
	combination := top.Child("combination", "established_after_approved", "capped_amount", "triggers_to_reject")
	p.Combination = Combination{
		EstablishedAfterApproved: combination.Whole("established_after_approved", 0, 1_000_000),
		CappedAmountMinor:        combination.Amount("capped_amount", decimals),
		TriggersToReject:         combination.Whole("triggers_to_reject", 1, MaxRules),
	}
	constants := append(p.readThresholds(top, decimals), constant{"established_after_approved", p.Combination.EstablishedAfterApproved})

	spent := &spending{}
	filters, err := newCompiler(top.Faults, spent, slices.DeleteFunc(paymentFields(), func(f Field) bool { return !f.Folded }), constants)
	if err != nil {
		return err
	}
	p.readAggregates(top, filters)
	p.readLists(top)

	features, err := newCompiler(top.Faults, spent, Fields(p), constants)
	if err != nil {
		return err
	}
	p.readScorecard(top, features)
	rules := features
	if p.scored() {
		if rules, err = newCompiler(top.Faults, spent, Fields(p), constants); err != nil {
			return err
		}
	}
	p.readRules(top, decimals, rules)
	total := filters.total + features.total
	if rules != features {
		total += rules.total
	}
	if total > maxPolicyCost {
		top.Refuse("rules", "all conditions together can cost %d, more than the limit of %d; make them fewer or simpler", total, maxPolicyCost)
	}
	return nil
}

// plan sorts the rules for Decide: the hard ones come first, so that no budget skips them, and the disabled ones nowhere.
func (p *Policy) plan() {
	var others []int
	for i := range p.Rules {
		rule := &p.Rules[i]
		switch {
		case rule.Mode == Disabled:
			continue
		case rule.Hard:
			p.order = append(p.order, i)
		default:
			others = append(others, i)
		}
		switch {
		case rule.Mode != Active:
		case rule.Hard:
			p.hard.add(i)
		case rule.Effect == EffectTrigger:
			p.triggers.add(i)
		default:
			p.direct.add(i)
		}
	}
	p.protected = len(p.order)
	p.order = append(p.order, others...)
}

func (p *Policy) readThresholds(top strictyaml.Mapping, decimals int64) []constant {
	constants := []constant{}
	taken := map[string]bool{"established_after_approved": true}
	for i, node := range top.List("thresholds", 1, maxThresholds) {
		o := strictyaml.NewMapping(top.Faults, node, "thresholds["+strconv.Itoa(i)+"]", "name", "value", "unit", "meaning")
		threshold := Threshold{
			Name:    o.Matching("name", wordShape, "a lower-case word, as unusual_floor"),
			Value:   o.Text("value", 128),
			Unit:    Unit(o.OneOf("unit", string(UnitPayments), string(UnitCount), string(UnitFactor), string(UnitShare), string(UnitSeconds), string(UnitAmount))),
			Meaning: o.Text("meaning", 1024),
		}
		if !unique(o, taken, threshold.Name, "this threshold is already there") {
			continue
		}
		p.Thresholds = append(p.Thresholds, threshold)
		switch threshold.Unit {
		case UnitPayments, UnitCount:
			constants = append(constants, constant{threshold.Name, o.Whole("value", 0, 1_000_000)})
		case UnitSeconds:
			constants = append(constants, constant{threshold.Name, o.Whole("value", 0, 400*secondsPerDay)})
		case UnitAmount:
			constants = append(constants, constant{threshold.Name, o.Amount("value", decimals)})
		case UnitFactor:
			constants = append(constants, constant{threshold.Name, readFactor(o, "value", false)})
		case UnitShare:
			constants = append(constants, constant{threshold.Name, readFactor(o, "value", true)})
		}
	}
	return constants
}

// unique adds the name to those taken; it is false, after a fault, when it was there, and false when there is no name.
func unique(o strictyaml.Mapping, taken map[string]bool, name, message string) bool {
	if name == "" {
		return false
	}
	if taken[name] {
		o.Refuse("name", "%s", message)
		return false
	}
	taken[name] = true
	return true
}

func readFactor(o strictyaml.Mapping, key string, share bool) float64 {
	value := o.Text(key, 128)
	if value == "" {
		return 0
	}
	number, ok := strictyaml.ParseScaled(value, 0)
	if !ok {
		o.Refuse(key, "must be a number, as 3 or 2.5")
		return 0
	}
	out, _ := number.Float64()
	if share && out > 1 {
		o.Refuse(key, "must be a share from 0 to 1, as 0.05")
	}
	return out
}
