package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/service"
)

// maxPolicyBody bounds a request with a policy's text, whose limit is 1 MiB before JSON escapes it.
const maxPolicyBody = 3 << 20

// Policy is one version of the tenant's payment policy, without its text.
type Policy struct {
	ID            *string        `json:"id" doc:"Our id of the version; null for number 0." example:"pol_01jc0000000000000000000000"`
	Number        int64          `json:"number" doc:"1, 2, 3 … in the order of drafting; 0 is the policy that ships." example:"3"`
	State         string         `json:"state" enum:"draft,proposed,preparing,live,retired,withdrawn" doc:"preparing: approved, and waiting for its aggregates or its effective instant." example:"live"`
	Revision      int64          `json:"revision" doc:"Of the record. Send it as expected_revision, so that a change is about what you saw." example:"2"`
	Policy        string         `json:"policy" doc:"policy in the text; payments name it." example:"default"`
	PolicyVersion string         `json:"policy_version" doc:"version in the text; payments name it." example:"2026-11-20"`
	SHA256        string         `json:"sha256" doc:"Of the text." example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`
	Note          *string        `json:"note" doc:"Why it was made." example:"fewer false alarms on travel"`
	DraftedBy     *string        `json:"drafted_by" doc:"Who wrote the text that stands." example:"key_01jc0000000000000000000000"`
	ProposedBy    *string        `json:"proposed_by" doc:"Who asked for it to be published." example:"stf_01jc0000000000000000000000"`
	ApprovedBy    *string        `json:"approved_by" doc:"The second person." example:"stf_01jc0000000000000000000001"`
	CreatedAt     *time.Time     `json:"created_at" doc:"When it was drafted." example:"2026-11-09T10:00:00Z"`
	EffectiveAt   *time.Time     `json:"effective_at" doc:"Decides from this instant on, or from when it is prepared, whichever is later." example:"2026-11-10T00:00:00Z"`
	LiveAt        *time.Time     `json:"live_at" doc:"When it last began to decide." example:"2026-11-10T00:00:00Z"`
	RetiredAt     *time.Time     `json:"retired_at" doc:"When it last ceased to." example:"2026-11-12T00:00:00Z"`
	Preparation   *PreparedSoFar `json:"preparation" doc:"How far its aggregates are filled from history; null unless it is preparing."`
}

// PreparedSoFar is how far the aggregates of a version are filled from history.
type PreparedSoFar struct {
	Done     int64 `json:"done" doc:"Steps that are made." example:"120000"`
	Total    int64 `json:"total" doc:"Steps in all, as far as is known." example:"400000"`
	Complete bool  `json:"complete" doc:"Whether it waits for its effective instant only." example:"false"`
}

// PolicyWithText is a version with its text.
type PolicyWithText struct {
	Policy
	PolicyText string `json:"policy_text" doc:"The YAML as it was written." example:"policy: default"`
}

// NewPolicy is a policy to be drafted.
type NewPolicy struct {
	PolicyText string `json:"policy_text" doc:"YAML; see the guide on payment policies. It is refused when it does not compile, and errors tells each place." example:"policy: default"`
	Note       string `json:"note,omitempty" maxLength:"2000" doc:"Why, for colleagues." example:"fewer false alarms on travel"`
}

// PolicyEdit replaces a draft.
type PolicyEdit struct {
	NewPolicy
	ExpectedRevision int64 `json:"expected_revision,omitempty" minimum:"1" doc:"The revision you saw; 409 when another stands." example:"1"`
}

// PolicyText is a text to be checked.
type PolicyText struct {
	PolicyText string `json:"policy_text" doc:"YAML." example:"policy: default"`
}

// PolicyCheck says that a text compiles.
type PolicyCheck struct {
	Valid bool `json:"valid" doc:"Always true: a text that does not compile is refused with policy_faulty." example:"true"`
}

