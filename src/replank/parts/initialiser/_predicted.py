"""Initialisers of a hypernetwork's last layer, whose rows are entries of several predicted tensors."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from replank.parts.initialiser._interface import Initialiser

Shapes = Mapping[str, Sequence[int]]


class PredictedInitialiser(Initialiser):
    """Treats the rows of each predicted tensor as a layer of their own.

    Args:
        shapes: of the predicted tensors by name, in the order of the rows; names that end in ``bias`` are biases.

    Raises:
        ValueError: there is no tensor, or one without entries.
    """

    def __init__(self, shapes: Shapes):
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}
        if not self.shapes or not all(math.prod(shape) for shape in self.shapes.values()):
            raise ValueError(f"{type(self).__name__}: `shapes` must name tensors with entries, got shapes={shapes}.")

    @property
    def rows(self) -> int:
        """One for each entry of the tensors."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def _blocks(self, weight: Tensor) -> Iterator[tuple[str, Tensor]]:
        """The rows of each tensor."""
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        yield from zip(self.shapes, torch.split(weight, sizes), strict=True)

    def _each(self, of: Callable[[str, tuple[int, ...]], float]) -> Tensor:
        """A number for each tensor, repeated for its entries: ``(rows,)``."""
        return torch.cat([torch.full((math.prod(shape),), of(name, shape)) for name, shape in self.shapes.items()])

    def variance(self, shape: Sequence[int]) -> Tensor:
        """One for each row, ``(rows, 1, ...)``."""
        per_row = self._each(lambda name, predicted: self._variance(name, predicted, shape[1]))
        return per_row.reshape(-1, *(1 for _ in shape[1:]))

    @abc.abstractmethod
    def _variance(self, name: str, shape: tuple[int, ...], width: int) -> float:
        """The variance of the rows of a tensor, in a weight that so many numbers go into."""

    def _fill(self, weight: Tensor, generator: torch.Generator | None) -> None:
        for name, block in self._blocks(weight):
            std = math.sqrt(self._variance(name, self.shapes[name], weight.shape[1]))
            if std:
                block.normal_(std=std, generator=generator)
            else:
                block.zero_()


def is_bias(name: str) -> bool:
    """Whether a parameter of that name is a bias."""
    return name.endswith("bias")
