# Two commands on a bare machine: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
MODELS ?= llamacpp/smollm2-135m-instruct
AT_ONCE ?= 2

PLUGINS := plugins/datasets plugins/metrics plugins/models \
           plugins/trackers/jsonl_tracker plugins/trackers/mlflow_tracker
DEMO_INSTALLS := -e . $(foreach p,$(filter-out plugins/models,$(PLUGINS)),-e $(p)) \
                 -e "plugins/models[llamacpp]"
DEV_INSTALLS  := -e ".[dev,docs]" -e "plugins/datasets[all]" -e "plugins/metrics[all]" \
                 -e "plugins/models[all]" -e plugins/trackers/jsonl_tracker \
                 -e "plugins/trackers/mlflow_tracker[postgresql]" -e plugins/trackers/wandb_tracker \
                 -e plugins/executors/ray_executor -e "plugins/proxies/mlflow_proxy[embedded]" \
                 -e "plugins/server[postgresql]" \
                 -e templates/plugin
PROJECTS := pyproject.toml $(wildcard plugins/*/pyproject.toml plugins/*/*/pyproject.toml templates/*/pyproject.toml)
PYTEST := $(BIN)/pytest --numprocesses $(AT_ONCE) --dist loadfile
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test check format bench docs clean programs

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

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

check: programs $(VENV)/dev-installed ## format, lint, types, imports, tests: what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(PYTEST)

format: $(VENV)/dev-installed ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev-installed ## measure start-up, overhead, memory, resuming, journal, tracker and server
	for name in startup overhead latency resume journal tracker memory serving; do $(BIN)/python -m benchmarks.$$name; done

docs: $(VENV)/dev-installed ## build the documentation site into build/site
	$(BIN)/python -m docs_site.assemble build/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html; to read it: $(BIN)/python -m http.server --directory build/site"

clean: ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

programs: # what the tests run and pip does not have: PostgreSQL, nginx, a browser
	@tests/programs.sh

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo-installed: $(BIN)/python $(PROJECTS)
	@echo "Installing into $(VENV) ..."
	$(PIP) install $(DEMO_INSTALLS)
	@touch $@

$(VENV)/dev-installed: $(BIN)/python $(PROJECTS)
	@echo "Installing into $(VENV) ..."
	$(PIP) install $(DEV_INSTALLS)
	@touch $@ $(VENV)/demo-installed
