# Every task of the project. `make` alone lists them.
# Each target sets up what it needs in .venv from the hash-pinned files in requirements/.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# A test path or any pytest option: make test T="tests/api -k reply"
T ?=
# The directory of the project that make new creates: make new TO=../field-notes
TO ?=
# Options of make bench: make bench B="--routes home,create --peers cruddur,flask --workers 1"
B ?=
# Extras of the running service: make run EXTRAS="aws rollbar"
EXTRAS ?=
# A planted problem to find: make run SCENARIO=slow-search (docs/scenarios.md).
SCENARIO ?=
# Options of make load and make load-seed (docs/development.md).
URL ?= http://127.0.0.1:4567
REMOTE ?=
USERS ?= 50
RATE ?= 0
TIME ?= 1m
WEB ?=
CRUDS ?= 100000
MEMBERS ?= 1000
HOLD ?=
AMONG_PEOPLE ?=
# Which attacks make attack runs; empty: all.
A ?=
# The address that make dev serves on; containers use 0.0.0.0.
HOST := localhost

FRONTEND := frontend-react-js
MODULES := $(FRONTEND)/node_modules/.installed
# The built page. It is left out if no Node.js can build it; everything else works.
PAGE := $(if $(shell command -v npm),$(shell node -p '\
    const [major, minor] = process.versions.node.split(".").map(Number);\
    major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)\
    ? "$(FRONTEND)/dist/index.html" : ""' 2>/dev/null))
NO_PAGE := Node.js 20.19 or newer with npm was not found:

# Python caches compiled modules, and pytest the test files with its rewritten assertions: half of
# the time that it takes to collect the tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run doctor dev test coverage check format types schema registry settings icons image-check images dist wheel-check new template-check readme-check bench bench-telemetry \
    bench-streams bench-commits bench-following bench-replicas bench-http2 bench-traceview bench-growth bench-partitions bench-scale bench-page drill test-bench test-events test-safety test-evidence lighthouse load load-seed scenarios attack lock \
    clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 10

SERVE := $(BIN)/python -m cruddur serve --setup --traces
SCENARIOS := PYTHONPATH=tests $(BIN)/python -m scenarios

# The process id of make. Make expands it, because the parent of a shell that make starts later is
# another process if make has been killed in the meantime.
OWN_ID = $(shell echo $$PPID)

run: $(VENV)/.run $(EXTRAS:%=$(VENV)/.%) $(PAGE) ## Run Cruddur on http://localhost:4567 with its own PostgreSQL (SCENARIO)
	@$(if $(PAGE),,echo "$(NO_PAGE) only the API is served, without the page.")
	@exec env CRUDDUR_FRONTEND_DIRECTORY=$(dir $(PAGE)) \
	    $(if $(SCENARIO),$(SCENARIOS) $(SCENARIO),$(SERVE)) --follow-parent $(OWN_ID)

doctor: $(VENV)/.run $(EXTRAS:%=$(VENV)/.%) ## Check the settings, sinks, ports and database of make run
	@$(BIN)/python -m cruddur doctor

dev: $(MODULES) ## Serve the page on http://localhost:3000 with hot reload, using the API of make run
	@cd $(FRONTEND) && npm run --silent dev -- --host $(HOST)

TESTED := $(VENV)/.dev .local/production/.installed .local/cognito-local/.installed .local/redis \
    .local/pgbouncer .local/haproxy .local/hypercorn/.installed .local/helm/.installed $(PAGE) $(if $(PAGE),.local/browser)

test: $(TESTED) ## Run the tests (T=path or pytest options)
	$(if $(PAGE),$(if $(T),,cd $(FRONTEND) && npm run --silent test),@echo "$(NO_PAGE) the page is not tested.")
	$(BIN)/python -m pytest $(T)

test-bench: $(VENV)/.dev ## Test that the benchmarks run and report their figures
	$(BIN)/python -m pytest -n 2 tests/bench

