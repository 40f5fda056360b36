# make demo: everything set up, then the whole road on the examples. make test: the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test lint bench clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info[:2] < (3, 11))" || { echo "Python 3.11 or newer is needed; name one with make PYTHON=/path/to/python3"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	# torch first: anything else that asks for it brings gigabytes of CUDA packages. --no-compile: 80 s instead of 120 s on 2 cores.
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check torch==2.13.0 --constraint constraints.txt
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt --editable '.[embedded,dask,train,dev]'
	touch $@

demo: setup
	$(BIN)/bimedv demo

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	@for bench in benchmarks/*_speed.py benchmarks/*_quality.py; do echo "== $$bench"; \
	  case $$bench in */client_*) peers="$(PEERS)" ;; */dedup_*) peers="$(DEDUP_PEER)" ;; *) peers= ;; esac; $(BIN)/python $$bench $$peers || exit 1; done

clean:
	rm -rf work build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
