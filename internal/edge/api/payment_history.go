package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/standard/problem"
)

const (
	historyPath = "/v1/payments/history"
	// historyLines is how many lines are brought in together, in one transaction.
	historyLines = 2000
	// gatherFor is how long a sender may pause before what has come is brought in.
	gatherFor = 50 * time.Millisecond
)

// PastAmount is the amount of a past payment: a check of a card is one of zero.
type PastAmount struct {
	AmountMinor int64  `json:"amount_minor" minimum:"0" maximum:"1000000000000000" doc:"In minor units of the currency. 0 is a check of a card. A refund is no payment: tell what became of the payment instead." example:"1250"`
	Currency    string `json:"currency" doc:"ISO 4217 code in capitals." example:"USD"`
}

// PastLine is a line of past payments.
type PastLine struct {
	ID                string     `json:"id" minLength:"1" maxLength:"200" doc:"Your own id of the payment: what was brought in before is not brought in twice." example:"order-4711"`
	AccountID         string     `json:"account_id,omitempty" maxLength:"100" doc:"Who paid; this or account_external_id. The account must exist." example:"acct_01jc0000000000000000000000"`
	AccountExternalID string     `json:"account_external_id,omitempty" maxLength:"200" doc:"Who paid, by your own id of the account." example:"customer-17"`
	PaymentMethodID   string     `json:"payment_method_id,omitempty" maxLength:"100" doc:"With what, if it is a payment method of the account." example:"pm_01jc0000000000000000000000"`
	Fingerprint       string     `json:"fingerprint,omitempty" maxLength:"128" doc:"With what, if it is none: the same for the same card under another id. A keyed hash or your processor's token, never a number." example:"fp_9f2c"`
	MethodKind        string     `json:"method_kind,omitempty" enum:"card,bank_account,wallet" doc:"What sort it is, beside fingerprint." example:"card"`
	Amount            PastAmount `json:"amount" doc:"How much."`
	IP                string     `json:"ip,omitempty" format:"ip" maxLength:"45" doc:"The address the payment came from." example:"203.0.113.7"`
	Location          *Location  `json:"location,omitempty" doc:"Where it was made."`
	Device            *Device    `json:"device,omitempty" doc:"What it was made with."`
	Merchant          string     `json:"merchant,omitempty" maxLength:"200" doc:"Who was paid, as you call them." example:"compute"`
	OccurredAt        time.Time  `json:"occurred_at" doc:"When it was made, from 1970 to 5 minutes ahead of now; in any order. What is older than 400 days is kept and teaches nothing." example:"2026-01-09T10:00:00Z"`
	Outcome           string     `json:"outcome,omitempty" enum:"approved,rejected" doc:"What you decided then; approved when absent. Only approved payments make places, devices, methods and amounts usual." example:"approved"`
	Fraud             *bool      `json:"fraud,omitempty" doc:"What turned out: true is confirmed fraud, false is confirmed legitimate; absent when nobody knows." example:"false"`
	KnownAt           *time.Time `json:"known_at,omitempty" doc:"When that became known, between the payment and now; now when absent. Nothing that is computed for an earlier moment sees it." example:"2026-02-01T10:00:00Z"`
}

// HistoryAnswer is a line of the answer: either about a line that was refused, or how far it has come.
type HistoryAnswer struct {
	Line    int      `json:"line,omitempty" doc:"The number of a line that was refused, from 1, empty ones included." example:"17"`
	Status  int      `json:"status,omitempty" doc:"The HTTP status of the refusal." example:"422"`
	Problem *Problem `json:"problem,omitempty" doc:"Why the line was refused; without line, why nothing more was taken after through."`

	Through  *int `json:"through,omitempty" doc:"Every line up to this one has been dealt with, durably: go on behind it after a break." example:"2000"`
	Imported int  `json:"imported,omitempty" doc:"How many payments were brought in so far." example:"1990"`
	Known    int  `json:"known,omitempty" doc:"How many had been brought in before, exactly so." example:"6"`
	Refused  int  `json:"refused,omitempty" doc:"How many lines were refused so far, each with a line of its own before this one." example:"4"`
	Done     bool `json:"done,omitempty" doc:"The last line of the answer: the body was read to its end."`
}

func (e *edge) registerPaymentHistory() {
	registerStream[PastLine, HistoryAnswer](e, streamOperation{
		id: "import-payment-history", path: historyPath, tag: tagPayments, summary: "Bring in past payments",
		description: "Teaches the profiles of accounts what was usual before, without deciding anything: no restriction, no verification, no notice. One payment a line (NDJSON), in any order. " +
			"The answer has a line for each line that was refused, and every now and then one that tells how far it has come; the last one has done. The same payment again is known and changes nothing; " +
			"another one under the same id is refused. When the connection breaks, go on behind through, or send everything again. Accounts are not made on the fly: a line of an account that does not exist is refused. " +
			"Read the answer while you send.",
		stream: e.bringIn,
	})
}

