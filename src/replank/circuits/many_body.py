"""Chains of qubits that evolve by themselves: an XY chain in a field, exactly, and what is measured of its states.

``H = -(g/2) sum_i (X_i X_{i+1} + Y_i Y_{i+1}) - (1/2) sum_k V_k Z_k`` on an open chain keeps the number of ones, so
that each number has a block of its own, small enough to be diagonalised. Qubit 0 is the most significant bit.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

from replank.circuits.given_states import check_states, diagonal

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
_MOST_QUBITS = 14
_CHUNK = 2**22
"""Entries of the matrices that are diagonalised at a time."""


def xy_chain(field: NDArray[np.float64], coupling: float = 1.0) -> scipy.sparse.csr_array:
    """The Hamiltonian as a sparse matrix ``(2^n, 2^n)``, real and symmetric.

    Args:
        field: ``V_k`` of each of n qubits.
        coupling: ``g``.
    """
    n = len(field)
    hops = _hops(np.arange(2**n), n)
    diagonal_part = -0.5 * _signs(np.arange(2**n), n) @ np.asarray(field, np.float64)
    rows = np.concatenate([np.arange(2**n), *(row for row, _ in hops)])
    columns = np.concatenate([np.arange(2**n), *(column for _, column in hops)])
    values = np.concatenate([diagonal_part, *(np.full(len(row), -float(coupling)) for row, _ in hops)])
    return scipy.sparse.csr_array((values, (rows, columns)), shape=(2**n, 2**n))


def _signs(states: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """What Z gives on each qubit, ``(states, n)``."""
    return np.asarray(1 - 2 * (states[:, None] >> np.arange(n - 1, -1, -1) & 1), np.float64)


def _hops(states: NDArray[np.int64], n: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each pair of neighbours, the states in which they differ, and those in which they have changed places."""
    found = []
    for wire in range(n - 1):
        pair = 0b11 << (n - 2 - wire)
        differ = (states & pair != 0) & (states & pair != pair)
        found.append((states[differ], states[differ] ^ pair))
    return found


def evolved(fields: Tensor, times: Tensor, initial: Tensor, coupling: float = 1.0) -> Tensor:
    """``exp(-i H t) |initial>`` for many chains, by a decomposition of the blocks that the initial state has a part in.

    Shape: ``fields`` ``(B, n)``, ``times`` ``(B,)``, ``initial`` ``(2^n,)``; the result is ``(B, 2^n)``, complex128.

    Args:
        fields: ``V_k`` of each chain.
        times: how long each evolves.
        initial: the state that all begin in.
        coupling: ``g``.

    Raises:
        ValueError: shapes do not fit, more than 14 qubits, an initial state that is not of norm 1.
    """
    n = fields.shape[-1]
    if fields.ndim != 2 or times.shape != fields.shape[:1] or not 2 <= n <= _MOST_QUBITS:
        raise ValueError(
            f"evolved: needs fields (B, n) of 2 to {_MOST_QUBITS} qubits and a time for each, got fields of shape "
            f"{tuple(fields.shape)} and times of shape {tuple(times.shape)}."
        )
    start = initial.to(torch.complex128)
    check_states("evolved", start[None], n)
    states = start.new_zeros(len(fields), 2**n)
    ones = np.array([index.bit_count() for index in range(2**n)])
    for number in range(n + 1):
        block = np.flatnonzero(ones == number)
        part = start[torch.from_numpy(block)]
        if part.any():
            states[:, torch.from_numpy(block)] = _evolved_block(fields.double(), times.double(), part, block, coupling)
    return states


def _evolved_block(fields: Tensor, times: Tensor, start: Tensor, block: NDArray[np.int64], coupling: float) -> Tensor:
    """The same within the basis states of one number of ones."""
    n, d = fields.shape[1], len(block)
    hopping = torch.zeros(d, d, dtype=torch.float64)
    for rows, columns in _hops(block, n):
        hopping[np.searchsorted(block, rows), np.searchsorted(block, columns)] = -float(coupling)
    levels = -0.5 * fields @ torch.from_numpy(_signs(block, n)).mT
    found = []
    size = max(1, _CHUNK // d**2)
    for level, time in zip(torch.split(levels, size), torch.split(times, size), strict=True):
        energies, vectors = torch.linalg.eigh(hopping + torch.diag_embed(level))
        vectors = vectors.to(torch.complex128)
        turned = torch.exp(-1j * energies * time[:, None]) * (vectors.mT @ start)
        found.append((vectors @ turned[..., None])[..., 0])
    return torch.cat(found)


def aubry_andre_fields(n_qubits: int, strengths: Tensor, phases: Tensor, ratio: float = GOLDEN_RATIO) -> Tensor:
    """The quasi-periodic field ``V_k = V cos(2 pi ratio k + phase)``, ``(B, n_qubits)``.

    With ``g = 1`` single particles are localised from ``V = 2`` on.

    Args:
        n_qubits: number of qubits.
        strengths: ``V``, ``(B,)``.
        phases: ``(B,)``.
        ratio: irrational, so that the field never repeats.

    Source: Aubry and André (1980).
    """
    places = 2 * math.pi * ratio * torch.arange(n_qubits, dtype=torch.float64)
    return strengths[:, None] * torch.cos(places + phases[:, None])


def neel_state(n_qubits: int) -> Tensor:
    """``|0101...>``, ``(2^n_qubits,)``, complex128."""
    state = torch.zeros(2**n_qubits, dtype=torch.complex128)
    state[int("".join("01"[wire % 2] for wire in range(n_qubits)), 2)] = 1
    return state


def z_means(states: Tensor) -> Tensor:
    """Expectation values of Z on each qubit: ``(B, 2^n) -> (B, n)``."""
    n = states.shape[-1].bit_length() - 1
    return states.abs().square().double() @ diagonal(n, [(wire,) for wire in range(n)]).to(states.device)


def imbalance(states: Tensor) -> Tensor:
    """How much of the order ``0101...`` is left, 1 in that state, about 0 once forgotten: ``(B, 2^n) -> (B,)``."""
    means = z_means(states)
    return (means * (1 - 2 * (torch.arange(means.shape[-1], device=means.device) % 2))).mean(-1)
