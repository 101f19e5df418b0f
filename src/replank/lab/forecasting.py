"""Forecasts of a series, one step ahead: windows in the order of time, and models that read the last step.

Errors are of the scaled series; the normalised ones do not depend on the scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from replank.datasets import Values
from replank.datasets.windows import make_windows
from replank.errors import DataError
from replank.features._fitted import Fitted
from replank.features.angle_scaler import AngleScaler
from replank.features.ridge_readout import ridge_by_validation
from replank.lab.feed import TensorFeed
from replank.lab.task import Regression
from replank.lab.training import at_initialisation, evaluate
from replank.lab.trial import Measurements
from replank.measure.regression import normalised_mean_squared_error


@dataclass(frozen=True, eq=False)
class ForecastingData:
    """Windows ``(n, length, 1)`` and what follows each, ``(n, 1)``: the first part for training, the rest for testing.

    Args:
        train_x: in the order of time, as all of these.
        train_y: see ``train_x``.
        test_x: see ``train_x``; its first windows reach into the last training targets, as the time before does.
        test_y: see ``train_x``.
    """

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor

    def feeds(self, batch_size: int, *, in_order: bool = True) -> tuple[TensorFeed, TensorFeed]:
        """Training and test batches; training ones are shuffled if they are not to stay in order."""
        return (
            TensorFeed(self.train_x, self.train_y, batch_size=batch_size, in_order=in_order),
            TensorFeed(self.test_x, self.test_y, batch_size=batch_size),
        )


def forecasting_data(
    values: Values,
    length: int = 4,
    *,
    drive: Values | None = None,
    train_share: float = 0.67,
    official_scaling: bool = False,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> ForecastingData:
    """A series, scaled to [-1, 1], as windows and their targets, split in time.

    Args:
        values: what is predicted, ``(T,)``.
        length: steps in a window.
        drive: another series that windows are cut from, scaled by itself; the predicted one if not given.
        train_share: of the windows, the first ones.
        official_scaling: whether least and greatest value are those of the whole series, as in the official code of
            [chen2024fastweights]: the test part leaks into the scale. By default they are of the training part, and
            later values may lie outside of [-1, 1].
        dtype: of all tensors.
        device: of all tensors.

    Raises:
        ValueError: see :func:`make_windows`; a share out of range.
        DataError: the series is too short for windows in both parts, or constant where its scale is taken.
    """
    if not 0 < train_share < 1:
        raise ValueError(f"forecasting_data: `train_share` must be in (0, 1), got train_share={train_share}.")
    inputs = values if drive is None else drive
    n = len(make_windows(inputs, length, values).targets)
    n_train = int(train_share * n)
    if not 0 < n_train < n:
        raise DataError(
            f"forecasting_data: there must be windows to train and to test on, got {n_train} and {n - n_train} from "
            f"{len(values)} values. Take a longer series, or another train_share={train_share}."
        )
    known = len(values) if official_scaling else n_train + length
    x, y = make_windows(_scaled(inputs, known), length, _scaled(values, known))
    tensors = (torch.as_tensor(each, dtype=dtype, device=device).unsqueeze(-1) for each in (x, y))
    (train_x, test_x), (train_y, test_y) = ((each[:n_train], each[n_train:]) for each in tensors)
    return ForecastingData(train_x, train_y, test_x, test_y)


def _scaled(values: Values, known: int) -> Values:
    """The series with the least and greatest of its first values at -1 and 1."""
    column = torch.as_tensor(values).unsqueeze(-1)
    if (column[:known] == column[0]).all():
        raise DataError(
            f"forecasting_data: a series must vary where its scale is taken, got {float(column[0])} for all of the "
            f"first {known} values."
        )
    scaled: Values = AngleScaler((-1.0, 1.0), clip=False).fit(column[:known])(column).squeeze(-1).numpy()
    return scaled


class Forecast(Regression):
    """A regression whose errors are also told in units of the targets' variance."""

    headline: ClassVar[str] = "r2"

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """As of any regression, the normalised mean squared error ``1 - R^2``, and its decimal logarithm.

        The logarithm stops at the square of double precision: errors below it are rounding.
        """
        error = normalised_mean_squared_error(output, target)
        floor = torch.finfo(torch.float64).eps ** 2
        return super().metrics(output, target) | {"nmse": error, "log10nmse": math.log10(max(error, floor))}


class Forecaster(nn.Module):
    """A recurrent core, of whose outputs the last one is read.

    Shape: ``(B, T, input_size) -> (B, out_features)``.

    Args:
        core: an nn.RNN, nn.GRU or nn.LSTM, or a recurrent part, with ``batch_first``.
        readout: from the core's features to the forecast; none if the core's own output is one.
    """

    def __init__(self, core: nn.Module, readout: nn.Module | None = None):
        super().__init__()
        self.core, self.readout = core, readout

    def forward(self, windows: Tensor) -> Tensor:
        """Run over the window, and read."""
        last: Tensor = self.core(windows)[0][:, -1]
        return last if self.readout is None else self.readout(last)


class Persistence(nn.Module):
    """Tomorrow is like today: the last value of the window. Shape: ``(B, T, 1) -> (B, 1)``."""

    def forward(self, windows: Tensor) -> Tensor:
        """The last step."""
        return windows[:, -1]


PENALTIES = tuple(10.0**k for k in range(-8, 1))
"""What is tried for ridge regression: 1e-8 to 1."""


@torch.no_grad()
def solved(features: nn.Module, data: ForecastingData, penalties: Sequence[float] = PENALTIES) -> nn.Module:
    """Features that are not trained, and a linear read-out that is solved for.

    Args:
        features: ``(B, T, 1) -> (B, n_features)``; the window itself with ``nn.Flatten()``, which makes an
            autoregression.
        data: its training windows are fitted.
        penalties: of ridge regression, from which the last fifth of them chooses; ``(0.0,)`` is least squares.
    """
    return nn.Sequential(features, ridge_by_validation(features(data.train_x), data.train_y, penalties))


def measured(model: nn.Module, data: ForecastingData, batch_size: int = 500) -> Measurements:
    """What is to be said of a model that is not trained step by step, in the words of :func:`replank.lab.train`.

    Numbers that were solved for count as parameters, trainable ones at that.
    """
    task, (training, test) = Forecast(), data.feeds(batch_size)
    row = evaluate(model, task, training, "train_") | evaluate(model, task, test, "test_")
    metrics = at_initialisation(model, task, training) | row | {"least_train_loss": row["train_loss"]}
    solved_for = sum(module.n_estimated for module in model.modules() if isinstance(module, Fitted))
    for name in ("parameters", "trainable_parameters"):
        metrics[name] += solved_for
    return Measurements(metrics)
