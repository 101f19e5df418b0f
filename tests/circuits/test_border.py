"""The border to the compiled core: whatever crosses it, Python gets a result or an exception, and lives on.

Everything here runs in a process of its own: an access out of bounds would be a red test, not the end of all tests.
"""

from __future__ import annotations

import copy
import random
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from replank.circuits import Circuit, Probabilities, State, X, Y, Z, theta, x
from replank.circuits.torch_backend import Output
from tests.circuits.strategies import (
    F64,
    general_circuits,
    gradients,
    haar,
    inputs,
    needs_core,
    observables_of,
    unitary_circuits,
)

pytestmark = needs_core

LARGE = 2**31 - 1  # see test_sources_that_do_not_fit_32_bits
NUMBERS = (-(2**63), -(2**40), -(2**31), -2, -1, 0, 1, 2, 3, 5, 8, 31, 64, 2**20, 2**31, 2**33, 2**63 - 1)
REFUSALS = (ValueError, TypeError, IndexError, OverflowError, MemoryError)


def descriptions() -> list[dict[str, Any]]:
    """Programs with every kind of step, as the core is told them."""
    from replank.circuits import core_backend

    entangled = Circuit(4).ry(x[0], 0).rx(theta[0], 1).h(2).cnot(0, 3).rzz(theta[1], 0, 2).crx(x[1] * theta[0], 1, 3)
    entangled.unitary(haar(2, 0), [3, 1]).toffoli(0, 1, 2).pauli_rotation("XYZ", x[0], [2, 0, 1]).post_select(2, 0)
    entangled.unitary(haar(3, 1), [0, 2, 3]).rz(theta[0] - x[1], 3).swap(1, 2).ryy(0.3, 0, 1)
    prepared = Circuit(4).prepare_amplitudes([x[0], 1.0, theta[1]], [0, 2]).extend(entangled)
    found = []
    for circuit in (entangled, prepared):
        for observables in ([Z(0), X(1) @ Y(3)], Probabilities(), State()):
            for component in circuit.copy().plan(observables).components:
                output: Output = component.output
                is_prepared = bool(component.lowered.prepared)
                found.append(core_backend._describe(component.program, component.slots, output, prepared=is_prepared))
    return found


# -- corrupted programs ------------------------------------------------------------------------------------------------


def corrupt(description: dict[str, Any], dice: random.Random) -> None:
    """Change something: a number, a row, or a table."""
    name = dice.choice(sorted(description))
    value = description[name]
    if name == "n":
        description[name] = dice.choice((-1, 0, 1, 2, 3, 5, 6, 41, 64, 2**31 - 1))
    elif name == "has_start":
        description[name] = not value
    elif not value or dice.random() < 0.1:
        description[name] = [] if dice.random() < 0.5 else value * 2
    elif isinstance(value[0], list):
        row = dice.choice(value)
        corrupt_row(name, row if dice.random() < 0.8 else value, dice)
    else:
        corrupt_row(name, value, dice)


def corrupt_row(name: str, row: list[Any], dice: random.Random) -> None:
    kind = dice.randrange(6)
    if kind == 0 or not row:
        row.append(copy.copy(row[0]) if row else 0)
    elif kind == 1:
        row.pop(dice.randrange(len(row)))
    elif kind == 2:
        dice.shuffle(row)
    elif not isinstance(row[0], list):
        number = dice.choice(NUMBERS)
        row[dice.randrange(len(row))] = number if name != "sources" else max(-LARGE, min(LARGE, number))


