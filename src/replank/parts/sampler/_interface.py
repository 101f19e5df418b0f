"""The contract of the slot *sampler*: how the hidden weights of a random network are drawn."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from replank.sources import Source

__all__ = ["DataSampler", "Nodes", "Sampler"]


class Nodes(NamedTuple):
    """Hidden nodes ``sigma(a x - b)``; mind the sign of b.

    Args:
        a: directions, ``(d, m)`` in float64.
        b: offsets, ``(d,)`` in float64.
    """

    a: Tensor
    b: Tensor


class Sampler(abc.ABC):
    """A distribution of hidden nodes ``(a, b)``: ``sampler(d, m, generator) -> (a[d, m], b[d])``.

    Nodes are drawn from the generator that is given and from nothing else: equal arguments and equal generators give
    equal nodes. Options that a constructor takes besides the size of the distribution are keyword-only.

    A part of the group derives from this class, gives :meth:`_draw` and :attr:`band`, and small ``examples`` of itself
    for the contract suite.
    """

    source: ClassVar[Source]

    @property
    @abc.abstractmethod
    def band(self) -> float:
        """No entry of ``a`` is larger in absolute value; infinity if nothing bounds them."""

    @abc.abstractmethod
    def _draw(self, d: int, m: int, generator: torch.Generator) -> Nodes:
        """The nodes."""

    @abc.abstractmethod
    def options(self) -> dict[str, Any]:
        """The constructor's arguments, for the printed name."""

    @classmethod
    @abc.abstractmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Small sets of constructor arguments that between them reach every branch: the cases of the contract suite."""

    def __call__(self, d: int, m: int, generator: torch.Generator) -> Nodes:
        """Draw nodes.

        Args:
            d: how many.
            m: numbers that go in.
            generator: what is drawn comes from it; nodes are on its device.

        Raises:
            ValueError: there is no node or no input.
            TypeError: no generator.
        """
        name = type(self).__name__
        for size, value in (("d", d), ("m", m)):
            if value < 1:
                raise ValueError(f"{name}: `{size}` must be a positive integer, got {size}={value}.")
        if not isinstance(generator, torch.Generator):
            raise TypeError(
                f"{name}: the generator must be a torch.Generator, got {type(generator).__name__}. Give "
                "torch.Generator().manual_seed(seed)."
            )
        return self._draw(d, m, generator)

    def _check_positive(self, **options: float) -> None:
        """Refuse options that are not positive and finite."""
        for name, value in options.items():
            if not 0 < value < inf:
                raise ValueError(f"{type(self).__name__}: `{name}` must be positive and finite, got {name}={value}.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.options().items())})"


class DataSampler(Sampler):
    """A sampler that has seen the training data: it must be fitted before it draws."""

    x: Tensor | None = None
    y: Tensor | None = None

    def fit(self, x: Tensor, y: Tensor) -> Self:
        """Look at training data.

        Shape: ``x`` ``(n, m)``, ``y`` ``(n,)`` or ``(n, k)``.

        Raises:
            ValueError: fewer than two samples, shapes that don't fit, NaN or infinity.
        """
        name = type(self).__name__
        if x.ndim != 2 or len(x) < 2 or len(x) != len(y) or y.ndim not in (1, 2):
            raise ValueError(
                f"{name}.fit: x must be (n >= 2, m) and y (n,) or (n, k), got shapes {tuple(x.shape)} and "
                f"{tuple(y.shape)}."
            )
        if not (x.isfinite().all() and y.isfinite().all()):
            raise ValueError(f"{name}.fit: x and y must be finite, got NaN or infinity.")
        self.x, self.y = x.detach().double(), y.detach().double().reshape(len(y), -1)
        return self

    def __call__(self, d: int, m: int, generator: torch.Generator) -> Nodes:
        """Draw nodes for the data.

        Raises:
            ValueError: as any sampler, or the data have another number of inputs.
            RuntimeError: no data have been seen.
        """
        name = type(self).__name__
        if self.x is None:
            raise RuntimeError(f"{name}: it must see data first, got none yet. Call .fit(x, y).")
        if self.x.shape[1] != m:
            raise ValueError(f"{name}: `m` must be {self.x.shape[1]}, as in fit, got m={m}.")
        return super().__call__(d, m, generator)
