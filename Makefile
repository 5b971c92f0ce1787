# make demo    train on handwritten digits: labels only, self-training, DMT; a table and a picture in work_dirs/demo
# make test    ruff, mypy, pytest: what CI runs
# make bench   times and memory beside plain training and the naive way; a table, and results.json in work_dirs/bench
# make format  let ruff format the code
#
# Each builds .venv first if it has to; PYTHON chooses the interpreter (3.10 or newer).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test bench format
.DEFAULT_GOAL := test

$(INSTALLED): requirements/pinned.txt setup.py
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("mmdmt needs Python 3.10 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/pinned.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: $(INSTALLED)
	$(BIN)/python tools/demo.py

test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

bench: $(INSTALLED)
	$(BIN)/python tools/benchmarks/bench.py

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
