# Each target sets up all that it needs, from a bare Python 3.11 with pip.  `make` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
WORKERS ?= 2
FIRST ?= 0
COUNT ?= 20000
EXTRAS := --extra all

export UV_COMPILE_BYTECODE := 1
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV

BIN := .venv/bin
READY := .venv/.ready
QUICKSTART := $(sort $(wildcard scenarios/quickstart/*.yaml))
MEASURED := scenarios/validation/q_c8_d2-10_any1_on.yaml
TYPED := replsim $(if $(wildcard dashboard/*.py),dashboard)

.PHONY: help setup demo test swarm differential check fix bench redraw extras dashboard docs lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## make .venv and install what uv.lock says

demo: $(READY) ## run the quickstart, then a measured cluster: measured beside simulated
	@for file in $(QUICKSTART) $(MEASURED); do $(BIN)/replsim run "$$file"; done

test: $(READY) ## run all tests
	$(BIN)/pytest -n $(WORKERS)

differential: $(READY) ## hold the two simulators against each other on thousands of random clusters
	DIFFERENTIAL_EXAMPLES=$${EXAMPLES:-5000} $(BIN)/pytest -n $(WORKERS) tests/differential

check: $(READY) ## lint, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(TYPED)

swarm: $(READY) ## run 20,000 random scenarios through the invariants (FIRST=seed COUNT=n to resume)
	$(BIN)/python -m tests.swarm --first $(FIRST) --count $(COUNT)

fix: $(READY) ## mend what the linter and the formatter can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(READY) ## how fast the engine is, against a plain SimPy model in the same run
	$(BIN)/python -m tests.benchmarks.bench
	$(BIN)/python -m tests.benchmarks.studies

redraw: $(READY) ## how soon the dashboard's charts follow a knob, in headless Chromium
	$(BIN)/python -m tests.benchmarks.redraw

extras: $(READY) ## test what is too large to install for every test: Ray
	UV_PROJECT_ENVIRONMENT=.venv/extras $(BIN)/uv sync --locked --quiet --extra ray --extra frames --no-default-groups --group test
	.venv/extras/bin/python -m pytest tests/extras

dashboard: $(READY) ## open the dashboard
	@$(BIN)/replsim dashboard || true

docs: $(READY) ## regenerate the reference pages and the schema
	$(BIN)/python -m docs.build

lock: $(READY) ## resolve the dependencies anew
	$(BIN)/uv lock --upgrade

clean: ## remove .venv and all that is generated but not committed
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks dist out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "replsim needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'

$(READY): pyproject.toml uv.lock | $(BIN)/uv
	$(BIN)/uv sync --locked --quiet $(EXTRAS)
	@touch $@
