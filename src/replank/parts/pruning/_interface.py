"""The contract of the slot *pruning*: trained weights go in, masks with fewer weights come out."""

from __future__ import annotations

import abc
import math
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from replank.parts.pruning._flat import Flat, Tensors, joined, layer_numbers, taken_apart
from replank.sources import Source

__all__ = ["DisconnectedWarning", "Pruner", "disconnected", "removed_count"]


class DisconnectedWarning(UserWarning):
    """A layer has lost all its weights: what comes in no longer matters to what comes out."""


class Pruner(abc.ABC):
    """Decides which of the weights that are left are removed next.

    A mask is a boolean tensor of its weight's shape: true where the weight is left. Masks only ever shrink, and a share
    ``p`` of R weights removes exactly ``floor(p R)`` over all layers, whatever the pruner: what is compared is *which*.
    A pruner keeps no state, so that a run that was stopped goes on with the same masks.

    A part of the group derives from this class, gives :meth:`remove`, and small ``examples`` for the contract suite.
    """

    source: ClassVar[Source]
    needs_start: bool = False
    """Whether it must know the weights at the beginning of the cycle."""
    needs_gradients: bool = False
    """Whether it must know the gradients of the loss."""

    @abc.abstractmethod
    def remove(self, flat: Flat, n: int) -> Tensor:
        """Indices of the n weights to be removed, of those that are left."""

    @classmethod
    @abc.abstractmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Small sets of constructor arguments that between them reach every branch: the cases of the contract suite."""

    def select(
        self,
        weights: Tensors,
        start_weights: Tensors | None,
        masks: Tensors,
        p: float,
        *,
        gradients: Tensors | None = None,
    ) -> dict[str, Tensor]:
        """The masks after a share of the weights that are left has been removed.

        Args:
            weights: after training, by name.
            start_weights: at the beginning of the cycle, for pruners that look at movement.
            masks: boolean, of the same names and shapes.
            p: share of the weights that are left, in (0, 1).
            gradients: of the loss, for pruners that ask for them.

        Raises:
            ValueError: a share out of range, names or shapes that do not fit, one tensor under two names, or start
                weights or gradients missing.
            TypeError: masks that are not boolean.

        Warns:
            DisconnectedWarning: a layer has lost its last weight.
        """
        flat = self._flat(weights, start_weights, masks, gradients, p)
        selected = taken_apart(self._chosen(flat, p).alive, weights)
        dead = sorted(set(disconnected(selected)) - set(disconnected(masks)))
        if dead:
            warnings.warn(
                f"{type(self).__name__}: no weight is left in {', '.join(dead)}: network disconnected.",
                DisconnectedWarning,
                stacklevel=2,
            )
        return selected

    def _chosen(self, flat: Flat, p: float) -> Flat:
        return flat.without(self.remove(flat, removed_count(p, flat.n_alive)))

    def _flat(
        self, weights: Tensors, start: Tensors | None, masks: Tensors, gradients: Tensors | None, p: float
    ) -> Flat:
        name = type(self).__name__
        if not 0 < p < 1:
            raise ValueError(f"{name}: the share to be removed must lie in (0, 1), got p={p}.")
        if not weights or len({id(weight) for weight in weights.values()}) < len(weights):
            raise ValueError(
                f"{name}: each weight must be given once and there must be one, got {sorted(weights)}. A tied "
                "parameter is pruned under one name."
            )
        for what, needed, given in (
            ("start weights", self.needs_start, start), ("gradients", self.needs_gradients, gradients)
        ):  # fmt: skip
            if needed and given is None:
                raise ValueError(f"{name}: {what} must be given, got None. Keep a copy at the beginning of the cycle.")
        for what, given in (("masks", masks), ("start_weights", start), ("gradients", gradients)):
            if given is not None:
                _check_alike(name, what, given, weights)
        wrong = next((key for key in weights if masks[key].dtype != torch.bool), None)
        if wrong is not None:
            raise TypeError(f"{name}: masks must be boolean, got {masks[wrong].dtype} for {wrong!r}.")
        return Flat(
            joined(weights),
            None if start is None else joined({key: start[key] for key in weights}),
            None if gradients is None else joined({key: gradients[key] for key in weights}),
            joined({key: masks[key] for key in weights}),
            layer_numbers(weights),
        )

    def options(self) -> dict[str, Any]:
        """The constructor's arguments, for the printed name."""
        return {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.options().items())})"


def removed_count(share: float, n: int) -> int:
    """How many of n weights a share is: rounded down, after what binary fractions lack of it has been put back."""
    return math.floor(round(share * n, 6))


def disconnected(masks: Tensors) -> list[str]:
    """The names of the layers without a weight."""
    return [name for name, mask in masks.items() if not mask.any()]


def _check_alike(name: str, what: str, given: Tensors, weights: Tensors) -> None:
    if set(given) != set(weights):
        raise ValueError(f"{name}: `{what}` must have the names {sorted(weights)}, got {sorted(given)}.")
    for key, weight in weights.items():
        if given[key].shape != weight.shape:
            raise ValueError(
                f"{name}: `{what}` must have the shapes of the weights, {tuple(weight.shape)} for {key!r}, got "
                f"{tuple(given[key].shape)}."
            )
