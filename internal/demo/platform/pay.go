package platform

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/money"
)

// faraway are the places that a payment of the pages can come from besides the customer's home. The addresses are reserved for
// documentation (RFC 5737).
var faraway = []Place{
	{Country: "BR", Region: "Ceará", City: "Fortaleza", IP: "203.0.113.5"},
	{Country: "IS", Region: "Höfuðborgarsvæðið", City: "Reykjavík", IP: "203.0.113.6"},
	{Country: "NZ", Region: "Otago", City: "Dunedin", IP: "203.0.113.7"},
	{Country: "MA", Region: "Rabat-Salé-Kénitra", City: "Rabat", IP: "203.0.113.8"},
	{Country: "FI", Region: "Uusimaa", City: "Helsinki", IP: "203.0.113.9"},
	{Country: "UY", Region: "Montevideo", City: "Montevideo", IP: "203.0.113.10"},
}

func (p Place) label() string { return p.City + ", " + p.Country }

func usualAmount(c Customer) string { return money.Format(c.Habit.AmountMinor, c.Habit.Currency) }

func (s *site) customer(w http.ResponseWriter, r *http.Request) {
	s.showCustomer(w, r, http.StatusOK, payForm{}, nil)
}

func (s *site) showCustomer(w http.ResponseWriter, r *http.Request, status int, form payForm, problems []web.FieldError) {
	c, found := s.Store.Customer(r.PathValue("id"))
	if !found {
		s.missing(w, r, "customer")
		return
	}
	a, err := s.Client.Account(r.Context(), c.AccountID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	methods, err := s.Client.PaymentMethods(r.Context(), c.AccountID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	payments, err := s.Client.ListPayments(r.Context(), client.PaymentFilter{AccountID: c.AccountID, Limit: 20})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	statuses := map[string]string{}
	if len(a.Restrictions) > 0 {
		v, err := s.Client.Verification(r.Context(), a.Restrictions[0].VerificationID)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		statuses[v.ID] = v.Status
	}
	view := customerView{customerRow: rowOf(c, a, statuses), Form: form, Errors: problems}
	for _, m := range methods {
		view.Methods = append(view.Methods, web.Option{Value: m.ID, Label: methodLabel(m), Selected: m.ID == form.Method || (form.Method == "" && m.Default)})
	}
	view.Places = append(view.Places, web.Option{Value: "home", Label: c.Habit.Home.label() + " (home)", Selected: form.Place == "home"})
	for i, p := range faraway {
		value := strconv.Itoa(i)
		view.Places = append(view.Places, web.Option{Value: value, Label: p.label(), Selected: form.Place == value})
	}
	view.Devices = []web.Option{
		{Value: "usual", Label: "The usual device", Selected: form.Device == "usual"},
		{Value: "other", Label: "A device never seen before", Selected: form.Device == "other"},
	}
	for _, p := range payments.Items {
		view.Payments = append(view.Payments, paymentRow{
			ID: p.ID, When: web.FormatShort(p.OccurredAt, nil, web.English), Amount: money.Format(p.Amount.AmountMinor, p.Amount.Currency),
			From: placeOf(p), Outcome: p.Outcome,
		})
	}
	s.render(w, r, status, c.Name, customerBody(view))
}

// methodLabel names a payment method for a person.
func methodLabel(m client.PaymentMethod) string {
	label := strings.ReplaceAll(m.Kind, "_", " ")
	if m.Brand != nil {
		label = *m.Brand
	}
	if m.Last4 != nil {
		label += " ••••" + *m.Last4
	}
	return label
}

func placeOf(p client.Payment) string {
	if p.Location == nil {
		return "not said"
	}
	if p.Location.City == nil {
		return p.Location.Country
	}
	return *p.Location.City + ", " + p.Location.Country
}

// playStory makes one of the two ready-made payments.
func (s *site) playStory(w http.ResponseWriter, r *http.Request) {
	c, found := s.Store.Customer(r.PathValue("id"))
	if !found {
		s.missing(w, r, "customer")
		return
	}
	from, amount := c.Habit.Home, c.Habit.AmountMinor
	switch r.PostFormValue("story") {
	case "ordinary":
	case "suspicious":
		var err error
		if from, amount, err = s.Store.surprise(c.ExternalID); err != nil {
			s.Log.Error("the platform's customers could not be stored")
			s.fail(w, r, err)
			return
		}
	default:
		s.missing(w, r, "story")
		return
	}
	s.send(w, r, c, client.NewPayment{
		Amount: client.Money{AmountMinor: amount, Currency: c.Habit.Currency}, IP: from.IP,
		Location: &client.Location{Country: from.Country, Region: from.Region, City: from.City}, Device: &client.Device{ID: from.Device},
		Merchant: "Nimbus Cloud instances",
	})
}

// surprise returns where the customer's next suspicious payment comes from and how large it is: another place and a larger amount each
// time, so that it stays a surprise after an approval has taught the last one.
func (s *Store) surprise(externalID string) (Place, int64, error) {
	var from Place
	var amount int64
	err := s.change(func(next *state) error {
		c := next.find(externalID)
		if c == nil {
			return errUnknownCustomer
		}
		from = faraway[c.Surprises%len(faraway)]
		from.Device = "unknown-device-" + strconv.Itoa(c.Surprises+1)
		amount = c.Habit.SurpriseMinor * int64(4+c.Surprises) / 4
		c.Surprises++
		return nil
	})
	return from, amount, err
}

// send asks Probity about a payment and shows its answer.
func (s *site) send(w http.ResponseWriter, r *http.Request, c Customer, p client.NewPayment) {
	p.AccountID = c.AccountID
	decided, err := s.Client.CreatePayment(r.Context(), p)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, paymentURL(decided.ID), http.StatusSeeOther)
}

// pay takes the form in which everything can be chosen.
func (s *site) pay(w http.ResponseWriter, r *http.Request) {
	c, found := s.Store.Customer(r.PathValue("id"))
	if !found {
		s.missing(w, r, "customer")
		return
	}
	form := payForm{
		Method: r.PostFormValue("method"), Amount: r.PostFormValue("amount"), Place: r.PostFormValue("place"), Device: r.PostFormValue("device"),
		Merchant: strings.TrimSpace(r.PostFormValue("merchant")),
	}
	var problems []web.FieldError
	amount, err := parseAmount(form.Amount, c.Habit.Currency)
	if err != nil {
		problems = append(problems, web.FieldError{Field: "amount", Message: "Write an amount such as 42 or 42.50"})
	}
	from := c.Habit.Home
	if form.Place != "home" {
		i, err := strconv.Atoi(form.Place)
		if err != nil || i < 0 || i >= len(faraway) {
			problems = append(problems, web.FieldError{Field: "place", Message: "Choose one of the places"})
		} else {
			from = faraway[i]
			from.Device = c.Habit.Home.Device
		}
	}
	if form.Device == "other" {
		from.Device = "unknown-device-0"
	}
	if len(form.Merchant) > 200 {
		problems = append(problems, web.FieldError{Field: "merchant", Message: "Write less than 200 characters"})
	}
	if len(problems) > 0 {
		s.showCustomer(w, r, http.StatusUnprocessableEntity, form, problems)
		return
	}
	s.send(w, r, c, client.NewPayment{
		PaymentMethodID: form.Method, Amount: client.Money{AmountMinor: amount, Currency: c.Habit.Currency}, IP: from.IP,
		Location: &client.Location{Country: from.Country, Region: from.Region, City: from.City}, Device: &client.Device{ID: from.Device}, Merchant: form.Merchant,
	})
}

var amountShape = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,3})?$`)

var errAmount = errors.New("not an amount such as 42 or 42.50")

// parseAmount reads an amount in major units, "42" or "42.50", as minor units of the currency.
func parseAmount(text, currency string) (int64, error) {
	text = strings.ReplaceAll(strings.TrimSpace(text), ",", "")
	exponent, known := money.Exponent(currency)
	whole, fraction, _ := strings.Cut(text, ".")
	if !known || !amountShape.MatchString(text) || len(fraction) > exponent {
		return 0, errAmount
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", exponent-len(fraction)), 10, 64)
	if err != nil || minor < 1 {
		return 0, errAmount
	}
	return minor, nil
}

func (s *site) payment(w http.ResponseWriter, r *http.Request) {
	p, c, ok := s.paymentOf(w, r)
	if !ok {
		return
	}
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	view := paymentView{
		ID: p.ID, When: web.FormatInstant(p.OccurredAt, nil, web.English), Amount: money.Format(p.Amount.AmountMinor, p.Amount.Currency), From: placeOf(p),
		Approved: p.Outcome == "approved", Customer: c, Raw: string(raw),
	}
	if p.Device != nil {
		view.Device = p.Device.ID
	}
	if p.Error != nil {
		view.Code, view.Message = p.Error.Code, p.Error.Message
	}
	for _, reason := range p.Reasons {
		view.Reasons = append(view.Reasons, reason.Message)
	}
	if p.NextStep != nil {
		view.NextStep, view.NextMessage = p.NextStep.Kind, p.NextStep.Message
	}
	if view.Method, err = s.methodOf(r, p); err != nil {
		s.fail(w, r, err)
		return
	}
	title := "Payment accepted"
	if !view.Approved {
		title = "Payment rejected"
	}
	s.render(w, r, http.StatusOK, title, paymentBody(view))
}

func (s *site) methodOf(r *http.Request, p client.Payment) (string, error) {
	methods, err := s.Client.PaymentMethods(r.Context(), p.AccountID)
	if err != nil || p.PaymentMethodID == nil {
		return "", err
	}
	i := slices.IndexFunc(methods, func(m client.PaymentMethod) bool { return m.ID == *p.PaymentMethodID })
	if i < 0 {
		return "", nil
	}
	return methodLabel(methods[i]), nil
}

// paymentOf loads the payment that the path names and its customer; it answers the request itself when there is none.
func (s *site) paymentOf(w http.ResponseWriter, r *http.Request) (client.Payment, Customer, bool) {
	p, err := s.Client.Payment(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return p, Customer{}, false
	}
	customers := s.Store.Customers()
	i := slices.IndexFunc(customers, func(c Customer) bool { return c.AccountID == p.AccountID })
	if i < 0 {
		s.missing(w, r, "payment")
		return p, Customer{}, false
	}
	return p, customers[i], true
}

// retry pays the same once more: same method, amount, place and device.
func (s *site) retry(w http.ResponseWriter, r *http.Request) {
	p, c, ok := s.paymentOf(w, r)
	if !ok {
		return
	}
	again := client.NewPayment{Amount: p.Amount, Device: p.Device, PaymentMethodID: text(p.PaymentMethodID), IP: text(p.IP), Merchant: text(p.Merchant)}
	if p.Location != nil {
		again.Location = &client.Location{Country: p.Location.Country, Region: text(p.Location.Region), City: text(p.Location.City)}
	}
	s.send(w, r, c, again)
}

// text returns what is there, or "".
func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}
