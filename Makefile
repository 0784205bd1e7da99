# On a fresh machine with Python 3.11 or newer and pip: `make demo`, then `make test`.

.DEFAULT_GOAL := help
PYTHON ?= python3
# Your own uv if it is recent enough, otherwise the version pinned in requirements-uv.txt.
UV_LEAST := 0.7.0
UV := $(shell found=$$(uv --version 2>/dev/null | awk '{ print $$2 }'); \
	[ "$$(printf '%s\n' $(UV_LEAST) "$${found:-0}" | sort -V | head -n 1)" = $(UV_LEAST) ] \
	&& command -v uv || echo .tools/bin/uv)
BIN := .venv/bin
AIDE_READY := .venv/.aide-ready
READY := .venv/.ready
TEAM := .venv-team/bin
TEAM_READY := .venv-team/.ready

# uv trusts only its own certificates; a network that intercepts TLS has installed its own in the system.
SYSTEM_CERTIFICATES := $(wildcard /etc/ssl/certs/ca-certificates.crt)
ifneq ($(SYSTEM_CERTIFICATES),)
export SSL_CERT_FILE ?= $(SYSTEM_CERTIFICATES)
endif

EDITORS := .editors
# The Node from the editors' setup comes first: the system's may be older.
NODE := PATH="$(CURDIR)/$(EDITORS)/vscode/node/bin:$$PATH"

.PHONY: help demo test test-team search lint typecheck fix lock generate gpu-check vsix pictures publish publish-check test-editors clean

help:  ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-15s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(AIDE_READY)  ## Fetch and convert the default model, and complete a sample file twice
	$(BIN)/aide demo

test: $(READY) lint typecheck  ## Run all tests, including those with the real model
	$(AGAIN) $(BIN)/pytest $(PYTEST_OPTIONS)

test-team: $(TEAM_READY)  ## Test the team server on Ray Serve, in an environment of its own
	$(TEAM)/pytest tests/team $(PYTEST_OPTIONS)

search: $(READY)  ## Search for new counterexamples to the property tests (MINUTES=10; SEED=n repeats a search)
	$(BIN)/python -m tests.search --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) $(TESTS)

lint: $(READY)  ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(READY)  ## Check types
	$(BIN)/mypy

fix: $(READY)  ## Fix style automatically
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(READY)  ## Regenerate pages, schema, and editor settings from the tables in the code
	$(BIN)/python -m tools.generate.pages

lock: $(UV)  ## Update the pinned versions, from your package index
	echo hatchling | $(UV) pip compile -q pyproject.toml - --universal --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" -o requirements.lock
	$(UV) pip compile -q --group dev --universal --generate-hashes -c requirements.lock \
		--no-emit-index-url --custom-compile-command "make lock" -o requirements-dev.lock
	$(UV) pip compile -q pyproject.toml --extra team --group dev --universal --generate-hashes -c requirements.lock \
		-c requirements-dev.lock --no-emit-index-url --custom-compile-command "make lock" -o requirements-team.lock
	echo uv | $(UV) pip compile -q - --upgrade --universal --generate-hashes --no-annotate \
		--no-emit-index-url --custom-compile-command "make lock" -o requirements-uv.txt

gpu-check: $(READY)  ## Run the fp16 graph on CUDA with random weights, and compare it with the CPU
	$(BIN)/python -m benchmarks.gpu.check

VSCODE := editors/vscode
INSTALLED := $(patsubst editors/setup/%.sh,$(EDITORS)/%/.ready,$(wildcard editors/setup/*.sh))
vsix: node $(READY) $(VSCODE)/node_modules/.package-lock.json  ## Build the VS Code extension with the server in it: build/aide.vsix
	@export $(NODE) && $(VSCODE)/package.sh $(abspath $(UV)) $(CURDIR)/$(BIN)/python

pictures: $(READY) $(INSTALLED) vsix  ## Take the pictures and the film of the pages again, in real editors
	AIDE_FILM=1 $(BIN)/pytest editors/tests/vscode/test_vscode_pictures.py
	cp build/pictures/vscode-completion.png build/pictures/vscode-status.png docs/images
	mkdir -p $(VSCODE)/images
	cp build/pictures/film.png build/pictures/vscode-compare.png build/pictures/vscode-explanation.png $(VSCODE)/images

publish: vsix  ## Publish the VS Code extension (CONTRIBUTING.md, Publish)
	@export $(NODE) && $(VSCODE)/publish.sh

publish-check: vsix  ## Check that the VS Code extension can be published, and publish nothing
	@export $(NODE) && $(VSCODE)/publish.sh --check

.PHONY: node
node:
	@export $(NODE) && $(VSCODE)/check-node.sh

test-editors: $(READY) $(INSTALLED) vsix  ## Install real editors into .editors, and test them with the real model
	tools/again $(BIN)/pytest editors/tests $(PYTEST_OPTIONS)

$(VSCODE)/node_modules/.package-lock.json: $(VSCODE)/package-lock.json | node
	@echo "Installing the extension's tools into $(VSCODE)/node_modules ..."
	@cd $(VSCODE) && export $(NODE) && npm ci --silent --ignore-scripts --no-audit --no-fund

# An editor that cannot be installed leaves no .ready, but a file `unavailable` with the reason; its tests are skipped.
$(EDITORS)/%/.ready: editors/setup/%.sh
	$< $(@D)

$(AIDE_READY): requirements.lock pyproject.toml | $(UV)
	@echo "Installing Aide into .venv ..."
	@$(UV) venv -q --allow-existing --python $(PYTHON) .venv
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

$(READY): $(AIDE_READY) requirements-dev.lock
	@echo "Installing the test tools into .venv ..."
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

$(TEAM_READY): requirements-team.lock pyproject.toml | $(UV)
	@echo "Installing Aide and Ray Serve into .venv-team ..."
	@$(UV) venv -q --allow-existing --python $(PYTHON) .venv-team
	@$(UV) pip install -q --python $(TEAM)/python --require-hashes -r requirements-team.lock
	@$(UV) pip install -q --python $(TEAM)/python --no-deps -e .
	@touch $@

.tools/bin/uv: requirements-uv.txt
	@echo "Installing uv into .tools ..."
	@$(PYTHON) -m pip install -q --root-user-action ignore --disable-pip-version-check --upgrade --target .tools \
		--only-binary :all: --require-hashes -r $<
	@touch $@

clean:  ## Remove everything that make created here; models are kept
	rm -rf .venv .venv-team .tools .editors build
