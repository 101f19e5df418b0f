from __future__ import annotations

from collections import Counter

import pytest

from replank.circuits import Circuit
from replank.circuits.templates import place_gates, random_layers, random_structure

N = 20_000  # gates; a frequency then has a standard deviation of less than 0.0036


def placements(circuit: Circuit) -> list[tuple[str, tuple[int, ...]]]:
    return [(operation.label, operation.wires) for operation in circuit]


def test_the_seed_decides_the_gates():
    assert random_structure(4, 20, seed=1) == random_structure(4, 20, seed=1)
    assert random_structure(4, 20, seed=1) != random_structure(4, 20, seed=2)


def test_layers_are_the_circuit_of_the_structure():
    layers = random_layers(4, 3, 5, seed=7, entangler="CZ", rotations=("RY", "RZ"), entangler_ratio=0.5)
    structure = random_structure(4, 15, seed=7, entangler="CZ", rotations=("RY", "RZ"), entangler_ratio=0.5)
    assert placements(layers) == list(structure) == placements(place_gates(4, structure))


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.7])
def test_the_ratio_is_the_frequency_of_entanglers(ratio):
    names = Counter(name for name, _ in random_structure(3, N, seed=0, entangler_ratio=ratio))
    assert sum(names[name] for name in ("RX", "RY", "RZ")) == N
    assert names["CNOT"] / names.total() == pytest.approx(ratio, abs=0.02)


def test_rotations_and_wires_are_equally_frequent():
    structure = random_structure(3, N, seed=0)
    rotations = [placement for placement in structure if placement[0] != "CNOT"]
    pairs = [wires for name, wires in structure if name == "CNOT"]
    assert len(Counter(rotations)) == 9
    assert len(Counter(pairs)) == 6  # ordered, and never a wire with itself
    for kind, n in ((Counter(rotations), 9), (Counter(pairs), 6)):
        assert all(count / kind.total() == pytest.approx(1 / n, abs=0.02) for count in kind.values())


def test_a_rotation_that_comes_twice_is_chosen_twice_as_often():
    names = Counter(name for name, _ in random_structure(1, N, seed=0, rotations=("RX", "RX", "RZ")))
    assert names["RX"] / N == pytest.approx(2 / 3, abs=0.02)


def test_one_qubit_is_not_entangled():
    assert {len(wires) for _, wires in random_structure(1, 50, seed=0, entangler_ratio=0.9)} == {1}


@pytest.mark.parametrize("ratio", [1.0, -0.1, float("nan")])
def test_a_ratio_out_of_range_is_refused(ratio):
    with pytest.raises(ValueError, match=r"entangler_ratio must be in \[0, 1\), got entangler_ratio"):
        random_structure(2, 1, seed=0, entangler_ratio=ratio)


def test_there_must_be_a_rotation_to_choose():
    with pytest.raises(ValueError, match="needs a rotation"):
        random_structure(2, 1, seed=0, rotations=())
