"""A series cut into windows, each with the value that follows it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from replank.datasets._series import Values
from replank.errors import DataError


class Windows(NamedTuple):
    """Windows ``(n, length)`` in the order of time, and the value behind each, ``(n,)``."""

    inputs: Values
    targets: Values


def make_windows(values: Values, length: int, targets: Values | None = None) -> Windows:
    """Every window of a series but the last, and what follows it: ``values[i : i + length], targets[i + length]``.

    Args:
        values: the series, ``(T,)``.
        length: steps in a window.
        targets: the series that is predicted, equally long; the same one by default. With another one, the window ends
            one step before the target.

    Returns:
        ``T - length - 1`` windows: the official code of [chen2024fastweights] leaves out the last one, and so its
        counts come out.

    Raises:
        ValueError: a length below 1, or series that are not equally long.
        DataError: the series is shorter than ``length + 2``.
    """
    predicted = values if targets is None else targets
    if length < 1:
        raise ValueError(f"make_windows: a window must have at least one step, got length={length}.")
    if values.ndim != 1 or predicted.shape != values.shape:
        raise ValueError(
            f"make_windows: series must be (T,) and equally long, got shapes {values.shape} and {predicted.shape}."
        )
    n = len(values) - length - 1
    if n < 1:
        raise DataError(
            f"make_windows: a series must have at least length + 2 = {length + 2} values, got {len(values)}. Take a "
            "longer one, or shorter windows."
        )
    windows = np.lib.stride_tricks.sliding_window_view(values, length)[:n]
    return Windows(np.ascontiguousarray(windows), np.ascontiguousarray(predicted[length : length + n]))
