package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/id"
)

// shippedID stands in addresses for the policy that ships, which is number 0 of every tenant and has no record.
const shippedID = "shipped"

// trendDays is how many days of hits the policy's page shows.
const trendDays = 30

// may reports whether the reader may do a thing; the service asks again.
func (v *visit) may(p access.Permission) bool { return v.actor.Require(p) == nil }

// versionTitle names a version.
func versionTitle(ver publication.Version) string {
	if ver.Number == 0 {
		return "The policy that ships"
	}
	return "Version " + strconv.FormatInt(ver.Number, 10)
}

// versionURL is the page of a version; "" for the policy that ships.
func versionURL(ver publication.Version) string {
	if ver.ID == "" {
		return ""
	}
	return "/console/policy/versions/" + ver.ID
}

// who names somebody by their id alone: a member of staff or a key.
func (p people) who(actorID string) string {
	if id.Valid(id.APIKey, actorID) {
		return p.name(access.Key, actorID)
	}
	return p.name(access.Staff, actorID)
}

// proposed returns the versions that wait for a second person.
func (v *visit) proposed() ([]publication.Version, error) {
	waiting, _, err := v.s.Service.PolicyVersions(v.r.Context(), v.actor, publication.Proposed, store.Page{Limit: recent})
	return waiting, err
}

