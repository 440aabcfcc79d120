# `make demo` shows what OpenWorld does; `make test` checks it. Both need only make, Python 3.11+ and pip.
#
#   PYTHON=/path/to/python   the Python to make .venv with (default: the first one found that is new enough)
#   WORKERS=4                how many processes run the tests (default 2)
#   ARGS="..."               more arguments for demo, bench and the test lanes

WORKERS ?= 2
BIN := .venv/bin
# A file's tests share compiled programs, so they run in one process; tests/conftest.py puts long files first.
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Pyright's own notice of newer releases would ask the network.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv demo bench test test-quick test-deep test-modes test-oracle test-browser test-matrix lint format lock clean

help:  ## show these targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1@\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s @ 2>/dev/null \
	  || grep -o '^[a-z-]*:.*##.*' $(firstword $(MAKEFILE_LIST))

venv: .venv/ready  ## make .venv from requirements.lock, with this checkout in it

demo: .venv/ready  ## train an agent on this machine, measure it, and say where its pictures are
	@$(BIN)/openworld demo $(ARGS)

bench: .venv/ready  ## measure steps per second, compile time and bytes on this machine
	@$(BIN)/openworld bench $(ARGS)

test: lint  ## lint and all tests but the deep ones
	$(PYTEST) -m "not deep" $(ARGS)

test-quick: .venv/ready  ## the tests that take seconds
	$(PYTEST) -m "not slow and not deep" $(ARGS)

test-deep: .venv/ready  ## long play, a million steps of every id, tens of thousands of damaged files and messages
	$(PYTEST) -m deep --dist worksteal $(ARGS)

MODES := tests/rules tests/observe tests/content tests/generate tests/properties tests/test_random.py
test-modes: .venv/ready  ## the quick tests of the game under JAX's 64-bit mode, and under its strictest checks
	JAX_ENABLE_X64=1 $(PYTEST) -m "not slow and not deep" $(MODES) $(ARGS)
	JAX_DEBUG_NANS=1 JAX_CHECK_TRACER_LEAKS=1 $(PYTEST) -m "not slow and not deep" $(MODES) $(ARGS)

test-oracle: .venv-oracle/ready  ## play beside the published package, which this installs in .venv-oracle
	$(subst $(BIN),.venv-oracle/bin,$(PYTEST)) tests/craftax $(ARGS)

test-browser: .venv/ready  ## drive the pages in headless Chromium, which this installs (as root, on Debian)
	.ci/chromium
	$(PYTEST) tests/browser $(ARGS)

test-matrix:  ## the quick lane on the oldest and newest packages and every Python at hand
	.ci/matrix $(ARGS)

lint: .venv/ready  ## style, format, types, layers and words
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo
	$(BIN)/python .ci/words --docstrings

format: .venv/ready  ## sort imports, fix what can be fixed, format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:  ## write requirements.lock anew (ARGS=--upgrade moves every version)
	.ci/lock $(ARGS)

clean:  ## remove .venv, .venv-oracle and everything that can be made again (runs/ stays)
	rm -rf .venv .venv-oracle build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov
	find openworld trainers tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: requirements.lock pyproject.toml .ci/venv $(wildcard openworld/adapters/discovery/*)
	@.ci/venv
	@touch $@

.venv-oracle/ready: requirements.lock pyproject.toml .ci/venv
	@.ci/venv oracle
	@touch $@
