"""How the input of a hypernetwork is brought to the form that it sees."""

from __future__ import annotations

import math
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor

from replank.parts._inspect import inspect

Encoding = Literal["none", "cos|sin", "z|1-z", "centred", "symmetric", "unit", "fourier"]
"""Named after what is concatenated."""

WIDENED = {"cos|sin": 2, "z|1-z": 2, "fourier": 8}
"""By what factor an encoding makes the input wider, if it does."""

OCTAVES = 4
"""Frequencies of the Fourier features: pi, 2 pi, 4 pi, 8 pi."""


def encode_hyper_input(gamma: Tensor, mode: Encoding | None = "cos|sin", *, clamp: bool = False) -> Tensor:
    """Encode a hyper-input; the new entries stand on the last axis, all of one function before those of the next.

    ===============  ===================================================  ==========================================
    mode             encoded                                              what is constant
    ===============  ===================================================  ==========================================
    ``"none"``       gamma
    ``"cos|sin"``    ``[cos(pi gamma / 2), sin(pi gamma / 2)]``           the L2 norm, ``sqrt(d)``; [ortiz2024mip]
    ``"z|1-z"``      ``[gamma, 1 - gamma]``                               the L1 norm, d; the official code's other one
    ``"centred"``    ``gamma - 1/2``                                      ours
    ``"symmetric"``  ``2 gamma - 1``                                      ours
    ``"unit"``       ``gamma / |gamma|``, 0 for 0                         the L2 norm; ours, constant if ``d = 1``
    ``"fourier"``    cosines, then sines, of pi, 2 pi, 4 pi, 8 pi gamma   the L2 norm, ``sqrt(4 d)``; ours
    ===============  ===================================================  ==========================================

    Shape: ``(*, d) -> (*, k d)`` with k 1, 2 or 8.

    Args:
        gamma: floating point; in [0, 1] for ``"cos|sin"``, which is not injective beyond.
        mode: which encoding; ``None`` is ``"none"``.
        clamp: whether values outside [0, 1] are moved to its nearest end and not refused.

    Raises:
        ValueError: another mode; NaN; a value outside [0, 1] with ``"cos|sin"``.
        TypeError: not floating point.
    """
    mode = mode or "none"
    if mode not in get_args(Encoding):
        raise ValueError(f"encode_hyper_input: `mode` must be one of {get_args(Encoding)}, got mode={mode!r}.")
    if not gamma.is_floating_point():
        raise TypeError(
            f"encode_hyper_input: gamma must be real floating point, got dtype={gamma.dtype}. Convert it with .float()."
        )
    if clamp:
        gamma = gamma.clamp(0, 1)
    inspect(gamma, partial(_check_values, bounded=mode == "cos|sin"))
    match mode:
        case "cos|sin":
            angle = math.pi / 2 * gamma
            return torch.cat((angle.cos(), angle.sin()), -1)
        case "z|1-z":
            return torch.cat((gamma, 1 - gamma), -1)
        case "centred":
            return gamma - 0.5
        case "symmetric":
            return 2 * gamma - 1
        case "unit":
            return gamma / gamma.norm(dim=-1, keepdim=True).clamp(min=torch.finfo(gamma.dtype).tiny)
        case "fourier":
            angles = torch.cat([math.pi * 2**octave * gamma for octave in range(OCTAVES)], -1)
            return torch.cat((angles.cos(), angles.sin()), -1)
        case _:
            return gamma


def _check_values(gamma: Tensor, *, bounded: bool) -> None:
    if gamma.device.type == "meta":
        return
    if gamma.isnan().any():
        raise ValueError("encode_hyper_input: gamma must not be NaN, got some. Look where it comes from.")
    if bounded and ((gamma < 0) | (gamma > 1)).any():
        raise ValueError(
            f"encode_hyper_input: gamma must be in [0, 1] for 'cos|sin', got {float(gamma.min()):.6g} to "
            f"{float(gamma.max()):.6g}. Rescale it, or say clamp=True."
        )
