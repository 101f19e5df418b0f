"""What the group's contract does not say: published sizes, torch's own layer, symmetry of strings, Markov chains."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from replank.errors import UnknownName
from replank.open_systems import POVM, all_strings, chain
from replank.parts.density import (
    GROUP,
    CausalTransformerDensity,
    GRUDensity,
    MADEDensity,
    ProductDensity,
    RBMDensity,
    StringDensity,
    largest_within,
)
from replank.parts.density.metropolis import MetropolisSampler
from replank.seeding import isolated, torch_stream

F64 = torch.float64


def built(kind, /, *arguments, seed=0, noise=0.4, **options):
    with isolated(seed, "part"), torch.no_grad():
        part = kind(*arguments, dtype=F64, **options)
        for each in part.parameters():
            each.add_(noise * torch.randn_like(each))
    return part


@pytest.mark.parametrize(("norm", "count"), [("none", 5588), ("post", 5716)])
def test_published_parameter_counts(norm, count):
    part = CausalTransformerDensity(16, norm=norm)
    assert sum(each.numel() for each in part.parameters()) == part.parameter_formula() == count


@pytest.mark.parametrize("norm", ["none", "post"])
@pytest.mark.parametrize("kind", ["tetra", "4pauli"])
def test_the_initial_network_is_the_product_state(norm, kind):
    povm = POVM(kind)
    state = torch.zeros(16, 16)
    state[0, 0] = 1
    initial = povm.product_distribution(state)
    part = CausalTransformerDensity(4, norm=norm, initial=initial, dtype=F64)
    p = part.log_prob(all_strings(4)).exp()
    torch.testing.assert_close(p, povm.povm_probabilities(state), rtol=0, atol=1e-6)


def test_with_norms_it_is_torchs_encoder_layer():
    part = built(CausalTransformerDensity, 5, n_hidden=8, n_heads=2, n_feedforward=6, norm="post")
    (ours,) = part.layers
    layer = nn.TransformerEncoderLayer(
        8, 2, dim_feedforward=6, dropout=0.0, activation="gelu", batch_first=True, dtype=F64
    )
    with torch.no_grad():
        for own, theirs in (
            (ours.project, (layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias)),
            (ours.mix, layer.self_attn.out_proj), (ours.widen, layer.linear1), (ours.narrow, layer.linear2),
            (ours.norm_attention, layer.norm1), (ours.norm_feedforward, layer.norm2),
        ):  # fmt: skip
            weight, bias = theirs if isinstance(theirs, tuple) else (theirs.weight, theirs.bias)
            weight.copy_(own.weight)
            bias.copy_(own.bias)
    x = torch.randn(3, 5, 8, dtype=F64, generator=torch_stream(0, "input"))
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=F64)
    torch.testing.assert_close(ours(x), layer(x, src_mask=mask, is_causal=True))


def test_positions_are_the_usual_sines():
    table = CausalTransformerDensity(4, n_hidden=6, dtype=F64).positions
    assert table.shape == (100, 6)
    for position, feature in ((0, 1), (7, 2), (99, 5)):
        angle = torch.tensor(position / 10_000 ** (feature // 2 * 2 / 6), dtype=F64)
        expected = angle.cos() if feature % 2 else angle.sin()
        torch.testing.assert_close(table[position, feature], expected)


def test_all_translations_make_all_sites_alike():
    walks = [walk for walk in chain(4).strings() if (walk[1] - walk[0]) % 4 == 1]
    assert len(walks) == 4
    options = {"n_hidden": 4, "n_feedforward": 4}
    part = built(StringDensity, 4, orders=walks, options=options)
    p = part.log_prob(all_strings(4)).exp().reshape((4,) * 4)
    marginals = torch.stack([p.sum([i for i in range(4) if i != site]) for site in range(4)])
    torch.testing.assert_close(marginals, marginals[:1].expand(4, -1), rtol=0, atol=1e-6)
    base = part.base.log_prob(all_strings(4)).exp().reshape((4,) * 4)
    alone = torch.stack([base.sum([i for i in range(4) if i != site]) for site in range(4)])
    assert (alone - alone[:1]).abs().max() > 0.01, "the average changes nothing: the test shows nothing"
    torch.testing.assert_close(p, p.permute(1, 2, 3, 0), rtol=0, atol=1e-12)


def test_one_string_in_the_usual_order_is_the_density_itself():
    part = built(StringDensity, 3, orders=((0, 1, 2),), kind=GRUDensity, options={"n_hidden": 3})
    torch.testing.assert_close(part.log_prob(all_strings(3)), part.base.log_prob(all_strings(3)))


def test_markov_chains_reach_the_distribution():
    """Means over long chains lie within five errors, and the share of accepted moves is told."""
    part = built(RBMDensity, 3, n_hidden=4)
    p = part.log_prob(all_strings(3)).exp().detach()
    sampler = MetropolisSampler(part, n_chains=500, warm_up=20)
    stream = torch_stream(0, "chains")
    counts = []
    for _ in range(40):
        a, log = sampler.sample(1500, stream)
        torch.testing.assert_close(log, part.log_weight(a).detach())
        counts.append(torch.bincount((a * torch.tensor([16, 4, 1])).sum(1), minlength=64) / 1500)
    assert 0.1 < sampler.acceptance < 0.95
    mean = torch.stack(counts).double().mean(0)
    # moves of one chain are alike: its samples count for a tenth of independent ones, generously
    assert ((mean - p).abs() < 5 * (p / (40 * 150)).sqrt() + 1e-4).all()


def test_markov_chains_go_on_where_they_were():
    part = built(RBMDensity, 3, n_hidden=4)
    sampler = MetropolisSampler(part, n_chains=4, warm_up=0)
    first, _ = sampler.sample(8, torch_stream(0, "chains"))
    second, _ = sampler.sample(4, torch_stream(1, "chains"))
    assert ((second - first[4:]) != 0).sum(1).max() <= 1
    assert ((first[4:] - first[:4]) != 0).sum(1).max() <= 1


def test_chains_can_sample_any_density():
    part = built(GRUDensity, 2, n_hidden=3)
    a, _ = MetropolisSampler(part, n_chains=2000, warm_up=30).sample(2000, torch_stream(0, "chains"))
    counts = torch.bincount((a * torch.tensor([4, 1])).sum(1), minlength=16) / 2000
    p = part.log_prob(all_strings(2)).exp().detach()
    assert ((counts - p).abs() < 5 * (p / 2000).sqrt()).all()


@pytest.mark.parametrize("kind", [GRUDensity, MADEDensity, RBMDensity])
def test_the_largest_within_a_budget_fits_and_the_next_does_not(kind):
    old = CausalTransformerDensity(4, n_hidden=16, dtype=F64)
    part = largest_within(kind, old, old.parameter_formula())
    larger = kind.like(old, n_hidden=part.n_hidden + 1)
    assert part.parameter_formula() <= old.parameter_formula() < larger.parameter_formula()
    assert next(part.parameters()).dtype == F64


def test_the_rival_of_the_same_size():
    old = CausalTransformerDensity(4)
    rival = GROUP.same_size(old, 5588)
    assert isinstance(rival, GRUDensity)
    assert isinstance(GROUP.same_size(old, 20), ProductDensity)
    with pytest.raises(ValueError, match="has 16 parameters, got budget=15"):
        GROUP.same_size(old, 15)
    with pytest.raises(ValueError, match="n_hidden"):
        largest_within(MADEDensity, old, 5)


@pytest.mark.parametrize(
    ("call", "law"),
    [
        (lambda: CausalTransformerDensity(101), "max_sites=100, got n_sites=101"),
        (lambda: CausalTransformerDensity(4, n_hidden=3), "even and a multiple"),
        (lambda: CausalTransformerDensity(4, n_hidden=4, n_heads=3), "n_heads=3"),
        (lambda: CausalTransformerDensity(4, n_layers=0), "n_layers=0"),
        (lambda: GRUDensity(3, n_hidden=0), "n_hidden=0"),
        (lambda: MADEDensity(1), "n_sites=1"),
        (lambda: MADEDensity(4, n_hidden=2), "n_hidden=2"),
        (lambda: RBMDensity(3, n_hidden=0), "n_hidden=0"),
        (lambda: RBMDensity(3, std=-1.0), r"std=-1\.0"),
        (lambda: RBMDensity(16).log_prob(torch.zeros(1, 16, dtype=torch.int64)), "max_strings=1048576"),
        (lambda: StringDensity(3, orders=()), "permutations"),
        (lambda: StringDensity(3, orders=((0, 1, 1),)), "permutations"),
        (lambda: ProductDensity(2).sample(0), "n=0"),
        (lambda: MetropolisSampler(ProductDensity(2), 0), "n_chains=0"),
        (lambda: MetropolisSampler(ProductDensity(2), 1, warm_up=-1), "warm_up=-1"),
    ],
)
def test_bad_sizes_are_refused(call, law):
    with pytest.raises(ValueError, match=law):
        call()


def test_unknown_norms_suggest_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'post'"):
        CausalTransformerDensity(4, norm="pots")


def test_weights_of_many_sites_do_without_a_normalisation():
    a = torch.zeros(2, 40, dtype=torch.int64)
    part = RBMDensity(40, n_hidden=3, dtype=F64)
    assert part.log_weight(a).isfinite().all()
    assert CausalTransformerDensity(40, dtype=F64).log_prob(a).exp().min() > 0