test-events: $(VENV)/.dev ## Test the event log with 50,000 events in random transactions, among crashes
	CRUDDUR_TEST_EVENTS=50000 CRUDDUR_TEST_SEED=$$(date +%s) \
	    $(BIN)/python -m pytest -n 0 -o faulthandler_timeout=0 tests/live/test_event_log.py

test-safety: $(VENV)/.dev ## Test feeds and streams in 10,000 random steps of follows, blocks, mutes and limits
	CRUDDUR_TEST_SAFETY=10000 CRUDDUR_TEST_SEED=$$(date +%s) \
	    $(BIN)/python -m pytest -n 0 -o faulthandler_timeout=0 tests/live/test_safety_model.py

test-evidence: $(VENV)/.dev ## Test 100,000 reads while reported cruds expire, and that each one can be judged
	CRUDDUR_TEST_READS=100000 CRUDDUR_TEST_SEED=$$(date +%s) \
	    $(BIN)/python -m pytest -n 0 -o faulthandler_timeout=0 tests/api/test_evidence_reads.py

lighthouse: $(VENV)/.dev $(PAGE) $(if $(PAGE),.local/browser .local/lighthouse/.installed) ## Check the page with Lighthouse; fails below 100
	PYTHONPATH=tests $(BIN)/python tests/lighthouse/lighthouse_check.py

coverage: $(TESTED) ## Run the tests and print the coverage of backend/ (T=path or pytest options)
	rm -rf .local/coverage
	$(BIN)/python -m coverage run -m pytest $(T); status=$$?; \
	    $(BIN)/python -m coverage combine --quiet && $(BIN)/python tests/coverage_report.py && \
	    $(BIN)/python -m coverage html --quiet && exit $$status

check: $(VENV)/.dev .local/helm/.installed $(if $(PAGE),$(MODULES) .local/openapi.json) ## Lint, check the format, the types and the chart; edits nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy --platform win32 --cache-dir .mypy_cache/win32
	$(BIN)/hadolint Dockerfile.prod Dockerfile.dev
	$(BIN)/zizmor --offline --quiet --no-progress .github
	$(BIN)/python tests/deploy/chart.py
	$(if $(PAGE),cd $(FRONTEND) && npm run --silent check && npm run --silent types -- --check,@echo "$(NO_PAGE) the page is not checked.")

format: $(VENV)/.dev $(if $(PAGE),$(MODULES)) ## Format the code and apply the linter's fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(if $(PAGE),cd $(FRONTEND) && npm run --silent format)

types: $(MODULES) .local/openapi.json ## Regenerate the page's wire types from the OpenAPI document
	cd $(FRONTEND) && npm run --silent types

schema: $(VENV)/.dev ## Regenerate db/schema.sql from the migrations
	$(BIN)/python tests/db/schema.py

registry: $(VENV)/.dev ## Regenerate the tables of docs/telemetry.md from the registry
	$(BIN)/python tests/telemetry/document.py

settings: $(VENV)/.dev ## Regenerate the settings in docs/operations.md, .env.example and deploy/
	$(BIN)/python tests/architecture/settings_documents.py

icons: $(VENV)/.dev .local/browser ## Draw the PNG icons of the front end from its SVG icon
	PYTHONPATH=tests $(BIN)/python tests/frontend/icons.py

image-check: ## Build the production image and test it as compose.prod.yaml deploys it (needs Docker or Podman)
	$(PYTHON) tests/images/image_check.py

images: ## Run image-check, and also test the development image, compose.yaml and its profile scale
	$(PYTHON) tests/images/images.py

