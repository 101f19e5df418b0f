from __future__ import annotations

import pytest
import torch

from replank.features import UnitNorm


def test_samples_get_length_one_and_keep_their_direction():
    x = torch.randn(5, 3, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = UnitNorm()(x)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(5, 3, dtype=torch.float64))
    torch.testing.assert_close(found * x.norm(dim=-1, keepdim=True), x)
    torch.testing.assert_close(UnitNorm()(3 * x), found)


def test_it_is_differentiable():
    x = torch.rand(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(UnitNorm(), x)


def test_a_sample_of_zeros_is_refused():
    x = torch.ones(4, 3)
    x[1:3] = 0
    with pytest.raises(ValueError, match="must not all be 0, got 2 such samples of 4"):
        UnitNorm()(x)
