# A fresh machine needs Python 3.11 or newer with pip, and two commands: `make demo` and `make test`.

.DEFAULT_GOAL := help
PYTHON ?= python3
# Your uv if it is new enough, else the one that requirements-uv.txt pins.
UV_LEAST := 0.7.0
UV := $(shell found=$$(uv --version 2>/dev/null | awk '{ print $$2 }'); \
	[ "$$(printf '%s\n' $(UV_LEAST) "$${found:-0}" | sort -V | head -n 1)" = $(UV_LEAST) ] \
	&& command -v uv || echo .tools/bin/uv)
BIN := .venv/bin
READY := .venv/.ready

# uv brings its own certificates; where a network has one of its own, the system knows it.
SYSTEM_CERTIFICATES := $(wildcard /etc/ssl/certs/ca-certificates.crt)
ifneq ($(SYSTEM_CERTIFICATES),)
export SSL_CERT_FILE ?= $(SYSTEM_CERTIFICATES)
endif

EDITORS := .editors
# The Node that the editors' setup brings goes before the system's, which may be older.
NODE := PATH="$(CURDIR)/$(EDITORS)/vscode/node/bin:$$PATH"

.PHONY: help demo test search lint typecheck fix lock generate gpu-check vsix test-editors clean

help:  ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY)  ## Fetch and convert the default model, complete a sample file twice
	$(BIN)/aide demo

test: $(READY) lint typecheck  ## Run all tests, including those on the real model
	$(BIN)/pytest $(PYTEST_OPTIONS)

search: $(READY)  ## Look for new counterexamples to the property tests: MINUTES=10, SEED to repeat a search
	$(BIN)/python -m tests.search --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) $(TESTS)

lint: $(READY)  ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(READY)  ## Check types
	$(BIN)/mypy

fix: $(READY)  ## Repair style where a tool can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(READY)  ## Write what is generated from the settings table
	$(BIN)/python -m tools.generate.pages

lock: $(UV)  ## Renew the pinned versions; the file names no index, so yours is used
	$(UV) pip compile -q pyproject.toml --group dev --universal --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" -o requirements.lock
	echo uv | $(UV) pip compile -q - --upgrade --universal --generate-hashes --no-annotate \
		--no-emit-index-url --custom-compile-command "make lock" -o requirements-uv.txt

gpu-check: $(READY)  ## Run the fp16 graph on CUDA with random weights and compare it with the CPU
	$(BIN)/python -m benchmarks.gpu.check

VSCODE := editors/vscode
vsix: $(READY) $(VSCODE)/node_modules/.package-lock.json  ## Check and package the extension for VS Code, with the server in it: build/aide.vsix
	$(VSCODE)/package-server.sh $(UV) $(BIN)/python
	@mkdir -p build
	cd $(VSCODE) && export $(NODE) && npm run --silent lint && npm run --silent typecheck \
		&& npm run --silent test && npm run --silent package

INSTALLED := $(patsubst editors/setup/%.sh,$(EDITORS)/%/.ready,$(wildcard editors/setup/*.sh))
test-editors: $(READY) $(INSTALLED) vsix  ## Install real editors into .editors and drive them with the real model
	$(BIN)/pytest editors/tests $(PYTEST_OPTIONS) || { \
		echo "What failed is run once more, alone: a screen may be looked at while it is painted."; \
		$(BIN)/pytest editors/tests $(PYTEST_OPTIONS) --last-failed --last-failed-no-failures=none; }

$(VSCODE)/node_modules/.package-lock.json: $(VSCODE)/package-lock.json
	cd $(VSCODE) && export $(NODE) && npm ci --silent --ignore-scripts --no-audit --no-fund

# An editor that cannot be had leaves no .ready, but its reason in the file `unavailable`; its tests are skipped with it.
$(EDITORS)/%/.ready: editors/setup/%.sh
	$< $(@D)

$(READY): requirements.lock pyproject.toml | $(UV)
	@echo "Installing Aide into .venv ..."
	@$(UV) venv -q --allow-existing --python $(PYTHON) .venv
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

.tools/bin/uv: requirements-uv.txt
	@echo "Installing uv into .tools ..."
	@$(PYTHON) -m pip install -q --root-user-action ignore --disable-pip-version-check --upgrade --target .tools \
		--only-binary :all: --require-hashes -r $<
	@touch $@

clean:  ## Remove all that these commands made here; the models stay
	rm -rf .venv .tools .editors build
