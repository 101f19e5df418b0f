"""A convolution with the kernels that a flipped quanvolution can reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.convolution._interface import ConvolutionPart, Padding, Size
from replank.parts.papers import WANG2024CREEP
from replank.sources import Source


class SymmetricPSDConv2d(ConvolutionPart):
    r"""Convolution whose kernels are symmetric positive semidefinite, of rank at most 2 and trace at most ``1 / in``.

    Replaces :class:`torch.nn.Conv2d`. A real factor ``A`` of shape ``(2, 2^m)`` for each pair of channels, ``2^m >=
    kernel_size``, is scaled to unit Frobenius norm; the kernel is the first k rows and columns of ``A^T A``, divided by
    the number of input channels. The two rows are what the real and imaginary parts of a state are in
    :class:`FlippedQuanv2d`, so that both layers span the *same* set of functions, this one without a circuit: a control
    that tells the effect of the constraint from that of the circuit's parametrisation.

    Shape: ``(B, in_channels, H, W) -> (B, out_channels, H', W')``, or without ``B``; dtype and device of the input.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: side of the square window.
        stride: of the window, one number or (height, width).
        padding: by zeros: an int, (height, width), or (top, bottom, left, right).
        bias: whether to add a learned bias.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: a window that is not square; in ``forward``, another number of channels.

    Source: our own, for the kernels of FlippedQuanv3x3 in [wang2024creep], rung 1a of its ladder.
    """

    source = Source(WANG2024CREEP, where="effective kernel of FlippedQuanv3x3", provenance="derived")

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Padding = 0,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_channels, out_channels, kernel_size, stride, padding)
        # one basis state at least must lie outside a window of side 1, or its only kernel would be the constant 1
        levels = max(2, 2 ** (self._check_square() - 1).bit_length())
        self.factor = nn.Parameter(torch.empty(out_channels, in_channels, 2, levels, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw factors and biases from N(0, 1): directions are then uniform, as of random states."""
        nn.init.normal_(self.factor)
        if self.bias is not None:
            nn.init.normal_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve with :meth:`effective_kernel`."""
        self._check_input(input)
        return self._convolve(input, self.effective_kernel())

    def effective_kernel(self) -> Tensor:
        """The kernel, ``(out_channels, in_channels, k, k)``."""
        with torch.autocast(self.factor.device.type, enabled=False):
            smallest = (
                torch.finfo(self.factor.dtype).tiny ** 0.5
            )  # a factor that is zero throughout gives a zero kernel
            unit = F.normalize(self.factor.flatten(-2), dim=-1, eps=smallest).reshape(self.factor.shape)
            window = unit[..., : self.kernel_size[0]]
            return window.mT @ window / self.in_channels

    def reference(self, input: Tensor) -> Tensor:
        """The same by the expectation value of each patch in the normalised factor's rows."""
        images = input if input.ndim == 4 else input.unsqueeze(0)
        norm = torch.linalg.vector_norm(self.factor, dim=(-2, -1), keepdim=True)
        rows = (self.factor / norm)[..., : self.kernel_size[0]]
        values = torch.einsum("ocrj,bchwjk,ocrk->bohw", rows, self._patches(images), rows) / self.in_channels
        outputs = values if self.bias is None else values + self.bias[:, None, None]
        return outputs if input.ndim == 4 else outputs.squeeze(0)

    def parameter_formula(self) -> int:
        """``out * in * 2 * 2^m``, and ``out`` for the bias."""
        levels = max(2, 2 ** (self.kernel_size[0] - 1).bit_length())
        return self.out_channels * (2 * self.in_channels * levels + (self.bias is not None))

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Windows that fill the factor or not, with and without bias."""
        return (
            {"in_channels": 2, "out_channels": 3, "padding": 1},
            {"in_channels": 1, "out_channels": 2, "kernel_size": 2, "stride": 2, "bias": False},
        )
