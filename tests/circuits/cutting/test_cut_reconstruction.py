from __future__ import annotations

import numpy as np
import pytest
import torch
from cutting_cases import (
    F64,
    TWO_QUBIT,
    WidthCounter,
    haar,
    inputs,
    last_before,
    random_circuit,
    random_observable,
    ry_chain,
    uncut,
)

from replank.circuits import Circuit, PauliSum, X, Y, Z, theta, x
from replank.circuits.cutting import GateCut, WireCut, cut, find_cuts
from replank.seeding import numpy_stream

EXACT = {"rtol": 0, "atol": 1e-10}


def twenty(seed: int):
    rng = numpy_stream(seed, "random circuit")
    n = int(rng.integers(4, 7))
    circuit = random_circuit(n, 2, rng, TWO_QUBIT if seed % 2 else ("haar", "haar", "CRY", "RZZ"))
    return circuit, random_observable(n, rng), find_cuts(circuit, max_qubits=n - 1, max_overhead=70_000)


@pytest.mark.parametrize("seed", range(20))
def test_a_random_circuit_in_fragments_gives_what_it_gives_whole(seed):
    circuit, observable, cuts = twenty(seed)
    features, parameters = inputs(circuit, seed)
    pieces = cut(circuit, observable, cuts)
    counter = WidthCounter()
    torch.testing.assert_close(
        pieces.run(features, parameters, counter), uncut(circuit, observable, features, parameters), **EXACT
    )
    assert cuts
    assert max(counter.widths) == pieces.widest < circuit.n_qubits
    assert len(counter.widths) == len(pieces.tasks)


def test_the_random_circuits_need_cuts_of_both_kinds():
    kinds = {type(each) for seed in range(20) for each in twenty(seed)[2]}
    assert kinds == {WireCut, GateCut}


@pytest.mark.parametrize("block", ["ry", "haar"])
@pytest.mark.parametrize("observable", [Z(7), Z(0), Z(1) @ Z(6), X(3) @ Y(4), Z(3) + 0.5 * X(2) @ Z(5) + 2.0], ids=str)
def test_a_chain_of_eight_runs_on_five_qubits(block, observable):
    rng = numpy_stream(0, "blocks")
    circuit = Circuit(8)
    for wire in range(7):
        if block == "ry":
            circuit.ry(theta[wire % 4], wire).ry(x[wire % 2], wire + 1).cnot(wire, wire + 1)
        else:
            circuit.unitary(haar(rng), (wire, wire + 1))
    features, parameters = inputs(circuit, 1)
    pieces = cut(circuit, observable, [last_before(circuit, 3, 1)])
    counter = WidthCounter()
    values = pieces.run(features, parameters, counter)
    torch.testing.assert_close(values, circuit.plan(observable)(features, parameters), **EXACT)
    assert [fragment.n_qubits for fragment in pieces.fragments] == [4, 5]
    assert max(counter.widths) <= pieces.widest <= 5


def test_the_y_term_matters_for_complex_amplitudes():
    # Y(0) behind the cut is the Y that was measured before it, and nothing else
    circuit = Circuit(2).h(0).s(0).cnot(0, 1).cnot(0, 1).cz(0, 1)
    pieces = cut(circuit, Y(0), [WireCut(0, 3), GateCut(4)])
    features, parameters = torch.zeros(1, 0, dtype=F64), torch.zeros(0, dtype=F64)
    torch.testing.assert_close(pieces.run(features, parameters), torch.ones(1, dtype=F64), **EXACT)


def test_a_chain_of_twelve_in_three_fragments():
    circuit = ry_chain(12)
    observables = [Z(1) @ Z(6) @ Z(11), Z(8), X(4) @ X(8)]
    features, parameters = inputs(circuit, 2, n_samples=1)
    pieces = cut(circuit, observables, [last_before(circuit, 4, 1), last_before(circuit, 8, 1)])
    assert [fragment.n_qubits for fragment in pieces.fragments] == [5, 5, 4]
    whole = circuit.plan(observables)(features, parameters)
    torch.testing.assert_close(pieces.run(features, parameters), whole, **EXACT)


def two_gates_between_pairs(gate: str) -> Circuit:
    angles = [theta[0] + x[0]] if gate in ("CRY", "RXX") else []
    circuit = Circuit(4).ry(theta[0], 0).rx(x[0], 1).ry(theta[1], 2).h(3).cnot(0, 1).cz(2, 3)
    circuit.gate(gate, angles, (1, 2)).ry(theta[2], 1).rx(theta[3], 2).gate(gate, angles, (2, 0))
    return circuit.crx(x[1], 2, 3)


def test_a_chain_of_sixty_in_fragments_of_two():
    circuit = Circuit(60).rx(theta[0], 0)
    for wire in range(59):
        circuit.cnot(wire, wire + 1)
    pieces = cut(circuit, Z(59), [WireCut(wire, wire) for wire in range(1, 59)])
    assert (pieces.widest, pieces.overhead) == (2, 16.0**58)
    angle = torch.tensor([0.7], dtype=F64)  # the chain spreads cos|0>|0...> - i sin|1>|1...>
    torch.testing.assert_close(pieces.run(torch.zeros(1, 0, dtype=F64), angle), angle.cos(), **EXACT)