// pastEntry is one line: a past payment, or a problem already.
type pastEntry struct {
	line     int
	past     service.PastPayment
	external string // of the account, to be looked up
	labelled bool
	fraud    bool
	knownAt  time.Time
	problem  *Problem
}

// past is a stream of past payments.
type past struct {
	*stream
	through             int // the last line that was dealt with
	new, before, others int // lines that were brought in, had been before, and were refused
}

// bringIn reads lines in the background, brings in what has gathered, and tells how far it has come.
func (e *edge) bringIn(s *stream) {
	p := &past{stream: s}
	ctx, stop := context.WithCancel(s.ctx)
	entries := make(chan pastEntry, historyLines)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(entries)
		s.readPast(ctx, entries)
	})
	whole := false
	defer func() {
		stop()
		if !whole {
			// Whoever still reads is woken. The connection then stands in the middle of a body, and nothing more can come over it; a whole
			// body must not meet this deadline, because the server would take the next request of the connection for given up.
			_ = s.control.SetReadDeadline(time.Unix(1, 0))
			s.cut = true
		}
		reading.Wait()
	}()
	timer := time.NewTimer(gatherFor)
	defer timer.Stop()
	for s.broken == nil && s.ctx.Err() == nil {
		gathered, more := gather(entries, timer)
		if len(gathered) > 0 {
			last := gathered[len(gathered)-1]
			if refused := p.take(gathered); refused != nil {
				p.tell(refused, false)
				return
			}
			p.through, s.known.lines = last.line, last.line
		}
		if !more {
			whole = true
			p.tell(nil, true)
			return
		}
		p.tell(nil, false)
		s.flush()
	}
}

// gather waits for one entry, and then takes what comes within gatherFor, at most historyLines.
func gather(entries <-chan pastEntry, timer *time.Timer) (gathered []pastEntry, more bool) {
	first, more := <-entries
	if !more {
		return nil, false
	}
	gathered = append(gathered, first)
	timer.Reset(gatherFor)
	for len(gathered) < historyLines {
		select {
		case next, more := <-entries:
			if !more {
				return gathered, false
			}
			gathered = append(gathered, next)
		case <-timer.C:
			return gathered, true
		}
	}
	return gathered, true
}

// readPast reads lines until the body ends.
func (s *stream) readPast(ctx context.Context, into chan<- pastEntry) {
	for {
		line, err := s.lines.next()
		if errors.Is(err, io.EOF) {
			return
		}
		one := pastEntry{line: s.lines.line}
		if err == nil {
			s.edge.readPastLine(line, &one)
		} else {
			one.problem = unreadableLine(err)
		}
		select {
		case into <- one:
		case <-ctx.Done():
			return
		}
		if err != nil && !errors.Is(err, errLineTooLong) {
			return
		}
	}
}

// readPastLine reads one line, the plain way if it can.
func (e *edge) readPastLine(line []byte, into *pastEntry) {
	var at struct{ id, account, fingerprint, kind, outcome string }
	attempt, ok := plainPayment(line, 1<<memberAmount|1<<memberInstant|1<<firstMore, func(s *scanner, name []byte) (int, bool) {
		switch string(name) {
		case "id":
			return firstMore, s.text(&at.id, longestPastID) && at.id != ""
		case "account_external_id":
			return firstMore + 1, s.text(&at.account, longestPastID)
		case "fingerprint":
			return firstMore + 2, s.text(&at.fingerprint, longestDevice)
		case "method_kind":
			return firstMore + 3, s.text(&at.kind, longestDevice) && payment.MethodKind(at.kind).Valid()
		case "outcome":
			return firstMore + 4, s.text(&at.outcome, longestDevice) && (at.outcome == string(payment.Approved) || at.outcome == string(payment.Rejected))
		case "fraud":
			into.labelled = true
			return firstMore + 5, s.truth(&into.fraud)
		case "known_at":
			return firstMore + 6, s.instant(&into.knownAt)
		}
		return 0, false
	})
	if ok {
		into.past = service.PastPayment{
			ExternalID: at.id, Attempt: attempt, Outcome: payment.Outcome(at.outcome), MethodKind: payment.MethodKind(at.kind), Fingerprint: at.fingerprint,
		}
		into.external = at.account
	} else {
		e.readPastLineGenerally(line, into)
	}
	if into.past.Outcome == "" {
		into.past.Outcome = payment.Approved
	}
	if into.problem == nil {
		into.problem = e.checkPastLine(into)
	}
}

// checkPastLine returns the first rule of a line that no single member knows of.
func (e *edge) checkPastLine(one *pastEntry) *Problem {
	invalid := func(field, code, detail string) *Problem {
		return newProblem(http.StatusUnprocessableEntity, code, detail).blame(field)
	}
	accountID := one.past.Attempt.AccountID
	switch {
	case accountID == "" && one.external == "":
		return invalid("account_id", "required", "say who paid: account_id or account_external_id")
	case accountID != "" && one.external != "":
		return invalid("account_external_id", "account_given_twice", "give account_id or account_external_id, not both")
	case one.knownAt.IsZero():
		return nil
	case !one.labelled:
		return invalid("known_at", "known_at_without_fraud", "known_at says when fraud became known; leave it out, or say which it was")
	case one.knownAt.Before(one.past.Attempt.OccurredAt) || one.knownAt.After(e.Service.Clock.Now().Add(payment.MaxFuture)):
		return invalid("known_at", "known_at_out_of_range", "known_at lies between the payment and now")
	}
	return nil
}

