.DEFAULT_GOAL := help
KUBECTL ?= kubectl
CONTAINER_TOOL ?= docker
HELM ?= helm
PLATFORMS ?= linux/amd64,linux/arm64
# What to deploy, and from where. If not set, the overlay's values apply.
OVERLAY ?= default
COMPONENTS ?=
DOCKERFILE ?= Dockerfile
IMG ?=
REGION ?=
ROLE_ARN ?=
ENIS ?=
# Any value: take over CRD fields that another tool installed, as in docs/migrating.md.
FORCE ?=
export KUBECTL COMPONENTS IMG REGION ROLE_ARN ENIS
# For a private npm registry: a .npmrc and its CA certificate, as secrets of the build.
NPMRC ?=
CA ?=
BUILD_ARGS = --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
	$(if $(NPMRC),--secret id=npmrc$(,)src=$(NPMRC)) $(if $(CA),--secret id=ca$(,)src=$(CA))
VERSION ?= $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
, := ,
docker-build docker-push docker-buildx: IMG := $(or $(IMG),eni-operator:0.1.0)

##@ General
.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*##"; printf "Usage: make \033[36m<target>\033[0m\n"} /^[a-zA-Z0-9_-]+:.*?##/ {printf "  \033[36m%-16s\033[0m %s\n", $$1, $$2} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)}' $(MAKEFILE_LIST)

##@ Development
node_modules: package.json package-lock.json
	npm ci
	@touch node_modules

.PHONY: demo
demo: node_modules ## Run the demo: control plane, EC2 simulator, controller and agents.
	npm run --silent demo

.PHONY: build
build: node_modules ## Compile, and bundle what the image contains.
	npm run build

.PHONY: test
test: node_modules ## Run all tests.
	npm test

.PHONY: e2e
e2e: node_modules ## Test the deployed operator on nodes with a kubelet.
	npm run --silent test:e2e

.PHONY: run
run: build ## Run the controller on this machine, against the current kubeconfig and AWS credentials.
	npx --no-install node dist/bundle/eni-operator.mjs controller

.PHONY: lint
lint: node_modules ## Check format, lint rules, imports between folders and types.
	npm run lint
	npm run typecheck

.PHONY: verify
verify: lint ## Check lint, types, and that generated docs are up to date.
	npm run docs
	@git diff --exit-code docs/reference || { echo 'docs/reference was out of date: commit it.'; exit 1; }

.PHONY: bench
bench: node_modules ## Measure against EC2's documented limits.
	npm run --silent bench

##@ Image
.PHONY: sbom
sbom: build ## Write the SBOM (CycloneDX) and the third-party notices of the bundle.
	@echo dist/bundle/sbom.cdx.json dist/bundle/THIRD_PARTY_NOTICES.txt

.PHONY: docker-build
docker-build: ## Build the image, both components in one, as IMG.
	$(CONTAINER_TOOL) build -f $(DOCKERFILE) $(BUILD_ARGS) -t $(IMG) .

.PHONY: docker-build-dev
docker-build-dev: ## Build the image with the EC2 simulator, for the overlay dev.
	$(CONTAINER_TOOL) build -f $(DOCKERFILE) $(BUILD_ARGS) --target dev -t eni-operator:dev .

.PHONY: docker-push
docker-push: ## Push the image IMG.
	$(CONTAINER_TOOL) push $(IMG)

.PHONY: docker-buildx
docker-buildx: ## Build for all PLATFORMS, with an SBOM and provenance, and push as IMG and ALSO.
	@mkdir -p dist
	$(CONTAINER_TOOL) buildx build --push --sbom=true --provenance=mode=max --platform $(PLATFORMS) -f $(DOCKERFILE) $(BUILD_ARGS) \
		--metadata-file dist/image.json -t $(IMG) $(addprefix -t ,$(ALSO)) .

##@ Deployment
.PHONY: install
install: ## Install the CRDs into the current cluster of kubectl.
	$(KUBECTL) apply --server-side $(if $(FORCE),--force-conflicts) -k crds/

.PHONY: uninstall
uninstall: ## Remove the CRDs; refuses while NodeENIs or ENIAttachments exist.
	@left="$$($(KUBECTL) get nodeenis,eniattachments -o name)"; \
	if [ -n "$$left" ]; then printf 'These still exist; delete the NodeENIs first:\n%s\n' "$$left"; exit 1; fi
	$(KUBECTL) delete --ignore-not-found -k crds/

.PHONY: deploy
deploy: ## Deploy OVERLAY (default, ha, networkd, monitoring, dev) with IMG, REGION, ROLE_ARN and COMPONENTS.
	@tools/kustomize/render.sh $(OVERLAY) | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: ## Remove OVERLAY; refuses while ENIs exist, unless ENIS=delete or ENIS=keep.
	@tools/kustomize/undeploy.sh $(OVERLAY)

.PHONY: build-installer
build-installer: ## Write OVERLAY as one file, dist/install.yaml.
	@mkdir -p dist && tools/kustomize/render.sh $(OVERLAY) > dist/install.yaml && echo dist/install.yaml

