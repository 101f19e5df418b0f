"""A linear layer whose outputs are bounded like probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.linear._interface import LinearPart
from replank.parts.papers import WANG2024CREEP
from replank.sources import Source


class SoftmaxLinear(LinearPart):
    r"""Linear map bounded like a probability read-out: ``y = softmax(W x) + b``.

    Replaces :class:`torch.nn.Linear`. Its outputs lie in ``[b, b + 1]`` and sum to ``1 + sum b``, as the probabilities
    that a quantum layer reads out (which sum to at most one): a control that tells the effect of bounded logits from
    that of the circuit.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input.

    Args:
        in_features: size of each input.
        out_features: size of each output.
        bias: whether to add a learned bias, outside the softmax.
        device: of the parameters.
        dtype: of the parameters.

    Source: our own, for the logit range of [wang2024creep], rung 2b of its ladder.
    """

    source = Source(WANG2024CREEP, where="logit range of the read-out of DataReUploadingLinear", provenance="ours")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_features, out_features, bias, device, dtype)
        if out_features < 2:
            # a softmax over one number is the constant 1: the weight would be dead
            raise ValueError(f"SoftmaxLinear: `out_features` must be at least 2, got out_features={out_features}.")
        self.weight = nn.Parameter(torch.empty(out_features, in_features, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias as nn.Linear does."""
        bound = self.in_features**-0.5
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Probabilities plus bias."""
        self._check_input(input)
        probabilities = F.linear(input, self.weight).softmax(dim=-1)
        return probabilities if self.bias is None else probabilities + self.bias

    def reference(self, input: Tensor) -> Tensor:
        """The same by the softmax's definition."""
        powers = torch.exp(torch.einsum("oi,...i->...o", self.weight, input))
        probabilities = powers / powers.sum(dim=-1, keepdim=True)
        return probabilities if self.bias is None else probabilities + self.bias

    def parameter_formula(self) -> int:
        """``in * out``, and ``out`` for the bias: as many as nn.Linear."""
        return self.out_features * (self.in_features + (self.bias is not None))

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """With and without bias."""
        return ({"in_features": 5, "out_features": 4}, {"in_features": 3, "out_features": 2, "bias": False})
