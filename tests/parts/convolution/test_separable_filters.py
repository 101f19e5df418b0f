from __future__ import annotations

import itertools
import math
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from replank import swap
from replank.errors import InterfaceMismatch, MissingExtra
from replank.parts.convolution import (
    GROUP,
    DepthwiseSeparableConv2d,
    FlippedQuanv2d,
    LowRankConv2d,
    SeparableFilterConv2d,
)
from replank.parts.convolution.depthwise_separable_3d import DepthwiseSeparableConv3d
from replank.parts.convolution.separable_filters_1d import SeparableFilterConv1d
from replank.parts.convolution.separable_filters_3d import SeparableFilterConv3d
from replank.parts.replacement import part

F64 = torch.float64
READINGS = {
    "rank1": (SeparableFilterConv2d, {"mode": "rank1"}),
    "cp": (SeparableFilterConv2d, {"mode": "cp", "rank": 3}),
    "spatial": (SeparableFilterConv2d, {"mode": "spatial"}),
    "depthwise": (DepthwiseSeparableConv2d, {}),
}
readings = pytest.mark.parametrize(("kind", "options"), READINGS.values(), ids=READINGS)


def randn(*shape, seed=0, dtype=F64):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def count(module):
    return sum(each.numel() for each in module.parameters())


# -- it is a convolution with a dense kernel ---------------------------------------------------------------------------


@readings
@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "circular", "replicate"])
def test_every_window_stride_and_dilation_is_that_of_the_dense_kernel(kind, options, padding_mode):
    torch.manual_seed(0)
    x = randn(2, 3, 11, 12)
    windows = [((3, 3), (1, 1)), ((5, 3), (2, 1)), ((2, 4), (1, 2)), ((1, 3), (0, 1)), (2, 0)]
    for (window, padding), stride, dilation in itertools.product(windows, [1, 2, 3, (1, 2)], [1, 2]):
        common = {"stride": stride, "padding": padding, "dilation": dilation, "padding_mode": padding_mode}
        layer = kind(3, 4, window, **common, **options, dtype=F64)
        torch_layer = nn.Conv2d(3, 4, window, **common, dtype=F64)
        torch_layer.load_state_dict({"weight": layer.weight_tensor().detach(), "bias": layer.bias})
        expected = torch_layer(x)
        torch.testing.assert_close(layer(x), expected, rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(layer.float()(x.float()), expected.float(), rtol=1e-5, atol=1e-5)


@readings
def test_by_torchs_function_without_any_layer(kind, options):
    layer = kind(3, 4, (3, 2), stride=(2, 1), padding=(2, 1), dilation=(1, 2), **options, dtype=F64)
    x = randn(2, 3, 7, 8)
    expected = F.conv2d(x, layer.weight_tensor(), layer.bias, (2, 1), (2, 1), (1, 2))
    torch.testing.assert_close(layer(x), expected, rtol=1e-11, atol=1e-11)


@readings
def test_to_dense_gives_the_torch_layer(kind, options):
    layer = kind(3, 4, 5, padding="same", dilation=2, padding_mode="circular", **options, dtype=F64).eval()
    dense = layer.to_dense()
    assert type(dense) is nn.Conv2d
    assert not dense.training
    torch.testing.assert_close(dense(randn(1, 3, 9, 9)), layer(randn(1, 3, 9, 9)), rtol=1e-11, atol=1e-11)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@readings
@pytest.mark.parametrize("window", [2, (4, 3), 3])
@pytest.mark.parametrize("dilation", [1, 3])
def test_padding_by_text_is_torchs(kind, options, window, dilation):
    x = randn(1, 2, 10, 11)
    for padding in ("same", "valid"):
        layer = kind(2, 3, window, padding=padding, dilation=dilation, **options, dtype=F64)
        dense = layer.to_dense()
        torch_layer = nn.Conv2d(2, 3, window, padding=padding, dilation=dilation, dtype=F64)
        torch_layer.load_state_dict({"weight": layer.weight_tensor().detach(), "bias": layer.bias})
        for each in (dense, kind.like(torch_layer, **options)):
            assert each(x).shape == torch_layer(x).shape
        torch.testing.assert_close(layer(x), torch_layer(x), rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(dense(x), torch_layer(x), rtol=1e-11, atol=1e-11)


def test_to_dense_refuses_padding_that_torch_does_not_have():
    with pytest.raises(ValueError, match=r"to_dense: .*got padding=\(\(1, 0\), \(2, 2\)\)"):
        SeparableFilterConv2d(1, 1, padding=(1, 0, 2, 2)).to_dense()


def test_a_whole_network_with_its_dense_layers_back_again():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 8, 3, padding=2, dilation=2), nn.GELU(), nn.Conv2d(8, 2, 3)).double()
    thin = swap(net, nn.Conv2d, part(SeparableFilterConv2d, mode="cp", rank=4))
    dense = swap(thin, SeparableFilterConv2d, lambda old: old.to_dense())
    assert [type(each) for each in dense] == [type(each) for each in net]
    torch.testing.assert_close(dense(randn(1, 2, 8, 8)), thin(randn(1, 2, 8, 8)), rtol=1e-11, atol=1e-11)


