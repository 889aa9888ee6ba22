# Every word that people and CI use. `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install serve test lint format types imports check coverage mutants random-mutants openapi api-coverage revision initial-revision lock faults-refresh faults-webhooks container sdk-suites client-suites screenshots bench bench-records bench-deletions bench-webhooks ci

help: ## List the words
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-18s %s\n", $$1, $$2 }'

install: ## Bring .venv up to date with the lock, tools for developing included
	@$(PYTHON) tools/develop.py install

serve: ## Start Airside at http://127.0.0.1:8000
	@$(PYTHON) tools/develop.py serve

test: ## Run the whole test suite; ARGS="tests/oauth -k consent" narrows it
	@$(PYTHON) tools/develop.py test $(ARGS)

lint: install ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install ## Fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: install ## Check types, strictly
	$(BIN)/pyright

imports: install ## Check that the rooms depend on each other only in the drawn direction
	$(BIN)/lint-imports

check: lint types imports ## All checks that run nothing

# The files of tests/security and tests/developer that test oauth and webhooks.
COVERING = tests/rest tests/work tests/oauth tests/webhooks tests/contract tests/developer $(shell grep -l AppSide tests/security/*.py)

coverage: install ## Measure the branch coverage of rest, work, oauth and webhooks, and fail below 95 % of any
	$(BIN)/coverage run -m pytest -p tests.support.coverage_contexts -n 0 -o timeout=600 $(COVERING)
	for room in rest work oauth webhooks; do $(BIN)/coverage report --include="airside/$$room/*" || exit 1; done

mutants: install ## Break each promise of tools/mutants.toml once and see its tests fail; ARGS="paging --jobs 1" narrows it
	$(BIN)/python tools/mutants.py $(ARGS)

random-mutants: install ## After `make coverage`: break 200 random places of the same rooms, and list what no test detects
	$(BIN)/python tools/random_mutants.py $(ARGS)

openapi: install ## Write docs/api/openapi-*.json anew, after the API or its description has changed
	$(BIN)/python -m tools.openapi

api-coverage: install ## Write docs/api-coverage.md anew, after operations have been added
	$(BIN)/python -m tools.api_coverage

revision: install ## Write the migration to today's tables: make revision WHY="Add …"
	$(BIN)/python tools/revision.py "$(WHY)"

initial-revision: install ## Rewrite the first migration from scratch (only until the first release)
	$(BIN)/python tools/revision.py --initial

lock: install ## Lock every package with its hashes; UPGRADE=1 takes the newest
	UPGRADE=$(UPGRADE) $(BIN)/python tools/lock.py

faults-refresh: install ## Race and kill servers while apps refresh, at full size; ARGS="--races 1000" is shorter
	$(BIN)/python -m tests.faults.refresh $(ARGS)

faults-webhooks: install ## Kill everything while webhooks are delivered, at full size; ARGS="--on sqlite --kills 20" is shorter
	$(BIN)/python -m tests.faults.webhooks $(ARGS)

container: install ## Build and try the image where a container engine answers; elsewhere list what wasn't run
	$(BIN)/python -m tools.container

sdk-suites: install ## Run the official SDKs' own tests: ARGS="--python ../plane-python-sdk --node ../plane-node-sdk"
	$(BIN)/python -m tests.sdk_suites $(ARGS)

client-suites: install ## Try published clients, each of its actions: ARGS="mcp --database sqlite" narrows it
	$(BIN)/python -m tests.client_suites $(ARGS)

screenshots: install ## Take a picture of every page into docs/screenshots/; ARGS="members" narrows it
	$(BIN)/python -m tests.pages.screenshots $(ARGS)

bench: ## Measure Airside beside published peers; ARGS="--quick" is shorter
	@$(PYTHON) bench/run.py $(ARGS)

bench-records: install ## Measure the operations of every record at 1,000 and at 100,000 rows; ARGS="--database sqlite" narrows it
	@$(BIN)/python bench/records.py $(ARGS)

bench-deletions: install ## Measure how long the deletion of a record with 10,000 and 100,000 children holds up others
	@$(BIN)/python bench/deletions.py $(ARGS)

bench-webhooks: install ## Measure webhooks beside the HTTP client alone and Celery; ARGS="--quick" is shorter
	@$(BIN)/python bench/webhooks.py --airside-bin $(BIN) $(ARGS)

ci: ## What CI runs
	.ci/run
