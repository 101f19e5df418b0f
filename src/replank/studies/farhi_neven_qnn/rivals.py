"""Classical rivals: what does the circuit do that these don't? All give a score whose sign is the predicted label."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from replank.measure.ceiling import label_counts


class SineLinear(nn.Module):
    """``sin(sum_i phi_i z_i)`` of the signs z = 1 - 2 bits: all that circuits of one closed form can express.

    Shape: bits ``(B, n_features) -> (B, n_starts)``.

    Args:
        n_features: number of bits.
        amplitude: whether a factor in (0, 1) is learned, too: the R of the closed form.
        n_starts: sets of weights side by side.
        device: of the parameters.
        dtype: of the parameters.
    """

    def __init__(
        self,
        n_features: int,
        *,
        amplitude: bool = False,
        n_starts: int = 1,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self.phases = nn.Parameter(torch.empty(n_starts, n_features, device=device, dtype=dtype))
        self.amplitude = nn.Parameter(torch.empty(n_starts, device=device, dtype=dtype)) if amplitude else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the phases uniformly from [0, 2 pi), as circuits draw theirs; the factor starts at 0.88."""
        nn.init.uniform_(self.phases, 0, 2 * math.pi)
        if self.amplitude is not None:
            nn.init.constant_(self.amplitude, 2.0)

    def forward(self, bits: Tensor) -> Tensor:
        """Scores in [-1, 1]."""
        waves = torch.sin((1 - 2 * bits) @ self.phases.T)
        return waves if self.amplitude is None else waves * self.amplitude.sigmoid()


class SideBySide(nn.Module):
    """Modules of one kind with initial values of their own, whose scores ``(B, 1)`` become ``(B, n_starts)``.

    Args:
        build: makes one.
        n_starts: how many.
    """

    def __init__(self, build: Callable[[], nn.Module], n_starts: int):
        super().__init__()
        self.each = nn.ModuleList(build() for _ in range(n_starts))

    def forward(self, input: Tensor) -> Tensor:
        """Scores of all."""
        return torch.cat([module(input) for module in self.each], 1)


class MajorityVote(nn.Module):
    """A table: the mean label of each string that training saw; of others the mean over all of training.

    On its training data it reaches the ceiling of every function of the strings.

    Shape: ``(B, n_features) -> (B, n_starts)``, all starts alike.

    Args:
        inputs: training strings, ``(n, n_features)``.
        labels: +1 and -1, ``(n,)``.
        n_starts: how often the score is repeated.
    """

    strings: Tensor
    votes: Tensor
    prior: Tensor

    def __init__(self, inputs: Tensor, labels: Tensor, n_starts: int = 1):
        super().__init__()
        strings, counts = label_counts(inputs, (labels > 0).long())
        counts = nn.functional.pad(counts, (0, 2 - counts.shape[1])).to(labels)
        self.n_starts = n_starts
        self.register_buffer("strings", strings)
        self.register_buffer("votes", (counts[:, 1] - counts[:, 0]) / counts.sum(1))
        self.register_buffer("prior", labels.mean())

    def forward(self, input: Tensor) -> Tensor:
        """Mean labels, in [-1, 1]."""
        rows = torch.cat((self.strings, input))
        rows = torch.view_as_real(rows) if rows.is_complex() else rows  # unique() knows no complex numbers
        _, place = torch.unique(rows, dim=0, return_inverse=True)
        known = torch.full((int(place.max()) + 1,), float("nan")).to(self.votes)
        known[place[: len(self.strings)]] = self.votes
        scores = known[place[len(self.strings) :]]
        return torch.where(scores.isnan(), self.prior, scores)[:, None].expand(-1, self.n_starts)


def logistic(n_features: int, dtype: torch.dtype) -> nn.Module:
    """Logistic regression: its score is the log-odds."""
    return nn.Linear(n_features, 1, dtype=dtype)


def mlp(n_features: int, dtype: torch.dtype) -> nn.Module:
    """Two hidden units, the tutorial's "fair" network: 37 parameters for 16 bits."""
    return nn.Sequential(
        OrderedDict(hidden=nn.Linear(n_features, 2, dtype=dtype), relu=nn.ReLU(), output=nn.Linear(2, 1, dtype=dtype))
    )
