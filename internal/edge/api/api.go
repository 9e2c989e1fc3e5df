// Package api is the public API under /v1: what a tenant's platform calls with its API key. The guide for its callers is
// docs/guides/api.md, the contract is /openapi.json.
//
// One request goes through these steps, in this order: it gets an id; its key is looked up, with one constant answer to every wrong
// one; its body is read, bounded; the body and the header that would be kept are searched for card numbers; an idempotency key is looked
// up; and only then huma parses it and a use case runs. Nothing of a refused request is stored, and neither logs nor metrics ever
// hold a body, a URL or a query: the route's pattern stands for all three.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/service"
)

// Config is what the API is made of.
type Config struct {
	Service *service.Service
	// Log receives one line for each request; nil means the service's own.
	Log *slog.Logger
	// Demo mounts the clock that can be moved; without it /v1/demo/clock does not exist.
	Demo bool
	// Observe is told of each request when it was answered, e.g. Metrics.Observe. Optional; it must not block.
	Observe func(Observation)
}

// Observation is what can be counted about a request without knowing who asked for what.
type Observation struct {
	Method   string // one of HTTP's own methods, else "other"
	Route    string // the pattern, e.g. "/v1/accounts/{id}"; "unmatched" for paths that do not exist
	Status   int
	Duration time.Duration
}

// edge holds what every handler needs.
type edge struct {
	Config
	mux      *http.ServeMux
	huma     huma.API
	routes   map[string]route // by "METHOD /pattern"
	document []byte           // the OpenAPI document
	// authorize decides one payment, for the general way and for the plain one.
	authorize authorizer
	// authorizeAll decides the payments of a batch.
	authorizeAll func(ctx context.Context, actor access.Actor, requests []service.PaymentRequest) []service.PaymentResult
}

// route is what the steps before huma must know of an operation.
type route struct {
	maxBody int64 // bytes; 0 means that no body is read
	// multipart says that the body is a form with an attachment, which is parsed in memory: huma would write it to a temporary file.
	multipart bool
	// mergePatch accepts application/merge-patch+json beside application/json.
	mergePatch bool
	// once says that an Idempotency-Key makes the request repeatable.
	once bool
	// reads says that a POST changes nothing. It can be repeated without a key; with one it would run in the transaction of its record, and hold
	// up everybody who writes.
	reads bool
	// compiles says that the request brings the text of a policy, which is compiled before the transaction begins.
	compiles bool
	// payment says that the decision log remembers the idempotency key, for 30 days instead of one.
	payment bool
	// public answers without an API key.
	public bool
	// stream answers a body of lines with lines, while it is still coming.
	stream streaming
}

// The bounds of bodies, in bytes. An attachment has at most 20 MiB; the rest is for the form around it.
const (
	maxJSON      = 1 << 20
	maxMultipart = 21 << 20
)

// configureHuma replaces those of huma's package variables that would let a value through, once in the life of a program.
var configureHuma = sync.OnceFunc(func() {
	huma.NewError = newHumaProblem
	huma.DefaultArrayNullable = false
	huma.ValidateStrictCasing = true
})

// Handler returns the handler of /v1/, /openapi.json, /healthz and /readyz.
func Handler(c Config) http.Handler { return http.HandlerFunc(newEdge(c).serve) }

func newEdge(c Config) *edge {
	configureHuma()
	if c.Log == nil {
		c.Log = c.Service.Log
	}
	e := &edge{Config: c, mux: http.NewServeMux(), routes: map[string]route{}, authorize: c.Service.AuthorizePaymentOnce, authorizeAll: c.Service.AuthorizePayments}
	e.huma = humago.New(e.mux, humaConfig())
	e.registerAccounts()
	e.registerPayments()
	e.registerPaymentBatch()
	e.registerPaymentHistory()
	e.registerPaymentOutcomes()
	e.registerExplanations()
	e.registerBacktests()
	e.registerPolicies()
	e.registerLists()
	e.registerVerifications()
	e.registerEvidence()
	e.registerCases()
	e.registerMessages()
	e.registerTickets()
	e.registerEvents()
	e.registerWebhookEndpoints()
	if c.Demo {
		e.registerDemoClock()
	}
	e.registerHealth()
	e.document = openAPIDocument(e.huma.OpenAPI())
	e.mount("GET /openapi.json", route{public: true}, e.serveDocument)
	return e
}

// mount adds a handler that is not one of huma's.
func (e *edge) mount(pattern string, r route, handler http.HandlerFunc) {
	e.routes[pattern] = r
	e.mux.HandleFunc(pattern, handler)
}

// operation is one call of the API.
type operation struct {
	id          string // operationId, e.g. "create-account"
	method      string
	path        string
	summary     string
	description string
	tag         string
	status      int // of success
	route       route
	// request replaces the request body of the document, where the input type does not tell it.
	request *huma.RequestBody
}

// answer is an output of huma with a body.
type answer[O any] struct{ Body O }

// register adds an operation whose answer has a body.
func register[I, O any](e *edge, op operation, handle func(ctx context.Context, actor access.Actor, in *I) (O, error)) {
	described := e.describe(&op, bodyOf[I]() || op.request != nil)
	huma.Register(e.huma, described, func(ctx context.Context, in *I) (*answer[O], error) {
		body, err := handle(ctx, requestOf(ctx).actor, in)
		if err != nil {
			return nil, e.refusal(ctx, err)
		}
		return &answer[O]{Body: body}, nil
	})
}

// registerEmpty adds an operation that answers 204.
func registerEmpty[I any](e *edge, op operation, handle func(ctx context.Context, actor access.Actor, in *I) error) {
	described := e.describe(&op, bodyOf[I]())
	huma.Register(e.huma, described, func(ctx context.Context, in *I) (*struct{}, error) {
		if err := handle(ctx, requestOf(ctx).actor, in); err != nil {
			return nil, e.refusal(ctx, err)
		}
		return nil, nil
	})
}

// describe notes the route of an operation and returns what huma needs of it.
func (e *edge) describe(op *operation, hasBody bool) huma.Operation {
	if hasBody || op.method == http.MethodPost || op.method == http.MethodPatch {
		op.route.maxBody = max(op.route.maxBody, maxJSON)
	}
	op.route.once = op.method == http.MethodPost && !op.route.reads
	e.routes[op.method+" "+op.path] = op.route
	described := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Description: op.description, Tags: []string{op.tag},
		DefaultStatus: op.status, RequestBody: op.request, Errors: errorsOf(op, hasBody), RejectUnknownQueryParameters: true,
		Security: []map[string][]string{{securityScheme: {}}},
		// The body was read, bounded, before huma sees it.
		MaxBodyBytes: maxMultipart + 1, BodyReadTimeout: -1,
	}
	if op.route.once {
		described.Parameters = append(described.Parameters, idempotencyParameter())
	}
	return described
}