##@ Release
.PHONY: chart
chart: node_modules ## Write the templates and the README of the Helm chart from the manifests.
	npm run --silent chart

.PHONY: npm-package
npm-package: node_modules ## Build the npm package (library and commands), dist/npm.
	npm run --silent compile
	npm run --silent package

.PHONY: executable
executable: npm-package ## Build kubectl-eni as one file for this platform, packed in dist/executable.
	npx --no-install node dist/tools/executable/main.js

.PHONY: krew-manifest
krew-manifest: node_modules ## Write the krew manifest for VERSION, REPOSITORY_URL and the archives in dist/executable.
	@test -n "$(REPOSITORY_URL)" || { echo 'Set REPOSITORY_URL: the manifest names where the archives are.'; exit 1; }
	npm run --silent compile
	npx --no-install node dist/tools/krew/main.js '$(VERSION)' '$(REPOSITORY_URL)' dist/executable > dist/executable/eni.yaml.new
	@mv dist/executable/eni.yaml.new dist/executable/eni.yaml && cat dist/executable/eni.yaml

.PHONY: npm-publish
npm-publish: npm-package ## Publish the npm package of REPOSITORY_URL, with provenance.
	@test -n "$(REPOSITORY_URL)" || { echo 'Set REPOSITORY_URL: provenance names where the package was built.'; exit 1; }
	npm pkg set --prefix dist/npm repository.type=git repository.url='git+$(REPOSITORY_URL).git'
	npm publish ./dist/npm

.PHONY: pin-base-images
pin-base-images: ## Write the current digest of each base image into the Dockerfile; dependabot then keeps them current.
	@for image in $$(sed -nE 's/^FROM (--[^ ]+ )*([^ ]+[/:][^ ]*) AS .*/\2/p' $(DOCKERFILE)); do \
		name="$${image%@*}"; \
		digest="$$($(CONTAINER_TOOL) buildx imagetools inspect "$$name" --format '{{.Manifest.Digest}}')" || exit 1; \
		case $$digest in sha256:????????????????????????????????????????????????????????????????) ;; \
		*) echo "No digest of $$name: $$digest" >&2; exit 1 ;; esac; \
		sed -i.orig "s|$$image AS|$$name@$$digest AS|" $(DOCKERFILE) && rm $(DOCKERFILE).orig; \
		echo "$$name@$$digest"; \
	done

.PHONY: check-base-images
check-base-images: ## Fail if a base image in the Dockerfile has no digest.
	@! grep -nE '^FROM (--[^ ]+ )*[^ @]+[/:][^ @]* AS' $(DOCKERFILE) || { echo 'Pin them: make pin-base-images'; exit 1; }

.PHONY: verify-base-images
verify-base-images: check-base-images ## Check the signature of the base image that is shipped: distroless signs its images.
	cosign verify "$$(sed -n 's/^FROM \(.*\) AS runtime$$/\1/p' $(DOCKERFILE))" \
		--certificate-oidc-issuer https://accounts.google.com \
		--certificate-identity keyless@distroless.iam.gserviceaccount.com

.PHONY: audit
audit: ## Fail on a known vulnerability of high severity in what is shipped.
	npm audit --omit=dev --audit-level=high

.PHONY: release-notes
release-notes: node_modules ## Write the changelog's section for VERSION to dist/release-notes.md.
	npm run --silent compile
	@npx --no-install node dist/tools/release/main.js "$(VERSION)" > dist/release-notes.md && cat dist/release-notes.md

.PHONY: chart-package
chart-package: ## Package the chart as VERSION, with the image IMG_REPOSITORY, in dist/.
	@test -n "$(VERSION)" -a -n "$(IMG_REPOSITORY)" || { echo 'Set VERSION and IMG_REPOSITORY.'; exit 1; }
	@mkdir -p dist && rm -rf dist/chart && cp -r charts/eni-operator dist/chart
	@sed -i.orig 's|^  repository: eni-operator$$|  repository: $(IMG_REPOSITORY)|' dist/chart/values.yaml && rm dist/chart/values.yaml.orig
	$(HELM) package dist/chart --version $(VERSION) --app-version $(VERSION) --destination dist

.PHONY: chart-push
chart-push: ## Push the packaged chart to CHART_REGISTRY (oci://…), and sign it.
	$(HELM) push dist/eni-operator-$(VERSION).tgz $(CHART_REGISTRY) 2>&1 | tee dist/chart-push.txt
	@digest="$$(sed -n 's/^Digest: *//p' dist/chart-push.txt)"; test -n "$$digest"; \
	cosign sign --yes "$(patsubst oci://%,%,$(CHART_REGISTRY))/eni-operator@$$digest"

.PHONY: sign-image
sign-image: ## Sign the image that docker-buildx has pushed.
	@digest="$$(sed -n 's/.*"containerimage.digest": *"\([^"]*\)".*/\1/p' dist/image.json)"; test -n "$$digest"; \
	cosign sign --yes "$(IMG_REPOSITORY)@$$digest"
