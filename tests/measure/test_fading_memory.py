from __future__ import annotations

import pytest
import torch
from torch import nn

from replank.measure import echo_state_distance
from replank.parts.recurrent import EchoState, QuantumGRU, QuantumLSTM, QuantumRNN, Reservoir, SixCircuitLSTM
from replank.seeding import isolated, torch_stream

F64 = torch.float64


class Integrator(nn.Module):
    """h_t = h_{t-1} + x_t: the identity as recurrence, which forgets nothing."""

    batch_first = True

    def forward(self, batch, state):
        outputs = state.transpose(0, 1) + batch.cumsum(1)
        return outputs, outputs[:, -1:].transpose(0, 1)


def rand(*shape, seed=0):
    return 2 * torch.rand(*shape, dtype=F64, generator=torch_stream(seed, "states")) - 1


def zeros_and_random(layer, n=1, seed=0):
    shapes = layer.state_shapes()
    pairs = [(torch.zeros(1, n, *shape, dtype=F64), rand(1, n, *shape, seed=seed)) for shape in shapes]
    first, second = zip(*pairs, strict=True)
    return (first[0], second[0]) if len(shapes) == 1 else (first, second)


def build(kind, *sizes, seed=0, **options):
    with isolated(seed, "part"):
        return Reservoir(*sizes, core=kind, batch_first=True, dtype=F64, options=options)


def test_of_a_linear_recurrence_it_is_the_matrix_power():
    layer = nn.RNN(1, 2, bias=False, dtype=F64)
    matrix = torch.tensor([[0.5, 0.2], [0.0, 0.3]], dtype=F64)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(matrix)
    tiny = 1e-6 * rand(1, 3, 2)  # where tanh is linear
    found = echo_state_distance(layer, torch.zeros(5, 3, 1, dtype=F64), torch.zeros_like(tiny), tiny)
    expected = [(tiny[0] @ torch.matrix_power(matrix, t).T).norm(dim=1) for t in range(1, 6)]
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-9, atol=0)


@pytest.mark.parametrize("batch_first", [True, False])
def test_all_tensors_of_the_state_count(batch_first):
    with isolated(0, "part"):
        layer = nn.LSTM(2, 3, batch_first=batch_first, dtype=F64)
    inputs = rand(4, 5, 2)
    first, second = (tuple(rand(1, 4, 3, seed=seed) for seed in seeds) for seeds in ((1, 2), (3, 4)))
    found = echo_state_distance(layer, inputs if batch_first else inputs.transpose(0, 1), first, second)
    assert found.shape == (5, 4)
    ends = [layer(inputs if batch_first else inputs.transpose(0, 1), state)[1] for state in (first, second)]
    squares = sum((a - b).square().sum(-1) for a, b in zip(*ends, strict=True))
    torch.testing.assert_close(found[-1], squares[0].sqrt())


def test_equal_states_stay_equal_and_order_does_not_matter():
    layer = build(QuantumGRU, 1, 3, init_scale=None)
    first, second = zeros_and_random(layer)
    inputs = rand(1, 10, 1)
    assert not echo_state_distance(layer, inputs, second, second).any()
    there, back = (echo_state_distance(layer, inputs, *pair) for pair in ((first, second), (second, first)))
    torch.testing.assert_close(there, back)


@pytest.mark.parametrize(("kind", "hidden"), [(QuantumRNN, 3), (QuantumGRU, 3), (QuantumLSTM, 3), (SixCircuitLSTM, 4)])
def test_quantum_reservoirs_forget_within_forty_steps(kind, hidden):
    """Of twenty, drawn uniformly, nineteen at least."""
    forgot = 0
    for seed in range(20):
        layer = build(kind, 1, hidden, seed=seed, init_scale=None)
        distances = echo_state_distance(layer, rand(1, 40, 1, seed=seed), *zeros_and_random(layer, seed=seed))
        forgot += bool(distances[-1] < 1e-6)
    assert forgot >= 19


def test_what_forgets_nothing_is_found_out():
    inputs, state = rand(1, 40, 1), rand(1, 1, 3)
    distances = echo_state_distance(Integrator(), inputs, torch.zeros_like(state), state)
    torch.testing.assert_close(distances, state.norm().expand(40, 1))
    wild = build(EchoState, 1, 50, spectral_radius=4.0, input_scale=0.1)
    assert echo_state_distance(wild, inputs, *zeros_and_random(wild))[-1] > 1e-6


@pytest.mark.parametrize(
    ("inputs", "second", "law"),
    [
        (torch.zeros(5, 1, dtype=F64), torch.zeros(1, 1, 3, dtype=F64), r"must have a batch.*got shape \(5, 1\)"),
        (torch.zeros(1, 5, 1, dtype=F64), torch.zeros(1, 1, 2, dtype=F64), "same shapes"),
        (torch.zeros(1, 5, 1, dtype=F64), (torch.zeros(1, 1, 3, dtype=F64),) * 2, "same shapes"),
    ],
    ids=["no batch", "size", "number"],
)
def test_wrong_use_is_refused(inputs, second, law):
    with pytest.raises(ValueError, match=law):
        echo_state_distance(Integrator(), inputs, torch.zeros(1, 1, 3, dtype=F64), second)