# -- its kernel --------------------------------------------------------------------------------------------------------


def matricisations(tensor):
    return [tensor.movedim(mode, 0).flatten(1) for mode in range(tensor.ndim)]


def test_each_filter_of_rank1_has_rank_one_along_every_mode():
    torch.manual_seed(0)
    kernel = SeparableFilterConv2d(4, 6, (3, 5), dtype=F64).weight_tensor().detach()
    for each in kernel:
        assert [torch.linalg.matrix_rank(matrix).item() for matrix in matricisations(each)] == [1, 1, 1]


@given(rank=st.integers(1, 4))
def test_every_matricisation_of_cp_has_no_more_than_the_rank(rank):
    torch.manual_seed(rank)
    kernel = SeparableFilterConv2d(5, 6, (4, 5), mode="cp", rank=rank, dtype=F64).weight_tensor().detach()
    assert [torch.linalg.matrix_rank(matrix).item() for matrix in matricisations(kernel)] == [rank] * 4


def test_rank1_is_cp_with_the_identity():
    torch.manual_seed(0)
    one = SeparableFilterConv2d(3, 4, 3, padding=1, dtype=F64)
    cp = SeparableFilterConv2d(3, 4, 3, padding=1, mode="cp", rank=4, dtype=F64)
    cp.load_state_dict(one.state_dict() | {"mixing": torch.eye(4, dtype=F64)})
    torch.testing.assert_close(cp(randn(1, 3, 5, 5)), one(randn(1, 3, 5, 5)), rtol=1e-12, atol=1e-12)


COUNTS = {
    (16, 32, 3): {"rank1": 704, "cp": 864, "dense": 4608},
    (64, 64, 5): {"rank1": 4736, "cp": 2208, "spatial": 40_960, "dense": 102_400},
}


@pytest.mark.parametrize(("sizes", "weights"), COUNTS.items(), ids=str)
def test_numbers_of_weights(sizes, weights):
    for mode, expected in weights.items():
        if mode == "dense":
            assert count(nn.Conv2d(*sizes, bias=False)) == expected
        else:
            rank = 16 if mode == "cp" else None
            assert count(SeparableFilterConv2d(*sizes, bias=False, mode=mode, rank=rank)) == expected
            n_out = sizes[1]
            assert count(SeparableFilterConv2d(*sizes, mode=mode, rank=rank)) == expected + n_out


@pytest.mark.parametrize(("kind", "options"), READINGS.values(), ids=READINGS)
@pytest.mark.parametrize("gain", [2**0.5, 1.0])
def test_outputs_vary_at_first_as_those_of_kaimings_dense_layer(kind, options, gain):
    if options.get("mode") == "cp":
        options = options | {"rank": 24}
    torch.manual_seed(1)
    x = torch.randn(4, 16, 12, 12)
    ours, dense = [], []
    for _ in range(60):
        layer = kind(16, 32, 5, padding=2, padding_mode="circular", bias=False, gain=gain, **options)
        ours.append(layer(x).detach().var())
        plain = nn.Conv2d(16, 32, 5, padding=2, padding_mode="circular", bias=False)
        nn.init.kaiming_normal_(plain.weight, nonlinearity="relu" if gain > 1 else "linear")
        dense.append(plain(x).detach().var())
    assert sum(ours) / sum(dense) == pytest.approx(1, abs=0.1)


