"""Encoders of the minimal transformer against x-transformers with the same weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from replank.parts.patch_classifier import PatchClassifier

x_transformers = pytest.importorskip("x_transformers")


@pytest.mark.parametrize("heads", [2, 4])
def test_pre_norm_encoders_are_those_of_x_transformers(heads):
    width, depth = 8, 2
    model = PatchClassifier(8, 4, width=width, depth=depth, heads=heads, norm="pre", bias=False).double()
    theirs = x_transformers.Encoder(
        dim=width, depth=depth, heads=heads, attn_dim_head=width // heads, ff_mult=4, pre_norm=True
    ).double()
    for each in model.parameters():
        nn.init.normal_(each, std=0.3)
    attentions = [module for module in theirs.modules() if type(module).__name__ == "Attention"]
    networks = [module for module in theirs.modules() if type(module).__name__ == "FeedForward"]
    norms = [module for module in theirs.modules() if hasattr(module, "gamma")]
    assert (len(attentions), len(networks)) == (depth, depth)
    with torch.no_grad():
        for encoder, attention, network in zip(model.encoders, attentions, networks, strict=True):
            attention.to_q.weight.copy_(encoder.attention.similarity.query.weight)
            attention.to_k.weight.copy_(encoder.attention.similarity.key.weight)
            attention.to_v.weight.copy_(encoder.attention.values.value.weight)
            attention.to_out.weight.copy_(encoder.attention.values.out.weight)
            first, second = (layer for layer in network.modules() if isinstance(layer, nn.Linear))
            first.load_state_dict(encoder.feedforward.mlp[0].state_dict())
            second.load_state_dict(encoder.feedforward.mlp[2].state_dict())
        # theirs have a scale and no shift
        ours = [norm for encoder in model.encoders for norm in (encoder.norm, encoder.feedforward.norm)]
        for mine, its in zip([*ours, model.norm], norms, strict=True):
            mine.bias.zero_()
            its.gamma.copy_(mine.weight - 1 if getattr(its, "unit_offset", False) else mine.weight)
    x = torch.randn(3, 5, width, dtype=torch.float64)
    # theirs takes the softmax in single precision
    torch.testing.assert_close(model.norm(model.encoders(x)), theirs(x), rtol=1e-6, atol=1e-6)
