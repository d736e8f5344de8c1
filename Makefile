# Everything runs from a virtual environment of the project's own; `make` says what there is.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST_ARGS ?=

# Tests start hpo many hundred times; what the first compiled of it, the others read.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help

help:  ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "hpo needs Python 3.11 or later; $(PYTHON) is `$(PYTHON) --version`: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,examples]'
	@touch $(READY)

setup: $(READY)  ## make the virtual environment .venv with everything in it

quickstart: $(READY)  ## run a real tuning job to its end, and show what it found
	@export PATH="$(CURDIR)/$(BIN):$$PATH"; name=quickstart-$$(date +%m%d-%H%M%S); \
	hpo run examples/quickstart/tune.yaml --name $$name && \
	printf '\nthe best three of its trials (all of them: hpo trials %s):\n' $$name && \
	hpo trials $$name --sort value | head -4 && \
	printf '\nhpo itself is $(BIN)/hpo; what to read next: docs/spec.md\n'

test: $(READY)  ## run the tests
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS) -m "not slow"

test-slow: $(READY)  ## run the tests that take long, too
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS) -m slow

check: $(READY)  ## lint, types, layers, sizes, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/sizes.py
	$(BIN)/python docs/generate.py --check

docs: $(READY)  ## write the generated pages of docs/
	$(BIN)/python docs/generate.py

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.PHONY: help setup quickstart test test-slow check docs clean
