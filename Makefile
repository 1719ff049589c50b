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
test: ## run all tests, offline
	go test ./...

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
