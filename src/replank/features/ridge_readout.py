"""A linear read-out in closed form: ridge regression, or least squares."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import ClassVar, Self

import torch
from torch import Tensor

from replank.features._fitted import Fitted


class RidgeReadout(Fitted):
    """``W = (S^T S + lmbda I)^-1 S^T Y`` of centred states S and targets Y; the bias is not penalised.

    It is solved as least squares with ``sqrt(lmbda) I`` below the states, which loses no digits to a product of S with
    itself.

    Shape: ``(*, n_features) -> (*, n_outputs)``.

    Args:
        lmbda: the penalty; 0 is least squares, of least norm if there are fewer samples than features.

    Raises:
        ValueError: a penalty that is negative or not finite; in ``forward``, another number of features.
        RuntimeError: in ``forward`` and :meth:`predict`, before ``fit``.

    Example:
        >>> states = torch.tensor([[0.0], [1.0], [2.0]])
        >>> RidgeReadout(0.0).fit(states, 3 * states + 1).predict(torch.tensor([[5.0]])).round()
        tensor([[16.]])
    """

    _estimated: ClassVar = ("weight", "bias")
    weight: Tensor
    bias: Tensor

    def __init__(self, lmbda: float = 0.0):
        super().__init__()
        if not 0 <= lmbda < math.inf:
            raise ValueError(f"RidgeReadout: `lmbda` must be finite and not negative, got lmbda={lmbda}.")
        self.lmbda = float(lmbda)

    @torch.no_grad()
    def fit(self, states: Tensor, targets: Tensor) -> Self:
        """Solve for the read-out.

        Shape: ``(n, n_features), (n, n_outputs)``.

        Warns:
            RuntimeWarning: fewer samples than features and no penalty.

        Raises:
            ValueError: shapes that do not fit, no samples, NaN or infinity.
        """
        if states.ndim != 2 or targets.ndim != 2 or len(states) != len(targets) or not states.numel():
            raise ValueError(
                "RidgeReadout.fit: states must be (n >= 1, n_features) and targets (n, n_outputs), got shapes "
                f"{tuple(states.shape)} and {tuple(targets.shape)}."
            )
        if not (states.isfinite().all() and targets.isfinite().all()):
            raise ValueError("RidgeReadout.fit: states and targets must be finite, got NaN or infinity.")
        n, n_features = states.shape
        if n < n_features and not self.lmbda:
            warnings.warn(
                f"RidgeReadout.fit: {n} samples do not determine {n_features} weights; the smallest are taken. Give a "
                "penalty `lmbda`.",
                RuntimeWarning,
                stacklevel=2,
            )
        s, y = states.detach().double().cpu(), targets.detach().double().cpu()
        s_mean, y_mean = s.mean(0), y.mean(0)
        penalty = math.sqrt(self.lmbda) * torch.eye(n_features, dtype=s.dtype)
        rows = torch.cat((s - s_mean, penalty)), torch.cat((y - y_mean, y.new_zeros(n_features, y.shape[1])))
        weight = torch.linalg.lstsq(*rows, driver="gelsd").solution
        self.weight, self.bias = weight.to(states), (y_mean - s_mean @ weight).to(states)
        return self

    def forward(self, states: Tensor) -> Tensor:
        """What is read from states."""
        if not self.is_fitted:
            raise RuntimeError("RidgeReadout: it must be fitted first, got no states yet. Call .fit(states, targets).")
        if states.ndim == 0 or states.shape[-1] != len(self.weight):
            raise ValueError(
                f"RidgeReadout: the last dimension must be n_features={len(self.weight)}, as in fit, got shape "
                f"{tuple(states.shape)}."
            )
        return states @ self.weight + self.bias

    def predict(self, states: Tensor) -> Tensor:
        """The same."""
        predicted: Tensor = self(states)
        return predicted

    def extra_repr(self) -> str:
        """The penalty."""
        return f"lmbda={self.lmbda:g}"


def ridge_by_validation(
    states: Tensor, targets: Tensor, penalties: Sequence[float], *, validation_share: float = 0.2
) -> RidgeReadout:
    """The read-out with the penalty that predicts the last samples best from those before, fitted on all of them.

    Shape: ``(n, n_features), (n, n_outputs)``, in the order of time.

    Args:
        states: what is read.
        targets: what is to be told.
        penalties: which ones are tried; of equals, the first. A single one is taken as it is.
        validation_share: of the samples, the last ones.

    Raises:
        ValueError: no penalty, a share out of range, or too few samples for both parts.
    """
    n_fitted = len(states) - round(validation_share * len(states))
    if not penalties or not 0 < validation_share < 1 or not 0 < n_fitted < len(states):
        raise ValueError(
            "ridge_by_validation: there must be penalties to try, and samples to fit and to validate on, got "
            f"penalties={list(penalties)}, validation_share={validation_share}, n={len(states)}."
        )

    def error(lmbda: float) -> float:
        readout = RidgeReadout(lmbda).fit(states[:n_fitted], targets[:n_fitted])
        return float((readout.predict(states[n_fitted:]) - targets[n_fitted:]).square().mean())

    best = penalties[0] if len(penalties) == 1 else min(penalties, key=error)
    return RidgeReadout(best).fit(states, targets)
