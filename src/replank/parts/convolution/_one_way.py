"""Convolutions whose kernels are products of one-way filters, in one to three dimensions: what all of them share."""

from __future__ import annotations

import math
from typing import Any, Literal, Self, get_args

import torch
from torch import Tensor, nn

from replank.parts.convolution._factorised import (
    RELU_GAIN,
    FactorisedConvolution,
    Stage,
    along,
    check_convolution,
)
from replank.parts.convolution._projections import canonical, one_filter_each, two_way

Mode = Literal["rank1", "cp", "spatial"]


class OneWayFilters(FactorisedConvolution):
    """The factors, the kernel that they make, and the starting values."""

    mode: Mode
    rank: int | None
    gain: float

    def _make_factors(
        self, mode: Mode, rank: int | None, gain: float, bias: bool, device: Any, dtype: torch.dtype | None
    ) -> None:
        """Check the options, then make and draw the parameters."""
        self.mode, self.rank, self.gain = mode, rank, gain
        self._check_options()

        def new(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape, device=device, dtype=dtype))

        self.channels = self.mixing = None
        if mode == "spatial":
            between = [self.in_channels, *[self._middle] * (self.n_axes - 1), self.out_channels]
            self.filters = nn.ParameterList(
                new(after, before, k) for before, after, k in zip(between, between[1:], self.kernel_size, strict=False)
            )
        else:
            self.channels = new(self._n_terms, self.in_channels)
            self.filters = nn.ParameterList(new(self._n_terms, k) for k in self.kernel_size)
            self.mixing = new(self.out_channels, self._n_terms) if mode == "cp" else None
        self.bias = new(self.out_channels) if bias else None
        self.reset_parameters()

    @property
    def _n_terms(self) -> int:
        """Number of outer products: one for each output channel, or the rank."""
        return self.rank if self.mode == "cp" and self.rank is not None else self.out_channels

    @property
    def _middle(self) -> int:
        """Channels between the axes, of mixed channels."""
        return self.out_channels if self.rank is None else self.rank

    def _check_options(self) -> None:
        name = type(self).__name__
        if self.mode not in get_args(Mode):
            raise ValueError(f"{name}: `mode` must be one of {', '.join(get_args(Mode))}, got mode={self.mode!r}.")
        if self.mode == "spatial" and self.n_axes == 1:
            raise ValueError(f"{name}: mode='spatial' needs two axes or more, got one. Keep nn.Conv1d.")
        if self.mode == "cp" and self.rank is None:
            raise ValueError(f"{name}: mode='cp' needs `rank`, the number of terms, got rank=None.")
        if self.mode == "rank1" and self.rank is not None:
            raise ValueError(
                f"{name}: mode='rank1' has one term for each output channel, got rank={self.rank}. Leave it out, or "
                "say mode='cp'."
            )
        if self.rank is not None and self.rank < 1:
            raise ValueError(f"{name}: `rank` must be at least 1, got rank={self.rank}.")
        if not self.gain > 0:
            raise ValueError(f"{name}: `gain` must be positive, got gain={self.gain}.")

    def reset_parameters(self) -> None:
        """Draw the factors so that an output varies as that of a layer with Kaiming's weights; the bias as torch does.

        The variances of independent factors multiply, so that the whole kernel's, summed over the window, is the square
        of the gain.
        """
        if self.channels is None:
            fans = [each[0].numel() for each in self.filters]
            stds = [self.gain * fans[0] ** -0.5, *(fan**-0.5 for fan in fans[1:])]
        else:
            nn.init.normal_(self.channels, std=self.gain * self.in_channels**-0.5)
            stds = [k**-0.5 for k in self.kernel_size]
        for each, std in zip(self.filters, stds, strict=True):
            nn.init.normal_(each, std=std)
        if self.mixing is not None:
            nn.init.normal_(self.mixing, std=self._n_terms**-0.5)
        self._reset_bias()

    def stages(self) -> list[Stage]:
        """Mixed channels: axis by axis. Else across the channels, along each axis, and for ``cp`` across them again."""
        n_axes = self.n_axes
        if self.channels is None:
            return [Stage(along(each, [axis], n_axes), 1, (axis,)) for axis, each in enumerate(self.filters)]
        depthwise = [
            Stage(along(each[:, None], [axis], n_axes), self._n_terms, (axis,))
            for axis, each in enumerate(self.filters)
        ]
        across = [Stage(along(each, [], n_axes), 1, ()) for each in (self.channels, self.mixing) if each is not None]
        return [across[0], *depthwise, *across[1:]]

    def weight_tensor(self) -> Tensor:
        """The whole kernel, ``(out_channels, in_channels, *kernel_size)``."""
        if self.channels is None:
            kernel = self.filters[0].permute(1, 2, 0)  # (in, window, between)
            for each in self.filters[1:]:
                kernel = torch.einsum("...m,omx->...xo", kernel, each)
            return kernel.movedim(-1, 0)
        kernel = self.channels
        for each in self.filters:
            kernel = torch.einsum("r...,rx->r...x", kernel, each)
        return kernel if self.mixing is None else torch.einsum("or,r...->o...", self.mixing, kernel)

    def parameter_formula(self) -> int:
        """``out * (in + window)``, ``rank * (in + window + out)`` or a kernel for each axis; and ``out`` for the bias.

        Of the window it is the sum of its sides that counts.
        """
        if self.mode == "spatial":
            between = [self.in_channels, *[self._middle] * (self.n_axes - 1), self.out_channels]
            factors = sum(a * b * k for a, b, k in zip(between, between[1:], self.kernel_size, strict=False))
        else:
            mixed = self.out_channels if self.mode == "cp" else 0
            factors = self._n_terms * (self.in_channels + sum(self.kernel_size) + mixed)
        return factors + self.out_channels * (self.bias is not None)

    @classmethod
    def from_dense(
        cls,
        conv: nn.Module,
        mode: Mode = "rank1",
        rank: int | None = None,
        *,
        n_iterations: int = 500,
        tolerance: float = 1e-8,
    ) -> Self:
        """The layer with the kernel that is nearest to a given layer's, and its bias.

        For ``spatial`` in two dimensions it is the nearest one, by a singular value decomposition; in three it is
        nearly so. For the others it is what alternating least squares come to (TensorLy's ``parafac``).

        Args:
            conv: torch's layer.
            mode: as of the class.
            rank: as of the class.
            n_iterations: at most so many.
            tolerance: end when the relative error changes by less.

        Raises:
            TypeError: it is another module.
            ValueError: it has groups.
            MissingExtra: TensorLy is not installed.
        """
        conv = check_convolution(f"{cls.__name__}.from_dense", conv, cls.n_axes)
        new = cls.like(conv, mode=mode, rank=rank)  # type: ignore[attr-defined]  # every concrete class has it
        kernel = conv.weight.detach()
        if mode == "spatial":
            factors = two_way(kernel, new._middle)
        elif mode == "rank1":
            factors = one_filter_each(kernel, n_iterations, tolerance)
        else:
            mixing, *factors = canonical(kernel, new._n_terms, n_iterations, tolerance)
            factors = [factors[0].mT, *(each.mT for each in factors[1:]), mixing]
        with torch.no_grad():
            for own, factor in zip(new._factors(), factors, strict=True):
                own.copy_(factor)
            if new.bias is not None:
                new.bias.copy_(conv.bias)
        return new.train(conv.training)

    def _factors(self) -> list[nn.Parameter]:
        """All factors, in the order of the stages."""
        return [each for each in (self.channels, *self.filters, self.mixing) if each is not None]

    def _options_text(self) -> str:
        rank = "" if self.rank is None else f", rank={self.rank}"
        gain = "" if math.isclose(self.gain, RELU_GAIN) else f", gain={self.gain:g}"
        return f", mode={self.mode!r}{rank}{gain}"
