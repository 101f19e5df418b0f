"""Expectation values from strings of outcomes, and from all probabilities."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from replank.open_systems.strings import place_values


class Estimate(NamedTuple):
    """A mean over samples, and its standard error."""

    mean: float
    standard_error: float


def estimate_observable(
    samples: Tensor, terms: Iterable[tuple[tuple[int, ...], Tensor]], n_outcomes: int = 4
) -> Estimate:
    """``<sum of local observables>`` from independent strings.

    The standard error takes samples as independent: those of one Markov chain are not.

    Args:
        samples: ``(B, n_sites)``, at least two.
        terms: sites and coefficients ``(K^k,)``, as
            :meth:`~replank.open_systems.povm.POVM.observable_coefficients` gives them.
        n_outcomes: at each site.

    Raises:
        ValueError: fewer than two samples.
    """
    if len(samples) < 2:
        raise ValueError(f"estimate_observable: there must be at least two samples, got {len(samples)}.")
    values = torch.zeros(len(samples), dtype=torch.float64, device=samples.device)
    for sites, coefficients in terms:
        row = (samples[:, list(sites)] * place_values(len(sites), n_outcomes, device=samples.device)).sum(-1)
        values += coefficients.to(values)[row]
    return Estimate(float(values.mean()), float(values.std()) / math.sqrt(len(values)))


def site_means(p: Tensor, coefficients: Tensor, n_sites: int) -> Tensor:
    """``<O>`` on each site from all probabilities, ``(K^N,) -> (N,)``.

    Args:
        p: probabilities of all strings.
        coefficients: of the observable on one site, ``(K,)``.
        n_sites: number of sites.
    """
    table = p.reshape((len(coefficients),) * n_sites)
    every = range(n_sites)
    return torch.stack([table.sum([i for i in every if i != site]) @ coefficients.to(p) for site in every])
