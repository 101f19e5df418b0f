from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from replank.features import PCAProjector


def cloud(seed: int, n: int = 60, width: int = 7) -> torch.Tensor:
    """Samples whose directions differ in strength, off the origin."""
    stream = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width, width, generator=stream, dtype=torch.float64)
    return torch.randn(n, width, generator=stream, dtype=torch.float64) @ mixing + 3


@given(seed=st.integers(0, 2**31), k=st.integers(1, 7))
def test_agrees_with_scikit_learn_up_to_signs(seed, k):
    x = cloud(seed)
    ours, theirs = PCAProjector(k).fit(x), PCA(k, svd_solver="full").fit(x.numpy())
    np.testing.assert_allclose(ours.components.abs(), np.abs(theirs.components_), atol=1e-8)
    np.testing.assert_allclose(ours.explained_variance, theirs.explained_variance_, rtol=1e-10)
    np.testing.assert_allclose(ours.explained_variance_ratio, theirs.explained_variance_ratio_, rtol=1e-10)
    np.testing.assert_allclose(ours(x).abs(), np.abs(theirs.transform(x.numpy())), atol=1e-8)


@given(seed=st.integers(0, 2**31))
def test_components_are_orthonormal_signed_and_sorted(seed):
    fitted = PCAProjector(5).fit(cloud(seed))
    assert torch.allclose(fitted.components @ fitted.components.mT, torch.eye(5, dtype=torch.float64), atol=1e-12)
    largest = fitted.components.gather(1, fitted.components.abs().argmax(dim=1, keepdim=True))
    assert (largest > 0).all()
    assert (fitted.explained_variance.diff() <= 0).all()


def test_coordinates_are_centred_uncorrelated_and_have_the_explained_variances():
    x = cloud(0)
    fitted = PCAProjector(4).fit(x)
    z = fitted(x)
    assert torch.allclose(z.mean(dim=0), torch.zeros(4, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(z.mT.cov(), fitted.explained_variance.diag(), atol=1e-9)  # no whitening


def test_a_mirrored_cloud_has_the_same_components():
    x = cloud(0)
    assert torch.allclose(PCAProjector(3).fit(x).components, PCAProjector(3).fit(-x).components, atol=1e-10)


def test_all_components_lose_nothing_and_few_give_the_nearest_point():
    x = cloud(1)
    whole, part = PCAProjector(7).fit(x), PCAProjector(3).fit(x)
    assert torch.allclose(whole.inverse(whole(x)), x, atol=1e-10)
    lost = (part.inverse(part(x)) - x).square().sum(dim=1).mean() * len(x) / (len(x) - 1)
    assert lost.item() == pytest.approx((whole.total_variance - part.explained_variance.sum()).item(), rel=1e-10)
    assert whole.explained_variance_ratio.sum().item() == pytest.approx(1)


@pytest.mark.parametrize(("k", "n", "law"), [(8, 60, "got n_components=8 for 7 features"), (5, 4, "of 4 samples")])
def test_more_components_than_features_or_samples_are_refused(k, n, law):
    with pytest.raises(ValueError, match=law):
        PCAProjector(k).fit(cloud(0, n))


def test_no_component_is_refused_and_so_is_going_back_before_fit():
    with pytest.raises(ValueError, match="at least one component, got n_components=0"):
        PCAProjector(0)
    with pytest.raises(ValueError, match="must be fitted first"):
        PCAProjector(2).inverse(torch.zeros(3, 2))