def run_everything(description: dict[str, Any], dice: random.Random) -> int:
    """Build a program and run it both ways in all layouts; how many of these were refused."""
    from replank.circuits import _core

    n_refused = 0

    def attempt(call: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal n_refused
        try:
            return call(*arguments)
        except REFUSALS:
            n_refused += 1
            return None

    handle = attempt(partial(_core.Program, **description))
    if handle is None:
        return n_refused
    n, n_strings = description["n"], len(description["strings"])
    for inside in (False, True):
        dtype = dice.choice((F64, torch.float32))
        kind, batch, groups = dice.randrange(3), dice.randrange(10), dice.choice((1, 1, 2))
        features, parameters = torch.randn(groups, batch, 5, dtype=dtype), torch.randn(1, 6, dtype=dtype)
        initial = None if description["has_start"] else torch.randn(groups, batch, 2**n, 2, dtype=dtype)
        out = torch.zeros(groups * batch * (n_strings, 2**n, 2 ** (n + 1))[kind], dtype=dtype)
        saved = torch.zeros(groups * handle.saved_size(batch, dtype == torch.float32, inside), dtype=dtype)
        tail = (kind, inside, dice.choice((1, 2, 3)))
        attempt(handle.forward, features, parameters, initial, out, saved, *tail)
        slopes = [torch.zeros_like(each) for each in (features, parameters.expand(groups, 6))]
        of_initial = None if initial is None else torch.zeros_like(initial)
        attempt(handle.backward, features, parameters, initial, out, saved, *slopes, of_initial, *tail)
    return n_refused


def fuzz_programs(first: int, last: int) -> None:
    """Corrupted programs of some seeds; prints how many were run and how many refused."""
    valid = descriptions()
    n_run = n_refused = 0
    for seed in range(first, last):
        dice = random.Random(seed)
        description = copy.deepcopy(dice.choice(valid))
        for _ in range(dice.choice((1, 1, 1, 2, 4))):
            corrupt(description, dice)
        print(seed, file=sys.stderr, flush=True)  # the last one that is seen is the one that crashed
        refused = run_everything(description, dice)
        n_refused += refused > 0
        n_run += refused == 0
    print(n_run, n_refused)


def in_a_process(call: str) -> str:
    """What a call of a function of this module prints in a process of its own."""
    command = [sys.executable, "-c", f"from tests.circuits import test_border as border; border.{call}"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


def test_corrupted_programs_are_refused_or_run():
    n_run, n_refused = map(int, in_a_process("fuzz_programs(0, 1500)").split())
    assert n_run + n_refused == 1500
    assert n_refused > 500
    assert n_run > 150


def test_programs_as_they_are_run():
    for description in descriptions():
        assert run_everything(description, random.Random(0)) == 0


def test_sources_that_do_not_fit_32_bits():
    in_a_process("run_with_a_source_beyond_32_bits()")


def run_with_a_source_beyond_32_bits() -> None:
    description = descriptions()[0]
    for source in (2**32, 2**40, -(2**40)):
        description["sources"][0] = source
        assert run_everything(description, random.Random(0)) > 0, source


# -- circuits of all kinds ---------------------------------------------------------------------------------------------


def random_circuits() -> None:
    """Values and gradients of anything that can be built are finite, whatever the batch, dtype and layout."""

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(
        circuit=st.one_of(general_circuits(), unitary_circuits(most_operations=40)),
        data=st.data(),
        batch=st.integers(0, 20),
        dtype=st.sampled_from([F64, torch.float32, torch.bfloat16]),
        lead=st.sampled_from([(), (1,), (2, 1)]),
    )
    def run(circuit: Circuit, data: st.DataObject, batch: int, dtype: torch.dtype, lead: tuple[int, ...]) -> None:
        plan = circuit.plan(data.draw(st.lists(observables_of(circuit.n_qubits), min_size=1, max_size=3)))
        features, parameters = inputs(circuit, batch, dtype=dtype)
        results = plan(features.expand(*lead, *features.shape), parameters, backend="core")
        for result in results if isinstance(results, tuple) else [results]:
            assert result.isfinite().all()
            assert all(slope.isfinite().all() for slope in gradients(result, features, parameters))

    run()


def test_random_circuits():
    in_a_process("random_circuits()")


# -- wrong arrays ------------------------------------------------------------------------------------------------------


def wrong_arrays() -> None:
    """A program that is right, and calls that are wrong in one array; each must be refused."""
    from replank.circuits import _core

    for description in descriptions():
        handle = _core.Program(**description)
        n, n_strings = description["n"], len(description["strings"])
        for kind in (0, 1, 2) if n_strings else (1, 2):
            arrays = {
                "features": torch.randn(2, 3, 5, dtype=F64),
                "parameters": torch.randn(2, 6, dtype=F64),
                "initial": None if description["has_start"] else torch.randn(2, 3, 2**n, 2, dtype=F64),
                "out": torch.zeros(2, 3, (n_strings, 2**n, 2 ** (n + 1))[kind], dtype=F64),
                "saved": torch.zeros(2, handle.saved_size(3, False, False), dtype=F64),
            }
            handle.forward(*arrays.values(), kind, False, 2)
            slopes = [torch.zeros_like(arrays[name]) for name in ("features", "parameters")]
            slopes.append(None if arrays["initial"] is None else torch.zeros_like(arrays["initial"]))
            handle.backward(*arrays.values(), *slopes, kind, False, 2)
            for name in arrays:
                for wrong in wrong_versions(arrays[name]):
                    spoilt = (arrays | {name: wrong}).values()
                    must_be_refused(handle.forward, *spoilt, kind, False, 2)
                    must_be_refused(handle.backward, *spoilt, *slopes, kind, False, 2)
            for place in range(3):
                for wrong in wrong_versions(slopes[place]):
                    spoilt = [wrong if i == place else slope for i, slope in enumerate(slopes)]
                    must_be_refused(handle.backward, *arrays.values(), *spoilt, kind, False, 2)
            for tail in ((3, False, 1), (-1, False, 1), ("state", False, 1), (kind, False, 2**40), (kind, False, None)):
                must_be_refused(handle.forward, *arrays.values(), *tail)


def wrong_versions(array: torch.Tensor | None) -> list[Any]:
    """Arrays of another dtype, size, number of dimensions, or that are not contiguous."""
    if array is None:
        return [torch.zeros(1, dtype=F64)]
    return [
        array.float(),
        array.long(),
        array.to(torch.complex128),
        array.half(),
        array[:1].new_zeros(0),
        torch.zeros(*array.shape[:-1], array.shape[-1] + 1, dtype=F64).transpose(0, -1),
        torch.zeros(array.numel() * 2, dtype=F64)[::2],
        torch.zeros(max(array.numel() - 1, 1), dtype=F64),
        torch.zeros(array.numel() + 1, dtype=F64),
        array.tolist(),
        "array",
        3.0,
    ]


def must_be_refused(call: Callable[..., Any], *arguments: Any) -> None:
    try:
        call(*arguments)
    except REFUSALS:
        return
    raise AssertionError(f"not refused: {arguments}")


def test_wrong_arrays_are_refused():
    in_a_process("wrong_arrays()")


# -- other misuse ------------------------------------------------------------------------------------------------------


def misuse() -> None:
    from replank.circuits import _core

    description = descriptions()[0]
    for name in description:
        others = {key: value for key, value in description.items() if key != name}
        must_be_refused(partial(_core.Program, **others))
        for wrong in (None, "text", 1.5, [None], [[None]], [["x"]], {}, 2**70, [2**70], [[2**70]]):
            must_be_refused(partial(_core.Program, **others, **{name: wrong}))
    must_be_refused(_core.Program, description)
    empty = _core.Program.__new__(_core.Program)
    arrays = torch.zeros(1, 1, 0, dtype=F64), torch.zeros(1, 0, dtype=F64), None, torch.zeros(1, dtype=F64), None
    must_be_refused(empty.forward, *arrays, 0, False, 1)
    must_be_refused(empty.saved_size, 1, False, False)
    must_be_refused(_core.Program(**description).saved_size, "one", False, False)


def test_misuse_is_refused():
    in_a_process("misuse()")


def more_than_a_machine_has() -> None:
    """Forty qubits, sixteen samples at once: more than any address space holds."""
    from replank.circuits import _core

    n = 40
    description = {name: [] for name in descriptions()[0]} | {"n": n, "has_start": True, "row_begins": [0]}
    description |= {"strings": [[0, 1, 1, 1]], "places": [0, *(1 << bit for bit in range(n))]}
    handle = _core.Program(**description)
    out = torch.zeros(1, 16, 1, dtype=F64)
    try:
        handle.forward(torch.zeros(1, 16, 0, dtype=F64), torch.zeros(1, 0, dtype=F64), None, out, None, 0, False, 1)
    except MemoryError:
        print("refused")


def test_more_memory_than_there_is():
    assert in_a_process("more_than_a_machine_has()") == "refused\n"
