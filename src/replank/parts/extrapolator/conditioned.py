"""A network that was trained on other circuits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from replank.parts.extrapolator._interface import Range
from replank.parts.extrapolator._learned import LearnedExtrapolator, learned_weights
from replank.parts.extrapolator._networks import Layers, drawn_layers, outputs, trained_layers
from replank.parts.extrapolator._standard import standard_deviation
from replank.parts.extrapolator.neural import check_sizes
from replank.seeding import torch_stream
from replank.sources import Source

Sees = Literal["all", "values", "descriptors"]
_NOTHING = 1e-9
"""Relative spread below which a direction of the training data is none."""


class ConditionedNeuralExtrapolator(LearnedExtrapolator):
    """A network from a circuit's noisy values and its description to its noise-free value, trained on other circuits.

    The prediction is ``rows @ w + spread * network``: learned weights (:class:`RegressionExtrapolator`), and what the
    network adds, in units of the spread of the circuit's values over scales. So values that do not depend on noise are
    left alone, and a network that adds nothing is the regression. It sees values and descriptors in principal
    components of unit variance. One that sees descriptors alone has no values to start from: it simulates the circuit,
    and mitigates nothing.

    Args:
        sees: the network's inputs.
        hidden: sizes of the hidden layers.
        members: how many networks; ``std`` is their standard deviation.
        steps: of Adam.
        batch: circuits a step.
        lr: step size.
        weight_decay: in Adam's gradient.
        seed: of initial weights and batches.
        range: which scales may be used.

    Raises:
        ValueError: unknown inputs, no layer, member, step or batch; in ``learn`` and ``fit``, no descriptors where they
            are needed.

    Source: our own, after the network of [bhattacharjee2024extrapolation].
    """

    source = Source(None, "a network that has seen other circuits", "ours")
    reads_descriptors = True

    def __init__(
        self,
        *,
        sees: Sees = "all",
        hidden: Sequence[int] = (32, 32),
        members: int = 5,
        steps: int = 1500,
        batch: int = 128,
        lr: float = 3e-3,
        weight_decay: float = 1e-5,
        seed: int = 0,
        range: Range = "device",
    ):
        super().__init__(range=range)
        if sees not in get_args(Sees):
            raise ValueError(
                f"ConditionedNeuralExtrapolator: `sees` must be one of {get_args(Sees)}, got sees={sees!r}."
            )
        if batch < 1:
            raise ValueError(f"ConditionedNeuralExtrapolator: `batch` must be at least 1, got batch={batch}.")
        self.hidden, self.members, self.steps = check_sizes(self, hidden, members, steps)
        self.sees, self.batch, self.lr, self.weight_decay, self.seed = sees, batch, lr, weight_decay, seed

    @property
    def least_points(self) -> int:
        """Two."""
        return 2

    @property
    def keeps_constants(self) -> bool:
        """Unless it sees no values."""
        return self.sees != "descriptors"

    def _learn(self, rows: Tensor, targets: Tensor, descriptors: Tensor | None) -> None:
        self.weights = learned_weights(rows, targets)
        seen = self._seen(rows, descriptors)
        self._whitening = _whitening(seen)
        x = self._whitened(seen)
        rest, spread = targets - self._base(rows), self._spread(rows)
        size = rest.square().mean().sqrt().clamp(min=torch.finfo(rows.dtype).tiny)
        stream = torch_stream(self.seed, "extrapolator", "conditioned")
        layers = drawn_layers((x.shape[1], *self.hidden, 1), self.members, stream, like=rows)
        # a network that has learned nothing adds nothing
        layers[-1] = (torch.zeros_like(layers[-1][0]), torch.zeros_like(layers[-1][1]))
        n = min(self.batch, len(rows))
        chosen = torch.randint(len(rows), (self.steps, self.members, n), generator=stream).to(rows.device)
        # so that a network's output is of order 1 whatever the unit of the values
        self._unit = size / spread.square().mean().sqrt().clamp(min=torch.finfo(rows.dtype).tiny)

        def loss(current: Layers, step: int) -> Tensor:
            index = chosen[step]
            added = self._unit * spread[index] * outputs(current, x[index])[..., 0]
            return ((added - rest[index]) / size).square().mean(1).sum()

        self._layers = trained_layers(layers, loss, steps=self.steps, lr=self.lr, weight_decay=self.weight_decay)

    def _fit(self, scale: Tensor, rows: Tensor, descriptors: Tensor | None) -> None:
        super()._fit(scale, rows, descriptors)
        self._seen(rows, descriptors)  # refuses what is not described

    def _predicted(self, rows: Tensor, descriptors: Tensor | None) -> Tensor:
        x = self._whitened(self._seen(rows, descriptors)).expand(self.members, -1, -1)
        members = self._unit * self._spread(rows) * outputs(self._layers, x)[..., 0]
        self.std = standard_deviation(members, 0)
        return self._base(rows) + members.mean(0)

    def _base(self, rows: Tensor) -> Tensor:
        """What the values give by themselves."""
        return rows.new_zeros(len(rows)) if self.sees == "descriptors" else torch.mv(rows, self.weights)

    def _spread(self, rows: Tensor) -> Tensor:
        """In what unit the network's output is counted, for each circuit."""
        return rows.new_ones(len(rows)) if self.sees == "descriptors" else standard_deviation(rows, 1)

    def _seen(self, rows: Tensor, descriptors: Tensor | None) -> Tensor:
        if self.sees == "values":
            return rows
        if descriptors is None or len(descriptors) != len(rows):
            got = "none" if descriptors is None else f"shape {tuple(descriptors.shape)}"
            raise ValueError(
                f"ConditionedNeuralExtrapolator: needs descriptors of each of {len(rows)} circuits, got {got}. "
                'sees="values" does without.'
            )
        descriptors = descriptors.to(rows)
        return descriptors if self.sees == "descriptors" else torch.cat((rows, descriptors), 1)

    def _whitened(self, seen: Tensor) -> Tensor:
        mean, directions = self._whitening
        return (seen - mean) @ directions

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """What it may see, and both ranges."""
        small = {"hidden": (8,), "members": 2, "steps": 40, "batch": 16}
        return (small, {**small, "sees": "values", "hidden": (4, 4), "range": "full"}, {**small, "sees": "descriptors"})

    def options(self) -> dict[str, Any]:
        """All that was asked for."""
        names = ("sees", "hidden", "members", "steps", "batch", "lr", "weight_decay", "seed")
        return {name: getattr(self, name) for name in names} | super().options()


def _whitening(seen: Tensor) -> tuple[Tensor, Tensor]:
    """Mean ``(d,)`` and directions ``(d, r)`` that bring columns to mean 0, variance 1 and no correlation."""
    mean = seen.mean(0)
    _, sizes, directions = torch.linalg.svd(seen - mean, full_matrices=False)
    kept = sizes > _NOTHING * sizes[0]
    return mean, directions[kept].mT * (len(seen) ** 0.5 / sizes[kept])
