package scorecard

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// Options say how a model is trained. DefaultOptions are good for card payments.
type Options struct {
	Name     string
	Features []FeatureOptions

	Rounds       int     // of boosting at most; each round adds a small tree to every feature's table
	Patience     int     // rounds without an improvement on the validation window before boosting stops
	LearningRate float64 // the share of each step that is taken
	Leaves       int     // of a step's tree
	Ridge        float64 // added to each leaf's curvature: shrinks what few payments speak for
	Shrink       float64 // holds each bin's value back towards 0, as so many payments with even odds would
	MinPayments  float64 // of a leaf
	Edges        int     // of a feature's table at most

	Pairs     int // tables of two features at most
	PairEdges int // of each side of such a table at most

	Bags               int     // models that are averaged, each learned on a part of the payments
	FraudShare         float64 // of the frauds that a bag sees
	LegitimatePerFraud float64 // legitimate payments that a bag sees for each fraud of the window; those seen stand for those not seen
	Seed               uint64  // which payments are in which bag
	Refit              bool    // learn once more on all windows together, for as many rounds as were found to be best

	Workers  int                   // bags learned at once; the result does not depend on it
	Progress func(done, total int) // called now and then from one goroutine at a time; may be nil
	Stop     func() bool           // asked now and then, by several goroutines at once; true ends training with ErrStopped; may be nil
}

// ErrStopped is returned by Train when Options.Stop asked it to end.
var ErrStopped = errors.New("scorecard: training was stopped")

// FeatureOptions describe one feature of the samples, in their order.
type FeatureOptions struct {
	Name     string
	Meaning  string
	Monotone Direction // a feature with a direction takes no part in pairs
}

// DefaultOptions returns options for the features.
func DefaultOptions(name string, features []FeatureOptions) Options {
	return Options{
		Name: name, Features: features,
		Rounds: 600, Patience: 40, LearningRate: 0.05, Leaves: 2, Ridge: 2, Shrink: 1, MinPayments: 20, Edges: 120,
		Pairs: 8, PairEdges: 12,
		Bags: 8, FraudShare: 0.9, LegitimatePerFraud: 15, Seed: 1, Refit: true, Workers: 1,
	}
}

func (o *Options) check() error {
	if len(o.Features) == 0 || len(o.Features) > MaxFeatures {
		return fmt.Errorf("scorecard: a model has 1 to %d features", MaxFeatures)
	}
	for i, f := range o.Features {
		if !wordShape.MatchString(f.Name) {
			return fmt.Errorf("scorecard: feature %d: the name must be a lower-case word", i)
		}
		if slices.ContainsFunc(o.Features[:i], func(g FeatureOptions) bool { return g.Name == f.Name }) {
			return fmt.Errorf("scorecard: feature %d: another feature has this name", i)
		}
	}
	if !wordShape.MatchString(o.Name) {
		return errors.New("scorecard: the name must be a lower-case word")
	}
	within := func(n, low, high int) bool { return low <= n && n <= high }
	switch {
	case !within(o.Rounds, 1, 100_000), !within(o.Bags, 1, 1000), !within(o.Leaves, 2, MaxEdges), !within(o.Edges, 2, MaxEdges),
		!within(o.Pairs, 0, MaxPairs), !within(o.PairEdges, 1, MaxPairEdges):
		return errors.New("scorecard: the options are out of bounds")
	case !(o.LearningRate > 0 && o.LearningRate <= 1), !(o.Ridge >= 0), !(o.Shrink >= 0), !(o.FraudShare > 0 && o.FraudShare <= 1),
		!(o.LegitimatePerFraud > 0), !(o.MinPayments >= 0):
		return errors.New("scorecard: the options are out of bounds")
	}
	return nil
}

// Settings returns the options that change a model, on one line.
func (o *Options) Settings() string {
	return fmt.Sprintf("rounds %d, patience %d, learning rate %v, leaves %d, ridge %v, shrink %v, minimum payments %v, edges %d, pairs %d, pair edges %d, "+
		"bags %d, fraud share %v, legitimate per fraud %v, seed %d, refit %v", o.Rounds, o.Patience, o.LearningRate, o.Leaves, o.Ridge, o.Shrink,
		o.MinPayments, o.Edges, o.Pairs, o.PairEdges, o.Bags, o.FraudShare, o.LegitimatePerFraud, o.Seed, o.Refit)
}

