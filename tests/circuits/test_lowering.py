"""Lowering: the primitives on lines do what the operations on wires do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given

from replank.circuits import Circuit, reference, theta
from replank.circuits.lowering import doubled, lower, only_lines, renumbered
from replank.circuits.primitives import Cnot, Exchange, Flip, Matrix, Noise, Project, Turn, turn
from tests.circuits.dense import evolved, product, reduced
from tests.circuits.strategies import F64, damping, general_circuits, haar, inputs, number, unitary_circuits

NOTHING = torch.zeros(0, dtype=F64)


def bound(circuit: Circuit) -> Circuit:
    """With numbers for its parameters and features."""
    features, parameters = inputs(circuit, 1)
    return circuit.bind(parameters.tolist(), features[0].tolist())


def assert_equal(actual: np.ndarray, wanted: torch.Tensor) -> None:
    np.testing.assert_allclose(actual, wanted.numpy(), rtol=0, atol=1e-10)


@given(unitary_circuits(most_qubits=4, most_operations=8, angle=number))
def test_primitives_are_the_circuit_with_its_global_phase(circuit):
    lowered = lower(circuit)
    assert lowered.n_lines == circuit.n_qubits
    assert lowered.output == tuple(range(circuit.n_qubits))
    assert_equal(product(lowered.primitives, lowered.n_lines), reference.unitary(circuit))


def unprepared(circuit: Circuit) -> Circuit:
    """Without amplitudes, which primitives do not express."""
    return Circuit(circuit.n_qubits, [each for each in bound(circuit) if each.label != "|ψ⟩"])


@given(general_circuits(channels=False))
def test_measurements_can_be_deferred(circuit):
    circuit = unprepared(circuit)
    lowered = lower(circuit)
    state = evolved(lowered.primitives, lowered.n_lines)
    assert_equal(reduced(state, lowered.output), reference.density_matrix(circuit, NOTHING, NOTHING))


@given(general_circuits(most_qubits=2, most_operations=6))
def test_a_density_matrix_is_a_state_on_twice_the_lines(circuit):
    circuit = unprepared(circuit)
    both = doubled(lower(circuit))
    n = both.n_lines // 2
    rho = evolved(both.primitives, 2 * n)
    rows, columns = both.output[: circuit.n_qubits], both.output[circuit.n_qubits :]
    rest = [line for line in range(n) if line not in rows]
    letters = list(range(2 * n))
    for line in rest:
        letters[n + line] = letters[line]  # traced out
    traced = np.einsum(rho, letters, [*rows, *columns]).reshape(2**circuit.n_qubits, -1)
    assert_equal(traced / np.trace(traced), reference.density_matrix(circuit, NOTHING, NOTHING))


@pytest.mark.parametrize(
    ("circuit", "n_lines", "output"),
    [
        (Circuit(2).h(0).measure(0).measure(0), 4, (0, 1)),
        (Circuit(2).h(0).reset(0), 3, (2, 1)),
        (Circuit(2).reset(0).reset(1), 2, (0, 1)),
        (Circuit(2).h(0).reset(0).reset(0), 3, (2, 1)),
        (Circuit(2).swap(0, 1).reset(1).x(1).reset(1), 4, (0, 3)),
        (Circuit(2).h(0).measure(0).reset(0).x(0, when="m0"), 4, (3, 1)),
    ],
)
def test_lines(circuit, n_lines, output):
    lowered = lower(circuit)
    assert (lowered.n_lines, lowered.output) == (n_lines, output)


def test_amplitudes_stay_with_their_lines():
    circuit = Circuit(3).prepare_amplitudes([theta[0], 1.0], [2]).prepare_amplitudes(haar(2, 0)[0], [1, 0])
    assert [lines for lines, _ in lower(circuit).prepared] == [(2,), (1, 0)]
    assert lower(circuit).primitives == ()


def test_renumbering_moves_everything():
    circuit = Circuit(3).prepare_amplitudes([theta[0], 1.0], [2]).h(0).cnot(0, 1).swap(1, 2).crx(theta[0], 2, 0)
    circuit.unitary(haar(2, 1), [1, 0]).post_select(1, 0).channel(damping(2, 0.1))
    moved = renumbered(lower(circuit), [2, 0, 1])
    kinds = (Turn, Cnot, Exchange, Matrix, Project, Noise)
    assert {type(each) for each in moved.primitives} == set(kinds)
    back = renumbered(moved, [1, 2, 0])
    assert [each.wires for each in back.primitives] == [each.wires for each in lower(circuit).primitives]
    assert [lines for lines, _ in moved.prepared] == [(1,)]
    assert moved.output == (2, 0, 1)


def test_words_stay_sorted_when_lines_are_renumbered():
    lowered = lower(Circuit(3).pauli_rotation("XYZ", 0.3, [0, 1, 2]))
    assert renumbered(lowered, [2, 0, 1]).primitives == (turn("YZX", (0, 1, 2), 0.3),)


def test_only_some_lines():
    lowered = lower(Circuit(4).prepare_amplitudes([theta[0], 1.0], [3]).h(0).cnot(0, 2).x(1).cz(1, 3))
    mine, others = only_lines(lowered, [0, 2]), only_lines(lowered, [1, 3])
    assert (mine.n_lines, mine.output, mine.prepared) == (2, (0, -1, 1, -1), ())
    assert (others.n_lines, others.output) == (2, (-1, 0, -1, 1))
    assert [lines for lines, _ in others.prepared] == [(1,)]
    assert Cnot(0, 1) in mine.primitives
    assert Flip(0) in others.primitives
