"""A linear map of several structured sub-matrices: the layer of the structured network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from replank.parts.linear._structured import (
    LIKE_TORCH,
    GeneratedLinear,
    averaged,
    computed,
    product_flops,
    transform_flops,
    transform_length,
)
from replank.parts.papers import ALUVIHARE2025
from replank.sources import Source

Mode = Literal["scaled", "hankel"]
Layout = Literal["expand", "reduce", "sum"]


class StructuredLinear(GeneratedLinear):
    r"""Linear map of ``p`` sub-matrices, each made of diagonals and a circulant that Fourier transforms apply.

    Replaces :class:`torch.nn.Linear`; ``O(p M)`` weights, applied in ``O(p M log M)``.

    Sub-matrices stand above each other (``"expand"``: each gives ``out / p`` outputs), side by side (``"reduce"``: each
    sees ``in / p`` inputs), or are added (``"sum"``). In the mode ``"scaled"`` each is ``diag(d_out) C diag(d_in)``,
    where C is the corner of a circulant of size ``M = 2 max(n_in, n_out)``: ``n_in + n_out + M`` weights. ``M - n_in -
    n_out + 1`` numbers of each generator lie beside the corner and are never seen. In the mode ``"hankel"`` each is a
    Hankel matrix with ``n_in + n_out - 1`` weights; a sum of them is one Hankel matrix.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input. Half precision is computed in
    single.

    Args:
        in_features: size of each input.
        out_features: size of each output.
        bias: whether to add a learned bias.
        p: number of sub-matrices.
        mode: ``"scaled"`` or ``"hankel"``.
        layout: ``"expand"``, ``"reduce"`` or ``"sum"``.
        gain: standard deviation of an output for white input at the beginning; that of nn.Linear's weight by default.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: fewer than one sub-matrix, outputs or inputs that ``p`` does not divide, or another mode or layout.

    Source: our reading of [aluvihare2025stnn] and of the same authors' network for beamformers, arXiv 2503.20694.
    """

    source = Source(ALUVIHARE2025, where="abstract; the layer as in arXiv 2503.20694, our reading", provenance="ours")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        p: int = 1,
        mode: Mode = "scaled",
        layout: Layout = "sum",
        gain: float = LIKE_TORCH,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_features, out_features, bias, device, dtype)
        self._check_options(p, mode, layout)
        self.p, self.mode, self.layout = p, mode, layout
        self.left: nn.Parameter | None = None
        self.right: nn.Parameter | None = None
        if mode == "scaled":
            self.left = nn.Parameter(torch.empty(p, self.block_out, device=device, dtype=dtype))
            self.right = nn.Parameter(torch.empty(p, self.block_in, device=device, dtype=dtype))
        self._set_generator(bias, gain, device, dtype)

    def _check_options(self, p: int, mode: Mode, layout: Layout) -> None:
        for name, value, known in (("mode", mode, get_args(Mode)), ("layout", layout, get_args(Layout))):
            if value not in known:
                raise ValueError(f"StructuredLinear: `{name}` must be one of {', '.join(known)}, got {name}={value!r}.")
        if p < 1:
            raise ValueError(f"StructuredLinear: `p` must be a positive integer, got p={p}.")
        split = {"expand": ("out_features", self.out_features), "reduce": ("in_features", self.in_features)}
        name, size = split.get(layout, ("", 0))
        if size % p:
            raise ValueError(f"StructuredLinear: p={p} must divide {name}={size} in the layout {layout!r}.")

    @property
    def block_in(self) -> int:
        """Inputs of a sub-matrix."""
        return self.in_features // self.p if self.layout == "reduce" else self.in_features

    @property
    def block_out(self) -> int:
        """Outputs of a sub-matrix."""
        return self.out_features // self.p if self.layout == "expand" else self.out_features

    def _length(self) -> int:
        if self.mode == "scaled":
            return 2 * max(self.block_in, self.block_out)
        return transform_length(self.block_in + self.block_out - 1)

    def _generator_shape(self) -> tuple[int, ...]:
        return (self.p, self._length() if self.mode == "scaled" else self.block_in + self.block_out - 1)

    def _variance(self) -> float:
        # as many products are added up in one output as a sub-matrix has inputs, times p if outputs are added
        return 1 / (self.in_features * (self.p if self.layout == "sum" else 1))

    def reset_parameters(self) -> None:
        """Draw generators so that outputs for white input have variance ``gain**2``; diagonals begin at 1."""
        super().reset_parameters()
        for diagonal in (self.left, self.right):
            if diagonal is not None:
                nn.init.ones_(diagonal)

    def index(self) -> Tensor:
        """Which number of its generator stands where in a sub-matrix without its diagonals."""
        row = torch.arange(self.block_out, device=self.generator.device)[:, None]
        column = torch.arange(self.block_in, device=self.generator.device)
        return row + column if self.mode == "hankel" else (row - column) % self._length()

    def _apply_weight(self, input: Tensor) -> Tensor:
        length = self._length()
        n_blocks = self.p if self.layout == "reduce" else 1
        blocks = input.reshape(*input.shape[:-1], n_blocks, self.block_in)
        if self.right is not None:
            blocks = blocks * computed(self.right)
        spectrum, own = torch.fft.rfft(blocks, length), torch.fft.rfft(computed(self.generator), length)
        product = own * (spectrum.conj() if self.mode == "hankel" else spectrum)
        if self._adds_spectra:
            return torch.fft.irfft(product.sum(-2), length)[..., : self.block_out]
        parts = torch.fft.irfft(product, length)[..., : self.block_out]
        if self.left is not None:
            parts = parts * computed(self.left)
        return parts.flatten(-2) if self.layout == "expand" else parts.sum(-2)

    @property
    def _adds_spectra(self) -> bool:
        """Whether one transform back is enough: no diagonal stands between it and the sum."""
        return self.mode == "hankel" and self.layout != "expand"

    def blocks(self) -> Tensor:
        """The sub-matrices, ``(p, block_out, block_in)``."""
        found = self.generator[:, self.index()]
        if self.left is None or self.right is None:
            return found
        return self.left[:, :, None] * found * self.right[:, None, :]

    def to_dense(self) -> Tensor:
        """The weight, ``(out_features, in_features)``."""
        blocks = self.blocks()
        match self.layout:
            case "expand":
                return blocks.flatten(0, 1)
            case "reduce":
                return blocks.transpose(0, 1).flatten(1)
            case _:
                return blocks.sum(0)

    def _project(self, weight: Tensor) -> None:
        """Each sub-matrix by means along its (anti-)diagonals; scaled ones with all diagonals 1, where that is exact.

        Matrices that are added get equal shares.
        """
        match self.layout:
            case "expand":
                blocks = torch.split(weight, self.block_out, 0)
            case "reduce":
                blocks = torch.split(weight, self.block_in, 1)
            case _:
                blocks = (weight / self.p,) * self.p
        size = self._generator_shape()[1]
        self.generator.copy_(torch.stack([averaged(each, self.index(), size) for each in blocks]))

    def flops(self, batch: int = 1, *, cached: bool = False) -> int:
        """Transforms there and back, products, diagonals and sums, for each input; see the base class."""
        p, length = self.p, self._length()
        there = p if self.mode == "scaled" or self.layout == "reduce" else 1
        back = 1 if self._adds_spectra else p
        each = (there + back) * transform_flops(length) + p * product_flops(length)
        if self.mode == "scaled":
            each += p * (self.block_in + self.block_out)
        if self.layout != "expand":
            each += (p - 1) * (2 * (length // 2 + 1) if self._adds_spectra else self.block_out)
        return round(batch * each + (0 if cached else p * transform_flops(length)))

    def parameter_formula(self) -> int:
        """``p (n_in + n_out + 2 max(n_in, n_out))`` scaled, ``p (n_in + n_out - 1)`` pure; ``out`` for the bias."""
        diagonals = self.block_in + self.block_out if self.mode == "scaled" else 0
        return super().parameter_formula() + self.p * diagonals

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Both modes in all layouts."""
        return (
            {"in_features": 3, "out_features": 4, "p": 2, "layout": "expand"},
            {"in_features": 6, "out_features": 2, "p": 3, "layout": "reduce", "bias": False},
            {"in_features": 3, "out_features": 2, "p": 2, "layout": "sum", "gain": 1.5},
            {"in_features": 3, "out_features": 4, "p": 2, "mode": "hankel", "layout": "expand"},
            {"in_features": 4, "out_features": 3, "p": 2, "mode": "hankel", "layout": "reduce"},
            {"in_features": 2, "out_features": 3, "p": 2, "mode": "hankel", "layout": "sum", "bias": False},
        )

    def extra_repr(self) -> str:
        """Features, bias, sub-matrices."""
        return f"{super().extra_repr()}, p={self.p}, mode={self.mode!r}, layout={self.layout!r}"
