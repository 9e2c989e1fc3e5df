package risk

import (
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/domain/risk/scorecard"
)

func (p *Policy) readRules(top object, decimals int64, compiler *compiler) {
	names, codes := map[string]bool{}, map[string]bool{DecidedByCombination: true, DecidedByBudget: true}
	for i, node := range top.list("rules", MaxRules) {
		o := newObject(top.faults, node, "rules["+strconv.Itoa(i)+"]", "name", "code", "mode", "outcome?", "priority?", "hard?", "message", "when",
			"alone_above?")
		rule := Rule{
			Name:     o.text("name", 128),
			Code:     o.matching("code", wordShape, "a lower-case word, as new_location"),
			Mode:     Mode(o.oneOf("mode", string(Active), string(Shadow), string(Disabled))),
			Effect:   EffectTrigger,
			Priority: o.whole("priority", -maxPriority, maxPriority),
			Hard:     o.flag("hard"),
			When:     o.text("when", maxWhenBytes),
			Text:     readText(o),
		}
		if o.fields["priority"] == nil {
			rule.Priority = 0
		}
		if o.fields["outcome"] != nil {
			rule.Effect = Effect(o.oneOf("outcome", string(EffectTrigger), string(EffectReview), string(EffectReject), string(EffectApprove)))
		}
		rule.AloneAboveMinor = o.amount("alone_above", decimals)
		rule.checkEffect(o)
		if rule.Name != "" && names[rule.Name] {
			o.faults.add(o.fields["name"], o.at("name"), "another rule has this name")
		}
		if rule.Code != "" && codes[rule.Code] {
			o.faults.add(o.fields["code"], o.at("code"), "another rule has this reason code, or it is reserved")
		}
		names[rule.Name], codes[rule.Code] = true, true
		if rule.When != "" {
			rule.condition = compiler.compile(o.fields["when"], o.at("when"), wantTruth)
		}
		p.Rules = append(p.Rules, rule)
	}
}

// checkEffect refuses keys that say nothing with the rule's outcome.
func (r *Rule) checkEffect(o object) {
	if r.Effect == EffectTrigger {
		if o.fields["alone_above"] == nil {
			o.faults.add(o.node, o.path, "the key alone_above is missing: a trigger alone rejects only above it")
		}
		if o.fields["priority"] != nil {
			o.faults.add(o.fields["priority"], o.at("priority"), "a trigger has no priority; the combination has 0")
		}
	} else if r.Effect != "" && o.fields["alone_above"] != nil {
		o.faults.add(o.fields["alone_above"], o.at("alone_above"), "only a trigger has alone_above; compare the amount in when")
	}
	if r.Hard && r.Effect != EffectReject {
		o.faults.add(o.fields["hard"], o.at("hard"), "only a rule with the outcome rejected can be hard")
	}
	if r.Hard && o.fields["priority"] != nil {
		o.faults.add(o.fields["priority"], o.at("priority"), "a hard rule beats every priority; leave it out")
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

func (p *Policy) readLists(top object) {
	taken := map[string]bool{}
	for i, node := range top.list("lists", MaxLists) {
		o := newObject(top.faults, node, "lists["+strconv.Itoa(i)+"]", "name", "kind", "field", "meaning")
		fields := make([]string, len(listFields))
		for j, field := range listFields {
			fields[j] = string(field)
		}
		list := List{
			Name:    o.matching("name", wordShape, "a lower-case word, as blocked_devices"),
			Kind:    ListKind(o.oneOf("kind", string(ListBlock), string(ListAllow))),
			Field:   listFields[max(0, slices.Index(fields, o.oneOf("field", fields...)))],
			Meaning: o.text("meaning", 1024),
		}
		if o.unique(taken, list.Name, "this list is already there") {
			p.Lists = append(p.Lists, list)
		}
	}
}

// readScorecard reads how features are computed and the model that weighs them. Without a model, the scorecard is one to be trained.
func (p *Policy) readScorecard(top object, compiler *compiler) {
	if top.fields["scorecard"] == nil {
		return
	}
	o := top.child("scorecard", "inputs", "model?")
	inputs := o.fields["inputs"]
	if inputs == nil {
		return
	}
	card := &Scorecard{}
	var names []string
	if model := o.fields["model"]; model != nil {
		if card.Model = readModel(top.faults, model); card.Model == nil {
			return
		}
		for i := range card.Model.Features {
			names = append(names, card.Model.Features[i].Name)
		}
	} else {
		names = newNames(top.faults, inputs)
	}
	values := o.child("inputs", names...)
	for _, name := range names {
		feature := Feature{Name: name, Value: values.text(name, maxWhenBytes)}
		if feature.Value != "" {
			feature.condition = compiler.compile(values.fields[name], values.at(name), wantNumber)
		}
		if feature.condition != nil {
			card.sources = append(card.sources, feature.condition.number.trier())
		}
		card.Features = append(card.Features, feature)
	}
	p.Scorecard = card
}

func readModel(f *faults, node *yaml.Node) *scorecard.Model {
	model, list := scorecard.ParseNode(node)
	for _, fault := range list {
		path := "scorecard.model"
		if fault.Path != "" {
			path += "." + fault.Path
		}
		f.put(Fault{Line: fault.Line, Column: fault.Column, Path: path, Message: fault.Message})
	}
	if len(list) > 0 {
		return nil
	}
	return model
}

// newNames returns the names of the features of a model that is to be trained.
func newNames(f *faults, inputs *yaml.Node) []string {
	if inputs.Kind != yaml.MappingNode || len(inputs.Content) == 0 || len(inputs.Content)/2 > scorecard.MaxFeatures {
		f.add(inputs, "scorecard.inputs", "must be a mapping of 1 to %d features to how they are computed", scorecard.MaxFeatures)
		return nil
	}
	var names []string
	for i := 0; i < len(inputs.Content); i += 2 {
		key := inputs.Content[i]
		if !wordShape.MatchString(key.Value) {
			f.add(key, "scorecard.inputs", "a feature is named by a lower-case word, as amount_ratio")
		}
		names = append(names, key.Value)
	}
	return names
}
