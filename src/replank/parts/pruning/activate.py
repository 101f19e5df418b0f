"""An add-on to any pruner that removes a few weights so that more units of a ReLU network are active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from replank.parts.papers import LIU2023ACTIVATE
from replank.parts.pruning._flat import Flat
from replank.parts.pruning._interface import Pruner, removed_count
from replank.parts.pruning.magnitude import GlobalMagnitude
from replank.parts.pruning.random_pruning import random_scores
from replank.sources import Source

Sign = Literal["negative", "positive", "any"]
Movement = Literal["smallest", "largest", "random"]


class ActivateWhilePruning(Pruner):
    """The host removes a little less, and negative weights that moved least in training go in its place.

    Of R weights the host removes ``floor(p R) - floor(q R)``; then ``floor(q R)`` go of those that are still there and
    negative, by ``|w - w_start|``, ties by index. Without negative weights pre-activations rise, and more units are
    above zero. The other signs and movements are controls: they say which of the two ingredients matters.

    Args:
        host: the pruner that is added to.
        q: the add-on's share of the weights that are left, in [0, 1) and below p.
        sign: of the weights that the add-on may take.
        movement: which of them it takes.
        seed: of the draw, for ``movement="random"``.
        strict: whether too few candidates are an error; else there is a :attr:`shortfall`, and fewer weights go.
        published_threshold: the official code's rule: everything goes that moved no more than the candidate at index
            ``floor(q R)``, one weight too many, and more where there are ties.

    Raises:
        ValueError: q out of range, an unknown sign or movement; when selecting also ``q >= p``, or too few candidates.

    Source: [liu2023activate], the official script (read, not copied).
    """

    source = Source(LIU2023ACTIVATE, "mask update of the ResNet-20 script", "official code")
    needs_start = True

    shortfall: int = 0
    """How many weights too few the last selection removed."""

    def __init__(
        self,
        host: Pruner | None = None,
        q: float = 0.02,
        *,
        sign: Sign = "negative",
        movement: Movement = "smallest",
        seed: int = 0,
        strict: bool = True,
        published_threshold: bool = False,
    ):
        if not 0 <= q < 1:
            raise ValueError(f"ActivateWhilePruning: the add-on's share must lie in [0, 1), got q={q}.")
        for name, value, known in (("sign", sign, get_args(Sign)), ("movement", movement, get_args(Movement))):
            if value not in known:
                raise ValueError(f"ActivateWhilePruning: `{name}` must be one of {known}, got {name}={value!r}.")
        self.host, self.q, self.sign, self.movement = host or GlobalMagnitude(), q, sign, movement
        self.seed, self.strict, self.published_threshold = seed, strict, published_threshold
        self.needs_gradients = self.host.needs_gradients

    def _chosen(self, flat: Flat, p: float) -> Flat:
        if self.q >= p:
            raise ValueError(
                f"ActivateWhilePruning: the add-on's share must be below the whole one, got q={self.q} and p={p}."
            )
        return super()._chosen(flat, p)

    def remove(self, flat: Flat, n: int) -> Tensor:
        """The host's weights, then those of the add-on."""
        extra = removed_count(self.q, flat.n_alive)
        by_host = self.host.remove(flat, n - extra)
        self.shortfall = 0
        return by_host if extra == 0 else torch.cat((by_host, self._extra(flat.without(by_host), extra)))

    def _extra(self, left: Flat, n: int) -> Tensor:
        assert left.start is not None
        candidates = _of_sign(left.weights, self.sign)
        there_are = int((candidates & left.alive).sum())
        if there_are < n and self.strict:
            raise ValueError(
                f"ActivateWhilePruning: needs {n} weights of sign {self.sign!r} after the host, got {there_are}. Take "
                "a smaller q, or strict=False."
            )
        self.shortfall = max(0, n - there_are)
        scores = self._scores(left)
        chosen = left.smallest(scores, n + self.published_threshold, candidates)
        if not self.published_threshold or not len(chosen):
            return chosen
        return (candidates & left.alive & (scores <= scores[chosen[-1]])).nonzero()[:, 0]

    def _scores(self, left: Flat) -> Tensor:
        assert left.start is not None
        if self.movement == "random":
            return random_scores(left, self.seed)
        moved = (left.weights - left.start).abs()
        return moved if self.movement == "smallest" else -moved

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """The add-on, nothing of it, and its controls."""
        return (
            {"q": 0.1},
            {"q": 0.0},
            {"q": 0.1, "sign": "any", "movement": "random"},
            {"q": 0.1, "movement": "random"},
            {"q": 0.1, "sign": "positive"},
            {"q": 0.1, "sign": "any"},
            {"q": 0.1, "movement": "largest"},
        )

    def options(self) -> dict[str, Any]:
        """All arguments."""
        return {
            "host": self.host,
            "q": self.q,
            "sign": self.sign,
            "movement": self.movement,
            "seed": self.seed,
            "strict": self.strict,
            "published_threshold": self.published_threshold,
        }


def _of_sign(weights: Tensor, sign: Sign) -> Tensor:
    if sign == "any":
        return torch.ones_like(weights, dtype=torch.bool)
    return weights < 0 if sign == "negative" else weights > 0
