"""All prunable weights of a network as one long vector: the order of names, then row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Flat:
    """What a pruner looks at; all vectors are as long as there are weights.

    Args:
        weights: after training.
        start: at the beginning of the cycle, if known.
        gradients: of the loss at the end of training, if known.
        alive: which weights are left.
        layer: number of the layer that a weight is of.
    """

    weights: Tensor
    start: Tensor | None
    gradients: Tensor | None
    alive: Tensor
    layer: Tensor

    @property
    def n_alive(self) -> int:
        """How many weights are left."""
        return int(self.alive.sum())

    def without(self, gone: Tensor) -> Flat:
        """The same after some more weights have been removed."""
        alive = self.alive.clone()
        alive[gone] = False
        return Flat(self.weights, self.start, self.gradients, alive, self.layer)

    def smallest(self, scores: Tensor, n: int, among: Tensor | None = None) -> Tensor:
        """Indices of the n smallest scores of weights that are left; ties go by index.

        Args:
            scores: one for each weight.
            n: how many.
            among: which weights may be taken; all that are left unless given.
        """
        candidates = (self.alive if among is None else self.alive & among).nonzero()[:, 0]
        return candidates[scores[candidates].argsort(stable=True)[:n]]


def joined(tensors: Tensors) -> Tensor:
    """One vector of them all."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors.values()])


def layer_numbers(tensors: Tensors) -> Tensor:
    """For each entry of the vector, which tensor it is of."""
    sizes = torch.tensor([tensor.numel() for tensor in tensors.values()])
    return torch.repeat_interleave(torch.arange(len(sizes)), sizes).to(next(iter(tensors.values())).device)


def taken_apart(vector: Tensor, like: Tensors) -> dict[str, Tensor]:
    """The vector cut into tensors of these names and shapes."""
    pieces = torch.split(vector, [tensor.numel() for tensor in like.values()])
    return {name: piece.reshape(like[name].shape) for name, piece in zip(like, pieces, strict=True)}
