# What people and pipelines call. Each target sets up what it needs on a machine that has just Python 3.11+ and make.
ENV ?= local
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
CHECKOV := .venv-checkov/.ready

# A person at a terminal is asked before a real environment changes; the sandbox and pipelines are not.
YES := $(if $(filter local,$(ENV)),--yes,$(shell [ -t 0 ] || echo --yes))

.DEFAULT_GOAL := help
.PHONY: help ready deploy-env plan-env destroy-env image-build image-push generate lint cost graph test static coverage scan check test-litellm check-deep golden schema bench clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

ready: $(READY) ## Set up .venv, and nothing else

deploy-env: $(READY) ## Bring environment ENV (default: local, the sandbox) to what its file says
	@$(BIN)/gatestack deploy $(ENV) $(YES)

plan-env: $(READY) ## Show what deploy-env would change
	@$(BIN)/gatestack plan $(ENV)

destroy-env: $(READY) ## Take environment ENV away, in reverse order
	@$(BIN)/gatestack destroy $(ENV) $(YES)

image-build: $(READY) ## Build the image of ENV's tasks; TAG (default: the commit), CONTEXT (default: image)
	@$(BIN)/gatestack image $(ENV) $(if $(TAG),--tag '$(TAG)') $(if $(CONTEXT),--context '$(CONTEXT)')

image-push: $(READY) ## Build it, and push it to ENV's repository; a tag that is there is refused
	@$(BIN)/gatestack image $(ENV) --push $(if $(TAG),--tag '$(TAG)') $(if $(CONTEXT),--context '$(CONTEXT)')

generate: $(READY) ## Render ENV's templates into build/ENV
	@$(BIN)/gatestack generate $(ENV)

lint: $(READY) ## cfn-lint over ENV's templates; errors and warnings fail
	@$(BIN)/gatestack lint $(ENV)

cost: $(READY) ## Estimate what ENV costs in a month; ARGS: --live, --format json
	@$(BIN)/gatestack cost $(ENV) $(ARGS)

graph: $(READY) ## Show ENV's stacks and what passes between them
	@$(BIN)/gatestack graph $(ENV)

test: $(READY) ## Run the tests
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not deep and not litellm"

static: $(READY) ## Check format, style and types
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

coverage: $(READY) ## Check that the tests take every branch of the decisions
	@$(BIN)/coverage run --branch --source=deployer -m pytest tests/test_decide.py tests/test_graph.py
	@$(BIN)/coverage report --include='deployer/decide.py,deployer/graph.py,deployer/statuses.py' --fail-under=100 -m

scan: $(READY) $(CHECKOV) ## checkov over all templates; findings without a reason in security/accepted.yaml fail
	@$(BIN)/python -m security.scan

check: static coverage scan test ## Everything that CI runs

test-litellm: $(READY) ## Start LiteLLM itself, from PyPI, with what the templates give it
	@[ -x .venv-litellm/bin/litellm ] || { echo "Installing LiteLLM into .venv-litellm (once; two minutes) ..."; \
	  $(PYTHON) -m venv .venv-litellm && .venv-litellm/bin/pip install --quiet --disable-pip-version-check 'litellm[proxy]'; }
	@$(BIN)/python -m pytest -m litellm tests/test_real_litellm.py

check-deep: $(READY) ## The slow searches, once per release
	@$(BIN)/python -m pytest -n auto -m deep

golden: $(READY) ## Rewrite tests/golden, docs/pictures and docs/security-groups.md; read the diff
	@$(BIN)/python -m tests.rewrite_golden

schema: $(READY) ## Rewrite the JSON Schema of the environment file, and docs/environment.md
	@$(BIN)/python -m stacks.schema
	@$(BIN)/python -m stacks.reference

bench: $(READY) ## Measure speed beside other tools, ten minutes; ONLY="startup generate lint deploy many"
	@$(BIN)/python -m bench $(ONLY)

clean: ## Remove what was built, the sandbox's state included
	@[ ! -x $(BIN)/gatestack ] || $(BIN)/gatestack local stop
	rm -rf .venv .venv-checkov .venv-litellm .bench build .gatestack

$(READY): pyproject.toml
	@echo "Setting up .venv (once; about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(CHECKOV): security/requirements.txt
	@echo "Setting up .venv-checkov (once; about a minute) ..."
	@$(PYTHON) -m venv .venv-checkov
	@.venv-checkov/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
