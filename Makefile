# Hutong: make demo shows a region of six nodes on this machine; make test proves it.
#
#   make demo                  a nation, a region and four provinces, told in the terminal
#   make test                  every test, with what it needs (a browser among it)
#   make check                 lint, format, types, import contracts
#   make docs                  the pages that are written from the code
#   make pictures [PORT=8310]  the docs' pictures, from a demonstration that is open (make demo)
#   make conformance           the Dataspace Protocol's compatibility kit; needs Java 17 and Maven (RECORD=1: its page)
#   make bench [JSON=file]     figures beside the limit measured in the same run
#   make lock                  new requirement files from pyproject.toml
#   make clean                 removes .venv and what was built; never a node's folder
#
# Needs Python 3.11 or later with venv. Everything else is installed into .venv, every file by its hash.

PYTHON ?= $(shell for one in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$one; exit; }; done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install --require-hashes --no-deps --progress-bar off --requirement
MESSAGES := $(wildcard src/hutong/portal/locale/*/LC_MESSAGES/*.po)
REGION ?= demo-region
# Checks read the Django settings, which need a node to be settings of.
CHECK_NODE := $(VENV)/check-node
# Tests start nodes as processes by the dozen: let each find the modules compiled.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo install test check docs pictures conformance bench lock clean help
.DEFAULT_GOAL := help

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

demo: install
	@$(BIN)/hutong demo $(REGION)

install: $(VENV)/.installed $(VENV)/.messages

test: install $(VENV)/.development $(VENV)/.browser
	$(BIN)/python -m pytest -p no:cacheprovider --numprocesses 3 --dist loadfile $(PYTEST)

check: install $(VENV)/.development $(CHECK_NODE)/hutong.toml
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	HUTONG_HOME=$(CHECK_NODE) $(BIN)/mypy
	$(BIN)/lint-imports

docs: install $(CHECK_NODE)/hutong.toml
	$(BIN)/python -m hutong.control.agreements.diagram > docs/states.md.new
	@mv docs/states.md.new docs/states.md
	$(BIN)/python -m hutong.control.statute.page $(CHECK_NODE) > docs/rules.md.new
	@mv docs/rules.md.new docs/rules.md
	$(BIN)/python -m hutong.node.doors $(CHECK_NODE) > docs/openapi.json.new
	@mv docs/openapi.json.new docs/openapi.json

pictures: install $(VENV)/.development $(VENV)/.browser
	$(BIN)/python -m tests.pictures $(or $(PORT),8310)

conformance: install $(VENV)/.development
	$(BIN)/python -m tests.conformance $(if $(RECORD),--record)

bench: install $(VENV)/.development
	$(BIN)/python -m bench $(if $(JSON),--json $(JSON)) $(BENCH)

lock: $(VENV)/lock/bin/uv
	$(VENV)/lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --no-emit-find-links --quiet --upgrade --group build \
		--output-file requirements/run.lock
	$(VENV)/lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --no-emit-find-links --quiet --upgrade --group dev --all-extras \
		--constraint requirements/run.lock --output-file requirements/dev.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -f src/hutong/portal/locale/*/LC_MESSAGES/*.mo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "error: Hutong needs Python 3.11 or later. Nothing was changed."; \
		     echo "Install it, or name one: make PYTHON=/path/to/python3.11 ..."; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "error: this Python has no venv module. Nothing was changed."; \
		     echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; } >&2

# The editable install links src/; it is made again only when its own description changes.
$(VENV)/.installed: requirements/run.lock pyproject.toml hatch_build.py | $(BIN)/python
	@echo "Installing what Hutong runs on, each file by its hash"
	$(INSTALL) requirements/run.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: requirements/dev.lock | $(VENV)/.installed
	@echo "Installing what the tests and checks need, each file by its hash"
	$(INSTALL) requirements/dev.lock
	@touch $@

$(VENV)/.messages: $(MESSAGES) hatch_build.py | $(VENV)/.installed
	@$(BIN)/python hatch_build.py
	@touch $@

$(VENV)/.browser: tests/chromium.py | $(VENV)/.development
	$(BIN)/python -m tests.chromium
	@touch $@

$(VENV)/lock/bin/uv: | $(BIN)/python
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip --disable-pip-version-check install --quiet uv

$(CHECK_NODE)/hutong.toml: | $(BIN)/python
	@mkdir -p $(CHECK_NODE)
	@printf 'jurisdiction = "000000"\nname_zh = "check"\n' > $@
