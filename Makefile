.DEFAULT_GOAL := help
KUBECTL ?= kubectl

##@ General
.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*##"; printf "Usage: make \033[36m<target>\033[0m\n"} /^[a-zA-Z_-]+:.*?##/ {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)}' $(MAKEFILE_LIST)

##@ Development
node_modules: package.json package-lock.json
	npm ci
	@touch node_modules

.PHONY: demo
demo: node_modules ## See it work: control plane, EC2 simulator, controller.
	npm run --silent demo

.PHONY: build
build: node_modules ## Compile, and bundle what is shipped.
	npm run build

.PHONY: test
test: node_modules ## Run all tests.
	npm test

.PHONY: lint
lint: node_modules ## Check format, lint rules and types.
	npm run lint
	npm run typecheck

.PHONY: bench
bench: node_modules ## Measure against EC2's documented limits.
	npm run --silent bench

##@ Deployment
.PHONY: install
install: ## Install the CRDs into the cluster that kubectl points at.
	$(KUBECTL) apply --server-side -f crds/

.PHONY: uninstall
uninstall: ## Remove the CRDs; refused while NodeENIs exist, for with them their ENIs would go.
	@left="$$($(KUBECTL) get nodeenis,eniattachments -o name)"; \
	if [ -n "$$left" ]; then printf 'These still exist; delete the NodeENIs first:\n%s\n' "$$left"; exit 1; fi
	$(KUBECTL) delete --ignore-not-found -f crds/
