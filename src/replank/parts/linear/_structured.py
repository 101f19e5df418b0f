"""What linear maps have in common whose weight repeats few numbers, so that Fourier transforms apply it."""

from __future__ import annotations

import abc
import math
from typing import Any, Self

import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.linear._interface import LinearPart
from replank.seeding import isolated

LIKE_TORCH = 3**-0.5
"""The gain at which outputs for white input vary as those of nn.Linear's weight do."""


def transform_length(n: int) -> int:
    """The least length from ``n`` on of which Fourier transforms are fast: a product of 2, 3 and 5."""
    return int(next_fast_len(n, real=True))


def transform_flops(length: int) -> float:
    """Operations of one real Fourier transform, by convention ``2.5 M log2 M``."""
    return 2.5 * length * math.log2(length) if length > 1 else 0.0


def product_flops(length: int) -> int:
    """Operations of multiplying two half spectra: 6 for each of ``M / 2 + 1`` complex numbers."""
    return 6 * (length // 2 + 1)


def computed(tensor: Tensor) -> Tensor:
    """In single precision at least: there are no Fourier transforms of half precision."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def averaged(weight: Tensor, index: Tensor, size: int) -> Tensor:
    """The mean of the entries of a matrix that share a place of the generator; 0 for a place that has none."""
    flat, values = index.flatten(), weight.flatten()
    sums = torch.zeros(size, dtype=weight.dtype, device=weight.device).index_add(0, flat, values)
    counts = torch.bincount(flat, minlength=size).clamp(min=1)
    return sums / counts


class GeneratedLinear(LinearPart):
    """A linear map whose weight is ``generator[index]``: few numbers, each in many places.

    A part gives the length of its generator, the index, and how to apply the weight in ``O(M log M)``.
    """

    generator: nn.Parameter

    def _set_generator(self, bias: bool, gain: float, device: Any, dtype: Any) -> None:
        if not gain > 0:
            raise ValueError(f"{type(self).__name__}: `gain` must be positive, got gain={gain}.")
        self.gain = gain
        self.generator = nn.Parameter(torch.empty(self._generator_shape(), device=device, dtype=dtype))
        self.reset_parameters()

    @abc.abstractmethod
    def _generator_shape(self) -> tuple[int, ...]:
        """Of the generator."""

    @abc.abstractmethod
    def _apply_weight(self, input: Tensor) -> Tensor:
        """The product of the weight with inputs ``(*, in_features)``, by Fourier transforms."""

    @abc.abstractmethod
    def to_dense(self) -> Tensor:
        """The weight, ``(out_features, in_features)``; gradients flow to the parameters."""

    @abc.abstractmethod
    def flops(self, batch: int = 1, *, cached: bool = False) -> int:
        """Operations for so many inputs, by convention.

        A real Fourier transform of length M counts 2.5 M log2 M, a product of two spectra 6 (M / 2 + 1), a bias
        nothing, as in the count 2 in out of a dense layer.

        Args:
            batch: number of inputs.
            cached: leave out the transform of the generator, which is the same for all inputs.
        """

    @abc.abstractmethod
    def _project(self, weight: Tensor) -> None:
        """Take on the generator whose weight is nearest to a dense one."""

    def _variance(self) -> float:
        """Of an entry of the generator at the beginning, over the square of the gain."""
        return 1 / self.in_features

    def reset_parameters(self) -> None:
        """Draw the generator so that outputs for white input have variance ``gain**2``; the bias as in nn.Linear."""
        nn.init.normal_(self.generator, std=self.gain * self._variance() ** 0.5)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -(self.in_features**-0.5), self.in_features**-0.5)

    def forward(self, input: Tensor) -> Tensor:
        """Apply weight and bias."""
        self._check_input(input)
        if not input.numel():  # there is no Fourier transform of nothing
            return self.reference(input)
        output = self._apply_weight(computed(input))
        return (output if self.bias is None else output + self.bias).to(input.dtype)

    def reference(self, input: Tensor) -> Tensor:
        """The same by the dense weight."""
        return F.linear(input, self.to_dense(), self.bias)

    def parameter_formula(self) -> int:
        """Length of the generator, and ``out`` for the bias."""
        return math.prod(self._generator_shape()) + self.out_features * (self.bias is not None)

    @property
    def n_parameters(self) -> int:
        """How many there are."""
        return self.parameter_formula()

    @classmethod
    def from_dense(cls, weight: Tensor, bias: Tensor | None = None, **options: Any) -> Self:
        """The part whose weight is nearest to a dense one: its orthogonal projection.

        Args:
            weight: ``(out_features, in_features)``.
            bias: ``(out_features,)``.
            options: of the constructor.

        Raises:
            ValueError: not a matrix.
        """
        if weight.ndim != 2:
            raise ValueError(
                f"{cls.__name__}.from_dense: the weight must be (out, in), got shape {tuple(weight.shape)}."
            )
        with isolated(0, "from_dense"):  # what is drawn is written over
            made = cls(
                weight.shape[1], weight.shape[0], bias is not None, device=weight.device, dtype=weight.dtype, **options
            )
        with torch.no_grad():
            made._project(weight)
            if made.bias is not None and bias is not None:
                made.bias.copy_(bias)
        return made

    def extra_repr(self) -> str:
        """Features, bias and gain."""
        shown = "" if self.gain == LIKE_TORCH else f", gain={self.gain:g}"
        return f"{super().extra_repr()}{shown}"


class SingleGenerator(GeneratedLinear):
    """A weight that is made of one generator."""

    @abc.abstractmethod
    def index(self) -> Tensor:
        """Which number of the generator stands where, ``(out_features, in_features)``."""

    @abc.abstractmethod
    def _length(self) -> int:
        """Of the transforms."""

    def to_dense(self) -> Tensor:
        """The weight, ``(out_features, in_features)``."""
        return self.generator[self.index()]

    def _project(self, weight: Tensor) -> None:
        self.generator.copy_(averaged(weight, self.index(), len(self.generator)))

    def _rows_and_columns(self) -> tuple[Tensor, Tensor]:
        device = self.generator.device
        return torch.arange(self.out_features, device=device)[:, None], torch.arange(self.in_features, device=device)

    def flops(self, batch: int = 1, *, cached: bool = False) -> int:
        """Two transforms and a product for each input, and the generator's transform; see the base class."""
        length = self._length()
        each = 2 * transform_flops(length) + product_flops(length)
        return round(batch * each + (0 if cached else transform_flops(length)))