@readings
def test_a_shifted_image_gives_a_shifted_output_on_a_circle(kind, options):
    torch.manual_seed(0)
    layer = kind(2, 3, (3, 5), padding="same", padding_mode="circular", **options, dtype=F64)
    x = randn(1, 2, 7, 8)
    shifted = layer(x.roll((2, -3), (-2, -1)))
    torch.testing.assert_close(shifted, layer(x).roll((2, -3), (-2, -1)), rtol=1e-11, atol=1e-11)


# -- projections -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [None, 1, 4, 30])
def test_the_error_of_the_spatial_projection_is_the_tail_of_the_singular_values(rank):
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 5, (4, 3), padding=1, dtype=F64)
    layer = SeparableFilterConv2d.from_dense(conv, "spatial", rank)
    values = torch.linalg.svdvals(conv.weight.detach().permute(1, 2, 0, 3).reshape(3 * 4, 5 * 3))
    error = (layer.weight_tensor() - conv.weight).norm().item()
    assert error == pytest.approx(values[rank or 5 :].square().sum().sqrt().item(), abs=1e-12)
    assert torch.equal(layer.bias, conv.bias)


def test_depthwise_projection_is_the_best_for_each_channel():
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 5, 3, dtype=F64)
    layer = DepthwiseSeparableConv2d.from_dense(conv)
    tails = [torch.linalg.svdvals(each.flatten(1))[1:] for each in conv.weight.detach().transpose(0, 1)]
    expected = torch.cat(tails).norm().item()
    assert (layer.weight_tensor() - conv.weight).norm().item() == pytest.approx(expected, abs=1e-12)


