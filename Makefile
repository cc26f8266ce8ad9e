# SightSync: `make run` runs it, `make test` tests it. Both need Python 3.11 or later and nothing else.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT ?= 8000
export PORT
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

.PHONY: help run test setup bench lock fmt python-is-new-enough chromium

help: ## Show these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Start everything with a demo practice; Ctrl-C stops it
	@exec python manage.py start

test: setup chromium ## Lint, types, layers and the whole test suite
	@echo "Checking style, types and layers"
	@ruff check --quiet .
	@ruff format --check --quiet .
	@mypy --no-error-summary .
	@lint-imports >$(VENV)/layers.txt || { cat $(VENV)/layers.txt; exit 1; }
	@python manage.py check --fail-level WARNING >/dev/null
	@python manage.py makemigrations --check --dry-run
	@echo "Running the tests on PostgreSQL"
	@pytest -q -n $${TEST_WORKERS:-2}
	@if [ ! -s $(VENV)/chromium ]; then \
		echo "No Chromium was found, so the browser tests were skipped: install chromium and run this again."; \
	fi

setup: $(STAMP) ## Create .venv, install the locked packages, prepare the database
	@python manage.py migrate --verbosity 0

bench: setup ## Measure against limits and peers; prints ratios
	@python -m bench

lock: $(STAMP) ## Compile requirements*.txt from pyproject.toml, with hashes
	@uv pip compile pyproject.toml --quiet --universal --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --output-file requirements.txt
	@uv pip compile pyproject.toml --quiet --universal --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra dev --output-file requirements-dev.txt

fmt: $(STAMP) ## Format the code and mend what can be mended by itself
	@ruff check --quiet --fix-only .
	@ruff format --quiet .

python-is-new-enough:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
		if command -v $$python >/dev/null && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exit 0; \
		fi; \
	done; \
	echo "SightSync needs Python 3.11 or later as python3; this is $$(python3 --version 2>&1)." >&2; \
	exit 1

$(STAMP): requirements-dev.txt | python-is-new-enough
	@if ! $(BIN)/python -c 'import pip' 2>/dev/null; then \
		for python in python3 python3.14 python3.13 python3.12 python3.11; do \
			command -v $$python >/dev/null || continue; \
			$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
			if ! $$python -m venv --clear $(VENV) >/dev/null; then \
				echo "$$python cannot make a virtual environment: on Debian and Ubuntu, apt-get install python3-venv." >&2; \
				exit 1; \
			fi; \
			break; \
		done; \
	fi
	@echo "Installing the locked packages into $(VENV)"
	@$(BIN)/python -m pip install --quiet --quiet --require-hashes --requirement requirements-dev.txt
	@touch $(STAMP)

# Leaves the browser's path in .venv/chromium; the file is empty where there is none.
chromium: $(STAMP)
	@find_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome || true; }; \
	found="$${CHROMIUM:-$$(find_browser)}"; \
	if [ -z "$$found" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests"; \
		(apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium) >/dev/null 2>&1 || true; \
		found="$$(find_browser)"; \
	fi; \
	if [ -z "$$found" ] && [ "$${CI:-}" = true ]; then \
		echo "CI=true and no Chromium: the browser tests may not be skipped here. Install chromium." >&2; \
		exit 1; \
	fi; \
	printf '%s' "$$found" >$(VENV)/chromium
