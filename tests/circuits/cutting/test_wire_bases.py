from __future__ import annotations

import numpy as np
import pytest
import torch
from cutting_cases import F64, haar, inputs, last_before, ry_chain
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, PauliSum, State, X, Y, Z, theta, x
from replank.circuits.cutting import GateCut, WireCut, cut, execute, quasi_probability_estimate
from replank.circuits.cutting.bases import STATES, WireBasis, wire_basis
from replank.circuits.cutting.real_amplitudes import is_real
from replank.circuits.cutting.reconstruct import _experiments
from replank.circuits.gates import pauli_matrix
from replank.errors import CircuitCutError, UnknownName
from replank.seeding import numpy_stream

EXACT = {"rtol": 0, "atol": 1e-10}
BASES = {
    "states": wire_basis("states"),
    "eigen": wire_basis("eigen"),
    "states without Y": wire_basis("states", without_y=True),
    "eigen without Y": wire_basis("eigen", without_y=True),
}


def projector(gates: tuple[str, ...]) -> np.ndarray:
    circuit = Circuit(1)
    for name in gates:
        circuit.gate(name, (), (0,))
    state = circuit.plan(State())(torch.zeros(0, dtype=F64), torch.zeros(0, dtype=F64)).numpy()
    return np.outer(state, state.conj())


def haar_chain(n: int, seed: int = 0) -> Circuit:
    rng, circuit = numpy_stream(seed, "blocks"), Circuit(n)
    for wire in range(n - 1):
        circuit.unitary(haar(rng), (wire, wire + 1))
    return circuit


def with_basis(circuit: Circuit, observable: PauliSum, cuts, basis: WireBasis) -> torch.Tensor:
    """The value with any basis, unchecked."""
    pieces = cut(circuit, observable, cuts)
    experiments = tuple(_experiments(pieces.fragments, pieces.observables, basis))
    tasks = tuple(task for each in experiments for task in each.tasks)
    other = type(pieces)(pieces.circuit, pieces.observables, pieces.cuts, experiments, tasks, pieces.scalar, basis)
    return other.run(*inputs(circuit, 0))


@pytest.mark.parametrize("name", BASES)
def test_states_combine_to_half_of_each_pauli_matrix(name):
    basis = BASES[name]
    states = np.stack([projector(STATES[state]) for state in basis.states])
    for letter, row in zip(basis.letters, basis.matrix, strict=True):
        np.testing.assert_allclose(np.tensordot(row, states, 1), pauli_matrix(letter).numpy() / 2, atol=1e-12)


@pytest.mark.parametrize("name", BASES)
def test_terms_are_eigenstates_with_weights_of_one_half(name):
    basis = BASES[name]
    states = np.stack([projector(STATES[state]) for state in basis.states])
    assert len(basis.terms) == 2 * len(basis.letters) == 2 * basis.norm
    for term in basis.terms:
        prepared = np.tensordot(term.state, states, 1)
        np.testing.assert_allclose(prepared @ prepared, prepared, atol=1e-12)  # a pure state
        matrix = pauli_matrix(term.letter).numpy()
        np.testing.assert_allclose(matrix @ prepared, 2 * term.weight * prepared, atol=1e-12)


@pytest.mark.parametrize("basis", ["states", "eigen"])
@pytest.mark.parametrize("observable", [Z(7), X(1) @ Z(6), Y(3) + 0.5 * X(2) @ Y(5) + 2.0], ids=str)
def test_both_bases_are_exact_for_any_blocks(basis, observable):
    circuit = haar_chain(8)
    values = inputs(circuit, 0)
    pieces = cut(circuit, observable, [last_before(circuit, 3, 1)], basis=basis, max_width=5)
    torch.testing.assert_close(pieces.run(*values), circuit.plan(observable)(*values), **EXACT)


