# `make demo` and `make test` need Python >= 3.11 and a package index, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The newest torch that the project is tested with; any version that pyproject.toml admits will do.
TORCH ?= torch==2.13.0
PYTEST_ARGS ?=
# Processes that share the tests, each with one thread and up to 1.5 GB: as many as there are cores, four at most.
WORKERS ?= $(shell n=$$(nproc 2> /dev/null || echo 2); [ "$$n" -lt 4 ] && echo "$$n" || echo 4)

INSTALL := $(BIN)/python -m pip install --quiet

.PHONY: demo test tests lint types docs notebooks clean

demo: $(VENV)/.installed
	$(BIN)/lcode demo

test: lint types tests

tests: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) $(PYTEST_ARGS)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

# The site, in build/site; nothing is fetched, and a warning is an error.
docs: $(VENV)/.installed-test
	$(BIN)/mkdocs build --strict --quiet

# Runs the notebooks and keeps their outputs in them.
notebooks: $(VENV)/.installed-test
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False notebooks/*.ipynb

# Installed anew only when the dependencies change: a second call starts at once.
$(VENV)/.installed: pyproject.toml | $(VENV)/.python
	$(INSTALL) '$(TORCH)'
	$(INSTALL) --editable .
	@touch $@

# pip compiles one file after the other, for a minute or more; all cores together are quicker.
$(VENV)/.installed-test: pyproject.toml | $(VENV)/.python
	$(INSTALL) --no-compile '$(TORCH)'
	$(INSTALL) --no-compile --editable '.[test]'
	@$(BIN)/python -W ignore -m compileall -qq -j 0 $(VENV)/lib || true  # some packages hold templates that are no Python
	@touch $(VENV)/.installed $@

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "lcode needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade pip
	@touch $@

clean:
	rm -rf $(VENV) lcode-demo build *.egg-info .pytest_cache .mypy_cache .ruff_cache
