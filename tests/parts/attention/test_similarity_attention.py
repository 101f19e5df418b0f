"""Attention with fewer matrices: counts, laws of each variant, collapsed matrices, and what is refused."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from replank import swap
from replank.errors import InterfaceMismatch, UnknownName
from replank.parts.attention import (
    GROUP,
    VARIANTS,
    MultiHeadSimilarityAttention,
    NarrowAttention,
    attention_parameter_count,
    collapse_query_key,
    collapse_value_output,
)
from replank.parts.patch_classifier import PatchClassifier
from replank.parts.replacement import part
from replank.seeding import isolated

SEEDS = st.integers(0, 10**6)
SYMMETRIC = ("symmetric", "symmetric_tri")


def built(variant, embed_dim=6, num_heads=None, seed=0, biases=False, **options):
    """With biases that are not zero if asked for."""
    heads = num_heads or (1 if variant.startswith("wqk") else 2)
    with isolated(seed, "part"):
        made = MultiHeadSimilarityAttention(embed_dim, heads, variant, **({"dtype": torch.float64} | options))
        for name, each in made.named_parameters():
            if biases and name.endswith("bias"):
                nn.init.normal_(each)
    return made


def tokens(*shape, seed=0):
    with isolated(seed, "tokens"):
        return torch.randn(*shape, dtype=torch.float64)


def torchs(full):
    """The torch layer with the weights of full attention."""
    layer = nn.MultiheadAttention(full.embed_dim, full.num_heads, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        linears = (full.similarity.query, full.similarity.key, full.values.value)
        layer.in_proj_weight.copy_(torch.cat([each.weight for each in linears]))
        layer.in_proj_bias.copy_(torch.cat([each.bias for each in linears]))
    layer.out_proj.load_state_dict(full.values.out.state_dict())
    return layer


# -- the full variant against torch ---------------------------------------------------------------------------------


@pytest.mark.parametrize("num_heads", [1, 2, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_full_is_torchs_attention(num_heads, masked):
    full = built("full", num_heads=num_heads, biases=True)
    x = tokens(4, 5, 6)
    mask = torch.zeros(4, 5, dtype=torch.bool)
    mask[1:, -2:] = masked
    output, weights = full(x, key_padding_mask=mask, need_weights=True)
    for average in (True, False):
        expected = torchs(full)(x, x, x, key_padding_mask=mask, average_attn_weights=average)
        torch.testing.assert_close(output, expected[0], rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(weights.mean(1) if average else weights, expected[1], rtol=1e-10, atol=1e-10)
    single = full.float()
    torch.testing.assert_close(single(x.float()), torchs(full.double())(x, x, x)[0].float(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("norm_first", [True, False])
def test_an_encoder_is_torchs_encoder_layer(norm_first):
    model = PatchClassifier(8, 4, width=6, depth=1, heads=2, norm="pre" if norm_first else "post", mlp_ratio=4).double()
    encoder = model.encoders[0]
    host = nn.TransformerEncoderLayer(
        6, 2, 24, dropout=0, activation="gelu", batch_first=True, norm_first=norm_first, dtype=torch.float64
    )
    host.self_attn = torchs(encoder.attention)
    widen, _, narrow = encoder.feedforward.mlp
    pairs = {"norm1": encoder.norm, "norm2": encoder.feedforward.norm, "linear1": widen, "linear2": narrow}
    for theirs, ours in pairs.items():
        for each in ours.parameters():
            nn.init.normal_(each)
        getattr(host, theirs).load_state_dict(ours.state_dict())
    x = tokens(3, 5, 6)
    torch.testing.assert_close(encoder(x), host(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_can_be_swapped_into_hosts_with_torchs_attention(variant):
    host = nn.Sequential(*(nn.TransformerEncoderLayer(6, 1, 7, batch_first=True, dropout=0) for _ in range(2)))
    made = swap(host, "*.self_attn", part(MultiHeadSimilarityAttention, variant=variant), example=torch.randn(2, 3, 6))
    without = swap(host, nn.MultiheadAttention, part(MultiHeadSimilarityAttention, variant=variant))
    assert made[0].self_attn.variant == without[1].self_attn.variant == variant
    mask = torch.tensor([[False, False, True], [False, False, False]])
    for model in (made, without.eval()):
        assert model(torch.randn(2, 3, 6)).isfinite().all()
        assert model[0](torch.randn(2, 3, 6), src_key_padding_mask=mask).isfinite().all()


def test_a_whole_torch_encoder_takes_it():
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 1, 7, batch_first=True), 2, enable_nested_tensor=False)
    made = swap(stack, "layers.*.self_attn", part(MultiHeadSimilarityAttention, variant="wqk"))
    mask = torch.tensor([[False, False, True]])
    for training in (True, False):
        assert made.train(training)(torch.randn(1, 3, 6), src_key_padding_mask=mask).isfinite().all()


def test_hosts_whose_attention_is_not_to_itself_are_refused():
    class Crossed(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(6, 1, batch_first=True)

        def forward(self, x):
            return self.attention(x, x + 1, x + 1)[0]

    with pytest.raises(InterfaceMismatch, match="self-attention"):
        swap(Crossed(), "attention", MultiHeadSimilarityAttention, example=torch.randn(2, 3, 6))


# -- counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("bias", [True, False])
def test_counts(variant, bias):
    for embed_dim, num_heads in ((8, 1), (8, 2), (12, 4)):
        if variant.startswith("wqk") and num_heads > 1:
            continue
        made = MultiHeadSimilarityAttention(embed_dim, num_heads, variant, bias)
        counted = sum(each.numel() for each in made.parameters())
        assert counted == attention_parameter_count(embed_dim, num_heads, variant, bias) == made.parameter_formula()


def test_the_control_of_the_same_size_is_as_wide_as_fits():
    made = MultiHeadSimilarityAttention(32, 1, "wqk_novo")
    rival = GROUP.same_size(made, made.parameter_formula())
    assert isinstance(rival, NarrowAttention)
    assert rival.parameter_formula() <= made.parameter_formula() < rival.parameter_formula() + 4 * 32 + 3
    assert GROUP.same_size(made, 10**6).variant == "full"
    with pytest.raises(ValueError, match="the narrowest for 32 features and 1 heads has 163 parameters, got budget=99"):
        GROUP.same_size(made, 99)


# -- laws of the variants -------------------------------------------------------------------------------------------


@given(seed=SEEDS, variant=st.sampled_from(SYMMETRIC), num_heads=st.sampled_from([1, 2]))
def test_tied_similarities_are_symmetric_and_positive(seed, variant, num_heads):
    scores = built(variant, num_heads=num_heads, seed=seed, bias=variant != "symmetric").scores(
        tokens(2, 5, 6, seed=seed)
    )
    torch.testing.assert_close(scores, scores.mT)
    eigenvalues = torch.linalg.eigvalsh(scores)
    assert (eigenvalues[..., 0] >= -1e-5 * eigenvalues[..., -1]).all()
    diagonal = scores.diagonal(dim1=-2, dim2=-1)
    assert (diagonal >= 0).all()
    assert (scores <= (diagonal[..., None] + diagonal[..., None, :]) / 2 + 1e-9).all()


@given(seed=SEEDS)
def test_the_free_symmetric_form_is_symmetric_of_either_sign(seed):
    scores = built("symmetric_free", seed=seed).scores(tokens(1, 9, 6, seed=seed))
    torch.testing.assert_close(scores, scores.mT)
    assert torch.linalg.eigvalsh(scores)[..., 0].min() < 0


@given(seed=SEEDS, variant=st.sampled_from(["wqk_novo", "novo"]))
def test_without_values_outputs_are_in_the_hull_of_the_tokens(seed, variant):
    made, x = built(variant, seed=seed), tokens(2, 5, 6, seed=seed)
    output = made(x)
    assert (output <= x.amax(1, keepdim=True) + 1e-12).all()
    assert (output >= x.amin(1, keepdim=True) - 1e-12).all()
    constant = x[:, :1].expand_as(x)
    torch.testing.assert_close(made(constant), constant)


@given(seed=SEEDS, variant=st.sampled_from(sorted(VARIANTS)))
def test_permuted_tokens_give_permuted_outputs(seed, variant):
    made, x = built(variant, seed=seed, biases=True), tokens(1, 5, 6, seed=seed)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(made(x[:, order]), made(x)[:, order])


@torch.no_grad()
def test_tied_similarity_begins_with_strong_attention_to_itself():
    def scores(variant):
        made = [built(variant, 64, 1, seed=seed).scores(tokens(8, 20, 64, seed=seed)) for seed in range(20)]
        return torch.cat(made)[:, 0]

    off = ~torch.eye(20, dtype=torch.bool)
    tied, untied = scores("symmetric"), scores("full")
    assert tied.diagonal(dim1=-2, dim2=-1).mean() == pytest.approx(math.sqrt(64), abs=0.5)
    assert tied[:, off].std() == pytest.approx(1.4, abs=0.1)
    assert untied.diagonal(dim1=-2, dim2=-1).mean() == pytest.approx(0, abs=0.1)
    assert untied.std() == pytest.approx(1.0, abs=0.1)


@torch.no_grad()
def test_a_triangle_of_variance_one_begins_one_hot():
    def diagonal(scale):
        made = [built("symmetric_tri", 64, 1, seed=seed, init_scale=scale) for seed in range(10)]
        x = tokens(4, 10, 64)
        return torch.cat([each.scores(x).diagonal(dim1=-2, dim2=-1) for each in made]), made[0](x, need_weights=True)[1]

    scores, weights = diagonal(1.0)
    assert scores.mean() == pytest.approx(64 * 65 / 2 / 8, rel=0.1)  # about 256
    assert weights.diagonal(dim1=-2, dim2=-1).min() > 0.999
    scores, weights = diagonal(None)
    assert scores.mean() == pytest.approx(65 / 16, rel=0.1)
    assert weights.diagonal(dim1=-2, dim2=-1).mean() < 0.95


# -- collapsed matrices ---------------------------------------------------------------------------------------------


@given(seed=SEEDS, bias=st.booleans())
def test_queries_and_keys_collapse_into_one_matrix(seed, bias):
    full = built("full", num_heads=1, seed=seed, biases=True, bias=bias)
    x = tokens(3, 5, 6, seed=seed)
    collapsed = collapse_query_key(full)
    assert collapsed.variant == "wqk"
    torch.testing.assert_close(collapsed(x), full(x), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(collapse_query_key(full.float())(x.float()), full(x.float()), rtol=1e-5, atol=1e-5)


@given(seed=SEEDS, variants=st.lists(st.sampled_from(sorted(VARIANTS)), min_size=4, max_size=4), bias=st.booleans())
def test_values_and_outputs_of_a_stack_collapse_into_one_matrix(seed, variants, bias):
    layers = [built(variant, num_heads=1, seed=seed + n, biases=True, bias=bias) for n, variant in enumerate(variants)]
    with torch.no_grad():  # scores of later layers must not grow out of all bounds
        for layer in layers:
            for each in layer.parameters():
                each.mul_(0.5)
    stack, x = nn.Sequential(*layers), tokens(2, 5, 6, seed=seed)
    collapsed = collapse_value_output(stack)
    assert [getattr(each, "variant", "") for each in collapsed] == ["wqk_novo"] * 4 + [""]
    weights = sum(each.numel() for name, each in collapsed.named_parameters() if name.endswith("weight"))
    assert weights == (4 + 1) * 6**2
    torch.testing.assert_close(collapsed(x), stack(x), rtol=1e-10, atol=1e-10)


def test_what_can_not_be_collapsed_is_refused():
    with pytest.raises(ValueError, match="one head, got num_heads=2"):
        collapse_query_key(built("full"))
    for other in (built("wqk"), nn.Linear(2, 2)):
        with pytest.raises(TypeError, match="variant 'full', got"):
            collapse_query_key(other)
    model = PatchClassifier(8, 4, width=6, depth=2, mlp_ratio=None)
    with pytest.raises(ValueError, match="without residual links, norms or anything else in between, got Encoder"):
        collapse_value_output(model.encoders)
    with pytest.raises(ValueError, match="got LayerNorm"):
        collapse_value_output([built("wqk"), nn.LayerNorm(6)])
    with pytest.raises(ValueError, match="one head, got num_heads=2"):
        collapse_value_output([built("full")])
    with pytest.raises(ValueError, match=r"without dropout, got dropout=0\.5"):
        collapse_value_output([built("wqk", dropout=0.5)])
    with pytest.raises(ValueError, match="at least one layer, got none"):
        collapse_value_output([])


# -- bad input ------------------------------------------------------------------------------------------------------


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="positive multiple of `num_heads`, got embed_dim=5, num_heads=2"):
        MultiHeadSimilarityAttention(5, 2)
    for variant in ("wqk", "wqk_novo"):
        with pytest.raises(ValueError, match=f"'{variant}' is for one head, got num_heads=2: W_QK would be N x N"):
            MultiHeadSimilarityAttention(4, 2, variant)
        with pytest.raises(ValueError, match="saves nothing"):
            attention_parameter_count(4, 2, variant)
    with pytest.raises(UnknownName) as error:
        MultiHeadSimilarityAttention(4, 1, "wq")
    assert all(variant in str(error.value) for variant in VARIANTS)
    with pytest.raises(ValueError, match=r"`init_scale` is for .* got init_scale=1.0 for 'full'"):
        MultiHeadSimilarityAttention(4, 1, init_scale=1.0)
    made = MultiHeadSimilarityAttention(4, 1)
    with pytest.raises(ValueError, match=r"N = embed_dim=4 .* got shape \(2, 3, 5\)"):
        made(torch.randn(2, 3, 5))
    with pytest.raises(TypeError, match=r"got dtype=torch\.int64"):
        made(torch.ones(2, 3, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match="hides all of sequence 1"):
        made(torch.randn(2, 3, 4), key_padding_mask=torch.tensor([[True, False, False], [True, True, True]]))
    with pytest.raises(ValueError, match="positive multiple of num_heads=2, got inner_dim=3"):
        NarrowAttention(4, 2, inner_dim=3)
