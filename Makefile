# Everything a newcomer or CI runs. `make help` lists it.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo test check soak bench pictures format lock clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Set up, then show the whole thing in a browser: emulated Slack and Microsoft, the real bot
	$(PY) -m app sandbox $(ARGS)

test: $(VENV)/.dev ## Set up, then run every test (SQLite and PostgreSQL)
	$(PY) -m pytest -m "not soak" -n auto $(ARGS)

check: $(VENV)/.dev ## Lint, format, types, floors
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

soak: $(VENV)/.dev ## Long runs: kills, faults and load, bounded in time
	$(PY) -m pytest -m soak $(ARGS)

bench: $(VENV)/.dev ## Print how fast clicks are acknowledged beside a bare Bolt app, what a poll takes, a million requests read
	$(PY) bench/acks.py
	$(PY) bench/memory.py
	$(PY) bench/million.py

pictures: $(VENV)/.dev ## Make the pictures of README and docs from the sandbox (needs Chromium)
	$(PY) tools/pictures.py

format: $(VENV)/.dev ## Format and fix what can be fixed
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

lock: ## Renew the hash-locked dependencies (needs uv)
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header -q pyproject.toml -o requirements/run.txt
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header -q --extra dev pyproject.toml -o requirements/dev.txt

clean: ## Remove what was set up
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

$(VENV)/.run: requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
	  || { echo "Python 3.11 to 3.14 is needed; name one with: make demo PYTHON=python3.12"; exit 1; }
	@test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python cannot make a virtual environment here; on Debian or Ubuntu install python3-venv."; exit 1; }
	$(PY) -m pip install --disable-pip-version-check -q --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt pyproject.toml
	$(PY) -m pip install --disable-pip-version-check -q --require-hashes -r requirements/dev.txt
	$(PY) -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@
