package world

import (
	"bytes"
	_ "embed" // for the cast
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

//go:embed cast.yaml
var castFile []byte

// plot is what happened to a customer before the demo's first visitor came. The zero value is invalid.
type plot string

// The plots, by how the customer stands when the demo opens.
const (
	plotOrdinary      plot = "ordinary"        // pays, and nothing ever looked wrong
	plotApproved      plot = "approved"        // rejected, verified, and the retried payment passed
	plotDeclined      plot = "declined"        // rejected, and the evidence did not convince
	plotCanceled      plot = "canceled"        // rejected, and the verification was found needless
	plotSuspended     plot = "suspended"       // rejected, and nobody answered in time
	plotReviewDueSoon plot = "review_due_soon" // submitted, and the review is due soon
	plotInReview      plot = "in_review"       // submitted just now
	plotResubmission  plot = "resubmission"    // one item is asked for again
	plotAwaiting      plot = "awaiting"        // rejected; the holder has the mail, and the clock runs
	plotUndelivered   plot = "undelivered"     // rejected; the mail came back, so no clock runs
	plotHeld          plot = "held"            // pays with a new card from a new device; a person has to look
	plotMethodAlert   plot = "method_alert"    // no payment: a risk was seen on the default payment method
)

// chapterOf says when a plot happens, and whether there is such a plot.
func chapterOf(p plot) (Chapter, bool) {
	switch p {
	case plotOrdinary, plotApproved, plotDeclined, plotCanceled, plotSuspended:
		return Past, true
	case plotReviewDueSoon:
		return Recent, true
	case plotInReview, plotResubmission, plotAwaiting, plotUndelivered, plotHeld, plotMethodAlert:
		return Today, true
	default:
		return 0, false
	}
}

// member is one customer of the pretend platform.
type member struct {
	ExternalID string     `yaml:"external_id"`
	Plot       plot       `yaml:"plot"`
	Kind       string     `yaml:"kind"`
	Name       string     `yaml:"name"`
	Email      string     `yaml:"email"`
	Phone      string     `yaml:"phone"`
	Birth      string     `yaml:"date_of_birth"`
	Address    address    `yaml:"address"`
	Locale     string     `yaml:"locale"`
	TimeZone   string     `yaml:"time_zone"`
	Industry   string     `yaml:"industry"`
	Activities string     `yaml:"business_activities"`
	Payments   int        `yaml:"payments"` // ordinary ones in the weeks before
	Methods    []method   `yaml:"methods"`  // the first is the default
	Habit      habit      `yaml:"habit"`
	Surprise   *place     `yaml:"surprise"`   // where the suspicious payment of the plot comes from
	PaperName  string     `yaml:"paper_name"` // on the papers sent in, when it is not the holder's
	Instances  []instance `yaml:"instances"`
}

type address struct {
	Lines      []string `yaml:"lines"`
	City       string   `yaml:"city"`
	Region     string   `yaml:"region"`
	PostalCode string   `yaml:"postal_code"`
	Country    string   `yaml:"country"`
}

type method struct {
	Kind   string `yaml:"kind"`
	Brand  string `yaml:"brand"`
	First6 string `yaml:"first6"`
	Last4  string `yaml:"last4"`
}

type habit struct {
	AmountMinor   int64  `yaml:"amount_minor"`
	SurpriseMinor int64  `yaml:"surprise_minor"`
	Currency      string `yaml:"currency"`
	Home          place  `yaml:"home"`
}

type place struct {
	Country string `yaml:"country"`
	Region  string `yaml:"region"`
	City    string `yaml:"city"`
	IP      string `yaml:"ip"`
	Device  string `yaml:"device"`
}

type instance struct {
	Name   string `yaml:"name"`
	Shape  string `yaml:"shape"`
	Region string `yaml:"region"`
}

// cast reads the members. The file is part of the program, so an error is a mistake in it.
func cast() ([]member, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(castFile))
	decoder.KnownFields(true)
	var members []member
	if err := decoder.Decode(&members); err != nil {
		return nil, fmt.Errorf("read the cast: %w", err)
	}
	if err := decoder.Decode(new([]member)); !errors.Is(err, io.EOF) {
		return nil, errors.New("read the cast: one list is expected")
	}
	for _, m := range members {
		if _, known := chapterOf(m.Plot); !known || m.ExternalID == "" || len(m.Methods) == 0 || len(m.Instances) == 0 {
			return nil, fmt.Errorf("read the cast: %s lacks a known plot, a payment method or an instance", m.ExternalID)
		}
		if m.Surprise == nil && m.Plot != plotOrdinary && m.Plot != plotMethodAlert {
			return nil, fmt.Errorf("read the cast: %s needs a surprise for its plot", m.ExternalID)
		}
	}
	return members, nil
}
