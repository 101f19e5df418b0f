"""TensorLy-Torch's factorised convolutions with the same factors."""

from __future__ import annotations

import pytest
import torch

from replank.parts.convolution import SeparableFilterConv2d
from replank.parts.convolution.separable_filters_1d import SeparableFilterConv1d
from replank.parts.convolution.separable_filters_3d import SeparableFilterConv3d

# raised inside tltorch as it is imported and as it is used
pytestmark = pytest.mark.filterwarnings("ignore")


def randn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("implementation", ["factorized", "reconstructed"])
@pytest.mark.parametrize(
    ("kind", "window", "padding", "stride", "dilation"),
    [
        (SeparableFilterConv1d, 4, 1, 2, 1),
        (SeparableFilterConv2d, (3, 5), (1, 2), 1, 1),
        (SeparableFilterConv2d, (3, 3), 2, 1, 2),
        (SeparableFilterConv2d, (2, 5), 0, 2, 1),
        (SeparableFilterConv3d, (3, 2, 4), 1, 1, 1),
    ],
    ids=["1d", "2d", "2d dilated", "2d strided", "3d"],
)
def test_tltorchs_cp_layer_with_copied_factors_gives_the_same(kind, window, padding, stride, dilation, implementation):
    from tltorch import FactorizedConv

    torch.manual_seed(0)
    n_axes = kind.n_axes
    layer = kind(3, 4, window, stride, padding, dilation, mode="cp", rank=6)
    theirs = FactorizedConv(
        3, 4, window, order=n_axes, stride=stride, padding=padding, dilation=dilation, bias=True, rank=6,
        factorization="cp", implementation=implementation,
    )  # fmt: skip
    with torch.no_grad():
        theirs.weight.weights.fill_(1.0)
        ours = (layer.mixing, layer.channels.mT, *(each.mT for each in layer.filters))
        for factor, own in zip(theirs.weight.factors, ours, strict=True):
            factor.copy_(own)
        theirs.bias.copy_(layer.bias)
    x = randn(2, 3, *(9 + axis for axis in range(n_axes)))
    torch.testing.assert_close(layer(x), theirs(x), rtol=1e-5, atol=1e-5)
