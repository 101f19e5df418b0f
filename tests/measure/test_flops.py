from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from replank.circuits import Circuit, QuantumLayer, theta, x
from replank.circuits.cost import flops
from replank.measure import FLOP_COUNTER, forward_flops


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def zeros(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.zeros(shape, dtype=dtype)


N = 6
COMPLEX = torch.complex128
CASES = {
    "linear": (nn.Linear(5, 3).double(), [zeros(7, 5)], 2 * 7 * 5 * 3),
    "linear, more dimensions": (nn.Linear(5, 3).double(), [zeros(2, 7, 5)], 2 * 14 * 5 * 3),
    "conv2d": (nn.Conv2d(2, 4, 3).double(), [zeros(5, 2, 8, 9)], 2 * 5 * 4 * (6 * 7) * (2 * 3 * 3)),
    "conv2d, strided, grouped": (
        nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2).double(),
        [zeros(1, 4, 8, 8)],
        2 * 8 * (4 * 4) * (2 * 3 * 3),
    ),
    "elementwise": (nn.Tanh(), [zeros(100)], 0),
    "matrix times vector": (Function(torch.mv), [zeros(4, 5), zeros(5)], 2 * 4 * 5),
    "dot": (Function(torch.dot), [zeros(5), zeros(5)], 2 * 5),
    "complex matrix product": (
        Function(torch.matmul),
        [zeros(4, 5, dtype=COMPLEX), zeros(5, 6, dtype=COMPLEX)],
        4 * 2 * 4 * 5 * 6,
    ),
    "complex inner product": (Function(torch.vdot), [zeros(5, dtype=COMPLEX), zeros(5, dtype=COMPLEX)], 4 * 2 * 5),
    "eigh": (Function(torch.linalg.eigh), [zeros(2, 3, N, N)], 6 * 9 * N**3),
    "eigh, complex": (Function(torch.linalg.eigh), [zeros(N, N, dtype=COMPLEX)], 4 * 9 * N**3),
    "matrix_exp": (Function(torch.matrix_exp), [zeros(2, N, N)], 2 * 5 * 2 * N**3),
    "matrix_exp, complex": (Function(torch.matrix_exp), [zeros(N, N, dtype=COMPLEX)], 4 * 5 * 2 * N**3),
    "attention": (
        Function(functional.scaled_dot_product_attention),
        [zeros(2, 3, 7, 4)] * 3,
        2 * (2 * 2 * 3 * 7 * 7 * 4),
    ),
    "lstm": (nn.LSTM(5, 3).double(), [zeros(7, 2, 5)], 7 * 2 * 2 * (4 * 3) * (5 + 3)),
    "transformer layer": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).double(),
        [zeros(1, 5, 8)],
        # queries, keys, values and output; scores and weighted sum; feed-forward
        2 * 5 * 8 * (4 * 8) + 2 * (2 * 5 * 5 * 8) + 2 * (2 * 5 * 8 * 16),
    ),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_closed_forms(case):
    module, inputs, expected = CASES[case]
    assert forward_flops(module, *inputs) == expected


@pytest.mark.parametrize("build", [lambda: nn.LSTM(5, 3), lambda: nn.GRU(5, 3)], ids=["lstm", "gru"])
def test_recurrent_layers_agree_with_their_definition(build):
    module = build().double()
    weights = sum(parameter.numel() for parameter in module.parameters() if parameter.ndim == 2)
    assert forward_flops(module, zeros(7, 2, 5)) == 2 * 7 * 2 * weights


def test_grows_with_the_batch():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3)).double()
    assert forward_flops(model, zeros(10, 1, 8, 8)) == 10 * forward_flops(model, zeros(1, 1, 8, 8))


def test_leaves_the_module_as_it_was():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout()).train()
    model[2].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    forward_flops(model, torch.ones(2, 3))
    assert [child.training for child in model] == [True, True, False]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.fixture(params=[True, False], ids=["fast path", "no fast path"])
def fast_path(request):
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(request.param)
    yield request.param
    torch.backends.mha.set_fastpath_enabled(before)


def test_leaves_the_switches_of_torch_as_they_were(fast_path):
    forward_flops(nn.Linear(2, 2), torch.ones(1, 2))
    assert torch.backends.mha.get_fastpath_enabled() == fast_path


def test_the_counter_says_what_it_counts():
    assert all(word in FLOP_COUNTER for word in ("multiply-add", "eigh at 9n³", "element-wise", "complex"))


def test_circuits_are_counted_though_torch_does_not_see_them():
    circuit = Circuit(3).ry(x[0], 0).ry(x[1], 1).cnot(0, 1).cnot(1, 2).ry(theta[0], 0).rx(theta[1], 2)
    layer = QuantumLayer(circuit)
    (component,) = layer.plan.components
    each, _ = flops(component.program, len(component.words))
    assert each > 0
    assert forward_flops(layer, torch.zeros(5, 2)) == 5 * each
    assert forward_flops(nn.Sequential(nn.Linear(4, 2), layer), torch.zeros(5, 4)) == 5 * each + 2 * 5 * 4 * 2


def test_a_rotation_costs_six_operations_for_each_amplitude():
    def cost(n_rotations: int) -> int:
        circuit = Circuit(4).cnot(0, 1).cnot(1, 2).cnot(2, 3)
        for _ in range(n_rotations):  # they do not commute: none is merged with another
            circuit.ry(theta[0], 0).rxx(theta[1], 0, 1)
        (component,) = circuit.plan().components
        return flops(component.program, len(component.words))[0]

    assert cost(3) - cost(2) == cost(2) - cost(1) == 2 * 6 * 2**4
