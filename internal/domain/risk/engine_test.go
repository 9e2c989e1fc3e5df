package risk

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/probity/probity/internal/domain/risk/history"
)

// town is a number of accounts that pay at merchants, with everything folded as a server would.
type town struct {
	policy   *Policy
	from     Sources
	profiles []history.Profile
	random   *rand.Rand
	at       time.Time
}

func newTown(tb testing.TB, policy *Policy, accounts int) *town {
	tb.Helper()
	set, err := Maintain(policy)
	if err != nil {
		tb.Fatal(err)
	}
	return &town{
		policy: policy, profiles: make([]history.Profile, accounts), random: rand.New(rand.NewPCG(1, 2)), at: decidedAt.Add(-90 * 24 * time.Hour),
		from: Sources{Set: set, Index: history.NewIndex(set, 1_000_000), Lists: NewLists([]ListEntry{{List: "blocked_devices", Value: "thief"}})},
	}
}

// next is the next payment and its account.
func (w *town) next() (int, *history.Payment) {
	account := w.random.IntN(len(w.profiles))
	w.at = w.at.Add(time.Duration(w.random.IntN(200)) * time.Second)
	id := fmt.Sprintf("acc_%06d", account)
	return account, &history.Payment{
		AccountID: id, AmountMinor: 1000 + int64(w.random.IntN(5000)), Currency: "USD", Place: history.Place{Country: "DE", Region: "BE"},
		IP: fmt.Sprintf("203.0.%d.%d", account/250%250, account%250), DeviceID: "device-" + id, MethodKind: "card",
		Method:   history.Method{ID: "pm_" + id, Fingerprint: "fp_" + id},
		Merchant: fmt.Sprintf("merchant-%d", w.random.IntN(500)), OccurredAt: w.at,
	}
}

// decide decides a payment and folds it.
func (w *town) decide(account int, payment *history.Payment) Decision {
	w.from.Profile = &w.profiles[account]
	facts := FactsFor(w.policy, w.from, payment)
	decision := Decide(w.policy, facts)
	entry := history.Entry{Payment: facts.Payment, Outcome: decision.Outcome.History()}
	w.from.Profile.Fold(w.from.Set, &entry)
	w.from.Index.Fold(&entry)
	return decision
}

func BenchmarkEngine(b *testing.B) {
	w := newTown(b, defaultForTest(b), 2000)
	for range 60_000 {
		w.decide(w.next())
	}
	accounts, payments := make([]int, 4096), make([]*history.Payment, 4096)
	i, outcomes := 0, map[Outcome]int{}
	b.ReportAllocs()
	b.Run("facts, decision and fold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if i%len(payments) == 0 {
				b.StopTimer()
				for j := range payments {
					accounts[j], payments[j] = w.next()
				}
				b.StartTimer()
			}
			outcomes[w.decide(accounts[i%len(payments)], payments[i%len(payments)]).Outcome]++
			i++
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	})
	b.Run("facts", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			FactsFor(w.policy, w.from, payments[0])
		}
	})
	facts := FactsFor(w.policy, w.from, payments[0])
	b.Run("decision", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Decide(w.policy, facts)
		}
	})
	b.Run("encoding", func(b *testing.B) {
		b.ReportAllocs()
		var out []byte
		for b.Loop() {
			out = facts.AppendBinary(w.policy, out[:0])
		}
		b.ReportMetric(float64(len(out)), "bytes")
	})
	b.Logf("%v", outcomes)
}

// BenchmarkConditions compares all conditions of the default policy as Go functions with the same in CEL's interpreter.
func BenchmarkConditions(b *testing.B) {
	policy := defaultForTest(b)
	facts := FactsFor(policy, Sources{}, &history.Payment{AmountMinor: 2000, Currency: "USD", Place: history.Place{Country: "DE"}, OccurredAt: decidedAt})
	b.Run("functions", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range policy.Rules {
				policy.Rules[i].condition.truth(&facts.Payment, facts)
			}
		}
	})
	b.Run("interpreter", func(b *testing.B) {
		var programs []cel.Program
		for i := range policy.Rules {
			c := policy.Rules[i].condition
			program, err := c.env.Program(c.checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxConditionCost))
			if err != nil {
				b.Fatal(err)
			}
			programs = append(programs, program)
		}
		b.ReportAllocs()
		for b.Loop() {
			for i, program := range programs {
				_, _, _ = program.Eval(&activation{condition: policy.Rules[i].condition, payment: &facts.Payment, facts: facts})
			}
		}
	})
}
