"""A linear map by a Hankel matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.linear._structured import LIKE_TORCH, SingleGenerator, computed, transform_length
from replank.parts.papers import ALUVIHARE2025
from replank.sources import Source


class HankelLinear(SingleGenerator):
    r"""Linear map whose weight is constant along anti-diagonals: ``y_i = sum_j c_{i + j} x_j + b_i``.

    Replaces :class:`torch.nn.Linear`; ``in + out - 1`` weights, applied in ``O(M log M)`` by Fourier transforms.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input. Half precision is computed in
    single.

    Args:
        in_features: size of each input.
        out_features: size of each output.
        bias: whether to add a learned bias.
        gain: standard deviation of an output for white input at the beginning; that of nn.Linear's weight by default.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: the gain is not positive.

    Source: the factorisation of [aluvihare2025stnn] with all diagonals fixed at 1.
    """

    source = Source(ALUVIHARE2025, where="abstract: the factorisation of a Hankel operator", provenance="derived")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        gain: float = LIKE_TORCH,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_features, out_features, bias, device, dtype)
        self._set_generator(bias, gain, device, dtype)

    def _generator_shape(self) -> tuple[int, ...]:
        return (self.in_features + self.out_features - 1,)

    def _length(self) -> int:
        return transform_length(self.in_features + self.out_features - 1)

    def index(self) -> Tensor:
        """``i + j``."""
        row, column = self._rows_and_columns()
        return row + column

    def _apply_weight(self, input: Tensor) -> Tensor:
        length = self._length()
        # correlation: the reversal of the input is the conjugate of its spectrum
        spectrum = torch.fft.rfft(computed(self.generator), length) * torch.fft.rfft(input, length).conj()
        return torch.fft.irfft(spectrum, length)[..., : self.out_features]

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Wide, high and a single number."""
        return (
            {"in_features": 5, "out_features": 4},
            {"in_features": 2, "out_features": 6, "bias": False, "gain": 1.5},
            {"in_features": 1, "out_features": 1},
        )
