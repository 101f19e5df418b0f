"""Jacobian determinants and smoothness of fields that are known."""

from __future__ import annotations

import pytest
import torch

from replank.measure import jacobian_determinant, squared_gradient


def grid(height=5, width=6):
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float64), torch.arange(width, dtype=torch.float64), indexing="ij"
    )
    return x, y


def test_no_displacement_changes_no_area():
    zero = torch.zeros(2, 2, 4, 5, dtype=torch.float64)
    assert torch.equal(jacobian_determinant(zero), torch.ones(2, 3, 4, dtype=torch.float64))
    assert not squared_gradient(zero).any()


@pytest.mark.parametrize("s", [0.3, -0.5, -1.0, -1.5])
def test_scaling(s):
    u = s * torch.stack(grid())[None]
    torch.testing.assert_close(jacobian_determinant(u), torch.full((1, 4, 5), (1 + s) ** 2, dtype=torch.float64))
    torch.testing.assert_close(squared_gradient(u), torch.tensor([2 * s**2], dtype=torch.float64))


def test_rotation_and_mirror():
    x, y = grid()
    rotated = torch.stack((-y - x, x - y))[None]  # x -> (-y, x)
    torch.testing.assert_close(jacobian_determinant(rotated), torch.ones(1, 4, 5, dtype=torch.float64))
    mirrored = torch.stack((-2 * x, 0 * y))[None]
    torch.testing.assert_close(jacobian_determinant(mirrored), -torch.ones(1, 4, 5, dtype=torch.float64))


def test_the_determinant_is_that_of_the_differences():
    u = torch.randn(1, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = jacobian_determinant(u)
    for i in range(3):
        for j in range(3):
            here = u[0, :, i, j]
            matrix = torch.stack((u[0, :, i, j + 1] - here, u[0, :, i + 1, j] - here), 1)
            expected = torch.linalg.det(torch.eye(2, dtype=torch.float64) + matrix)
            torch.testing.assert_close(found[0, i, j], expected)


def test_rows_of_a_batch_do_not_see_each_other():
    u = torch.randn(3, 2, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(squared_gradient(u)[1:2], squared_gradient(u[1:2]))


@pytest.mark.parametrize("function", [jacobian_determinant, squared_gradient])
@pytest.mark.parametrize("shape", [(2, 4, 4), (1, 3, 4, 4), (1, 2, 1, 4)])
def test_wrong_shapes(function, shape):
    with pytest.raises(ValueError, match=r"\(B, 2, H, W\)"):
        function(torch.zeros(shape))
