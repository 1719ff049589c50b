# Targets for people; .ci/run calls the same ones. `make help` lists them.
.DEFAULT_GOAL := help
export CGO_ENABLED = 0

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: ## build ./assay
	go build -trimpath -o assay ./cmd/assay

.PHONY: test
test: z3 moto ## run all tests
	go test ./...

.PHONY: z3
z3: ## install the solver that proofs are compared with, where it is missing and may be
	@command -v z3 >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq z3 >/dev/null; } || echo "z3 is missing: its tests are skipped, and fail in CI"

.PHONY: moto
moto: ## install the AWS emulator that accounts are read from in tests, where it is missing and may be
	@python3 -c 'import moto, boto3, flask' 2>/dev/null || python3 -m pip install --quiet 'moto[server]==5.2.1' boto3 || echo "moto is missing: its tests are skipped, and fail in CI"

.PHONY: check
check: ## what CI runs
	.ci/run

.PHONY: generate
generate: ## compile the catalogue after changing checks or frameworks
	go generate ./checks

.PHONY: tables
tables: ## renew the tables of AWS facts (needs npm)
	go generate ./tables

.PHONY: golden
golden: ## rewrite golden files and scripts with what the code says now
	go test ./internal/report ./internal/collect/... ./internal/assess ./cmd/assay -update

.PHONY: bench
bench: ## benchmarks, for benchstat
	go test -run '^$$' -bench . -benchmem -count 6 ./...
