package scorecard

import (
	"bytes"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/standard/strictyaml"
)

// ErrNoPlace is returned by Embed for a text without a place for a model.
var ErrNoPlace = errors.New("scorecard: the policy needs the key scorecard, written as a block, to take the model")

// Embed returns the text of a policy with the model under scorecard.model, in place of the one that is there. All else, comments included,
// stays as it is.
func (m *Model) Embed(policy []byte) ([]byte, error) {
	root, faults := strictyaml.Read(policy, "policy", MaxBytes)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	key, value := child(root, "scorecard")
	if value == nil || value.Kind != yaml.MappingNode || value.Style&yaml.FlowStyle != 0 || len(value.Content) == 0 {
		return nil, ErrNoPlace
	}
	lines := strings.SplitAfter(string(policy), "\n")
	indent := value.Content[0].Column - 1
	from, to := key.Line, key.Line // the lines that the model takes the place of, from 0: right after the key
	if old, _ := child(value, "model"); old != nil {
		from = old.Line - 1
		for to = old.Line; to < len(lines); to++ {
			text := strings.TrimLeft(lines[to], " ")
			if deep := len(lines[to]) - len(text); strings.TrimSpace(text) != "" && deep <= indent {
				break
			}
		}
	}
	if from > len(lines) || key.Line == value.Line {
		return nil, ErrNoPlace
	}
	var out bytes.Buffer
	out.WriteString(strings.Join(lines[:from], ""))
	margin := strings.Repeat(" ", indent)
	out.WriteString(margin + "model:\n")
	for line := range strings.Lines(string(m.AppendYAML(nil))) {
		out.WriteString(margin + "  " + line)
	}
	out.WriteString(strings.Join(lines[to:], ""))
	return out.Bytes(), nil
}

// child returns a key of a mapping and its value, nil when it is not there.
func child(node *yaml.Node, name string) (key, value *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}
