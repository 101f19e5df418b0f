"""Threads and processes: the same numbers as one after the other, whoever asks, and however many share the work."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import Tensor

from replank.circuits import Circuit, Probabilities, State, X, Z, theta, x
from replank.circuits.plan import Plan
from tests.circuits.strategies import F64, assert_near, gradients, haar, inputs, needs_core

pytestmark = needs_core
ROOT = Path(__file__).parents[2]


def layered(n: int, n_layers: int = 3) -> Circuit:
    circuit = Circuit(n)
    angle = iter(theta[: 2 * n * n_layers])
    for layer in range(n_layers):
        for wire in range(n):
            circuit.ry(x[wire % 3] + layer, wire).rx(next(angle), wire).rz(next(angle), wire)
        for wire in range(n - 1):
            circuit.crx(x[0], wire, wire + 1)
        for wire in range(n - 1):
            circuit.cnot(n - 1, wire)
    return circuit


SHAPES = ((4, 200), (6, 33), (10, 5), (15, 1))  # qubits and batch: many tiles, few, and fewer than threads


def computed(plan: Plan, batch: int, seed: int = 0, dtype: torch.dtype = F64) -> list[Tensor]:
    """Values and gradients of a plan on the core."""
    features, parameters = inputs(plan.circuit, batch, seed=seed, dtype=dtype)
    values = plan(features, parameters, backend="core")
    return [each.detach() for each in (values, *gradients(values, features, parameters))]


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def assert_same(results: list[Tensor], wanted: list[Tensor]) -> None:
    """Bit for bit."""
    for result, want in zip(results, wanted, strict=True):
        assert torch.equal(result, want)


# -- threads of Python -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "batch"), SHAPES)
def test_many_threads_may_run_one_plan(n, batch):
    plan = layered(n).plan([Z(0), X(n - 1)])
    wanted = [computed(plan, batch, seed) for seed in range(4)]
    fresh = layered(n).plan([Z(0), X(n - 1)])  # compiled by whichever thread comes first
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: computed(fresh, batch, k % 4), range(16)))
    for k, results in enumerate(found):
        assert_same(results, wanted[k % 4])


def test_threads_may_run_different_plans():
    plans = [
        layered(n, depth).plan(what) for n in (1, 3, 7) for depth in (1, 4) for what in (None, Probabilities(), State())
    ]
    wanted = [computed(plan, 20, dtype=torch.float32) for plan in plans]
    with ThreadPoolExecutor(6) as pool:
        for _ in range(3):
            found = pool.map(lambda plan: computed(plan, 20, dtype=torch.float32), plans)
            for results, want in zip(found, wanted, strict=True):
                assert_same(results, want)


def test_backward_may_run_in_another_thread_than_forward():
    plan = layered(5).plan([Z(0), X(4)])
    wanted = computed(plan, 40)
    features, parameters = inputs(plan.circuit, 40)
    values = plan(features, parameters, backend="core")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: gradients(values, features, parameters), range(4)))
    for slopes in found:
        assert_same(slopes, wanted[1:])


def test_what_one_thread_gets_wrong_does_not_reach_the_others():
    plan = layered(5).plan()
    wanted = computed(plan, 40)

    def run(k: int) -> list[Tensor] | None:
        if k % 2:
            return computed(plan, 40)
        features, parameters = inputs(plan.circuit, 40)
        with pytest.raises(ValueError, match="NaN or infinit"):
            plan(features * float("nan"), parameters, backend="core")
        return None

    with ThreadPoolExecutor(6) as pool:
        for results in filter(None, pool.map(run, range(24))):
            assert_same(results, wanted)


# -- threads of OpenMP -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [F64, torch.float32], ids=str)
@pytest.mark.parametrize(("n", "batch"), SHAPES)
def test_how_many_threads_share_the_work_changes_no_more_than_rounding(n, batch, dtype):
    plan = layered(n).plan([Z(0), X(n - 1)])
    atol = 1e-11 if dtype == F64 else 2e-3
    with torch_threads(1):
        wanted = computed(plan, batch, dtype=dtype)
    for number in (2, 3):
        with torch_threads(number):
            results = computed(plan, batch, dtype=dtype)
            assert_same(computed(plan, batch, dtype=dtype), results)
        for result, want in zip(results, wanted, strict=True):
            assert_near(result, want, atol)


@pytest.mark.parametrize("kind", ["everything", "prepared"])
def test_a_team_on_one_large_state(kind):
    """With fewer samples than threads, all of them work on one state; every kind of step is shared out."""
    n = 14
    circuit = Circuit(n).prepare_amplitudes([x[0], 1.0, theta[0]], [3, n - 1]) if kind == "prepared" else Circuit(n)
    circuit.extend(layered(n, 1)).unitary(haar(2, 0), [0, n - 1]).unitary(haar(3, 1), [2, 7, 5]).toffoli(1, n - 1, 0)
    circuit.pauli_rotation("XYZX", theta[1], [0, 4, 9, n - 1]).post_select(6, 0).rzz(x[1], 0, 6).ry(theta[2], 6)
    circuit.crx(x[2], n - 1, 2)
    for observables in ([Z(0), X(n - 1), X(2) @ Z(6)], State()):
        plan = circuit.copy().plan(observables)
        with torch_threads(1):
            wanted = computed(plan, 1)
        for number in (2, 4):
            with torch_threads(number):
                results = computed(plan, 1)
                assert_same(computed(plan, 1), results)
            for result, want in zip(results, wanted, strict=True):
                assert_near(result, want, 1e-11)


SCRIPT = """
import torch
from tests.circuits.test_threads import SHAPES, computed, layered
torch.set_num_threads(3)
for n, batch in SHAPES:
    print(*(result.sum().item() for result in computed(layered(n).plan(), batch)))
