# Variables: make demo PORT=9000 DATA=/srv/demo · make test PYTHON=python3.13 WORKERS=4
PYTHON ?= python3
PORT ?= 8000
DATA ?= .demo
WORKERS ?= auto
BIN = .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test check bench mutants lock system
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile
demo: .venv/run.stamp ## serve personas, services and portals at http://localhost:PORT
	@$(BIN)/idp demo --port $(PORT) --data $(DATA)
test: .venv/dev.stamp system ## run every test, with real PostgreSQL and Chromium
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
check: .venv/dev.stamp ## format, lint, types, layers, unit and hygiene tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n $(WORKERS) -m 'not tools' tests/unit tests/hygiene
bench: .venv/dev.stamp ## measure CPU per login and ratios to the floors
	$(BIN)/python -m tests.bench
mutants: .venv/dev.stamp ## mutate the decision and see that a test notices
	$(BIN)/python -m tests.mutants
lock: ## resolve the dependencies anew, with hashes and without addresses
	.ci/lock $(PYTHON)
system:
	@.ci/system
.venv/bin/python:
	$(PYTHON) -m venv .venv
.venv/run.stamp: requirements.lock | .venv/bin/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e . && touch $@
.venv/dev.stamp: requirements-dev.lock requirements.lock | .venv/bin/python
	$(PIP) --require-hashes -r requirements-dev.lock
	$(PIP) --no-deps --no-build-isolation -e . && touch .venv/run.stamp $@
