"""Following the gradient of a loss that is sampled anew at each step."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from replank.open_systems.generator import Density
from replank.open_systems.strings import all_strings, digits, place_values

Loss = Callable[[Tensor, Tensor], Tensor]
"""From strings and what each counts to a scalar."""


class Trainable(Density, Protocol):
    """A density with parameters: a module."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """What is trained."""


class Sampler(Protocol):
    """Where strings come from."""

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Strings ``(n, n_sites)`` and the logarithms of their weights ``(n,)``."""


@dataclass(frozen=True)
class Descent:
    """How a density is trained: Adam with betas (0.9, 0.98), as published.

    Args:
        n_iterations: number of updates.
        n_samples: strings for each.
        lr: size of the updates.
        halve_at: number of updates after which ``lr`` is halved; 0 for never.
        full_sum: sum over all strings in the place of samples; for few sites.

    Raises:
        ValueError: nothing to do, or a step size that is not positive.
    """

    n_iterations: int
    n_samples: int = 100
    lr: float = 0.01
    halve_at: int = 0
    full_sum: bool = False

    def __post_init__(self) -> None:
        for name in ("n_iterations", "n_samples", "lr"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Descent: `{name}` must be positive, got {name}={getattr(self, name)}.")


@dataclass(frozen=True)
class Descended:
    """What came of it.

    Args:
        losses: before each update.
        is_whole: whether it went to the end; if not, the loss was no longer finite.
    """

    losses: tuple[float, ...]
    is_whole: bool

    @property
    def loss(self) -> float:
        """The mean of the last tenth: single values are noisy."""
        last = self.losses[-max(1, len(self.losses) // 10) :]
        return sum(last) / len(last)


def descend(
    density: Trainable, loss: Loss, descent: Descent, sampler: Sampler, stream: torch.Generator | None = None
) -> Descended:
    """Train a density in place.

    If the loss is no longer finite, training stops with the last parameters whose loss was, and warns.

    Args:
        density: what is trained.
        loss: of strings of the density and of what each counts.
        descent: how.
        sampler: draws the strings, in most cases the density itself.
        stream: what the sampler draws from.
    """
    parameters = [each for each in density.parameters() if each.requires_grad]
    optimiser = torch.optim.Adam(parameters, lr=descent.lr, betas=(0.9, 0.98), eps=1e-9, fused=True)
    good = [each.detach().clone() for each in parameters]
    losses: list[float] = []
    for iteration in range(descent.n_iterations):
        if descent.halve_at and iteration == descent.halve_at:
            for group in optimiser.param_groups:
                group["lr"] /= 2
        optimiser.zero_grad(set_to_none=True)
        value = loss(*_drawn(density, descent, sampler, stream, parameters[0].device))
        if not torch.isfinite(value):
            warnings.warn(
                f"descend: the loss became {value.item()} at update {iteration}; the parameters before are kept. Try a "
                "smaller step size.",
                stacklevel=2,
            )
            _put(parameters, good)
            return Descended(tuple(losses), False)
        losses.append(value.item())
        for kept, parameter in zip(good, parameters, strict=True):
            kept.copy_(parameter.detach())
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return Descended(tuple(losses), True)


@torch.no_grad()
def _drawn(
    density: Density, descent: Descent, sampler: Sampler, stream: torch.Generator | None, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Strings, and the share of each."""
    if descent.full_sum:
        every = all_strings(density.n_sites, density.n_outcomes, device=device)
        return every, density.log_weight(every).softmax(0)
    a, log = sampler.sample(descent.n_samples, stream)
    codes = (a * place_values(density.n_sites, density.n_outcomes, device=a.device)).sum(1)
    once, counts = torch.unique(codes, return_counts=True)  # on few sites most samples come several times
    return digits(once, density.n_sites, density.n_outcomes), counts.to(log) / len(a)


@torch.no_grad()
def _put(parameters: list[nn.Parameter], values: list[Tensor]) -> None:
    for parameter, value in zip(parameters, values, strict=True):
        parameter.copy_(value)