"""


def sums(**variables: str) -> list[list[float]]:
    """Sums of values and gradients, by a fresh process with other environment variables."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [[float(word) for word in line.split()] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("limit", ["1", "2"])
def test_the_system_may_give_fewer_threads_than_asked_for(limit):
    for line, want in zip(sums(OMP_THREAD_LIMIT=limit), sums(), strict=True):
        assert line == pytest.approx(want, abs=1e-9)


# -- processes ---------------------------------------------------------------------------------------------------------


def in_another_process(shape: tuple[int, int]) -> list[list[float]]:
    torch.set_num_threads(2)
    n, batch = shape
    return [result.flatten().tolist() for result in computed(layered(n).plan(), batch)]


def test_spawned_processes():
    with torch_threads(2):
        wanted = [in_another_process(shape) for shape in SHAPES]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map_async(in_another_process, SHAPES).get(120) == wanted


FORK = """
import os, sys, time
import torch
from tests.circuits.test_threads import SHAPES, assert_near, computed, layered

torch.set_num_threads(2)
plans = [layered(n).plan() for n, _ in SHAPES]
wanted = [computed(plan, batch) for plan, (_, batch) in zip(plans, SHAPES)]  # OpenMP has threads from here on


def compare():
    for plan, (n, batch), want in zip(plans, SHAPES, wanted):
        for each in (plan, layered(n).plan()):
            for result, one in zip(computed(each, batch), want):
                assert_near(result, one, 1e-11)


children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        compare()
        if os.fork() == 0:  # a grandchild
            compare()
            os._exit(0)
        os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
    children.append(child)
compare()
deadline = time.monotonic() + 60
while children and time.monotonic() < deadline:
    done, status = os.waitpid(children[0], os.WNOHANG)
    if done:
        assert status == 0, status
        children.pop(0)
    time.sleep(0.01)
for child in children:
    os.kill(child, 9)
assert not children, "a forked process hangs"
compare()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_processes_after_threads_were_used():
    done = subprocess.run([sys.executable, "-c", FORK], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
