"""What plans refuse when they are made and when they are run: never NaN, never a wrong answer."""

from __future__ import annotations

import math
import re
from itertools import product

import numpy as np
import psutil
import pytest
import torch

from replank.circuits import (
    Circuit,
    DensityMatrix,
    PauliSum,
    Probabilities,
    Projector,
    Samples,
    State,
    X,
    Z,
    core,
    theta,
    x,
)
from replank.circuits.angle import arccos, arctan, exp, sqrt
from replank.errors import UsageError
from tests.circuits.strategies import BACKENDS, F64, damping, needs_core

NOTHING = torch.zeros(0, dtype=F64)
BOTH = pytest.mark.parametrize("backend", BACKENDS)
PLAN = Circuit(2).rx(theta[0], 0).cnot(0, 1).rx(theta[1], 1).ry(x[0], 0).rz(x[2], 1).plan([Z(0), X(1)])


def numbers(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=F64)


# -- shapes, dtypes, devices -------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("features", "parameters", "law"),
    [
        (torch.zeros(5, 2), torch.zeros(2), r"takes n_features=3, got features of shape \(5, 2\)"),
        (torch.zeros(4), torch.zeros(2), r"takes n_features=3, got features of shape \(4,\)"),
        (torch.zeros(()), torch.zeros(2), r"takes n_features=3, got features of shape \(\)"),
        (torch.zeros(3), torch.zeros(3), r"takes n_parameters=2 in one dimension, got parameters of shape \(3,\)"),
        (torch.zeros(3), torch.zeros(1), r"takes n_parameters=2 in one dimension, got parameters of shape \(1,\)"),
        (torch.zeros(3), torch.zeros(1, 2), r"takes n_parameters=2 in one dimension, got parameters of shape \(1, 2\)"),
        (torch.zeros(3), torch.zeros(()), r"takes n_parameters=2 in one dimension, got parameters of shape \(\)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_numbers_of_features_and_parameters(backend, features, parameters, law):
    with pytest.raises(ValueError, match=f"Plan: the circuit {law}"):
        PLAN(features, parameters, backend=backend)


@BOTH
@pytest.mark.parametrize(
    ("features", "parameters", "law"),
    [
        (torch.zeros(3), torch.zeros(2, dtype=F64), "floating point of one dtype, got torch.float32 and torch.float64"),
        (torch.zeros(3, dtype=torch.int64), torch.zeros(2, dtype=torch.int64), "floating point.*got torch.int64"),
        (torch.zeros(3, dtype=torch.cfloat), torch.zeros(2, dtype=torch.cfloat), "floating point.*got torch.complex64"),
        (torch.zeros(3, dtype=torch.bool), torch.zeros(2), "floating point of one dtype, got torch.bool"),
        (torch.zeros(3, device="meta"), torch.zeros(2), "on one device, got meta and cpu"),
        ([0.0, 0.0, 0.0], torch.zeros(2), "tensors, got list and Tensor"),
        (torch.zeros(3), np.zeros(2), "tensors, got Tensor and ndarray"),
        (None, None, "tensors, got NoneType and NoneType"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_dtypes_devices_and_types(backend, features, parameters, law):
    with pytest.raises(TypeError, match=f"Plan: features and parameters must be {law}"):
        PLAN(features, parameters, backend=backend)


def test_a_backend_that_does_not_exist():
    with pytest.raises(UsageError, match='the backend must be "auto", "core" or "torch", got backend=\'gpu\''):
        PLAN(torch.zeros(3), torch.zeros(2), backend="gpu")


@needs_core
def test_the_core_is_asked_for_on_another_device():
    with pytest.raises(UsageError, match=r"the core runs on a CPU, got features on meta\. Use the torch backend"):
        PLAN(torch.zeros(3, device="meta"), torch.zeros(2, device="meta"), backend="core")


def test_the_core_is_asked_for_where_there_is_none(monkeypatch):
    monkeypatch.setenv("REPLANK_NO_CORE", "1")
    with pytest.raises(UsageError, match=r"the compiled core must be there, got none: REPLANK_NO_CORE is set"):
        PLAN(torch.zeros(3), torch.zeros(2), backend="core")
    assert PLAN(torch.zeros(3), torch.zeros(2)).shape == (2,)


# -- numbers that are none ---------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
@pytest.mark.parametrize("batch", [1, 3, 40])
def test_angles_that_are_not_finite(backend, bad, dtype, batch):
    features, parameters = torch.zeros(batch, 3, dtype=dtype), torch.zeros(2, dtype=dtype)
    for place in ((0, 0), (batch - 1, 2)):
        spoilt = features.clone()
        spoilt[place] = bad
        with pytest.raises(ValueError, match="NaN or infinit"):
            PLAN(spoilt, parameters, backend=backend)
    for place in (0, 1):
        spoilt = parameters.clone()
        spoilt[place] = bad
        with pytest.raises(ValueError, match="NaN or infinit"):
            PLAN(features, spoilt, backend=backend)


@BOTH
@pytest.mark.parametrize("output", [Z(0), Probabilities(), State(), DensityMatrix((0,)), Samples(3)], ids=str)
@pytest.mark.parametrize("n", [1, 4, 12])
def test_whatever_is_measured(backend, output, n):
    circuit = Circuit(n).rx(theta[0], 0)
    for wire in range(n - 1):
        circuit.cnot(wire, wire + 1).rx(theta[1], wire)
    plan = circuit.rz(theta[1], 0).rx(theta[1], 0).plan(output)
    with pytest.raises(ValueError, match="NaN or infinit"):
        plan(NOTHING, numbers(0.3, math.nan), backend=backend)


@BOTH
@pytest.mark.parametrize(
    ("angle", "features"),
    [
        (arccos(x[0]), [1.5]),
        (arccos(x[0]), [-1.0001]),
        (sqrt(x[0]), [-1.0]),
        (1 / x[0], [0.0]),
        (exp(x[0] * x[0]), [1000.0]),
        (arccos(theta[0] * x[0]), [1.5]),
    ],
    ids=lambda value: str(value) if not isinstance(value, list) else "",
)
def test_functions_outside_of_where_they_are_defined(backend, angle, features):
    plan = Circuit(2).ry(0.3, 0).rx(angle, 0).cnot(0, 1).plan()
    parameters = torch.ones(plan.n_parameters, dtype=F64)
    inside = numbers(0.5)
    assert plan(inside, parameters, backend=backend).isfinite().all()
    with pytest.raises(ValueError, match="NaN or infinit"):
        plan(numbers(*features), parameters, backend=backend)
    with pytest.raises(ValueError, match="NaN or infinit"):
        plan(torch.stack([inside, inside, numbers(*features)]), parameters, backend=backend)


UNSEEN = {
    "a feature": (Circuit(2).rx(x[0], 0).rx(x[1], 1).rx(theta[0], 0), numbers(0.3, math.nan), numbers(0.1)),
    "a parameter": (Circuit(2).rx(theta[0], 0).ry(theta[1], 1).rx(x[0], 0), numbers(0.3), numbers(0.1, math.nan)),
    "inside of a function": (Circuit(1).rx(arctan(x[0]), 0).ry(theta[0], 0), numbers(math.inf), numbers(0.1)),
    "inside of a function of a parameter": (Circuit(1).rx(exp(theta[0]), 0), NOTHING, numbers(-math.inf)),
    "inside of a function of an amplitude": (
        Circuit(1).prepare_amplitudes([exp(x[0]), 1.0]).rx(theta[0], 0), numbers(-math.inf), numbers(0.1),
    ),
}  # fmt: skip


@BOTH
@pytest.mark.parametrize("kind", UNSEEN)
def test_numbers_that_no_measured_gate_shows(backend, kind):
    circuit, features, parameters = UNSEEN[kind]
    plan = circuit.copy().plan(Z(0))
    assert plan(torch.ones_like(features), torch.ones_like(parameters), backend=backend).isfinite()
    with pytest.raises(ValueError, match="NaN or infinit"):
        plan(features, parameters, backend=backend)
    with pytest.raises(ValueError, match="NaN or infinit"):
        plan(torch.stack([torch.ones_like(features), features]), parameters, backend=backend)
    with pytest.raises(ValueError, match="NaN or infinit"):
        torch.func.vmap(lambda row: plan(row, parameters, backend=backend))(features.expand(3, -1))


@BOTH
def test_a_global_phase_that_is_not_finite(backend):
    plan = Circuit(1).ry(0.4, 0).p(theta[0], 0).rz(-theta[0], 0).plan(State())
    assert plan(NOTHING, numbers(0.3), backend=backend).isfinite().all()
    with pytest.raises(ValueError, match="NaN or infinit"):
        plan(NOTHING, numbers(math.nan), backend=backend)


@BOTH
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_amplitudes_that_are_not_finite(backend, value):
    plan = Circuit(2).prepare_amplitudes([x[0], x[1], x[2]]).plan()
    with pytest.raises(ValueError, match="must be finite, got NaN or infinity"):
        plan(torch.tensor([[1.0, 2.0, 3.0], [1.0, value, 3.0]], dtype=F64), NOTHING, backend=backend)


@BOTH
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
def test_amplitudes_that_are_all_0(backend, dtype):
    plan = Circuit(3).prepare_amplitudes([x[0], x[1], x[2]], [2, 0]).plan([Z(0), Z(2)])
    features = torch.ones(4, 3, dtype=dtype)
    features[2] = 0
    with pytest.raises(ValueError, match=r"the amplitudes of a sample must not all be 0, got such a sample\. Add a"):
        plan(features, torch.zeros(0, dtype=dtype), backend=backend)


@BOTH
@pytest.mark.parametrize(
    "output",
    [Z(0), [Z(1), Z(0)], Probabilities(), Projector((1,), (1,)), State(), DensityMatrix((0,)), Samples(2)],
    ids=str,
)
def test_an_impossible_outcome(backend, output):
    plan = Circuit(2).ry(x[0], 1).post_select(0, 1).cnot(0, 1).plan(output)
    with pytest.raises(ValueError, match="what is post-selected must be possible, got an outcome of probability 0"):
        plan(numbers(0.3), NOTHING, backend=backend)


@BOTH
@pytest.mark.parametrize("output", [Z(0), X(0), Probabilities(), DensityMatrix((0,))], ids=str)
def test_an_impossible_outcome_of_a_noisy_circuit(backend, output):
    plan = Circuit(1).channel(damping(0, 0.5)).post_select(0, 1).plan(output)
    with pytest.raises(ValueError, match="what is post-selected must be possible, got an outcome of probability 0"):
        plan(NOTHING, NOTHING, backend=backend)


def there_and_back(n: int = 2) -> Circuit:
    """Turns that are undone by others, so that qubit 0 ends in 0 but for rounding."""
    circuit = Circuit(n)
    for i in range(6):
        circuit.ry(x[i], 0).rz(x[6 + i], 0)
    for i in reversed(range(6)):
        circuit.rz(-theta[6 + i], 0).ry(-theta[i], 0)
    return circuit


MEASURED = [[Z(0), Z(1)], X(1), Probabilities(), DensityMatrix((1,)), Samples(2)]


@BOTH
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
@pytest.mark.parametrize(
    ("output", "is_noisy"), [*product(MEASURED, [False, True]), (State(), False)], ids=lambda value: str(value)[:12]
)
def test_an_outcome_that_is_impossible_but_for_rounding(backend, dtype, output, is_noisy):
    circuit = there_and_back().ry(0.3, 1).cnot(0, 1).post_select(0, 1)
    plan = (circuit.channel(damping(1, 0.2)) if is_noisy else circuit).plan(output)
    for angles in torch.randn(20, 12, dtype=dtype, generator=torch.Generator().manual_seed(0)):
        with pytest.raises(ValueError, match="must be possible, got an outcome of probability 0, up to rounding"):
            plan(angles, angles, backend=backend)


@BOTH
@pytest.mark.parametrize("amplitude", [1e-2, 1e-5, 1e-10, 1e-12])
def test_an_outcome_that_is_merely_improbable(backend, amplitude):
    """What is left of it is as precise as its amplitude against rounding."""
    circuit = Circuit(2).ry(x[0], 0).cry(x[1], 0, 1).post_select(0, 1)
    features = numbers(2 * math.asin(amplitude), 0.7)
    for output, wanted in ((Z(1), math.cos(0.7)), (Projector((1,), (1,)), math.sin(0.35) ** 2)):
        value = circuit.copy().plan(output)(features, NOTHING, backend=backend)
        assert value.item() == pytest.approx(wanted, abs=1e-15 / amplitude)


@BOTH
def test_an_outcome_that_is_impossible_for_one_sample(backend):
    plan = Circuit(2).ry(x[0], 0).post_select(0, 1).plan()
    with pytest.raises(ValueError, match="must be possible"):
        plan(torch.tensor([[1.0], [0.0], [2.0]], dtype=F64), NOTHING, backend=backend)


# -- too large ---------------------------------------------------------------------------------------------------------


def entangled(n: int) -> Circuit:
    circuit = Circuit(n).ry(theta[0], 0)
    for wire in range(n - 1):
        circuit.cnot(wire, wire + 1).ry(theta[0], wire)
    return circuit


def on_all(n: int) -> PauliSum:
    """A string that every qubit has a part in, so that nothing is dropped and nothing falls apart."""
    return PauliSum(((tuple((wire, "Y") for wire in range(n)), 1.0),))


@BOTH
@pytest.mark.parametrize("n", [35, 45, 60, 100])
def test_states_that_fit_no_machine(backend, n):
    law = rf"states must fit into memory, got {n} qubits and a batch of 1, which take about \S+ GiB of \S+ GiB free"
    with pytest.raises(UsageError, match=f"Plan: {law}. Take a smaller batch or fewer qubits"):
        entangled(n).plan(Probabilities())(NOTHING, numbers(0.1), backend=backend)
    with pytest.raises(UsageError, match=law):
        entangled(n).plan(on_all(n))(NOTHING, numbers(0.1), backend=backend)


@BOTH
def test_a_batch_that_does_not_fit(backend, monkeypatch):
    """Refused with the number, before anything is allocated; the same batch without gradients may do."""
    plan = entangled(16).plan(on_all(16))
    kept = 2000 * 2 * 8 * 2**16

    class Memory:
        available = kept // 2

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    features = torch.zeros(2000, 0, dtype=F64)
    law = f"take about {plan.memory_bytes(2000, 8, with_gradients=True) / 2**30:.3g} GiB of {kept / 2**31:.3g} GiB free"
    with pytest.raises(UsageError, match=re.escape(law)):
        plan(features, numbers(0.1).requires_grad_(), backend=backend)
    assert plan.memory_bytes(2000, 8, with_gradients=False) < Memory.available


@BOTH
def test_the_same_for_half_precision_and_one_sample(backend, monkeypatch):
    class Memory:
        available = 2**20

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    with pytest.raises(UsageError, match="states must fit into memory, got 24 qubits"):
        entangled(24).plan(on_all(24))(NOTHING.half(), numbers(0.1).half(), backend=backend)


# -- plans that can't be made ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("circuit", "observables", "law"),
    [
        (Circuit(1), [], "Plan: there must be an observable, got none"),
        (Circuit(1).measure(0), State(), r"Plan: only a circuit without channels.* has a state, got State\(\)"),
        (Circuit(1).h(0).reset(0), [Z(0), State()], "Plan: only a circuit without channels, measurements and resets"),
        (Circuit(1).channel(damping(0, 0.1)), State(), r"Ask for DensityMatrix\(wires\)"),
        (Circuit(13).channel(damping(0, 0.1)), Z(0), "Plan: density matrices go up to 12 qubits, got 13"),
        (Circuit(2), Z(2), r"observable: wires must be different and among 0\.\.1, got \(2,\) in Z\(2\)"),
        (Circuit(2), [Z(0), X(0) @ Z(7)], r"observable: wires must be different and among 0\.\.1, got \(0, 7\)"),
        (Circuit(2), Probabilities((1, 1)), r"observable: wires must be different and among 0\.\.1, got \(1, 1\)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_plans_that_can_not_be_made(circuit, observables, law):
    with pytest.raises(ValueError, match=law):
        circuit.plan(observables)


@needs_core
def test_a_refused_run_leaves_the_plan_as_it_was():
    features, parameters = torch.ones(2, 3, dtype=F64), numbers(0.1, 0.2)
    before = PLAN(features, parameters, backend="core")
    for _ in range(3):
        with pytest.raises(ValueError, match="NaN or infinit"):
            PLAN(features * math.nan, parameters, backend="core")
    assert PLAN(features, parameters, backend="core").equal(before)
    assert core.available()
