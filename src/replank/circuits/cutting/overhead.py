r"""The price of cutting: how many more shots give the same precision.

The whole is written as ``sum_i c_i E_i``, where ``E_i`` is the expectation value of a product of outcomes +-1, one of
each fragment. If term i is drawn with probability ``|c_i| / gamma``, where ``gamma = sum_i |c_i|``, a shot is worth
+-gamma, and the variance grows by ``gamma^2``.

- A cut wire has gamma 4: eight pairs of a measured Pauli eigenvalue and a prepared eigenstate, of weight 1/2 each.
- A cut gate ``sum_k u_k P_k (x) Q_k`` alone has ``1 + 2 w`` with the interference ``w = sum_{k != l} |u_k| |u_l|``: 3
  for CNOT, ``1 + 2 |sin t|`` for RZZ(t), 7 for SWAP.
- Gates that are cut together cost no more than one by one. Let S be the cuts in which bra and ket differ, and let
  them connect m fragments: the product of m complex numbers plus its complex conjugate, which is that of (l, k), is
  twice a sum of ``2^(m-1)`` products of real and imaginary parts. Hence
  ``gamma = sum_S 2^rank(S) prod_{c in S} w_c``, with the rank of S in the graph of fragments and cuts (m - 1 for each
  connected piece). Without a cycle it is the product of ``1 + 2 w_c``; n CNOTs between two fragments have
  ``2^(n+1) - 1``, the least possible.

Source: C. Piveteau and D. Sutter, Circuit knitting with classical communication (2022); L. Schmitt, C. Piveteau and
D. Sutter, Cutting circuits with multiple two-qubit unitaries (2023), for the parallel case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from torch import Tensor

Weight = TypeVar("Weight", float, Tensor)

WIRE_NORM = 4.0
"""The gamma of a cut wire."""


def gates_norm(edges: Sequence[tuple[int, int, Weight]]) -> Weight | float:
    """The gamma of all cut gates together.

    Args:
        edges: for each cut gate the two fragments that it connects, which differ, and its interference.
    """
    parallel: dict[tuple[int, int], Weight] = {}
    for one, other, weight in edges:
        pair = (min(one, other), max(one, other))
        parallel[pair] = (1 + parallel[pair]) * (1 + weight) - 1 if pair in parallel else weight
    if not parallel:
        return 1.0
    (one, other), weight = parallel.popitem()
    rest = [(a, b, each) for (a, b), each in parallel.items()]
    without = gates_norm(rest)
    if not all(any(end in pair for pair in parallel) for end in (one, other)):
        return (1 + 2 * weight) * without  # a dangling end: the rest does not notice
    merged = [(one if a == other else a, one if b == other else b, each) for a, b, each in rest]
    return without + 2 * weight * gates_norm(merged)