func showPolicy(v *visit) error {
	live, err := v.s.Service.LivePolicy(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	p, err := v.people()
	if err != nil {
		return err
	}
	waiting, err := v.proposed()
	if err != nil {
		return err
	}
	view := policyView{
		Title: versionTitle(live.Version), Name: live.Compiled.ID + " " + live.Compiled.Version, Description: live.Compiled.Description, Since: "It has no record: it came with the program",
		VersionURL: versionURL(live.Version), CanDraft: v.may(access.DraftPolicies),
		Combined: append(combinedOf(live.Compiled), budgetWords(live.Settings.Budget)...),
	}
	if !live.Version.LiveAt.IsZero() {
		view.Since = "Live since " + v.short(live.Version.LiveAt)
		view.By = ", written by " + p.who(live.Version.DraftedBy) + ", approved by " + p.who(live.Version.ApprovedBy)
	}
	for _, one := range waiting {
		view.Waiting = append(view.Waiting, versionLine{
			ID: one.ID, Title: versionTitle(one), Detail: "was proposed by " + p.who(one.ProposedBy) + " " + v.ago(one.ProposedAt) + " and waits for a second person",
		})
	}
	v.describe(&view, live.Compiled)
	if err := v.countHits(&view, live.Compiled); err != nil {
		return err
	}
	if view.Lists, err = v.listsAsked(live.Compiled); err != nil {
		return err
	}
	return v.show(http.StatusOK, "Policy", "/console/policy", policyPage(view))
}

// describe fills in what the policy itself says.
func (v *visit) describe(view *policyView, policy *risk.Policy) {
	for i := range policy.Rules {
		r := &policy.Rules[i]
		view.Rules = append(view.Rules, policyRule{
			Name: r.Name, Code: r.Code, Mode: string(r.Mode), Effect: effectOf(policy, r), When: strings.TrimSpace(r.When), Share: "–",
			Hits: spark{Counts: make([]int64, trendDays), What: "payments raised it", Quiet: r.Mode != risk.Active},
		})
	}
	for _, t := range policy.Thresholds {
		view.Thresholds = append(view.Thresholds, namedValue{Name: t.Name, Value: thresholdValue(policy, t), Meaning: t.Meaning})
	}
	for i := range policy.Aggregates {
		a := &policy.Aggregates[i]
		line := aggregateLine{Name: a.Name, Words: a.Meaning, Delay: aggregateWords(a)}
		if line.Words == "" {
			line.Words, line.Delay = line.Delay, ""
		}
		view.Aggregates = append(view.Aggregates, line)
	}
	if policy.Scorecard != nil {
		view.Scorecard = []web.Definition{
			{Term: "Model", Value: policy.Scorecard.Model.Name}, {Term: "Features", Value: strconv.Itoa(len(policy.Scorecard.Features))},
		}
	}
}

// versionStateOf says where a version stands, and since when.
func (v *visit) versionLine(ver publication.Version, p people) versionLine {
	line := versionLine{ID: ver.ID, Title: versionTitle(ver), Name: ver.PolicyID + " " + ver.PolicyVersion, Note: ver.Note, Share: -1}
	switch ver.State {
	case publication.Draft:
		line.State, line.Tone, line.Detail = "Draft", web.Neutral, "decides nothing"
	case publication.Proposed:
		line.State, line.Tone, line.Detail = "Proposed", web.Attention, "waits for a second person"
	case publication.Preparing:
		line.State, line.Tone = "Preparing", web.Info
		if ver.PreparedAt.IsZero() {
			line.Share, line.Progress = 0, "not begun yet"
			if ver.Total > 0 {
				line.Share, line.Progress = float64(ver.Done)/float64(ver.Total), grouped(ver.Done)+" of "+grouped(ver.Total)
			}
		} else {
			line.Detail = "ready; in force from " + v.short(ver.EffectiveAt)
		}
	case publication.Live:
		line.State, line.Tone, line.Detail = "Live", web.Positive, "since "+v.short(ver.LiveAt)
	case publication.Retired:
		line.State, line.Tone, line.Detail = "Retired", web.Neutral, v.short(ver.LiveAt)+" to "+v.short(ver.RetiredAt)
	case publication.Withdrawn:
		line.State, line.Tone = "Withdrawn", web.Neutral
	default:
		line.State, line.Tone = upperFirst(string(ver.State)), web.Neutral
	}
	line.Who = append(line.Who, "Written by "+p.who(ver.DraftedBy))
	if ver.ProposedBy != "" {
		line.Who = append(line.Who, "Proposed by "+p.who(ver.ProposedBy))
	}
	if ver.ApprovedBy != "" {
		line.Who = append(line.Who, "Approved by "+p.who(ver.ApprovedBy))
	}
	return line
}

func showVersions(v *visit) error {
	versions, next, err := v.s.Service.PolicyVersions(v.r.Context(), v.actor, "", v.page(store.DefaultLimit))
	if err != nil {
		return err
	}
	live, err := v.s.Service.LivePolicy(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	p, err := v.people()
	if err != nil {
		return err
	}
	var lines []versionLine
	for _, ver := range versions {
		lines = append(lines, v.versionLine(ver, p))
	}
	waiting, err := v.proposed()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "Versions", "/console/policy", versionsPage(v, versionsView{
		lines: lines, shippedLive: live.Version.Number == 0, canDraft: v.may(access.DraftPolicies), waiting: len(waiting), next: next,
	}))
}

// showVersion shows one version; the one that ships has a page too, so that it can be read and rolled back to.
func showVersion(v *visit) error {
	return v.versionBody(http.StatusOK, &form{})
}

// named returns the version that the address names, and the live one.
func (v *visit) named() (ver publication.Version, live service.PolicyInForce, err error) {
	if live, err = v.s.Service.LivePolicy(v.r.Context(), v.actor); err != nil {
		return ver, live, err
	}
	ver, err = v.version(v.r.PathValue("id"))
	if ver.Number == 0 && live.Version.Number != 0 {
		ver.State = publication.Retired
	}
	return ver, live, err
}

// version returns one version, or the policy that ships.
func (v *visit) version(versionID string) (publication.Version, error) {
	if versionID != shippedID {
		return v.s.Service.PolicyVersion(v.r.Context(), v.actor, versionID)
	}
	diff, err := v.s.Service.ComparePolicies(v.r.Context(), v.actor, "", "")
	return diff.To, err
}

func (v *visit) versionBody(status int, f *form) error {
	ver, live, err := v.named()
	if err != nil {
		return err
	}
	p, err := v.people()
	if err != nil {
		return err
	}
	isLive := ver.Number == live.Version.Number
	page := versionPage{Line: v.versionLine(ver, p), Revision: ver.Revision, Text: linesOf(ver.Text), Facts: v.versionFacts(ver, p), Form: f}
	if ver.Number == 0 {
		page.Line.ID, page.Line.Who = shippedID, nil
		page.Line.Detail = ""
	}
	if !isLive {
		page.LiveURL, page.LiveName = "/console/policy/versions/"+page.Line.ID+"/diff", "the live version"
	}
	page.LiveNumber = live.Version.Number
	page.Alone, page.CanDraft = live.Settings.OnePerson, v.may(access.DraftPolicies)
	drafts, publishes := v.may(access.DraftPolicies), v.may(access.PublishPolicies)
	switch ver.State {
	case publication.Draft:
		page.CanEdit, page.CanPropose, page.CanWithdraw = drafts, publishes, drafts
	case publication.Proposed:
		page.CanWithdraw = publishes
		v.mayApprove(&page, ver, live.Settings.OnePerson)
	case publication.Preparing:
		page.CanWithdraw = publishes
	case publication.Retired:
		page.CanReturn = publishes && (ver.Number == 0 || ver.ID == live.BeforeID)
	case publication.Live, publication.Withdrawn:
	default:
	}
	return v.show(status, page.Line.Title, "/console/policy", versionBody(page))
}

// mayApprove says whether the reader can be the second person, or why not.
func (v *visit) mayApprove(page *versionPage, ver publication.Version, onePerson bool) {
	switch {
	case !v.may(access.PublishPolicies):
		page.WhyNot = "An analyst or an administrator who neither wrote nor proposed this version approves it."
	case onePerson:
		page.CanApprove = true
	case slices.Contains(ver.Editors, v.actor.ID) && ver.ProposedBy == v.actor.ID:
		page.WhyNot = "You wrote and proposed this version, so a colleague has to approve it: an analyst or an administrator."
	case slices.Contains(ver.Editors, v.actor.ID):
		page.WhyNot = "You wrote this version, so a colleague has to approve it: an analyst or an administrator who did not propose it."
	case ver.ProposedBy == v.actor.ID:
		page.WhyNot = "You proposed this version, so a colleague has to approve it: an analyst or an administrator who did not write it."
	default:
		page.CanApprove = true
	}
}

func (v *visit) versionFacts(ver publication.Version, p people) []web.Definition {
	facts := []web.Definition{{Term: "Named", Value: ver.PolicyID + " " + ver.PolicyVersion}}
	add := func(term, actorID string, at time.Time) {
		if actorID != "" {
			facts = append(facts, web.Definition{Term: term, Value: p.who(actorID) + v.after(", ", at)})
		}
	}
	add("Written", ver.DraftedBy, ver.CreatedAt)
	add("Proposed", ver.ProposedBy, ver.ProposedAt)
	add("Approved", ver.ApprovedBy, ver.ApprovedAt)
	if !ver.EffectiveAt.IsZero() {
		from := v.short(ver.EffectiveAt)
		if !ver.EffectiveAt.After(ver.ProposedAt) {
			from = "as soon as it is ready"
		}
		facts = append(facts, web.Definition{Term: "In force from", Value: from})
	}
	if !ver.LiveAt.IsZero() {
		facts = append(facts, web.Definition{Term: "Live since", Value: v.short(ver.LiveAt)})
	}
	if !ver.RetiredAt.IsZero() {
		facts = append(facts, web.Definition{Term: "Live until", Value: v.short(ver.RetiredAt)})
	}
	if ver.RollbackReason != "" {
		facts = append(facts, web.Definition{Term: "Rolled back", Value: ver.RollbackReason})
	}
	return append(facts, web.Definition{Term: "SHA-256", Body: monoText(ver.Digest)})
}

// after writes an instant behind a separator, or nothing.
func (v *visit) after(separator string, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return separator + v.short(at)
}

// showDiff shows what changed between two versions: against the live one, unless the address names another.
func showDiff(v *visit) error {
	ver, live, err := v.named()
	if err != nil {
		return err
	}
	from := v.r.URL.Query().Get("with")
	if from == "" {
		from = live.Version.ID
	}
	if from == shippedID {
		from = ""
	}
	diff, err := v.s.Service.ComparePolicies(v.r.Context(), v.actor, from, ver.ID)
	if err != nil {
		return err
	}
	p, err := v.people()
	if err != nil {
		return err
	}
	view := diffView{From: v.versionLine(diff.From, p), To: v.versionLine(diff.To, p), NothingNew: diff.Text == ""}
	if view.To.ID == "" {
		view.To.ID = shippedID
	}
	view.Lines, view.Added, view.Removed = diffOf(diff.Text)
	for _, change := range diff.Changes {
		view.Summary = append(view.Summary, shorten(change.String(), 240))
	}
	if view.Choices, err = v.versionChoices(from, ver.ID); err != nil {
		return err
	}
	return v.show(http.StatusOK, "What changed", "/console/policy", diffPage(view))
}

// versionChoices lists the versions to compare with or to try, newest first; leave is not among them.
func (v *visit) versionChoices(chosen, leave string) ([]web.Option, error) {
	versions, _, err := v.s.Service.PolicyVersions(v.r.Context(), v.actor, "", store.Page{Limit: store.MaxLimit})
	if err != nil {
		return nil, err
	}
	var options []web.Option
	for _, ver := range versions {
		if ver.ID != leave {
			options = append(options, web.Option{Value: ver.ID, Label: versionTitle(ver) + ", " + string(ver.State), Selected: ver.ID == chosen})
		}
	}
	if leave != "" {
		options = append(options, web.Option{Value: shippedID, Label: "The policy that ships", Selected: chosen == ""})
	}
	return options, nil
}
