package payment

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/statedoc"
)

var now = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

func check(t *testing.T, err error, field, code string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Errorf("got %v, want it accepted", err)
		}
		return
	}
	if p := problem.As(err); p == nil || p.Code != code || p.Field != field {
		t.Errorf("got %v, want %s of %s", err, code, field)
	}
}

func TestAPaymentMethod(t *testing.T) {
	card := Method{Kind: Card, Brand: "Visa", First6: "411111", Last4: "1111", HolderName: "Lin Mei", Fingerprint: "fp_1"}
	for _, c := range []struct {
		name   string
		method Method
		change func(*Method)
		field  string
		code   string
	}{
		{"that is a card with its first six and last four is accepted", card, func(*Method) {}, "", ""},
		{"that is a bank account with its last four is accepted", Method{Kind: BankAccount, Last4: "43AB"}, func(*Method) {}, "", ""},
		{"that is a wallet without a number is accepted", Method{Kind: Wallet}, func(*Method) {}, "", ""},
		{"without a kind is refused", card, func(m *Method) { m.Kind = "" }, "kind", "kind_unknown"},
		{"of an unknown kind is refused", card, func(m *Method) { m.Kind = "cheque" }, "kind", "kind_unknown"},
		{"that is a card without its first six is refused", card, func(m *Method) { m.First6 = "" }, "first6", "first6_malformed"},
		{"that is a card with a seventh digit is refused", card, func(m *Method) { m.First6 = "4111111" }, "first6", "first6_malformed"},
		{"that is a card with letters in its first six is refused", card, func(m *Method) { m.First6 = "41111x" }, "first6", "first6_malformed"},
		{"that is a card with wide digits is refused", card, func(m *Method) { m.First6 = "４１１１１１" }, "first6", "first6_malformed"},
		{"that is a card without its last four is refused", card, func(m *Method) { m.Last4 = "" }, "last4", "last4_malformed"},
		{"that is a card with a whole number is refused", card, func(m *Method) { m.Last4 = "4111111111111111" }, "last4", "last4_malformed"},
		{"that is a card with a line break after its last four is refused", card, func(m *Method) { m.Last4 = "1111\n" }, "last4", "last4_malformed"},
		{"that is a bank account with a first six is refused", Method{Kind: BankAccount}, func(m *Method) { m.First6 = "411111" }, "first6", "first6_not_expected"},
		{"that is a bank account with a whole number is refused", Method{Kind: BankAccount}, func(m *Method) { m.Last4 = "12345678" }, "last4", "last4_malformed"},
		{"with a brand that is too long is refused", card, func(m *Method) { m.Brand = strings.Repeat("x", 41) }, "brand", "too_long"},
		{"with a name that is too long is refused", card, func(m *Method) { m.HolderName = strings.Repeat("x", 201) }, "holder_name", "too_long"},
		{"with a fingerprint that is too long is refused", card, func(m *Method) { m.Fingerprint = strings.Repeat("x", 129) }, "fingerprint", "too_long"},
		{"with a control character is refused", card, func(m *Method) { m.HolderName = "a\x00" }, "holder_name", "control_character"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := c.method
			c.change(&m)
			check(t, m.Check(), c.field, c.code)
		})
	}
}

