from __future__ import annotations

import pytest
import torch

from replank.circuits import Circuit, DensityMatrix, X, Y, Z, reference, theta
from replank.circuits.templates import convolution_block, pooling_block, qcnn, qcnn_shape, qcnn_wires

F64 = torch.float64
NONE = torch.zeros(0, dtype=F64)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def density_matrix(circuit: Circuit, seed: int = 0) -> torch.Tensor:
    return reference.density_matrix(circuit, NONE, randn(circuit.n_parameters, seed=seed))


def entangled(n: int) -> Circuit:
    """A start that has all correlations, so that convolutions have something to work on."""
    circuit = Circuit(n)
    for wire in range(n):
        circuit.ry(0.4 + wire, wire).rz(0.3 * wire, wire)
    for wire in range(n - 1):
        circuit.cnot(wire, wire + 1)
    return circuit


def test_the_convolution_reaches_every_direction_of_su4():
    point = randn(15)
    unitary = reference.unitary(convolution_block(), NONE, point)
    parts = torch.autograd.functional.jacobian(
        lambda weights: torch.view_as_real(reference.unitary(convolution_block(), NONE, weights)), point
    )
    directions = unitary.mH @ torch.view_as_complex(parts.movedim(-1, 0).contiguous())
    torch.testing.assert_close(directions, -directions.mH)  # the algebra of the group
    rank = torch.linalg.matrix_rank(torch.view_as_real(directions).reshape(15, -1), rtol=1e-6)
    assert rank == 15


def test_the_convolution_with_zero_weights_does_nothing():
    torch.testing.assert_close(
        reference.unitary(convolution_block(weights=[0.0] * 15)), torch.eye(4, dtype=torch.complex128)
    )


@pytest.mark.parametrize("bit", [0, 1])
def test_pooling_turns_only_if_the_other_qubit_is_1(bit):
    a, b, c = 0.3, 1.1, -0.8
    pooled = reference.unitary(pooling_block(weights=[a, b, c]))
    block = pooled.reshape(2, 2, 2, 2)[:, bit, :, bit]
    expected = reference.unitary(Circuit(1).rot(a, b, c, 0)) if bit else torch.eye(2, dtype=torch.complex128)
    torch.testing.assert_close(block, expected)
    assert pooled.reshape(2, 2, 2, 2)[:, bit, :, 1 - bit].abs().max() == 0


@pytest.mark.parametrize(("n_qubits", "n_remaining"), [(2, 1), (3, 1), (4, 1), (4, 2), (4, 3), (5, 2)])
def test_measuring_and_controlling_agree_on_what_remains(n_qubits, n_remaining):
    left = qcnn_wires(n_qubits, n_remaining=n_remaining)
    matrices = [
        density_matrix(entangled(n_qubits).extend(qcnn(n_qubits, n_remaining=n_remaining, measured=measured)))
        for measured in (True, False)
    ]
    for observable in (Z(left[-1]), 0.7 * X(left[0]) + Y(left[0]), DensityMatrix(left)):
        torch.testing.assert_close(*(reference.expectation(observable, rho) for rho in matrices), rtol=0, atol=1e-12)
    assert not torch.allclose(*matrices)  # on all qubits they differ: a measurement destroys coherence


@pytest.mark.parametrize("measured", [True, False])
def test_pooling_by_half_a_turn_brings_the_parity_to_the_qubit_that_remains(measured):
    pooled = entangled(2).extend(pooling_block(weights=[0.0, torch.pi, 0.0], measured=measured))
    parity = reference.expectation(Z(0) @ Z(1), density_matrix(entangled(2)))
    torch.testing.assert_close(reference.expectation(Z(0), density_matrix(pooled)), parity)


@pytest.mark.parametrize(
    ("n_qubits", "n_remaining", "left", "n_layers"),
    [
        (2, 1, (0,), 1),
        (8, 1, (0,), 3),
        (8, 2, (0, 4), 2),
        (8, 3, (0, 4), 2),
        (8, 7, (0, 2, 4, 6), 1),
        (5, 3, (0, 2, 4), 1),
        (6, 1, (0,), 3),
    ],
)
def test_every_layer_keeps_every_other_qubit(n_qubits, n_remaining, left, n_layers):
    assert qcnn_wires(n_qubits, n_remaining=n_remaining) == left
    assert qcnn_shape(n_qubits, n_remaining=n_remaining) == (n_layers, 18)


def test_a_qubit_that_was_given_up_is_not_used_again():
    circuit = qcnn(8, measured=True)
    measured: set[int] = set()
    for operation in circuit:
        assert not measured & set(operation.wires)
        if operation.label == "M":
            measured |= set(operation.wires)
    assert measured == set(range(8)) - set(qcnn_wires(8))


def test_a_layer_couples_all_neighbours_with_the_same_weights():
    couple = Circuit(2).rzz(theta[0], 0, 1)
    circuit = qcnn(6, n_remaining=3, convolution=couple)
    pairs = [operation.wires for operation in circuit if operation.label == "RZZ"]
    assert pairs == [(0, 1), (2, 3), (4, 5), (1, 2), (3, 4)]
    assert circuit.n_parameters == 1 + 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: qcnn(1), "n_qubits must be an integer at least 2, got n_qubits=1"),
        (lambda: qcnn(4, n_remaining=4), r"n_remaining must be an integer in 1..3, got n_remaining=4"),
        (lambda: qcnn(4, n_remaining=0), "got n_remaining=0"),
        (lambda: qcnn(4, convolution=Circuit(3)), "a convolution must be on two qubits, got n_qubits=3"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