// PolicyChange is one difference between two versions.
type PolicyChange struct {
	Sort     string  `json:"sort" enum:"added,changed,removed" doc:"What happened." example:"changed"`
	Part     string  `json:"part" doc:"policy, combination, threshold, aggregate, list, rule …" example:"rule"`
	Name     *string `json:"name" doc:"Which one: a rule by its reason code, others by their name." example:"new_location"`
	Property *string `json:"property" doc:"What of it changed." example:"mode"`
	From     *string `json:"from" doc:"As it was." example:"active"`
	To       *string `json:"to" doc:"As it is." example:"shadow"`
}

// PolicyDiff says how one version differs from another.
type PolicyDiff struct {
	From    int64          `json:"from" doc:"Number of the one version." example:"2"`
	To      int64          `json:"to" doc:"Number of the other." example:"3"`
	Changes []PolicyChange `json:"changes" doc:"By meaning."`
	Text    string         `json:"text" doc:"Line by line, in the unified form." example:"@@ -1,1 +1,1 @@"`
}

func policyOf(v publication.Version) Policy {
	out := Policy{
		ID: orNull(v.ID), Number: v.Number, State: string(v.State), Revision: v.Revision, Policy: v.PolicyID, PolicyVersion: v.PolicyVersion, SHA256: v.Digest,
		Note: orNull(v.Note), DraftedBy: orNull(v.DraftedBy), ProposedBy: orNull(v.ProposedBy), ApprovedBy: orNull(v.ApprovedBy), CreatedAt: instant(v.CreatedAt),
		EffectiveAt: instant(v.EffectiveAt), LiveAt: instant(v.LiveAt), RetiredAt: instant(v.RetiredAt),
	}
	if v.State == publication.Preparing {
		out.Preparation = &PreparedSoFar{Done: v.Done, Total: v.Total, Complete: !v.PreparedAt.IsZero()}
	}
	return out
}

func policyWithText(v publication.Version) PolicyWithText {
	return PolicyWithText{Policy: policyOf(v), PolicyText: v.Text}
}

func policyDiff(d service.PolicyDiff) PolicyDiff {
	out := PolicyDiff{From: d.From.Number, To: d.To.Number, Changes: []PolicyChange{}, Text: d.Text}
	for _, c := range d.Changes {
		out.Changes = append(out.Changes, PolicyChange{
			Sort: string(c.Sort), Part: c.Part, Name: orNull(c.Name), Property: orNull(c.Property), From: orNull(c.From), To: orNull(c.To),
		})
	}
	return out
}

// PolicyPath is the path of one version.
type PolicyPath struct {
	ID string `path:"id" doc:"The version." example:"pol_01jc0000000000000000000000"`
}

func (e *edge) registerPolicies() {
	register(e, operation{
		id: "list-policies", method: http.MethodGet, path: "/v1/policies", tag: tagPolicies, status: http.StatusOK,
		summary: "List the versions of the policy", description: "Newest first, without their texts.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		Paging
		State string `query:"state" enum:"draft,proposed,preparing,live,retired,withdrawn" doc:"Only those that stand here." example:"proposed"`
	}) (list[Policy], error) {
		found, next, err := e.Service.PolicyVersions(ctx, actor, publication.State(in.State), in.page())
		return listOf(found, next, policyOf), err
	})
	register(e, operation{
		id: "get-live-policy", method: http.MethodGet, path: "/v1/policies/live", tag: tagPolicies, status: http.StatusOK,
		summary: "Get the policy that decides now", description: "With its text: the best one to begin an own version with.",
	}, func(ctx context.Context, actor access.Actor, _ *struct{}) (PolicyWithText, error) {
		live, err := e.Service.LivePolicy(ctx, actor)
		return policyWithText(live.Version), err
	})
	register(e, operation{
		id: "get-policy", method: http.MethodGet, path: "/v1/policies/{id}", tag: tagPolicies, status: http.StatusOK,
		summary: "Get one version with its text", description: "Whatever state it is in.",
	}, func(ctx context.Context, actor access.Actor, in *PolicyPath) (PolicyWithText, error) {
		v, err := e.Service.PolicyVersion(ctx, actor, in.ID)
		return policyWithText(v), err
	})
	register(e, operation{
		id: "diff-policies", method: http.MethodGet, path: "/v1/policies/{id}/diff", tag: tagPolicies, status: http.StatusOK,
		summary: "Compare two versions", description: "By meaning and line by line.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		PolicyPath
		From string `query:"from" maxLength:"100" doc:"The version to compare with; without it, the policy that ships." example:"pol_01jc0000000000000000000001"`
	}) (PolicyDiff, error) {
		diff, err := e.Service.ComparePolicies(ctx, actor, in.From, in.ID)
		return policyDiff(diff), err
	})
	e.registerPolicyDrafts()
}