// readPastLineGenerally reads a line as huma reads a body.
func (e *edge) readPastLineGenerally(line []byte, into *pastEntry) {
	*into = pastEntry{line: into.line}
	var read PastLine
	if into.problem = e.readLine(line, &read); into.problem != nil {
		return
	}
	shared := NewPayment{
		AccountID: read.AccountID, PaymentMethodID: read.PaymentMethodID, IP: read.IP, Location: read.Location, Device: read.Device, Merchant: read.Merchant, OccurredAt: &read.OccurredAt,
	}
	into.past = service.PastPayment{
		ExternalID: read.ID, Attempt: shared.attempt(), Outcome: payment.Outcome(read.Outcome), MethodKind: payment.MethodKind(read.MethodKind), Fingerprint: read.Fingerprint,
	}
	into.past.Attempt.Amount = money.Amount{AmountMinor: read.Amount.AmountMinor, Currency: read.Amount.Currency}
	into.external = read.AccountExternalID
	into.labelled, into.fraud, into.knownAt = read.Fraud != nil, given(read.Fraud), given(read.KnownAt).UTC().Truncate(time.Microsecond)
}

// take brings in what has gathered. What it returns keeps everything of it out.
func (p *past) take(entries []pastEntry) *Problem {
	if refused := p.findAccounts(entries); refused != nil {
		return refused
	}
	var open []*pastEntry
	var asked []service.PastPayment
	for i := range entries {
		if entries[i].problem == nil {
			open, asked = append(open, &entries[i]), append(asked, entries[i].past)
		}
	}
	results, err := p.edge.Service.ImportPayments(p.ctx, p.known.actor, asked)
	if err != nil {
		return p.edge.refusal(p.ctx, err)
	}
	var labels []service.PastLabel
	var labelled []*pastEntry
	for i, one := range open {
		if results[i].Err != nil {
			one.problem = p.refusalOf(results[i].Err)
			continue
		}
		if one.labelled {
			labels, labelled = append(labels, service.PastLabel{PaymentID: results[i].PaymentID, Fraud: one.fraud, KnownAt: one.knownAt}), append(labelled, one)
		}
	}
	refusals, err := p.edge.Service.LabelPastPayments(p.ctx, p.known.actor, labels)
	if err != nil {
		// The payments are in; sent again, they are known, and labelled then.
		return p.edge.refusal(p.ctx, err)
	}
	for i, one := range labelled {
		if refusals[i] != nil {
			one.problem = p.refusalOf(refusals[i])
		}
	}
	p.count(entries, open, results)
	return nil
}

// count adds up what came of the entries, and tells of those that were refused.
func (p *past) count(entries []pastEntry, open []*pastEntry, results []service.ImportResult) {
	for i, one := range open {
		switch {
		case one.problem != nil:
		case results[i].Known:
			p.before++
		default:
			p.new++
		}
	}
	for i := range entries {
		if entries[i].problem != nil {
			p.others++
			p.refuse(entries[i].line, entries[i].problem)
		}
	}
}

// findAccounts puts our ids in the place of the tenant's own.
func (p *past) findAccounts(entries []pastEntry) *Problem {
	var wanted []string
	seen := map[string]bool{}
	for i := range entries {
		if external := entries[i].external; entries[i].problem == nil && external != "" && !seen[external] {
			seen[external] = true
			wanted = append(wanted, external)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	found, err := p.edge.Service.AccountIDs(p.ctx, p.known.actor, wanted)
	if err != nil {
		return p.edge.refusal(p.ctx, err)
	}
	for i := range entries {
		one := &entries[i]
		if one.problem != nil || one.external == "" {
			continue
		}
		if one.past.Attempt.AccountID = found[one.external]; one.past.Attempt.AccountID == "" {
			one.problem = p.refusalOf(problem.Missing("account")).blame("account_external_id")
		}
	}
	return nil
}

// refusalOf is what is said of a line; its members have names of their own.
func (p *past) refusalOf(err error) *Problem {
	refused := *p.edge.refusal(p.ctx, err)
	if refused.Field == "external_id" {
		refused.Field = "id"
	}
	return &refused
}

// tell adds a line about how far it has come.
func (p *past) tell(refused *Problem, done bool) {
	if refused != nil {
		refused.RequestID, p.stream.known.code = p.stream.known.id, refused.Code
	}
	var into appender = p.out
	answer := HistoryAnswer{Through: &p.through, Imported: p.new, Known: p.before, Refused: p.others, Done: done, Problem: refused}
	if err := encode(&into, answer); err != nil {
		p.edge.Log.Error("how far an import has come could not be written", "request_id", p.stream.known.id)
	}
	p.out = into
}
