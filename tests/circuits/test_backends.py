"""Core, torch and reference agree: on values, in both layouts, on every instruction set, in both precisions."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from replank.circuits import Circuit, DensityMatrix, Probabilities, Projector, State, Z, theta, torch_backend, x
from replank.circuits.plan import Component, Plan
from replank.circuits.prepared import prepared_state
from replank.circuits.slots import Slots
from tests.circuits.strategies import (
    BACKENDS,
    F64,
    assert_near,
    damping,
    expected,
    general_circuits,
    gradients,
    haar,
    inputs,
    needs_core,
    observables_of,
    pauli_sums,
    unitary_circuits,
)

DOUBLE, SINGLE = 1e-10, 2e-5
LAYOUTS = ["samples", "amplitudes"]


def together(result: Tensor | tuple[Tensor, ...], n: int) -> list[Tensor]:
    """One tensor for each observable, however a plan returns them."""
    return list(result) if isinstance(result, tuple) else [result[..., k] for k in range(n)]


def by_core(plan: Plan, component: Component, features: Tensor, parameters: Tensor, layout: str) -> Tensor:
    """What a part of a plan gives on the core in a layout, ``(1, B, ...)``."""
    from replank.circuits import core_backend

    program, slots, lowered = component.program, component.slots, component.lowered
    compiled = core_backend.CoreProgram(program, slots, component.output, prepared=bool(lowered.prepared))
    initial = prepared_state(lowered, features[None], parameters[None], is_mixed=plan.is_mixed)
    return core_backend.run(compiled, *slots.sources(features[None], parameters[None]), initial, layout)


def fits(component: Component, layout: str, dtype: torch.dtype) -> bool:
    """Whether a state fills a vector."""
    from replank.circuits import _core

    return layout == "samples" or 2**component.program.n >= _core.lanes(dtype == torch.float32)


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@given(data=st.data(), circuit=unitary_circuits())
def test_expectation_values_are_those_of_the_reference(backend, data, circuit):
    n = circuit.n_qubits
    observables = [Z(0), *data.draw(st.lists(pauli_sums(n), min_size=1, max_size=3))]
    features, parameters = inputs(circuit, data.draw(st.sampled_from([1, 3, 17])))
    values = circuit.plan(observables)(features, parameters, backend=backend)
    wanted = torch.stack(expected(circuit, observables, features, parameters), -1)
    assert_near(values, wanted, DOUBLE)
    bounds = torch.tensor([sum(abs(c) for _, c in each.terms) for each in observables], dtype=F64)
    assert (values.abs() <= bounds + 1e-12).all()


@pytest.mark.parametrize("backend", BACKENDS)
@given(circuit=unitary_circuits(), batch=st.sampled_from([1, 2, 5]))
def test_amplitudes_and_probabilities_are_those_of_the_reference(backend, circuit, batch):
    features, parameters = inputs(circuit, batch)
    plan = circuit.plan([State(), Probabilities()])
    states, probabilities = plan(features, parameters, backend=backend)
    (wanted,) = expected(circuit, [State()], features, parameters)
    assert_near(states, wanted, DOUBLE)
    assert_near(probabilities, wanted.abs() ** 2, DOUBLE)
    assert_near(torch.linalg.vector_norm(states, dim=-1), torch.ones(batch, dtype=F64), 1e-12)
    assert_near(circuit.plan(Probabilities())(features, parameters, backend=backend), probabilities, DOUBLE)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=4)
@given(data=st.data(), circuit=unitary_circuits(n_qubits=8, most_operations=60))
def test_eight_qubits(backend, data, circuit):
    observables = [Z(7), data.draw(pauli_sums(8)), Probabilities((6, 1)), DensityMatrix((3, 0))]
    features, parameters = inputs(circuit, 3)
    values = circuit.plan(observables)(features, parameters, backend=backend)
    for value, want in zip(values, expected(circuit, observables, features, parameters), strict=True):
        assert_near(value, want, DOUBLE)


@pytest.mark.parametrize("backend", BACKENDS)
@given(data=st.data(), circuit=general_circuits())
def test_measured_reset_selected_and_noisy_circuits(backend, data, circuit):
    observables = data.draw(st.lists(observables_of(circuit.n_qubits), min_size=1, max_size=4))
    features, parameters = inputs(circuit, 3)
    wanted = expected(circuit, observables, features, parameters)
    values = circuit.plan(observables)(features, parameters, backend=backend)
    for value, want in zip(together(values, len(observables)), wanted, strict=True):
        assert_near(value, want, 1e-9)
    for observable, want in zip(observables, wanted, strict=True):
        assert_near(circuit.plan(observable)(features, parameters, backend=backend), want, 1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
@given(circuit=unitary_circuits(), seed=st.integers(0, 9))
def test_single_precision(backend, circuit, seed):
    plan = circuit.plan([Z(0), Z(circuit.n_qubits - 1)])
    features, parameters = inputs(circuit, 9, seed=seed, dtype=torch.float32)
    values = plan(features, parameters, backend=backend)
    assert values.dtype == torch.float32
    wanted = expected(circuit, plan.observables, features.double(), parameters.double())
    assert_near(values.double(), torch.stack(wanted, -1), SINGLE)


@pytest.mark.parametrize("backend", BACKENDS)
@given(circuit=unitary_circuits(most_qubits=5))
def test_inverse_circuits_return_the_start(backend, circuit):
    both = circuit.copy().extend(circuit.inverse())
    features, parameters = inputs(circuit, 3)
    start = torch.zeros(3, 2**circuit.n_qubits, dtype=torch.complex128)
    start[:, 0] = 1
    assert_near(both.plan(State())(features, parameters, backend=backend), start, DOUBLE)


@pytest.mark.parametrize("backend", BACKENDS)
@given(circuit=unitary_circuits(most_qubits=4, most_operations=6), seed=st.integers(0, 99))
def test_inner_products_are_kept(backend, circuit, seed):
    """Unitarity: two states that the circuit acts on keep their angle."""
    n = circuit.n_qubits
    columns = haar(n, seed)
    states = []
    for start in (columns[0], (columns[0] + columns[1]) / 2**0.5):
        features, parameters = inputs(circuit, 2)
        prepared = Circuit(n).prepare_amplitudes(start).extend(circuit)
        states.append(prepared.plan(State())(features, parameters, backend=backend))
    overlap = (states[0].conj() * states[1]).sum(-1)
    assert_near(overlap, torch.full((2,), 2**-0.5, dtype=torch.complex128), DOUBLE)


# -- layouts, batches and groups ---------------------------------------------------------------------------------------

WIDE = (
    Circuit(6)
    .h(0).ry(x[0], 1).rx(theta[0], 2).ry(0.3, 3).ry(theta[1], 4).rx(x[1], 5)
    .cnot(0, 5).rzz(theta[2], 1, 4).crx(x[0] * theta[1], 2, 0).cnot(3, 1).pauli_rotation("XYZ", theta[3], [5, 2, 0])
    .unitary(haar(2, 7), [4, 1]).toffoli(5, 1, 3).ryy(x[1] - theta[0], 2, 4).rz(x[0], 5).rxx(0.4, 0, 5)
    .unitary(haar(3, 8), [5, 0, 3]).cp(theta[2], 3, 1).ry(x[1], 1).iswap(2, 5).rx(theta[3], 0)
)  # fmt: skip
SELECTED = WIDE.copy().post_select(2, 0).ry(0.4, 2).crz(theta[0], 2, 1)
PREPARED = Circuit(6).prepare_amplitudes([x[0], x[1], 1.0, theta[0], x[0] * x[1]], [4, 0, 2]).extend(WIDE)
NOISY = Circuit(3).ry(x[0], 0).cnot(0, 1).channel(damping(1, 0.3)).rx(theta[0], 2).crx(x[1], 1, 2).ry(theta[3], 1)


@needs_core
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [F64, torch.float32])
@pytest.mark.parametrize("circuit", [WIDE, SELECTED, PREPARED, NOISY], ids=["pure", "selected", "prepared", "noisy"])
@pytest.mark.parametrize("output", [[Z(0), Z(1)], Probabilities(), DensityMatrix((1, 0))], ids=["Z", "p", "rho"])
def test_both_layouts_give_the_same(layout, dtype, circuit, output):
    """Values, and gradients with respect to features and parameters, are torch's."""
    plan = circuit.copy().plan(output)
    atol, rtol = (1e-11, 1e-11) if dtype == F64 else (5e-6, 1e-5)
    for component in plan.components:
        features, parameters = inputs(plan.circuit, 11, dtype=dtype)
        sources = component.slots.sources(features[None], parameters[None])
        initial = prepared_state(component.lowered, features[None], parameters[None], is_mixed=plan.is_mixed)
        wanted = torch_backend.run(component.program, component.slots, *sources, initial, component.output)
        value = by_core(plan, component, features, parameters, layout)
        torch.testing.assert_close(value, wanted, rtol=rtol, atol=atol)
        slopes = zip(gradients(value, features, parameters), gradients(wanted, features, parameters), strict=True)
        for slope, want in slopes:
            torch.testing.assert_close(slope, want, rtol=rtol, atol=20 * atol)


