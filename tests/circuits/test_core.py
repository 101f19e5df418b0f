from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from replank.circuits import core
from replank.errors import UsageError

IS_BUILT = core._import_error() is None
needs_core = pytest.mark.skipif(not core.available(), reason="there is no compiled core")
FASTEST_FIRST = ("avx512", "avx2", "baseline")


def told(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a fresh process says, with other environment variables."""
    fresh = {name: value for name, value in os.environ.items() if name not in ("REPLANK_ISA", "REPLANK_NO_CORE")}
    return subprocess.run([sys.executable, "-c", code], env=fresh | variables, capture_output=True, text=True)


# -- whether there is one ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["1", "yes"])
def test_the_environment_can_forbid_the_core(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("REPLANK_NO_CORE", value)
    assert not core.available()
    assert core.why_not() == "REPLANK_NO_CORE is set"
    assert core.source_hash() is None
    for use in (core.require, core.isa):
        with pytest.raises(UsageError, match=r"must be there, got none: REPLANK_NO_CORE is set\. Use the torch"):
            use()


@pytest.mark.parametrize("value", ["", "0"])
def test_a_variable_that_says_no_forbids_nothing(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("REPLANK_NO_CORE", value)
    assert core.available() is IS_BUILT


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError("No module named 'replank.circuits._core'"), "replank was installed without it"),
        (ImportError("/home/noah/_core.so: undefined symbol: x"), "it can't be loaded: _core.so: undefined symbol: x"),
    ],
    ids=["missing", "broken"],
)  # fmt: skip
def test_a_core_that_can_not_be_imported_is_a_reason_without_folders(
    monkeypatch: pytest.MonkeyPatch, error: ImportError, reason: str
) -> None:
    def fails(_: str) -> None:
        raise error

    monkeypatch.delenv("REPLANK_NO_CORE", raising=False)
    monkeypatch.setattr(core.importlib, "import_module", fails)
    core._import_error.cache_clear()
    try:
        assert core.why_not() == reason
        assert not core.available()
    finally:
        core._import_error.cache_clear()


# -- which instruction set ---------------------------------------------------------------------------------------------


@needs_core
def test_the_fastest_instruction_set_is_taken_unless_one_is_named() -> None:
    from replank.circuits import _core

    names = _core.available_isas()
    assert names[-1] == "baseline"
    assert names == sorted(names, key=FASTEST_FIRST.index)
    assert told("from replank.circuits import core; print(core.isa())").stdout.strip() == names[0]


@needs_core
@pytest.mark.parametrize("name", FASTEST_FIRST)
def test_a_named_instruction_set_is_used_or_refused(name: str) -> None:
    from replank.circuits import _core

    done = told(
        "from replank.circuits import core, _core; print(core.isa(), _core.isa(), _core.fma_peak(True, 1e-3) > 0)",
        REPLANK_ISA=name,
    )
    if name in _core.available_isas():
        assert done.stdout == f"{name} {name} True\n"
    else:
        assert f"got REPLANK_ISA={name}" in done.stderr


@needs_core
@pytest.mark.parametrize("use", ["core.available()", "core.source_hash()", "_core.isa()", "_core.fma_peak(True, 1e-3)"])
def test_a_wrong_word_is_refused_with_those_that_are_right(use: str) -> None:
    from replank.circuits import _core

    done = told(f"from replank.circuits import core, _core\n{use}", REPLANK_ISA="avx9")
    assert done.returncode == 1
    allowed = re.escape(", ".join(_core.available_isas()))
    law = rf"REPLANK_ISA: the instruction set must be one of .*\({allowed}\), got REPLANK_ISA=avx9"
    assert re.search(f"{'ValueError' if use.startswith('_') else 'UsageError'}: {law}", done.stderr), done.stderr


# -- what is in it -----------------------------------------------------------------------------------------------------


@needs_core
def test_it_says_what_it_was_built_from() -> None:
    from replank.circuits import _core

    assert core.source_hash() == _core.source_hash()
    assert re.fullmatch(r"[0-9a-f]{64}", _core.source_hash())


@needs_core
@pytest.mark.parametrize("single", [True, False])
def test_a_peak_is_a_positive_number_of_gigaflops(single: bool) -> None:
    from replank.circuits import _core

    assert 0 < _core.fma_peak(single=single, seconds=1e-3) < math.inf


@needs_core
@pytest.mark.parametrize("seconds", [0.0, -1.0, 61.0, math.inf, math.nan])
def test_a_peak_takes_a_sensible_time(seconds: float) -> None:
    from replank.circuits import _core

    with pytest.raises(ValueError, match="`seconds` must be above 0 and at most 60"):
        _core.fma_peak(True, seconds)


@needs_core
def test_other_threads_run_while_a_kernel_does() -> None:
    from replank.circuits import _core

    started, ended = threading.Event(), threading.Event()
    kernel: list[float] = []

    def measure() -> None:
        kernel.append(time.perf_counter())
        started.set()
        _core.fma_peak(True, 0.1)
        kernel.append(time.perf_counter())
        ended.set()

    thread = threading.Thread(target=measure)
    thread.start()
    started.wait()
    here = [0.0]
    while not ended.is_set():
        here.append(time.perf_counter())
    thread.join()
    middle = sum(kernel) / 2
    assert any(abs(moment - middle) < 0.02 for moment in here)


@needs_core
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_it_shares_the_threads_of_torch() -> None:
    done = told(
        "from replank.circuits import _core\nimport torch\n"
        "for threads in (3, 1): torch.set_num_threads(threads); print(_core.max_threads())\n"
        "print({line.split()[-1] for line in open('/proc/self/maps') if 'libgomp.so.1' in line})"
    )
    *threads, runtimes = done.stdout.splitlines()
    assert threads == ["3", "1"]
    assert runtimes == str({str(Path(torch.__file__).parent / "lib" / "libgomp.so.1")})