@readings
def test_a_kernel_that_is_a_product_comes_back(kind, options):
    torch.manual_seed(0)
    layer = kind(3, 4, (3, 5), padding=1, **options, dtype=F64)
    conv = layer.to_dense()
    back = kind.from_dense(conv, *options.values()) if options else kind.from_dense(conv)
    torch.testing.assert_close(back.weight_tensor(), conv.weight, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(back(randn(1, 3, 6, 6)), conv(randn(1, 3, 6, 6)), rtol=1e-3, atol=1e-3)
    assert back.weight_tensor().dtype == F64


def test_more_terms_come_nearer():
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 4, 3)
    errors = [
        (SeparableFilterConv2d.from_dense(conv, "cp", rank).weight_tensor() - conv.weight).norm().item()
        for rank in (1, 4, 12)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_projection_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorly", None)
    with pytest.raises(MissingExtra, match=r"replank\[waves\]"):
        SeparableFilterConv2d.from_dense(nn.Conv2d(2, 2, 3), "cp", 2)


# -- bad input ---------------------------------------------------------------------------------------------------------

BAD = {
    "groups": ({"groups": 2}, "groups=1, got groups=2"),
    "cp without a rank": ({"mode": "cp"}, "needs `rank`.*got rank=None"),
    "no terms": ({"mode": "cp", "rank": 0}, "at least 1, got rank=0"),
    "rank1 with a rank": ({"rank": 3}, "mode='rank1' .*got rank=3"),
    "no such mode": ({"mode": "tucker"}, "got mode='tucker'"),
    "no gain": ({"gain": 0.0}, "got gain=0"),
    "same with a stride": (
        {"padding": "same", "stride": 2},
        "padding='same' is not supported for strided convolutions",
    ),
    "no such padding": ({"padding": "full"}, "[Ii]nvalid padding string.*got padding='full'"),
    "no such padding mode": ({"padding_mode": "constant"}, "padding_mode='constant'"),
    "no dilation": ({"dilation": 0}, r"dilation=\(0, 0\)"),
}


@pytest.mark.parametrize(("options", "law"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(options, law):
    with pytest.raises(ValueError, match=law):
        SeparableFilterConv2d(4, 4, 3, **options)


@pytest.mark.parametrize(
    ("shape", "law"),
    [((3, 7), "got shape"), ((5, 7, 7), "in_channels=3 channels, got 5"), ((1, 2, 3, 7, 7), "got shape")],
    ids=str,
)
@readings
def test_input_with_other_dimensions_is_refused(kind, options, shape, law):
    with pytest.raises(ValueError, match=law):
        kind(3, 2, **options)(torch.zeros(shape))


@pytest.mark.parametrize(("mode", "size", "least"), [("reflect", 2, 3), ("circular", 1, 2)])
def test_an_image_that_is_smaller_than_its_padding_is_refused(mode, size, least):
    layer = SeparableFilterConv2d(1, 1, 1, padding=2, padding_mode=mode)
    with pytest.raises(ValueError, match=f"must have {least} values or more"):
        layer(torch.zeros(1, 1, 5, size))


@pytest.mark.parametrize("make", [DepthwiseSeparableConv2d.from_dense, SeparableFilterConv2d.from_dense])
def test_projection_of_a_grouped_layer_or_another_module_is_refused(make):
    with pytest.raises(ValueError, match="got groups=2"):
        make(nn.Conv2d(2, 2, 3, groups=2))
    with pytest.raises(TypeError, match=r"needs an nn\.Conv2d, got Conv1d"):
        make(nn.Conv1d(2, 2, 3))


def test_a_swap_in_the_place_of_a_grouped_layer_is_refused():
    net = nn.Sequential(nn.Conv2d(2, 2, 3, groups=2))
    with pytest.raises(InterfaceMismatch, match="groups=1, got groups=2"):
        swap(net, "0", SeparableFilterConv2d)


# -- the group's interface with dilation and padding modes -------------------------------------------------------------


def test_parts_that_take_neither_say_so_of_parts_too():
    old = SeparableFilterConv2d(1, 1, 3, dilation=2)
    with pytest.raises(ValueError, match=r"dilation=\(1, 1\), got dilation=\(2, 2\)"):
        FlippedQuanv2d.like(old)
    assert LowRankConv2d.like(old, rank=1).dilation == (2, 2)


@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "circular", "replicate"])
@pytest.mark.parametrize("budget", [40, 10_000])
def test_rivals_of_the_same_size_take_them_all(padding_mode, budget):
    old = SeparableFilterConv2d(2, 4, 3, stride=2, padding=(1, 2, 2, 1), dilation=2, padding_mode=padding_mode)
    rival = GROUP.same_size(old, budget)
    x = torch.randn(2, 2, 8, 9)
    assert rival(x).shape == old(x).shape
    assert count(rival) <= budget
    if isinstance(rival, nn.Sequential):
        rival[1].load_state_dict({"weight": old.weight_tensor().detach(), "bias": old.bias})
        torch.testing.assert_close(rival(x), old(x), rtol=1e-4, atol=1e-5)


# -- one and three dimensions ------------------------------------------------------------------------------------------

SIBLINGS = {
    "1d rank1": (SeparableFilterConv1d, nn.Conv1d, {"mode": "rank1"}),
    "1d cp": (SeparableFilterConv1d, nn.Conv1d, {"mode": "cp", "rank": 3}),
    "3d rank1": (SeparableFilterConv3d, nn.Conv3d, {"mode": "rank1"}),
    "3d cp": (SeparableFilterConv3d, nn.Conv3d, {"mode": "cp", "rank": 3}),
    "3d spatial": (SeparableFilterConv3d, nn.Conv3d, {"mode": "spatial"}),
    "3d depthwise": (DepthwiseSeparableConv3d, nn.Conv3d, {}),
}
siblings = pytest.mark.parametrize(("kind", "torchs", "options"), SIBLINGS.values(), ids=SIBLINGS)


@siblings
@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "circular"])
def test_siblings_are_convolutions_with_their_dense_kernel(kind, torchs, options, padding_mode):
    torch.manual_seed(0)
    n = kind.n_axes
    x = randn(2, 2, *range(5, 5 + n))
    windows = [(3, 1), (tuple(range(2, 2 + n)), 0), (2, (1,) * n)]
    for (window, padding), stride, dilation in itertools.product(windows, [1, 2, 3], [1, 2]):
        if max(window if isinstance(window, tuple) else (window,)) * dilation > 5:
            continue
        common = {"stride": stride, "padding": padding, "dilation": dilation, "padding_mode": padding_mode}
        layer = kind(2, 3, window, **common, **options, dtype=F64)
        torch_layer = torchs(2, 3, window, **common, dtype=F64)
        torch_layer.load_state_dict({"weight": layer.weight_tensor().detach(), "bias": layer.bias})
        torch.testing.assert_close(layer(x), torch_layer(x), rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(layer.to_dense()(x), torch_layer(x), rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(layer.reference(x[0]), layer(x[0]), rtol=1e-11, atol=1e-11)


@siblings
def test_siblings_are_built_like_torchs_layers(kind, torchs, options):
    torch.manual_seed(0)
    old = torchs(3, 4, 3, padding="same", dilation=2, bias=False, dtype=F64)
    layer = kind.like(old, **options)
    again = kind.like(layer, **options)
    x = randn(1, 3, *[6] * kind.n_axes)
    assert layer(x).shape == again(x).shape == old(x).shape
    assert count(layer) == layer.parameter_formula()
    assert "padding='same'" in repr(layer)
    layer.reset_parameters()
    assert torch.autograd.gradcheck(layer, (x.requires_grad_(),), fast_mode=True)
    projected = kind.from_dense(old, *options.values()) if options else kind.from_dense(old)
    assert (projected.weight_tensor() - old.weight).norm() < old.weight.norm()
    with pytest.raises(ValueError, match="got groups=2"):
        kind.like(torchs(2, 2, 3, groups=2), **options)
    with pytest.raises(TypeError, match="got Linear"):
        kind.like(nn.Linear(2, 2), **options)


def test_numbers_of_weights_of_siblings():
    assert SeparableFilterConv1d(5, 7, 4, bias=False).parameter_formula() == 7 * (5 + 4)
    assert count(SeparableFilterConv3d(5, 7, (2, 3, 4), bias=False)) == 7 * (5 + 2 + 3 + 4)
    assert count(SeparableFilterConv3d(5, 7, (2, 3, 4), bias=False, mode="cp", rank=6)) == 6 * (5 + 9 + 7)
    spatial = SeparableFilterConv3d(5, 7, (2, 3, 4), bias=False, mode="spatial", rank=6)
    assert count(spatial) == 5 * 6 * 2 + 6 * 6 * 3 + 6 * 7 * 4
    assert count(DepthwiseSeparableConv3d(5, 7, (2, 3, 4), bias=False)) == 5 * (24 + 7)


def test_three_axes_are_taken_apart_one_after_the_other():
    torch.manual_seed(0)
    conv = nn.Conv3d(2, 3, (2, 3, 2), dtype=F64)
    exact = SeparableFilterConv3d.from_dense(conv, "spatial", 100)
    torch.testing.assert_close(exact.weight_tensor(), conv.weight, rtol=1e-10, atol=1e-12)
    near = SeparableFilterConv3d.from_dense(conv, "spatial", 2)
    unfolded = conv.weight.detach().permute(1, 2, 3, 4, 0)
    tails = [
        torch.linalg.svdvals(unfolded.reshape(rows, -1))[2:].square().sum().item()
        for rows in (math.prod(unfolded.shape[:2]), math.prod(unfolded.shape[:3]))
    ]
    error = (near.weight_tensor() - conv.weight).square().sum().item()
    assert max(tails) <= error * (1 + 1e-9)
    assert error <= sum(tails) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("make", "law"),
    [
        (lambda: SeparableFilterConv1d(2, 2, mode="spatial"), "needs two axes"),
        (lambda: SeparableFilterConv1d(2, 2, groups=2), "got groups=2"),
        (lambda: SeparableFilterConv1d(0, 2), "must be positive, got 0"),
        (lambda: SeparableFilterConv3d(2, 2, (3, 3)), r"kernel_size=\(3, 3\)"),
        (lambda: SeparableFilterConv3d(2, 2, padding=(1, 1)), r"padding=\(1, 1\)"),
        (lambda: SeparableFilterConv3d(2, 2, padding=-1), "padding=-1"),
        (lambda: DepthwiseSeparableConv3d(2, 2, gain=-1.0), "got gain=-1"),
        (lambda: SeparableFilterConv1d(2, 2)(torch.zeros(4)), r"got shape \(4,\)"),
        (lambda: SeparableFilterConv1d(2, 2)(torch.zeros(1, 3, 4)), "got 3"),
        (lambda: SeparableFilterConv3d(1, 1)(torch.zeros(1, 1, 2, 4, 4)), "must hold the window"),
    ],
)
def test_siblings_refuse_bad_arguments(make, law):
    with pytest.raises(ValueError, match=law):
        make()
