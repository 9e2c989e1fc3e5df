package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/policycase"
	"github.com/probity/probity/internal/domain/risk/policydiff"
	"github.com/probity/probity/internal/standard/strictyaml"
)

// policyCommand is the tools of a risk team.
type policyCommand struct {
	Check     policyCheckCommand     `cmd:"" help:"Read a payment policy and say what is wrong with it, with line and column."`
	Backtest  policyBacktestCommand  `cmd:"" help:"Try a policy on past payments: what it would have stopped, saved and troubled."`
	Replay    policyReplayCommand    `cmd:"" help:"Decide a stored payment again and prove that the answer is the same."`
	Train     policyTrainCommand     `cmd:"" help:"Learn the model of a policy's scorecard from labelled payments."`
	Diff      policyDiffCommand      `cmd:"" help:"Say how two policies differ, by meaning and line by line."`
	Reference policyReferenceCommand `cmd:"" help:"List everything that a rule may read, with an example each."`
}

type policyCheckCommand struct {
	Policy string   `arg:"" help:"The policy (YAML); default is the one that ships with Probity."`
	Cases  []string `help:"Worked cases that the policy must answer as they say: a YAML file, or a folder of them; may be given several times." type:"path" placeholder:"PATH"`
}

// Run prints what the policy is, or what is wrong with it.
func (c *policyCheckCommand) Run() error {
	policy, err := readPolicy(c.Policy)
	if err != nil {
		return err
	}
	counts := map[risk.Mode]int{}
	for _, rule := range policy.Rules {
		counts[rule.Mode]++
	}
	fmt.Printf("%s %s, effective from %s: %d rules (%d active, %d shadow, %d disabled), %d aggregates, %d lists", policy.ID, policy.Version,
		policy.EffectiveFrom, len(policy.Rules), counts[risk.Active], counts[risk.Shadow], counts[risk.Disabled], len(policy.Aggregates), len(policy.Lists))
	if policy.Scorecard != nil {
		fmt.Printf(", a scorecard of %d features", len(policy.Scorecard.Features))
	}
	fmt.Println(". Nothing is wrong with it.")
	failed, total := 0, 0
	files, err := caseFiles(c.Cases)
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := readFile("the cases", file)
		if err != nil {
			return err
		}
		cases, err := policycase.Parse(data)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, one := range cases {
			total++
			passed, err := runCase(file, one, policy)
			if err != nil {
				return err
			}
			if !passed {
				failed++
			}
		}
	}
	switch {
	case total == 0:
		return nil
	case failed > 0:
		return fmt.Errorf("%d of %d cases are answered otherwise than they say", failed, total)
	}
	fmt.Printf("All %d cases are answered as they say.\n", total)
	return nil
}

// caseFiles returns the files that hold the cases: each path itself, or the YAML files of a folder, in the order of their names.
func caseFiles(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("read the cases: %w", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, fmt.Errorf("read the cases: %w", err)
		}
		before := len(files)
		for _, entry := range entries {
			if extension := filepath.Ext(entry.Name()); !entry.IsDir() && (extension == ".yaml" || extension == ".yml") {
				files = append(files, filepath.Join(path, entry.Name()))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("read the cases: %s holds no YAML file", path)
		}
	}
	return files, nil
}

// runCase prints what is wrong with the answer to a case: what was raised, and by which values.
func runCase(file string, one policycase.Case, policy *risk.Policy) (bool, error) {
	result, err := one.Run(policy)
	if err != nil {
		return false, fmt.Errorf("%s:%d: %w", file, one.Line, err)
	}
	if result.Passed {
		return true, nil
	}
	fmt.Printf("\n%s:%d: %s\n  expected %s\n  answered %s\n", file, one.Line, one.Story,
		answerOf(one.Expect, one.Reasons, one.Decided), answerOf(result.Outcome, result.Reasons, result.DecidedBy))
	explanation, err := risk.Explain(policy, result.Facts)
	if err != nil {
		return false, err
	}
	for _, rule := range explanation.Rules {
		if !rule.True {
			continue
		}
		fmt.Printf("  %s was raised:", rule.Code)
		for _, value := range rule.Reads {
			fmt.Printf(" %s = %s", value.Name, value.Text)
		}
		fmt.Println()
	}
	return false, nil
}

