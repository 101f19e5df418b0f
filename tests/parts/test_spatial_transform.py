"""Warps: identity, shifts, gradients, and what is refused."""

from __future__ import annotations

import pytest
import torch

from replank.parts.spatial_transform import spatial_transform


def image(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def field(batch, height, width, along_x=0.0, along_y=0.0):
    values = torch.tensor([along_x, along_y], dtype=torch.float64)
    return values[None, :, None, None].expand(batch, 2, height, width)


def test_no_displacement_is_the_identity():
    moving = image(3, 2, 7, 9)
    torch.testing.assert_close(spatial_transform(moving, field(3, 7, 9)), moving, rtol=0, atol=1e-12)
    single = spatial_transform(moving.float(), field(3, 7, 9).float())
    torch.testing.assert_close(single, moving.float(), rtol=0, atol=1e-6)


def test_whole_pixels_are_exact_inside_and_the_border_repeats_outside():
    moving = image(1, 1, 6, 8)
    right = spatial_transform(moving, field(1, 6, 8, along_x=2.0))
    torch.testing.assert_close(right[..., :-2], moving[..., 2:])
    torch.testing.assert_close(right[..., -2:], moving[..., -1:].expand(1, 1, 6, 2))
    down = spatial_transform(moving, field(1, 6, 8, along_y=-1.0))
    torch.testing.assert_close(down[..., 1:, :], moving[..., :-1, :])


def test_half_a_pixel_is_the_mean_of_two():
    moving = image(1, 1, 5, 5)
    half = spatial_transform(moving, field(1, 5, 5, along_y=0.5))
    torch.testing.assert_close(half[..., :-1, :], (moving[..., :-1, :] + moving[..., 1:, :]) / 2)


def test_gradients():
    moving = image(1, 1, 4, 4).requires_grad_()
    u = (0.3 + 0.2 * image(1, 2, 4, 4)).requires_grad_()
    assert torch.autograd.gradcheck(spatial_transform, (moving, u))


@pytest.mark.parametrize(
    ("moving", "u"),
    [
        ((2, 1, 4, 4), (2, 2, 4, 5)),
        ((2, 1, 4, 4), (1, 2, 4, 4)),
        ((1, 4, 4), (1, 2, 4, 4)),
        ((1, 1, 1, 4), (1, 2, 1, 4)),
    ],
)
def test_shapes_that_do_not_fit(moving, u):
    with pytest.raises(ValueError, match="spatial_transform"):
        spatial_transform(torch.zeros(moving), torch.zeros(u))
