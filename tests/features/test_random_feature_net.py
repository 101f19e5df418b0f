from __future__ import annotations

import copy
from itertools import pairwise
from math import nan

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import Ridge

from replank.errors import UnknownName
from replank.features import RandomFeatureNet
from replank.parts.activation import ACTIVATIONS
from replank.parts.sampler import Nodes, samplers
from replank.parts.sampler.data_driven import DataDrivenSampler
from replank.parts.sampler.fourier import FourierSampler
from replank.parts.sampler.normal import NormalSampler
from replank.parts.sampler.uniform_band import UniformBandSampler
from replank.seeding import torch_stream

F64 = torch.float64
BAND = UniformBandSampler(3.0)


def data(n=60, m=2, k=None, seed=0):
    stream = torch_stream(seed, "data")
    x = torch.rand(n, m, dtype=F64, generator=stream)
    y = torch.stack([torch.sin((j + 1) * x.sum(1)) for j in range(k or 1)], 1)
    return x, y if k else y[:, 0]


def waves(n_nodes=80, **options):
    """Nodes that are far from each other: a well-conditioned matrix."""
    return RandomFeatureNet(n_nodes, FourierSampler(60.0), activation="cos", **options)


# -- what is computed --------------------------------------------------------------------------------------------------


@given(st.integers(0, 20), st.sampled_from(sorted(ACTIVATIONS)), st.integers(1, 3))
def test_features_are_activations_of_a_x_minus_b(seed, activation, m):
    x, y = data(m=m)
    net = RandomFeatureNet(7, BAND, activation=activation, seed=seed).draw(x)
    features = net.transform(x)
    assert features.shape == (60, 7)
    for j in range(7):
        expected = ACTIVATIONS[activation]()((x * net.a[j]).sum(1) - net.b[j])
        torch.testing.assert_close(features[:, j], expected)
    assert net.fit(x, y).predict(x).shape == (60,)


def test_as_many_outputs_as_targets():
    x, y = data(k=3)
    net = RandomFeatureNet(10, BAND).fit(x, y)
    assert net.predict(x).shape == (60, 3)
    torch.testing.assert_close(net.predict(x)[:, 1], RandomFeatureNet(10, BAND).fit(x, y[:, 1]).predict(x))


@pytest.mark.filterwarnings("ignore:RandomFeatureNet.fit:RuntimeWarning")
def test_it_interpolates_with_as_many_nodes_as_samples():
    x, y = data(n=40)
    for d in (40, 80):
        torch.testing.assert_close(waves(d).fit(x, y).predict(x), y, rtol=0, atol=1e-6)


def test_a_target_among_the_features_is_recovered():
    x, _ = data()
    net = waves(20).draw(x)
    c = torch.linspace(-1, 1, 20, dtype=F64)
    target = net.transform(x) @ c
    torch.testing.assert_close(net.fit(x, target).weight, c, rtol=1e-7, atol=1e-7)


class First:
    """The first nodes of one draw."""

    def __call__(self, d, m, generator):
        a, b = BAND(30, m, generator)
        return Nodes(a[:d], b[:d])


@given(st.integers(0, 20))
def test_more_nodes_never_fit_worse(seed):
    x, y = data(seed=seed)
    errors = [(RandomFeatureNet(d, First(), rcond=1e-12).fit(x, y).predict(x) - y).norm().item() for d in range(1, 8)]
    assert all(after <= before * (1 + 1e-9) for before, after in pairwise(errors))


def test_residuals_are_orthogonal_to_nodes():
    x, y = data()
    net = waves(20).fit(x, y)
    features, left = net.transform(x), y - net.predict(x)
    assert (features.T @ left).norm().item() < 1e-8 * features.norm().item() * y.norm().item()


@given(st.floats(-6, 2))
def test_ridge_is_scikit_learns(exponent):
    x, y = data(k=2)
    net = RandomFeatureNet(15, BAND, solve="ridge", alpha=10**exponent).fit(x, y)
    theirs = Ridge(alpha=10**exponent, fit_intercept=False, solver="svd").fit(net.transform(x).numpy(), y.numpy())
    torch.testing.assert_close(
        net.predict(x), torch.from_numpy(theirs.predict(net.transform(x).numpy())), rtol=0, atol=1e-8
    )


