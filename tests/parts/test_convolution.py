from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from replank.parts.convolution import (
    GROUP,
    FlippedQuanv2d,
    LowRankConv2d,
    MeanConv2d,
    SymmetricPSDConv2d,
)

F64 = torch.float64


def count(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("channels", [1, 3])
def test_parameter_counts_of_the_paper(channels):
    convolutions = [(channels, 32), (32, 16)]
    head = 12544 * 10 + 10
    reupload = 10 * (4**7 - 1) + 10
    level_0 = sum(count(nn.Conv2d(*pair, 3)) for pair in convolutions)
    level_1 = sum(count(FlippedQuanv2d(*pair)) for pair in convolutions)
    published = {1: (130_394, 133_658, 172_048), 3: (130_970, 134_618, 173_008)}[channels]
    assert (level_0 + head, level_1 + head, level_1 + reupload) == published


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (F64, 1e-12)], ids=str)
@pytest.mark.parametrize("side", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("parametrisation", ["real", "complex"])
def test_conv_and_naive_mode_agree(side, parametrisation, dtype, tolerance):
    torch.manual_seed(0)
    options = {"kernel_size": side, "stride": 2, "padding": (1, 0, 2, 1), "parametrisation": parametrisation}
    conv, naive = (FlippedQuanv2d(3, 2, mode=mode, dtype=dtype, **options) for mode in ("conv", "naive"))
    naive.load_state_dict(conv.state_dict())
    x = randn(2, 3, 7, 6).to(dtype)
    torch.testing.assert_close(naive(x), conv(x), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", [FlippedQuanv2d, SymmetricPSDConv2d])
@pytest.mark.parametrize("side", [2, 3])
def test_effective_kernels_are_symmetric_psd_of_rank_two_and_bounded_trace(kind, side):
    torch.manual_seed(0)
    kernel = kind(4, 50, side, dtype=F64).effective_kernel().detach()
    assert kernel.shape == (50, 4, side, side)
    torch.testing.assert_close(kernel, kernel.mT, rtol=0, atol=1e-15)
    eigenvalues = torch.linalg.eigvalsh(kernel)
    assert eigenvalues.min() > -1e-14
    assert eigenvalues[..., :-2].abs().max() < 1e-14 if side > 2 else True
    trace = kernel.diagonal(dim1=-2, dim2=-1).sum(-1)
    assert trace.max() <= 0.25 + 1e-12
    assert (side == 2) == bool((trace > 0.25 - 1e-12).all())  # a window that fills its qubits sees the whole state


def test_complex_angles_leave_the_set_of_kernels():
    torch.manual_seed(0)
    part = FlippedQuanv2d(1, 1, 2, parametrisation="complex", dtype=F64)
    with torch.no_grad():
        part.theta.add_(0.3j)
    assert abs(part.effective_kernel()[0, 0].trace().item() - 1) > 0.1


def test_symmetric_psd_reaches_every_kernel_of_the_quanvolution():
    torch.manual_seed(0)
    quantum, classical = FlippedQuanv2d(2, 3, dtype=F64), SymmetricPSDConv2d(2, 3, dtype=F64)
    states = quantum.states().detach()
    with torch.no_grad():
        classical.factor.copy_(torch.stack((states.real, states.imag), dim=2) * 7)
    torch.testing.assert_close(classical.effective_kernel(), quantum.effective_kernel())


def test_a_factor_of_zero_gives_a_zero_kernel_and_finite_gradients():
    part = SymmetricPSDConv2d(1, 1, dtype=F64)
    nn.init.zeros_(part.factor)
    part(randn(1, 1, 4, 4)).sum().backward()
    assert not part.effective_kernel().any()
    assert part.factor.grad.isfinite().all()


def test_two_quanvolutions_are_affine():
    torch.manual_seed(0)
    net = nn.Sequential(FlippedQuanv2d(1, 3), FlippedQuanv2d(3, 2)).double()
    x, y = randn(2, 1, 7, 7), randn(2, 1, 7, 7, seed=1)
    torch.testing.assert_close(net(0.3 * x + 0.7 * y), 0.3 * net(x) + 0.7 * net(y), rtol=1e-10, atol=1e-12)


def test_mean_convolution_is_the_convolution_divided_by_its_channels():
    torch.manual_seed(0)
    layer = nn.Conv2d(4, 2, 3, bias=False)
    torch.manual_seed(0)
    part = MeanConv2d(4, 2, 3, bias=False)
    x = torch.randn(1, 4, 5, 5)
    assert torch.equal(part.weight, layer.weight)
    torch.testing.assert_close(part(x), layer(x) / 4)


PADDINGS = {
    "none": (0, (0, 0, 0, 0)),
    "all": (2, (2, 2, 2, 2)),
    "height-width": ((1, 2), (1, 1, 2, 2)),
    "four": ((1, 2, 3, 0), (1, 2, 3, 0)),
    "list": ([1, 0], (1, 1, 0, 0)),
}


@pytest.mark.parametrize(("padding", "sides"), PADDINGS.values(), ids=PADDINGS)
def test_padding_is_top_bottom_left_right(padding, sides):
    part = MeanConv2d(1, 1, 3, padding=padding, dtype=F64)
    x = randn(1, 1, 5, 6)
    top, bottom, left, right = sides
    padded = F.pad(x, (left, right, top, bottom))
    assert part.padding == sides
    torch.testing.assert_close(part(x), F.conv2d(padded, part.weight, part.bias))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("side", [1, 2, 3, 4])
@pytest.mark.parametrize("padding", ["same", "valid", 1])
def test_like_understands_every_padding_of_torch(side, padding):
    layer = nn.Conv2d(2, 3, side, padding=padding, dtype=F64)
    part = LowRankConv2d.like(layer, rank=min(3, 2 * side**2))
    x = randn(1, 2, 6, 7)
    assert part(x).shape == layer(x).shape
    same = MeanConv2d.like(layer)
    same.load_state_dict({"weight": 2 * layer.weight, "bias": layer.bias})
    torch.testing.assert_close(same(x), layer(x))


@pytest.mark.parametrize(
    ("options", "law"),
    [
        ({"dilation": 2}, r"dilation=\(2, 2\)"),
        ({"groups": 2}, "groups=2"),
        ({"padding_mode": "circular", "padding": 1}, "padding_mode='circular'"),
    ],
    ids=["dilation", "groups", "padding_mode"],
)
def test_like_refuses_what_it_can_not_express(options, law):
    with pytest.raises(ValueError, match=law):
        FlippedQuanv2d.like(nn.Conv2d(2, 2, 3, **options))


@pytest.mark.parametrize("kind", [FlippedQuanv2d, SymmetricPSDConv2d])
def test_a_window_that_is_not_square_is_refused(kind):
    with pytest.raises(ValueError, match=r"square, got kernel_size=\(2, 3\)"):
        kind.like(nn.Conv2d(1, 1, (2, 3)))


BAD = {
    "padding as text": ({"padding": "same"}, "padding='same'"),
    "three paddings": ({"padding": (1, 2, 3)}, r"padding=\(1, 2, 3\)"),
    "negative padding": ({"padding": -1}, "padding=-1"),
    "half a pixel": ({"padding": 0.5}, "padding=0.5"),
    "no window": ({"kernel_size": 0}, r"kernel_size=\(0, 0\)"),
    "no stride": ({"stride": 0}, r"stride=\(0, 0\)"),
    "no channels": ({"in_channels": 0}, "in_channels=0"),
    "no such mode": ({"mode": "fast"}, "'fast'"),
    "no such parametrisation": ({"parametrisation": "both"}, "'both'"),
}


@pytest.mark.parametrize(("arguments", "law"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(arguments, law):
    with pytest.raises(ValueError, match=law):
        FlippedQuanv2d(**({"in_channels": 1, "out_channels": 1} | arguments), device="meta")


@pytest.mark.parametrize("rank", [0, 4])
def test_a_rank_out_of_range_is_refused(rank):
    with pytest.raises(ValueError, match=rf"1..3 .*got rank={rank}"):
        LowRankConv2d(2, 3, rank=rank)


@pytest.mark.parametrize("shape", [(3, 5), (1, 1, 3, 5, 5), (1, 4, 5, 5), (1, 3, 2, 5)], ids=str)
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=f"got .*{shape[0]}, {shape[1]}"):
        FlippedQuanv2d(3, 2)(torch.zeros(shape))


def test_angles_that_are_not_finite_are_refused():
    part = FlippedQuanv2d(1, 1)
    nn.init.constant_(part.theta, torch.nan)
    with pytest.raises(ValueError, match="must be finite"):
        part(torch.zeros(1, 3, 3))


@settings(max_examples=60, deadline=None)
@given(n_in=st.integers(1, 4), n_out=st.integers(1, 6), bias=st.booleans(), budget=st.integers(0, 250))
def test_same_size_is_the_largest_that_fits(n_in, n_out, bias, budget):
    old = nn.Conv2d(n_in, n_out, 3, padding=1, bias=bias)
    smallest = 9 * n_in + n_out * (1 + bias)
    if budget < min(smallest, count(old)):
        with pytest.raises(ValueError, match=f"has {smallest} parameters, got budget={budget}"):
            GROUP.same_size(old, budget)
        return
    rival = GROUP.same_size(old, budget)
    assert count(rival) <= budget
    assert rival(torch.zeros(1, n_in, 4, 5)).shape == (1, n_out, 4, 5)
    if budget >= count(old):
        assert type(rival) is nn.Conv2d
    else:
        assert isinstance(rival, LowRankConv2d)
        assert count(rival) + 9 * n_in + n_out > budget or rival.rank == min(n_out, 9 * n_in)


def test_the_full_rival_pads_on_each_side_as_the_part_does():
    part = MeanConv2d(2, 3, padding=(1, 0, 2, 1), dtype=F64)
    rival = GROUP.same_size(part, 10_000)
    x = randn(1, 2, 4, 4)
    rival[1].load_state_dict({"weight": part.weight / 2, "bias": part.bias})
    torch.testing.assert_close(rival(x), part(x))
