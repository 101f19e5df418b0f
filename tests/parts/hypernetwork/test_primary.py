"""Networks that are called with predicted parameters, and what they refuse."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

from replank.errors import UnknownName
from replank.parts.hypernetwork import batched_primary, functional_primary, release_parameters


def primary():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()


def parameters(module, factor=2.0):
    return {name: factor * each.detach() for name, each in module.named_parameters()}


X = torch.linspace(-1, 1, 15, dtype=torch.float64).reshape(5, 3)


def test_it_is_the_module_with_these_parameters():
    module = primary()
    twin = copy.deepcopy(module)
    twin.load_state_dict(parameters(module))
    assert torch.equal(functional_primary(module, parameters(module), X), twin(X))


def test_a_released_module_has_no_parameters_and_needs_them():
    module = primary()
    params = parameters(module)
    expected = functional_primary(module, params, X)
    release_parameters(module, list(params))
    assert not list(module.parameters())
    assert not module.state_dict()
    for made in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module)), module.float()):
        assert torch.equal(functional_primary(made, params, X), expected)
        with pytest.raises(RuntimeError, match=r"predicted.*'0\.weight'.*functional_primary"):
            made(X)


def test_what_is_not_released_stays_its_own():
    module = primary()
    params = parameters(module, 1.0)
    expected = module(X)
    release_parameters(module, ["0.weight", "0.bias"])
    assert [name for name, _ in module.named_parameters()] == ["2.weight", "2.bias"]
    assert torch.equal(functional_primary(module, {name: params[name] for name in ("0.weight", "0.bias")}, X), expected)
    with pytest.raises(ValueError, match=r"unexpected=\['2.bias', '2.weight'\]"):
        functional_primary(module, params, X)
    with pytest.raises(UnknownName, match=r"0.weight"):
        release_parameters(module, ["0.weight"])


def test_names_and_shapes_are_checked():
    module = primary()
    params = parameters(module)
    wrong = {name: each for name, each in params.items() if name != "2.bias"} | {"3.bias": params["2.bias"]}
    with pytest.raises(ValueError, match=r"missing=\['2.bias'\], unexpected=\['3.bias'\]"):
        functional_primary(module, wrong, X)
    with pytest.raises(ValueError, match="missing"):
        functional_primary(module, {}, X)
    with pytest.raises(ValueError, match=r"'0.weight' must have shape \(4, 3\), got \(3, 4\)"):
        functional_primary(module, params | {"0.weight": params["0.weight"].T}, X)
    with pytest.raises(ValueError, match="batched_primary"):
        functional_primary(module, {name: each[None] for name, each in params.items()}, X)


class Breaks(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 3, dtype=torch.float64)

    def forward(self, x):
        self.inner(x)
        raise ArithmeticError("inside")


def test_no_weights_are_left_behind_by_an_error():
    module = Breaks()
    before = {name: (each, each.detach().clone()) for name, each in module.named_parameters()}
    with pytest.raises(ArithmeticError):
        functional_primary(module, parameters(module), X)
    for name, parameter in module.named_parameters():
        assert parameter is before[name][0]
        assert torch.equal(parameter, before[name][1])
    released = release_parameters(Breaks(), ["inner.weight", "inner.bias"])
    with pytest.raises(ArithmeticError):
        functional_primary(released, parameters(module), X)
    assert released.inner.weight is None


def test_a_batch_of_parameters_is_a_loop():
    module = primary()
    stacked = {name: torch.stack([k * each for k in range(1, 6)]) for name, each in parameters(module).items()}
    outputs = batched_primary(module, stacked, X)
    for index in range(5):
        own = {name: each[index] for name, each in stacked.items()}
        torch.testing.assert_close(outputs[index], functional_primary(module, own, X[index : index + 1])[0])
    with pytest.raises(ValueError, match="each of 4 inputs"):
        batched_primary(module, stacked, X[:4])


def test_buffers_stay_with_the_primary():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).double()
    functional_primary(module, parameters(module), X)
    assert module[1].num_batches_tracked == 1
    assert module[1].running_mean.any()


def test_batch_normalisation_in_training_mode_can_not_be_mapped():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).double()
    stacked = {name: torch.stack([each] * 5) for name, each in parameters(module).items()}
    with pytest.raises(ValueError, match=r"batch normalisation.*'1'.*training mode"):
        batched_primary(module, stacked, X)
    assert batched_primary(module.eval(), stacked, X).shape == (5, 4)
