from __future__ import annotations

import pytest
import torch

from replank.circuits import Circuit, DensityMatrix, QuantumLayer, Z, reference
from replank.circuits.observables import Probabilities
from replank.circuits.templates import (
    amplitude_embedding,
    arbitrary_unitary,
    dense_qcnn,
    dense_qcnn_shape,
    dense_qcnn_wires,
)

F64 = torch.float64
NONE = torch.zeros(0, dtype=F64)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("n", "layers", "count", "wires"), [(6, 1, 81, (0, 2, 4)), (10, 2, 99, (0, 4, 8))])
def test_published_sizes(n, layers, count, wires):
    assert dense_qcnn_shape(n, layers) == (count,)
    assert dense_qcnn(n, layers).n_parameters == count
    assert dense_qcnn_wires(n, layers) == wires


def test_later_layers_leave_six_weights_unused():
    used = {v.index for operation in dense_qcnn(5, 2) for angle in operation.angles for v in angle.variables()}
    assert set(range(18 + 18 + 15)) - used == set(range(18, 24))


@pytest.mark.parametrize(("n", "layers"), [(2, 1), (3, 1), (4, 1), (4, 2), (5, 2)])
def test_pooling_by_control_equals_the_average_over_measured_outcomes(n, layers):
    """The density matrix of what remains: measurements and conditional gates against controlled gates."""
    weights, observable = randn(*dense_qcnn_shape(n, layers)), DensityMatrix(dense_qcnn_wires(n, layers))
    start = Circuit(n)
    for wire in range(n):
        start.ry(0.4 + wire, wire)
    reduced = [
        reference.expectation(observable, reference.density_matrix(circuit, NONE, weights))
        for circuit in (
            start.copy().extend(dense_qcnn(n, layers, measured=True)),
            start.copy().extend(dense_qcnn(n, layers)),
        )
    ]
    torch.testing.assert_close(*reduced, rtol=0, atol=1e-12)
    assert (reduced[0] @ reduced[0]).diagonal(dim1=-2, dim2=-1).sum().real < 0.999  # mixed: the average matters


def test_a_convolution_is_the_same_on_all_pairs():
    """With nothing else, a product of equal states keeps equal pairs: (0, 1), (2, 3) and (4, 5)."""
    weights = torch.cat((randn(15), torch.zeros(3 + 63, dtype=F64)))
    weights[6:9] = 0  # no coupling: rotations alone, which must be the same everywhere
    rho = reference.density_matrix(dense_qcnn(6, 1), NONE, weights)
    z = torch.stack([reference.expectation(Z(wire), rho) for wire in range(6)]).flatten()
    # qubits 1 to 4 are in two pairs, so that the last rotations act on them twice
    torch.testing.assert_close(z[1], z[3])
    torch.testing.assert_close(z[2], z[4])
    assert not torch.isclose(z[0], z[2])


def test_only_the_last_unitary_without_the_layers():
    weights = torch.cat((torch.zeros(18, dtype=F64), randn(63)))
    expected = reference.unitary(arbitrary_unitary(3).on((0, 2, 4), 6), NONE, weights[18:])
    torch.testing.assert_close(reference.unitary(dense_qcnn(6, 1), NONE, weights), expected)


def test_the_layer_on_amplitudes_equals_the_reference():
    circuit = amplitude_embedding(4).extend(dense_qcnn(4, 2))
    layer = QuantumLayer(circuit, Probabilities(dense_qcnn_wires(4, 2)), init_scale=1.0, dtype=F64)
    images = torch.rand(5, 16, dtype=F64)
    states = reference.state(circuit, images, layer.theta)
    expected = states.abs().square().reshape(5, 2, 8).sum(-1)
    torch.testing.assert_close(layer(images), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(layer(3 * images), expected, rtol=0, atol=1e-12)  # brightness is not seen


def test_a_black_image_has_no_amplitudes():
    circuit = amplitude_embedding(2).extend(dense_qcnn(2, 1))
    layer = QuantumLayer(circuit, Probabilities(dense_qcnn_wires(2, 1)))
    with pytest.raises(ValueError, match="the amplitudes of a sample must not all be 0"):
        layer(torch.zeros(1, 4))


def test_it_begins_where_it_is_told_to():
    assert dense_qcnn(2, 1, start=5).n_parameters == 5 + 18 + 3
    with pytest.raises(ValueError, match="needs 21 weights from start=0 on, got 20"):
        dense_qcnn(2, 1, weights=[0.0] * 20)


@pytest.mark.parametrize(("n", "layers", "law"), [(1, 1, "at least 2"), (2, 2, "at least 3"), (4, 0, "at least 1")])
def test_too_few_qubits_for_a_layer_are_refused(n, layers, law):
    with pytest.raises(ValueError, match=law):
        dense_qcnn(n, layers)
