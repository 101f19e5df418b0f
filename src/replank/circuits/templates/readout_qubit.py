"""Circuits that write a label into one readout qubit.

Data are on qubits 0 to n - 1, the readout is qubit n and starts in 0. A gate is ``exp(i weight P)`` with a Pauli string
P whose last letter is the readout's. ``Y`` of the readout is the prediction f in [-1, 1]; labels are +1 and -1 for bits
0 and 1. All gates with X on the readout commute there, and ``exp(i a X)`` gives ``f = sin 2a``.

Source: Farhi and Neven (2018), arXiv 1802.06002.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import pi

import numpy as np

from replank.circuits.angle import theta
from replank.circuits.circuit import Circuit
from replank.circuits.templates.arguments import Angles, check_count, take_weights
from replank.circuits.templates.topology import coupled_pairs

_LARGEST_TABLE = 11  # bits: a diagonal gate has room for twelve qubits


def readout_shape(n_data: int, layers: Sequence[str], *, pairs: Sequence[tuple[int, int]] | None = None) -> tuple[int]:
    """``(n_gates,)``, the shape of the weights of :func:`readout_layers`, layer by layer."""
    return (sum(len(_places(n_data, word, pairs)) for word in layers),)


def readout_layers(
    n_data: int,
    layers: Sequence[str],
    *,
    pairs: Sequence[tuple[int, int]] | None = None,
    weights: Angles = theta,
    start: int = 0,
) -> Circuit:
    """Layers of ``exp(i weight P)``, each layer with one word for P in all places: ``("ZX", "XX", "ZX", "XX")``.

    A word's last letter is on the readout. ``"ZX"`` puts a gate on each data qubit, ``"ZZX"`` one on each pair, ``"X"``
    one on the readout alone.

    Args:
        n_data: number of data qubits.
        layers: words of one to three letters X, Y, Z.
        pairs: data qubits that words of three letters couple; neighbours on a ring if not given.
        weights: of shape :func:`readout_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, a word is none, or a pair is not one of data qubits.
    """
    angles = iter(take_weights("readout_layers", weights, readout_shape(n_data, layers, pairs=pairs), start))
    circuit = Circuit(n_data + 1)
    for word in layers:
        for wires in _places(n_data, word, pairs):
            circuit.pauli_rotation(word, -2 * next(angles), (*wires, n_data))
    return circuit


def _places(n_data: int, word: str, pairs: Sequence[tuple[int, int]] | None) -> list[tuple[int, ...]]:
    """The data qubits of each gate of a layer."""
    check_count("readout_layers", "n_data", n_data)
    if not 1 <= len(word) <= 3 or set(word) - set("XYZ"):
        raise ValueError(f"readout_layers: a word must have one to three letters of X, Y, Z, got {word!r}.")
    if len(word) < 3:
        return [()] if len(word) == 1 else [(wire,) for wire in range(n_data)]
    places = coupled_pairs(n_data, "ring") if pairs is None else [tuple(pair) for pair in pairs]
    wrong = [pair for pair in places if len(set(pair)) != 2 or len(pair) != 2 or set(pair) - set(range(n_data))]
    if wrong:
        raise ValueError(f"readout_layers: a pair must be of two qubits among 0..{n_data - 1}, got {wrong[0]}.")
    return list(places)


def parity_shape(n_data: int) -> tuple[int]:
    """``(n_data,)``, the shape of the weights of :func:`parity_layer`."""
    check_count("parity_layer", "n_data", n_data)
    return (n_data,)


def parity_layer(n_data: int, *, weights: Angles = theta, start: int = 0) -> Circuit:
    """``exp(i pi/4 X)`` on the readout, then ``exp(-i weight X)`` for each data bit that is 1.

    The prediction is ``cos(2 sum_j weight_j bit_j)``: with the weight ``pi/2`` on some bits it is their parity.

    Args:
        n_data: number of data qubits.
        weights: of shape :func:`parity_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong.
    """
    circuit = Circuit(n_data + 1).pauli_rotation("X", -pi / 2, (n_data,))
    for wire, weight in enumerate(take_weights("parity_layer", weights, parity_shape(n_data), start)):
        # the projector on 1 is (1 - Z) / 2
        circuit.pauli_rotation("X", weight, (n_data,)).pauli_rotation("ZX", -weight, (wire, n_data))
    return circuit


def parity_circuit(mask: Sequence[int]) -> Circuit:
    """Predicts the parity of the bits in a mask exactly: +1 if it is even.

    Args:
        mask: 1 for each bit that counts, 0 for the others.

    Raises:
        ValueError: the mask is empty or holds something else.
    """
    bits = _mask("parity_circuit", mask)
    return parity_layer(len(bits), weights=[pi / 2 * bit for bit in bits])


def majority_circuit(mask: Sequence[int], beta: float | None = None) -> Circuit:
    """Predicts the majority among the bits in a mask, by its sign: ``sin(beta (number of 0s - number of 1s))``.

    Args:
        mask: 1 for each bit that counts, 0 for the others. An even number of them can tie, which is warned of.
        beta: a number between 0 and ``pi / n`` for n bits that count; ``pi / (n + 1)`` if not given.

    Raises:
        ValueError: the mask is empty, counts no bit or holds something else, or ``beta`` is out of range.
    """
    bits = _mask("majority_circuit", mask)
    n = sum(bits)
    if not n:
        raise ValueError(f"majority_circuit: the mask must count a bit, got mask={bits}.")
    beta = pi / (n + 1) if beta is None else beta
    if not 0 < beta < pi / n:
        raise ValueError(f"majority_circuit: `beta` must lie between 0 and pi/{n}, got beta={beta}.")
    if n % 2 == 0:
        warnings.warn(
            f"majority_circuit: an even number of bits can tie, got {n} of them. The prediction is 0 there.",
            stacklevel=2,
        )
    circuit = Circuit(len(bits) + 1)
    for wire, bit in enumerate(bits):
        if bit:
            circuit.pauli_rotation("ZX", -beta, (wire, len(bits)))
    return circuit


def reed_muller_circuit(truth_table: Sequence[int]) -> Circuit:
    """Predicts any Boolean function exactly: +1 where it is 0, -1 where it is 1.

    A function is an exclusive or of products of bits, its Reed-Muller expansion; each product is one operator on the
    readout, controlled by the bits of the product.

    Args:
        truth_table: its ``2^n`` values, of 0...0 first, qubit 0 being the most significant bit; n is at most 11.

    Raises:
        ValueError: it has another length, or holds something else than 0 and 1.
    """
    values = np.asarray(truth_table)
    n = int(math.log2(max(1, values.size)))
    if values.shape != (2**n,) or not 1 <= n <= _LARGEST_TABLE or not np.isin(values, (0, 1)).all():
        raise ValueError(
            f"reed_muller_circuit: a truth table must have 2^n bits for n from 1 to {_LARGEST_TABLE}, got "
            f"{values.tolist() if values.size < 9 else values.shape}."
        )
    circuit = Circuit(n + 1).h(n).rz(-pi / 2, n)  # between two Hadamards, X of the readout is Z
    for wires in reed_muller_products(values):
        phases = np.zeros((2 ** len(wires), 2))
        phases[-1] = -pi / 2, pi / 2  # exp(-i pi/2 Z) where all bits are 1
        circuit.diagonal(phases.ravel(), (*wires, n))
    return circuit.h(n)


def reed_muller_products(values: np.ndarray) -> Iterator[tuple[int, ...]]:
    """The products of bits whose exclusive or is a Boolean function, each as the qubits of its bits.

    Args:
        values: its truth table, ``(2^n,)``, qubit 0 being the most significant bit.
    """
    n = int(values.size).bit_length() - 1
    table = values.astype(np.int64).reshape((2,) * n)
    for axis in range(n):  # Moebius transform over subsets: the coefficient of a product sums over its subsets
        table = np.stack((table.take(0, axis), table.sum(axis)), axis)
    for size in range(n + 1):
        for wires in combinations(range(n), size):
            if table[tuple(int(wire in wires) for wire in range(n))] % 2:
                yield wires


def _mask(owner: str, mask: Sequence[int]) -> list[int]:
    bits = [int(bit) for bit in mask]
    if not bits or any(bit not in (0, 1) for bit in bits) or bits != list(mask):
        raise ValueError(f"{owner}: a mask must hold a 0 or 1 for each data qubit, got mask={list(mask)}.")
    return bits
