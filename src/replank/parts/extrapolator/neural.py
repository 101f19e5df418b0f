"""A network for each circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from replank.parts.extrapolator._interface import Extrapolator, Range
from replank.parts.extrapolator._networks import Layers, drawn_layers, outputs, trained_layers
from replank.parts.extrapolator._standard import Standardised, standard_deviation
from replank.parts.papers import BHATTACHARJEE2024
from replank.seeding import torch_stream
from replank.sources import Source

_CHUNK = 8192
"""Networks that are trained at once: their numbers, gradients and moments take 10 kB each."""


class NeuralExtrapolator(Extrapolator):
    """A feed-forward network from scale to value, fitted to each circuit's own values: an ensemble of them.

    Inputs and outputs are standardised. Each member is trained on all values at once, by Adam on the mean squared
    error; the prediction is the mean of the members, and ``std`` their standard deviation. The networks of all members
    and circuits are trained together, as one batch. Members begin alike for all circuits.

    Args:
        hidden: sizes of the hidden layers.
        members: how many networks for each circuit.
        steps: of Adam.
        lr: step size.
        weight_decay: in Adam's gradient.
        seed: of the initial weights.
        range: which scales may be fitted.

    Raises:
        ValueError: no layer, member or step, or a step size that is not positive.

    Source: [bhattacharjee2024extrapolation]: a feed-forward network from error probability to expectation value. Sizes,
    standardisation and training are ours.
    """

    source = Source(BHATTACHARJEE2024, "the feed-forward network", "paper")

    def __init__(
        self,
        *,
        hidden: Sequence[int] = (16, 16),
        members: int = 10,
        steps: int = 2000,
        lr: float = 1e-2,
        weight_decay: float = 1e-4,
        seed: int = 0,
        range: Range = "device",
    ):
        super().__init__(range=range)
        self.hidden, self.members, self.steps = check_sizes(self, hidden, members, steps)
        if not (lr > 0 and weight_decay >= 0):
            raise ValueError(
                f"NeuralExtrapolator: `lr` must be positive and `weight_decay` not negative, got lr={lr}, "
                f"weight_decay={weight_decay}."
            )
        self.lr, self.weight_decay, self.seed = lr, weight_decay, seed

    @property
    def least_points(self) -> int:
        """Two: a network has more parameters than values anyway."""
        return 2

    def _fit(self, scale: Tensor, rows: Tensor, descriptors: Tensor | None) -> None:
        self._standard = Standardised(scale, rows)
        stream = torch_stream(self.seed, "extrapolator", "networks")
        start = drawn_layers((1, *self.hidden, 1), self.members, stream, like=rows)
        chunks = torch.split(self._standard.y, max(1, _CHUNK // self.members))
        self._chunks = [self._trained(start, chunk) for chunk in chunks]

    def _trained(self, start: Layers, rows: Tensor) -> Layers:
        """Networks of all members for some circuits: those of the first member come first."""
        layers = [(w.repeat_interleave(len(rows), 0), b.repeat_interleave(len(rows), 0)) for w, b in start]
        x = self._standard.x[None, :, None].expand(self.members * len(rows), -1, 1)
        y = rows.repeat(self.members, 1)[..., None]

        def loss(current: Layers, step: int) -> Tensor:
            return (outputs(current, x) - y).square().mean((1, 2)).sum()

        return trained_layers(layers, loss, steps=self.steps, lr=self.lr, weight_decay=self.weight_decay)

    def _predict(self, at: float) -> Tensor:
        members = torch.cat([self._of_members(layers, at) for layers in self._chunks], 1)
        self.std = self._standard.spread * standard_deviation(members, 0)
        return self._standard.output(members.mean(0))

    def _of_members(self, layers: Layers, at: float) -> Tensor:
        """What each member gives for each circuit of a chunk, ``(members, B)``."""
        n = len(layers[0][0])
        x = self._standard.input(at).expand(n, 1, 1)
        return outputs(layers, x).reshape(self.members, n // self.members)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One hidden layer or two, and both ranges."""
        return (
            {"hidden": (4,), "members": 2, "steps": 60},
            {"hidden": (3, 3), "members": 3, "steps": 40, "seed": 1, "range": "full"},
        )

    def options(self) -> dict[str, Any]:
        """All that was asked for."""
        names = ("hidden", "members", "steps", "lr", "weight_decay", "seed")
        return {name: getattr(self, name) for name in names} | super().options()


def check_sizes(
    owner: Extrapolator, hidden: Sequence[int], members: int, steps: int
) -> tuple[tuple[int, ...], int, int]:
    """Refuse networks without layers, ensembles without members and training without steps.

    Raises:
        ValueError: as said.
    """
    sizes = tuple(hidden)
    if not sizes or min(*sizes, members, steps) < 1:
        raise ValueError(
            f"{type(owner).__name__}: there must be a hidden layer, a member and a step, got hidden={sizes}, "
            f"members={members}, steps={steps}."
        )
    return sizes, members, steps
