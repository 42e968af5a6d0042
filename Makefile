.DEFAULT_GOAL := help
.PHONY: help install format check test run stop build deploy bench clean

# Python 3.13 from the PATH, else from pyenv; `make PYTHON=/path/to/python3.13 …` chooses another.
IS_3_13 := import sys; sys.exit(sys.version_info[:2] != (3, 13))
PYTHON ?= $(shell for candidate in python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python3.13; do \
	"$$candidate" -c '$(IS_3_13)' 2>/dev/null && echo "$$candidate" && break; done)

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
PIP := -m pip install -qq --disable-pip-version-check

help:  ## list the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

install: .venv/.installed .venv-local/.installed  ## make .venv and .venv-local

.venv/.installed: requirements-dev.txt layers/dependencies/requirements.txt pyproject.toml
	@$(if $(PYTHON),,$(error Python 3.13 was not found; install it, or name it: make PYTHON=/path/to/python3.13 install))
	@.venv/bin/python -c '$(IS_3_13)' 2>/dev/null || "$(PYTHON)" -m venv --clear .venv
	.venv/bin/python $(PIP) -r requirements-dev.txt
	.venv/bin/python $(PIP) --no-deps --editable .
	@touch $@

.venv-local/.installed: requirements-local.txt
	@$(if $(PYTHON),,$(error Python 3.13 was not found; install it, or name it: make PYTHON=/path/to/python3.13 install))
	@.venv-local/bin/python -c '$(IS_3_13)' 2>/dev/null || "$(PYTHON)" -m venv --clear .venv-local
	.venv-local/bin/python $(PIP) -r requirements-local.txt
	@touch $@

format: install  ## rewrite the code as the checks want it
	ruff check --fix .
	ruff format .

check: install  ## lint, types, template and architecture
	ruff check .
	ruff format --check .
	mypy
	cfn-lint template.yaml
	pytest --quiet tests/template tests/architecture

test: install  ## every test but the benchmarks
	pytest --quiet --ignore=tests/benchmarks

run: install  ## the whole stack on this machine; REPLAY=1 replays the log again
	@python -m local.run

stop:  ## end what `make run` started; its state is kept
	@test ! -x .venv/bin/python || python -m local.stop

build: install  ## what `sam deploy` uploads, into .aws-sam
	sam build

deploy: build  ## to AWS, asking for the parameters
	sam deploy --guided

bench: install  ## measure; the figures go to docs/performance.md
	pytest tests/benchmarks -m benchmark -s

clean: stop  ## forget builds and local state
	rm -rf .aws-sam .local .mypy_cache .pytest_cache .ruff_cache .hypothesis layers/stagebell/*.egg-info
