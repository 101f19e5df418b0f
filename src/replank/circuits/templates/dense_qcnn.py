"""The convolutional network of PennyLane's demo on learning from few data: U3 gates, and a dense layer at the end."""

from __future__ import annotations

from collections.abc import Sequence

from replank.circuits.angle import Angle, theta
from replank.circuits.circuit import Circuit
from replank.circuits.templates.arbitrary_unitary import arbitrary_unitary, arbitrary_unitary_shape
from replank.circuits.templates.arguments import Angles, check_count, take_weights
from replank.circuits.templates.blocks import place
from replank.circuits.templates.convolution import pooling_block

_CONVOLUTION, _EACH = 15, 18  # weights of a convolution, and with the 3 of its pooling


def dense_qcnn_wires(n_qubits: int, n_layers: int) -> tuple[int, ...]:
    """The qubits that remain after :func:`dense_qcnn`: every other one, layer after layer.

    Raises:
        ValueError: a layer has fewer than two qubits to work on.
    """
    check_count("dense_qcnn", "n_layers", n_layers)
    check_count("dense_qcnn", "n_qubits", n_qubits, least=2 ** (n_layers - 1) + 1)
    return tuple(range(n_qubits))[:: 2**n_layers]


def dense_qcnn_shape(n_qubits: int, n_layers: int) -> tuple[int]:
    """``(18 n_layers + 4^m - 1,)`` with m qubits that remain, the shape of the weights of :func:`dense_qcnn`."""
    remaining = len(dense_qcnn_wires(n_qubits, n_layers))
    return (_EACH * n_layers + arbitrary_unitary_shape(remaining)[0],)


def dense_qcnn(
    n_qubits: int, n_layers: int, *, measured: bool = False, weights: Angles = theta, start: int = 0
) -> Circuit:
    """Convolution and pooling in turns, and any unitary on the qubits of :func:`dense_qcnn_wires`.

    A convolution couples neighbours, those of even pairs ``(0, 1), (2, 3), ...`` first, by ``RXX RYY RZZ`` and a ``U3``
    on each; in the first layer the even pairs get a ``U3`` on each before that, too. Later layers have the six weights
    of those and do not use them. Pooling turns an even qubit by ``U3`` where the odd one beside it is 1.

    Source: Caro et al. (2022), arXiv 2111.05292, in the form of PennyLane's demo *Generalization in QML from few
    training data*. Differs: amplitudes are not embedded; begin with :func:`amplitude_embedding`.

    Args:
        n_qubits: number of qubits.
        n_layers: number of convolutions.
        measured: whether pooling measures, under the keys ``"pooled1"``, ... for qubit 1, ..., or controls.
        weights: of shape :func:`dense_qcnn_shape`: for each layer 15 and 3, then those of the last unitary.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, or a layer has fewer than two qubits to work on.
    """
    angles = take_weights("dense_qcnn", weights, dense_qcnn_shape(n_qubits, n_layers), start)
    circuit = Circuit(n_qubits)
    left: Sequence[int] = range(n_qubits)
    for layer in range(n_layers):
        own = angles[_EACH * layer : _EACH * (layer + 1)]
        even, odd = list(zip(left[::2], left[1::2], strict=False)), list(zip(left[1::2], left[2::2], strict=False))
        for pair in (*even, *odd):
            circuit.extend(_convolution(own[:_CONVOLUTION], before=layer == 0 and pair in even).on(pair, n_qubits))
        polar, phi, delta = own[_CONVOLUTION:]
        for kept, pooled in even:
            # Rot takes the angles of U3 in the order of action; the phase between them is one of the pooled qubit alone
            pooling = pooling_block(measured=measured, key=f"pooled{pooled}")
            circuit.extend(place(pooling, (kept, pooled), n_qubits, (delta, polar, phi)))
        left = left[::2]
    return circuit.extend(arbitrary_unitary(len(left), weights=angles[_EACH * n_layers :]).on(left, n_qubits))


def _convolution(a: Sequence[Angle], *, before: bool) -> Circuit:
    circuit = Circuit(2)
    if before:
        circuit.gate("U3", a[0:3], (0,)).gate("U3", a[3:6], (1,))
    circuit.rxx(a[6], 0, 1).ryy(a[7], 0, 1).rzz(a[8], 0, 1)
    return circuit.gate("U3", a[9:12], (0,)).gate("U3", a[12:15], (1,))