func answerOf(outcome risk.Outcome, reasons []string, by string) string {
	text := string(outcome)
	if by != "" {
		text += " by " + by
	}
	if len(reasons) > 0 {
		text += " for " + strings.Join(reasons, ", ")
	}
	return text
}

// defaultName stands for the policy that ships with Probity wherever a policy is named.
const defaultName = "default"

// readPolicy reads a policy file, or the policy that ships with Probity by its name. An error shows the places.
func readPolicy(path string) (*risk.Policy, error) {
	text, err := policyText(path)
	if err != nil {
		return nil, err
	}
	policy, err := risk.ParsePolicy(text)
	var refused *strictyaml.Error
	if errors.As(err, &refused) {
		return nil, errors.New(faultsOf(path, refused))
	}
	return policy, err
}

func policyText(path string) ([]byte, error) {
	if path == defaultName {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return risk.DefaultYAML(), nil
		}
	}
	return readFile("the policy", path)
}

// faultsOf writes faults as compilers do, so that editors find the place: file:line:column: what.
func faultsOf(path string, refused *strictyaml.Error) string {
	var out strings.Builder
	fmt.Fprintf(&out, "the policy is refused, %d to mend:", len(refused.Faults))
	for _, fault := range refused.Faults {
		fmt.Fprintf(&out, "\n%s", path)
		if fault.Line > 0 {
			fmt.Fprintf(&out, ":%d", fault.Line)
			if fault.Column > 0 {
				fmt.Fprintf(&out, ":%d", fault.Column)
			}
		}
		out.WriteString(": ")
		if fault.Path != "" {
			out.WriteString(fault.Path + ": ")
		}
		out.WriteString(fault.Message)
		if excerpt := fault.Excerpt(); excerpt != "" {
			out.WriteString("\n" + excerpt)
		}
	}
	return out.String()
}

type policyDiffCommand struct {
	From  string `arg:"" help:"A policy (YAML); default is the one that ships with Probity."`
	To    string `arg:"" help:"The other policy."`
	Lines bool   `help:"Also show the lines that differ."`
}

// Run prints the changes.
func (c *policyDiffCommand) Run() error {
	from, err := readPolicy(c.From)
	if err != nil {
		return err
	}
	to, err := readPolicy(c.To)
	if err != nil {
		return err
	}
	changes := policydiff.Of(from, to)
	for _, change := range changes {
		fmt.Println(change.String())
	}
	if len(changes) == 0 {
		fmt.Println("The two policies mean the same.")
	}
	if !c.Lines {
		return nil
	}
	before, err := policyText(c.From)
	if err != nil {
		return err
	}
	after, err := policyText(c.To)
	if err != nil {
		return err
	}
	fmt.Printf("\n--- %s\n+++ %s\n%s", c.From, c.To, policydiff.Text(string(before), string(after)))
	return nil
}

type policyReferenceCommand struct {
	Policy string `arg:"" optional:"" help:"Also list the aggregates, lists, score and thresholds of this policy; default is the one that ships with Probity."`
}

// Run prints the reference.
func (c *policyReferenceCommand) Run() error {
	var policy *risk.Policy
	if c.Policy != "" {
		var err error
		if policy, err = readPolicy(c.Policy); err != nil {
			return err
		}
	}
	for _, field := range risk.Fields(policy) {
		printReference(fmt.Sprintf("%s  (%s)", field.Name, field.Kind), field.Meaning, field.Example)
	}
	for _, function := range risk.Functions() {
		printReference(function.Signature, function.Meaning, function.Example)
	}
	return nil
}

// printReference prints one entry; a policy's own fields have no example.
func printReference(name, meaning, example string) {
	fmt.Printf("%s\n    %s\n", name, meaning)
	if example != "" {
		fmt.Printf("    e.g. %s\n", example)
	}
}
