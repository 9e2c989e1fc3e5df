package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// Version is the version of the contract in /openapi.json: its first number changes when a client may break.
const Version = "1.0.0"

const securityScheme = "api_key"

// The tags that group the calls in the document.
const (
	tagAccounts      = "Accounts"
	tagPayments      = "Payments"
	tagVerifications = "Verifications"
	tagPolicies      = "Policies"
	tagLists         = "Lists"
	tagCases         = "Cases"
	tagTickets       = "Tickets"
	tagEvents        = "Events"
	tagDemo          = "Demo"
)

func humaConfig() huma.Config {
	c := huma.DefaultConfig("Probity", Version)
	// Nothing is fetched from elsewhere, no link headers and no $schema members are added, and the document is served by serveDocument.
	c.DocsPath, c.SchemasPath, c.OpenAPIPath, c.CreateHooks = "", "", "", nil
	c.Formats, c.DefaultFormat = formats(), "application/json"
	c.Info.Description = "The API of a Probity installation: decide payments, verify the people behind the suspicious ones, review what they submit, and follow it all as events. " +
		"Times are RFC 3339 in UTC, money is in minor units, identifiers are opaque. What is absent is null. Lists are {items, next_cursor}. " +
		"Every refusal is a problem (RFC 9457) with a stable code and the field to blame, and never repeats a value. Unknown fields and parameters are refused."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Servers = []*huma.Server{{URL: "/", Description: "This installation."}}
	c.Tags = []*huma.Tag{
		{Name: tagAccounts, Description: "Account holders, their payment methods, Internal Messages and portal sessions."},
		{Name: tagPayments, Description: "Decisions on payments."},
		{Name: tagPolicies, Description: "What decides payments: versions of the policy, drafts, differences."},
		{Name: tagLists, Description: "Named values that the policy asks for."},
		{Name: tagVerifications, Description: "Requirements, evidence, submission and outcome."},
		{Name: tagCases, Description: "Reviews of submissions, for the platform's back office."},
		{Name: tagTickets, Description: "What holders tell support."},
		{Name: tagEvents, Description: "The journal as events, and webhooks."},
		{Name: tagDemo, Description: "The clock that can be moved; in a demo only."},
	}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{securityScheme: {
		Type: "http", Scheme: "bearer", Description: "An API key, made with `probity key create`. It begins with pk_live_.",
	}}
	return c
}

func idempotencyParameter() *huma.Param {
	limit := 255
	return &huma.Param{
		Name: headerIdempotencyKey, In: "header", Example: "4f1c2c9e-6f3d-4d0e-9a41-0b7a5d1f0c55",
		Description: "Makes the request repeatable: the same key with the same body gives the stored answer (with Idempotency-Replayed: true), with another body 422, and while the first " +
			"is being worked on 409. Kept for a day, for payments 30 days. A refused request leaves nothing behind.",
		Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &limit},
	}
}

// errorsOf lists the statuses with which an operation may refuse.
func errorsOf(op *operation, hasBody bool) []int {
	out := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	if hasBody || op.method == http.MethodPost {
		out = append(out, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	return out
}

// objectsOrNull are the members that are an object or null. Huma cannot say so: its null is for scalars only.
var objectsOrNull = map[string][]string{
	"Payment":      {"location", "device", "error", "next_step"},
	"Policy":       {"preparation"},
	"Explanation":  {"score"},
	"Account":      {"address"},
	"AccountPatch": {"address"},
}

// openAPIDocument writes the contract. It is made of program constants alone, so that an error is one of the program.
func openAPIDocument(api *huma.OpenAPI) []byte {
	raw, err := json.Marshal(api)
	var document map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &document)
	}
	if err != nil {
		panic("api: the OpenAPI document cannot be written: " + err.Error())
	}
	schemas := child(child(document, "components"), "schemas")
	for name, members := range objectsOrNull {
		properties := child(child(schemas, name), "properties")
		for _, member := range members {
			property := child(properties, member)
			property["anyOf"] = []any{map[string]any{"$ref": property["$ref"]}, map[string]any{"type": "null"}}
			delete(property, "$ref")
		}
	}
	if raw, err = json.MarshalIndent(document, "", "  "); err != nil {
		panic("api: the OpenAPI document cannot be written: " + err.Error())
	}
	return append(raw, '\n')
}

func child(parent map[string]any, name string) map[string]any {
	found, ok := parent[name].(map[string]any)
	if !ok {
		panic("api: the OpenAPI document has no " + name)
	}
	return found
}

// serveDocument answers GET /openapi.json. The document is the same for everyone and holds nothing secret.
func (e *edge) serveDocument(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256(e.document)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(e.document) // into memory
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// bodyOf reports whether an input has a body.
func bodyOf[I any]() bool {
	_, found := reflect.TypeFor[I]().FieldByName("Body")
	return found
}

// streamOperation is a call that takes lines and answers lines.
type streamOperation struct {
	id, path, summary, description, tag string
	stream                              streaming
}

// registerStream mounts a call of lines, and describes it: huma serves only what it has in memory.
func registerStream[In, Out any](e *edge, op streamOperation) {
	api := e.huma.OpenAPI()
	lines := func(schema *huma.Schema) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{ndjsonType: {Schema: schema}}
	}
	described := &huma.Operation{
		OperationID: op.id, Method: http.MethodPost, Path: op.path, Summary: op.summary, Description: op.description, Tags: []string{op.tag},
		Security: []map[string][]string{{securityScheme: {}}},
		RequestBody: &huma.RequestBody{
			Required: true, Description: "One JSON object a line.", Content: lines(api.Components.Schemas.Schema(typeOf[In](), true, "")),
		},
		Responses: map[string]*huma.Response{strconv.Itoa(http.StatusOK): {
			Description: "One JSON object a line.", Content: lines(api.Components.Schemas.Schema(typeOf[Out](), true, "")),
		}},
	}
	problem := api.Components.Schemas.Schema(typeOf[Problem](), true, "")
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity} {
		described.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status), Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
		}
	}
	api.AddOperation(described)
	e.mount(http.MethodPost+" "+op.path, route{stream: op.stream}, func(http.ResponseWriter, *http.Request) {})
}