dist: $(VENV)/.run $(PAGE) ## Build the wheels and source distributions of cruddur and cruddur-service in dist/
	$(if $(PAGE),,$(error $(NO_PAGE) the wheel contains the page, so it cannot be built))
	@rm -rf dist backend/*.egg-info/SOURCES.txt
	@for project in . deploy/wheel; do (cd $$project && $(CURDIR)/$(BIN)/python -c \
	    "from setuptools import build_meta; build_meta.build_sdist('$(CURDIR)/dist')" >/dev/null) || exit; done
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir dist dist/*.tar.gz
	@ls dist

wheel-check: dist $(VENV)/.dev .local/browser ## Run the built wheels in an empty environment, as uvx does
	PYTHONPATH=tests $(BIN)/python tests/wheel/wheel_check.py

new: .local/copier/.installed ## Create another service in the form of this one (TO=../field-notes)
	$(if $(TO),,$(error Say where: make new TO=../field-notes))
	@.local/copier/bin/copier copy --vcs-ref HEAD . "$(TO)"

template-check: $(VENV)/.dev .local/copier/.installed ## Create a service with make new, and run its checks, its tests and itself
	PYTHONPATH=tests $(BIN)/python tests/template/template_check.py

readme-check: ## Run every command of README.md on a clean clone of the last commit
	$(PYTHON) tests/readme/readme_check.py

bench: $(VENV)/.bench ## Measure the routes and equivalent peers (B=--short; docs/performance.md)
	$(BIN)/python -m benchmarks $(B)

bench-telemetry: $(VENV)/.dev ## Measure what telemetry costs, next to the stock wiring
	$(BIN)/python -m benchmarks.telemetry

bench-streams: $(VENV)/.dev ## Measure memory, delays and losses of live streams
	$(BIN)/python -m benchmarks.streams

bench-commits: $(VENV)/.dev ## Measure posts a second with and without events, also with slow commits
	$(BIN)/python -m benchmarks.commits

bench-following: $(VENV)/.dev ## Measure follows, blocks and mutes with 1,000,000 cruds
	$(BIN)/python -m benchmarks.following

bench-replicas: $(VENV)/.dev ## Measure reads with and without a read replica, on this machine
	PYTHONPATH=tests $(BIN)/python -m benchmarks.replicas

bench-http2: $(VENV)/.dev ## Measure reads beside a stream and an upload, over one connection or many
	PYTHONPATH=tests $(BIN)/python -m benchmarks.http2

bench-traceview: $(VENV)/.dev ## Measure the trace explorer with a million spans
	$(BIN)/python -m benchmarks.traceview

bench-growth: $(VENV)/.dev ## Measure table and index sizes while a month and 48 hours pass in 22 minutes
	$(BIN)/python -m benchmarks.growth

bench-partitions: $(VENV)/.dev ## Measure expiry by DELETE and by partitions, with 100,000,000 cruds (B="--rows 1000000")
	$(BIN)/python -m benchmarks.partitions $(B)

bench-scale: $(VENV)/.dev ## Predict 1, 2 and 4 shards and measure them (B=--plan: what 10^8 accounts need)
	$(BIN)/python -m benchmarks.scale $(B)

bench-page: $(VENV)/.dev $(PAGE) $(if $(PAGE),.local/browser) ## Measure the CPU time of the page with 1,000 cruds
	PYTHONPATH=tests $(BIN)/python -m benchmarks.page

drill: $(VENV)/.dev .local/patroni .local/haproxy ## Lose the primary of a Patroni cluster and switch over, under load (B=--asynchronous)
	PYTHONPATH=tests $(BIN)/python -m benchmarks.failover $(B)

load: $(VENV)/.load ## Load a running service with simulated users (URL, USERS, RATE, TIME; WEB=1 for Locust's page)
	$(BIN)/python -m locust --locustfile tests/load/locustfile.py --host "$(URL)" --remote "$(REMOTE)" \
	    --users $(USERS) --spawn-rate 10 --run-time $(TIME) --rate $(RATE) \
	    --csv .local/load/stats --report .local/load \
	    $(if $(WEB),--web-host 127.0.0.1 --autostart,--headless --only-summary)

load-seed: $(VENV)/.run ## Add users and cruds before a load test (CRUDS, MEMBERS, HOLD=1)
	$(BIN)/python tests/load/seed.py --cruds $(CRUDS) --members $(MEMBERS) \
	    $(if $(HOLD),--hold) $(if $(AMONG_PEOPLE),--among-people)

scenarios: $(VENV)/.dev ## Plant each problem of docs/scenarios.md, and print whether the explorer shows its cause
	$(BIN)/python -m pytest -n 0 -s tests/scenarios/test_scenarios.py

attack: $(VENV)/.run ## Attack a running service on this machine (URL, A="part of a name") and print its state before and after
	PYTHONPATH=tests $(BIN)/python -m attacks --url "$(URL)" $(A)

lock: ## Resolve the dependencies again and write requirements/
	$(PYTHON) -m venv .local/lock
	.local/lock/bin/python -m pip install --quiet --upgrade uv
	sh requirements/lock.sh .local/lock/bin/uv

clean: ## Remove the environment, the caches and the local database
	rm -rf $(VENV) .local .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf $(FRONTEND)/node_modules $(FRONTEND)/dist

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cruddur needs Python 3.11 or newer: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv $(VENV)

# The running service: the base install and the embedded PostgreSQL.
$(VENV)/.run: requirements/build.txt requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.txt -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.aws $(VENV)/.load $(VENV)/.redis $(VENV)/.rollbar: $(VENV)/.%: requirements/%.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --require-hashes -r $<
	@touch $@

# The peers of the benchmarks. Their instrumentations require older versions than requirements/ has
# (bench-overrides.txt). The file is complete, so pip does not resolve dependencies.
$(VENV)/.bench: requirements/bench.txt $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r $<
	@touch $@

# The same versions, with the development tools in addition.
$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# Compose leaves an empty directory, owned by root: the mount point of its own modules.
$(MODULES): $(FRONTEND)/package.json $(FRONTEND)/package-lock.json
	@rmdir $(@D) 2>/dev/null || true
	cd $(FRONTEND) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Node.js cannot load modules below a path with a backslash, so a copy is built elsewhere.
$(FRONTEND)/dist/index.html: $(MODULES) $(wildcard $(addprefix $(FRONTEND)/,*.html *.ts *.json public/* worker/* src/* src/*/* src/*/*/*))
	@cd $(FRONTEND) && case "$$PWD" in \
	    *\\*) copy=$$(mktemp -d) && cp -R . "$$copy" && (cd "$$copy" && npm run --silent build) && \
	        rm -rf dist && cp -R "$$copy/dist" . && rm -rf "$$copy" ;; \
	    *) npm run --silent build ;; \
	esac

