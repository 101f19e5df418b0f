"""ReservoirPy and PennyLane as witnesses of the study quantum-reservoir: states, read-outs, and what is remembered."""

from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch
from reservoirpy import nodes

from replank import datasets
from replank.features.ridge_readout import RidgeReadout
from replank.lab.forecasting import Forecaster, forecasting_data, solved
from replank.measure import memory_capacity
from replank.parts.recurrent import EchoState, QuantumRNN, Reservoir
from replank.seeding import isolated, torch_stream

F64 = torch.float64
SEEDS = range(3)


def build(kind, *sizes, seed, **options):
    with isolated(seed, "part"):
        return kind(*sizes, batch_first=True, dtype=F64, **options)


def rand(*shape, seed=0):
    return 2 * torch.rand(*shape, dtype=F64, generator=torch_stream(seed, "input")) - 1


def in_reservoirpy(network):
    """The same echo state network; what ReservoirPy draws itself is another distribution."""
    return nodes.Reservoir(
        W=network.of_state.numpy(), Win=network.of_input.numpy(), bias=network.shift.numpy(), lr=network.leak
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_an_echo_state_network(seed, leak):
    network = build(EchoState, 2, 20, seed=seed, leak=leak)
    inputs = rand(50, 2, seed=seed)
    np.testing.assert_allclose(network(inputs)[0].numpy(), in_reservoirpy(network).run(inputs.numpy()), atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("penalty", [1e-6, 1e-2, 1.0])
def test_a_ridge_read_out(seed, penalty):
    states, targets = rand(60, 7, seed=seed), rand(60, 2, seed=seed + 10)
    known = nodes.Ridge(ridge=penalty).fit(states.numpy(), targets.numpy())
    readout = RidgeReadout(penalty).fit(states, targets)
    np.testing.assert_allclose(readout.weight.numpy(), known.Wout, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(readout.predict(states).numpy(), known.run(states.numpy()), atol=1e-8)


@pytest.mark.parametrize("seed", SEEDS)
def test_memory_capacity_of_an_echo_state_network(seed):
    """One fit of their read-out for each delay, and numpy's correlations."""
    network, u, most, washout = build(EchoState, 1, 6, seed=seed), rand(600, seed=seed), 5, 100
    states = in_reservoirpy(network).run(u.unsqueeze(1).numpy())[washout:]
    half, expected = len(states) // 2, []
    for delay in range(1, most + 1):
        earlier = u[washout - delay : len(u) - delay].unsqueeze(1).numpy()
        readout = nodes.Ridge(ridge=0.0).fit(states[:half], earlier[:half])
        told = readout.run(states[half:])
        expected.append(np.corrcoef(told[:, 0], earlier[half:, 0])[0, 1] ** 2)
    found = memory_capacity(network(u.unsqueeze(1))[0], u, most, washout=washout)
    np.testing.assert_allclose(found.by_delay, expected, atol=1e-8)


def states_by_pennylane(windows, weights):
    """Of a QRNN of four qubits, whose rings go one and two qubits far, all windows at once: ``(B, T, 1) -> (B, 3)``."""
    n = 4

    @qml.qnode(qml.device("default.qubit", wires=n))
    def circuit(features):
        for wire in range(n):
            qml.Hadamard(wires=wire)
            qml.RY(np.arctan(features[:, wire]), wires=wire)
            qml.RZ(np.arctan(features[:, wire] ** 2), wires=wire)
        for layer in weights:
            for reach in (1, 2):
                for wire in range(n):
                    qml.CNOT(wires=[wire, (wire + reach) % n])
            for wire in range(n):
                qml.Rot(*layer[wire], wires=wire)
        return [qml.expval(qml.PauliZ(wire)) for wire in range(n - 1)]

    hidden = np.zeros((len(windows), n - 1))
    for step in range(windows.shape[1]):
        hidden = np.tanh(np.stack(circuit(np.concatenate((windows[:, step], hidden), axis=1)), axis=1))
    return hidden


@pytest.mark.parametrize("init_scale", [0.01, None], ids=["published", "uniform"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_whole_forecast_by_a_quantum_reservoir(seed, init_scale):
    """PennyLane's states and ReservoirPy's read-out forecast J2 as the study's arms do."""
    data, penalty = forecasting_data(datasets.load("bessel_j2").values[:150]), 1e-4
    reservoir = build(Reservoir, 1, 3, seed=seed, core=QuantumRNN, options={"init_scale": init_scale})
    forecast = solved(Forecaster(reservoir), data, penalties=(penalty,))
    weights = reservoir.core.circuit.theta.reshape(2, 4, 3).numpy()
    known, later = (states_by_pennylane(each.numpy(), weights) for each in (data.train_x, data.test_x))
    readout = nodes.Ridge(ridge=penalty).fit(known, data.train_y.numpy())
    np.testing.assert_allclose(forecast(data.test_x).numpy(), readout.run(later), atol=1e-9)
