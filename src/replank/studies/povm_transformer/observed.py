"""What a density says of a state, and how far that is from the truth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from replank.open_systems import Estimate, all_strings, estimate_observable, site_means
from replank.open_systems.pauli import AXES
from replank.parts.density import DensityPart
from replank.studies.povm_transformer.problems import System

MAX_ENUMERATED = 4**8
"""So many strings are summed over; of more, observables are estimated from samples."""
BATCH = 4096


@dataclass(frozen=True)
class Observed:
    """Means over sites of ⟨X⟩, ⟨Y⟩, ⟨Z⟩, each by its axis.

    Args:
        means: from all probabilities, or from samples where there are too many.
        sampled: from samples, if there are any.
        site_spread: the largest minus the smallest ⟨Z⟩ among sites, which is 0 in every state of ours.
        p: all probabilities, if there are few enough.
    """

    means: dict[str, float]
    sampled: dict[str, Estimate]
    site_spread: float
    p: Tensor | None


def enumerable(system: System) -> bool:
    """Whether all strings are summed over."""
    return bool(system.povm.n_outcomes**system.n_sites <= MAX_ENUMERATED)


def observe(density: DensityPart, system: System, samples: Tensor | None) -> Observed:
    """Observables of a density.

    Args:
        density: what is asked.
        system: says what outcomes mean.
        samples: independent strings of it; needed where there are too many to be summed over.
    """
    n, sites = system.n_sites, range(system.n_sites)
    coefficients = {name: system.povm.observable_coefficients(axis) for name, axis in AXES.items()}
    sampled = (
        {}
        if samples is None
        else {
            name: estimate_observable(samples, [((site,), each / n) for site in sites])
            for name, each in coefficients.items()
        }
    )
    if enumerable(system):
        p = probabilities(density)
        per_site = {name: site_means(p, each, n) for name, each in coefficients.items()}
        means = {name: float(each.mean()) for name, each in per_site.items()}
        return Observed(means, sampled, float(per_site["z"].max() - per_site["z"].min()), p)
    assert samples is not None
    of_sites = [estimate_observable(samples, [((site,), coefficients["z"])]).mean for site in sites]
    return Observed({name: each.mean for name, each in sampled.items()}, sampled, max(of_sites) - min(of_sites), None)


@torch.no_grad()
def probabilities(density: DensityPart) -> Tensor:
    """Those of all strings, on the CPU."""
    every = all_strings(density.n_sites, density.n_outcomes, device=next(density.parameters()).device)
    # weights in batches, and one sum: a density that is not normalised would sum for every batch
    return torch.cat([density.log_weight(batch) for batch in torch.split(every, BATCH)]).softmax(0).cpu()


def exact_means(rho: Tensor, n_sites: int) -> dict[str, float]:
    """Means over sites of ⟨X⟩, ⟨Y⟩, ⟨Z⟩ in a state ``(2^N, 2^N)``."""
    pairs = rho.reshape((2,) * (2 * n_sites))
    reduced = torch.zeros(2, 2, dtype=rho.dtype)
    for site in range(n_sites):
        columns = [n_sites if other == site else other for other in range(n_sites)]
        reduced += torch.einsum(pairs, [*range(n_sites), *columns], [site, n_sites])
    return {name: float((reduced @ axis).trace().real) / n_sites for name, axis in AXES.items()}


def of_operator(observed: Observed, system: System) -> dict[str, float]:
    """The least eigenvalue of what the probabilities stand for: negative for what is no state."""
    if observed.p is None:
        return {}
    operator = system.povm.density_from_probabilities(observed.p)
    return {"min_eigenvalue": float(torch.linalg.eigvalsh(operator).min())}


def of_state(observed: Observed, system: System, rho: Tensor) -> dict[str, float]:
    """How far probabilities and what they stand for are from a state's: half of the sum and of the trace norm."""
    if observed.p is None:
        return {}
    operator = system.povm.density_from_probabilities(observed.p)
    return {
        "probability_distance": float((observed.p - system.povm.povm_probabilities(rho)).abs().sum()) / 2,
        "state_distance": float(torch.linalg.eigvalsh(operator - rho).abs().sum()) / 2,
    }
