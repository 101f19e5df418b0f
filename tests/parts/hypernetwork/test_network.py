"""Hypernetworks: homogeneity, independent parameters, shapes, and what they refuse."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from replank.errors import UnknownName
from replank.parts.hypernetwork import HyperNetwork, functional_primary

DOUBLE = {"dtype": torch.float64}
OUT = {"conv.weight": (4, 2, 3, 3), "conv.bias": (4,), "fc.weight": (3, 8), "fc.bias": (3,)}


def net(d=2, hidden=(16, 32), **options):
    torch.manual_seed(options.pop("seed", 0))
    return HyperNetwork({"gamma": (d,)}, OUT, hidden, **DOUBLE, **options)


def gamma(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# -- homogeneity -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.1, 2.0, 10.0])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("hidden", [(), (16,), (16, 32, 8)])
def test_raw_predictions_are_homogeneous(factor, activation, hidden):
    made, one = net(hidden=hidden, activation=activation), gamma(2)
    small, large = made(gamma=one), made(gamma=factor * one)
    for name in OUT:
        torch.testing.assert_close(large[name], factor * small[name])


@pytest.mark.parametrize(
    "options",
    [{"activation": "gelu"}, {"activation": "silu"}, {"activation": "tanh"}, {"residual": True}, {"norm": "layer"}],
)
def test_others_are_not(options):
    made, one = net(**options), gamma(2)
    assert not torch.allclose(made(gamma=2 * one)["fc.weight"], 2 * made(gamma=one)["fc.weight"], rtol=1e-3)


def test_a_bias_breaks_homogeneity():
    made, one = net(), gamma(2)
    nn.init.normal_(made.body[0].bias)
    assert not torch.allclose(made(gamma=2 * one)["fc.weight"], 2 * made(gamma=one)["fc.weight"], rtol=1e-3)


# -- independent parameters --------------------------------------------------------------------------------------------


def test_without_a_last_layer_there_is_theta_0_for_every_input():
    made = net(encoding="cos|sin", residual=True)
    nn.init.zeros_(made.head.weight)
    own = made.independent_parameters()
    for seed in range(3):
        predicted = made(gamma=gamma(2, seed=seed))
        assert all(torch.equal(predicted[name], own[name]) for name in OUT)


def test_theta_0_starts_from_the_usual_values():
    own = net(residual=True).independent_parameters()
    assert not own["conv.bias"].any()
    assert float(own["fc.weight"].detach().std()) == pytest.approx(math.sqrt(2 / 8), rel=0.3)
    norm = HyperNetwork({"gamma": (1,)}, {"norm.weight": (4,)}, (), residual=True)
    assert norm.independent_parameters()["norm.weight"].tolist() == [1, 1, 1, 1]


def test_from_module_keeps_the_modules_values():
    primary = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    made = HyperNetwork.from_module(primary, {"gamma": (1,)}, (8,), residual=True, encoding="cos|sin")
    assert list(made.output_shapes) == [name for name, _ in primary.named_parameters()]
    for name, parameter in primary.named_parameters():
        assert torch.equal(made.independent_parameters()[name], parameter)
    assert not HyperNetwork.from_module(primary, {"gamma": (1,)}, (8,)).head.bias.any()
    part = HyperNetwork.from_module(primary, {"gamma": (1,)}, (8,), include="2.*")
    assert list(part.output_shapes) == ["2.weight", "2.bias"]
    assert list(HyperNetwork.from_module(primary, {"gamma": (1,)}, (), include=["0.b*", "2.b*"]).output_shapes) == [
        "0.bias",
        "2.bias",
    ]
    with pytest.raises(UnknownName, match="conv"):
        HyperNetwork.from_module(primary, {"gamma": (1,)}, (8,), include="conv*")


def test_gradients_reach_both_and_freezing_stops_one():
    made = net(encoding="cos|sin", residual=True)

    def gradients():
        made.zero_grad()
        sum(each.square().sum() for each in made(gamma=gamma(2)).values()).backward()
        return {name: each.grad is not None and bool(each.grad.any()) for name, each in made.named_parameters()}

    assert all(gradients().values())
    made.freeze_independent()
    assert [name for name, reached in gradients().items() if not reached] == ["head.bias"]
    made.freeze_independent(False)
    assert all(gradients().values())


def test_there_is_nothing_to_freeze_without_theta_0():
    for action in (net().freeze_independent, net().independent_parameters):
        with pytest.raises(ValueError, match="residual=False"):
            action()


# -- shapes ------------------------------------------------------------------------------------------------------------


def test_a_batch_is_a_loop():
    made = HyperNetwork({"b": (2, 2), "a": ()}, OUT, (8,), "cos|sin", True, **DOUBLE)
    b, a = gamma(5, 2, 2), gamma(5, seed=1)
    batched = made(a=a, b=b)
    for index in range(5):
        single = made(a=a[index], b=b[index])
        for name, shape in OUT.items():
            assert single[name].shape == shape
            torch.testing.assert_close(batched[name][index], single[name], rtol=1e-12, atol=1e-12)
    mapped = torch.func.vmap(lambda one, other: made(a=one, b=other))(a, b)
    for name in OUT:
        torch.testing.assert_close(mapped[name], batched[name], rtol=1e-12, atol=1e-12)
        assert batched[name].shape == (5, *OUT[name])


def test_flatten_is_the_inverse():
    made = net(residual=True)
    flat = made.head(made.features(gamma=gamma(7, 2)))
    assert torch.equal(made.flatten(made(gamma=gamma(7, 2))), flat)
    assert torch.equal(made.flatten(made.independent_parameters()), made.head.bias)
    assert list(made(gamma=gamma(2))) == list(OUT)
    with pytest.raises(ValueError, match=r"missing=\['fc.bias'\]"):
        made.flatten({name: torch.zeros(shape) for name, shape in OUT.items() if name != "fc.bias"})


def test_inputs_stand_in_the_order_of_their_names():
    first = HyperNetwork({"b": (1,), "a": (1,)}, {"w": (2,)}, (), **DOUBLE)
    a, b = gamma(1), gamma(1, seed=1)
    torch.testing.assert_close(first(b=b, a=a)["w"], first.head.weight @ torch.cat((a, b)))


def test_state_dict():
    made, other = net(residual=True, norm="layer"), net(residual=True, norm="layer", seed=1)
    other.load_state_dict(made.state_dict())
    assert all(
        torch.equal(a, b) for a, b in zip(made(gamma=gamma(2)).values(), other(gamma=gamma(2)).values(), strict=True)
    )


@pytest.mark.parametrize("d", [1, 4])
def test_the_encoding_costs_d_times_the_first_width(d):
    counts = [
        sum(each.numel() for each in net(d, encoding=encoding, residual=True).parameters())
        for encoding in ("none", "cos|sin")
    ]
    assert counts[1] - counts[0] == d * 16


def test_the_last_layer_starts_by_fan_out_of_each_tensor():
    made = net(hidden=(4000,))
    blocks = torch.split(made.head.weight, [math.prod(shape) for shape in OUT.values()])
    for (name, shape), block in zip(OUT.items(), blocks, strict=True):
        expected = 0 if name.endswith("bias") else 2 / (1 + 0.01**2) / math.prod(shape)
        assert float(block.detach().var()) == pytest.approx(expected, rel=0.03)
    body = net(hidden=(4000,)).body[0]
    assert float(body.weight.detach().var()) == pytest.approx(2 / (1 + 0.01**2) / 4000, rel=0.06)
    assert not body.bias.any()


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_names_are_listed():
    with pytest.raises(ValueError, match=r"missing=\['gamma'\], unexpected=\['gama', 'x'\]"):
        net()(gama=gamma(2), x=gamma(2))


def test_shapes_are_said():
    for shape in ((3,), (), (4, 3), (2, 2, 2), (2, 1)):
        with pytest.raises(ValueError, match=r"\(2,\) or \('B', 2\)"):
            net()(gamma=gamma(*shape))


def test_batch_sizes_must_agree():
    made = HyperNetwork({"a": (1,), "b": (1,)}, OUT, (8,), **DOUBLE)
    for a, b in ((3, 4), (3, None), (1, 3)):
        with pytest.raises(ValueError, match="one batch size"):
            made(a=gamma(a, 1), b=gamma(1) if b is None else gamma(b, 1))


def test_values_and_dtypes():
    made = net(encoding="cos|sin")
    with pytest.raises(ValueError, match="NaN"):
        made(gamma=torch.tensor([0.1, math.nan], **DOUBLE))
    with pytest.raises(ValueError, match="NaN"):
        net()(gamma=torch.tensor([0.1, math.nan], **DOUBLE))
    with pytest.raises(ValueError, match="clamp=True"):
        made(gamma=torch.tensor([0.1, 1.5], **DOUBLE))
    clamped = net(encoding="cos|sin", clamp=True)
    assert clamped(gamma=torch.tensor([0.1, 1.5], **DOUBLE))["fc.bias"].isfinite().all()
    with pytest.raises(TypeError, match="int64"):
        made(gamma=torch.tensor([0, 1]))
    with pytest.raises(TypeError, match="float32"):
        made(gamma=torch.tensor([0.1, 0.5]))


@pytest.mark.parametrize(
    "options",
    [{"encoding": "sin"}, {"activation": "swoosh"}, {"norm": "group"}, {"init": "zeros"}, {"hidden": (4, 0)}],
)
def test_options_that_are_not_known(options):
    with pytest.raises(ValueError, match=r"|".join(options)):
        net(**options)


def test_no_shapes():
    for shapes in ({}, {"w": (0, 3)}):
        with pytest.raises(ValueError, match="entries"):
            HyperNetwork({"gamma": (1,)}, shapes, ())
        with pytest.raises(ValueError, match="entries"):
            HyperNetwork(shapes, {"w": (1,)}, ())


def test_batch_normalisation_needs_a_batch():
    made = net(norm="batch")
    with pytest.raises(ValueError, match="batch of hyper-inputs"):
        made(gamma=gamma(2))
    assert made(gamma=gamma(4, 2))["fc.bias"].shape == (4, 3)


def test_primaries_that_are_tied_or_lazy_or_empty():
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    with pytest.raises(ValueError, match=r"'1\.weight' tied to '0\.weight'"):
        HyperNetwork.from_module(tied, {"gamma": (1,)}, ())
    with pytest.raises(ValueError, match="lazy"):
        HyperNetwork.from_module(nn.LazyLinear(3), {"gamma": (1,)}, ())
    with pytest.raises(ValueError, match="ReLU"):
        HyperNetwork.from_module(nn.ReLU(), {"gamma": (1,)}, ())


def test_gradients_of_the_functional_call_are_those_of_a_network_by_hand():
    primary = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    made = HyperNetwork.from_module(primary, {"gamma": (2,)}, (8,), residual=True, encoding="cos|sin")
    x, one = torch.randn(5, 3, **DOUBLE), gamma(2)
    called = functional_primary(primary, made(gamma=one), x).square().mean()
    theta = made(gamma=one)
    by_hand = torch.tanh(x @ theta["0.weight"].T + theta["0.bias"]) @ theta["2.weight"].T + theta["2.bias"]
    parameters = list(made.parameters())
    torch.testing.assert_close(
        torch.autograd.grad(called, parameters),
        torch.autograd.grad(by_hand.square().mean(), parameters),
        rtol=1e-10,
        atol=1e-12,
    )
