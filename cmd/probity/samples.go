package main

import (
	"fmt"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/samples"
)

// samplesCommand writes specimen documents.
type samplesCommand struct {
	Out string `help:"Directory to write to; made if missing." required:"" type:"path"`
}

// Run writes the three documents that a verification asks for.
func (c *samplesCommand) Run() error {
	options := samples.Default()
	options.Date = clock.System().Now() // so that the statement is of the latest month
	if err := samples.Write(c.Out, options); err != nil {
		return err
	}
	fmt.Printf("wrote government_id.png, payment_method.png and billing_statement.pdf to %s\n", c.Out)
	return nil
}
