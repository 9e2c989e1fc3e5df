# Probity: the commands of the house. `make help` lists them.

GO ?= go
# How long each fuzz target runs under `make fuzz`.
FUZZTIME ?= 20s
# Which benchmarks `make bench` runs, and for how long each.
BENCH ?= .
BENCHTIME ?= 1s
# Flags of `probity bench payments` under `make bench`.
BENCH_PAYMENTS ?=
# Where `make bench`, `make race` and `make lint` look.
PKGS ?= ./...
# What a short run under the race detector covers in `make test`: where goroutines meet. `make race` covers everything.
RACE_PKGS ?= ./internal/adapter/... ./internal/service/... ./internal/edge/worker/... ./client/...

TEMPL_VERSION = $(shell $(GO) list -m -f '{{.Version}}' github.com/a-h/templ)
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.8.0

.DEFAULT_GOAL := help
.PHONY: help demo test tools format-check vet race race-short lint bench bench-payments fuzz build generate vuln

help: ## list the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## run a KYC Center with a pretend cloud platform on http://localhost:8080
	$(GO) run ./cmd/probity demo

test: tools format-check vet race-short ## run everything that must pass: format, vet, a short race run, all tests
	@echo '== go test ./...'
	@PROBITY_REQUIRE_TOOLS=1 $(GO) test -vet=off -timeout 20m ./...

race: tools ## run the tests of PKGS under the race detector (needs a C compiler; about ten minutes)
	PROBITY_REQUIRE_TOOLS=1 CGO_ENABLED=1 $(GO) test -race -vet=off -timeout 30m $(PKGS)

lint: ## run golangci-lint 2.15 when it is installed, otherwise go vet and staticcheck
	@if command -v golangci-lint >/dev/null; then golangci-lint run $(PKGS); \
	else echo '== no golangci-lint here: go vet and $(STATICCHECK)'; $(GO) vet $(PKGS) && $(GO) run $(STATICCHECK) $(PKGS); fi

bench: ## run the benchmarks of PKGS that match BENCH, then payments over HTTP (bench-payments)
	$(GO) test -vet=off -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -timeout 60m $(PKGS)
	@$(MAKE) --no-print-directory bench-payments

bench-payments: ## durable payment decisions over HTTP against an echo handler (BENCH_PAYMENTS='--database DSN --json')
	$(GO) run ./cmd/probity bench payments $(BENCH_PAYMENTS)

fuzz: ## run every fuzz target for FUZZTIME (20s)
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' ./scripts/fuzz.sh

build: ## build the one binary into build/probity
	CGO_ENABLED=0 $(GO) build -trimpath -o build/probity ./cmd/probity

generate: ## write the Go code of the page templates (commit what it writes)
	$(GO) run github.com/a-h/templ/cmd/templ@$(TEMPL_VERSION) generate

vuln: ## look the dependencies up in the Go vulnerability database (needs the network)
	$(GO) run $(GOVULNCHECK) $(PKGS)

tools:
	@./scripts/install-test-tools.sh

format-check:
	@unformatted=$$(gofmt -l $$(find . -name '*.go' -not -path './build/*' -not -path './probity-data/*')); \
	if [ -n "$$unformatted" ]; then echo "not in gofmt's form (run gofmt -w):"; echo "$$unformatted"; exit 1; fi

vet:
	@echo '== go vet ./...'
	@$(GO) vet ./...

race-short:
	@GO='$(GO)' ./scripts/race-short.sh $(RACE_PKGS)
