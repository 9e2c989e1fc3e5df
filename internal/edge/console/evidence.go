package console

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// The bounds of an upload: 20 MB of attachment, and room for the form around it. All of it is held in memory; nothing spills to disk.
const (
	maxUpload     = 21 << 20
	maxAttachment = 20 << 20
	maxUploadText = 200
)

// showAttachment answers with the bytes of a piece of evidence, for the viewer of our own pages. Each look is journalled.
func showAttachment(v *visit) error {
	e, raw, err := v.s.Service.Attachment(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	web.AttachmentHeaders(v.w, e.MediaType, string(e.Requirement)+"-"+string(e.Side)+extension(e.MediaType))
	if e.MediaType != mediaPDF {
		// A picture needs nothing at all, opened by itself it gets an origin of its own. Chromium's PDF viewer does not start in a sandbox.
		v.w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox")
	}
	// A reader that went away is no concern of ours.
	_, _ = v.w.Write(raw)
	return nil
}

const mediaPDF = "application/pdf"

func extension(mediaType string) string {
	switch mediaType {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case mediaPDF:
		return ".pdf"
	default:
		return ""
	}
}

// uploadForm is the form that adds evidence.
type uploadForm struct {
	form
	view service.VerificationView
	file []byte
}

func showAddEvidence(v *visit) error {
	view, err := v.s.Service.Verification(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	f := &uploadForm{view: view, form: form{values: map[string][]string{"requirement": {v.r.URL.Query().Get("requirement")}}}}
	return v.show(http.StatusOK, "Add evidence", "", addEvidencePage(v, f))
}

// addEvidence adds what came by ticket or mail, on the holder's behalf.
func addEvidence(v *visit) error {
	view, err := v.s.Service.Verification(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	f := &uploadForm{view: view, form: form{values: map[string][]string{}}}
	err = f.read(v.w, v.r)
	if err == nil && len(f.errors) == 0 {
		err = v.sendEvidence(f)
	}
	if err != nil && !f.take(err, map[string]string{"file": "file", "requirement": "requirement", "document_type": "document_type", "side": "side"}) {
		return err
	}
	if len(f.errors) > 0 {
		return v.show(statusOf(err), "Add evidence", "", addEvidencePage(v, f))
	}
	if view.Verification.Status == verification.InReview {
		return v.leave("/console/cases/"+view.Case.ID, "evidence")
	}
	return v.leave("/console/verifications/"+view.Verification.ID, "evidence")
}

func (v *visit) sendEvidence(f *uploadForm) error {
	if len(f.file) == 0 {
		return problem.Field("file", "required", "choose a photo or a PDF")
	}
	up := service.EvidenceUpload{
		VerificationID: f.view.Verification.ID, Requirement: verification.RequirementKind(f.text("requirement")),
		Side: verification.Side(f.text("side")), Raw: f.file,
	}
	if up.Requirement == verification.GovernmentID {
		up.DocumentType = verification.DocumentType(f.text("document_type"))
	}
	_, err := v.s.Service.SendEvidence(v.r.Context(), v.actor, up)
	return err
}

// read takes the parts of a multipart form one after another, each bounded.
func (f *uploadForm) read(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	parts, err := r.MultipartReader()
	if err != nil {
		return problem.New(problem.Malformed, "form_malformed", "the form could not be read; go back and send it again")
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return withFile(bodyProblem(err))
		}
		if err := f.readPart(part); err != nil {
			return err
		}
	}
}

func (f *uploadForm) readPart(part *multipart.Part) error {
	name := part.FormName()
	limit := int64(maxUploadText)
	switch name {
	case "file":
		limit = maxAttachment
	case "requirement", "document_type", "side":
	default:
		return problem.New(problem.Malformed, "form_malformed", "the form holds a field that is not expected here")
	}
	if len(f.values[name]) > 0 || (name == "file" && f.file != nil) {
		return problem.New(problem.Malformed, "form_malformed", "the form holds a field twice; send one attachment at a time")
	}
	content, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return withFile(bodyProblem(err))
	}
	if int64(len(content)) > limit {
		return &problem.Problem{Kind: problem.TooLarge, Code: "body_too_large", Field: name, Message: "this is larger than 20 MB; send a smaller one"}
	}
	if name == "file" {
		f.file = content
		return nil
	}
	f.values[name] = []string{strings.TrimSpace(string(content))}
	return nil
}

// withFile blames the attachment for a body that could not be read.
func withFile(err error) error {
	if p := problem.As(err); p != nil {
		return &problem.Problem{Kind: p.Kind, Code: p.Code, Field: "file", Message: p.Message}
	}
	return err
}

// submitForHolder hands over what staff added, when the holder could not.
func submitForHolder(v *visit) error {
	view, err := v.s.Service.Submit(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.leave("/console/cases/"+view.Case.ID, "submitted")
}
