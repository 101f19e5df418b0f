"""PennyLane and QuTiP as witnesses of the study quantum-adversarial: its circuits, and the chain's evolution."""

from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import qutip
import torch

from replank.circuits.many_body import aubry_andre_fields, evolved, imbalance, neel_state
from replank.datasets.aubry_andre import aubry_andre_states
from replank.parts.linear import InterleavedQuantumLinear
from replank.seeding import isolated, torch_stream
from replank.studies.quantum_adversarial.heads import StateClassifier

F64 = torch.float64
N_QUBITS, N_BLOCKS = 10, 9


def blocks(angles, n_qubits, n_blocks):
    """The published circuit, written down from its definition."""
    position = 0
    for _ in range(n_blocks):
        for gate in (qml.RX, qml.RZ, qml.RX):
            for wire in range(n_qubits):
                gate(angles[..., position], wires=wire)
                position += 1
        for first in (0, 1):
            for wire in range(first, n_qubits - 1, 2):
                qml.CNOT(wires=[wire, wire + 1])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("readout", [4, 9])
def test_the_interleaved_circuit_with_values_and_gradients(seed, readout):
    with isolated(seed, "part"):
        part = InterleavedQuantumLinear(256, 2, bias=False, n_qubits=N_QUBITS, n_blocks=N_BLOCKS, readout=readout,
                                        dtype=F64)  # fmt: skip
    stream = torch_stream(seed, "features")
    x = torch.rand(2, 256, dtype=F64, generator=stream).requires_grad_()

    @qml.qnode(qml.device("default.qubit", wires=N_QUBITS), interface="torch", diff_method="backprop")
    def circuit(features, weights):
        padded = torch.nn.functional.pad(features, (0, 14))
        blocks(weights + 2.0 * padded, N_QUBITS, N_BLOCKS)
        return qml.probs(wires=readout)

    ours, theirs = part.probabilities(x), circuit(x, part.layer.theta)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-8)
    sources = (x, part.layer.theta)
    torch.testing.assert_close(
        torch.autograd.grad(ours[:, 0].sum(), sources),
        torch.autograd.grad(theirs[:, 0].sum(), sources),
        rtol=0,
        atol=1e-8,
    )


def test_the_classifier_of_states():
    n, n_blocks, readout = 5, 3, 2
    with isolated(0, "part"):
        model = StateClassifier(n, n_blocks, readout, dtype=F64)
    states = aubry_andre_states(4, n, seed=0).states

    @qml.qnode(qml.device("default.qubit", wires=n), interface="torch")
    def circuit(state, weights):
        qml.StatePrep(state, wires=range(n))
        blocks(weights, n, n_blocks)
        return qml.probs(wires=readout)

    expected = torch.stack([circuit(state, model.layer.theta) for state in states])
    torch.testing.assert_close(model(states).exp(), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("strength", [0.5, 2.0, 6.0])
def test_the_evolution_of_the_chain(strength):
    n, time, phase = 6, 9.3, 0.8
    fields = aubry_andre_fields(n, torch.tensor([strength], dtype=F64), torch.tensor([phase], dtype=F64))

    def on(operator, *wires):
        return qutip.tensor([operator if wire in wires else qutip.qeye(2) for wire in range(n)])

    ratio = (np.sqrt(5) - 1) / 2
    hamiltonian = sum(
        -0.5 * (on(letter, i, i + 1)) for i in range(n - 1) for letter in (qutip.sigmax(), qutip.sigmay())
    )
    hamiltonian += sum(
        -0.5 * strength * np.cos(2 * np.pi * ratio * k + phase) * on(qutip.sigmaz(), k) for k in range(n)
    )
    start = qutip.basis([2] * n, [0, 1] * (n // 2))
    expected = (-1j * time * hamiltonian).expm() * start
    found = evolved(fields, torch.tensor([time], dtype=F64), neel_state(n))[0]
    np.testing.assert_allclose(found.numpy(), expected.full()[:, 0], atol=1e-9)
    order = np.mean([(-1) ** k * qutip.expect(on(qutip.sigmaz(), k), expected) for k in range(n)])
    assert float(imbalance(found[None])) == pytest.approx(order, abs=1e-9)
