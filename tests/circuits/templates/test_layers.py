from __future__ import annotations

from itertools import permutations

import pytest
import torch

from replank.circuits import Circuit, reference
from replank.circuits.templates import (
    basic_entangler_layers,
    hardware_efficient_layers,
    hardware_efficient_shape,
    strongly_entangling_layers,
)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def state(circuit: Circuit, parameters: torch.Tensor) -> torch.Tensor:
    return reference.state(circuit, parameters.new_zeros(1, 0), parameters.flatten())[0]


def entanglers(circuit: Circuit) -> list[tuple[int, ...]]:
    return [operation.wires for operation in circuit if len(operation.wires) == 2]


@pytest.mark.parametrize("template", [strongly_entangling_layers, basic_entangler_layers, hardware_efficient_layers])
@pytest.mark.parametrize("n_qubits", [1, 2, 4])
def test_zero_angles_leave_the_ground_state(template, n_qubits):
    circuit = template(n_qubits, 3)
    amplitudes = state(circuit, torch.zeros(circuit.n_parameters, dtype=torch.float64))
    assert amplitudes[0] == 1


def test_ranges_grow_until_they_begin_anew():
    pairs = entanglers(strongly_entangling_layers(4, 4))
    reaches = [(target - control) % 4 for control, target in pairs]
    assert reaches == [1] * 4 + [2] * 4 + [3] * 4 + [1] * 4


def test_given_ranges_are_those_of_the_layers():
    pairs = entanglers(strongly_entangling_layers(4, 2, ranges=[3, 2], entangler="CZ"))
    assert pairs == [(0, 3), (1, 0), (2, 1), (3, 2), (0, 2), (1, 3), (2, 0), (3, 1)]


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ([1], "needs 2 ranges, one a layer, got 1"),
        ([1, 0], r"a range must be an integer in 1..3, got a range=0"),
        ([4, 1], r"in 1..3, got a range=4"),
        ([-1, 1], r"in 1..3, got a range=-1"),
    ],
)
def test_ranges_that_do_not_fit_are_refused(ranges, message):
    with pytest.raises(ValueError, match=message):
        strongly_entangling_layers(4, 2, ranges=ranges)


def test_one_qubit_is_not_entangled():
    assert entanglers(strongly_entangling_layers(1, 2)) == entanglers(basic_entangler_layers(1, 2)) == []
    assert entanglers(hardware_efficient_layers(1, 2, topology="all-to-all")) == []


def test_the_ring_of_two_qubits_is_one_pair():
    assert entanglers(basic_entangler_layers(2, 1)) == [(0, 1)]


def test_a_ring_of_cnots_adds_bits():
    # three ones: CNOT 01 gives 101, CNOT 12 leaves it, CNOT 20 gives 001
    amplitudes = state(basic_entangler_layers(3, 1), torch.full((3,), torch.pi, dtype=torch.float64))
    assert amplitudes.abs()[0b001] == pytest.approx(1)


@pytest.mark.parametrize(("topology", "n_pairs"), [("linear", 4), ("ring", 5), ("all-to-all", 10)])
def test_each_layer_entangles_the_pairs_of_the_topology(topology, n_pairs):
    circuit = hardware_efficient_layers(5, 3, topology=topology)
    assert len(entanglers(circuit)) == 3 * n_pairs
    assert circuit.counts().n_gates == 3 * n_pairs + 4 * 2 * 5


def test_real_gates_make_real_states():
    circuit = hardware_efficient_layers(4, 3, rotations=("RY",), entangler="CZ", topology="ring")
    amplitudes = state(circuit, randn(circuit.n_parameters))
    assert amplitudes.imag.abs().max() == 0
    assert amplitudes.real.min() < 0


def moved(topology: str, order: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """A state of four qubits whose weights have changed places, and the state whose qubits have."""
    circuit = hardware_efficient_layers(4, 2, entangler="CZ", topology=topology)
    weights = randn(*hardware_efficient_shape(4, 2))
    bits = state(circuit, weights).reshape(2, 2, 2, 2)
    return state(circuit, weights[..., list(order)]), bits.permute(*order).flatten()


@pytest.mark.parametrize("order", list(permutations(range(4)))[1::5], ids=str)
def test_all_to_all_does_not_tell_qubits_apart(order):
    torch.testing.assert_close(*moved("all-to-all", order))


@pytest.mark.parametrize("order", [(1, 2, 3, 0), (3, 2, 1, 0), (2, 3, 0, 1)], ids=str)
def test_a_ring_has_no_beginning(order):
    torch.testing.assert_close(*moved("ring", order))


def test_a_chain_has_no_direction():
    torch.testing.assert_close(*moved("linear", (3, 2, 1, 0)))
