package policycase

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
)

// The bounds of a file of cases.
const (
	maxBytes    = 1 << 20
	maxCases    = 2000
	maxPayments = 10_000 // of one line of history
)

// Case is one story.
type Case struct {
	Line    int // where it begins in the file
	Story   string
	History []string
	Learned []string
	Lists   map[string][]string
	Payment string
	Expect  risk.Outcome
	Reasons []string
	Decided string // by which rule, or "combination"; empty when it does not matter
}

// document is a Case as YAML has it.
type document struct {
	Story   string              `yaml:"story"`
	History []string            `yaml:"history"`
	Learned []string            `yaml:"learned"`
	Lists   map[string][]string `yaml:"lists"`
	Payment string              `yaml:"payment"`
	Expect  risk.Outcome        `yaml:"expect"`
	Reasons []string            `yaml:"reasons"`
	Decided string              `yaml:"decided by"`
}

// keys are the members of a case.
var keys = []string{"story", "history", "learned", "lists", "payment", "expect", "reasons", "decided by"}

// Parse reads a file of cases. An error names the line.
func Parse(data []byte) ([]Case, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("the cases are longer than %d bytes", maxBytes)
	}
	var root yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&root); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.SequenceNode {
		return nil, errors.New("line 1: must be a list of cases; each begins with the key story")
	}
	nodes := root.Content[0].Content
	if len(nodes) > maxCases {
		return nil, fmt.Errorf("more than %d cases; put some into another file", maxCases)
	}
	cases := make([]Case, 0, len(nodes))
	for _, node := range nodes {
		one, err := parseCase(node)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", node.Line, err)
		}
		cases = append(cases, one)
	}
	return cases, nil
}

func parseCase(node *yaml.Node) (Case, error) {
	if node.Kind != yaml.MappingNode {
		return Case{}, errors.New("a case is a mapping that begins with the key story")
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(keys, key.Value) {
			return Case{}, fmt.Errorf("unknown key; known are %s", strings.Join(keys, ", "))
		}
	}
	var d document
	if err := node.Decode(&d); err != nil {
		return Case{}, err
	}
	switch {
	case d.Story == "" || d.Payment == "":
		return Case{}, errors.New("a case needs a story and a payment")
	case !d.Expect.Valid():
		return Case{}, errors.New("expect must be approved, review or rejected")
	}
	return Case{Line: node.Line, Story: d.Story, History: d.History, Learned: d.Learned, Lists: d.Lists, Payment: d.Payment, Expect: d.Expect, Reasons: d.Reasons, Decided: d.Decided}, nil
}

// Result is what a policy answered to a case.
type Result struct {
	Passed    bool
	Outcome   risk.Outcome
	Reasons   []string
	DecidedBy string
	Facts     *risk.Facts
}

// Run decides the case's payment. An error says which line of the case cannot be read.
func (c Case) Run(policy *risk.Policy) (Result, error) {
	from, err := c.sources(policy)
	if err != nil {
		return Result{}, err
	}
	payment, err := parsePayment(c.Payment)
	if err != nil {
		return Result{}, err
	}
	r := Result{Facts: risk.FactsFor(policy, from, payment)}
	decision := risk.Decide(policy, r.Facts)
	r.Outcome, r.DecidedBy = decision.Outcome, decision.DecidedBy
	for _, reason := range decision.Reasons {
		r.Reasons = append(r.Reasons, reason.Code)
	}
	r.Passed = r.Outcome == c.Expect && slices.Equal(r.Reasons, c.Reasons) && (c.Decided == "" || c.Decided == r.DecidedBy)
	return r, nil
}

// sources folds the story as a server would have: entries by time, then what became known of them.
func (c Case) sources(policy *risk.Policy) (risk.Sources, error) {
	from := risk.Sources{Profile: &history.Profile{}}
	var err error
	if from.Set, err = risk.Maintain(policy); err != nil {
		return from, err
	}
	from.Index = history.NewIndex(from.Set, 2*maxPayments)
	var past []happened
	for _, text := range c.History {
		more, err := parseHistory(text)
		if err != nil {
			return from, err
		}
		past = append(past, more...)
	}
	slices.SortStableFunc(past, func(a, b happened) int { return a.entry.Payment.OccurredAt.Compare(b.entry.Payment.OccurredAt) })
	fold(policy, from, past)
	for _, text := range c.Learned {
		lesson, err := parseLesson(text)
		if err != nil {
			return from, err
		}
		from.Profile.Learn(lesson)
	}
	var entries []risk.ListEntry
	for list, values := range c.Lists {
		if !slices.ContainsFunc(policy.Lists, func(l risk.List) bool { return l.Name == list }) {
			return from, errors.New("lists: the policy has no list of this name")
		}
		for _, value := range values {
			entry, err := parseListEntry(list, value)
			if err != nil {
				return from, err
			}
			entries = append(entries, entry)
		}
	}
	from.Lists = risk.NewLists(entries)
	return from, nil
}

func fold(policy *risk.Policy, from risk.Sources, past []happened) {
	for i := range past {
		p := &past[i].entry.Payment
		p.AmountReference, p.AmountKnown = policy.ReferenceAmount(p.AmountMinor, p.Currency)
		from.Index.Fold(&past[i].entry)
		if p.AccountID == account {
			from.Profile.Fold(from.Set, &past[i].entry)
		}
	}
	for i := range past {
		if !past[i].fraud {
			continue
		}
		label := history.Label{Payment: past[i].entry.Payment, Outcome: past[i].entry.Outcome, Fraud: true, KnownAt: decidedAt.Add(-time.Minute)}
		from.Index.FoldLabel(&label)
		if label.Payment.AccountID == account {
			from.Profile.FoldLabel(from.Set, &label)
		}
	}
}
