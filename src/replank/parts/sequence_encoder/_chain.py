"""A vector of many words as a chain of tensors, changed exactly: nothing is ever cut off.

A site is ``(B, left, D, right)``: bonds to its neighbours, and the D coefficients of its word between them. The vector
is the product of all sites over their bonds, the outermost of which have size 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

Site = Tensor


@dataclass(frozen=True)
class HandedOn:
    """A site that only hands on its word and one bond, as they are, by the other bond; it is never made.

    Args:
        by_right: whether the other bond is the right one, whose index is then (left, word); else it is the left one,
            with the index (word, right).
    """

    by_right: bool


def apply_to_pair(left: Site, right: Site, gate: Tensor) -> tuple[Site | HandedOn, Site | HandedOn]:
    """A matrix ``(D^2, D^2)`` on two neighbours; the bond between them becomes as large as the smaller side needs."""
    bond_left, d, bond_right = left.shape[1], left.shape[2], right.shape[-1]
    joined = left.flatten(1, 2) @ right.flatten(2)
    both = gate @ joined.reshape(len(joined), bond_left, d * d, bond_right)
    if bond_left <= bond_right:
        return HandedOn(by_right=True), both.reshape(len(both), bond_left * d, d, bond_right)
    return both.reshape(len(both), bond_left, d, d * bond_right), HandedOn(by_right=False)


def merge_pair(left: Site | HandedOn, right: Site | HandedOn, gate: Tensor, bond: int) -> Site:
    """A matrix ``(D, D^2)`` on two neighbours, which leaves one.

    Args:
        left: a site, or one that hands on by its left bond.
        right: a site, or one that hands on by its right bond.
        gate: the matrix.
        bond: the size of the bond between them.
    """
    d = len(gate)
    parts = gate.reshape(d, d, d)  # what comes out, of the left word, of the right word
    if isinstance(left, HandedOn) and isinstance(right, HandedOn):
        identity = torch.eye(bond, dtype=gate.dtype, device=gate.device)
        return torch.einsum("opq,gh->pgohq", parts, identity).reshape(1, d * bond, d, bond * d)
    if isinstance(left, HandedOn):
        assert isinstance(right, Tensor)
        # (g, q, y) with (p o, q) to (p g, o, y)
        moved = parts.transpose(0, 1).reshape(d * d, d) @ right
        new = moved.reshape(len(moved), bond, d, d, right.shape[-1]).transpose(1, 2)
        return new.reshape(len(new), d * bond, d, right.shape[-1])
    if isinstance(right, HandedOn):
        # (x, p, g) with (p, o q) to (x, o, g q)
        moved = left.transpose(2, 3) @ parts.transpose(0, 1).reshape(d, d * d)
        new = moved.reshape(len(moved), left.shape[1], bond, d, d).transpose(2, 3)
        return new.reshape(len(new), left.shape[1], d, bond * d)
    joined = left.flatten(1, 2) @ right.flatten(2)
    return gate @ joined.reshape(len(joined), left.shape[1], d * d, right.shape[-1])


def shortest_bonds(chain: list[Site]) -> list[Site]:
    """The same vector with no bond larger than what is on the smaller side of it can hold."""
    chain = list(chain)
    for place in range(len(chain) - 1):
        here, after = chain[place], chain[place + 1]
        _, bond, d, shared = here.shape
        if shared > bond * d:
            chain[place] = _identity(here, bond * d).reshape(1, bond, d, bond * d)
            joined = here.flatten(1, 2) @ after.flatten(2)
            chain[place + 1] = joined.reshape(len(joined), bond * d, *after.shape[2:])
    for place in range(len(chain) - 1, 0, -1):
        before, here = chain[place - 1], chain[place]
        _, shared, d, bond = here.shape
        if shared > d * bond:
            chain[place] = _identity(here, d * bond).reshape(1, d * bond, d, bond)
            joined = before.flatten(1, 2) @ here.flatten(2)
            chain[place - 1] = joined.reshape(len(joined), *before.shape[1:3], d * bond)
    return chain


def _identity(like: Tensor, size: int) -> Tensor:
    return torch.eye(size, dtype=like.dtype, device=like.device)
