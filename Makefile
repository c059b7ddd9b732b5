# The commands of this repository; `make help` lists them. Needs python3 (3.11 or newer, with venv), git, make and
# openssl, and reaches the Python package index alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINT := $(VENV)/lint
COLLECTION := $(VENV)/collections/ansible_collections/siptls/cucm
PYTEST_WORKERS ?= 3
PYTEST_ARGS ?=

SHELL := /bin/sh
.DEFAULT_GOAL := help
export PYTHONUTF8 := 1
export LC_ALL ?= C.UTF-8

.PHONY: help setup trunk test test-matrix lint lint-fast bench clean

help: ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

setup: $(VENV)/.stamp ## The environment in .venv, with the collection and the lab in it

$(VENV)/.stamp: requirements.txt tests/requirements.txt tests/lab/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12"; exit 1; }
	@echo "== environment in $(VENV) (some minutes the first time)"
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) can't make environments; on Debian install python3-venv"; exit 1; }
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off -r tests/requirements.txt | \
	  grep -v 'already satisfied' || true
	@$(BIN)/python -c 'import ansible, cucm_lab, pytest, zeep'
	@mkdir -p $(dir $(COLLECTION)) && ln -sfn ../../../.. $(COLLECTION)
	@touch $@

$(LINT)/.stamp: tests/requirements-lint.txt
	@echo "== tools for lint in $(LINT)"
	@test -x $(LINT)/bin/pip || $(PYTHON) -m venv $(LINT)
	@$(LINT)/bin/pip install --disable-pip-version-check --progress-bar off -q -r tests/requirements-lint.txt
	@touch $@

trunk: $(VENV)/.stamp ## Two clusters of the lab, from their defaults to calls over mutual TLS; the verdict in build/trunk
	@$(BIN)/python tests/trunk.py

test: $(VENV)/.stamp ## Unit, lab and playbook tests
	@$(BIN)/python -m pytest -m "not matrix" -n $(PYTEST_WORKERS) --dist loadgroup $(PYTEST_ARGS)

test-matrix: $(VENV)/.stamp ## Every pair of releases, every CA, one node and three
	@$(BIN)/python -m pytest -m matrix -n $(PYTEST_WORKERS) --dist loadgroup $(PYTEST_ARGS)

lint: $(VENV)/.stamp $(LINT)/.stamp ## Every gate, each saying how many checks ran
	@$(BIN)/python tests/gates.py $(GATES)

lint-fast: $(VENV)/.stamp ## The gates that need no further tools
	@$(BIN)/python tests/gates.py --fast

bench: $(VENV)/.stamp ## The benchmarks, to build/bench.json
	@$(BIN)/python -m tests.benchmark

clean: ## Remove what was built, the environment apart
	rm -rf build tests/output
