from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from replank.measure import count_moved, gradient_norms

X = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(4, 3)
Y = torch.tensor([0, 1, 1, 0])


class Host(nn.Module):
    """Two layers, a parameter of its own, and everything that a forward pass can disturb."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Dropout(0.5))
        self.head = nn.Linear(5, 2)
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.idle = nn.Linear(1, 1)
        self.double()

    def forward(self, x):
        return self.scale * self.head(self.body(x))


def loss(model: nn.Module) -> torch.Tensor:
    return functional.cross_entropy(model(X), Y)


@pytest.fixture
def host() -> Host:
    torch.manual_seed(0)
    return Host()


def test_closed_form_of_a_linear_model():
    model = nn.Sequential(nn.Linear(3, 1, bias=False)).double()
    # d/dw of the mean of w.x is the mean of x
    assert gradient_norms(model, lambda: model(X).mean()) == {"0": pytest.approx(float(X.mean(dim=0).norm()))}


def test_agrees_with_backward(host):
    witness = copy.deepcopy(host).eval()
    host.eval()
    loss(witness).backward()
    expected = {
        name: torch.cat([parameter.grad.flatten() for parameter in child.parameters()]).norm().item()
        for name, child in (("body", witness.body), ("head", witness.head))
    }
    norms = gradient_norms(host, lambda: loss(host))
    assert norms == pytest.approx({**expected, "scale": abs(witness.scale.grad.item()), "idle": 0})


def test_nothing_is_left_behind(host):
    kept = host.head.weight.grad = torch.ones_like(host.head.weight)
    before = copy.deepcopy(host)
    state = torch.random.get_rng_state()
    gradient_norms(host, lambda: loss(host))
    assert all(torch.equal(value, before.state_dict()[name]) for name, value in host.state_dict().items())
    assert [name for name, parameter in host.named_parameters() if parameter.grad is not None] == ["head.weight"]
    assert host.head.weight.grad is kept
    assert kept.eq(1).all()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert host.training


def test_works_where_gradients_are_off(host):
    host.eval()
    expected = gradient_norms(host, lambda: loss(host))
    with torch.no_grad():
        assert gradient_norms(host, lambda: loss(host)) == expected


def test_complex_parameters_count_with_both_parts():
    model = nn.Module()
    model.z = nn.Parameter(torch.tensor(3 + 4j))
    # torch's gradient of |z|² is 2z, of length 10
    assert gradient_norms(model, lambda: model.z.abs().square()) == {"z": pytest.approx(10)}


def test_what_is_frozen_is_left_out(host):
    host.body.requires_grad_(False)
    assert gradient_norms(host, lambda: loss(host)).keys() == {"head", "scale", "idle"}
    assert gradient_norms(host.requires_grad_(False), lambda: loss(host)) == {}


@pytest.mark.parametrize(
    ("closure", "law"),
    [
        (lambda model: model(X).sum(dim=0), r"must return a scalar .* got shape=\(2,\)"),
        (lambda model: torch.tensor(1.0), r"depends on a trainable parameter, got shape=\(\), requires_grad=False"),
    ],
    ids=["vector", "constant"],
)
def test_wrong_loss_is_refused_and_buffers_are_put_back(host, closure, law):
    before = host.body[1].running_mean.clone()
    with pytest.raises(ValueError, match=law):
        gradient_norms(host, lambda: closure(host))
    assert torch.equal(host.body[1].running_mean, before)


def test_what_can_not_be_trained_is_counted_out(host):
    host.eval()
    n = sum(parameter.numel() for parameter in host.parameters())
    assert count_moved(host, lambda: loss(host)) == n - 2  # the idle layer has two
    assert count_moved(host.requires_grad_(False), lambda: loss(host)) == 0


def test_gradients_that_are_rounding_do_not_count():
    model = nn.Linear(2, 1, bias=False, dtype=torch.float64)
    sizes = torch.tensor([1.0, 1e-14], dtype=torch.float64)
    assert count_moved(model, lambda: model(sizes).sum()) == 1
    assert count_moved(model, lambda: model(sizes).sum(), tolerance=0) == 2
