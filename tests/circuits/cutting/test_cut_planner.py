from __future__ import annotations

import itertools

import pytest
from cutting_cases import gamma_by_subsets, random_circuit, ry_chain

from replank.circuits import Circuit, Z, theta
from replank.circuits.cutting import Cut, GateCut, WireCut, cut, find_cuts
from replank.circuits.cutting.fragments import fragments_of
from replank.circuits.cutting.gate_terms import gate_terms
from replank.errors import UsageError
from replank.seeding import numpy_stream


def ring(n: int, n_layers: int) -> Circuit:
    circuit = Circuit(n)
    for _ in range(n_layers):
        for wire in range(n):
            circuit.ry(theta[wire], wire)
        for wire in range(n):
            circuit.cz(wire, (wire + 1) % n)
    return circuit


def least_gamma(circuit: Circuit, max_qubits: int, most: float) -> float:
    """The smallest gamma of all sets of cuts that fit, by trying every one; ``most`` if none is smaller."""
    joints = [index for index, op in enumerate(circuit) if len(op.wires) > 1]
    places: list[tuple[Cut, float]] = []
    for index in joints:
        terms = gate_terms(circuit.operations[index])
        if terms is not None:
            places.append((GateCut(index), 1 + terms.largest_interference))
        for wire in circuit.operations[index].wires:
            before = [other for other in range(index) if wire in circuit.operations[other].wires]
            if set(before) & set(joints):
                places.append((WireCut(wire, before[-1]), 4.0))
    best = most
    for chosen in itertools.chain.from_iterable(itertools.combinations(places, k) for k in range(len(places) + 1)):
        wires = sum(isinstance(each, WireCut) for each, _ in chosen)
        bound = 4.0**wires
        for each, factor in chosen:
            bound *= factor if isinstance(each, GateCut) else 1
        if bound >= best:
            continue
        cuts = [each for each, _ in chosen]
        try:
            fragments = fragments_of(circuit, cuts)
        except UsageError:
            continue
        if max(fragment.width for fragment in fragments) > max_qubits:
            continue
        edges = []
        for number, (each, factor) in enumerate(chosen):
            if isinstance(each, GateCut):
                one, other = (k for k, fragment in enumerate(fragments) if number in fragment.cuts)
                edges.append((one, other, factor - 1))
        best = min(best, gamma_by_subsets(wires, edges))
    return best


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("max_qubits", [2, 3])
def test_no_set_of_cuts_is_cheaper(seed, max_qubits):
    rng = numpy_stream(seed, "small circuit")
    circuit = random_circuit(4, 2, rng, ("haar", "CNOT", "RZZ", "CZ", "iSWAP"))
    most = 300.0
    least = least_gamma(circuit, max_qubits, most)
    if least == most:
        with pytest.raises(UsageError, match="there are none"):
            find_cuts(circuit, max_qubits=max_qubits, max_overhead=(most * 0.999) ** 2)
    else:
        cuts = find_cuts(circuit, max_qubits=max_qubits, max_overhead=most**2)
        pieces = cut(circuit, Z(0), cuts)
        assert max(fragment.width for fragment in pieces.fragments) <= max_qubits
        assert pieces.overhead == pytest.approx(least**2)


@pytest.mark.parametrize(
    ("circuit", "max_qubits", "gamma"),
    [
        (ry_chain(8), 8, 1),
        (ry_chain(8), 5, 3),
        # two wires leave 4 + 3 + 3 qubits' worth of room; gates, with an ancilla on each side, 3 + 2 + 3
        (ry_chain(10), 4, 16),
        (ring(6, 1), 4, 7),
        (ring(8, 2), 5, 31),
    ],
    ids=["fits", "chain of 8", "chain of 10", "ring", "two rings"],
)
def test_known_circuits(circuit, max_qubits, gamma):
    pieces = cut(circuit, Z(0), find_cuts(circuit, max_qubits=max_qubits))
    assert max(fragment.width for fragment in pieces.fragments) <= max_qubits
    assert pieces.overhead == pytest.approx(gamma**2)


@pytest.mark.parametrize("seed", range(4))
def test_larger_random_circuits_fit_the_budget_and_are_cut_the_same_way_again(seed):
    rng = numpy_stream(seed, "larger circuit")
    circuit = random_circuit(10, 5, rng)
    cuts = find_cuts(circuit, max_qubits=6)
    assert max(fragment.width for fragment in fragments_of(circuit, cuts)) <= 6
    assert cuts == find_cuts(circuit, max_qubits=6)


def test_a_wire_is_cut_where_gates_cannot_be():
    circuit = Circuit(5)
    for wire in range(0, 4, 2):
        circuit.h(wire).toffoli(wire, wire + 1, wire + 2)
    assert find_cuts(circuit, max_qubits=3) == (WireCut(2, 2),)


def test_a_gate_that_does_nothing_costs_nothing():
    circuit = Circuit(4).cnot(0, 1).cnot(2, 3).rzz(0.0, 1, 2).cnot(0, 1).cnot(2, 3)
    cuts = find_cuts(circuit, max_qubits=3)
    assert cuts == (GateCut(2),)
    assert cut(circuit, Z(0), cuts).overhead == 1


def test_what_cannot_be_done():
    with pytest.raises(UsageError, match=r"overhead up to 1e\+06 must bring 3 qubits down to 2, got .* there are none"):
        find_cuts(Circuit(3).toffoli(0, 1, 2), max_qubits=2)
    with pytest.raises(UsageError, match="overhead up to 8 must"):
        find_cuts(ry_chain(4), max_qubits=3, max_overhead=8)
    assert len(find_cuts(ry_chain(4), max_qubits=3, max_overhead=9)) == 1


@pytest.mark.parametrize(
    ("max_qubits", "max_overhead"), [(0, 10.0), (2, 0.5), (2, float("nan"))], ids=["qubits", "overhead", "nan"]
)
def test_impossible_budgets(max_qubits, max_overhead):
    with pytest.raises(ValueError, match="a fragment needs a qubit"):
        find_cuts(ry_chain(3), max_qubits=max_qubits, max_overhead=max_overhead)
