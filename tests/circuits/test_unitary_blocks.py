from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from replank.circuits import BrickwallSU4, Circuit, FullSU, RotationBlock, pauli_basis, reference, theta
from tests.circuits.dense import on_all

F64 = torch.float64
BLOCKS = {
    "full": functools.partial(FullSU, 2, 3, dtype=F64),
    "wall": functools.partial(BrickwallSU4, 5, 2, dtype=F64),
    "chain": functools.partial(BrickwallSU4, 3, 2, [(0, 1), (1, 2)], dtype=F64),
    "tied": functools.partial(BrickwallSU4, 3, 2, [(0, 1), (1, 2)], tied=True, dtype=F64),
    "rotations": functools.partial(RotationBlock, 3, 2, 2, dtype=F64),
}
blocks = pytest.mark.parametrize("make", BLOCKS.values(), ids=BLOCKS)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def su4(angles: np.ndarray) -> np.ndarray:
    return expm(1j * np.tensordot(angles, pauli_basis(2).numpy(), axes=1))


@blocks
def test_unitary_and_one_for_each_layer(make):
    block = make()
    u = block.unitaries()
    identity = torch.eye(2**block.n_qubits, dtype=u.dtype).expand(block.n_layers, -1, -1)
    torch.testing.assert_close(u.mH @ u, identity, rtol=0, atol=1e-12)


@blocks
def test_no_angles_are_the_identity_but_for_cnots(make):
    block = make()
    torch.nn.init.zeros_(block.theta)
    u = block.unitaries()[0]
    if isinstance(block, RotationBlock):
        u = u @ reference.unitary(Circuit(3).cnot(0, 1).cnot(1, 2).cnot(0, 1).cnot(1, 2)).mH
    torch.testing.assert_close(u, torch.eye(len(u), dtype=u.dtype), rtol=0, atol=1e-12)


@blocks
def test_layers_do_not_see_each_others_angles(make):
    block = make()
    before = block.unitaries().detach()
    with torch.no_grad():
        block.theta[-1] += 0.3
    after = block.unitaries()
    assert torch.equal(before[:-1], after[:-1])
    assert not torch.allclose(before[-1], after[-1])


@pytest.mark.parametrize("pairs", [[(0, 1), (1, 2)], [(1, 2), (0, 1)], [(1, 2)]], ids=str)
def test_pairs_act_one_after_the_other(pairs):
    block = BrickwallSU4(3, 2, pairs, dtype=F64)
    for angles, u in zip(block.theta.detach().numpy(), block.unitaries().detach().numpy(), strict=True):
        gates = [on_all(su4(own), pair, 3) for own, pair in zip(angles, pairs, strict=True)]
        np.testing.assert_allclose(u, functools.reduce(lambda total, gate: gate @ total, gates), atol=1e-12)


def test_tied_pairs_share_a_gate_and_leave_the_rest_unused():
    block = BLOCKS["tied"]()
    gate = su4(block.theta[1, 0].detach().numpy())
    expected = on_all(gate, (1, 2), 3) @ on_all(gate, (0, 1), 3)
    np.testing.assert_allclose(block.unitaries()[1].detach().numpy(), expected, atol=1e-12)
    block.unitaries().real.sum().backward()
    assert torch.count_nonzero(block.theta.grad[:, 1]) == 0
    assert torch.count_nonzero(block.theta.grad[:, 0]) == 30
    assert block.theta.numel() == 60
    assert block.n_effective == 30


def test_the_wall_begins_with_the_second_qubit():
    assert BrickwallSU4(5, 1).pairs == ((1, 2), (3, 4), (0, 1), (2, 3))
    assert BrickwallSU4(2, 1).pairs == ((0, 1),)


def test_rotations_and_cnots_are_the_circuit_of_that_name():
    block = BLOCKS["rotations"]()
    circuit = Circuit(3)
    for turn in range(2):
        for wire in range(3):
            circuit.ry(theta[3 * turn + wire], wire)
        circuit.cnot(0, 1).cnot(1, 2)
    for angles, u in zip(block.theta, block.unitaries(), strict=True):
        expected = reference.unitary(circuit, torch.zeros(0, dtype=F64), angles.flatten())
        torch.testing.assert_close(u, expected, rtol=0, atol=1e-12)


@blocks
def test_gradients(make):
    block = make()

    def unitaries(angles: torch.Tensor) -> torch.Tensor:
        return torch.view_as_real(torch.func.functional_call(block, {"theta": angles}, ()))

    block.forward = block.unitaries
    assert torch.autograd.gradcheck(unitaries, block.theta.detach().clone().requires_grad_(), fast_mode=True)


def test_frozen_angles_are_drawn_and_stay():
    block = FullSU(2, 1, frozen=True)
    assert block.theta.std() > 0.3
    assert not block.theta.requires_grad
    assert "frozen=True" in repr(block)


@pytest.mark.parametrize(
    ("make", "law"),
    [
        (lambda: FullSU(0, 1), "n_qubits=0"),
        (lambda: FullSU(1, 0), "n_layers=0"),
        (lambda: RotationBlock(1, 1, 0), "depth=0"),
        (lambda: BrickwallSU4(3, 1, [(0, 2)]), r"neighbours .*got \(0, 2\)"),
        (lambda: BrickwallSU4(3, 1, [(2, 3)]), r"neighbours .*got \(2, 3\)"),
        (lambda: BrickwallSU4(1, 1), "at least one, got none"),
    ],
)
def test_bad_arguments_are_refused(make, law):
    with pytest.raises(ValueError, match=law):
        make()
