"""Blocks in the order of a tensor network: matrix product state, tree, multi-scale entanglement renormalisation.

A block is a unitary circuit of its own, on ``k`` qubits, with ``m`` parameters ``theta[0]``, ..., ``theta[m - 1]``. It
is put in many places, each with ``m`` weights of its own; features in it are the same everywhere.

Example:
    >>> from replank.circuits import Circuit, theta
    >>> from replank.circuits.templates import mps, mps_wires
    >>> block = Circuit(2).ry(theta[0], 0).ry(theta[1], 1).cnot(0, 1)
    >>> mps_wires(4, 2)
    ((0, 1), (1, 2), (2, 3))
    >>> mps(4, block).n_parameters
    6
"""

from __future__ import annotations

from itertools import pairwise

from replank.circuits.angle import theta
from replank.circuits.circuit import Circuit
from replank.circuits.templates.arguments import Angles, check_count, take_weights
from replank.circuits.templates.blocks import place

Wires = tuple[int, ...]
"""The qubits of one block, in the block's order."""


def mps_wires(n_qubits: int, n_block_wires: int, *, offset: int | None = None) -> tuple[Wires, ...]:
    """The wires of each block of :func:`mps`, in order.

    Args:
        n_qubits: number of qubits.
        n_block_wires: number of wires of a block.
        offset: as in :func:`mps`.

    Raises:
        ValueError: as :func:`mps`.
    """
    check_count("mps", "n_block_wires", n_block_wires, least=2, most=n_qubits)
    offset = n_block_wires // 2 if offset is None else offset
    check_count("mps", "offset", offset, most=n_block_wires - 1)
    if (n_qubits - n_block_wires) % offset:
        raise ValueError(
            f"mps: blocks of {n_block_wires} wires, each offset={offset} further, must reach the last qubit, got "
            f"n_qubits={n_qubits}."
        )
    starts = range(0, n_qubits - n_block_wires + 1, offset)
    return tuple(tuple(range(first, first + n_block_wires)) for first in starts)


def mps_shape(n_qubits: int, block: Circuit, *, offset: int | None = None) -> tuple[int, int]:
    """``(n_blocks, block.n_parameters)``, the shape of the weights of :func:`mps`."""
    return len(mps_wires(n_qubits, block.n_qubits, offset=offset)), block.n_parameters


def mps(
    n_qubits: int, block: Circuit, *, offset: int | None = None, weights: Angles = theta, start: int = 0
) -> Circuit:
    """A staircase of blocks: a matrix product state.

    Equals PennyLane's ``MPS``. Differs: where that leaves the last qubits without a block, this refuses; it also places
    the last block where that forgets it, which happens if ``n_qubits % (k // 2) + offset >= k``.

    Source: Huggins et al. (2019), arXiv 1803.11537.

    Args:
        n_qubits: number of qubits.
        block: a circuit on two qubits or more.
        offset: how many qubits further each block begins, less than the block has; half of them if not given.
        weights: of shape :func:`mps_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, or the blocks do not fit on the qubits.
    """
    return _network("mps", n_qubits, block, mps_wires(n_qubits, block.n_qubits, offset=offset), weights, start)


def ttn_wires(n_qubits: int, n_block_wires: int) -> tuple[Wires, ...]:
    """The wires of each block of :func:`ttn`, from the leaves to the root.

    Args:
        n_qubits: number of qubits.
        n_block_wires: number of wires of a block.

    Raises:
        ValueError: as :func:`ttn`.
    """
    _check_tree("ttn", n_qubits, n_block_wires)
    half = n_block_wires // 2
    bonds = [tuple(range(first, first + half)) for first in range(0, n_qubits, half)]
    blocks: list[Wires] = []
    while len(bonds) > 1:
        blocks += [left + right for left, right in zip(bonds[::2], bonds[1::2], strict=True)]
        bonds = bonds[1::2]
    return tuple(blocks)


