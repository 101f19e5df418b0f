from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from replank.circuits import Circuit, reference, theta, x
from replank.circuits.templates import (
    convolution_block,
    mera,
    mera_wires,
    mps,
    mps_shape,
    mps_wires,
    ttn,
    ttn_shape,
    ttn_wires,
)

ANY = convolution_block()  # any unitary on two qubits


def state(circuit: Circuit, seed: int = 0) -> torch.Tensor:
    weights = torch.randn(circuit.n_parameters, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return reference.state(circuit, weights.new_zeros(1, 0), weights)[0]


def schmidt_rank(amplitudes: torch.Tensor, n_left: int) -> int:
    return int(torch.linalg.matrix_rank(amplitudes.reshape(2**n_left, -1), atol=1e-10))


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_staircase_of_pairs_has_bonds_of_dimension_2(cut):
    amplitudes = state(mps(6, ANY))
    assert schmidt_rank(amplitudes, cut) == 2


@pytest.mark.parametrize(("n", "k", "offset"), [(6, 2, None), (7, 3, 1), (7, 3, 2), (8, 4, None), (7, 4, 3), (3, 3, 2)])
def test_the_staircase_reaches_every_qubit_with_equal_steps(n, k, offset):
    places = mps_wires(n, k, offset=offset)
    step = k // 2 if offset is None else offset
    assert {wire for wires in places for wire in wires} == set(range(n))
    assert all(len(wires) == k for wires in places)
    assert all(after[0] - before[0] == step for before, after in pairwise(places))


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("n_layers", [0, 1, 2, 3])
def test_each_leaf_is_taken_once_and_each_block_hands_on_half(k, n_layers):
    n = k * 2**n_layers
    places = ttn_wires(n, k)
    assert len(places) == 2 ** (n_layers + 1) - 1
    leaves = places[: 2**n_layers]
    assert sorted(wire for wires in leaves for wire in wires) == list(range(n))
    for index, wires in enumerate(places[:-1]):
        kept, handed, later = wires[: k // 2], wires[k // 2 :], places[index + 1 :]
        assert any(handed in (block[: k // 2], block[k // 2 :]) for block in later)
        assert not any(set(kept) & set(block) for block in later)


def test_only_the_root_entangles_the_halves_of_a_tree():
    assert schmidt_rank(state(ttn(4, ANY)), 2) > 1
    angles = [0.1 * k for k in range(30)]
    assert schmidt_rank(state(ttn(4, ANY, weights=angles + [0.0] * 15)), 2) == 1


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("n_layers", [0, 1, 2, 3])
def test_renormalisation_has_a_ring_of_disentanglers_before_each_layer(k, n_layers):
    n = k * 2**n_layers
    places = list(mera_wires(n, k))
    assert len(places) == 2 ** (n_layers + 2) - 3
    for layer in range(n_layers, 0, -1):
        size = 2**layer
        disentanglers, isometries, places = places[:size], places[size : 2 * size], places[2 * size :]
        for row in (disentanglers, isometries):  # both cover the same qubits, each once
            assert sorted(wire for wires in row for wire in wires) == list(range(size * k))
        for wires in disentanglers:  # each reaches into two blocks, which share no other disentangler
            assert sum(bool(set(wires) & set(block)) for block in isometries) == 2
    assert places == [tuple(range(k))]


def test_trivial_disentanglers_make_renormalisation_a_tree():
    # the qubits are numbered from the root; a tree on 4 qubits with blocks (2, 0), (1, 3) and the root on (0, 1)
    weights = [0.1 * k for k in range(45)]
    renormalisation = mera(4, ANY, weights=[0.0] * 30 + weights)
    wires = mera_wires(4, 2)[2:]
    tree = Circuit(4)
    for index, pair in enumerate(wires):
        tree.extend(convolution_block(weights=weights[15 * index : 15 * index + 15]).on(pair, 4))
    torch.testing.assert_close(state(renormalisation), state(tree))
    assert [set(pair) for pair in wires] == [{1, 3}, {0, 2}, {0, 1}]


def test_features_are_the_same_in_every_place():
    block = Circuit(2).rx(x[0], 0).ry(theta[0] * x[1], 1)
    circuit = ttn(4, block)
    assert (circuit.n_features, circuit.n_parameters) == (2, 3)


def test_a_block_without_parameters_is_only_placed():
    block = Circuit(2).h(0).cnot(0, 1)
    assert mps_shape(4, block) == ttn_shape(4, block) == (3, 0)
    assert len(mps(4, block)) == 6


def test_measurements_in_a_block_are_refused():
    with pytest.raises(ValueError, match="a key must be new"):
        mps(4, Circuit(2).measure(0, "a"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mps_wires(4, 1), r"mps: n_block_wires must be an integer in 2..4, got n_block_wires=1"),
        (lambda: mps_wires(4, 5), r"n_block_wires=5"),
        (lambda: mps_wires(4, 2, offset=2), r"mps: offset must be an integer in 1..1, got offset=2"),
        (lambda: mps_wires(4, 2, offset=0), r"offset=0"),
        (lambda: mps_wires(7, 4), r"must reach the last qubit, got n_qubits=7"),
        (lambda: ttn_wires(6, 2), r"ttn: n_qubits must be 2\^l times .*, got n_qubits=6, n_block_wires=2"),
        (lambda: ttn_wires(6, 3), r"even number"),
        (lambda: ttn_wires(5, 2), r"n_qubits=5"),
        (lambda: mera_wires(12, 4), r"mera: n_qubits must be 2\^l times"),
        (lambda: mera_wires(2, 4), r"mera: n_block_wires must be an integer in 2..2"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
