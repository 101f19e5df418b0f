# The two commands of the README are `make run` and `make test`; each sets up what it needs, and is quick the second time.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check oracle benchmark clean

run: .venv/installed
	$(BIN)/replank run quantum-creep --scale small

test: .venv/installed-test
	$(BIN)/python -m pytest

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Compares with PennyLane, which is large and never a dependency of the library.
oracle: .venv/installed-test .venv/installed-oracle
	$(BIN)/python -m pytest tests/oracles

benchmark: .venv/installed
	$(BIN)/python benchmarks/quantum_creep.py

clean:
	rm -rf .venv

.venv/installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "replank needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "replank needs Python 3.11 or newer, got $$($(PYTHON) --version). Set PYTHON=/path/to/python3."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --upgrade 'pip>=25.1'
	$(PIP) --editable .
	@touch $@

.venv/installed-%: .venv/installed
	$(PIP) --group $*
	@touch $@
