# Python 3.11+ and make are all that a fresh machine needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help demo test test-full soak lint ui bench docs lock clean
help: ## Say what each command does
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(f"runtail needs Python 3.11 or later, {sys.executable} is {sys.version.split()[0]}" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check "$$(grep -oE '^uv==[0-9.]+' constraints.txt)"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r constraints.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY) ## Start the embedded engine, a gateway and a demo workflow; print the page's address
	@exec $(BIN)/runtail demo

test: $(READY) ## Run everything this machine can run in under 6 minutes
	@$(BIN)/python -m tests.run

test-full: $(READY) ## Run the long tests too (under 40 minutes)
	@$(BIN)/python -m tests.run --full

soak: $(READY) ## Run under faults for MINUTES (60), and print what happened and what was broken
	@$(BIN)/python -m tests.faults --minutes $(or $(MINUTES),60)

lint: $(READY) ## Check style, types and the arrows between packages
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy broker gateway producers tests
	@$(BIN)/lint-imports

ui: ## Build the page anew from gateway/ui (needs Node 20.19 or later)
	@cd gateway/ui && npm ci && npm run build

bench: $(READY) ## Measure beside floors and peers, and write a report (about 20 minutes)
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r tests/bench/requirements.txt
	@if command -v npm >/dev/null; then cd tests/bench/contenders/socketio_node && npm ci --silent; fi
	@if command -v npm >/dev/null; then cd gateway/ui && npm ci --silent; fi
	@$(BIN)/python -m tests.bench $(BENCH)

docs: $(READY) ## Build the documentation site into dist/docs
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r deploy/docs/requirements.txt
	@$(BIN)/sphinx-build -q -W --keep-going -c deploy/docs . dist/docs && echo "dist/docs/index.html"

lock: ## Resolve the dependencies anew into constraints.txt
	uv pip compile pyproject.toml --all-extras --group dev --universal --upgrade \
		--generate-hashes --no-emit-index-url --python-version 3.11 -q -o constraints.txt

clean: ## Remove what the commands above made
	rm -rf $(VENV) gateway/ui/node_modules gateway/ui/*/dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .bench tests/bench/contenders/socketio_node/node_modules