def test_ridge_goes_to_least_squares():
    x, y = data()
    exact = waves(20).fit(x, y).weight
    gaps = [
        (waves(20, solve="ridge", alpha=alpha).fit(x, y).weight - exact).norm().item() for alpha in (1.0, 1e-4, 0.0)
    ]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 1e-10


@pytest.mark.filterwarnings("ignore:RandomFeatureNet.fit:RuntimeWarning")
def test_gradient_descent_goes_to_the_minimum_norm_solution():
    x, y = data(n=20)
    exact = waves(200).fit(x, y)
    gaps = [
        (waves(200, solve="sgd", epochs=epochs, batch_size=5).fit(x, y).weight - exact.weight).norm().item()
        for epochs in (10, 100, 1000)
    ]
    assert gaps[2] < 1e-3 * exact.weight.norm().item()
    assert gaps[0] > gaps[1] > gaps[2]


def test_full_batches_descend_to_least_squares_where_there_are_more_samples_than_nodes():
    x, y = data()
    descended = waves(10, solve="sgd", epochs=3000, batch_size=60).fit(x, y)
    torch.testing.assert_close(descended.weight, waves(10).fit(x, y).weight, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("activation", ["logistic", "tanh", "gaussian", "cos"])
def test_the_gradient_in_x_is_that_of_the_nodes(activation):
    x, y = data()
    net = RandomFeatureNet(9, BAND, activation=activation).fit(x, y)
    points = x[:5].clone().requires_grad_()
    (slope,) = torch.autograd.grad(net(points).sum(), points)
    arguments = (points @ net.a.T - net.b).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(net.activation(arguments).sum(), arguments)  # sigma'
    torch.testing.assert_close(slope, (slopes * net.weight) @ net.a)
    assert torch.autograd.gradcheck(net, (points,))


class Stretched:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, d, m, generator):
        a, b = BAND(d, m, generator)
        return Nodes(self.factor * a, self.factor * b)


def test_stretched_nodes_of_a_relu_are_stretched_features_and_the_same_network():
    x, y = data()
    one, other = (RandomFeatureNet(12, Stretched(k), activation="relu").fit(x, y) for k in (1.0, 5.0))
    torch.testing.assert_close(other.transform(x), 5 * one.transform(x))
    torch.testing.assert_close(other.predict(x), one.predict(x))


def test_cosines_of_normal_nodes_approach_the_kernel_as_scikit_learns_do():
    x, _ = data(n=8, m=3)
    kernel = torch.exp(-(torch.cdist(x, x) ** 2) / 2)
    ours, theirs = [], []
    for d in (200, 3200):
        gaps = ([], [])
        for seed in range(10):
            net = RandomFeatureNet(d, NormalSampler(1.0, phases=True), activation="cos", seed=seed).draw(x)
            z = net.transform(x) * (2 / d) ** 0.5
            gaps[0].append((z @ z.T - kernel).abs().max().item())
            z = torch.from_numpy(RBFSampler(gamma=0.5, n_components=d, random_state=seed).fit_transform(x.numpy()))
            gaps[1].append((z @ z.T - kernel).abs().max().item())
        ours.append(sum(gaps[0]) / 10)
        theirs.append(sum(gaps[1]) / 10)
    for errors in (ours, theirs):
        assert 2.5 < errors[0] / errors[1] < 6.5  # four, the root of 16
    assert 0.6 < ours[1] / theirs[1] < 1.6


# -- what is frozen ----------------------------------------------------------------------------------------------------


def test_nodes_are_no_parameters_and_training_leaves_them():
    x, y = data()
    net = RandomFeatureNet(10, BAND).fit(x, y)
    before = copy.deepcopy(net.state_dict())
    assert not list(net.parameters())
    assert set(before) == {"a", "b", "weight"}
    assert not any(each.requires_grad for each in net.buffers())
    head = torch.nn.Linear(10, 1, dtype=F64)
    optimiser = torch.optim.SGD([*net.parameters(), *head.parameters()], lr=0.1)
    head(net.transform(x)).sum().backward()
    optimiser.step()
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in before.items())


@pytest.mark.parametrize("k", [None, 2])
def test_its_state_can_be_loaded_before_it_has_seen_data(k):
    x, y = data(k=k)
    net = RandomFeatureNet(10, BAND).fit(x, y)
    other = RandomFeatureNet(10, BAND, seed=5)
    other.load_state_dict(net.state_dict())
    assert torch.equal(other.predict(x), net.predict(x))
    assert other.n_estimated == 10 * (k or 1)


