# The commands of this repository; `make help` lists them. Needs Python 3.11 or newer (with venv), git, make and openssl,
# and reaches the Python package index alone. PYTHON names the Python; without it the first new enough one is taken.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
LINT := $(VENV)/lint
COLLECTION := $(VENV)/collections/ansible_collections/siptls/cucm
PYTEST_WORKERS ?= 4
PYTEST_ARGS ?=
# Shows which branches the tests run; `make test COVERAGE=` does without.
COVERAGE ?= -p tests.support.branch_coverage
# What the tests of a file share is made once; the long tests come first.
GROUPS := --dist loadgroup --no-loadscope-reorder -p tests.support.file_groups
PIP := --disable-pip-version-check --root-user-action ignore --progress-bar off -qq

SHELL := /bin/sh
.DEFAULT_GOAL := help
export PYTHONUTF8 := 1
# Some container images switch off Python's cache of compiled code, which the tests' many processes need to be fast.
export PYTHONDONTWRITEBYTECODE :=
export LC_ALL ?= C.UTF-8

.PHONY: help setup trunk test test-matrix test-cores lint lint-fast docs molecule lab bench clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

setup: $(VENV)/.stamp ## Create the environment in .venv, with the collection and the lab

# An environment that pip could not fill gets no stamp, so that the next call tries again.
$(VENV)/.stamp: requirements.txt tests/requirements.txt lab/pyproject.toml
	@command -v openssl >/dev/null || { echo "The program openssl is missing: on Debian install openssl."; exit 1; }
	@echo "== environment in $(VENV) (some minutes the first time)"
	@test -x $(BIN)/python -a -x $(BIN)/pip || { python=$$(sh dev/find_python.sh "$(PYTHON)") && $$python -m venv $(VENV); }
	@$(BIN)/python -m pip install $(PIP) -r tests/requirements.txt
	@$(BIN)/python -c 'import ansible, cucm_lab, pytest, zeep'
	@mkdir -p $(dir $(COLLECTION)) && ln -sfn ../../../.. $(COLLECTION)
	@touch $@

$(LINT)/.stamp: tests/requirements-lint.txt
	@echo "== tools for lint and docs in $(LINT) (some minutes the first time)"
	@test -x $(LINT)/bin/python -a -x $(LINT)/bin/pip || \
	  { python=$$(sh dev/find_python.sh "$(PYTHON)") && $$python -m venv $(LINT); }
	@$(LINT)/bin/python -m pip install $(PIP) -r tests/requirements-lint.txt
	@touch $@

trunk: $(VENV)/.stamp ## Take two clusters of the lab from their defaults to calls over mutual TLS; the verdict is in build/trunk
	@$(BIN)/python -m dev.trunk

# pytest's workers start together, and each would compile the tests for itself.
$(VENV)/.compiled: $(VENV)/.stamp
	@echo "== compiling the tests"
	@$(BIN)/python -m pytest --collect-only -qq -n 0 > $@ || true

test: $(VENV)/.compiled ## Run unit, lab and playbook tests
	@$(BIN)/python -m pytest -m "not matrix" -n $(PYTEST_WORKERS) $(GROUPS) $(COVERAGE) $(PYTEST_ARGS)

test-matrix: $(VENV)/.compiled ## Run the long tests: every pair of releases, every CA, one node and three
	@$(BIN)/python -m pytest -m matrix -n $(PYTEST_WORKERS) --dist loadgroup $(PYTEST_ARGS)

test-cores: $(VENV)/.stamp ## Run the main tests on every supported ansible-core for which there is a Python; CORES= names some, or `ends`
	@$(BIN)/python -m dev.cores $(CORES)

lint: $(VENV)/.stamp $(LINT)/.stamp ## Run every gate, each showing how many checks it made; GATES= names some
	@$(BIN)/python -m dev.gates $(GATES)

lint-fast: $(VENV)/.stamp ## Run the gates that need no other tools
	@$(BIN)/python -m dev.gates --fast

docs: $(VENV)/.stamp $(LINT)/.stamp ## Build the documentation site in build/docs/html
	@$(BIN)/python -m dev.docs_site

molecule: $(VENV)/.stamp $(LINT)/.stamp ## Run the Molecule scenario: start the lab, set up twice, verify, call, stop the lab
	@cd extensions && env ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/$(VENV)/collections PATH="$(CURDIR)/$(BIN):$$PATH" \
	  $(CURDIR)/$(LINT)/bin/molecule $(or $(MOLECULE),test)

lab: $(VENV)/.stamp ## Build the lab's wheel and sdist in build/lab-package, and test them in an empty environment
	@$(BIN)/python -m dev.lab_package

bench: $(VENV)/.stamp ## Run the benchmarks, which write build/bench.json and docs/performance.md; CASES="a c" runs some
	@$(BIN)/python -m dev.benchmark $(CASES)

clean: ## Remove everything that was built, except the environment
	rm -rf build tests/output
