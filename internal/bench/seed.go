package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/money"
)

// Seed is the past that the accounts of a run have. The same numbers make the same past: only ids differ.
type Seed struct {
	Accounts int
	History  int           // payments of each account before the run
	Risky    float64       // share of the payments to ask about that no account would make; the rest is ordinary
	Cold     bool          // no account has paid since the server has started
	Longest  time.Duration // after which seeding stops with the accounts that there are
}

// habit is how one account pays.
type habit struct {
	country, region, city, ip, device string
	mean                              float64 // minor units of USD
	merchants                         []string
}

var homes = []struct{ country, region, city string }{
	{"SG", "Central", "Singapore"}, {"US", "CA", "San Francisco"}, {"DE", "BE", "Berlin"}, {"JP", "13", "Tokyo"}, {"BR", "SP", "São Paulo"},
	{"GB", "ENG", "London"}, {"IN", "MH", "Mumbai"}, {"AU", "NSW", "Sydney"},
}

// habitOf makes up the habit of the account number i.
func habitOf(i int) habit {
	chance := rand.New(rand.NewPCG(uint64(i), 0x70726f62))
	home := homes[chance.IntN(len(homes))]
	h := habit{
		country: home.country, region: home.region, city: home.city, ip: fmt.Sprintf("198.51.%d.%d", chance.IntN(256), chance.IntN(256)),
		device: fmt.Sprintf("dev-%08x", chance.Uint32()), mean: 500 + 4000*chance.Float64(),
	}
	for range 3 {
		h.merchants = append(h.merchants, fmt.Sprintf("merchant-%d", chance.IntN(500)))
	}
	return h
}

// attempt makes up an ordinary payment.
func (h habit) attempt(chance *rand.Rand, accountID, methodID string) payment.Attempt {
	return payment.Attempt{
		AccountID: accountID, PaymentMethodID: methodID, Amount: money.Amount{AmountMinor: int64(h.mean * (0.5 + chance.Float64())), Currency: "USD"},
		IP: h.ip, Location: payment.Location{Country: h.country, Region: h.region, City: h.city}, DeviceID: h.device,
		Merchant: h.merchants[chance.IntN(len(h.merchants))],
	}
}

// seeded is an account that is there.
type seeded struct{ accountID, methodID string }

// batch is how many accounts one transaction makes.
const batch = 500

// into fills the installation, and notes in ready what there is.
func (s Seed) into(ctx context.Context, sv *service.Service, progress io.Writer, ready *Ready) error {
	tenant, err := sv.CreateTenant(ctx, policy.Tenant{Name: "Bench"})
	if err != nil {
		return err
	}
	key, secret, err := sv.CreateKey(ctx, tenant.ID, "bench")
	if err != nil {
		return err
	}
	ready.Key = secret.Reveal()
	actor := access.Actor{Kind: access.Key, TenantID: tenant.ID, ID: key.ID}
	began := sv.Clock.Wall()
	told := began
	var all []seeded
	for len(all) < s.Accounts && sv.Clock.Wall().Sub(began) < s.Longest {
		more, err := s.accounts(ctx, sv, actor, len(all), min(batch, s.Accounts-len(all)))
		if err != nil {
			return err
		}
		if err := s.past(ctx, sv, actor, len(all), more); err != nil {
			return err
		}
		if err := s.warm(ctx, sv, actor, len(all), more); err != nil {
			return err
		}
		all = append(all, more...)
		if wall := sv.Clock.Wall(); wall.Sub(told) >= time.Second || len(all) == s.Accounts {
			told = wall
			_, _ = fmt.Fprintf(progress, "\rseeding: %d of %d accounts, %d past payments ", len(all), s.Accounts, s.History*len(all))
		}
	}
	_, _ = fmt.Fprintf(progress, "in %.1f s\n", sv.Clock.Wall().Sub(began).Seconds())
	if len(all) < s.Accounts {
		_, _ = fmt.Fprintf(progress, "seeding stopped after %s; the run has %d accounts instead of %d\n", s.Longest, len(all), s.Accounts)
	}
	ready.Accounts, ready.History = len(all), s.History*len(all)
	return s.write(ready.Bodies, all)
}