@pytest.mark.parametrize("gate", ["CNOT", "CH", "CRY", "RXX", "iSWAP", "SWAP"])
def test_gates_that_are_cut_together(gate):
    circuit, observable = two_gates_between_pairs(gate), Z(0) @ X(3) + Y(1) @ Z(2) + 0.3 * X(0)
    features, parameters = inputs(circuit, 3)
    pieces = cut(circuit, observable, [GateCut(6), GateCut(9)])
    assert [fragment.n_qubits for fragment in pieces.fragments] == [2, 2]
    torch.testing.assert_close(
        pieces.run(features, parameters), uncut(circuit, observable, features, parameters), **EXACT
    )


def test_gates_and_wires_that_are_cut_together():
    circuit, observable = two_gates_between_pairs("CRY"), Z(0) @ X(3) + Y(1) @ Z(2) + 0.3 * X(0)
    features, parameters = inputs(circuit, 3)
    pieces = cut(circuit, observable, [GateCut(6), WireCut(2, 9), GateCut(9), WireCut(3, 5)])
    assert [fragment.n_qubits for fragment in pieces.fragments] == [2, 2, 2]
    torch.testing.assert_close(
        pieces.run(features, parameters), uncut(circuit, observable, features, parameters), **EXACT
    )


def test_a_circuit_that_falls_apart_needs_no_cut():
    circuit = Circuit(4).ry(theta[0], 0).cnot(0, 2).rx(x[0], 1).cnot(1, 3)
    observable = Z(2) @ Y(3) + Z(0)
    features, parameters = inputs(circuit, 4)
    pieces = cut(circuit, observable, ())
    assert (pieces.widest, pieces.overhead) == (2, 1.0)
    torch.testing.assert_close(
        pieces.run(features, parameters), uncut(circuit, observable, features, parameters), **EXACT
    )


def test_prepared_states_and_diagonals():
    rng = numpy_stream(5, "states")
    states = rng.normal(size=(4, 2)) + 1j * rng.normal(size=(4, 2))
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    circuit = Circuit(5).prepare_product(states, (0, 1, 3, 4)).cnot(0, 1).diagonal(rng.normal(size=4), (1, 2))
    circuit.rx(theta[0], 1).diagonal(rng.normal(size=4), (3, 1)).cnot(3, 4).h(2)
    observable = X(1) @ Z(4) @ X(2) + Y(0)
    features, parameters = inputs(circuit, 5)
    pieces = cut(circuit, observable, [GateCut(2), GateCut(4)])
    assert [fragment.n_qubits for fragment in pieces.fragments] == [2, 1, 2]
    torch.testing.assert_close(
        pieces.run(features, parameters), uncut(circuit, observable, features, parameters), **EXACT
    )


def test_amplitudes_of_features_stay_in_one_fragment():
    circuit = Circuit(4).prepare_amplitudes([x[0], x[1], theta[0]], (0, 1)).cnot(1, 2).ry(theta[1], 2).cnot(2, 3)
    observable = X(0) @ Z(3) + Z(1) @ Z(2)
    features, parameters = inputs(circuit, 6)
    pieces = cut(circuit, observable, [WireCut(2, 1)])
    torch.testing.assert_close(
        pieces.run(features, parameters), uncut(circuit, observable, features, parameters), **EXACT
    )


def test_gradients_are_those_of_the_whole_circuit():
    circuit = ry_chain(4).rzz(theta[0] * x[1], 1, 2).ry(x[0], 2)
    observables = [Z(0) @ Z(3), X(2)]
    pieces = cut(circuit, observables, [GateCut(5), GateCut(9)])
    features, parameters = (tensor.requires_grad_() for tensor in inputs(circuit, 7))
    weight = torch.tensor([[1.0, -0.4], [0.3, 2.0]], dtype=F64)
    gradients = [
        torch.autograd.grad((values * weight).sum(), (features, parameters))
        for values in (pieces.run(features, parameters), circuit.plan(observables)(features, parameters))
    ]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-10)
    assert torch.autograd.gradcheck(pieces.run, (features, parameters))


def test_linear_in_the_observable():
    circuit = ry_chain(4)
    features, parameters = inputs(circuit, 8)
    cuts = [WireCut(1, 2)]
    parts = cut(circuit, [Z(0) @ X(2), Y(3)], cuts).run(features, parameters)
    whole = cut(circuit, 2.0 * Z(0) @ X(2) - 0.5 * Y(3) + 3.0, cuts).run(features, parameters)
    torch.testing.assert_close(whole, 2 * parts[:, 0] - 0.5 * parts[:, 1] + 3, **EXACT)


def test_what_nobody_looks_at_does_not_run():
    circuit = ry_chain(4)
    before, after = cut(circuit, Z(0), [WireCut(2, 5)]), cut(circuit, Z(3), [WireCut(2, 5)])
    assert (len(before.tasks), before.widest) == (1, 3)
    assert (len(after.tasks), after.widest) == (1 + 4, 3)
    features, parameters = inputs(circuit, 9)
    number = cut(circuit, PauliSum((((), 2.5),)), [WireCut(2, 5)])
    torch.testing.assert_close(number.run(features, parameters), torch.full((2,), 2.5, dtype=F64))
    assert (len(number.tasks), number.widest) == (1, 3)
    nothing = cut(circuit, [PauliSum(())], [WireCut(2, 5)])
    torch.testing.assert_close(nothing.run(features, parameters), torch.zeros(2, 1, dtype=F64))


def test_single_precision():
    circuit = ry_chain(4)
    features, parameters = (tensor.float() for tensor in inputs(circuit, 10))
    values = cut(circuit, Z(3), [GateCut(5)]).run(features, parameters)
    assert values.dtype == torch.float32
    torch.testing.assert_close(values, circuit.plan(Z(3))(features, parameters))
