"""The light cone: what observables can't see is dropped, and nothing that they see."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, PauliSum, State, X, Y, Z, theta, torch_backend
from replank.circuits.light_cone import DEAD, DIAGONAL, FULL, components, merge_copies, prune
from replank.circuits.lowering import lower
from replank.circuits.primitives import Cnot, Flip, Turn, turn
from replank.circuits.program import assemble
from replank.circuits.slots import Slots
from tests.circuits.strategies import F64, assert_near, general_circuits, inputs, pauli_sums, unitary_circuits


def unpruned(circuit: Circuit, observable: PauliSum, features: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    """An observable with every primitive of the circuit in one program."""
    lowered = lower(circuit)
    program = assemble(lowered)
    slots = Slots(program.angles, circuit.n_features, circuit.n_parameters)
    words = [(), *(tuple(sorted((lowered.output[w], letter) for w, letter in word)) for word, _ in observable.terms)]
    strings = [program.frame.masked(word) for word in words]
    sources = slots.sources(features[None], parameters[None])
    norm, *values = torch_backend.run(program, slots, *sources, None, strings)[0].unbind(-1)
    return sum(c * value for (_, c), value in zip(observable.terms, values, strict=True)) / norm + 0 * norm


def kept(circuit: Circuit, *observables: PauliSum) -> list[str]:
    """What of a circuit is seen, as letters of turns and names of others."""
    primitives = circuit.plan(list(observables)).lowered.primitives
    return [
        "".join(letter for _, letter in each.word) if isinstance(each, Turn) else type(each).__name__
        for each in primitives
    ]


# -- nothing is lost ---------------------------------------------------------------------------------------------------


@given(st.data(), unitary_circuits(most_qubits=5))
def test_dropping_changes_no_expectation_value(data, circuit):
    observable = data.draw(pauli_sums(circuit.n_qubits))
    features, parameters = inputs(circuit, 2)
    wanted = unpruned(circuit, observable, features, parameters)
    assert_near(circuit.plan(observable)(features, parameters, backend="torch"), wanted, 1e-10)


@given(st.data(), general_circuits(channels=False))
def test_nor_with_measurements_resets_and_post_selections(data, circuit):
    circuit = Circuit(circuit.n_qubits, [each for each in circuit if each.label != "|ψ⟩"])
    observable = data.draw(pauli_sums(circuit.n_qubits))
    features, parameters = inputs(circuit, 2)
    wanted = unpruned(circuit, observable, features, parameters)
    assert_near(circuit.plan(observable)(features, parameters, backend="torch"), wanted, 1e-10)


@given(unitary_circuits(most_qubits=4), st.integers(0, 3), st.integers(0, 99))
def test_a_gate_outside_the_light_cone_does_not_matter(circuit, wire, seed):
    """Nothing that comes later on other wires changes what is measured on one."""
    wire %= circuit.n_qubits
    others = [other for other in range(circuit.n_qubits) if other != wire]
    longer = circuit.copy()
    for other in others:
        longer.ry(0.3 + seed, other).cnot(other, others[0]) if other != others[0] else longer.rx(0.2 * seed, other)
    observables = [X(wire), Y(wire), Z(wire)]
    features, parameters = inputs(circuit, 2)
    wanted = circuit.plan(observables)(features, parameters, backend="torch")
    assert_near(longer.plan(observables)(features, parameters, backend="torch"), wanted, 1e-10)
    assert len(longer.plan(observables).lowered.primitives) == len(circuit.plan(observables).lowered.primitives)


# -- what goes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("circuit", "observable", "seen"),
    [
        (Circuit(2).rx(theta[0], 1), Z(0), []),
        (Circuit(2).rx(theta[0], 0).rz(theta[1], 0), Z(0), ["X"]),
        (Circuit(2).rx(theta[0], 0).rz(theta[1], 0), X(0), ["X", "Z"]),
        (Circuit(2).ry(theta[0], 0).cz(0, 1).rzz(theta[1], 0, 1), Z(0), ["Y"]),
        (Circuit(2).ry(theta[0], 1).cnot(0, 1), Z(0), []),
        (Circuit(2).ry(theta[0], 0).cnot(0, 1), Z(1), ["Y", "Cnot"]),
        (Circuit(2).cnot(0, 1).rz(theta[0], 1), Z(1), ["Cnot"]),
        (Circuit(2).cnot(0, 1).rz(theta[0], 0), X(1), ["Cnot"]),
        (Circuit(2).rx(theta[0], 0).x(1).swap(0, 1), Z(1), ["X", "Exchange"]),
        (Circuit(3).rx(theta[0], 2).crx(theta[1], 0, 1), Z(0), []),
        (Circuit(2).rx(theta[0], 0).measure(0), Z(0), ["X"]),
        (Circuit(2).rx(theta[0], 1).post_select(1, 0), Z(0), ["X", "Project"]),
        (Circuit(2).t(0).s(1).h(0), Z(0), ["Z", "Z", "Y"]),
    ],
    ids=lambda value: str(value) if not isinstance(value, Circuit) else " ".join(each.label for each in value),
)
def test_what_an_observable_sees(circuit, observable, seen):
    assert kept(circuit, observable) == seen


def test_only_amplitudes_see_a_global_phase():
    circuit = Circuit(1).p(theta[0], 0).x(0)
    empty = turn("", (), 0.0).word
    words = [
        [each.word for each in circuit.copy().plan(o).lowered.primitives if isinstance(each, Turn)]
        for o in (State(), Z(0))
    ]
    assert empty in words[0]
    assert empty not in words[1]


def test_a_brick_wall_has_a_light_cone():
    """How many primitives one qubit sees depends on depth, not on width."""

    def wall(n: int, depth: int) -> Circuit:
        circuit = Circuit(n)
        for layer in range(depth):
            for wire in range(n):
                circuit.ry(theta[layer * n + wire], wire)
            for wire in range(layer % 2, n - 1, 2):
                circuit.cnot(wire, wire + 1).ry(0.1, wire).ry(0.2, wire + 1)
        return circuit

    counts = {(n, depth): len(kept(wall(n, depth), Z(n // 2))) for n in (12, 20, 40) for depth in (1, 2, 3)}
    for depth in (1, 2, 3):
        assert counts[12, depth] == counts[20, depth] == counts[40, depth]
    assert counts[12, 1] < counts[12, 2] < counts[12, 3]


def test_the_status_becomes_that_at_the_beginning():
    status = [DEAD, DEAD, DIAGONAL]
    prune(lower(Circuit(3).cnot(0, 1).cnot(1, 2)), status)
    assert status == [DIAGONAL, DIAGONAL, DIAGONAL]
    status = [DEAD, FULL]
    prune(lower(Circuit(2).cnot(0, 1).swap(0, 1)), status)
    assert status == [FULL, FULL]


# -- parts that never meet ---------------------------------------------------------------------------------------------


def test_components():
    lowered = lower(Circuit(6).cnot(0, 3).rzz(0.1, 3, 1).h(2).toffoli(4, 5, 2))
    assert components(lowered) == [[0, 1, 3], [2, 4, 5]]
    assert components(lowered, [(0, 2)]) == [[0, 1, 2, 3, 4, 5]]
    assert components(lower(Circuit(3).h(1))) == [[0], [1], [2]]


@given(st.data(), unitary_circuits(n_qubits=2, most_operations=6), unitary_circuits(n_qubits=3, most_operations=6))
def test_expectation_values_of_a_product_are_products(data, one, other):
    """Two circuits side by side, interleaved among the wires, measured together."""
    first, second = [4, 1], [0, 3, 2]
    both = one.on(first, 5).extend(other.on(second, 5))
    left, right = data.draw(pauli_sums(2, 1)), data.draw(pauli_sums(3, 1))

    def moved(observable: PauliSum, wires: list[int]) -> PauliSum:
        words = [(tuple(sorted((wires[w], letter) for w, letter in word)), c) for word, c in observable.terms]
        return PauliSum(tuple(words))

    features, parameters = inputs(both, 3)
    values = [
        circuit.plan(observable)(features[:, : circuit.n_features], parameters[: circuit.n_parameters], backend="torch")
        for circuit, observable in ((one, left), (other, right))
    ]
    plan = both.plan(moved(left, first) @ moved(right, second))
    assert all(len(component.lines) <= 3 for component in plan.components)
    assert_near(plan(features, parameters, backend="torch"), values[0] * values[1], 1e-10)


def test_a_wide_circuit_of_small_parts_is_run_in_parts():
    n = 60
    circuit = Circuit(n)
    for wire in range(0, n, 2):
        circuit.ry(theta[wire], wire).cnot(wire, wire + 1)
    plan = circuit.plan([Z(wire) for wire in range(n)])
    parameters = torch.linspace(-1, 1, circuit.n_parameters, dtype=F64)
    wanted = parameters[::2].cos().repeat_interleave(2)
    assert_near(plan(torch.zeros(0, dtype=F64), parameters), wanted, 1e-12)


# -- records -----------------------------------------------------------------------------------------------------------


def test_a_record_is_its_qubit_where_nothing_follows():
    lowered = prune(lower(Circuit(2).h(0).measure(0).x(1, when="m0")), [DIAGONAL, DIAGONAL, DEAD])
    merged = merge_copies(lowered, [DIAGONAL, DIAGONAL, DEAD])
    assert merged.primitives[-1] == Cnot(0, 1)
    assert sum(isinstance(each, Cnot) for each in merged.primitives) == 1
    assert merged.n_lines == lowered.n_lines


@pytest.mark.parametrize(
    ("circuit", "status"),
    [
        (Circuit(2).h(0).measure(0).h(0).x(1, when="m0"), [DIAGONAL, DIAGONAL, DEAD]),
        (Circuit(2).h(0).measure(0).x(1, when="m0"), [FULL, DIAGONAL, DEAD]),
        (Circuit(2).h(0).measure(0).x(0).x(1, when="m0"), [DIAGONAL, DIAGONAL, DEAD]),
    ],
    ids=["turned", "coherence", "flipped"],
)
def test_a_record_stays_where_its_qubit_goes_on(circuit, status):
    lowered = prune(lower(circuit), list(status))
    assert Cnot(0, 2) in merge_copies(lowered, status).primitives


def test_merging_keeps_what_is_measured():
    circuit = Circuit(3).ry(theta[0], 0).ry(theta[1], 1).measure(0).measure(1).x(2, when="m0").ry(0.7, 2, when="m1")
    features, parameters = torch.zeros(1, 0, dtype=F64), torch.tensor([0.4, 1.3], dtype=F64)
    observable = Z(0) + Z(0) @ Z(1) - 0.5 * Z(2)
    wanted = unpruned(circuit, observable, features, parameters)
    plan = circuit.plan(observable)
    assert sum(component.program.n for component in plan.components) < plan.lowered.n_lines
    assert_near(plan(features, parameters, backend="torch"), wanted, 1e-12)


def test_flips_and_phases_of_dead_lines_go():
    lowered = lower(Circuit(2).x(0).x(1).t(1))
    assert prune(lowered, [DIAGONAL, DEAD]).primitives == (Flip(0),)
