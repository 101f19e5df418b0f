"""A batch of samples with any leading dimensions and one set of parameters, for what runs ``(G, B, ...)``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from replank.circuits.circuit import Circuit


def one_group(
    owner: str, circuit: Circuit, run: Callable[[Tensor, Tensor], Any], features: Tensor, parameters: Tensor
) -> Any:
    """What ``run`` gives for features ``(*, n_features)`` and parameters ``(n_parameters,)``, ``(*, ...)`` each.

    Raises:
        ValueError: too few or too many features or parameters.
        TypeError: their dtypes or devices differ, or are not float32 or float64.
    """
    n_features, n_parameters = circuit.n_features, circuit.n_parameters
    if features.ndim == 0 or features.shape[-1] != n_features or parameters.shape != (n_parameters,):
        raise ValueError(
            f"{owner}: features must be (*, {n_features}) and parameters ({n_parameters},), got shapes "
            f"{tuple(features.shape)} and {tuple(parameters.shape)}."
        )
    alike = features.dtype == parameters.dtype and features.device == parameters.device
    if features.dtype not in (torch.float32, torch.float64) or not alike:
        raise TypeError(
            f"{owner}: features and parameters must be float32 or float64 alike, and on one device, got "
            f"{features.dtype} on {features.device} and {parameters.dtype} on {parameters.device}."
        )
    lead = features.shape[:-1]
    results = run(features.reshape(1, math.prod(lead), n_features), parameters[None])
    return _map(results, lambda result: result[0].reshape(lead + result.shape[2:]))


def _map(results: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """The same structure of tensors, named or not."""
    if isinstance(results, Tensor):
        return function(results)
    mapped = [_map(each, function) for each in results]
    return results._make(mapped) if hasattr(results, "_make") else tuple(mapped)
