"""Which frequencies a layer has in one of its inputs: how often, and how, that input is encoded."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from replank.measure.evaluation import evaluating


class FourierSpectrum(NamedTuple):
    """The Fourier series of a layer's outputs in one input: ``f_k(t) = sum_w coefficients[w, k] exp(2 pi i w t / T)``.

    Args:
        frequencies: integers from ``-max_frequency`` to ``max_frequency``, shape ``(F,)``.
        coefficients: complex, shape ``(F, n_outputs)``.
    """

    frequencies: Tensor
    coefficients: Tensor

    def support(self, tolerance: float = 1e-6) -> list[int]:
        """The frequencies that some output has with an amplitude above ``tolerance``."""
        present = self.coefficients.abs().amax(dim=1) > tolerance
        return [int(frequency) for frequency in self.frequencies[present]]


def fourier_spectrum(
    layer: nn.Module,
    input_index: int,
    *,
    at: Tensor | None = None,
    period: float = 2 * math.pi,
    max_frequency: int = 8,
) -> FourierSpectrum:
    """The Fourier coefficients of a layer in one of its inputs, the others fixed.

    A feature that goes into a circuit once, as the angle of a rotation, gives the frequencies -1, 0 and 1; m uploads
    give those up to m. A frequency above ``max_frequency`` would be taken for a lower one: the function is sampled
    twice as densely as that needs, and refuses if it finds any.

    Source: Schuld, Sweke, Meyer (2021), arXiv 2008.08605.

    Args:
        layer: from ``(B, n_features)`` to ``(B, n_outputs)``; it is run in evaluation mode and left as it was.
        input_index: which input varies.
        at: where the inputs stand, shape ``(n_features,)``; 1, 2, 3, ... radians unless given, where no sine or cosine
            vanishes, if the layer has ``in_features``.
        period: of the input: ``2 pi``, or 2 if it is multiplied by ``pi``.
        max_frequency: highest frequency looked for.

    Raises:
        ValueError: no such input, ``at`` is missing or no vector, no frequency, or the function is not a series up to
            ``max_frequency`` of that period.
    """
    point = _point(layer, at)
    if not 0 <= input_index < len(point):
        raise ValueError(
            f"fourier_spectrum: `input_index` must be in 0..{len(point) - 1}, got input_index={input_index}."
        )
    if max_frequency < 1 or not 0 < period < math.inf:
        raise ValueError(
            f"fourier_spectrum: frequencies and period must be positive, got max_frequency={max_frequency}, "
            f"period={period}."
        )
    n_points = 4 * max_frequency + 2
    inputs = point.repeat(n_points, 1)
    inputs[:, input_index] += period * torch.arange(n_points, dtype=point.dtype, device=point.device) / n_points
    with evaluating(layer):
        outputs = layer(inputs).double()
    shifted = torch.fft.fft(outputs, dim=0) / n_points
    frequencies = torch.fft.fftfreq(n_points, 1 / n_points, device=point.device).round().long()
    # the samples began at the point itself, not at 0
    start = torch.exp(-2j * math.pi * frequencies.double() * float(point[input_index]) / period)
    coefficients = start[:, None] * shifted
    order = frequencies.argsort()
    frequencies, coefficients = frequencies[order], coefficients[order]
    kept = frequencies.abs() <= max_frequency
    _check_no_more(coefficients, kept, point.dtype, max_frequency, period)
    return FourierSpectrum(frequencies[kept], coefficients[kept])


def _point(layer: nn.Module, at: Tensor | None) -> Tensor:
    if at is None:
        n_features = getattr(layer, "in_features", None)
        if not isinstance(n_features, int):
            raise ValueError(
                f"fourier_spectrum: `at` must be given for a layer without in_features, got {type(layer).__name__}."
            )
        some = next(layer.parameters(), torch.empty(0))
        return torch.arange(1, n_features + 1, dtype=some.dtype, device=some.device)
    if at.ndim != 1 or not at.is_floating_point():
        raise ValueError(
            f"fourier_spectrum: `at` must be a vector of real numbers, got shape={tuple(at.shape)}, dtype={at.dtype}."
        )
    return at.detach()


def _check_no_more(coefficients: Tensor, kept: Tensor, dtype: torch.dtype, max_frequency: int, period: float) -> None:
    """Refuse a function of which something lies beyond the highest frequency, apart from rounding."""
    beyond, whole = coefficients[~kept].abs().max(), coefficients.abs().max()
    if beyond > 1e3 * torch.finfo(dtype).eps * max(1.0, float(whole)):
        raise ValueError(
            f"fourier_spectrum: the layer must be a Fourier series up to max_frequency={max_frequency} with period="
            f"{period:.6g} in that input, got an amplitude of {float(beyond):.3g} beyond. Ask for higher frequencies, "
            "or look whether the input is scaled."
        )