@pytest.mark.parametrize("name", samplers())
def test_nodes_depend_on_data_only_if_the_sampler_says_so(name):
    sampler = samplers()[name](**samplers()[name].examples()[0])
    drawn = [RandomFeatureNet(12, copy.deepcopy(sampler)).draw(*data(seed=seed)) for seed in (0, 1)]
    assert torch.equal(drawn[0].a, drawn[1].a) == (name != "DataDrivenSampler")


def test_same_seed_same_network_and_torchs_own_stream_stays():
    x, y = data()
    before = torch.get_rng_state()
    for solve in ("lstsq", "sgd"):
        one, same, other = (RandomFeatureNet(9, BAND, solve=solve, seed=seed).fit(x, y) for seed in (3, 3, 4))
        assert torch.equal(one.predict(x), same.predict(x))
        assert not torch.equal(one.a, other.a)
    assert torch.equal(torch.get_rng_state(), before)


def test_single_precision_is_kept():
    x, y = data()
    net = RandomFeatureNet(9, BAND, dtype=torch.float32, rcond=1e-5).fit(x.float(), y.float())
    assert net.predict(x.float()).dtype == torch.float32


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_nodes": 0}, "`n_nodes` must be at least 1, got n_nodes=0"),
        ({"epochs": 0}, "`epochs` must be at least 1, got epochs=0"),
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
        ({"solve": "normal equations"}, "`solve` must be one of .* got solve='normal equations'"),
        ({"rcond": 1.0}, r"must be in \[0, 1\), got rcond=1.0"),
        ({"rcond": -1e-3}, "got rcond=-0.001"),
        ({"alpha": -1.0}, "not negative, got alpha=-1.0"),
        ({"lr": 0.0}, "`lr` must be positive, got lr=0.0"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        RandomFeatureNet(**{"n_nodes": 3, "sampler": BAND} | options)


def test_an_unknown_activation_is_refused():
    with pytest.raises(UnknownName, match="unknown activation 'sigmiod'"):
        RandomFeatureNet(3, BAND, activation="sigmiod")


def test_a_cut_off_below_single_precision_warns():
    with pytest.warns(RuntimeWarning, match="rcond=1e-10 is below the resolution of torch.float32"):
        RandomFeatureNet(3, BAND, dtype=torch.float32)


def test_fewer_samples_than_nodes_are_explained():
    x, y = data(n=5)
    with pytest.warns(RuntimeWarning, match="5 samples do not determine 9 weights.* least norm .* normal equations"):
        RandomFeatureNet(9, BAND).fit(x, y)


def test_wrong_data_are_refused():
    x, y = data()
    net = RandomFeatureNet(3, BAND)
    with pytest.raises(ValueError, match=r"expected shape \[n, m\], got shape \(60,\)"):
        net.fit(x[:, 0], y)
    with pytest.raises(ValueError, match="inputs must be finite"):
        net.fit(x * nan, y)
    with pytest.raises(ValueError, match="with NaN or infinity"):
        net.fit(x, y * nan)
    with pytest.raises(ValueError, match=r"targets must be finite, \(n,\) or \(n, k\) with n=60, got shape \(59,\)"):
        net.fit(x, y[1:])
    with pytest.raises(ValueError, match="looks at targets, got none"):
        RandomFeatureNet(3, DataDrivenSampler()).draw(x)
    with pytest.raises(ValueError, match="must converge, got weights that are not finite with lr=1000"):
        RandomFeatureNet(3, BAND, solve="sgd", lr=1000.0, epochs=200).fit(x, y)


def test_what_is_asked_too_early_or_of_another_size_is_refused():
    x, y = data()
    net = RandomFeatureNet(3, BAND)
    for ask in (net.predict, net.transform):
        with pytest.raises(RuntimeError, match=r"got no data yet. Call .fit\(x, y\)"):
            ask(x)
    with pytest.raises(RuntimeError, match="must be fitted first"):
        net.draw(x).predict(x)
    with pytest.raises(ValueError, match=r"must have m=2 numbers.* got shape \(60, 1\)"):
        net.fit(x, y).predict(x[:, :1])
