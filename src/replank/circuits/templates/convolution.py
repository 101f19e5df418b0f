"""Convolution and pooling: a quantum convolutional neural network.

A convolution couples neighbours, with the same weights everywhere in a layer. Pooling then gives up every other qubit:
it is measured, and its neighbour is turned if it was 1; or, without measurement, the turn is controlled by it. Both are
the same for all that is measured on the qubits that remain (deferred measurement).
"""

from __future__ import annotations

from replank.circuits.angle import theta
from replank.circuits.circuit import Circuit
from replank.circuits.templates.arguments import Angles, check_count, take_weights
from replank.circuits.templates.blocks import place

_SU4, _POOLING = 15, 3  # parameters


def convolution_block(*, weights: Angles = theta, start: int = 0) -> Circuit:
    """Any unitary on two qubits, up to a global phase: rotations, ``RXX RYY RZZ``, and rotations again.

    Args:
        weights: 15, in the order in which the gates act: ``Rot`` of qubit 0, of qubit 1, ``RXX``, ``RYY``, ``RZZ``,
            ``Rot`` of qubit 0, of qubit 1.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong.
    """
    a = take_weights("convolution_block", weights, (_SU4,), start)
    circuit = Circuit(2).gate("Rot", a[0:3], (0,)).gate("Rot", a[3:6], (1,))
    circuit.rxx(a[6], 0, 1).ryy(a[7], 0, 1).rzz(a[8], 0, 1)
    return circuit.gate("Rot", a[9:12], (0,)).gate("Rot", a[12:15], (1,))


def pooling_block(*, weights: Angles = theta, start: int = 0, measured: bool = False, key: str = "pooled") -> Circuit:
    """Qubit 0 is turned by ``Rot`` if qubit 1 is 1; only qubit 0 is used any more.

    Equals PennyLane's ``CRot``, or its ``cond(measure(1), Rot)`` if it is measured.

    Args:
        weights: 3, the angles of ``Rot``.
        start: index of the first weight.
        measured: whether qubit 1 is measured, or controls the rotations.
        key: name of the measurement, which must be new in its circuit.

    Raises:
        ValueError: the number of weights is wrong.
    """
    first, second, third = take_weights("pooling_block", weights, (_POOLING,), start)
    if measured:
        return Circuit(2).measure(1, key).rot(first, second, third, 0, when=key)
    return Circuit(2).crz(first, 1, 0).cry(second, 1, 0).crz(third, 1, 0)


def qcnn_wires(n_qubits: int, *, n_remaining: int = 1) -> tuple[int, ...]:
    """The qubits that remain after :func:`qcnn`, where the result is to be measured.

    Raises:
        ValueError: ``n_remaining`` is not in ``1..n_qubits - 1``.
    """
    return _survivors(n_qubits, n_remaining)[-1]


def qcnn_shape(n_qubits: int, *, n_remaining: int = 1, convolution: Circuit | None = None) -> tuple[int, int]:
    """``(n_layers, 18)``, the shape of the weights of :func:`qcnn`: those of the convolution, then 3 of the pooling.

    With a ``convolution`` of one's own it is ``(n_layers, convolution.n_parameters + 3)``.
    """
    each = _SU4 if convolution is None else convolution.n_parameters
    return len(_survivors(n_qubits, n_remaining)) - 1, each + _POOLING


def qcnn(
    n_qubits: int,
    *,
    n_remaining: int = 1,
    convolution: Circuit | None = None,
    measured: bool = False,
    weights: Angles = theta,
    start: int = 0,
) -> Circuit:
    """Convolution and pooling in turns, until at most ``n_remaining`` qubits are left: see :func:`qcnn_wires`.

    Of the qubits ``a, b, c, d, ...`` that are left, a convolution couples ``(a, b), (c, d), ...``, then ``(b, c),
    ...``; there is no ring. Pooling keeps ``a, c, ...`` and gives up ``b, d, ...``.

    Source: Cong et al. (2019), arXiv 1810.03787. Differs: there is no fully connected layer at the end; append one.

    Args:
        n_qubits: number of qubits.
        n_remaining: how many may be left, fewer than ``n_qubits``.
        convolution: a circuit on two qubits; :func:`convolution_block` if not given.
        measured: whether pooling measures, under the keys ``"pooled1"``, ... for qubit 1, ..., or controls.
        weights: of shape :func:`qcnn_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, ``n_remaining`` is out of its range, or the convolution is not on
            two qubits.
    """
    convolution = convolution_block() if convolution is None else convolution
    if convolution.n_qubits != 2:
        raise ValueError(f"qcnn: a convolution must be on two qubits, got n_qubits={convolution.n_qubits}.")
    n_layers, each = qcnn_shape(n_qubits, n_remaining=n_remaining, convolution=convolution)
    angles = take_weights("qcnn", weights, (n_layers, each), start)
    circuit = Circuit(n_qubits)
    for layer, left in enumerate(_survivors(n_qubits, n_remaining)[:-1]):
        own = angles[each * layer : each * (layer + 1)]
        for pair in (*zip(left[::2], left[1::2], strict=False), *zip(left[1::2], left[2::2], strict=False)):
            circuit.extend(place(convolution, pair, n_qubits, own[:-_POOLING]))
        for kept, pooled in zip(left[::2], left[1::2], strict=False):
            pooling = pooling_block(measured=measured, key=f"pooled{pooled}")
            circuit.extend(place(pooling, (kept, pooled), n_qubits, own[-_POOLING:]))
    return circuit


def _survivors(n_qubits: int, n_remaining: int) -> list[tuple[int, ...]]:
    """The qubits that are left before each layer, and after the last."""
    check_count("qcnn", "n_qubits", n_qubits, least=2)
    check_count("qcnn", "n_remaining", n_remaining, most=n_qubits - 1)
    left = [tuple(range(n_qubits))]
    while len(left[-1]) > n_remaining:
        left.append(left[-1][::2])
    return left
