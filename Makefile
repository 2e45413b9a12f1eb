# Release Console. `make rehearse` and `make test` do the whole set-up on a machine with python3, git and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
OUT    ?= docs/screenshots

.DEFAULT_GOAL := help
.PHONY: help rehearse test lint types unit bench screenshots mine lock clean

help: ## list the targets
	@sed -n 's/^\([a-z.]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else \
	  "Release Console needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	@echo "Setting up $(VENV) (once)…"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv: $(READY) ## the virtual environment with everything in it

rehearse: $(READY) ## drive the plan in the sandbox (ARGS="--fault build-fails --pace 60")
	@$(BIN)/release-console rehearse $(ARGS)

test: lint types unit ## lint, types and tests: what CI runs

lint: $(READY) ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY) ## mypy --strict
	@$(BIN)/mypy

unit: $(READY)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

bench: $(READY) ## the budgets of the design, measured as ratios
	@$(BIN)/python -m tests.benchmarks $(ARGS)

screenshots: $(READY) ## the gallery of screens as SVG (OUT=folder)
	@$(BIN)/python -m tests.screens.gallery $(OUT)

mine: $(READY) ## find the nonce that makes the release's last commit begin with 26c5a9f (minutes)
	@$(BIN)/python -m console.sandbox.mine

lock: $(READY) ## resolve the dependencies anew into requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --quiet --upgrade -o requirements.lock

clean: ## remove what was built
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
