# Two commands on a bare machine: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
CACHE  := $(or $(LLMEVAL_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/llmeval)
# A second model, where its weights have been fetched before: they take longer than the demo.
SECOND := $(if $(wildcard $(CACHE)/models/gemma-3-270m-*.gguf),llamacpp/gemma-3-270m)
MODELS ?= llamacpp/smollm2-135m-instruct $(SECOND)
AT_ONCE ?= 2
# Tests start thousands of processes, each of which would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

DEMO_INSTALLS := -e . -e plugins/datasets -e plugins/metrics -e plugins/solvers \
                 -e plugins/judges -e "plugins/models[llamacpp]" \
                 -e plugins/trackers/jsonl_tracker -e plugins/trackers/mlflow_tracker -e ./llmeval
DEV_INSTALLS  := -e ".[dev,docs]" -e "plugins/datasets[all]" -e "plugins/metrics[all]" \
                 -e plugins/solvers -e plugins/judges -e plugins/tasks/lm_eval \
                 -e "plugins/models[all,transformers]" "torch<2.14" -e plugins/trackers/jsonl_tracker \
                 -e "plugins/trackers/mlflow_tracker[postgresql]" -e plugins/trackers/wandb_tracker \
                 -e plugins/executors/ray_executor -e "plugins/proxies/mlflow_proxy[embedded]" \
                 -e "plugins/server[postgresql]" -e "./llmeval[all]" \
                 -e templates/plugin
RELEASE_INSTALLS := "build>=1.2" "hatchling>=1.25,<2" "packaging>=24"
PROJECTS := constraints.txt llmeval_core/__init__.py pyproject.toml llmeval/pyproject.toml \
            $(wildcard plugins/*/pyproject.toml plugins/*/*/pyproject.toml templates/*/pyproject.toml)
PYTEST := $(BIN)/pytest --numprocesses $(AT_ONCE) --dist loadfile
define LINT
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
endef
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --constraint constraints.txt

.PHONY: help demo test quick check format bench docs wheels dist constraints version clean programs

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

demo: $(VENV)/demo-installed ## evaluate a real small model on real data sets, and log to MLflow
	@echo "Evaluating $(MODELS) on the tasks of examples/demo.yaml ..."
	@$(BIN)/llmeval run examples/demo.yaml $(foreach m,$(MODELS),-m $(m))
	@echo
	@echo "Look at it:"
	@echo "  $(BIN)/llmeval results                                  the leaderboard again"
	@echo "  $(BIN)/llmeval samples commonsense_qa_0shot --wrong     what went wrong"
	@echo "  $(BIN)/mlflow ui --backend-store-uri sqlite:///.llmeval/mlflow.db --port 5000"
	@echo "                                                       then http://localhost:5000"

test: programs $(VENV)/dev-installed ## install what the tests need, and run them all
	$(PYTEST)

quick: $(VENV)/dev-installed ## in two minutes: format, lint, types, imports, tests that need only Python
	$(LINT)
	$(PYTEST) --numprocesses 3 --only-python

check: programs $(VENV)/dev-installed ## format, lint, types, imports, tests: what CI runs
	$(LINT)
	$(PYTEST)

format: $(VENV)/dev-installed ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev-installed ## measure start-up, overhead, memory, resuming, journal, tracker and server
	for name in startup overhead latency resume many_tasks journal tracker memory serving; do $(BIN)/python -m benchmarks.$$name; done

docs: $(VENV)/dev-installed ## build the documentation site into build/site
	$(BIN)/python -m docs_site.assemble build/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html; to read it: $(BIN)/python -m http.server --directory build/site"

wheels: $(VENV)/release-installed ## build every distribution into dist/, to install from there
	$(BIN)/python -m release.build

dist: wheels ## the same, then install them without the tree, and run the demo from them
	$(BIN)/python -m release.rehearsal $(MODELS)

constraints: $(VENV)/release-installed ## renew constraints.txt: the newest versions that our bounds allow
	$(BIN)/python -m release.constraints $(DEV_INSTALLS)

version: $(VENV)/release-installed ## give all distributions another version: make version TO=0.2.0
	$(BIN)/python -m release.version $(TO)

clean: ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

programs: # what the tests run and pip does not have: PostgreSQL, nginx, a browser
	@tests/programs.sh

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo-installed: $(BIN)/python $(PROJECTS)
	@echo "Installing into $(VENV) ..."
	$(INSTALL) $(DEMO_INSTALLS)
	@touch $@

$(VENV)/dev-installed: $(BIN)/python $(PROJECTS)
	@echo "Installing into $(VENV) ..."
	$(INSTALL) $(DEV_INSTALLS)
	@touch $@ $(VENV)/demo-installed $(VENV)/release-installed

$(VENV)/release-installed: $(BIN)/python constraints.txt
	$(INSTALL) $(RELEASE_INSTALLS)
	@touch $@
