from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from replank.measure import conv_macs, forward_flops
from replank.parts.convolution import DepthwiseSeparableConv2d, LowRankConv2d, SeparableFilterConv2d
from replank.parts.convolution.separable_filters_1d import SeparableFilterConv1d
from replank.parts.convolution.separable_filters_3d import SeparableFilterConv3d


def test_in_closed_form():
    assert conv_macs(nn.Conv2d(3, 8, 5, padding=2), (10, 12)) == 3 * 8 * 25 * 120
    assert conv_macs(nn.Conv2d(4, 8, 3, stride=2, groups=2, padding="valid"), (9, 9)) == 2 * 8 * 9 * 16
    assert conv_macs(SeparableFilterConv2d(16, 16, 5, padding=2), (10, 10)) == 100 * (16 * 16 + 16 * 5 + 16 * 5)
    assert conv_macs(DepthwiseSeparableConv2d(8, 4, 3, padding=1), (6, 5)) == 30 * (8 * 9 + 8 * 4)
    strided = SeparableFilterConv2d(2, 3, 3, stride=2, padding=1)  # the first stage sees every pixel
    assert conv_macs(strided, (8, 8)) == 2 * 3 * 64 + 3 * 3 * 4 * 8 + 3 * 3 * 4 * 4


LAYERS = {
    "dense": lambda **options: nn.Conv2d(3, 5, (3, 2), **options),
    "grouped": lambda **options: nn.Conv2d(4, 6, 3, groups=2, **options),
    "rank1": lambda **options: SeparableFilterConv2d(3, 5, (3, 2), **options),
    "cp": lambda **options: SeparableFilterConv2d(3, 5, (3, 2), mode="cp", rank=4, **options),
    "spatial": lambda **options: SeparableFilterConv2d(3, 5, (3, 2), mode="spatial", **options),
    "depthwise": lambda **options: DepthwiseSeparableConv2d(3, 5, (3, 2), **options),
    "low rank, which has no formula": lambda **options: LowRankConv2d(3, 5, (3, 2), rank=2, **options),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
@given(stride=st.integers(1, 3), padding=st.integers(0, 1), dilation=st.integers(1, 2), side=st.integers(6, 9))
def test_as_torchs_counter_counts_them(make, stride, padding, dilation, side):
    layer = make(stride=stride, padding=padding, dilation=dilation)
    x = torch.zeros(1, layer.in_channels, side, side + 1)
    assert conv_macs(layer, x.shape[2:]) == forward_flops(layer, x) // 2


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (nn.Conv1d(2, 3, 3, padding="same"), (7,)),
        (nn.Conv3d(2, 3, 2, stride=2), (4, 5, 6)),
        (SeparableFilterConv1d(2, 3, 3, stride=2), (9,)),
        (SeparableFilterConv3d(2, 3, 2, mode="spatial", stride=(1, 2, 1)), (4, 5, 6)),
    ],
    ids=["conv1d", "conv3d", "one-way 1d", "one-way 3d"],
)
def test_in_one_and_three_dimensions(layer, size):
    assert conv_macs(layer, size) == forward_flops(layer, torch.zeros(1, 2, *size)) // 2


def test_what_is_no_convolution_is_refused():
    with pytest.raises(TypeError, match="got Linear"):
        conv_macs(nn.Linear(2, 2), (3, 3))


@pytest.mark.parametrize("layer", [nn.Conv2d(1, 1, 3), SeparableFilterConv2d(1, 1), LowRankConv2d(1, 1, rank=1)])
def test_a_size_with_other_axes_is_refused(layer):
    with pytest.raises(ValueError, match=r"2 numbers, got input_size=\(5,\)"):
        conv_macs(layer, (5,))


@pytest.mark.parametrize("layer", [nn.Conv2d(1, 1, 3), SeparableFilterConv2d(1, 1)])
def test_an_image_smaller_than_the_window_is_refused(layer):
    with pytest.raises(ValueError, match=r"hold the window.*got input_size=\(2, 5\)"):
        conv_macs(layer, (2, 5))
