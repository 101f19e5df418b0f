from __future__ import annotations

import pytest
import torch
from torch import nn

from replank.errors import InterfaceMismatch, SlotError, UsageError
from replank.lab.compression import replace_convolutions, wide_enough
from replank.measure import conv_macs, count_parameters
from replank.parts.convolution import DepthwiseSeparableConv2d, SeparableFilterConv2d
from replank.parts.convolution.depthwise_separable_3d import DepthwiseSeparableConv3d
from replank.parts.convolution.separable_filters_1d import SeparableFilterConv1d
from replank.parts.convolution.separable_filters_3d import SeparableFilterConv3d


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1),
        nn.Conv2d(8, 8, 5, padding=2, stride=2),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, bias=False),
        nn.Conv2d(8, 3, 1),
    )


X = torch.zeros(1, 2, 8, 10)


@pytest.mark.parametrize("mode", ["rank1", "cp", "spatial", "depthwise_separable"])
def test_the_report_says_what_was_replaced_and_what_that_saves(mode):
    model = network()
    found = replace_convolutions(model, mode=mode, rank=4 if mode == "cp" else None, example=X)
    assert list(found.layers.index) == ["1", "3"]
    assert found.parameters_before == count_parameters(model).total
    assert found.parameters_after == count_parameters(found.model).total < found.parameters_before
    saved = (found.layers["parameters_before"] - found.layers["parameters_after"]).sum()
    assert found.parameters_before - found.parameters_after == saved
    assert found.macs_before == conv_macs(model[1], (8, 10)) + conv_macs(model[3], (4, 5))
    assert found.macs_after == conv_macs(found.model[1], (8, 10)) + conv_macs(found.model[3], (4, 5))
    assert "2 layers replaced" in str(found)
    kind = DepthwiseSeparableConv2d if mode == "depthwise_separable" else SeparableFilterConv2d
    assert type(found.model[1]) is type(found.model[3]) is kind


def test_everything_else_stays_and_the_model_too():
    model = network()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    found = replace_convolutions(model, example=X)
    after = found.model.state_dict()
    assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())
    assert all(torch.equal(after[name], before[name]) for name in ("0.weight", "0.bias", "4.weight", "4.bias"))
    assert found.model(X).shape == model(X).shape
    again = replace_convolutions(model, example=X).model
    assert torch.equal(again(X + 1), found.model(X + 1))


def test_projected_layers_are_near_the_old_ones_and_say_how_near():
    model = network()
    found = replace_convolutions(model, mode="spatial", rank=64, example=X, project=True)
    assert found.layers["projection_error"].max() < 1e-5
    torch.testing.assert_close(found.model(X + 1), model(X + 1), rtol=1e-4, atol=1e-5)
    rough = replace_convolutions(model, mode="depthwise_separable", example=X, project=True)
    assert 0 < rough.layers["projection_error"].min() < 1


def test_the_predicate_chooses():
    model = network()
    found = replace_convolutions(model, lambda name, conv: conv.kernel_size == (5, 5), example=(X,))
    assert list(found.layers.index) == ["1"]
    assert [wide_enough(name, each) for name, each in model.named_children() if isinstance(each, nn.Conv2d)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_in_one_and_three_dimensions():
    line = nn.Sequential(nn.Conv1d(8, 8, 3))
    assert type(replace_convolutions(line, example=torch.zeros(1, 8, 9)).model[0]) is SeparableFilterConv1d
    block, x = nn.Sequential(nn.Conv3d(8, 8, 3, padding=1)), torch.zeros(1, 8, 3, 4, 5)
    assert type(replace_convolutions(block, mode="spatial", example=x).model[0]) is SeparableFilterConv3d
    found = replace_convolutions(block, mode="depthwise_separable", example=x)
    assert type(found.model[0]) is DepthwiseSeparableConv3d
    assert found.macs_after == 60 * (8 * 27 + 64)


@pytest.mark.parametrize(
    ("options", "error", "law"),
    [
        ({"mode": "tucker"}, UsageError, "got mode='tucker'"),
        ({"predicate": lambda name, conv: False}, SlotError, "must choose a convolution, got none among .*Conv2d"),
        ({"mode": "cp"}, InterfaceMismatch, "'1'.*needs `rank`"),
        ({"mode": "depthwise_separable", "rank": 2}, InterfaceMismatch, "has no rank, got rank=2"),
        ({"rank": 2}, InterfaceMismatch, "mode='rank1' .*got rank=2"),
    ],
    ids=["mode", "nothing", "no rank", "a rank too many", "rank1"],
)
def test_bad_requests_are_refused(options, error, law):
    with pytest.raises(error, match=law):
        replace_convolutions(network(), **options, example=X)


def test_what_can_not_be_replaced_is_named():
    everything = lambda name, conv: True  # noqa: E731
    with pytest.raises(InterfaceMismatch, match=r"'0'.*got groups=8"):
        replace_convolutions(nn.Sequential(nn.Conv2d(8, 8, 3, groups=8)), everything, example=torch.zeros(1, 8, 5, 5))
    with pytest.raises(InterfaceMismatch, match=r"'0'.*no layer for Conv1d"):
        replace_convolutions(
            nn.Sequential(nn.Conv1d(8, 8, 3)), everything, "depthwise_separable", example=torch.zeros(1, 8, 5)
        )
