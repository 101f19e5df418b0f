from __future__ import annotations

import pytest
import torch
from torch import nn

from replank.circuits import Circuit, QuantumLayer, theta, x
from replank.measure import count_circuit_evaluations
from replank.parts.recurrent import QuantumFastWeights, SixCircuitLSTM


class LastStep(nn.Module):
    def __init__(self, core, readout=None):
        super().__init__()
        self.core, self.readout = core, readout or nn.Identity()

    def forward(self, batch):
        return self.readout(self.core(batch)[0][:, -1])


@pytest.mark.parametrize("n_steps", [1, 4, 6])
def test_fast_weights_run_one_circuit_a_step_and_the_quantum_lstm_six(n_steps):
    window = torch.rand(1, n_steps, 1)
    fast = LastStep(QuantumFastWeights(1, 1, batch_first=True))
    long = LastStep(SixCircuitLSTM(1, 4, batch_first=True), nn.Linear(4, 1))
    assert count_circuit_evaluations(fast, window).forward == n_steps
    assert count_circuit_evaluations(long, window).forward == 6 * n_steps


def test_only_circuits_that_reach_the_output_are_shifted():
    window = torch.rand(1, 4, 1)
    fast = count_circuit_evaluations(LastStep(QuantumFastWeights(1, 1, batch_first=True)), window)
    assert fast.shifted == 2 * (1 + 16)  # the last step's: the feature and 2 layers of 8 angles, two shifts each
    core = SixCircuitLSTM(1, 4, init_scale=None, batch_first=True)
    long = count_circuit_evaluations(LastStep(core, nn.Linear(4, 1)), window)
    weights, features = 2 * 24, 2 * 8
    # features of the first step are data; there is nothing to forget in it, and its output is not read
    first = 3 * weights + weights + features
    middle = 4 * (weights + features) + weights + features
    assert long.shifted == first + 2 * middle + middle  # the last step's state is not read, but its output is


def test_circuits_of_one_layer_and_samples_count_one_by_one():
    circuit = Circuit(1).rx(x[0], 0).ry(theta[0], 0)
    layer = QuantumLayer(circuit, n_circuits=3)
    assert count_circuit_evaluations(layer, torch.rand(5, 1, 1)) == (15, 15 * 2)
    assert count_circuit_evaluations(layer.requires_grad_(False), torch.rand(5, 1, 1)) == (15, 0)


def test_a_model_without_circuits_needs_none_and_is_left_as_it_was():
    model = nn.Linear(3, 2)
    assert count_circuit_evaluations(model, torch.rand(1, 3)) == (0, 0)
    assert model.weight.grad is None
    layer = QuantumLayer(Circuit(1).rx(x[0], 0).ry(theta[0], 0))
    count_circuit_evaluations(layer, torch.rand(1, 1))
    assert layer.theta.grad is None
    assert not layer._forward_hooks
