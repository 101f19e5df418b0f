"""The contract of the slot *initialiser*: the values that a layer starts from."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from replank.sources import Source

__all__ = ["Fans", "Initialiser", "Mode", "fans"]

Target = TypeVar("Target", Tensor, nn.Module)

Mode = Literal["fan_in", "fan_out"]
"""Whether variance is kept on the way forward, or that of gradients on the way back."""


class Fans(NamedTuple):
    """How many numbers meet in an entry of the output, and into how many an input goes."""

    fan_in: int
    fan_out: int


def fans(shape: Sequence[int]) -> Fans:
    """The fans of a weight ``(out, in, *window)``, as torch counts them.

    Raises:
        ValueError: fewer than two dimensions.
    """
    if len(shape) < 2:
        raise ValueError(f"fans: a weight must have at least two dimensions, got shape {tuple(shape)}.")
    window = math.prod(shape[2:])
    return Fans(shape[1] * window, shape[0] * window)


class Initialiser(abc.ABC):
    """What fills a weight: ``initialiser(weight, generator)``, or the weights of a whole module.

    Values are drawn from the generator that is given and from nothing else. Tensors are filled in place, whatever
    ``requires_grad`` says, and given back. Entries have mean 0 and the variance that :meth:`variance` states.

    Of a module, every parameter of two or more dimensions is filled whose name ends in ``weight``, and the bias of the
    same layer by :meth:`_fill_bias`, with zeros unless the initialiser knows better. Whatever else there is, such as
    normalisation, stays.

    Options that a constructor takes are keyword-only, except the shapes that some need to know. A part of the group
    derives from this class, gives :meth:`_fill` and :meth:`variance`, and small ``examples`` of itself for the contract
    suite.
    """

    source: ClassVar[Source]

    @abc.abstractmethod
    def _fill(self, weight: Tensor, generator: torch.Generator | None) -> None:
        """Draw the values of a weight of at least two dimensions, in place."""

    @abc.abstractmethod
    def variance(self, shape: Sequence[int]) -> Tensor:
        """The variance of each entry of a weight of that shape, as a tensor that broadcasts to it."""

    @abc.abstractmethod
    def options(self) -> dict[str, Any]:
        """The constructor's arguments, for the printed name."""

    @classmethod
    @abc.abstractmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Small sets of constructor arguments that between them reach every branch: the cases of the contract suite."""

    @property
    def rows(self) -> int | None:
        """How many rows a weight must have; any number if ``None``."""
        return None

    def bias_variance(self, n: int) -> Tensor:
        """The variance of each entry of a bias of n entries, as a tensor that broadcasts to it."""
        return torch.zeros(())

    def _fill_bias(self, bias: Tensor, generator: torch.Generator | None) -> None:
        """Draw the values of a bias, in place."""
        bias.zero_()

    def __call__(self, target: Target, generator: torch.Generator | None = None) -> Target:
        """Fill a weight, or the weights of a module, and give it back.

        Args:
            target: what is filled, in place.
            generator: what is drawn comes from it; torch's default one unless given, as for torch's own functions.

        Raises:
            TypeError: no tensor or module, no generator, or a weight that is not floating point.
            ValueError: a weight of fewer than two dimensions, without entries, or with another number of rows; a module
                without weights.
        """
        if generator is not None and not isinstance(generator, torch.Generator):
            raise TypeError(
                f"{type(self).__name__}: the generator must be a torch.Generator, got {type(generator).__name__}. Give "
                "torch.Generator().manual_seed(seed)."
            )
        with torch.no_grad():
            if isinstance(target, nn.Module):
                self._fill_module(target, generator)
            elif isinstance(target, Tensor):
                self._check(target)
                self._fill(target, generator)
            else:
                raise TypeError(
                    f"{type(self).__name__}: the target must be a tensor or a module, got {type(target).__name__}."
                )
        return target

    def _fill_module(self, module: nn.Module, generator: torch.Generator | None) -> None:
        weights = [
            (layer, name, weight)
            for layer in module.modules()
            for name, weight in layer.named_parameters(recurse=False)
            if name.endswith("weight") and weight.ndim > 1
        ]
        if not weights:
            raise ValueError(
                f"{type(self).__name__}: a module must have a weight of two or more dimensions, got "
                f"{type(module).__name__} without one."
            )
        for _, _, weight in weights:  # all or none
            self._check(weight)
        for layer, name, weight in weights:
            self._fill(weight, generator)
            bias = getattr(layer, name.removesuffix("weight") + "bias", None)
            if isinstance(bias, Tensor):
                self._fill_bias(bias, generator)

    def _check(self, weight: Tensor) -> None:
        name = type(self).__name__
        if not weight.is_floating_point():
            raise TypeError(f"{name}: a weight must be real floating point, got dtype={weight.dtype}.")
        if weight.ndim < 2 or not weight.numel():
            raise ValueError(
                f"{name}: a weight must have at least two dimensions and an entry, got shape {tuple(weight.shape)}."
            )
        if self.rows is not None and len(weight) != self.rows:
            raise ValueError(
                f"{name}: the weight must have {self.rows} rows, one for each entry of the tensors that it predicts, "
                f"got {len(weight)} (shape {tuple(weight.shape)})."
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.options().items())})"
