"""The contract of the group *density*: strings of outcomes go in, logarithms of probabilities come out."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from replank.parts.part import Part

__all__ = ["DensityPart"]


class DensityPart(Part):
    """A distribution of strings of ``n_sites`` outcomes from 0 to ``n_outcomes - 1``.

    Its constructor begins ``(n_sites, n_outcomes=4, *, ...)`` and ends with ``initial=None, device=None, dtype=None``:
    ``initial`` are the probabilities of one site's outcomes, all of them positive; at the beginning every string has
    the product of its outcomes' (the group's exact parts to rounding), by default all are equal.

    Shape: int64 ``(*, n_sites) -> (*)``, logarithms in the dtype of the parameters. Called as it is, a part gives
    :meth:`log_prob`.
    """

    normalised: ClassVar[bool] = True
    """Whether :meth:`log_weight` is the logarithm of a probability, and not of a multiple that nobody knows."""

    n_sites: int
    n_outcomes: int
    initial: tuple[float, ...] | None

    @classmethod
    def like(cls, old: nn.Module, **options: Any) -> Self:
        """A part with the sites, outcomes, initial distribution, device and dtype of another density.

        Raises:
            TypeError: ``old`` is none.
        """
        return cls(**{**interface(old, cls.__name__), **options})

    @abc.abstractmethod
    def log_prob(self, a: Tensor) -> Tensor:
        """Logarithms of probabilities, ``(*, n_sites) -> (*)``."""

    @abc.abstractmethod
    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Strings ``(n, n_sites)`` and the logarithms of their weights ``(n,)``, without gradients.

        Args:
            n: how many.
            generator: what is drawn from; torch's default one if not given.
        """

    def log_weight(self, a: Tensor) -> Tensor:
        """Logarithms of probabilities up to a common constant, ``(*, n_sites) -> (*)``: all that ratios need."""
        return self.log_prob(a)

    def forward(self, a: Tensor) -> Tensor:
        """Logarithms of probabilities."""
        return self.log_prob(a)

    def _set_interface(self, n_sites: int, n_outcomes: int, initial: Sequence[float] | None) -> None:
        """Store and check what all densities have in common."""
        name = type(self).__name__
        if n_sites < 1:
            raise ValueError(f"{name}: `n_sites` must be a positive integer, got n_sites={n_sites}.")
        if n_outcomes < 2:
            raise ValueError(f"{name}: `n_outcomes` must be at least 2, got n_outcomes={n_outcomes}.")
        if initial is not None:
            initial = tuple(float(each) for each in initial)
            if len(initial) != n_outcomes or not all(each > 0 for each in initial) or abs(sum(initial) - 1) > 1e-6:
                raise ValueError(
                    f"{name}: `initial` must be {n_outcomes} positive numbers with sum 1, got initial={initial}. "
                    "POVM.product_distribution gives them for a state."
                )
        self.n_sites, self.n_outcomes, self.initial = n_sites, n_outcomes, initial

    def _initial_log(self, like: Tensor) -> Tensor:
        """Logarithms of one site's initial probabilities, ``(n_outcomes,)``, with a parameter's dtype and device."""
        p = self.initial or (1 / self.n_outcomes,) * self.n_outcomes
        return torch.tensor(p, dtype=torch.float64).log().to(dtype=like.dtype, device=like.device)

    def _one_hot(self, a: Tensor, like: Tensor) -> Tensor:
        """Outcomes as unit vectors, ``(*) -> (*, n_outcomes)``."""
        # torch's own function looks at the values, which vmap forbids
        return (a[..., None] == torch.arange(self.n_outcomes, device=a.device)).to(like.dtype)

    def _checked(self, a: Tensor) -> Tensor:
        """Strings as rows ``(B, n_sites)``.

        Raises:
            TypeError: not int64.
            ValueError: another number of sites, or outcomes that do not exist.
        """
        name = type(self).__name__
        if a.dtype != torch.int64:
            raise TypeError(f"{name}: strings must be int64, got dtype={a.dtype}. Convert them with .long().")
        if a.ndim == 0 or a.shape[-1] != self.n_sites:
            raise ValueError(
                f"{name}: the last dimension must be n_sites={self.n_sites}, got "
                f"{a.shape[-1] if a.ndim else 'no'} outcomes (strings of shape {tuple(a.shape)})."
            )
        # values can't be asked for under vmap, nor where there are none
        known = a.numel() and a.device.type != "meta" and not torch._C._are_functorch_transforms_active()
        if known and (int(a.min()) < 0 or int(a.max()) >= self.n_outcomes):
            raise ValueError(
                f"{name}: outcomes must lie in 0..{self.n_outcomes - 1}, got {int(a.min())}..{int(a.max())}."
            )
        return a.reshape(-1, self.n_sites)

    def extra_repr(self) -> str:
        """The constructor's common arguments."""
        start = "" if self.initial is None else f", initial={self.initial}"
        return f"n_sites={self.n_sites}, n_outcomes={self.n_outcomes}{start}"


def interface(old: nn.Module, asker: str) -> dict[str, Any]:
    """The constructor arguments that all densities have in common."""
    if not isinstance(old, DensityPart):
        raise TypeError(f"{asker}.like: needs a DensityPart, got {type(old).__name__}.")
    some = next(old.parameters())
    return {
        "n_sites": old.n_sites,
        "n_outcomes": old.n_outcomes,
        "initial": old.initial,
        "device": some.device,
        "dtype": some.dtype,
    }
