"""The readout classifier and its closed form, by PennyLane."""

from __future__ import annotations

import math

import numpy as np
import pennylane as qml
import pytest
import torch

from replank.circuits.templates import majority_circuit, parity_circuit, readout_layers, reed_muller_circuit
from replank.studies.farhi_neven_qnn.classifier import ReadoutClassifier
from replank.studies.farhi_neven_qnn.factorised import FactorisedReadout
from replank.studies.farhi_neven_qnn.problems import all_strings, random_product_states

DIGITS = ("ZX", "XX") * 3


def _by_pennylane(n: int, layers, weights: np.ndarray, state, *, letter: str = "Y", minus: bool = False) -> float:
    """exp(i theta P) is PennyLane's rotation by -2 theta."""

    @qml.qnode(qml.device("default.qubit", wires=n + 1))
    def circuit():
        if np.ndim(state) and len(state) == n:
            qml.BasisState(np.array(state, dtype=int), wires=range(n))
        else:
            qml.StatePrep(state, wires=range(n))
        if minus:
            qml.PauliX(n)
            qml.Hadamard(n)
        angles = iter(weights)
        for word in layers:
            places = [(i,) for i in range(n)] if len(word) == 2 else [(i, (i + 1) % n) for i in range(n)]
            for wires in places:
                qml.PauliRot(-2 * next(angles), word, wires=(*wires, n))
        return qml.expval({"X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ}[letter](n))

    return float(circuit())


def test_closed_form_simulator_and_pennylane_agree():
    n = 8
    torch.manual_seed(0)
    factorised = FactorisedReadout(n, readout_layers(n, DIGITS), dtype=torch.float64)
    generic = ReadoutClassifier(n, readout_layers(n, DIGITS), dtype=torch.float64)
    generic.load_state_dict({"layer.theta": factorised.theta})
    strings = all_strings(n)[torch.randperm(2**n)[:6]]
    weights = factorised.theta.detach().numpy()
    expected = [_by_pennylane(n, DIGITS, weights, bits.int().tolist()) for bits in strings]
    for model in (factorised, generic):
        np.testing.assert_allclose(model(strings).detach().numpy(), expected, atol=1e-8)


@pytest.mark.parametrize(("layers", "letter", "minus"), [(("XX", "ZZ"), "X", True), (("ZX", "ZZX", "YX"), "Z", False)])
def test_other_gate_sets_and_starts(layers, letter, minus):
    n = 4
    torch.manual_seed(1)
    start = "-" if minus else "0"
    model = ReadoutClassifier(
        n, readout_layers(n, layers), readout_pauli=letter, readout_init=start, dtype=torch.float64
    )
    strings = all_strings(n)[::3]
    weights = model.theta.detach().numpy()
    expected = [_by_pennylane(n, layers, weights, b.int().tolist(), letter=letter, minus=minus) for b in strings]
    np.testing.assert_allclose(model(strings).detach().numpy(), expected, atol=1e-8)


def test_complex_states():
    n = 4
    torch.manual_seed(2)
    model = ReadoutClassifier(n, readout_layers(n, ("ZX", "ZZX", "XX")), inputs="state", dtype=torch.float64)
    states = random_product_states(n, 4, torch.Generator().manual_seed(0))
    weights = model.theta.detach().numpy()
    expected = [_by_pennylane(n, ("ZX", "ZZX", "XX"), weights, state.numpy()) for state in states]
    np.testing.assert_allclose(model(states).detach().numpy(), expected, atol=1e-8)


@pytest.mark.parametrize(
    "circuit", [parity_circuit([1, 0, 1]), majority_circuit([1, 1, 1]), reed_muller_circuit([0, 1, 1, 0, 1, 0, 0, 0])]
)
def test_constructions(circuit):
    n = circuit.n_qubits - 1
    gates = circuit.to_pennylane()
    model = ReadoutClassifier(n, circuit, dtype=torch.float64)

    @qml.qnode(qml.device("default.qubit", wires=n + 1))
    def expected(bits):
        qml.BasisState(bits, wires=range(n))
        gates(np.zeros(0), np.zeros(0))
        return qml.expval(qml.PauliY(n))

    strings = all_strings(n)
    by_pennylane = [float(expected(bits.int().numpy())) for bits in strings]
    np.testing.assert_allclose(model(strings).detach().numpy(), by_pennylane, atol=1e-8)
    assert max(map(abs, by_pennylane)) > math.sin(0.5)
