package backtest

import (
	"cmp"
	"slices"
	"time"

	"github.com/probity/probity/internal/domain/risk"
)

// payment is what a tally needs to know of one measured payment.
type payment struct {
	id          string
	at          time.Time
	amountMinor int64
	currency    string
	amount      int64 // reference, 0 when not known
	account     uint32
	day         int32
	labelled    bool
	fraud       bool
	ranked      bool // counts for the measures of ranking
}

// verdict is how one policy answered one payment.
type verdict struct {
	decision *risk.Decision
	score    float64
}

// kept is what is remembered of each payment for the ranking.
type kept struct {
	score   float64
	amount  int64
	account uint32
	day     int32
	fraud   bool
	ranked  bool
}

// maxExamples bounds the examples of each sort.
const maxExamples = 20

// tally sums what one policy did.
type tally struct {
	policy      *risk.Policy
	probability bool // scores are probabilities
	outcomes    Outcomes
	rules       []RuleResult // without disabled ones
	places      []int        // of rules, in the policy
	reasons     map[string]*ReasonResult
	days        map[int32]*DayResult
	kept        []kept
	missed      largest
	blockedGood largest
}

func newTally(policy *risk.Policy) *tally {
	t := &tally{
		policy: policy, probability: isScored(policy), reasons: map[string]*ReasonResult{}, days: map[int32]*DayResult{},
		missed: largest{most: maxExamples}, blockedGood: largest{most: maxExamples},
	}
	for i := range policy.Rules {
		if rule := &policy.Rules[i]; rule.Mode != risk.Disabled {
			t.places = append(t.places, i)
			t.rules = append(t.rules, RuleResult{Name: rule.Name, Code: rule.Code, Mode: string(rule.Mode), Effect: string(rule.Effect)})
		}
	}
	return t
}

// add counts one answer.
func (t *tally) add(p *payment, v verdict) {
	outcome := v.decision.Outcome
	stopped := outcome != risk.Approved
	switch outcome {
	case risk.Approved:
		t.outcomes.Approved.add(p)
	case risk.Review:
		t.outcomes.Review.add(p)
	case risk.Rejected:
		t.outcomes.Rejected.add(p)
	}
	t.addRules(p, v.decision)
	if stopped {
		t.addReasons(p, v.decision.Reasons)
	}
	t.addDay(p, outcome)
	t.kept = append(t.kept, kept{score: v.score, amount: p.amount, account: p.account, day: p.day, fraud: p.fraud, ranked: p.ranked})
	if p.fraud && !stopped && t.missed.wants(p.amount) {
		t.missed.add(t.example(p, v))
	}
	if !p.fraud && stopped && t.blockedGood.wants(p.amount) {
		t.blockedGood.add(t.example(p, v))
	}
}

// addRules counts the raised rules.
func (t *tally) addRules(p *payment, decision *risk.Decision) {
	if decision.Raised == (risk.RuleSet{}) && decision.Failed == (risk.RuleSet{}) {
		return
	}
	active := 0
	for _, i := range t.places {
		if t.policy.Rules[i].Mode == risk.Active && decision.Raised.Has(i) {
			active++
		}
	}
	for place, i := range t.places {
		rule := &t.rules[place]
		count(&rule.Failed, decision.Failed.Has(i))
		if !decision.Raised.Has(i) {
			continue
		}
		isAlone := active == 0 || active == 1 && t.policy.Rules[i].Mode == risk.Active
		isLet := decision.Outcome == risk.Approved
		rule.Payments++
		count(&rule.Alone, isAlone)
		count(&rule.Let, isLet)
		if p.fraud {
			rule.Fraud++
			rule.FraudMinor = plus(rule.FraudMinor, p.amount)
			count(&rule.AloneFraud, isAlone)
			count(&rule.LetFraud, isLet)
		}
	}
}

func count(n *int64, really bool) {
	if really {
		*n++
	}
}

func (t *tally) addReasons(p *payment, reasons []risk.Reason) {
	for i, reason := range reasons {
		if slices.ContainsFunc(reasons[:i], func(r risk.Reason) bool { return r.Code == reason.Code }) {
			continue
		}
		r := t.reasons[reason.Code]
		if r == nil {
			r = &ReasonResult{Code: reason.Code}
			t.reasons[reason.Code] = r
		}
		r.Payments++
		if p.fraud {
			r.Fraud++
			r.FraudMinor = plus(r.FraudMinor, p.amount)
		}
	}
}