@needs_core
@pytest.mark.parametrize("layout", LAYOUTS)
@given(circuit=unitary_circuits(), batch=st.sampled_from([1, 7, 20]))
def test_layouts_of_random_circuits(layout, circuit, batch):
    plan = circuit.plan(State())
    (component,) = plan.components
    if not fits(component, layout, F64):
        return
    features, parameters = inputs(circuit, batch)
    states = by_core(plan, component, features, parameters, layout)[0]
    phase = torch.exp(-0.5j * component.program.phase.evaluate(features, parameters))[..., None]
    (wanted,) = expected(circuit, [State()], features, parameters)
    assert_near(states * phase, wanted, DOUBLE)


@needs_core
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("batch", [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 33])
def test_a_batch_is_its_samples_one_by_one(layout, batch):
    plan = WIDE.copy().plan([Z(0), Z(3)])
    (component,) = plan.components
    features, parameters = inputs(plan.circuit, batch)
    values = by_core(plan, component, features, parameters, layout)
    assert values.shape == (1, batch, 2)
    alone = [by_core(plan, component, row[None], parameters, layout)[0, 0] for row in features]
    assert_near(values[0], torch.stack(alone) if alone else torch.zeros(0, 2, dtype=F64), 1e-14)
    slopes = gradients(values, features, parameters)
    assert [tuple(slope.shape) for slope in slopes] == [(batch, 2), (4,)]


