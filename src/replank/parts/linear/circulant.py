"""A linear map by a circulant matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.linear._structured import LIKE_TORCH, SingleGenerator, computed
from replank.sources import Source


class CirculantLinear(SingleGenerator):
    r"""Linear map by a circulant, a part of one if it is not square: ``y_i = sum_j g_{(i - j) mod M} x_j + b_i``.

    Replaces :class:`torch.nn.Linear`; ``M = max(in, out)`` weights, applied in ``O(M log M)`` by Fourier transforms of
    length M, which are slower if M has large prime factors.

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

    Source: textbooks. The generator is the first column of the square circulant.
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
        return (self._length(),)

    def _length(self) -> int:
        return max(self.in_features, self.out_features)

    def index(self) -> Tensor:
        """``(i - j) mod M``."""
        row, column = self._rows_and_columns()
        return (row - column) % self._length()

    def _apply_weight(self, input: Tensor) -> Tensor:
        length = self._length()
        spectrum = torch.fft.rfft(computed(self.generator), length) * torch.fft.rfft(input, length)
        return torch.fft.irfft(spectrum, length)[..., : self.out_features]

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Square, wide, high and a single number."""
        return (
            {"in_features": 5, "out_features": 5},
            {"in_features": 6, "out_features": 4, "bias": False, "gain": 1.5},
            {"in_features": 2, "out_features": 7},
            {"in_features": 1, "out_features": 1},
        )
