package world

import (
	"strings"
	"time"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/demo/platform"
	"github.com/probity/probity/internal/samples"
)

func (m member) sendsPapers() bool {
	switch m.Plot {
	case plotApproved, plotDeclined, plotReviewDueSoon, plotInReview, plotResubmission:
		return true
	default:
		return false
	}
}

// paperName is the name on the papers that the member sends.
func (m member) paperName() string {
	if m.PaperName != "" {
		return m.PaperName
	}
	return m.Name
}

// papers says what the papers that the member sends on a day show.
func (m member) papers(day time.Time) samples.Options {
	out := samples.Options{Name: m.paperName(), First6: m.Methods[0].First6, Last4: m.Methods[0].Last4, Date: day}
	if birth, err := time.Parse(time.DateOnly, m.Birth); err == nil {
		out.Birth = birth
	}
	return out
}

func (m member) newAccount() client.NewAccount {
	return client.NewAccount{
		ExternalID: m.ExternalID, Kind: m.Kind, Name: m.Name, Email: m.Email, Phone: m.Phone, Country: m.Address.Country, DateOfBirth: m.Birth,
		Address: &client.Address{
			Lines: m.Address.Lines, City: m.Address.City, Region: m.Address.Region, PostalCode: m.Address.PostalCode, Country: m.Address.Country,
		},
		Locale: m.Locale, TimeZone: m.TimeZone, Industry: m.Industry, BusinessActivities: m.Activities,
	}
}

func (m member) newMethod(i int) client.NewPaymentMethod {
	method := m.Methods[i]
	return client.NewPaymentMethod{
		Kind: method.Kind, Brand: method.Brand, First6: method.First6, Last4: method.Last4, HolderName: strings.ToUpper(m.Name),
		Fingerprint: "nimbus-" + m.ExternalID + "-" + method.Last4, Default: i == 0,
	}
}

// customer is the member as the platform knows them.
func (m member) customer(accountID string) platform.Customer {
	c := platform.Customer{
		ExternalID: m.ExternalID, AccountID: accountID, Name: m.Name,
		Habit: platform.Habit{AmountMinor: m.Habit.AmountMinor, SurpriseMinor: m.Habit.SurpriseMinor, Currency: m.Habit.Currency, Home: m.Habit.Home.of()},
	}
	for _, i := range m.Instances {
		c.Instances = append(c.Instances, platform.Instance{Name: i.Name, Shape: i.Shape, Region: i.Region, State: platform.Running})
	}
	return c
}

func (p place) of() platform.Place {
	return platform.Place{Country: p.Country, Region: p.Region, City: p.City, IP: p.IP, Device: p.Device}
}
