package console

import (
	"strconv"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
)

// people knows the names of those who act in a tenant.
type people struct {
	staff map[string]string
	keys  map[string]string
}

func (v *visit) people() (people, error) {
	p := people{staff: map[string]string{}, keys: map[string]string{}}
	members, err := v.s.Service.Staff(v.r.Context(), v.actor)
	if err != nil {
		return p, err
	}
	for _, m := range members {
		p.staff[m.ID] = m.Name
	}
	keys, err := v.s.Service.APIKeys(v.r.Context(), v.actor.TenantID)
	for _, k := range keys {
		p.keys[k.ID] = k.Name
	}
	return p, err
}

// name says who acted.
func (p people) name(kind access.ActorKind, id string) string {
	switch kind {
	case access.Staff:
		if name := p.staff[id]; name != "" {
			return name
		}
		return "Former staff"
	case access.Key:
		if name := p.keys[id]; name != "" {
			return "API key “" + name + "”"
		}
		return "API key"
	case access.Holder:
		return "Account holder"
	case access.System:
		return "Probity"
	default:
		return string(kind)
	}
}

// timeline writes journal entries, newest first, as sentences. Entries of the same sort by the same person in a row become one.
func (v *visit) timeline(entries []journal.Entry, p people) []web.TimelineItem {
	var items []web.TimelineItem
	for i := 0; i < len(entries); i++ {
		e := entries[i]
		title, tone := v.sentence(e)
		same := 1
		for e.Type == journal.EvidenceViewed && i+1 < len(entries) && entries[i+1].Type == e.Type && entries[i+1].Actor.ID == e.Actor.ID {
			i++
			same++
		}
		if same > 1 {
			title += " (" + strconv.Itoa(same) + " times)"
		}
		items = append(items, web.TimelineItem{
			When: v.short(e.At), Stamp: web.Stamp(e.At), Title: title, Who: p.name(e.Actor.Kind, e.Actor.ID), Tone: tone,
		})
	}
	return items
}

// dueIn returns the instant that an entry carries, for a sentence.
func (v *visit) dueIn(e journal.Entry) string {
	at, err := time.Parse(time.RFC3339, e.Data["due_at"])
	if err != nil {
		return ""
	}
	return v.short(at)
}

// round says which round an entry is about, when it is not the first.
func round(e journal.Entry) string {
	if r := e.Data["round"]; r != "" && r != "1" {
		return ", round " + r
	}
	return ""
}

// sentence says what a journal entry records.
func (v *visit) sentence(e journal.Entry) (string, web.Tone) {
	item := requirementName(verification.RequirementKind(e.Data["requirement"]))
	switch e.Type {
	case journal.AccountCreated:
		return "Account created", web.Neutral
	case journal.AccountUpdated:
		return "Account details changed", web.Neutral
	case journal.PaymentMethodAdded:
		return "Payment method added", web.Neutral
	case journal.PaymentRejected:
		return "Payment rejected", web.Negative
	case journal.RetryGranted:
		return "One retry of the rejected payment granted", web.Positive
	case journal.RetryUsed:
		return "The granted retry was used", web.Positive
	case journal.RestrictionPlaced:
		return "Payments restricted", web.Negative
	case journal.RestrictionLifted:
		return "Restriction lifted", web.Positive
	case journal.VerificationOpened:
		return "Verification opened", web.Info
	case journal.EvidenceReceived:
		return item + " received", web.Info
	case journal.EvidenceWithdrawn:
		return item + " taken back before submission", web.Neutral
	case journal.EvidenceViewed:
		return "Looked at evidence", web.Neutral
	case journal.DeadlineSet:
		return "Submission due " + v.dueIn(e) + round(e), web.Info
	case journal.DeadlineMissed:
		return "The due date " + v.dueIn(e) + " was missed" + round(e), web.Negative
	default:
		return v.laterSentence(e)
	}
}

// laterSentence is sentence for what follows a submission, and for what is not about a verification.
func (v *visit) laterSentence(e journal.Entry) (string, web.Tone) {
	switch e.Type {
	case journal.VerificationSubmit:
		return "Submitted for review" + round(e), web.Info
	case journal.VerificationReview:
		return "Review began", web.Info
	case journal.VerificationApprove:
		return "Verification approved", web.Positive
	case journal.VerificationResubmt:
		return "Resubmission requested" + round(e), web.Attention
	case journal.VerificationDecline:
		return "Verification declined", web.Negative
	case journal.VerificationCancel:
		return "Verification canceled", web.Neutral
	case journal.CaseOpened:
		return "Case opened, due " + v.dueIn(e), web.Info
	case journal.CaseDecided:
		return "Case decided: " + decisionName(casework.Decision(e.Data["decision"])), decisionTone(casework.Decision(e.Data["decision"]))
	case journal.CaseOverdue:
		return "The case became overdue", web.Negative
	case journal.CaseWithdrawn:
		return "Case withdrawn", web.Neutral
	case journal.NoticeCreated:
		return "Notice written: " + noticeName(notice.Kind(e.Data["kind"])), web.Neutral
	case journal.NoticeAccepted:
		if e.Data["final"] == "true" {
			return "The recipient's mail server accepted the mail", web.Neutral
		}
		return "A mail relay took the mail", web.Neutral
	case journal.NoticeBounced:
		return "The mail bounced", web.Negative
	case journal.NoticeReceived:
		if e.Data["by"] == "internal_message" {
			return "Notice received: the Internal Message was opened", web.Positive
		}
		return "Notice received by mail", web.Positive
	case journal.MessageRead:
		return "Internal Message read", web.Neutral
	default:
		return otherSentence(e)
	}
}

