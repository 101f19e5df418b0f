from __future__ import annotations

from math import sin

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, PauliSum, X, Y, Z, reference
from replank.circuits.templates import qaoa_embedding, qaoa_layers

F64 = torch.float64
angles = st.floats(-3, 3)


def ring(n: int) -> PauliSum:
    total = PauliSum(())
    for wire in range(n):
        total = total + Z(wire) @ Z((wire + 1) % n)
    return total


def plus(n: int) -> Circuit:
    circuit = Circuit(n)
    for wire in range(n):
        circuit.h(wire)
    return circuit


def energy(circuit: Circuit, parameters: list[float], observable: PauliSum) -> float:
    rho = reference.density_matrix(circuit, torch.zeros(0, dtype=F64), torch.tensor(parameters, dtype=F64))
    return float(reference.expectation(observable, rho))


@given(angles, angles)
def test_one_layer_on_a_ring_has_the_known_energy(gamma, alpha):
    # Wang et al. (2018), arXiv 1706.02998, for a graph without triangles in which all degrees are 2; the cost there is
    # -1/2 of the coupling here
    circuit = plus(4).extend(qaoa_layers(4, 1, ring(4)))
    expected = sin(4 * alpha) * sin(4 * gamma) / 2
    assert energy(circuit, [gamma, alpha], Z(0) @ Z(1)) == pytest.approx(expected, abs=1e-12)


@given(angles)
def test_without_cost_the_mixer_does_nothing_to_its_eigenstate(alpha):
    circuit = plus(3).extend(qaoa_layers(3, 1, ring(3)))
    assert energy(circuit, [0.0, alpha], X(0) + X(1) + X(2)) == pytest.approx(3)


def test_a_mixer_of_ones_own_acts_with_its_coefficients():
    circuit = qaoa_layers(2, 1, Z(0), mixer=0.5 * X(0) @ X(1) + Y(1))
    assert [operation.label for operation in circuit] == ["RZ", "RXX", "RY"]
    zero = torch.zeros(0, dtype=F64)
    expected = reference.unitary(Circuit(2).rz(0.6, 0).rxx(0.2, 0, 1).ry(0.4, 1))
    got = reference.unitary(circuit, zero, torch.tensor([0.3, 0.2], dtype=F64))
    torch.testing.assert_close(got, expected)


def test_constants_are_left_out():
    assert len(qaoa_layers(1, 1, Z(0) + 5.0)) == 2


@pytest.mark.parametrize(
    ("cost", "mixer", "message"),
    [
        (X(0) + Z(1), None, "a cost must be made of Z alone, got cost="),
        (Z(2), None, r"among 0..1"),
        (Z(0), X(5), r"among 0..1"),
    ],
)
def test_hamiltonians_that_do_not_fit_are_refused(cost, mixer, message):
    with pytest.raises(ValueError, match=message):
        qaoa_layers(2, 1, cost, mixer=mixer)


@pytest.mark.parametrize("n_qubits", [1, 2, 3, 4])
def test_the_embedding_without_weights_repeats_the_rotation(n_qubits):
    circuit = qaoa_embedding(n_qubits, 2)
    features = torch.linspace(0.2, 1.0, n_qubits, dtype=F64)
    got = reference.unitary(circuit, features, torch.zeros(circuit.n_parameters, dtype=F64))
    expected = Circuit(n_qubits)
    for wire, feature in enumerate(features.tolist()):
        expected.rx(3 * feature, wire)
    torch.testing.assert_close(got, reference.unitary(expected))


def test_qubits_without_a_feature_get_hadamards():
    labels = [operation.label for operation in qaoa_embedding(3, 1, features=[0.1])]
    assert labels == ["RX", "H", "H", "RZZ", "RZZ", "RZZ", "RY", "RY", "RY", "RX", "H", "H"]