.local/openapi.json: $(VENV)/.run FORCE
	@mkdir -p $(@D)
	@$(BIN)/python -m cruddur openapi > $@

.PHONY: FORCE
FORCE:

# The browsers of tests/e2e: an installed Chromium, or else one that is downloaded, and Debian's
# Firefox if possible.
.local/browser: tests/e2e/browser_path.py $(VENV)/.dev
	$(BIN)/python $<

# Exactly the packages of the production image: a test imports every module with them.
.local/production/.installed: requirements/prod.txt | $(BIN)/python
	@mkdir -p $(@D)
	$(BIN)/python -m venv --clear --without-pip $(@D)
	$(BIN)/python -m pip --python $(@D)/bin/python install --quiet --require-hashes -r $<
	@touch $@

# Copier, in an environment of its own: only the template needs it.
.local/copier/.installed: requirements/copier.txt | $(BIN)/python
	@mkdir -p $(@D)
	$(BIN)/python -m venv --clear --without-pip $(@D)
	$(BIN)/python -m pip --python $(@D)/bin/python install --quiet --require-hashes -r $<
	@touch $@

# A Redis server for the tests of CRUDDUR_BUS: an installed one, or else Debian's if possible.
.local/redis:
	@mkdir -p $(@D)
	@command -v redis-server || command -v valkey-server || { \
	    [ "$$(id -u)" = 0 ] && apt-get -qq update && \
	    apt-get -qq --yes install --no-install-recommends redis-server >/dev/null; \
	} 2>/dev/null || echo "redis-server was not found: its tests will be skipped"
	@touch $@

