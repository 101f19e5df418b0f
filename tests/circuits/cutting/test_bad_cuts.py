from __future__ import annotations

import numpy as np
import pytest
import torch
from cutting_cases import F64, ry_chain

from replank.circuits import Circuit, Probabilities, Z, theta, x
from replank.circuits.cutting import GateCut, WireCut, cut, find_cuts
from replank.circuits.operations import Channel
from replank.errors import UsageError

CHAIN = ry_chain(3)  # operations 0 RY, 1 RY, 2 CNOT(0, 1), 3 RY, 4 RY, 5 CNOT(1, 2)


@pytest.mark.parametrize(
    ("cuts", "law"),
    [
        ([WireCut(7, 0)], "wire 7 can be cut after no place"),
        ([WireCut(0, 1)], r"wire 0 can be cut after its operations \[0\]"),
        ([WireCut(1, 5)], r"wire 1 can be cut after its operations \[1, 2, 3\]"),
        ([WireCut(1, -1)], "wire 1 can be cut after"),
        ([GateCut(6)], r"among operations 0\.\.5"),
        ([GateCut(-1)], r"among operations 0\.\.5"),
        ([GateCut(0)], "must be a named two-qubit gate.*RY"),
        ([WireCut(1, 2), WireCut(1, 2)], "cuts must differ"),
    ],
    ids=str,
)
def test_cuts_where_nothing_can_be_cut(cuts, law):
    with pytest.raises(ValueError, match=law):
        cut(CHAIN, Z(0), cuts)


def test_unknown_matrices_can_only_be_cut_at_their_wires():
    with pytest.raises(ValueError, match="Cut wires instead"):
        cut(Circuit(2).unitary(np.eye(4), (0, 1)), Z(0), [GateCut(0)])


@pytest.mark.parametrize("which", [WireCut(0, 0), GateCut(0)], ids=str)
def test_cuts_that_do_not_separate(which):
    ring = Circuit(3).cnot(0, 1).cnot(1, 2).cnot(2, 0)
    with pytest.raises(UsageError, match=rf"must separate.*fragment of {3 + isinstance(which, WireCut)} qubits"):
        cut(ring, Z(0), [which])


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(2).h(0).measure(0),
        Circuit(2).h(0).reset(0),
        Circuit(2).h(0).post_select(0, 1),
        Circuit(2).h(0).channel(Channel(name="nothing", kraus=(np.eye(2),), wires=(0,))),
    ],
    ids=lambda circuit: circuit.operations[-1].label,
)
def test_circuits_that_are_not_unitary_are_refused(circuit):
    for refuse in (lambda: cut(circuit, Z(0), ()), lambda: find_cuts(circuit, max_qubits=1)):
        with pytest.raises(UsageError, match=r"only unitary operations and preparations.*as operation 1"):
            refuse()


def test_gates_that_depend_on_a_measurement_are_refused():
    circuit = Circuit(2).measure(0, "m").x(1, when="m")
    with pytest.raises(UsageError, match="only unitary operations"):
        cut(circuit, Z(0), ())


def test_observables_that_do_not_fit():
    with pytest.raises(ValueError, match=r"among 0\.\.2"):
        cut(CHAIN, Z(3), [WireCut(1, 2)])
    with pytest.raises(TypeError, match="sum of Pauli strings"):
        cut(CHAIN, [Probabilities()], [WireCut(1, 2)])


@pytest.mark.parametrize(
    ("features", "parameters", "error", "law"),
    [
        (torch.zeros(2, 0), torch.zeros(3), ValueError, r"features must have the shape \('B', 1\)"),
        (torch.zeros(2, 2), torch.zeros(3), ValueError, "features must have the shape"),
        (torch.zeros(1), torch.zeros(3), ValueError, "features must have the shape"),
        (torch.zeros(()), torch.zeros(3), ValueError, "features must have the shape"),
        (torch.zeros(2, 1), torch.zeros(2), ValueError, r"parameters must have the shape \(3,\)"),
        (torch.zeros(2, 1), torch.zeros(1, 3), ValueError, "parameters must have the shape"),
        (torch.zeros(2, 1, dtype=torch.int64), torch.zeros(3), TypeError, "float32 or float64"),
        (torch.zeros(2, 1).half(), torch.zeros(3).half(), TypeError, "float32 or float64"),
        (torch.zeros(2, 1), torch.zeros(3).double(), TypeError, "both be float32 or float64"),
        (torch.zeros(2, 1, device="meta"), torch.zeros(3), TypeError, "on one device"),
        (torch.full((2, 1), float("nan")), torch.zeros(3), ValueError, "must be finite"),
        (torch.zeros(2, 1), torch.full((3,), float("inf")), ValueError, "must be finite"),
    ],
)
def test_inputs_that_do_not_fit(features, parameters, error, law):
    pieces = cut(CHAIN, Z(0), [WireCut(1, 2)])
    for refuse in (
        lambda: pieces.run(features, parameters),
        lambda: pieces.combine([], features, parameters),
        lambda: pieces.overhead_at(features, parameters),
    ):
        with pytest.raises(error, match=law):
            refuse()


def test_an_empty_batch():
    circuit = Circuit(3).ry(theta[0], 0).crx(x[0], 0, 1).cnot(1, 2)
    features, parameters = torch.zeros(0, 1, dtype=F64), torch.zeros(1, dtype=F64)
    for cuts in ([GateCut(1)], [WireCut(1, 1)], ()):
        assert cut(circuit, Z(2), cuts).run(features, parameters).shape == (0,)