// Windows are the payments to learn from, in the order of time.
type Windows struct {
	Train *Sample
	// Between are the payments after Train and before Validate: when validation began, their labels were not known yet. Only the last
	// training (Options.Refit) uses them. Nil for none.
	Between  *Sample
	Validate *Sample // says when to stop, calibrates and measures
}

// Train learns a model. The labels of Windows.Train must have been known before the validation window began, or the figures are too good:
// that is the caller's business, as are the dates of the provenance and the thresholds (ByCost, ByAlerts), for which it is given the model
// that has not seen the validation window yet: choose is called once with it, and what it returns becomes the model's. It may be nil.
func Train(windows Windows, o Options, choose func(m *Model) ([]Threshold, error)) (*Model, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if windows.Between == nil {
		windows.Between = NewSample(len(o.Features))
	}
	for i, s := range []*Sample{windows.Train, windows.Validate, windows.Between} {
		if err := s.check(len(o.Features), i < 2); err != nil {
			return nil, err
		}
	}
	t := &trainer{options: &o, curve: newCurve(), total: 2 * o.Bags * o.Rounds}
	if o.Refit {
		t.total *= 2
	}
	m := t.fit(windows.Train, windows.Validate)
	if t.stopped() {
		return nil, ErrStopped
	}
	if err := m.Compile(); err != nil {
		return nil, err
	}
	m.calibrate(m.scoresOf(windows.Validate), windows.Validate.Fraud)
	measures := m.Measure(windows.Validate)
	var thresholds []Threshold
	if choose != nil {
		var err error
		if thresholds, err = choose(m); err != nil {
			return nil, err
		}
	}
	used := windows.Train
	if o.Refit {
		knots := m.Calibration
		used = joined(windows.Train, windows.Between, windows.Validate)
		m = t.fit(used, nil)
		if t.stopped() {
			return nil, ErrStopped
		}
		m.Calibration = m.extended(knots)
	}
	m.Thresholds = thresholds
	m.Provenance = Provenance{
		Payments: int64(len(used.Fraud)), Frauds: int64(used.Frauds()), Fingerprint: used.fingerprint(), Settings: o.Settings(),
		AveragePrecision: rounded(measures.AveragePrecision), AUCROC: rounded(measures.AUCROC), LogLoss: rounded(measures.LogLoss),
	}
	return m, m.Compile()
}

// rounded keeps six decimals of a figure for people.
func rounded(value float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(value, 'f', 6, 64), 64)
	if err != nil {
		return value
	}
	return out
}

// trainer is one run of Train. What the first fit decides (rounds, pairs), the second one repeats.
type trainer struct {
	options *Options
	curve   *curve

	pairs                 [][2]int
	oneRounds, pairRounds []int // by bag
	decided               bool

	progress    sync.Mutex
	done, total int
}

func (t *trainer) stopped() bool { return t.options.Stop != nil && t.options.Stop() }

// tick reports rounds that are done.
func (t *trainer) tick(rounds int) {
	t.progress.Lock()
	defer t.progress.Unlock()
	t.done += rounds
	if t.options.Progress != nil {
		t.options.Progress(t.done, t.total)
	}
}

// prepared is a sample in bins.
type prepared struct {
	sample *Sample
	edges  [][]float64
	bins   [][]uint8
	check  [][]uint8 // of the check sample
}

func (t *trainer) fit(sample, check *Sample) *Model {
	o := t.options
	p := &prepared{sample: sample, edges: make([][]float64, len(o.Features)), bins: make([][]uint8, len(o.Features)),
		check: make([][]uint8, len(o.Features))}
	t.each(len(o.Features), func(i int) {
		p.edges[i] = edgesOf(sample.Columns[i], sample.Fraud, o.Edges)
		p.bins[i] = binned(sample.Columns[i], p.edges[i])
		if check != nil {
			p.check[i] = binned(check.Columns[i], p.edges[i])
		}
	})
	base := log(float64(sample.Frauds()) / float64(len(sample.Fraud)-sample.Frauds()))
	if !t.decided {
		t.oneRounds, t.pairRounds = make([]int, o.Bags), make([]int, o.Bags)
	}
	ones := t.oneTables(p)
	t.bags(p, check, ones, base, t.oneRounds)
	if !t.decided && o.Pairs > 0 {
		t.pairs = t.findPairs(p, ones, base)
	}
	twos := t.pairTables(p)
	if len(twos) > 0 {
		// The tables of one feature go on learning beside the pairs, which explain some of what they had to.
		t.bags(p, check, slices.Concat(ones, twos), base, t.pairRounds)
	}
	t.decided = true
	return t.assemble(p, base, ones, twos)
}