func otherSentence(e journal.Entry) (string, web.Tone) {
	switch e.Type {
	case journal.PaymentHeld:
		return "Payment held for a person", web.Attention
	case journal.PaymentHeldApproved:
		return "Held payment approved", web.Positive
	case journal.PaymentHeldRejected:
		return "Held payment rejected", web.Negative
	case journal.PaymentOutcome:
		return "Reported of a payment: " + findingName(payment.FindingKind(e.Data["outcome"])), findingTone(payment.FindingKind(e.Data["outcome"]))
	case journal.TicketOpened:
		return "Support ticket opened", web.Info
	case journal.TicketClosed:
		return "Support ticket answered", web.Neutral
	case journal.EnforcementGrace:
		return "Grace began: nothing is suspended before the due date", web.Attention
	case journal.EnforcementCleared:
		return "Grace ended: nothing is suspended", web.Neutral
	case journal.EnforcementSuspend:
		return "The platform was told to suspend the account's resources", web.Negative
	case journal.EnforcementResume:
		return "The platform was told to resume the account's resources", web.Positive
	case journal.CommandAcknowledged:
		return "The platform acknowledged: " + e.Data["kind"], web.Neutral
	case journal.CommandSuperseded:
		return "The platform had seen a later command than: " + e.Data["kind"], web.Neutral
	case journal.HolderSignedIn:
		return "Account holder signed in", web.Neutral
	case journal.PortalSessionMinted:
		return "The platform opened the KYC Center for the holder", web.Neutral
	case journal.TenantCreated, journal.TenantUpdated, journal.KeyCreated, journal.KeyRevoked, journal.StaffInvited, journal.StaffJoined, journal.StaffAccessEnded, journal.StaffAccessRestored,
		journal.StaffSignedIn, journal.StaffSignInRefused, journal.WebhookEndpointMade, journal.WebhookEndpointGone,
		journal.WebhookEndpointOff, journal.ClockAdvanced, journal.PolicyDrafted, journal.PolicyEdited, journal.PolicyProposed, journal.PolicyApproved, journal.PolicyPublished,
		journal.PolicyRetired, journal.PolicyWithdrawn, journal.PolicyRolledBack, journal.ListCreated, journal.ListDeleted, journal.ListEntryAdded, journal.ListEntryRemoved:
		// These concern no account; they are named for completeness of the history of a tenant.
		return upperFirst(string(e.Type)), web.Neutral
	default:
		return upperFirst(string(e.Type)), web.Neutral
	}
}

// aboutVerification keeps the entries that a reader of one verification needs: its own and those of the account's standing.
func aboutVerification(entries []journal.Entry, verificationID string) []journal.Entry {
	var kept []journal.Entry
	for _, e := range entries {
		own := e.ObjectID == verificationID || e.Data["verification_id"] == verificationID
		if own && !echo(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

// echo reports whether an entry only repeats another of the same moment: review begins with its submission, and a final acceptance is
// the receipt that stands beside it. The whole history of the account shows both.
func echo(e journal.Entry) bool {
	return e.Type == journal.VerificationReview || e.Type == journal.NoticeAccepted && e.Data["final"] == "true"
}

// shownFirst is how many entries of a timeline are in sight; the others are folded away.
const shownFirst = 8

func (d *dossier) latest() []web.TimelineItem { return d.history[:min(len(d.history), shownFirst)] }
func (d *dossier) before() []web.TimelineItem { return d.history[min(len(d.history), shownFirst):] }

// historyOf returns the timeline of one verification, newest first, from the latest entries of its account, and those entries.
func (v *visit) historyOf(view verification.Verification, p people) ([]web.TimelineItem, []journal.Entry, error) {
	entries, _, err := v.s.Service.History(v.r.Context(), v.actor, view.AccountID, store.Page{Limit: store.MaxLimit})
	if err != nil {
		return nil, nil, err
	}
	return v.timeline(aboutVerification(entries, view.ID), p), entries, nil
}