def ttn_shape(n_qubits: int, block: Circuit) -> tuple[int, int]:
    """``(n_blocks, block.n_parameters)``, the shape of the weights of :func:`ttn`."""
    return len(ttn_wires(n_qubits, block.n_qubits)), block.n_parameters


def ttn(n_qubits: int, block: Circuit, *, weights: Angles = theta, start: int = 0) -> Circuit:
    """A binary tree of blocks, of which each hands the second half of its wires on: a tree tensor network.

    Equals PennyLane's ``TTN``. Differs: where that warns that qubits are left over, this refuses.

    Source: Huggins et al. (2019), arXiv 1803.11537.

    Args:
        n_qubits: number of qubits, ``k 2^l`` for a block on ``k``.
        block: a circuit on an even number of qubits.
        weights: of shape :func:`ttn_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, or the blocks do not fit on the qubits.
    """
    return _network("ttn", n_qubits, block, ttn_wires(n_qubits, block.n_qubits), weights, start)


def mera_wires(n_qubits: int, n_block_wires: int) -> tuple[Wires, ...]:
    """The wires of each block of :func:`mera`, in order; qubits are numbered from the root, which acts last.

    Args:
        n_qubits: number of qubits.
        n_block_wires: number of wires of a block.

    Raises:
        ValueError: as :func:`mera`.
    """
    _check_tree("mera", n_qubits, n_block_wires)
    half = n_block_wires // 2
    layer = [tuple(range(n_block_wires))]
    blocks, fresh = list(layer), n_block_wires  # from the root to the leaves
    while fresh < n_qubits:
        isometries: list[Wires] = []
        for wires in layer:
            isometries.append(wires[:half] + tuple(range(fresh, fresh + half)))
            isometries.append(tuple(range(fresh + half, fresh + n_block_wires)) + wires[half:])
            fresh += n_block_wires
        ring = pairwise([*isometries, isometries[0]])
        layer = [left[half:] + right[:half] for left, right in ring]  # the disentanglers
        blocks += isometries + layer
    return tuple(reversed(blocks))


def mera_shape(n_qubits: int, block: Circuit) -> tuple[int, int]:
    """``(n_blocks, block.n_parameters)``, the shape of the weights of :func:`mera`."""
    return len(mera_wires(n_qubits, block.n_qubits)), block.n_parameters


def mera(n_qubits: int, block: Circuit, *, weights: Angles = theta, start: int = 0) -> Circuit:
    """A tree of blocks with a ring of disentangling blocks before each of its layers but the root.

    Equals PennyLane's ``MERA``. Differs: where that warns that qubits are left over, this refuses.

    Source: Vidal (2008), arXiv quant-ph/0610099, multi-scale entanglement renormalisation.

    Args:
        n_qubits: number of qubits, ``k 2^l`` for a block on ``k``.
        block: a circuit on an even number of qubits.
        weights: of shape :func:`mera_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, or the blocks do not fit on the qubits.
    """
    return _network("mera", n_qubits, block, mera_wires(n_qubits, block.n_qubits), weights, start)


def _check_tree(owner: str, n_qubits: int, n_block_wires: int) -> None:
    check_count(owner, "n_block_wires", n_block_wires, least=2, most=n_qubits)
    n_leaves, left_over = divmod(n_qubits, n_block_wires)
    if n_block_wires % 2 or left_over or n_leaves.bit_count() != 1:
        raise ValueError(
            f"{owner}: n_qubits must be 2^l times an even number of wires of a block, got n_qubits={n_qubits}, "
            f"n_block_wires={n_block_wires}."
        )


def _network(
    owner: str, n_qubits: int, block: Circuit, places: tuple[Wires, ...], weights: Angles, start: int
) -> Circuit:
    each = block.n_parameters
    angles = take_weights(owner, weights, (len(places), each), start)
    circuit = Circuit(n_qubits)
    for index, wires in enumerate(places):
        circuit.extend(place(block, wires, n_qubits, angles[each * index : each * (index + 1)]))
    return circuit