// accounts makes some accounts with a payment method, in one transaction.
func (s Seed) accounts(ctx context.Context, sv *service.Service, actor access.Actor, from, count int) ([]seeded, error) {
	made := make([]seeded, 0, count)
	err := sv.Store.Write(ctx, func(ctx context.Context, _ *store.Tx) error {
		made = made[:0]
		for i := from; i < from+count; i++ {
			// Without an e-mail address: nobody may get mail from a bench.
			view, err := sv.CreateAccount(ctx, actor, account.Profile{Kind: account.Individual, Name: fmt.Sprintf("Bench Account %d", i), ExternalID: fmt.Sprintf("bench-%d", i)})
			if err != nil {
				return err
			}
			method, err := sv.AddPaymentMethod(ctx, actor, payment.Method{
				AccountID: view.Account.ID, Kind: payment.Wallet, Brand: "PayNow", Fingerprint: fmt.Sprintf("fp-%d", i), Default: true,
			})
			if err != nil {
				return err
			}
			made = append(made, seeded{view.Account.ID, method.ID})
		}
		return nil
	})
	return made, err
}

// past brings in the history of some accounts, one payment every few days.
func (s Seed) past(ctx context.Context, sv *service.Service, actor access.Actor, from int, some []seeded) error {
	now := sv.Clock.Now()
	var past []service.PastPayment
	for i, one := range some {
		h, chance := habitOf(from+i), rand.New(rand.NewPCG(uint64(from+i), 1))
		for n := range s.History {
			attempt := h.attempt(chance, one.accountID, one.methodID)
			attempt.OccurredAt = now.Add(-time.Duration(s.History-n) * 53 * time.Hour)
			past = append(past, service.PastPayment{ExternalID: fmt.Sprintf("past-%d-%d", from+i, n), Attempt: attempt, Outcome: payment.Approved})
		}
	}
	for part := range slices.Chunk(past, service.MaxPastPayments) {
		results, err := sv.ImportPayments(ctx, actor, part)
		if err != nil {
			return err
		}
		for _, result := range results {
			if result.Err != nil {
				return result.Err
			}
		}
	}
	return nil
}

// warm has one payment of each account decided, a day ago, so that memory is as in a server that has run for a while.
func (s Seed) warm(ctx context.Context, sv *service.Service, actor access.Actor, from int, some []seeded) error {
	if s.Cold {
		return nil
	}
	yesterday := sv.Clock.Now().Add(-24 * time.Hour)
	requests := make([]service.PaymentRequest, len(some))
	for i, one := range some {
		requests[i].Attempt = habitOf(from+i).attempt(rand.New(rand.NewPCG(uint64(from+i), 3)), one.accountID, one.methodID)
		requests[i].Attempt.OccurredAt = yesterday
	}
	for _, result := range sv.AuthorizePayments(ctx, actor, requests) {
		if result.Err != nil {
			return result.Err
		}
	}
	return nil
}

// write puts the payments to ask about into a file, one JSON body a line, one for each account.
func (s Seed) write(path string, all []seeded) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closeError := file.Close(); err == nil {
			err = closeError
		}
	}()
	buffered := bufio.NewWriter(file)
	out := json.NewEncoder(buffered)
	for i, one := range all {
		h, chance := habitOf(i), rand.New(rand.NewPCG(uint64(i), 2))
		attempt := h.attempt(chance, one.accountID, one.methodID)
		if chance.Float64() < s.Risky {
			attempt.Amount.AmountMinor, attempt.DeviceID, attempt.Location = 900_000, "dev-stolen", payment.Location{Country: "KP"}
		}
		if err := out.Encode(bodyOf(attempt)); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// bodyOf is an attempt as a platform sends it.
func bodyOf(a payment.Attempt) map[string]any {
	place := map[string]any{"country": a.Location.Country}
	if a.Location.City != "" {
		place["region"], place["city"] = a.Location.Region, a.Location.City
	}
	return map[string]any{
		"account_id": a.AccountID, "payment_method_id": a.PaymentMethodID, "amount": map[string]any{"amount_minor": a.Amount.AmountMinor, "currency": a.Amount.Currency},
		"ip": a.IP, "location": place, "device": map[string]any{"id": a.DeviceID}, "merchant": a.Merchant,
	}
}
