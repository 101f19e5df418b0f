"""Conditionals from a small causal transformer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.errors import UnknownName
from replank.parts.density._autoregressive import AutoregressiveDensity
from replank.parts.papers import LUO2022
from replank.sources import Source

Norm = Literal["none", "post"]
Cache = list[tuple[Tensor, Tensor]]
"""Of each layer keys and values, ``(n, n_heads, n_sites, n_hidden / n_heads)``, filled up to a site."""


class CausalTransformerDensity(AutoregressiveDensity):
    r"""Autoregressive density of a causal transformer.

    Replaces any density. Outcomes and a token for the start are embedded, sines of the position are added, and each
    layer does ``x = N(x + W_o attention(x))``, ``x = N(x + W_2 gelu(W_1 x))``, where N is nothing or a layer norm. The
    read-out's weights begin as zeros and its bias as the initial distribution's logarithm: a product. While a string is
    drawn, keys and values are kept, so that each outcome takes one token's pass. With d hidden and f feed-forward
    features there are ``(K + 1) d + L (4 d (d + 1) + 2 d f + f + d) + K (d + 1)`` parameters, and ``4 d L`` of norms.

    Shape: int64 ``(*, n_sites) -> (*)``.

    Args:
        n_sites: number of sites, at most ``max_sites``.
        n_outcomes: at each site.
        n_hidden: features, even and a multiple of ``n_heads``.
        n_layers: number of layers.
        n_heads: of the attention.
        n_feedforward: features between W_1 and W_2.
        norm: ``"none"``, which is what the published code amounts to: its layer norm returns its input; or ``"post"``.
        max_sites: rows of the positional table.
        initial: probabilities of one site's outcomes at the beginning; all equal unless given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        UnknownName: no such norm.
        ValueError: more sites than positions, sizes that do not fit, fewer than two outcomes, an initial distribution
            that is none; in ``forward``, other strings.
        TypeError: in ``forward``, not int64.

    Source: [luo2022autoregressive], official code. Differs: the published code has no mask while it samples, so that
    with more than one layer it samples from another distribution than it evaluates; here they are one.
    """

    source = Source(LUO2022, where="model/qc_model.py", provenance="official code")
    positions: Tensor

    def __init__(
        self,
        n_sites: int,
        n_outcomes: int = 4,
        *,
        n_hidden: int = 32,
        n_layers: int = 1,
        n_heads: int = 1,
        n_feedforward: int = 16,
        norm: Norm = "none",
        max_sites: int = 100,
        initial: Sequence[float] | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(n_sites, n_outcomes, initial)
        if norm not in get_args(Norm):
            raise UnknownName("norm", str(norm), get_args(Norm))
        if n_sites > max_sites:
            raise ValueError(
                f"CausalTransformerDensity: there are positions for max_sites={max_sites}, got n_sites={n_sites}. "
                "Raise `max_sites`."
            )
        if n_hidden < 2 or n_hidden % 2 or n_heads < 1 or n_hidden % n_heads:
            raise ValueError(
                "CausalTransformerDensity: `n_hidden` must be even and a multiple of `n_heads`, got "
                f"n_hidden={n_hidden}, n_heads={n_heads}."
            )
        if n_layers < 1 or n_feedforward < 1:
            raise ValueError(
                "CausalTransformerDensity: there must be at least one layer and one feature, got "
                f"n_layers={n_layers}, n_feedforward={n_feedforward}."
            )
        self.n_hidden, self.n_layers, self.n_heads, self.n_feedforward = n_hidden, n_layers, n_heads, n_feedforward
        self.norm, self.max_sites = norm, max_sites
        factory = {"device": device, "dtype": dtype}
        self.embedding = nn.Embedding(n_outcomes + 1, n_hidden, **factory)
        self.layers = nn.ModuleList(_Layer(n_hidden, n_heads, n_feedforward, norm, factory) for _ in range(n_layers))
        self.head = nn.Linear(n_hidden, n_outcomes, **factory)
        table = _sines(max_sites, n_hidden).to(device=device, dtype=self.head.weight.dtype)
        self.register_buffer("positions", table, persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all but the read-out as torch does; the read-out gives the initial distribution."""
        for module in self.modules():
            if isinstance(module, nn.Embedding | nn.Linear | nn.LayerNorm):
                module.reset_parameters()
        with torch.no_grad():
            self.head.weight.zero_()
            self.head.bias.copy_(self._initial_log(self.head.bias))

    def logits(self, a: Tensor) -> Tensor:
        """All sites at once, under a causal mask."""
        tokens = F.pad(a[:, :-1], (1, 0), value=self.n_outcomes)
        x = self.embedding(tokens) + self.positions[: self.n_sites]
        for layer in self.layers:
            x = layer(x)
        return self.head(x)

    def begin(self, n: int) -> Cache:
        """Room for keys and values."""
        shape = (n, self.n_heads, self.n_sites, self.n_hidden // self.n_heads)
        new = self.head.weight.new_empty
        return [(new(shape), new(shape)) for _ in self.layers]

    def step(self, site: int, previous: Tensor | None, state: Cache) -> tuple[Tensor, Cache]:
        """One token, which attends to what is kept of those before; for samples, without gradients."""
        embedded = self.embedding.weight[self.n_outcomes].expand(len(state[0][0]), -1)
        x = (embedded if previous is None else self.embedding(previous)) + self.positions[site]
        for layer, kept in zip(self.layers, state, strict=True):
            assert isinstance(layer, _Layer)
            x = layer.step(site, x, kept)
        return self.head(x), state

    def reference(self, input: Tensor) -> Tensor:
        """String by string and site by site, each from a run over what is before it, with attention in words."""
        totals = []
        for row in input:
            total = self.head.bias.new_zeros(())
            for site in range(self.n_sites):
                tokens = [self.n_outcomes, *row[:site].tolist()]
                x = torch.stack([self.embedding.weight[t] + self.positions[i] for i, t in enumerate(tokens)])
                for layer in self.layers:
                    assert isinstance(layer, _Layer)
                    x = torch.stack([layer.slow(x[: i + 1]) for i in range(len(x))])
                scores = self.head.weight @ x[-1] + self.head.bias
                total = total + (scores[row[site]].exp() / scores.exp().sum()).log()
            totals.append(total)
        return torch.stack(totals)

    def parameter_formula(self) -> int:
        """``(K + 1) d + L (4 d (d + 1) + 2 d f + f + d) + K (d + 1)``, and ``4 d L`` of norms."""
        d, f, k = self.n_hidden, self.n_feedforward, self.n_outcomes
        layer = 4 * d * (d + 1) + 2 * d * f + f + d + (4 * d if self.norm == "post" else 0)
        return (k + 1) * d + self.n_layers * layer + k * (d + 1)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One layer and two, one head and two, with norms and without."""
        return (
            {"n_sites": 3, "n_hidden": 4, "n_feedforward": 3},
            {"n_sites": 3, "n_hidden": 4, "n_heads": 2, "n_layers": 2, "norm": "post", "max_sites": 5},
            {"n_sites": 2, "n_outcomes": 3, "n_hidden": 2, "n_feedforward": 2, "initial": (0.5, 0.3, 0.2)},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return (
            f"{super().extra_repr()}, n_hidden={self.n_hidden}, n_layers={self.n_layers}, n_heads={self.n_heads}, "
            f"n_feedforward={self.n_feedforward}, norm={self.norm!r}, max_sites={self.max_sites}"
        )


class _Layer(nn.Module):
    """Attention and a feed-forward network, each added to what it was given."""

    def __init__(self, n_hidden: int, n_heads: int, n_feedforward: int, norm: Norm, factory: Mapping[str, Any]):
        super().__init__()
        self.n_heads = n_heads
        self.project = nn.Linear(n_hidden, 3 * n_hidden, **factory)  # queries, keys, values
        self.mix = nn.Linear(n_hidden, n_hidden, **factory)
        self.widen = nn.Linear(n_hidden, n_feedforward, **factory)
        self.narrow = nn.Linear(n_feedforward, n_hidden, **factory)
        norms = [nn.LayerNorm(n_hidden, **factory) if norm == "post" else nn.Identity() for _ in range(2)]
        self.norm_attention, self.norm_feedforward = norms

    def forward(self, x: Tensor) -> Tensor:
        """All positions, ``(B, N, d) -> (B, N, d)``."""
        heads = self.project(x).unflatten(-1, (3, self.n_heads, -1))
        query, key, value = (each.transpose(-2, -3) for each in heads.unbind(-3))
        # in words: torch's fused attention has no second derivative, and strings are short
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
        attended = scores.masked_fill(future, -math.inf).softmax(-1) @ value
        return self._after(x, attended.transpose(-2, -3).flatten(-2))

    def step(self, site: int, x: Tensor, kept: tuple[Tensor, Tensor]) -> Tensor:
        """The position of a site, ``(n, d) -> (n, d)``; its key and value are put beside those before."""
        query, key, value = self.project(x).unflatten(-1, (3, self.n_heads, -1)).unbind(-3)
        keys, values = kept
        keys[:, :, site], values[:, :, site] = key, value
        scores = (keys[:, :, : site + 1] @ query[..., None]) / math.sqrt(query.shape[-1])
        attended = (scores.softmax(-2) * values[:, :, : site + 1]).sum(-2)
        return self._after(x, attended.flatten(1))

    def slow(self, x: Tensor) -> Tensor:
        """The last position of one string, ``(N, d) -> (d,)``, head by head."""
        query, keys, values = (x @ self.project.weight.mT + self.project.bias).chunk(3, -1)
        size = query.shape[-1] // self.n_heads
        found = []
        for head in range(self.n_heads):
            mine = slice(head * size, (head + 1) * size)
            scores = torch.stack([query[-1, mine] @ key[mine] / size**0.5 for key in keys])
            weights = scores.exp() / scores.exp().sum()
            found.append(sum(w * value[mine] for w, value in zip(weights, values, strict=True)))
        return self._after(x[-1], torch.cat(found))

    def _after(self, x: Tensor, attended: Tensor) -> Tensor:
        x = self.norm_attention(x + self.mix(attended))
        return self.norm_feedforward(x + self.narrow(F.gelu(self.widen(x))))


def _sines(n_positions: int, n_hidden: int) -> Tensor:
    """Sines and cosines of the position, with wavelengths from 2 pi to 2 pi 10^4: ``(n_positions, n_hidden)``."""
    rates = torch.exp(-math.log(1e4) * torch.arange(0, n_hidden, 2, dtype=torch.float64) / n_hidden)
    angles = torch.arange(n_positions, dtype=torch.float64)[:, None] * rates
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1)