@needs_core
@pytest.mark.parametrize("layout", LAYOUTS)
def test_groups_are_runs_of_their_own(layout):
    """Several sets of features and parameters in one call, or several of one with a single one of the other."""
    from replank.circuits import core_backend

    (component,) = WIDE.copy().plan(Z(0)).components
    slots: Slots = component.slots
    compiled = core_backend.CoreProgram(component.program, slots, component.output, prepared=False)
    features, parameters = torch.randn(3, 5, 2, dtype=F64), torch.randn(3, 4, dtype=F64)

    def run(features: Tensor, parameters: Tensor) -> Tensor:
        return core_backend.run(compiled, *slots.sources(features, parameters), None, layout)

    both = run(features, parameters)
    assert_near(both, torch.cat([run(features[g : g + 1], parameters[g : g + 1]) for g in range(3)]), 1e-14)
    shared = run(features[:1], parameters)
    assert_near(shared, torch.cat([run(features[:1], parameters[g : g + 1]) for g in range(3)]), 1e-14)
    shared = run(features, parameters[:1])
    assert_near(shared, torch.cat([run(features[g : g + 1], parameters[:1]) for g in range(3)]), 1e-14)


@needs_core
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_of_what_groups_share_are_summed(layout):
    from replank.circuits import core_backend

    (component,) = WIDE.copy().plan(Z(0)).components
    slots = component.slots
    compiled = core_backend.CoreProgram(component.program, slots, component.output, prepared=False)
    features = torch.randn(1, 5, 2, dtype=F64, requires_grad=True)
    parameters = torch.randn(3, 4, dtype=F64, requires_grad=True)
    total = core_backend.run(compiled, *slots.sources(features, parameters), None, layout)
    single = torch.cat(
        [core_backend.run(compiled, *slots.sources(features, row[None]), None, layout) for row in parameters]
    )
    for slope, want in zip(
        gradients(total, features, parameters), gradients(single, features, parameters), strict=True
    ):
        assert_near(slope, want, 1e-12)


