"""The system of a trial: its generator in terms of probabilities, where it begins, and what is exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from replank.open_systems import (
    POVM,
    ExactLindblad,
    Lattice,
    LocalGenerator,
    SpinModel,
    dissipative_tfim,
    dissipative_xyz,
    lindblad_generator,
)
from replank.open_systems.pauli import DTYPE
from replank.studies.povm_transformer.settings import OpenSettings


@dataclass(frozen=True)
class System:
    """A model in terms of probabilities.

    Args:
        model: the spins.
        povm: the measurement.
        generator: L.
        initial: probabilities of one site's outcomes at the beginning.
    """

    model: SpinModel
    povm: POVM
    generator: LocalGenerator
    initial: tuple[float, ...]

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return self.model.lattice.n_sites

    def exact(self, max_sites: int) -> ExactLindblad | None:
        """The equation of whole density matrices, if there are few enough spins."""
        if self.n_sites > max_sites:
            return None
        return ExactLindblad(self.model.h_terms, self.model.jump_ops, self.n_sites, max_sites=max_sites)

    def all_up(self) -> Tensor:
        """The density matrix that evolutions begin with."""
        return reduce(torch.kron, [_up()] * self.n_sites)


def ising(settings: OpenSettings, field: float, device: torch.device | str = "cpu") -> System:
    """The dissipative transverse-field Ising chain."""
    model = dissipative_tfim(settings.columns, field, coupling=settings.coupling, decay=settings.decay)
    return _system(model, settings, device)


def xyz(settings: OpenSettings, device: torch.device | str = "cpu") -> System:
    """The dissipative XYZ model."""
    lattice = Lattice(settings.rows, settings.columns)
    return _system(dissipative_xyz(lattice, settings.couplings, decay=settings.decay), settings, device)


def systems(settings: OpenSettings, device: torch.device | str = "cpu") -> Iterator[tuple[float, System]]:
    """The chain at each field."""
    for field in settings.fields:
        yield field, ising(settings, field, device)


def _system(model: SpinModel, settings: OpenSettings, device: torch.device | str) -> System:
    povm = POVM(settings.povm)
    terms = lindblad_generator(model.h_terms, model.jump_ops, povm)
    generator = LocalGenerator(terms, model.lattice.n_sites, povm.n_outcomes, device=device)
    return System(model, povm, generator, tuple(povm.product_distribution(_up()).tolist()))


def _up() -> Tensor:
    return torch.tensor([[1, 0], [0, 0]], dtype=DTYPE)