func TestAMethodWithoutABrandIsNamedInTheReadersLanguage(t *testing.T) {
	if got, want := (Method{Kind: BankAccount, Last4: "4321"}).LabelAs("银行账户"), "银行账户 ••••4321"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (Method{Kind: Wallet, Brand: "PayNow"}).LabelAs("电子钱包"), "PayNow"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheLabelOfAPaymentMethodShowsTenDigitsAtMost(t *testing.T) {
	for _, c := range []struct {
		name   string
		method Method
		want   string
	}{
		{"a card", Method{Kind: Card, Brand: "Visa", First6: "411111", Last4: "1111"}, "Visa 411111••••••1111"},
		{"a brand as the tenant's system writes it", Method{Kind: Card, Brand: "visa", First6: "411111", Last4: "1111"}, "Visa 411111••••••1111"},
		{"a brand that nobody knows", Method{Kind: Card, Brand: "mirandaPay", Last4: "1111"}, "mirandaPay ••••1111"},
		{"a card without a brand", Method{Kind: Card, First6: "411111", Last4: "1111"}, "card 411111••••••1111"},
		{"a bank account", Method{Kind: BankAccount, Last4: "4321"}, "bank account ••••4321"},
		{"a wallet", Method{Kind: Wallet, Brand: "PayNow"}, "PayNow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.method.Label(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnAttempt(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Attempt)
		field  string
		code   string
	}{
		{"with an amount alone is accepted", func(*Attempt) {}, "", ""},
		{"with its place is accepted", func(a *Attempt) { a.Location = Location{Country: "SG", Region: "Central", City: "Singapore"} }, "", ""},
		{"five minutes ahead is accepted", func(a *Attempt) { a.OccurredAt = now.Add(MaxFuture) }, "", ""},
		{"four hundred days back is accepted", func(a *Attempt) { a.OccurredAt = now.Add(-MaxPast) }, "", ""},
		{"of nothing is refused", func(a *Attempt) { a.Amount.AmountMinor = 0 }, "amount.amount_minor", money.CodeAmountOutOfRange},
		{"of less than nothing is refused", func(a *Attempt) { a.Amount.AmountMinor = -1 }, "amount.amount_minor", money.CodeAmountOutOfRange},
		{"of an absurd amount is refused", func(a *Attempt) { a.Amount.AmountMinor = money.MaxAmountMinor + 1 }, "amount.amount_minor", money.CodeAmountOutOfRange},
		{"in an unknown currency is refused", func(a *Attempt) { a.Amount.Currency = "QQQ" }, "amount.currency", money.CodeCurrencyUnknown},
		{"from an address is accepted", func(a *Attempt) { a.IP = "2001:db8::7" }, "", ""},
		{"from what is no address is refused", func(a *Attempt) { a.IP = "203.0.113" }, "ip", "ip_malformed"},
		{"from an address with a zone is refused", func(a *Attempt) { a.IP = "fe80::1%eth0" }, "ip", "ip_malformed"},
		{"in an unknown country is refused", func(a *Attempt) { a.Location.Country = "ZZ" }, "location.country", "country_unknown"},
		{"in a city without a country is refused", func(a *Attempt) { a.Location.City = "Singapore" }, "location.country", "required"},
		{"in a region without a country is refused", func(a *Attempt) { a.Location.Region = "Central" }, "location.country", "required"},
		{"with a region that is too long is refused", func(a *Attempt) { a.Location = Location{Country: "SG", Region: strings.Repeat("x", 101)} }, "location.region", "too_long"},
		{"with a city that is too long is refused", func(a *Attempt) { a.Location = Location{Country: "SG", City: strings.Repeat("x", 101)} }, "location.city", "too_long"},
		{"with a device that is too long is refused", func(a *Attempt) { a.DeviceID = strings.Repeat("x", 129) }, "device.id", "too_long"},
		{"with a merchant that is too long is refused", func(a *Attempt) { a.Merchant = strings.Repeat("x", 201) }, "merchant", "too_long"},
		{"further ahead than five minutes is refused", func(a *Attempt) { a.OccurredAt = now.Add(MaxFuture + time.Microsecond) }, "occurred_at", "occurred_at_out_of_range"},
		{"further back than four hundred days is refused", func(a *Attempt) { a.OccurredAt = now.Add(-MaxPast - time.Microsecond) }, "occurred_at", "occurred_at_out_of_range"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Attempt{AccountID: "acct_1", Amount: money.Amount{AmountMinor: 1250, Currency: "USD"}}
			c.change(&a)
			check(t, a.Check(now), c.field, c.code)
		})
	}
}

func granted() RetryGrant {
	return RetryGrant{
		ID: "rtg_1", AccountID: "acct_1", PaymentMethodID: "pm_1", Amount: money.Amount{AmountMinor: 1250, Currency: "USD"},
		CreatedAt: now, ExpiresAt: now.Add(RetryGrantFor),
	}
}

func TestARetryGrant(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*RetryGrant, *Attempt, *time.Time)
		want   bool
	}{
		{"lets the same payment pass", func(*RetryGrant, *Attempt, *time.Time) {}, true},
		{"lets a smaller payment pass", func(_ *RetryGrant, a *Attempt, _ *time.Time) { a.Amount.AmountMinor = 1 }, true},
		{"does not let a larger payment pass", func(_ *RetryGrant, a *Attempt, _ *time.Time) { a.Amount.AmountMinor++ }, false},
		{"does not let another currency pass", func(_ *RetryGrant, a *Attempt, _ *time.Time) { a.Amount.Currency = "EUR" }, false},
		{"does not let another account's payment pass", func(_ *RetryGrant, a *Attempt, _ *time.Time) { a.AccountID = "acct_2" }, false},
		{"does not let another payment method pass", func(_ *RetryGrant, a *Attempt, _ *time.Time) { a.PaymentMethodID = "pm_2" }, false},
		{"does not let a payment without a method pass when the rejected one had one", func(_ *RetryGrant, a *Attempt, _ *time.Time) { a.PaymentMethodID = "" }, false},
		{"lets any method pass when the rejected payment had none", func(g *RetryGrant, _ *Attempt, _ *time.Time) { g.PaymentMethodID = "" }, true},
		{"is used once", func(g *RetryGrant, _ *Attempt, _ *time.Time) { g.UsedBy = "pay_2" }, false},
		{"holds until just before its end", func(g *RetryGrant, _ *Attempt, at *time.Time) { *at = g.ExpiresAt.Add(-time.Microsecond) }, true},
		{"does not hold at its end", func(g *RetryGrant, _ *Attempt, at *time.Time) { *at = g.ExpiresAt }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, a, at := granted(), Attempt{AccountID: "acct_1", PaymentMethodID: "pm_1", Amount: money.Amount{AmountMinor: 1250, Currency: "USD"}}, now
			c.change(&g, &a, &at)
			if got := g.Fits(a, at); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	t.Run("that was never given fits nothing", func(t *testing.T) {
		if (RetryGrant{}).Fits(Attempt{}, now) {
			t.Error("got a payment let pass by no grant")
		}
	})
}

func TestNoAttemptPassesByAGrantThatIsNotItsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := granted()
		g.UsedBy = rapid.SampledFrom([]string{"", "pay_2"}).Draw(t, "used by")
		a := Attempt{
			AccountID: rapid.SampledFrom([]string{"acct_1", "acct_2", ""}).Draw(t, "account"), PaymentMethodID: rapid.SampledFrom([]string{"pm_1", "pm_2", ""}).Draw(t, "method"),
			Amount: money.Amount{AmountMinor: rapid.Int64Range(1, 3000).Draw(t, "amount"), Currency: rapid.SampledFrom([]string{"USD", "EUR"}).Draw(t, "currency")},
		}
		at := now.Add(time.Duration(rapid.IntRange(0, 60*24).Draw(t, "hours")) * time.Hour)
		want := g.UsedBy == "" && a.AccountID == "acct_1" && a.PaymentMethodID == "pm_1" && a.Amount.Currency == "USD" && a.Amount.AmountMinor <= 1250 && at.Sub(now) < RetryGrantFor
		if got := g.Fits(a, at); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestTheRetryGrantPageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "retry_grant")
	if len(page.Built()) != 0 || len(page.States) != 3 {
		t.Errorf("got %v of %v, want three states and no functions: use cases give and use a grant", page.Built(), page.States)
	}
}
