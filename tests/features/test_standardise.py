from __future__ import annotations

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler

from replank.features import Standardiser


def test_agrees_with_scikit_learn():
    x = 4 * torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 7
    np.testing.assert_allclose(Standardiser().fit(x)(x), StandardScaler().fit_transform(x.numpy()), atol=1e-12)


def test_a_constant_feature_is_only_shifted():
    x = torch.full((50, 1), 0.1, dtype=torch.float64)  # whose rounded mean may differ from it
    fitted = Standardiser().fit(x)
    assert torch.allclose(fitted(x), torch.zeros_like(x), atol=1e-15)
    assert torch.allclose(fitted(x + 2), torch.full_like(x, 2.0))
