"""Spin models with decay, as lists of local terms; rates are within the jump operators."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from replank.open_systems.lattice import Lattice, chain
from replank.open_systems.lindblad import Local
from replank.open_systems.pauli import AXES, LOWER, X, Z


@dataclass(frozen=True)
class SpinModel:
    """A lattice with its Hamiltonian and its jumps.

    Args:
        lattice: where the sites lie.
        h_terms: of the Hamiltonian.
        jump_ops: jump operators, each with the root of its rate.
    """

    lattice: Lattice
    h_terms: tuple[Local, ...]
    jump_ops: tuple[Local, ...]


def dissipative_tfim(n_sites: int, field: float, *, coupling: float = 2.0, decay: float = 1.0) -> SpinModel:
    """``H = (V/4) sum Z_i Z_i+1 + (g/2) sum X_i`` on a ring, every spin decays.

    Args:
        n_sites: number of spins.
        field: g.
        coupling: V.
        decay: rate of sigma^- on each site, not negative.

    Source: [luo2022autoregressive], official code.
    """
    lattice = chain(n_sites)
    pairs = [Local(bond, coupling / 4 * torch.kron(Z, Z)) for bond in lattice.bonds]
    ones = [Local((site,), field / 2 * X) for site in range(n_sites)]
    return SpinModel(lattice, (*pairs, *ones), decays(lattice, decay))


def dissipative_xyz(
    lattice: Lattice, couplings: tuple[float, float, float] = (0.9, 1.6, 1.0), *, field: float = 0.0, decay: float = 1.0
) -> SpinModel:
    """``H = sum over bonds of Jx X X + Jy Y Y + Jz Z Z, and B sum Z_i``, every spin decays.

    Args:
        lattice: on which; a ring makes it a Heisenberg chain.
        couplings: Jx, Jy, Jz.
        field: B.
        decay: rate of sigma^- on each site, not negative.

    Source: [luo2022autoregressive], official code.
    """
    pair = sum(j * torch.kron(axis, axis) for j, axis in zip(couplings, AXES.values(), strict=True))
    assert isinstance(pair, Tensor)
    ones = [Local((site,), field * Z) for site in range(lattice.n_sites) if field]
    return SpinModel(lattice, (*(Local(bond, pair) for bond in lattice.bonds), *ones), decays(lattice, decay))


def decays(lattice: Lattice, rate: float) -> tuple[Local, ...]:
    """Spontaneous decay of every site.

    Raises:
        ValueError: a negative rate.
    """
    if not rate >= 0:
        raise ValueError(f"SpinModel: a rate must not be negative, got decay={rate}.")
    return tuple(Local((site,), math.sqrt(rate) * LOWER) for site in range(lattice.n_sites))
