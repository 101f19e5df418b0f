"""Images as torch takes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from replank.datasets import load
from replank.datasets.tensors import tensors


@pytest.mark.parametrize("name", ["digits", "mnist5k"])
def test_pixels_lie_between_0_and_1_whatever_their_range(name):
    data = load(name)
    (x, y), (test_x, test_y) = tensors(data)
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    assert (x.min().item(), x.max().item()) == (0, 1)
    np.testing.assert_array_equal((x * data.card.pixel_max).round().numpy(), data.train_x)
    np.testing.assert_array_equal((test_x * data.card.pixel_max).round().numpy(), data.test_x)
    np.testing.assert_array_equal(y, data.train_y)
    np.testing.assert_array_equal(test_y, data.test_y)
