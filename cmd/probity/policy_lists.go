package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/probity/probity/internal/adapter/paymentfile"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/backtest"
)

// readLists puts the entries of --lists into the setup and returns how many there are. They are for both policies.
func (c *policyBacktestCommand) readLists(setup *backtest.Setup) (int, error) {
	if c.Lists == "" {
		return 0, nil
	}
	declared := slices.Clone(setup.Policy.Lists)
	if setup.Against != nil {
		declared = append(declared, setup.Against.Lists...)
	}
	if len(declared) == 0 {
		return 0, errors.New("--lists is for policies that declare lists, and none does")
	}
	file, err := openFile("the lists", c.Lists)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	entries, faults, err := paymentfile.ReadListEntries(file, declared)
	if err != nil {
		return 0, err
	}
	if faults.Total > 0 {
		return 0, errors.New(listFaultsOf(c.Lists, faults))
	}
	setup.Lists = risk.NewLists(entries)
	return len(entries), nil
}

// listFaultsOf writes faults as compilers do: file:line: what.
func listFaultsOf(path string, faults paymentfile.Faults) string {
	var out strings.Builder
	fmt.Fprintf(&out, "the lists are refused, %s to mend:", grouped(faults.Total))
	for _, fault := range faults.Listed {
		fmt.Fprintf(&out, "\n%s:%d: %s", path, fault.Line, fault.Reason)
	}
	if more := faults.Total - int64(len(faults.Listed)); more > 0 {
		fmt.Fprintf(&out, "\n… and %s more", grouped(more))
	}
	return out.String()
}