def test_without_y_complex_amplitudes_come_out_wrong():
    circuit = haar_chain(8)
    whole = circuit.plan(Z(7))(*inputs(circuit, 0))
    cuts = [last_before(circuit, 3, 1)]
    torch.testing.assert_close(with_basis(circuit, Z(7), cuts, BASES["eigen"]), whole, **EXACT)
    assert (with_basis(circuit, Z(7), cuts, BASES["states without Y"]) - whole).abs().max() > 1e-3


@given(seed=st.integers(0, 2**20), basis=st.sampled_from(["states", "eigen"]))
def test_without_y_real_amplitudes_come_out_right(seed, basis):
    rng, circuit = numpy_stream(seed, "real"), Circuit(5)
    for wire in range(4):
        circuit.h(wire).ry(theta[wire % 3] + x[0], wire).ry(rng.uniform(-3, 3), wire + 1)
        circuit.gate(str(rng.choice(["CNOT", "CZ", "CH"])), (), (wire, wire + 1))
    observable = [Z(4) @ X(1), X(0) @ Z(2) @ Z(3) + 0.3 * Z(1)]
    values = inputs(circuit, seed)
    cuts = [last_before(circuit, 1, 1), last_before(circuit, 3, 1)]
    pieces = cut(circuit, observable, cuts, basis=basis, skip_zero_y=True)
    assert pieces.overhead == 9.0**2
    torch.testing.assert_close(pieces.run(*values), circuit.plan(observable)(*values), **EXACT)


def test_executions_are_three_settings_and_four_preparations():
    circuit = ry_chain(8)
    everything = [Z(wire) for wire in range(8)]
    one, two = [last_before(circuit, 3, 1)], [last_before(circuit, 2, 1), last_before(circuit, 4, 1)]
    for cuts, options, number in (
        (one, {}, 3 + 4),
        (one, {"basis": "eigen"}, 3 + 6),
        (one, {"skip_zero_y": True}, 2 + 3),
        (two, {}, 3 + 4 * 3 + 4),
        (two, {"basis": "eigen"}, 3 + 6 * 3 + 6),
    ):
        assert cut(circuit, everything, cuts, **options).n_executions == number


def test_linearity_and_trace_one():
    circuit = haar_chain(5)
    one, some, other = PauliSum((((), 1.0),)), X(0) @ Y(4), Z(2) + Y(3)
    values = inputs(circuit, 0)
    pieces = cut(circuit, [one, some, other, 2 * some - 3 * other], [last_before(circuit, 2, 1)])
    trace, first, second, combined = pieces.run(*values).unbind(-1)
    torch.testing.assert_close(trace, torch.ones_like(trace), **EXACT)
    torch.testing.assert_close(combined, 2 * first - 3 * second, **EXACT)


@pytest.mark.parametrize(("options", "gamma"), [({}, 4.0), ({"basis": "eigen"}, 4.0), ({"skip_zero_y": True}, 3.0)])
def test_the_variance_of_drawn_terms_is_that_of_the_norm(options, gamma):
    circuit, shots, repeats = ry_chain(4), 50, 2000
    pieces = cut(circuit, Z(3), [last_before(circuit, 1, 1)], **options)
    features, parameters = inputs(circuit, 3, n_samples=1)
    exact = pieces.run(features, parameters)
    many = features.repeat(repeats, 1)
    results = [execute(task, many, parameters) for task in pieces.tasks]
    drawn = quasi_probability_estimate(pieces, results, many, parameters, shots=shots, rng=numpy_stream(0, gamma))
    variance = (gamma**2 - exact**2) / shots
    assert pieces.overhead == gamma**2
    assert (drawn.mean() - exact).abs() < 4.5 * (variance / repeats).sqrt()
    assert abs(drawn.var() / variance - 1) < 4.5 * (2 / repeats) ** 0.5


