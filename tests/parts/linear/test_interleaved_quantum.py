"""What is special about a circuit whose angles are shifted by the features; contracts are tested with all parts."""

from __future__ import annotations

import math

import pytest
import torch

from replank.parts.linear import InterleavedQuantumLinear
from replank.seeding import isolated, torch_stream

F64 = torch.float64


def part(**options) -> InterleavedQuantumLinear:
    sizes = {"in_features": 256, "out_features": 2, "bias": False, "n_qubits": 10, "n_blocks": 9}
    with isolated(0, "part"):
        return InterleavedQuantumLinear(**(sizes | options), dtype=F64)


def small(**options) -> InterleavedQuantumLinear:
    return part(**({"in_features": 20, "n_qubits": 4, "n_blocks": 2, "scale": 1.5} | options))


def features(n: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, width, dtype=F64, generator=torch_stream(seed, "features"))


def test_the_published_size_is_the_default_for_256_features():
    published = InterleavedQuantumLinear(256, 2, bias=False)
    assert (published.n_qubits, published.n_blocks, published.readout, published.scale) == (10, 9, 4, 2.0)
    assert sum(each.numel() for each in published.parameters()) == 270


def test_the_circuit_is_the_published_one():
    operations = list(small().circuit())
    assert [each.label for each in operations[:12]] == ["RX"] * 4 + ["RZ"] * 4 + ["RX"] * 4
    assert [each.wires for each in operations[12:15]] == [(0, 1), (2, 3), (1, 2)]
    assert str(operations[5].angles[0]) == "theta[5] + 1.5*x[5]"
    assert str(operations[-4].angles[0]) == "theta[23]"  # beyond the last feature an angle is a weight alone


@torch.no_grad()
def test_probabilities_sum_to_one():
    for model in (part(), small(out_features=4)):
        p = model.probabilities(features(5, model.in_features))
        torch.testing.assert_close(p.sum(1), torch.ones(5, dtype=F64), atol=1e-10, rtol=0)
        torch.testing.assert_close(model(features(5, model.in_features)).exp(), p)


def test_the_gradient_to_a_feature_is_that_to_its_angle_times_the_factor():
    model = part()
    x = features(1, 256).requires_grad_()
    by_x, by_theta = torch.autograd.grad(model(x)[0, 0], (x, model.layer.theta))
    torch.testing.assert_close(by_x[0], 2 * by_theta[:256], atol=1e-10, rtol=0)


def test_the_gradient_is_what_the_parameter_shift_rule_gives():
    model = small()
    x = features(3, 20).requires_grad_()
    (exact,) = torch.autograd.grad(model.layer(x)[:, 0].sum(), x)
    (shifted,) = torch.autograd.grad(model.layer.on(gradient="parameter_shift")(x)[:, 0].sum(), x)
    torch.testing.assert_close(exact, shifted, atol=1e-8, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_no_probability_is_steeper_than_half_the_factor(scale):
    model = small(scale=scale)
    x, other = (3 * features(1000, 20, seed) for seed in (0, 1))
    near = x + 0.1 * (other - x)
    for end in (other, near):
        change = (model.probabilities(end) - model.probabilities(x)).abs()[:, 0]
        assert (change <= scale / 2 * (end - x).abs().sum(1) + 1e-12).all()


@torch.no_grad()
def test_the_bound_on_the_slope_is_sharp():
    single = InterleavedQuantumLinear(1, 2, bias=False, n_qubits=1, n_blocks=1, scale=2.0, dtype=F64)
    single.layer.theta.zero_()
    x = torch.tensor([[math.pi / 4 - 1e-4], [math.pi / 4 + 1e-4]], dtype=F64)
    p = single.probabilities(x)[:, 0]
    assert float((p[0] - p[1]) / 2e-4) == pytest.approx(1.0, abs=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("feature", [0, 7, 17])
def test_outputs_are_periodic_in_each_feature(feature):
    model = small()
    x = features(4, 20)
    moved = x.clone()
    moved[:, feature] += 2 * math.pi / 1.5
    torch.testing.assert_close(model(moved), model(x), atol=1e-10, rtol=0)
    moved[:, feature] += 0.3
    assert not torch.allclose(model(moved), model(x), atol=1e-4)


@torch.no_grad()
def test_a_feature_whose_angle_the_readout_can_not_see_does_nothing():
    model = small()  # in the last block only qubits 0 and 1 reach Z of qubit 1
    x = features(4, 20)
    moved = x.clone()
    moved[:, 18:] += 1
    torch.testing.assert_close(model(moved), model(x))


@torch.no_grad()
def test_impossible_outcomes_have_finite_logarithms():
    single = InterleavedQuantumLinear(1, 2, bias=False, n_qubits=1, n_blocks=1)
    single.layer.theta.zero_()
    logs = single(torch.zeros(3, 1))
    assert logs.isfinite().all()
    assert (logs[:, 1] < -50).all()


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"n_blocks": 8}, "10 qubits and 8 blocks have 240 angles, got in_features=256"),
        ({"in_features": 271}, "10 qubits and 9 blocks have 270 angles, got in_features=271"),
        ({"readout": 10}, "got n_qubits=10 and readout=10"),
        ({"readout": -1}, "got n_qubits=10 and readout=-1"),
        ({"n_qubits": 1, "n_blocks": 90, "out_features": 4}, "4 outcomes are read from 2 of at most 20 qubits"),
        ({"n_qubits": 21, "n_blocks": 5}, "at most 20 qubits, got n_qubits=21"),
        ({"scale": 0.0}, "`scale` must be a finite number other than 0, got 0.0"),
        ({"scale": math.inf}, "`scale` must be a finite number other than 0, got inf"),
        ({"n_qubits": 0}, "n_qubits must be an integer at least 1"),
        ({"n_blocks": 0}, "n_blocks must be an integer at least 1"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change, law):
    with pytest.raises(ValueError, match=law):
        part(**change)
