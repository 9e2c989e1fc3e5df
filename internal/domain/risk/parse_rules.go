package risk

import (
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/domain/risk/scorecard"
	"github.com/probity/probity/internal/standard/strictyaml"
)

func (p *Policy) readRules(top strictyaml.Mapping, decimals int64, compiler *compiler) {
	names, codes := map[string]bool{}, map[string]bool{DecidedByCombination: true, DecidedByBudget: true}
	for i, node := range top.List("rules", 1, MaxRules) {
		o := strictyaml.NewMapping(top.Faults, node, "rules["+strconv.Itoa(i)+"]", "name", "code", "mode", "outcome?", "priority?", "hard?", "message", "when",
			"alone_above?")
		rule := Rule{
			Name:     o.Text("name", 128),
			Code:     o.Matching("code", wordShape, "a lower-case word, as new_location"),
			Mode:     Mode(o.OneOf("mode", string(Active), string(Shadow), string(Disabled))),
			Effect:   EffectTrigger,
			Priority: o.Whole("priority", -maxPriority, maxPriority),
			Hard:     o.Flag("hard"),
			When:     o.Text("when", maxWhenBytes),
			Text:     readText(o),
		}
		if !o.Has("priority") {
			rule.Priority = 0
		}
		if o.Has("outcome") {
			rule.Effect = Effect(o.OneOf("outcome", string(EffectTrigger), string(EffectReview), string(EffectReject), string(EffectApprove)))
		}
		rule.AloneAboveMinor = o.Amount("alone_above", decimals)
		rule.checkEffect(o)
		if rule.Name != "" && names[rule.Name] {
			o.Refuse("name", "another rule has this name")
		}
		if rule.Code != "" && codes[rule.Code] {
			o.Refuse("code", "another rule has this reason code, or it is reserved")
		}
		names[rule.Name], codes[rule.Code] = true, true
		if rule.When != "" {
			rule.condition = compiler.compile(o.Fields["when"], o.At("when"), wantTruth)
		}
		p.Rules = append(p.Rules, rule)
	}
}

// checkEffect refuses keys that say nothing with the rule's outcome.
func (r *Rule) checkEffect(o strictyaml.Mapping) {
	if r.Effect == EffectTrigger {
		if !o.Has("alone_above") {
			o.Faults.Add(o.Node, o.Path, "the key alone_above is missing: a trigger alone rejects only above it")
		}
		if o.Has("priority") {
			o.Refuse("priority", "a trigger has no priority; the combination has 0")
		}
	} else if r.Effect != "" && o.Has("alone_above") {
		o.Refuse("alone_above", "only a trigger has alone_above; compare the amount in when")
	}
	if r.Hard && r.Effect != EffectReject {
		o.Refuse("hard", "only a rule with the outcome rejected can be hard")
	}
	if r.Hard && o.Has("priority") {
		o.Refuse("priority", "a hard rule beats every priority; leave it out")
	}
}

var localeShape = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

func readText(o strictyaml.Mapping) Text {
	node := o.Fields["message"]
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
	message := o.Child("message", keys...)
	text := Text{}
	for locale := range message.Fields {
		text[locale] = message.Text(locale, 1024)
	}
	return text
}

func (p *Policy) readLists(top strictyaml.Mapping) {
	taken := map[string]bool{}
	for i, node := range top.List("lists", 1, MaxLists) {
		o := strictyaml.NewMapping(top.Faults, node, "lists["+strconv.Itoa(i)+"]", "name", "kind", "field", "meaning")
		fields := make([]string, len(listFields))
		for j, field := range listFields {
			fields[j] = string(field)
		}
		list := List{
			Name:    o.Matching("name", wordShape, "a lower-case word, as blocked_devices"),
			Kind:    ListKind(o.OneOf("kind", string(ListBlock), string(ListAllow))),
			Field:   listFields[max(0, slices.Index(fields, o.OneOf("field", fields...)))],
			Meaning: o.Text("meaning", 1024),
		}
		if unique(o, taken, list.Name, "this list is already there") {
			p.Lists = append(p.Lists, list)
		}
	}
}

// readScorecard reads how features are computed and the model that weighs them. Without a model, the scorecard is one to be trained.
func (p *Policy) readScorecard(top strictyaml.Mapping, compiler *compiler) {
	if !top.Has("scorecard") {
		return
	}
	o := top.Child("scorecard", "inputs", "model?")
	inputs := o.Fields["inputs"]
	if inputs == nil {
		return
	}
	card := &Scorecard{}
	var names []string
	if model := o.Fields["model"]; model != nil {
		if card.Model = scorecard.ParseNode(top.Faults, model, o.At("model")); card.Model == nil {
			return
		}
		for i := range card.Model.Features {
			names = append(names, card.Model.Features[i].Name)
		}
	} else {
		names = newNames(top.Faults, inputs)
	}
	values := o.Child("inputs", names...)
	for _, name := range names {
		feature := Feature{Name: name, Value: values.Text(name, maxWhenBytes)}
		if feature.Value != "" {
			feature.condition = compiler.compile(values.Fields[name], values.At(name), wantNumber)
		}
		if feature.condition != nil {
			card.sources = append(card.sources, feature.condition.number.trier())
		}
		card.Features = append(card.Features, feature)
	}
	p.Scorecard = card
}

// newNames returns the names of the features of a model that is to be trained.
func newNames(f *strictyaml.Faults, inputs *yaml.Node) []string {
	if inputs.Kind != yaml.MappingNode || len(inputs.Content) == 0 || len(inputs.Content)/2 > scorecard.MaxFeatures {
		f.Add(inputs, "scorecard.inputs", "must be a mapping of 1 to %d features to how they are computed", scorecard.MaxFeatures)
		return nil
	}
	var names []string
	for i := 0; i < len(inputs.Content); i += 2 {
		key := inputs.Content[i]
		if !wordShape.MatchString(key.Value) {
			f.Add(key, "scorecard.inputs", "a feature is named by a lower-case word, as amount_ratio")
		}
		names = append(names, key.Value)
	}
	return names
}
