# A fresh machine needs Python 3.11 or newer with pip, and two commands: `make demo` and `make test`.

PYTHON ?= python3
UV := $(or $(shell command -v uv),.tools/bin/uv)
BIN := .venv/bin
READY := .venv/.ready

# uv brings its own certificates; where a network has one of its own, the system knows it.
SYSTEM_CERTIFICATES := $(wildcard /etc/ssl/certs/ca-certificates.crt)
ifneq ($(SYSTEM_CERTIFICATES),)
export SSL_CERT_FILE ?= $(SYSTEM_CERTIFICATES)
endif

.PHONY: demo test lint typecheck fix lock generate gpu-check clean

demo: $(READY)  ## Fetch and convert the default model, complete a sample file twice
	$(BIN)/aide demo

test: $(READY) lint typecheck  ## All tests, those on the real model included
	$(BIN)/pytest $(PYTEST_OPTIONS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(READY)
	$(BIN)/mypy

fix: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(READY)  ## Write what is generated from the settings table
	$(BIN)/python -m aide_lsp.settings_reference

lock: $(UV)  ## Renew the pinned versions; the file names no index, so yours is used
	$(UV) pip compile -q pyproject.toml --group dev --universal --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" -o requirements.lock

gpu-check: $(READY)  ## Run the fp16 graph on CUDA with random weights and compare it with the CPU
	$(BIN)/python -m benchmarks.gpu_check

$(READY): requirements.lock pyproject.toml | $(UV)
	@echo "Installing Aide into .venv ..."
	@$(UV) venv -q --allow-existing --python $(PYTHON) .venv
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

.tools/bin/uv:
	@echo "Installing uv into .tools ..."
	@$(PYTHON) -m pip install -q --root-user-action ignore --disable-pip-version-check --target .tools uv

clean:
	rm -rf .venv .tools