func (t *tally) addDay(p *payment, outcome risk.Outcome) {
	d := t.days[p.day]
	if d == nil {
		d = &DayResult{Date: time.Unix(int64(p.day)*86400, 0).UTC().Format(time.DateOnly)}
		t.days[p.day] = d
	}
	d.Payments++
	count(&d.Approved, outcome == risk.Approved)
	count(&d.Review, outcome == risk.Review)
	count(&d.Rejected, outcome == risk.Rejected)
	stopped := outcome != risk.Approved
	count(&d.GoodStopped, stopped && !p.fraud)
	if p.fraud {
		d.Fraud++
		d.FraudMinor = plus(d.FraudMinor, p.amount)
		if stopped {
			d.FraudStopped++
			d.StoppedMinor = plus(d.StoppedMinor, p.amount)
		}
	}
}

// example copies what is worth looking at.
func (t *tally) example(p *payment, v verdict) Example {
	e := Example{
		PaymentID: p.id, At: p.at, AmountMinor: p.amountMinor, Currency: p.currency, Score: v.score, Outcome: string(v.decision.Outcome),
		Raised: []string{}, reference: p.amount,
	}
	for _, i := range t.places {
		if rule := &t.policy.Rules[i]; rule.Mode == risk.Active && v.decision.Raised.Has(i) {
			e.Raised = append(e.Raised, rule.Code)
		}
	}
	return e
}

// largest keeps the examples with the largest amounts; of equal ones the first.
type largest struct {
	most int
	list []Example
}

func (l *largest) wants(amount int64) bool {
	return len(l.list) < l.most || l.most > 0 && amount > l.list[len(l.list)-1].reference
}

func (l *largest) add(e Example) {
	i, _ := slices.BinarySearchFunc(l.list, e, func(have, e Example) int {
		if have.reference >= e.reference {
			return -1
		}
		return 1
	})
	l.list = slices.Insert(l.list, i, e)
	l.list = l.list[:min(len(l.list), l.most)]
}

// curvePoints is how many points the curves of a report have at most.
const curvePoints = 400

// result sums up.
func (t *tally) result() Result {
	o := t.outcomes
	allFraud := o.Approved.Fraud + o.Review.Fraud + o.Rejected.Fraud
	good := o.Approved.Payments + o.Review.Payments + o.Rejected.Payments - allFraud
	goodBlocked, goodHeld := o.Rejected.Payments-o.Rejected.Fraud, o.Review.Payments-o.Review.Fraud
	r := Result{
		PolicyID: t.policy.ID, PolicyVersion: t.policy.Version, ScoredBy: "rules",
		Outcomes:    o,
		Stopped:     measure(o.Review.Payments+o.Rejected.Payments, o.Review.Fraud+o.Rejected.Fraud, allFraud),
		SavedMinor:  o.Rejected.FraudMinor,
		HeldMinor:   o.Review.FraudMinor,
		LostMinor:   o.Approved.FraudMinor,
		GoodBlocked: goodBlocked, GoodBlockedMinor: o.Rejected.AmountMinor - o.Rejected.FraudMinor,
		GoodHeld: goodHeld, GoodHeldMinor: o.Review.AmountMinor - o.Review.FraudMinor,
		FalsePositives: share(goodBlocked+goodHeld, good),
		Rules:          []RuleResult{}, Reasons: []ReasonResult{}, Days: []DayResult{},
		Missed: append([]Example{}, t.missed.list...), BlockedGood: append([]Example{}, t.blockedGood.list...),
	}
	for _, rule := range t.rules {
		rule.Measure = measure(rule.Payments, rule.Fraud, allFraud)
		r.Rules = append(r.Rules, rule)
	}
	for _, reason := range t.reasons {
		reason.Measure = measure(reason.Payments, reason.Fraud, allFraud)
		r.Reasons = append(r.Reasons, *reason)
	}
	slices.SortFunc(r.Reasons, func(a, b ReasonResult) int {
		return cmp.Or(cmp.Compare(b.Payments, a.Payments), cmp.Compare(a.Code, b.Code))
	})
	t.rank(&r)
	if t.probability {
		r.ScoredBy = "probability"
		r.Calibration = t.calibration()
	}
	return r
}