func (e *edge) registerPolicyDrafts() {
	register(e, operation{
		id: "check-policy", method: http.MethodPost, path: "/v1/policies/check", tag: tagPolicies, status: http.StatusOK, route: route{maxBody: maxPolicyBody, reads: true},
		summary: "Check a policy's text", description: "Compiles it and stores nothing. What is wrong with it is told with line and column.",
	}, func(ctx context.Context, actor access.Actor, in *struct{ Body PolicyText }) (PolicyCheck, error) {
		err := e.Service.CheckPolicy(ctx, actor, in.Body.PolicyText)
		return PolicyCheck{Valid: err == nil}, err
	})
	register(e, operation{
		id: "draft-policy", method: http.MethodPost, path: "/v1/policies", tag: tagPolicies, status: http.StatusCreated, route: route{maxBody: maxPolicyBody, compiles: true},
		summary: "Draft a policy",
		description: "A draft decides nothing. A key may draft and never publish: a person of the risk team proposes the draft in the console, and a second one approves it. " +
			"Give each text that is to be published a version of its own: payments name it.",
	}, func(ctx context.Context, actor access.Actor, in *struct{ Body NewPolicy }) (PolicyWithText, error) {
		v, err := e.Service.DraftPolicy(ctx, actor, service.PolicyDraft{Text: in.Body.PolicyText, Note: in.Body.Note})
		return policyWithText(v), err
	})
	register(e, operation{
		id: "edit-policy", method: http.MethodPut, path: "/v1/policies/{id}", tag: tagPolicies, status: http.StatusOK, route: route{maxBody: maxPolicyBody},
		summary: "Replace a draft", description: "Only a draft can be edited; a version that was proposed stands as it is.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		PolicyPath
		Body PolicyEdit
	}) (PolicyWithText, error) {
		v, err := e.Service.EditPolicy(ctx, actor, in.ID, service.PolicyDraft{
			Text: in.Body.PolicyText, Note: in.Body.Note, ExpectedRevision: in.Body.ExpectedRevision,
		})
		return policyWithText(v), err
	})
	register(e, operation{
		id: "withdraw-policy", method: http.MethodPost, path: "/v1/policies/{id}/withdraw", tag: tagPolicies, status: http.StatusOK,
		summary: "Withdraw a draft", description: "A key may withdraw a draft only; what was proposed, a person withdraws.",
	}, func(ctx context.Context, actor access.Actor, in *PolicyPath) (Policy, error) {
		v, err := e.Service.WithdrawPolicy(ctx, actor, service.PolicyChange{ID: in.ID})
		return policyOf(v), err
	})
}

// compileFirst compiles the text that a draft brings, so that the transaction which stores it finds it compiled. A body that is no draft is left to
// who reads it.
func (e *edge) compileFirst(ctx context.Context, known *request) error {
	var in struct {
		PolicyText string `json:"policy_text"`
	}
	if err := json.Unmarshal(known.body, &in); err != nil || in.PolicyText == "" {
		return nil
	}
	return e.Service.CheckPolicy(ctx, known.actor, in.PolicyText)
}
