"""A linear layer on random features of its input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.activation import find_activation
from replank.parts.linear._interface import LinearPart
from replank.parts.papers import LI2023BANDLIMITED
from replank.parts.sampler import DataSampler, Sampler
from replank.parts.sampler.normal import NormalSampler
from replank.parts.sampler.uniform_band import UniformBandSampler
from replank.sources import Source


class RandomFeatureLinear(LinearPart):
    r"""Frozen random nodes with a trained linear read-out: ``y = C sigma(A x - b) + bias``.

    Replaces :class:`torch.nn.Linear`. Nodes ``(A, b)`` are drawn once and are buffers; only the read-out is trained.
    Not frozen, they are parameters: the same start, trained.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input.

    Args:
        in_features: size of each input.
        out_features: size of each output.
        bias: whether to add a learned bias.
        n_nodes: how many nodes.
        sampler: what they are drawn from; a normal distribution for inputs of size 1 unless given.
        activation: name of sigma, see :func:`replank.parts.activation.find_activation`.
        frozen: whether nodes stay as they were drawn.
        device: of parameters and nodes.
        dtype: of parameters and nodes.

    Raises:
        ValueError: there is no node, or the sampler must see data first.
        UnknownName: there is no such activation.

    Source: [li2023bandlimited], its network as a layer; the bias is ours.
    """

    source = Source(LI2023BANDLIMITED, "g(x) = sum_j c_j sigma(a_j x - b_j)", "paper")
    a: Tensor
    b: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        n_nodes: int,
        sampler: Sampler | None = None,
        activation: str = "tanh",
        frozen: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_features, out_features, bias, device, dtype)
        if n_nodes < 1:
            raise ValueError(f"RandomFeatureLinear: `n_nodes` must be a positive integer, got n_nodes={n_nodes}.")
        if isinstance(sampler, DataSampler) and sampler.x is None:
            raise ValueError(f"RandomFeatureLinear: {sampler} must see data first, got none yet. Call its .fit(x, y).")
        self.n_nodes, self.frozen = n_nodes, frozen
        self.sampler = NormalSampler(in_features**-0.5) if sampler is None else sampler
        self.weight = nn.Parameter(torch.empty(out_features, n_nodes, device=device, dtype=dtype))
        self.activation_name, self.activation = activation, find_activation(activation).to(self.weight)
        for name, like in (("a", self.weight.new_empty(n_nodes, in_features)), ("b", self.weight.new_empty(n_nodes))):
            if frozen:
                self.register_buffer(name, like)
            else:
                setattr(self, name, nn.Parameter(like))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw nodes from the sampler, read-out and bias as an nn.Linear with ``n_nodes`` inputs does."""
        seed = int(torch.randint(2**62, ()))
        a, b = self.sampler(self.n_nodes, self.in_features, torch.Generator().manual_seed(seed))
        self.a.copy_(a)
        self.b.copy_(b)
        bound = self.n_nodes**-0.5
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Nodes, then the read-out."""
        self._check_input(input)
        return F.linear(self.activation(F.linear(input, self.a, -self.b)), self.weight, self.bias)

    def reference(self, input: Tensor) -> Tensor:
        """The same, node by node."""
        nodes = [self.activation((input * a).sum(-1) - b) for a, b in zip(self.a, self.b, strict=True)]
        read = sum(node[..., None] * c for node, c in zip(nodes, self.weight.mT, strict=True))
        assert isinstance(read, Tensor)
        return read if self.bias is None else read + self.bias

    def parameter_formula(self) -> int:
        """``out * n_nodes``, ``out`` for the bias, and ``n_nodes * (in + 1)`` for nodes that are trained."""
        read = self.out_features * (self.n_nodes + (self.bias is not None))
        return read if self.frozen else read + self.n_nodes * (self.in_features + 1)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Frozen and trained, with and without bias."""
        return (
            {"in_features": 3, "out_features": 2, "n_nodes": 6},
            {
                "in_features": 2,
                "out_features": 2,
                "bias": False,
                "n_nodes": 4,
                "sampler": UniformBandSampler(2.0),
                "activation": "gaussian",
                "frozen": False,
            },
        )

    def extra_repr(self) -> str:
        """Features, bias, nodes and whether they are frozen."""
        return (
            f"{super().extra_repr()}, n_nodes={self.n_nodes}, sampler={self.sampler!r}, "
            f"activation={self.activation_name!r}, frozen={self.frozen}"
        )
