# The words that developers and CI use. `make help` lists them.
PYTHON := .venv/bin/python

.PHONY: help install serve test check lint types imports format lock revision bench

help:  ## What each word does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install:  ## Bring .venv up to date with the lock
	@python3 tools/develop.py install

serve:  ## Start Airside at http://127.0.0.1:8000
	@python3 tools/develop.py serve

test:  ## Run the whole test suite
	@python3 tools/develop.py test

check: lint types imports  ## Everything that reads the code without running it

lint: install  ## Style and likely mistakes
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

types: install  ## Strict types
	@$(PYTHON) -m pyright

imports: install  ## Which room may import which
	@.venv/bin/lint-imports

format: install  ## Rewrite the code in the one style
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

lock:  ## Resolve the dependencies anew and write both lock files
	@$(PYTHON) tools/lock.py

revision: install  ## Write a migration for changed tables: make revision WHY="Add the column color"
	@$(PYTHON) tools/revision.py "$(WHY)"

bench:  ## Measure Airside beside its peers, in one run
	@python3 bench/run.py
