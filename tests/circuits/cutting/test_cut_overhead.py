from __future__ import annotations

import math

import pytest
import torch
from cutting_cases import F64, gamma_by_subsets, inputs, last_before, ry_chain
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, Z, theta, x
from replank.circuits.cutting import GateCut, WireCut, cut
from replank.circuits.cutting.overhead import gates_norm

edges = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.floats(0, 1)).filter(lambda edge: edge[0] != edge[1]), max_size=7
)


@given(edges=edges)
def test_the_norm_is_the_sum_over_all_sets_of_cuts(edges):
    assert gates_norm(edges) == pytest.approx(gamma_by_subsets(0, edges), rel=1e-12)


@given(edges=edges)
def test_cutting_together_costs_no_more_than_one_by_one(edges):
    assert gates_norm(edges) <= math.prod(1 + 2 * weight for *_, weight in edges) * (1 + 1e-12)


@pytest.mark.parametrize("n", range(1, 6))
def test_parallel_and_tree_like_cuts(n):
    assert gates_norm([(0, 1, 1.0)] * n) == 2 ** (n + 1) - 1
    assert gates_norm([(k, k + 1, 1.0) for k in range(n)]) == 3**n


@pytest.mark.parametrize(("gate", "gamma"), [("CNOT", 3), ("CZ", 3), ("CY", 3), ("CH", 3), ("SWAP", 7), ("iSWAP", 7)])
def test_single_gates(gate, gamma):
    circuit = Circuit(2).h(0).gate(gate, (), (0, 1))
    assert cut(circuit, Z(0), [GateCut(1)]).overhead == pytest.approx(gamma**2)


def test_wires_multiply():
    circuit = ry_chain(5)
    one, two = last_before(circuit, 1, 1), last_before(circuit, 3, 1)
    assert cut(circuit, Z(0), [one]).overhead == 16
    assert cut(circuit, Z(0), [one, two]).overhead == 256
    assert cut(circuit, Z(0), [one, GateCut(8)]).overhead == 16 * 9


@given(angle=st.floats(-7, 7))
def test_rotations_cost_the_less_the_smaller_they_are(angle):
    circuit = Circuit(2).h(0).h(1).rzz(angle, 0, 1).cnot(0, 1)
    cuts = [GateCut(2), GateCut(3)]
    expected = (2 * (1 + abs(math.sin(angle))) * 2 - 1) ** 2
    assert cut(circuit, Z(0), cuts).overhead == pytest.approx(expected)
    trained = Circuit(2).h(0).h(1).rzz(theta[0] * x[0], 0, 1).cnot(0, 1)
    pieces = cut(trained, Z(0), cuts)
    assert pieces.overhead == pytest.approx(49)
    at = pieces.overhead_at(torch.ones(3, 1, dtype=F64), torch.tensor([angle], dtype=F64))
    torch.testing.assert_close(at, torch.full((3,), expected, dtype=F64))


def test_without_gates_the_overhead_is_the_same_for_all_samples():
    circuit = ry_chain(3)
    features, parameters = inputs(circuit, 0)
    pieces = cut(circuit, Z(0), [WireCut(1, 2)])
    torch.testing.assert_close(pieces.overhead_at(features, parameters), torch.full((2,), 16.0, dtype=F64))
