"""How many numbers a training set fixes for each number that is trained."""

from __future__ import annotations


def overdetermination_ratio(n_train: int, n_outputs: int, n_params: int) -> float:
    """``Q = K M / P``: constraints over trained numbers. Below 1 a model can fit anything.

    Args:
        n_train: training samples, K.
        n_outputs: numbers that each sample asks for, M.
        n_params: trained parameters, P.

    Raises:
        ValueError: a count is not positive.

    Source: [bermeitinger2024minimum].
    """
    for name, count in (("n_train", n_train), ("n_outputs", n_outputs), ("n_params", n_params)):
        if count < 1:
            raise ValueError(f"overdetermination_ratio: `{name}` must be positive, got {name}={count}.")
    return n_train * n_outputs / n_params