// rank fills what follows from the order of the scores, and the days, which have a card precision each.
func (t *tally) rank(r *Result) {
	list, cards := make([]Scored, 0, len(t.kept)), make([]CardDay, 0, len(t.kept))
	for i := range t.kept {
		k := &t.kept[i]
		if k.ranked {
			list = append(list, Scored{Score: k.score, Fraud: k.fraud})
			cards = append(cards, CardDay{Day: k.day, Account: k.account, Score: k.score, Fraud: k.fraud})
		}
	}
	ranking := Rank(list)
	r.Ranked, r.RankedFraud = ranking.Totals()
	if auc, ok := ranking.AUC(); ok {
		r.AUCROC = &auc
	}
	if ap, ok := ranking.AveragePrecision(); ok {
		r.AveragePrecision = &ap
	}
	r.Curves = Curves{ROC: ranking.ROC(curvePoints), PrecisionRecall: ranking.PrecisionRecall(curvePoints), Budget: t.budget()}
	mean, cardDays := CardPrecision(cards, cardsPerDay)
	if len(cardDays) > 0 && r.RankedFraud > 0 {
		r.CardPrecision100 = &mean
	}
	for day, result := range t.days {
		i, found := slices.BinarySearchFunc(cardDays, day, func(d DayPrecision, day int32) int { return cmp.Compare(d.Day, day) })
		if found && r.RankedFraud > 0 {
			result.CardPrecision = &cardDays[i].Precision
		}
		r.Days = append(r.Days, *result)
	}
	slices.SortFunc(r.Days, func(a, b DayResult) int { return cmp.Compare(a.Date, b.Date) })
}

// cardsPerDay is the k of card precision.
const cardsPerDay = 100

// budget is the curve of the fraud amount stopped by good payments stopped, the riskiest payments first. It is about all measured payments.
func (t *tally) budget() []Point {
	order := slices.Clone(t.kept)
	slices.SortFunc(order, func(a, b kept) int { return cmp.Compare(b.score, a.score) })
	var fraudMinor, good float64
	for i := range order {
		if order[i].fraud {
			fraudMinor += float64(order[i].amount)
		} else {
			good++
		}
	}
	if fraudMinor == 0 || good == 0 {
		return nil
	}
	points := []Point{{}}
	var stopped, goodStopped float64
	for i := range order {
		if order[i].fraud {
			stopped += float64(order[i].amount)
		} else {
			goodStopped++
		}
		isStep := i+1 == len(order) || cmp.Compare(order[i+1].score, order[i].score) != 0
		p, last := Point{X: 1000 * goodStopped / good, Y: stopped / fraudMinor}, points[len(points)-1]
		if isStep && (i+1 == len(order) || p.Y-last.Y >= 0.004 || p.X-last.X >= max(0.05, 0.03*p.X)) {
			points = append(points, p)
		}
	}
	return points
}

// The edges of the bins of a calibration: closer where fraud is rare, as it is.
var calibrationEdges = [...]float64{0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1}

// calibration compares probabilities with what happened.
func (t *tally) calibration() []Bin {
	bins := make([]Bin, len(calibrationEdges)-1)
	for i := range bins {
		bins[i].From, bins[i].To = calibrationEdges[i], calibrationEdges[i+1]
	}
	for i := range t.kept {
		k := &t.kept[i]
		j, found := slices.BinarySearch(calibrationEdges[:], k.score)
		if !found {
			j--
		}
		bin := &bins[max(0, min(j, len(bins)-1))]
		bin.Payments++
		bin.Mean += k.score
		count(&bin.Fraud, k.fraud)
	}
	filled := bins[:0]
	for _, bin := range bins {
		if bin.Payments > 0 {
			bin.Mean /= float64(bin.Payments)
			bin.Observed = float64(bin.Fraud) / float64(bin.Payments)
			filled = append(filled, bin)
		}
	}
	return filled
}
