"""Depthwise-separable convolutions in any dimension: what all of them share."""

from __future__ import annotations

import math
from typing import Any, Self

import torch
from torch import Tensor, nn

from replank.parts.convolution._factorised import FactorisedConvolution, Stage, along, check_convolution


class DepthwiseSeparable(FactorisedConvolution):
    """The two factors, the kernel that they make, and the starting values."""

    gain: float

    def _make_factors(self, gain: float, bias: bool, device: Any, dtype: torch.dtype | None) -> None:
        """Check the option, then make and draw the parameters."""
        if not gain > 0:
            raise ValueError(f"{type(self).__name__}: `gain` must be positive, got gain={gain}.")
        self.gain = gain
        options = {"device": device, "dtype": dtype}
        self.depthwise = nn.Parameter(torch.empty(self.in_channels, *self.kernel_size, **options))
        self.pointwise = nn.Parameter(torch.empty(self.out_channels, self.in_channels, **options))
        self.bias = nn.Parameter(torch.empty(self.out_channels, **options)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the factors so that an output varies as with Kaiming's weights; the bias as torch does."""
        nn.init.normal_(self.depthwise, std=math.prod(self.kernel_size) ** -0.5)
        nn.init.normal_(self.pointwise, std=self.gain * self.in_channels**-0.5)
        self._reset_bias()

    def stages(self) -> list[Stage]:
        """One window for each input channel, then across the channels."""
        axes = tuple(range(self.n_axes))
        return [
            Stage(self.depthwise[:, None], self.in_channels, axes),
            Stage(along(self.pointwise, [], self.n_axes), 1, ()),
        ]

    def weight_tensor(self) -> Tensor:
        """The whole kernel, ``(out_channels, in_channels, *kernel_size)``."""
        return torch.einsum("oc,c...->oc...", self.pointwise, self.depthwise)

    def parameter_formula(self) -> int:
        """``in * window + out * in``, and ``out`` for the bias."""
        return self.in_channels * (math.prod(self.kernel_size) + self.out_channels) + self.out_channels * (
            self.bias is not None
        )

    @classmethod
    def from_dense(cls, conv: nn.Module) -> Self:
        """The layer with the kernel that is nearest to a given layer's, and its bias.

        For each input channel that is the best product of a column and a window: its first singular vectors.

        Args:
            conv: torch's layer.

        Raises:
            TypeError: it is another module.
            ValueError: it has groups.
        """
        conv = check_convolution(f"{cls.__name__}.from_dense", conv, cls.n_axes)
        new = cls.like(conv)  # type: ignore[attr-defined]  # every concrete class has it
        left, values, right = torch.linalg.svd(conv.weight.detach().transpose(0, 1).flatten(2), full_matrices=False)
        root = values[:, :1].sqrt()
        with torch.no_grad():
            new.pointwise.copy_((left[:, :, 0] * root).mT)
            new.depthwise.copy_((right[:, 0] * root).reshape(new.depthwise.shape))
            if new.bias is not None:
                new.bias.copy_(conv.bias)
        return new.train(conv.training)
