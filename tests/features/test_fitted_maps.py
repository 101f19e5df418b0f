"""What holds for every map that is fitted."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from replank.features import AngleScaler, PCAProjector, Standardiser

MAPS = {"pca": lambda: PCAProjector(2), "angles": AngleScaler, "standardise": Standardiser}
every_map = pytest.mark.parametrize("build", MAPS.values(), ids=MAPS.keys())


def samples(n: int = 20, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@every_map
def test_nothing_but_fit_looks_at_data(build):
    fitted = build().fit(samples())
    before = copy.deepcopy(fitted.state_dict())
    fitted(100 * samples(seed=1))
    fitted.train()(samples(seed=2))
    assert all(torch.equal(before[name], value) for name, value in fitted.state_dict().items())


@every_map
def test_samples_do_not_see_each_other(build):
    fitted, x = build().fit(samples()), samples(seed=1)
    assert torch.allclose(fitted(x)[3], fitted(x[3]), atol=1e-14)
    assert torch.allclose(fitted(x.reshape(4, 5, 4)).flatten(0, 1), fitted(x), atol=1e-14)


@every_map
def test_the_order_of_training_samples_does_not_matter(build):
    x = samples()
    one, other = build().fit(x), build().fit(x.flip(0))
    assert torch.allclose(one(x), other(x), atol=1e-12)


@every_map
def test_state_goes_into_a_map_that_was_never_fitted(build):
    fitted, fresh, x = build().fit(samples()), build(), samples(seed=1)
    fresh.load_state_dict(fitted.state_dict())
    assert fresh.is_fitted
    assert torch.equal(fresh(x), fitted(x))
    assert torch.equal(pickle.loads(pickle.dumps(fitted))(x), fitted(x))
    wider = build().fit(torch.cat((samples(), samples(seed=3)), dim=1))
    wider.load_state_dict(fitted.state_dict())  # the sizes are those of what is loaded
    assert torch.equal(wider(x), fitted(x))


@every_map
def test_an_empty_state_leaves_a_map_unfitted(build):
    fresh = build()
    fresh.load_state_dict(build().state_dict())
    assert not fresh.is_fitted


@every_map
def test_it_is_fitted_in_double_precision_and_maps_in_that_of_its_data(build):
    x = samples(dtype=torch.float32)
    fitted = build().fit(x)
    assert fitted(x).dtype == torch.float32
    assert torch.allclose(fitted(x).double(), build().fit(x.double())(x.double()), atol=1e-5)


@every_map
def test_nothing_is_trained_and_gradients_pass(build):
    fitted = build().fit(samples())
    assert not list(fitted.parameters())
    inside = samples().mean(dim=0, keepdim=True).requires_grad_()
    assert torch.autograd.gradcheck(fitted, inside)


@every_map
@pytest.mark.parametrize(
    ("training", "error", "law"),
    [
        (samples()[:0], ValueError, "n_samples >= 1"),
        (samples()[0], ValueError, r"must have shape .* got shape=\(4,\)"),
        (samples() / 0, ValueError, "must be finite, got"),
        (samples().long(), TypeError, "must be floating point, got dtype=torch.int64"),
    ],
    ids=["no samples", "one dimension", "infinite", "integers"],
)
def test_wrong_training_data_are_refused(build, training, error, law):
    with pytest.raises(error, match=law):
        build().fit(training)


@every_map
def test_mapping_before_fit_is_refused(build):
    with pytest.raises(ValueError, match=r"must be fitted first.* Call .fit"):
        build()(samples())


@every_map
def test_another_number_of_features_is_refused(build):
    with pytest.raises(ValueError, match="the last dimension must be n_features=4"):
        build().fit(samples())(samples()[:, :3])
