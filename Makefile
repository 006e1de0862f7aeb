# Tasks of agentgraph. `make` or `make help` lists them.
#
# Every task works on a fresh machine by itself: it makes a virtual environment, installs what it needs
# and leaves a stamp behind, so that the second run starts at once. Another Python: make test PYTHON=python3.13

.DEFAULT_GOAL := help

PYTHON ?= python3
WORKERS ?= 2
QUESTION ?= who was the first president of the united states?

PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
ifeq ($(PYTHON),python3)
VENV ?= .venv
else
VENV ?= .venv-$(PYTHON_VERSION)
endif
BIN := $(VENV)/bin
PEERS := .cache/peers
PROVIDERS := .cache/providers
PROBES := .cache/agentrunproof
# What the benchmark measures besides, each in its own environment: they ask for other versions.
FRAMEWORKS := .cache/langgraph/.installed .cache/pydantic-ai/.installed
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

# The stamps carry the Python version: after an upgrade of python3 the environment is made anew.
venv := $(VENV)/.made-with-$(PYTHON_VERSION)
run_packages := $(VENV)/.installed-run-$(PYTHON_VERSION)
test_packages := $(VENV)/.installed-test-$(PYTHON_VERSION)
dev_packages := $(VENV)/.installed-dev-$(PYTHON_VERSION)

.PHONY: help
help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(run_packages) ## check, draw, run and stream the homework workflow (OPENAI_API_KEY set: on the real API)
	@.ci/system-packages dot=graphviz || true
	@mkdir -p .cache
	$(BIN)/agentgraph check examples/homework.py
	$(BIN)/agentgraph draw examples/homework.py
	@ending=svg; command -v dot >/dev/null || ending=mmd; \
	  set -- $(BIN)/agentgraph draw examples/homework.py -o .cache/homework.$$ending; echo "$$@"; "$$@"
	$(BIN)/agentgraph run $(if $(OPENAI_API_KEY),,--rehearse) examples/homework.py "$(QUESTION)"

.PHONY: test
test: lint types tests ## lint, types and every test; what CI runs

.PHONY: tests
tests: $(test_packages) $(PEERS)/.installed $(PROVIDERS)/.installed $(PROBES)/.installed aimock restate pages ## the tests alone (ARGS=tests/compiler: those of one folder)
	@.ci/system-packages dot=graphviz chromium=chromium || true
	AGENTGRAPH_SDK_PYTHON=$(CURDIR)/$(PEERS)/bin/python AGENTGRAPH_PROVIDERS_PYTHON=$(CURDIR)/$(PROVIDERS)/bin/python AGENTGRAPH_AGENTRUNPROOF=$(CURDIR)/$(PROBES) HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

.PHONY: kills
kills: $(test_packages) ## kill processes that write to sessions 1,000 times, durable runs 200 times on each journal (`make test`: 200, 20)
	AGENTGRAPH_KILLS=$${AGENTGRAPH_KILLS:-1000} AGENTGRAPH_RUN_KILLS=$${AGENTGRAPH_RUN_KILLS:-200} $(BIN)/python -m pytest tests/memory/test_session_kill.py tests/api/test_sessions_in_runs_killed.py tests/durable/test_kills.py $(ARGS)

.PHONY: nightly
nightly: $(test_packages) $(PEERS)/.installed ## what takes a night: kills, runs cut everywhere, long searches for counterexamples
	AGENTGRAPH_KILLS=$${AGENTGRAPH_KILLS:-1000} AGENTGRAPH_RUN_KILLS=$${AGENTGRAPH_RUN_KILLS:-200} $(BIN)/python -m pytest tests/memory/test_session_kill.py tests/api/test_sessions_in_runs_killed.py tests/durable/test_kills.py $(ARGS)
	AGENTGRAPH_CUTS=$${AGENTGRAPH_CUTS:-60} $(BIN)/python -m pytest -n $(WORKERS) tests/replay $(ARGS)
	AGENTGRAPH_DECIDED=$${AGENTGRAPH_DECIDED:-10000} $(BIN)/python -m pytest -n $(WORKERS) tests/replay/test_decided_runs.py $(ARGS)
	$(BIN)/python -m pytest -n $(WORKERS) -m nightly tests/cli tests/testing $(ARGS)
	AGENTGRAPH_DRAWN=$${AGENTGRAPH_DRAWN:-50000} AGENTGRAPH_SDK_PYTHON=$(CURDIR)/$(PEERS)/bin/python $(BIN)/python -m pytest tests/api/test_drawn_scenarios.py $(ARGS)
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -n $(WORKERS) tests/runtime tests/compiler tests/stored tests/memory tests/api tests/tools tests/authoring $(ARGS)

.PHONY: mutants
mutants: $(test_packages) $(PEERS)/.installed ## put 80 small faults into a copy of the code: do the tests see 95 %? (ARGS=runtime: one folder)
	AGENTGRAPH_SDK_PYTHON=$(CURDIR)/$(PEERS)/bin/python $(BIN)/python -m tests.mutants $(ARGS)

