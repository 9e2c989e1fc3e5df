package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// showNewDraft offers the text of the live version, or of the one that the address names, to begin with.
func showNewDraft(v *visit) error {
	if err := v.actor.Require(access.DraftPolicies); err != nil {
		return err
	}
	begin := service.PolicyInForce{}
	var err error
	if from := v.r.URL.Query().Get("from"); from != "" {
		begin.Version, err = v.version(from)
	} else {
		begin, err = v.s.Service.LivePolicy(v.r.Context(), v.actor)
	}
	if err != nil {
		return err
	}
	return v.editor(http.StatusOK, editorView{Form: &form{values: map[string][]string{"text": {begin.Version.Text}}}})
}

// editor shows the text of a draft as it stands in the form.
func (v *visit) editor(status int, e editorView) error {
	e.Title, e.Back = "New draft", linkTo{"All versions", "/console/policy/versions"}
	if e.ID != "" {
		e.Title, e.Back = "Edit the draft", linkTo{"The draft", "/console/policy/versions/" + e.ID}
	}
	return v.show(status, e.Title, "/console/policy", editorPage(e))
}

func showEditor(v *visit) error {
	if err := v.actor.Require(access.DraftPolicies); err != nil {
		return err
	}
	ver, err := v.s.Service.PolicyVersion(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	if ver.State != publication.Draft {
		return v.leave("/console/policy/versions/"+ver.ID, "not_a_draft")
	}
	return v.editor(http.StatusOK, editorView{ID: ver.ID, Revision: ver.Revision, Form: &form{values: map[string][]string{"text": {ver.Text}, "note": {ver.Note}}}})
}

// saveNewDraft and saveDraft keep what was typed whatever is wrong with it.
func saveNewDraft(v *visit) error { return v.saveDraft("") }
func saveDraft(v *visit) error    { return v.saveDraft(v.r.PathValue("id")) }

func (v *visit) saveDraft(draftID string) error {
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	revision, err := revisionOf(f)
	if err != nil {
		return err
	}
	e := editorView{ID: draftID, Revision: revision, Form: f}
	f.refuseCardNumbers("text", "note")
	if len(f.errors) > 0 {
		return v.editor(http.StatusUnprocessableEntity, e)
	}
	text := strings.ReplaceAll(f.raw("text"), "\r\n", "\n")
	if f.text("step") == "check" {
		if err := v.s.Service.CheckPolicy(v.r.Context(), v.actor, text); err != nil {
			return v.refusedDraft(e, text, err)
		}
		e.Checked = "The policy is whole: it can be saved and proposed. Nothing was saved."
		return v.editor(http.StatusOK, e)
	}
	draft := service.PolicyDraft{Text: text, Note: f.text("note"), ExpectedRevision: revision}
	var saved publication.Version
	if draftID == "" {
		saved, err = v.s.Service.DraftPolicy(v.r.Context(), v.actor, draft)
	} else {
		saved, err = v.s.Service.EditPolicy(v.r.Context(), v.actor, draftID, draft)
	}
	if err != nil {
		return v.refusedDraft(e, text, err)
	}
	return v.leave("/console/policy/versions/"+saved.ID, "draft_saved")
}

// revisionOf reads which revision of a version a form is about; a new draft has none.
func revisionOf(f *form) (int64, error) {
	revision, err := strconv.ParseInt(f.text("revision"), 10, 64)
	if err != nil || revision < 0 {
		return 0, problem.New(problem.Malformed, "revision_missing", "the form does not say which revision it is about; open the page again")
	}
	return revision, nil
}

// refusedDraft shows the editor again with what is wrong: each fault with its place, or that somebody else was faster.
func (v *visit) refusedDraft(e editorView, text string, err error) error {
	if isConflict(err, "policy_changed") {
		current, loadError := v.s.Service.PolicyVersion(v.r.Context(), v.actor, e.ID)
		if loadError != nil {
			return loadError
		}
		e.Revision, e.Changed = current.Revision, true
		return v.editor(http.StatusConflict, e)
	}
	p := problem.As(err)
	if p == nil || problem.Is(err, problem.Forbidden) {
		return err
	}
	if len(p.Faults) > 0 {
		lines := linesOf(text)
		for _, fault := range p.Faults {
			e.Faults = append(e.Faults, faultLine{
				Place: placeOfFault(fault), Path: fault.Path, Message: fault.Message, Lines: listing(lines, fault.Line, fault.Column),
			})
		}
		e.Form.fail("text", "The policy has "+plural(len(p.Faults), "fault", "faults")+". Nothing was saved; your text is below.")
		return v.editor(http.StatusUnprocessableEntity, e)
	}
	if !e.Form.take(err, map[string]string{"policy_text": "text", "note": "note"}) {
		return err
	}
	return v.editor(statusOf(err), e)
}

func placeOfFault(f problem.Fault) string {
	switch {
	case f.Line == 0:
		return ""
	case f.Column == 0:
		return "Line " + strconv.Itoa(f.Line)
	default:
		return "Line " + strconv.Itoa(f.Line) + ", column " + strconv.Itoa(f.Column)
	}
}

// step makes one step of a version and shows its page again when the step is refused.
func (v *visit) step(f *form, flash string, rename map[string]string, do func() error) error {
	versionID := v.r.PathValue("id")
	err := do()
	switch {
	case err == nil:
		return v.leave("/console/policy/versions/"+versionID, flash)
	case problem.Is(err, problem.Conflict), problem.Is(err, problem.Invalid):
		f.take(err, rename)
		return v.versionBody(statusOf(err), f)
	case problem.Is(err, problem.Forbidden) && problem.As(err).Code == "second_person_required":
		f.fail("", sentenceCase(problem.As(err).Message))
		return v.versionBody(http.StatusForbidden, f)
	default:
		return err
	}
}

// change reads the form of a step.
func (v *visit) change() (*form, service.PolicyChange, error) {
	in := service.PolicyChange{ID: v.r.PathValue("id")}
	f, err := readForm(v.w, v.r)
	if err != nil {
		return nil, in, err
	}
	in.ExpectedRevision, err = revisionOf(f)
	return f, in, err
}

func proposeVersion(v *visit) error {
	f, in, err := v.change()
	if err != nil {
		return err
	}
	if in.EffectiveAt, err = v.localTime(f, "effective_at"); err != nil {
		f.fail("effective_at", "Write a date and a time, or leave it empty.")
		return v.versionBody(http.StatusUnprocessableEntity, f)
	}
	return v.step(f, "policy_proposed", map[string]string{"effective_at": "effective_at"}, func() error {
		_, err := v.s.Service.ProposePolicy(v.r.Context(), v.actor, in)
		return err
	})
}

func approveVersion(v *visit) error {
	f, in, err := v.change()
	if err != nil {
		return err
	}
	return v.step(f, "policy_approved", nil, func() error {
		_, err := v.s.Service.ApprovePolicy(v.r.Context(), v.actor, in)
		return err
	})
}

func withdrawVersion(v *visit) error {
	f, in, err := v.change()
	if err != nil {
		return err
	}
	return v.step(f, "policy_withdrawn", nil, func() error {
		_, err := v.s.Service.WithdrawPolicy(v.r.Context(), v.actor, in)
		return err
	})
}

func rollBack(v *visit) error {
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	f.refuseCardNumbers("reason")
	if f.text("reason") == "" {
		f.fail("reason", "Say why, for colleagues who ask later.")
	}
	if len(f.errors) > 0 {
		return v.versionBody(http.StatusUnprocessableEntity, f)
	}
	live, err := strconv.ParseInt(f.text("live"), 10, 64)
	if err != nil || live < 0 {
		return problem.New(problem.Malformed, "revision_missing", "the form does not say which version was live; open the page again")
	}
	in := service.PolicyRollback{ID: v.r.PathValue("id"), ExpectedLive: live, Reason: f.text("reason")}
	if in.ID == shippedID {
		in.ID = ""
	}
	return v.step(f, "policy_rolled_back", map[string]string{"reason": "reason"}, func() error {
		_, err := v.s.Service.RollBackPolicy(v.r.Context(), v.actor, in)
		return err
	})
}

// localTime reads an instant that was written in the tenant's zone; nothing is the zero time.
func (v *visit) localTime(f *form, field string) (time.Time, error) {
	text := f.text(field)
	if text == "" {
		return time.Time{}, nil
	}
	return time.ParseInLocation("2006-01-02T15:04", text, v.tenant.Zone())
}
