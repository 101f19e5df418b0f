# The two commands of the README are `make run` and `make test`; each sets up what it needs, and is quick the second time.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
CORE := CMakeLists.txt $(wildcard cpp/*)
COMPILER := for name in $${CXX:-c++ g++ clang++}; do command -v "$$name" >/dev/null && break; done
HEADERS := $(PYTHON) -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null
NO_COMPILER := replank's compiled core needs a C++ compiler and Python's headers: on Debian and Ubuntu \
	\`apt install g++ python3-dev\`, on Fedora \`dnf install gcc-c++ python3-devel\`, on macOS \`xcode-select --install\`. \
	Or set REPLANK_NO_CORE=1: everything then runs on torch, more slowly.
# without scikit-build-core's own environment, and with a folder to build in that stays: what has not changed is kept
REBUILD := --no-deps --no-build-isolation --editable .

.PHONY: run test check oracle benchmark docs core sanitize clean

run: .venv/installed
	$(BIN)/replank run quantum-creep --scale small

test: .venv/installed-test
	$(BIN)/python -m pytest

# The types of optional packages are read where they are installed.
check: .venv/installed-test .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Compares with PennyLane and Qiskit, which are large and never dependencies of the library.
oracle: .venv/installed-test .venv/installed-oracle
	$(BIN)/python -m pytest tests/oracles

benchmark: .venv/installed
	$(BIN)/python benchmarks/quantum_creep.py

# The documentation as a site, made without the network; a warning is an error. Open build/docs/html/index.html.
# Read anew each time: lists that are made by looking would not notice a new page.
docs: .venv/installed .venv/installed-docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env -d build/docs/doctrees docs build/docs/html
	@echo build/docs/html/index.html

# Compiles what has changed in cpp/ and puts it in place. `make test` would do so too, but from the beginning.
core: $(if $(wildcard .venv/installed),,.venv/installed)
	$(PIP) --group build
	$(PIP) $(REBUILD) --config-settings=build-dir=build/core
	@touch .venv/installed

# The tests of circuits/ on a core that stops at the first access out of bounds and the first undefined operation (GCC on
# Linux). It lives in an environment of its own, which sees the packages of the usual one. Processes that tests start
# need the preloaded libraries, too: they load the same core. Memory that can't be had is the tests' business.
SANITIZED := build/sanitize/venv
sanitize: .venv/installed-test .venv/installed-build
	test -x $(SANITIZED)/bin/python || $(BIN)/python -m venv --without-pip $(SANITIZED)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> "$$($(SANITIZED)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/usual.pth"
	$(BIN)/python -m pip --python $(SANITIZED) install --quiet $(REBUILD) \
		--config-settings=build-dir=build/sanitize/core \
		--config-settings=cmake.build-type=Debug \
		--config-settings=cmake.define.CMAKE_COMPILE_WARNING_AS_ERROR=ON \
		--config-settings=cmake.define.CMAKE_CXX_FLAGS="-O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
	LD_PRELOAD="$$(for name in asan ubsan stdc++; do $${CXX:-c++} -print-file-name=lib$$name.so; done | tr '\n' ' ')" \
		ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
		$(SANITIZED)/bin/python -m pytest --capture=sys tests/circuits

clean:
	rm -rf .venv build

.venv/installed: pyproject.toml constraints.txt $(CORE)
	@command -v $(PYTHON) >/dev/null || { echo "replank needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "replank needs Python 3.11 or newer, got $$($(PYTHON) --version). Set PYTHON=/path/to/python3."; exit 1; }
	@test "$${REPLANK_NO_CORE:-0}" != 0 || { $(COMPILER) && $(HEADERS); } || { echo "$(NO_COMPILER)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --upgrade 'pip>=25.3'
	$(PIP) --build-constraint constraints.txt --editable .
	@touch $@

.venv/installed-%: .venv/installed
	$(PIP) --group $*
	@touch $@