// each runs the work for 0 … n-1, as many at once as there are workers.
func (t *trainer) each(n int, work func(i int)) {
	var group sync.WaitGroup
	next := make(chan int)
	for range max(1, t.options.Workers) {
		group.Go(func() {
			for i := range next {
				work(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
}

func (t *trainer) oneTables(p *prepared) []*table {
	var out []*table
	for i, f := range t.options.Features {
		size := len(p.edges[i]) + 2
		out = append(out, &table{first: i, second: -1, width: 1, monotone: f.Monotone,
			values: make([]float64, size), cells: make([]cell, size)})
	}
	return out
}

func (t *trainer) pairTables(p *prepared) []*table {
	var out []*table
	for _, pair := range t.pairs {
		first, second := p.coarse(pair[0], t.options.PairEdges), p.coarse(pair[1], t.options.PairEdges)
		size := (len(first) + 2) * (len(second) + 2)
		out = append(out, &table{first: pair[0], second: pair[1], width: len(second) + 2,
			firstMap: appendCoarse(nil, p.edges[pair[0]], first), secondMap: appendCoarse(nil, p.edges[pair[1]], second),
			values: make([]float64, size), cells: make([]cell, size)})
	}
	return out
}

func (p *prepared) coarse(feature, most int) []float64 { return coarser(p.edges[feature], most) }

// bags boosts a copy of the tables on each bag, from what they have learned already, and makes them the mean of the copies.
func (t *trainer) bags(p *prepared, check *Sample, tables []*table, base float64, rounds []int) {
	o := t.options
	learned := make([][]*table, o.Bags)
	t.each(o.Bags, func(b int) {
		l := &learner{options: o, curve: t.curve, bag: t.bag(p, b)}
		if check != nil {
			l.check = &rows{bins: p.check, fraud: check.Fraud, score: make([]float64, len(check.Fraud))}
		}
		for _, r := range []*rows{l.bag, l.check} {
			if r == nil {
				continue
			}
			for i := range r.score {
				r.score[i] = base
			}
			for _, table := range tables {
				move(r.score, table.index(r), table.values)
			}
		}
		own := make([]*table, len(tables))
		for i, original := range tables {
			c := *original
			c.values, c.cells, c.leaves = c.copyValues(), make([]cell, len(c.cells)), nil
			own[i] = &c
		}
		limit := o.Rounds
		if t.decided {
			limit = rounds[b]
		}
		ran := 0
		best := l.boost(own, limit, func() { ran++; t.tick(1) })
		t.tick(o.Rounds - ran)
		if !t.decided {
			rounds[b] = best
		}
		learned[b] = own
	})
	for i, mean := range tables {
		clear(mean.values)
		for _, own := range learned {
			for v := range mean.values {
				mean.values[v] += own[i].values[v]
			}
		}
		for v := range mean.values {
			mean.values[v] /= float64(o.Bags)
		}
	}
}

// bag gathers the payments of one bag: most frauds, and some of the legitimate payments with the weight of those that are left out.
func (t *trainer) bag(p *prepared, b int) *rows {
	o := t.options
	frauds := p.sample.Frauds()
	share := min(1, float64(o.LegitimatePerFraud*float64(frauds))/float64(len(p.sample.Fraud)-frauds))
	const scale = 1 << 32
	limits := [2]uint64{uint64(float64(share * scale)), uint64(float64(o.FraudShare * scale))}
	var picked []int32
	r := &rows{}
	for i, fraud := range p.sample.Fraud {
		kind := 0
		if fraud {
			kind = 1
		}
		if scatter(o.Seed, uint64(b), uint64(i))>>32 >= limits[kind] {
			continue
		}
		picked = append(picked, int32(i))
		r.fraud = append(r.fraud, fraud)
		r.weight = append(r.weight, [2]float64{1 / share, 1 / o.FraudShare}[kind])
	}
	for _, column := range p.bins {
		bins := make([]uint8, len(picked))
		for i, row := range picked {
			bins[i] = column[row]
		}
		r.bins = append(r.bins, bins)
	}
	r.score = make([]float64, len(picked))
	return r
}
