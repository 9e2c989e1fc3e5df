package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
)

// Evidence is one attachment for one requirement. Its bytes are sealed in the vault and not answered here.
type Evidence struct {
	ID             string    `json:"id" doc:"Our id of the evidence." example:"evi_01jc0000000000000000000000"`
	VerificationID string    `json:"verification_id" doc:"The verification it belongs to." example:"ver_01jc0000000000000000000000"`
	Requirement    string    `json:"requirement" enum:"government_id,payment_method,billing_statement" doc:"What it was sent for." example:"government_id"`
	DocumentType   *string   `json:"document_type" doc:"For government_id only: passport, driving_licence, id_card or business_licence." example:"passport"`
	Side           string    `json:"side" enum:"front,back" doc:"The side that it shows." example:"front"`
	MediaType      string    `json:"media_type" enum:"image/jpeg,image/png,application/pdf" doc:"What was stored: pictures are decoded and written again without metadata." example:"image/png"`
	SizeBytes      int64     `json:"size_bytes" doc:"Of what was stored, before sealing." example:"184320"`
	Width          *int      `json:"width" doc:"In pixels; null for a PDF." example:"1200"`
	Height         *int      `json:"height" doc:"In pixels; null for a PDF." example:"757"`
	Pages          *int      `json:"pages" doc:"1 for a picture; of a PDF, null when they cannot be counted." example:"1"`
	Findings       []Finding `json:"findings" doc:"What the sender should know before submitting. None of it blocks submission."`
	CreatedAt      time.Time `json:"created_at" doc:"When it was received." example:"2026-11-09T10:30:00Z"`
}

// Finding is something that may be wrong with evidence.
type Finding struct {
	Code    string `json:"code" doc:"Stable." example:"image.too_small"`
	Message string `json:"message" doc:"What is wrong and what to do." example:"the picture is very small; take a photo that fills the frame"`
}

func evidenceOf(e verification.Evidence) Evidence {
	out := Evidence{
		ID: e.ID, VerificationID: e.VerificationID, Requirement: string(e.Requirement), DocumentType: orNull(string(e.DocumentType)), Side: string(e.Side),
		MediaType: e.MediaType, SizeBytes: e.Size, Width: orNull(e.Width), Height: orNull(e.Height), Pages: orNull(e.Pages), Findings: []Finding{},
		CreatedAt: e.CreatedAt,
	}
	for _, finding := range e.Findings {
		out.Findings = append(out.Findings, Finding{Code: finding.Code, Message: finding.Message})
	}
	return out
}

func (e *edge) registerEvidence() {
	register(e, operation{
		id: "send-evidence", method: http.MethodPost, path: "/v1/verifications/{id}/evidence", tag: tagVerifications, status: http.StatusCreated,
		summary: "Send evidence",
		description: "One attachment for one requirement, as a form: JPEG, PNG, WebP or PDF by its content, whatever its name says; at most 20 MiB, 60 megapixels and 30 pages. " +
			"It is decoded, cleaned of metadata and sealed before anything is written. A requirement holds ten at most.",
		route: route{multipart: true, maxBody: maxMultipart},
	}, func(ctx context.Context, actor access.Actor, in *VerificationPath) (Evidence, error) {
		return e.sendEvidence(ctx, actor, in.ID)
	})
	// Told afterwards: huma would read a body that it knows of, and this one was read already.
	e.huma.OpenAPI().Paths["/v1/verifications/{id}/evidence"].Post.RequestBody = evidenceForm()
	register(e, operation{
		id: "list-evidence", method: http.MethodGet, path: "/v1/verifications/{id}/evidence", tag: tagVerifications, status: http.StatusOK,
		summary: "List the evidence of a verification", description: "What counts, oldest first, in one page.",
	}, func(ctx context.Context, actor access.Actor, in *VerificationPath) (list[Evidence], error) {
		view, err := e.Service.Verification(ctx, actor, in.ID)
		return listOf(view.Evidence, "", evidenceOf), err
	})
}

// sendEvidence looks its idempotency key up itself: decoding and sealing an attachment takes seconds, which no transaction may last.
func (e *edge) sendEvidence(ctx context.Context, actor access.Actor, verificationID string) (Evidence, error) {
	known := requestOf(ctx)
	up := service.EvidenceUpload{
		VerificationID: verificationID, Requirement: verification.RequirementKind(known.form.requirement),
		DocumentType: verification.DocumentType(known.form.documentType), Side: verification.Side(known.form.side), Raw: known.form.raw,
	}
	if known.repeat.Key == "" {
		sent, err := e.Service.SendEvidence(ctx, actor, up)
		return evidenceOf(sent), err
	}
	var out Evidence
	stored, err := e.Service.SendEvidenceOnce(ctx, actor, known.repeat, up, func(sent verification.Evidence) (service.StoredAnswer, error) {
		var body bytes.Buffer
		err := encode(&body, evidenceOf(sent))
		return service.StoredAnswer{Status: http.StatusCreated, Body: body.Bytes()}, err
	})
	if err != nil {
		return out, err
	}
	known.replayed = stored.Replayed
	return out, json.Unmarshal(stored.Body, &out)
}

// evidenceForm describes the form, which huma does not parse.
func evidenceForm() *huma.RequestBody {
	text := func(description, example string, words ...any) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: description, Enum: words, Examples: []any{example}}
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"requirement", "file"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"requirement": text("What it is sent for.", "government_id", "government_id", "payment_method", "billing_statement"),
			"document_type": text("For government_id only, and needed there; business_licence from enterprises only.", "passport",
				"passport", "driving_licence", "id_card", "business_licence"),
			"side": text("The side that it shows; front without it.", "front", "front", "back"),
			"file": {Type: huma.TypeString, Format: "binary", Description: "The attachment. Its name is not kept."},
		},
	}}}}
}
