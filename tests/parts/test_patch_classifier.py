"""The host: exact counts, what removing does, and that it is what its parts say."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from replank import swap
from replank.measure.parameters import count_parameters
from replank.parts.attention import attention_parameter_count
from replank.parts.patch_classifier import PatchClassifier

CARD = {
    ("full", 4): (304_906, 604_810),
    ("full", None): (105_610, 206_218),
    ("wqk", None): (80_650, 156_298),
    ("symmetric", None): (80_650, 156_298),
    ("symmetric_tri", None): (68_170, 131_338),
    ("wqk_novo", None): (30_730, 56_458),
}
PEER = {("full", 1): 156_298, ("full", None): 106_378, ("wqk", None): 81_418, ("wqk_novo", None): 31_498}


def formula(variant, mlp_ratio, depth, width=64, patch=16, n_patches=49):
    embedding = (patch + 1) * width + width + (n_patches + 1) * width
    hidden = 0 if mlp_ratio is None else mlp_ratio * width
    mlp = 2 * hidden * width + hidden + width + 2 * width if hidden else 0
    return embedding + 10 * width + 10 + depth * (attention_parameter_count(width, 1, variant) + 2 * width + mlp)


@pytest.mark.parametrize(("arm", "depth"), [(arm, depth) for arm in CARD for depth in (6, 12)])
def test_counts_are_exact(arm, depth):
    variant, mlp_ratio = arm
    model = PatchClassifier(28, 4, depth=depth, variant=variant, mlp_ratio=mlp_ratio)
    expected = CARD[arm][depth == 12]
    assert sum(each.numel() for each in model.parameters() if each.requires_grad) == expected
    assert count_parameters(model).total == formula(variant, mlp_ratio, depth) == expected


@pytest.mark.parametrize("arm", PEER)
def test_a_peers_counts_hold_an_unused_norm(arm):
    variant, mlp_ratio = arm
    model = PatchClassifier(28, 7, variant=variant, mlp_ratio=mlp_ratio)
    unused = 0 if mlp_ratio else 6 * count_parameters(nn.LayerNorm(64)).total
    assert unused in (0, 768)
    assert count_parameters(model).total + unused == PEER[arm]


def test_the_stack_alone_keeps_16768_of_49984():
    whole, less = (
        count_parameters(PatchClassifier(28, 4, depth=1, mlp_ratio=ratio).encoders).total for ratio in (4, None)
    )
    assert (less, whole) == (16_768, 49_984)


def test_removing_the_network_is_a_swap_that_touches_nothing_else():
    torch.manual_seed(0)
    host = PatchClassifier(8, 4, width=6, depth=2)
    bare = swap(host, "encoders.*.feedforward", lambda old: nn.Identity())
    built = PatchClassifier(8, 4, width=6, depth=2, mlp_ratio=None)
    assert set(bare.state_dict()) == set(built.state_dict())
    assert all(torch.equal(value, host.state_dict()[name]) for name, value in bare.state_dict().items())
    x = torch.randn(3, 1, 8, 8)
    built.load_state_dict(bare.state_dict())
    assert torch.equal(built(x), bare(x))


@pytest.mark.parametrize("pool", ["class", "mean"])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_tokens_are_patches(pool, norm):
    model = PatchClassifier(6, 3, in_chans=2, width=5, depth=1, norm=norm, pool=pool, num_classes=4)
    images = torch.randn(2, 2, 6, 6)
    found = model.tokens(images)
    first = 1 if pool == "class" else 0
    assert found.shape == (2, 4 + first, 5)
    patch = images[1, :, 3:, :3].flatten()  # third of four, row by row
    expected = model.embedding(patch) + model.positions[first + 2]
    torch.testing.assert_close(found[1, first + 2], expected)
    assert model(images).shape == (2, 4)
    assert isinstance(model.norm, nn.LayerNorm) == (norm == "pre")


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="image_size=28, patch_size=5"):
        PatchClassifier(28, 5)
    with pytest.raises(ValueError, match="`depth` must be a positive integer, got depth=0"):
        PatchClassifier(28, 4, depth=0)
    with pytest.raises(ValueError, match=r"\(1, 28, 28\)\), got shape \(2, 3, 28, 28\)"):
        PatchClassifier(28, 4)(torch.randn(2, 3, 28, 28))