# PgBouncer for the tests of the pooler: an installed one, or else Debian's if possible.
.local/pgbouncer:
	@mkdir -p $(@D)
	@PATH="$$PATH:/usr/sbin" command -v pgbouncer || { \
	    [ "$$(id -u)" = 0 ] && apt-get -qq update && \
	    apt-get -qq --yes install --no-install-recommends pgbouncer >/dev/null; \
	} 2>/dev/null || echo "pgbouncer was not found: its tests will be skipped"
	@touch $@

# HAProxy for the tests of deploy/haproxy: an installed one, or else Debian's if possible.
.local/haproxy:
	@mkdir -p $(@D)
	@PATH="$$PATH:/usr/sbin" command -v haproxy || { \
	    [ "$$(id -u)" = 0 ] && apt-get -qq update && \
	    apt-get -qq --yes install --no-install-recommends haproxy >/dev/null; \
	} 2>/dev/null || echo "haproxy was not found: its tests will be skipped"
	@touch $@

# Helm, for the checks of the chart: an installed one, or else that of a package by AWS, which has the
# program for Linux on x86-64.
.local/helm/.installed: requirements/helm.txt $(VENV)/.dev
	@rm -rf $(@D) && mkdir -p $(@D)
	@command -v helm || { [ "$$(uname -sm)" = "Linux x86_64" ] && \
	    $(BIN)/python -m pip download --quiet --no-deps --only-binary :all: --require-hashes \
	        --dest $(@D) -r $< && \
	    python=$$(cd $(BIN) && pwd)/python && cd $(@D) && \
	    "$$python" -m zipfile -e *.whl . && tar -xzf aws_cdk/*/_jsii/*.jsii.tgz && \
	    "$$python" -m zipfile -e package/lib/layer.zip layer && mv layer/helm/helm helm && \
	    chmod +x helm && rm -rf *.whl aws_cdk* package layer; \
	} || echo "helm was not found: the chart will not be checked"
	@touch $@

# Patroni and etcd for the drill: installed ones, or else Debian's if possible.
.local/patroni:
	@mkdir -p $(@D)
	@{ command -v patroni && command -v etcd; } || { \
	    [ "$$(id -u)" = 0 ] && apt-get -qq update && \
	    apt-get -qq --yes install --no-install-recommends patroni etcd-server python3-etcd >/dev/null; \
	} 2>/dev/null || echo "patroni and etcd were not found: the drill will be skipped"
	@touch $@

# Hypercorn's own tests, in the source distribution with the hash of requirements/dev.txt. Without a
# package index they are skipped; pip prints why.
.local/hypercorn/.installed: requirements/dev.txt $(VENV)/.dev
	@rm -rf $(@D) && mkdir -p $(@D)
	@sed -n '/^hypercorn==/,/[^\\]$$/p' $< > $(@D)/requirements.txt
	@$(BIN)/python -m pip download --quiet --no-deps --no-binary hypercorn --require-hashes \
	    --dest $(@D) -r $(@D)/requirements.txt && tar -xzf $(@D)/hypercorn-*.tar.gz -C $(@D) || \
	    echo "hypercorn's sources were not found: its own tests will be skipped"
	@touch $@

.local/lighthouse/.installed: tests/lighthouse/package.json tests/lighthouse/package-lock.json
	@mkdir -p $(@D) && cp $^ $(@D)
	npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# A Cognito emulator. Without npm its tests are skipped; the tests against our own fake still run.
.local/cognito-local/.installed: tests/fakes/cognito-local/package.json tests/fakes/cognito-local/package-lock.json
	@mkdir -p $(@D) && cp $^ $(@D)
	@if command -v npm >/dev/null; then \
	    npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error; \
	else echo "npm was not found: the tests against cognito-local will be skipped"; fi
	@touch $@