.PHONY: lint
lint: $(dev_packages) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(dev_packages) ## mypy --strict; pyright, also on the examples and the code blocks of the documents
	$(BIN)/mypy
	$(BIN)/python -m tests.docs.block_files build/document-blocks
	$(BIN)/pyright --pythonpath $(BIN)/python

.PHONY: format
format: $(dev_packages) ## rewrite the code as `make lint` wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(run_packages) $(PEERS)/.installed frameworks ## measure beside the Agents SDK, LangGraph and pydantic-ai, then sessions, tools, the compiler (BASE=PATH: beside another checkout)
	$(BIN)/python benchmarks/compare.py --peer-python $(PEERS)/bin/python $(addprefix --base ,$(BASE)) $(ARGS)
	$(BIN)/python benchmarks/sessions.py --peer-python $(PEERS)/bin/python $(addprefix --base ,$(BASE))
	AGENTGRAPH_SDK_PYTHON=$(PEERS)/bin/python $(BIN)/python benchmarks/tool_schemas.py
	$(BIN)/python benchmarks/tracing.py
	OPENAI_AGENTS_DISABLE_TRACING= $(PEERS)/bin/python benchmarks/tracing.py --package agents
	$(BIN)/python benchmarks/compile.py
	$(BIN)/python benchmarks/checking.py

.PHONY: docs
docs: $(run_packages) ## the guides and the API reference as a site in build/site; a broken link is an error
	@$(BIN)/python $(PIP_INSTALL) -e '.[site]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

.PHONY: hooks
hooks: $(dev_packages) ## check every commit as CI does (pre-commit)
	$(BIN)/pre-commit install

.PHONY: clean
clean: ## remove environments, caches and build results
	rm -rf .venv .venv-* .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The Responses API server of the model tests. Without Node those tests skip and say so.
.PHONY: aimock
aimock: $(venv)
	@.ci/system-packages node=nodejs npm=npm || true
	@test ! -f tests/models/install_aimock.py || $(BIN)/python -m tests.models.install_aimock || \
	  echo "make: @copilotkit/aimock could not be installed; the tests that need it will skip."

# The server of Restate. Without Node the test that needs it skips and says so.
.PHONY: restate
restate: $(venv)
	@.ci/system-packages node=nodejs npm=npm || true
	@test ! -f tests/durable/install_restate.py || $(BIN)/python -m tests.durable.install_restate || \
	  echo "make: the server of Restate could not be installed; the test that needs it will skip."

# Graphviz as JavaScript, which the build leaves out where it finds no npm.
.PHONY: pages
pages: $(test_packages)
	@.ci/system-packages node=nodejs npm=npm || true
	@$(BIN)/python hatch_build.py || echo "make: the tests of drawings as pages will skip."

$(venv):
	@.ci/require-python "$(PYTHON)"
	@echo "make: creating $(VENV) with Python $(PYTHON_VERSION)"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(run_packages): pyproject.toml $(venv)
	@echo "make: installing agentgraph into $(VENV)"
	@$(BIN)/python $(PIP_INSTALL) -e .
	@touch $@

$(test_packages): pyproject.toml $(venv)
	@echo "make: installing agentgraph and what its tests need into $(VENV)"
	@$(BIN)/python $(PIP_INSTALL) -e '.[test]'
	@touch $@ $(run_packages)

$(dev_packages): pyproject.toml $(venv)
	@echo "make: installing agentgraph and the developers' tools into $(VENV)"
	@$(BIN)/python $(PIP_INSTALL) -e '.[dev]'
	@touch $@ $(test_packages) $(run_packages)

$(PEERS)/.installed: $(venv)
	@echo "make: installing the published Agents SDK into $(PEERS)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python $(PIP_INSTALL) 'openai-agents>=0.24,<0.25' 'cryptography>=43' \
	  'openinference-instrumentation-openai-agents>=2,<3' 'logfire>=5,<6' 'opentelemetry-sdk>=1.27,<2'
	@touch $@

# LiteLLM and any-llm bring many packages, so they have an environment of their own.
$(PROVIDERS)/.installed: pyproject.toml $(venv)
	@echo "make: installing LiteLLM and any-llm into $(PROVIDERS)"
	@$(PYTHON) -m venv $(PROVIDERS)
	@$(PROVIDERS)/bin/python $(PIP_INSTALL) -e '.[any-llm,litellm,testing,websocket]' 'pytest-asyncio>=1.0,<2'
	@touch $@

# Probes that others wrote for the published SDK; without what they ask for, because they run on ours.
$(PROBES)/.installed: $(venv)
	@echo "make: installing agentrunproof into $(PROBES)"
	@$(BIN)/python $(PIP_INSTALL) --no-deps --target $(PROBES) 'agentrunproof>=0.3,<0.4'
	@touch $@

# Without them the benchmark says "not installed" and measures the rest.
.PHONY: frameworks
frameworks: $(venv)
	@$(MAKE) --no-print-directory --keep-going $(FRAMEWORKS) || true

.cache/langgraph/.installed: PACKAGE := langgraph>=1.2,<2
.cache/pydantic-ai/.installed: PACKAGE := pydantic-ai-slim>=2.60,<3
$(FRAMEWORKS): $(venv)
	@echo "make: installing $(PACKAGE) into $(@D)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) '$(PACKAGE)'
	@touch $@
