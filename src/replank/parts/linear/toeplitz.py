"""A linear map by a Toeplitz matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.linear._structured import LIKE_TORCH, SingleGenerator, computed, transform_length
from replank.sources import Source


class ToeplitzLinear(SingleGenerator):
    r"""Linear map whose weight is constant along diagonals: ``y_i = sum_j t_{i - j + in - 1} x_j + b_i``.

    Replaces :class:`torch.nn.Linear`; ``in + out - 1`` weights, applied in ``O(M log M)`` by Fourier transforms. It is
    a :class:`~replank.parts.linear.hankel.HankelLinear` of the reversed input.

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

    Source: textbooks. The generator runs from the upper right corner to the lower left one.
    """

    source = Source(None, where="textbooks", provenance="ours")

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
        """``i - j + in - 1``: 0 is the upper right corner, the last the lower left one."""
        row, column = self._rows_and_columns()
        return row - column + self.in_features - 1

    def _apply_weight(self, input: Tensor) -> Tensor:
        length, n_in = self._length(), self.in_features
        spectrum = torch.fft.rfft(computed(self.generator), length) * torch.fft.rfft(input, length)
        # a linear convolution is longer than the transform: what wraps around falls on the n_in - 1 first numbers
        return torch.fft.irfft(spectrum, length)[..., n_in - 1 : n_in - 1 + self.out_features]

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Wide, high and a single number."""
        return (
            {"in_features": 5, "out_features": 4},
            {"in_features": 2, "out_features": 6, "bias": False, "gain": 1.5},
            {"in_features": 1, "out_features": 1},
        )
