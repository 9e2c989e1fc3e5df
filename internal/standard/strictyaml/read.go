package strictyaml

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Read returns the root of the one document in the data, and where to collect what is wrong with it. What the document is, as "policy",
// goes into the messages. After a fault, which is among the faults, the root is an empty node that has nothing in it.
func Read(data []byte, document string, maxBytes int) (*yaml.Node, *Faults) {
	f := &Faults{document: document}
	if len(data) > maxBytes {
		f.put(Fault{Message: "the " + document + " is longer than " + strconv.Itoa(maxBytes) + " bytes"})
		return &yaml.Node{}, f
	}
	f.lines = strings.Split(string(data), "\n")
	root, fault := readDocument(data, document)
	if fault != nil {
		f.put(*fault)
		return &yaml.Node{}, f
	}
	return root, f
}

func readDocument(data []byte, document string) (*yaml.Node, *Fault) {
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var first, more yaml.Node
	if err := decoder.Decode(&first); err != nil {
		return nil, syntaxFault(err, document)
	}
	switch err := decoder.Decode(&more); {
	case err == nil:
		return nil, &Fault{Line: more.Line, Column: more.Column, Message: "a " + document + " is one YAML document; remove what follows the first"}
	case !errors.Is(err, io.EOF):
		return nil, syntaxFault(err, document)
	}
	if len(first.Content) != 1 {
		return nil, &Fault{Message: "the " + document + " is empty"}
	}
	root := first.Content[0]
	if node := findAlias(root); node != nil {
		return nil, &Fault{Line: node.Line, Column: node.Column, Message: "anchors and aliases are not accepted; write the value out"}
	}
	return root, nil
}

var yamlLine = regexp.MustCompile(`line ([0-9]+): (.*)`)

func syntaxFault(err error, document string) *Fault {
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		line, _ := strconv.Atoi(found[1])
		return &Fault{Line: line, Message: "not YAML: " + found[2]}
	}
	if errors.Is(err, io.EOF) {
		return &Fault{Message: "the " + document + " is empty"}
	}
	return &Fault{Message: "not YAML; check the indentation and quotes"}
}

func findAlias(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return node
	}
	for _, child := range node.Content {
		if found := findAlias(child); found != nil {
			return found
		}
	}
	return nil
}