@needs_core
def test_the_layout_is_chosen_by_what_fits():
    from replank.circuits import _core, core_backend

    def layout(n: int, batch: int, *, single: bool) -> str:
        circuit = Circuit(n).h(0)
        for wire in range(n - 1):
            circuit.cz(wire, wire + 1)
        (component,) = circuit.plan(Probabilities()).components
        compiled = core_backend.CoreProgram(component.program, component.slots, component.output, prepared=False)
        return compiled.layout(batch, single=single)

    for single in (True, False):
        lanes = _core.lanes(single)
        assert layout(1, 1, single=single) == ("samples" if lanes > 2 else "amplitudes")
        assert layout(4, 64, single=single) == "samples"
        assert layout(14, 64, single=single) == "amplitudes"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_large_single_state(backend):
    """GHZ on 20 qubits, turned: what is measured is known in closed form."""
    n = 20
    circuit = Circuit(n).ry(theta[0], 0)
    for wire in range(n - 1):
        circuit.cnot(wire, wire + 1)
    plan = circuit.rz(theta[1], n - 1).plan([Z(3), Z(0) @ Z(n - 1), Projector((1,) * n, tuple(range(n)))])
    angles = torch.tensor([0.7, 0.4], dtype=F64)
    c = angles[0].cos()
    values = plan(torch.zeros(0, dtype=F64), angles, backend=backend)
    assert_near(values, torch.stack([c, torch.ones_like(c), (1 - c) / 2]), 1e-12)


# -- instruction sets --------------------------------------------------------------------------------------------------

SCRIPT = """
import sys, torch
from replank.circuits import core
from tests.circuits.test_backends import fixed_results
torch.save([result.tolist() for result in fixed_results()], sys.argv[1])
print(core.isa())
"""


@cache
def fixed_results() -> list[Tensor]:
    """Values and gradients of some circuits in both layouts and precisions."""
    found = []
    for circuit in (WIDE, SELECTED, PREPARED, NOISY):
        for observables in ([Z(0), Z(1)], Probabilities()):
            plan = circuit.copy().plan(observables)
            for component in plan.components:
                for layout in LAYOUTS:
                    for dtype in (F64, torch.float32):
                        features, parameters = inputs(circuit, 13, dtype=dtype)
                        if fits(component, layout, dtype):
                            value = by_core(plan, component, features, parameters, layout)
                            found += [value, *gradients(value, features, parameters)]
                        else:
                            found += [torch.zeros(0, dtype=dtype)] * 3
    return [result.detach() for result in found]


@needs_core
@pytest.mark.parametrize("isa", ["avx512", "avx2", "baseline"])
def test_every_instruction_set_gives_the_same(isa, tmp_path, monkeypatch):
    from replank.circuits import _core

    if isa not in _core.available_isas():
        pytest.skip(f"this machine has no {isa}")
    monkeypatch.setenv("REPLANK_ISA", isa)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "results.pt")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{isa}\n"), done.stderr
    for result, want in zip(torch.load(tmp_path / "results.pt"), fixed_results(), strict=True):
        if len(result) and len(want):
            atol = 1e-12 if want.dtype == F64 else 1e-4
            assert_near(torch.tensor(result, dtype=want.dtype), want, atol)
