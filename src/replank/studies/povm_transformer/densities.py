"""What stands for the distribution in each arm, all of about the transformer's size."""

from __future__ import annotations

import torch

from replank.open_systems import Descent
from replank.open_systems.descent import Sampler
from replank.parts.density import (
    CausalTransformerDensity,
    DensityPart,
    GRUDensity,
    MADEDensity,
    ProductDensity,
    RBMDensity,
    StringDensity,
    largest_within,
)
from replank.parts.density.metropolis import MetropolisSampler
from replank.seeding import isolated
from replank.studies.povm_transformer.problems import System
from replank.studies.povm_transformer.settings import OpenSettings

DTYPE = torch.float64
WARM_UP = 20


def build(settings: OpenSettings, system: System, *, seed: int, device: torch.device | str = "cpu") -> DensityPart:
    """The arm's density, at the product state that the system begins in."""
    with isolated(seed, "part", "density"):
        return _density(settings, system).to(device)


def _density(settings: OpenSettings, system: System) -> DensityPart:
    n, initial = system.n_sites, system.initial
    options = {"n_hidden": settings.n_hidden, "n_feedforward": settings.n_feedforward, "norm": settings.norm}
    transformer = CausalTransformerDensity(n, initial=initial, dtype=DTYPE, **options)
    match settings.density:
        case "transformer":
            return transformer
        case "strings":
            orders = system.model.lattice.strings()
            return StringDensity(n, orders=orders, options=options, initial=initial, dtype=DTYPE)
        case "product":
            return ProductDensity.like(transformer)
    budget = transformer.parameter_formula()
    if settings.density == "rbm":
        return largest_within(RBMDensity, transformer, budget, std=settings.rbm_std)
    return largest_within(GRUDensity if settings.density == "gru" else MADEDensity, transformer, budget)


def descent(settings: OpenSettings) -> Descent:
    """How the density is trained."""
    return Descent(settings.n_iterations, settings.n_samples, settings.lr, settings.halve_at, settings.full_sum)


def sampler(settings: OpenSettings, density: DensityPart) -> Sampler:
    """What draws the strings that training looks at."""
    if settings.sampler == "mcmc" and not settings.full_sum:
        return MetropolisSampler(density, settings.n_chains, warm_up=WARM_UP)
    return density


def drawn(settings: OpenSettings, density: DensityPart, stream: torch.Generator) -> torch.Tensor:
    """Strings from which observables are estimated: of Markov chains one for each, so that they are independent."""
    source: Sampler = density
    if settings.sampler == "mcmc":
        source = MetropolisSampler(density, settings.n_eval, warm_up=WARM_UP)
    return source.sample(settings.n_eval, stream)[0]
