"""A quantum convolution whose circuit is the weight and whose image patch is the observable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.circuits import embed_hamiltonian, pauli_sum, su_unitary
from replank.parts._angles import KeepsComplex, Parametrisation, angle_parameter, draw_normal
from replank.parts.convolution._interface import ConvolutionPart, Padding, Size
from replank.parts.papers import WANG2024CREEP
from replank.sources import Source

Mode = Literal["conv", "naive"]


class FlippedQuanv2d(KeepsComplex, ConvolutionPart):
    r"""Expectation values of image patches, read as observables, in trainable states: a convolution in disguise.

    Replaces :class:`torch.nn.Conv2d`. For each pair of channels, angles theta give a state
    ``psi = exp(+i sum_k theta_k P_k) |0...0>`` on the fewest qubits with ``2^m >= kernel_size``. A patch of the
    channel, zero-padded at the bottom and on the right to ``2^m x 2^m``, is made symmetric and measured:
    ``y_o = mean_c <psi_oc| H_c |psi_oc> + b_o``. Note the *mean* over input channels.

    This is exactly the convolution with the kernel ``Re(conj(psi_j) psi_k) / in_channels``
    (:meth:`effective_kernel`), which for real angles is symmetric, positive semidefinite, of rank at most two and of
    trace at most ``1 / in_channels``. ``mode="conv"`` computes it so.

    Shape: ``(B, in_channels, H, W) -> (B, out_channels, H', W')``, or without ``B``; dtype and device of the input.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: side of the square window.
        stride: of the window, one number or (height, width).
        padding: by zeros: an int, (height, width), or (top, bottom, left, right).
        bias: whether to add a learned bias.
        mode: ``"conv"``, or ``"naive"``, which measures patch by patch and is for checking.
        parametrisation: ``"real"`` angles, or ``"complex"`` ones, with which states do not stay normalised.
        device: of the parameters.
        dtype: of the parameters' real parts.

    Raises:
        ValueError: a window that is not square, a size or option that does not exist; in ``forward``, another number of
            channels.

    Source: [wang2024creep], FlippedQuanv3x3 of the official code, where the window is 3x3. Differs: angles are real
    unless asked otherwise, as in its JAX version; the torch version has complex ones.
    """

    source = Source(WANG2024CREEP, where="FlippedQuanv3x3", provenance="official code")

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Padding = 0,
        bias: bool = True,
        *,
        mode: Mode = "conv",
        parametrisation: Parametrisation = "real",
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_channels, out_channels, kernel_size, stride, padding)
        side = self._check_square()
        if mode not in get_args(Mode):
            raise ValueError(f'FlippedQuanv2d: `mode` must be "conv" or "naive", got {mode!r}.')
        self.mode, self.parametrisation = mode, parametrisation
        self.n_qubits = max(1, (side - 1).bit_length())
        self.theta = angle_parameter(
            out_channels,
            in_channels,
            4**self.n_qubits - 1,
            parametrisation=parametrisation,
            owner=type(self).__name__,
            device=device,
            dtype=dtype,
        )
        self.bias = nn.Parameter(torch.empty(out_channels, 1, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw real angles and biases from N(0, 1), as in the official code."""
        draw_normal(self.theta, 1.0)
        if self.bias is not None:
            draw_normal(self.bias, 1.0)

    def forward(self, input: Tensor) -> Tensor:
        """Mean over input channels of the patches' expectation values, plus bias."""
        self._check_input(input)
        if self.mode == "naive":
            return self._measure(input, self.states())
        return self._convolve(input, self.effective_kernel())

    def states(self) -> Tensor:
        """The states, ``(out_channels, in_channels, 2^m)``, complex; qubit 0 is the most significant bit."""
        with torch.autocast(self.theta.device.type, enabled=False):
            # phases and eigenvectors need more digits than half precision has
            return su_unitary(self.theta.to(torch.promote_types(self.theta.dtype, torch.float32)))[..., 0]

    def effective_kernel(self) -> Tensor:
        """The kernel of the convolution that this layer is, ``(out_channels, in_channels, k, k)``."""
        window = torch.view_as_real(self.states()[..., : self.kernel_size[0]])
        with torch.autocast(self.theta.device.type, enabled=False):
            return (window @ window.mT / self.in_channels).to(self.theta.dtype.to_real())

    def reference(self, input: Tensor) -> Tensor:
        """The same by measuring each patch in states made with ``torch.matrix_exp``."""
        return self._measure(input, torch.matrix_exp(1j * pauli_sum(self.theta))[..., 0])

    def _measure(self, input: Tensor, states: Tensor) -> Tensor:
        images = input if input.ndim == 4 else input.unsqueeze(0)
        patches = self._patches(images)
        side = 2**self.n_qubits
        padded = F.pad(patches, (0, side - self.kernel_size[1], 0, side - self.kernel_size[0]))
        observables = embed_hamiltonian(padded.flatten(-2), side).to(states.dtype)
        values = torch.einsum("ocj,bchwjk,ock->bohw", states.conj(), observables, states).real / self.in_channels
        outputs = values if self.bias is None else values + self.bias[..., None]
        return (outputs if input.ndim == 4 else outputs.squeeze(0)).to(input.dtype)

    def parameter_formula(self) -> int:
        """``out * in * (4^m - 1)``, and ``out`` for the bias; a complex angle counts once."""
        angles = self.out_channels * self.in_channels * (4**self.n_qubits - 1)
        return angles + self.out_channels * (self.bias is not None)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Both modes and parametrisations, windows that fill their qubits or not, all kinds of padding."""
        return (
            {"in_channels": 2, "out_channels": 3},
            {"in_channels": 1, "out_channels": 2, "kernel_size": 2, "stride": (2, 1), "padding": 1, "bias": False},
            {"in_channels": 2, "out_channels": 1, "padding": (1, 0, 2, 1), "mode": "naive"},
            {"in_channels": 1, "out_channels": 2, "padding": (1, 0), "parametrisation": "complex"},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, mode={self.mode!r}, parametrisation={self.parametrisation!r}"
