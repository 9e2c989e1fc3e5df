package platform

import (
	"net/url"

	"github.com/probity/probity/internal/edge/web"
)

// Prefix is where Handler must be mounted.
const Prefix = "/platform/"

// overviewView is the page of all customers.
type overviewView struct {
	Hero      Customer // the customer of the ready-made story
	Customers []customerRow
	Clock     clockView
}

// customerRow is a customer with what Probity says of their account.
type customerRow struct {
	Customer   Customer
	Restricted bool
	Status     string // of the verification that restricts the account; empty without one
	DueAt      string // when evidence is due; empty while no clock runs
}

// clockView is the demo clock.
type clockView struct {
	Now   string
	Stamp string
	Ahead string // e.g. "3 days ahead of this machine", or ""
}

// customerView is the page of one customer.
type customerView struct {
	customerRow
	Methods  []web.Option
	Places   []web.Option
	Devices  []web.Option
	Payments []paymentRow
	Form     payForm
	Errors   []web.FieldError
}

// payForm is what was entered into the form.
type payForm struct {
	Method, Amount, Place, Device, Merchant string
}

func (v customerView) errorOf(field string) string {
	for _, line := range v.Errors {
		if line.Field == field {
			return line.Message
		}
	}
	return ""
}

// paymentRow is a payment in a list.
type paymentRow struct {
	ID, When, Amount, From, Outcome string
}

// paymentView is the answer to a payment as its customer sees it.
type paymentView struct {
	ID, When, Amount, Method, From, Device string
	Approved                               bool
	Code, Message                          string
	Reasons                                []string
	NextStep                               string // the kind of the next step
	NextMessage                            string
	VerificationID                         string
	Customer                               Customer
	Raw                                    string // the API's answer
}

// eventRow is an entry of the event feed.
type eventRow struct {
	When, Stamp, Type, Actor string
	CustomerName             string
	CustomerURL              string
	Details                  string
}

// trouble is what Probity, or the way to it, answered instead of what was asked for.
type trouble struct {
	Status        int
	Code, Message string
}

func customerURL(externalID string) string { return Prefix + "customers/" + url.PathEscape(externalID) }

func paymentURL(id string) string { return Prefix + "payments/" + url.PathEscape(id) }

func (c Customer) suspended() int {
	count := 0
	for _, i := range c.Instances {
		if i.State == Suspended {
			count++
		}
	}
	return count
}

func (v overviewView) table() web.TableProps {
	table := web.TableProps{
		Caption: "Customers of Nimbus Cloud", Empty: "The customers are being made.",
		Columns: []web.Column{{Label: "Customer"}, {Label: "Payments"}, {Label: "Instances"}, {Label: "Probity says"}},
	}
	for _, row := range v.Customers {
		table.Rows = append(table.Rows, []web.Cell{
			{Text: row.Customer.Name, URL: customerURL(row.Customer.ExternalID), Note: row.Customer.ExternalID},
			{Body: paymentsBadge(row)}, {Body: instancesBadge(row.Customer)}, {Body: stateNote(row)},
		})
	}
	return table
}

func (v customerView) payments() web.TableProps {
	table := web.TableProps{
		Caption: "Latest payments", Empty: "No payment yet.",
		Columns: []web.Column{{Label: "When (UTC)"}, {Label: "Amount", Numeric: true}, {Label: "From"}, {Label: "Outcome"}},
	}
	for _, p := range v.Payments {
		table.Rows = append(table.Rows, []web.Cell{{Text: p.When, URL: paymentURL(p.ID)}, {Text: p.Amount}, {Text: p.From}, {Body: web.Badge(p.Outcome)}})
	}
	return table
}

func eventTable(rows []eventRow) web.TableProps {
	table := web.TableProps{
		Caption: "Events, newest first", Empty: "Nothing has happened yet.",
		Columns: []web.Column{{Label: "When (UTC)"}, {Label: "What"}, {Label: "Customer"}, {Label: "By"}},
	}
	for _, e := range rows {
		table.Rows = append(table.Rows, []web.Cell{{Text: e.When}, {Text: e.Type, Note: e.Details}, {Text: e.CustomerName, URL: e.CustomerURL}, {Text: e.Actor}})
	}
	return table
}

func (p paymentView) definitions() []web.Definition {
	return []web.Definition{
		{Term: "Amount", Value: p.Amount}, {Term: "Payment method", Value: p.Method}, {Term: "From", Value: p.From},
		{Term: "Device", Value: p.Device}, {Term: "When", Value: p.When}, {Term: "Payment", Value: p.ID},
	}
}