# -- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("circuit", "observable", "cuts", "law"),
    [
        (Circuit(3).rx(0.3, 0).cnot(0, 1).cnot(1, 2), Z(2), [WireCut(1, 1)], "RX as operation 0"),
        (Circuit(3).h(0).cnot(0, 1).cnot(1, 2), Y(2), [WireCut(1, 1)], "an observable with Y"),
        (Circuit(3).h(0).cnot(0, 1).cnot(1, 2), Z(2), [WireCut(1, 1), GateCut(2)], "a gate that is cut"),
        (
            Circuit(4).h(0).cnot(0, 1).cnot(0, 2).cnot(1, 3).ry(0.3, 3).cnot(2, 3),
            Z(3),
            [WireCut(1, 1), WireCut(2, 2)],
            "two cut wires that end in one fragment",
        ),
    ],
    ids=["complex gate", "observable", "gate cut", "two ends"],
)
def test_terms_of_y_that_may_not_be_zero_are_not_left_out(circuit, observable, cuts, law):
    with pytest.raises(CircuitCutError, match=rf"skip_zero_y needs.*got {law} \(fragments: \[\d"):
        cut(circuit, observable, cuts, skip_zero_y=True)


def test_two_ends_in_one_fragment_have_a_product_of_ys_that_matters():
    circuit = Circuit(3).h(0).cnot(0, 1).cnot(0, 2).cz(1, 2)  # CZ turns X X into Y Y, and <X Y Y> is -1
    cuts, observable = [WireCut(1, 1), WireCut(2, 2)], X(0) @ X(1) @ X(2)
    for name, value in (("states", -1), ("eigen", -1), ("states without Y", 0)):
        assert with_basis(circuit, observable, cuts, BASES[name])[0].item() == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize(
    ("circuit", "real"),
    [
        (Circuit(2).h(0).x(0).z(1).cnot(0, 1).cz(0, 1).swap(0, 1), True),
        (Circuit(2).ry(x[0], 0).gate("CRY", [theta[0]], (0, 1)), True),
        (Circuit(2).unitary(np.eye(4)[::-1], (0, 1)), True),
        (Circuit(1).y(0), False),
        (Circuit(1).s(0), False),
        (Circuit(1).rx(0.1, 0), False),
        (Circuit(1).rz(0.1, 0), False),
        (Circuit(2).gate("iSWAP", (), (0, 1)), False),
        (Circuit(1).unitary(np.diag([1, 1j]), (0,)), False),
    ],
    ids=str,
)
def test_which_operations_keep_amplitudes_real(circuit, real):
    assert all(map(is_real, circuit)) == real
    if not circuit.n_features and not circuit.n_parameters:
        matrix = circuit.plan(State())(torch.zeros(0, dtype=F64), torch.zeros(0, dtype=F64))
        assert not real or matrix.imag.abs().max() < 1e-12


def test_errors_list_the_widths_that_were_found():
    chain = ry_chain(4)
    with pytest.raises(CircuitCutError, match=r"max_width=2 qubits, got fragments of \[2, 3\]"):
        cut(chain, Z(3), [last_before(chain, 1, 1)], max_width=2)
    with pytest.raises(CircuitCutError, match=r"wire 9 can be cut after no place.*leaves fragments of \[2, 3\] qubits"):
        cut(chain, Z(3), [last_before(chain, 1, 1), WireCut(9, 0)])
    with pytest.raises(CircuitCutError, match=r"cuts must differ.*fragments of \[2, 3\] qubits"):
        cut(chain, Z(3), [last_before(chain, 1, 1)] * 2)
    with pytest.raises(CircuitCutError, match=r"must separate.*fragments: \[4\]"):
        cut(Circuit(3).cnot(0, 1).cnot(1, 2).cnot(2, 0), Z(0), [WireCut(0, 0)])


def test_unknown_bases():
    with pytest.raises(UnknownName, match=r"basis of a cut wire 'eigne'\. Did you mean 'eigen'"):
        cut(ry_chain(3), Z(2), [WireCut(1, 2)], basis="eigne")
