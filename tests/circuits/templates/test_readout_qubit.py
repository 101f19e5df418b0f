"""Circuits with a readout qubit: exact representations, over all strings."""

from __future__ import annotations

import itertools
from math import cos, pi, sin

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from replank.circuits import Circuit, Y, reference
from replank.circuits.gates import pauli_matrix
from replank.circuits.templates import (
    basis_embedding,
    majority_circuit,
    parity_circuit,
    parity_layer,
    parity_shape,
    readout_layers,
    readout_shape,
    reed_muller_circuit,
    reed_muller_products,
)

NOTHING = torch.zeros(0, dtype=torch.float64)


def _strings(n: int) -> np.ndarray:
    return np.array(list(itertools.product((0, 1), repeat=n)))


def _predictions(circuit: Circuit, weights: torch.Tensor = NOTHING) -> np.ndarray:
    """Of all strings of bits."""
    n = circuit.n_qubits - 1
    whole = basis_embedding(n).on(range(n), n + 1).extend(circuit)
    return whole.plan(Y(n))(torch.tensor(_strings(n)).double(), weights).numpy()


@pytest.mark.parametrize("n", range(1, 9))
def test_every_parity_is_exact(n):
    masks = _strings(n)[1:] if n < 6 else [np.ones(n, int), *np.random.default_rng(n).integers(0, 2, (4, n))]
    for mask in masks:
        labels = 1 - 2 * (_strings(n) @ mask % 2)
        np.testing.assert_allclose(_predictions(parity_circuit(mask)), labels, atol=1e-10)


@pytest.mark.parametrize("n", range(1, 9))
def test_every_majority_has_the_right_sign(n):
    masks = [mask for mask in _strings(n) if mask.sum() % 2]
    for mask in masks if n < 6 else masks[:: len(masks) // 5]:
        beta = 0.9 * pi / mask.sum()
        margins = (1 - 2 * _strings(n)) @ mask
        scores = _predictions(majority_circuit(mask, beta))
        np.testing.assert_allclose(scores, np.sin(beta * margins), atol=1e-10)
        assert (np.sign(scores) == np.sign(margins)).all()
        assert (np.sign(_predictions(majority_circuit(mask))) == np.sign(margins)).all()


@pytest.mark.parametrize("n", range(1, 9))
def test_every_function_is_exact(n):
    tables = itertools.product((0, 1), repeat=2**n) if n < 4 else np.random.default_rng(n).integers(0, 2, (2, 2**n))
    for table in tables:
        np.testing.assert_allclose(_predictions(reed_muller_circuit(table)), 1 - 2 * np.array(table), atol=1e-10)


def test_products_add_up_to_the_function():
    """Over the field of two elements, from the definition."""
    for table in np.random.default_rng(0).integers(0, 2, (5, 32)):
        products = list(reed_muller_products(table))
        values = [sum(all(bits[wire] for wire in wires) for wires in products) % 2 for bits in _strings(5)]
        assert values == table.tolist()
        assert len(set(products)) == len(products)


def test_known_expansions():
    assert list(reed_muller_products(np.array([0, 0, 0, 1]))) == [(0, 1)]  # and
    assert list(reed_muller_products(np.array([0, 1, 1, 1]))) == [(0,), (1,), (0, 1)]  # or
    assert list(reed_muller_products(np.array([1, 0, 0, 1]))) == [(), (0,), (1,)]  # equal


@pytest.mark.parametrize("layers", [("ZX", "XX"), ("YX", "X", "ZZX"), ("ZZ", "ZY", "XXY")])
def test_gates_are_exponentials_with_plus_i(layers):
    n = 3
    weights = torch.rand(*readout_shape(n, layers), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected, angles = np.eye(2 ** (n + 1)), iter(weights.tolist())
    for word in layers:
        places = {1: [()], 2: [(0,), (1,), (2,)], 3: [(0, 1), (1, 2), (2, 0)]}[len(word)]
        for wires in places:
            letters = ["I"] * (n + 1)
            for wire, letter in zip((*wires, n), word, strict=True):
                letters[wire] = letter
            expected = expm(1j * next(angles) * pauli_matrix("".join(letters)).numpy()) @ expected
    unitary = reference.unitary(readout_layers(n, layers), NOTHING, weights)
    np.testing.assert_allclose(unitary.numpy(), expected, atol=1e-12)


def test_pairs_can_be_a_graph():
    edges = [(0, 3), (1, 2)]
    circuit = readout_layers(4, ("ZZX",), pairs=edges)
    assert [operation.wires for operation in circuit] == [(0, 3, 4), (1, 2, 4)]
    assert readout_shape(4, ("ZZX",), pairs=edges) == (2,)


@pytest.mark.parametrize("letters", ["Z", "X"])
def test_a_rotation_repeats_after_pi_up_to_sign(letters):
    layer = readout_layers(2, (f"{letters}X",))
    weights = torch.tensor([0.4, 1.1], dtype=torch.float64)
    shifted = weights + torch.tensor([pi, 0], dtype=torch.float64)
    one, other = (reference.unitary(layer, NOTHING, each) for each in (weights, shifted))
    torch.testing.assert_close(one, -other)


def test_the_parity_layer_is_a_cosine():
    weights = torch.tensor([0.3, -0.7, 1.9], dtype=torch.float64)
    expected = np.cos(2 * _strings(3) @ weights.numpy())
    np.testing.assert_allclose(_predictions(parity_layer(3), weights), expected, atol=1e-12)
    assert parity_layer(3).n_parameters == parity_shape(3)[0] == 3


def test_templates_take_weights_as_others_do():
    weights = [0.1, 0.2, 0.3]
    late = parity_layer(3, start=2)
    assert late.n_parameters == 5
    given = _predictions(parity_layer(3, weights=weights))
    np.testing.assert_allclose(_predictions(parity_layer(3), torch.tensor(weights).double()), given, atol=1e-12)
    np.testing.assert_allclose(given[1], cos(0.6), atol=1e-12)
    with pytest.raises(ValueError, match=r"needs 3 weights from start=0 on, got 2\."):
        parity_layer(3, weights=weights[:2])
    with pytest.raises(ValueError, match=r"needs 6 weights from start=0 on, got 3\."):
        readout_layers(3, ("ZX", "XX"), weights=weights)


def test_an_even_majority_is_warned_of():
    with pytest.warns(UserWarning, match="an even number of bits can tie, got 2 of them"):
        circuit = majority_circuit([1, 0, 1], beta=0.5)
    scores = _predictions(circuit)
    np.testing.assert_allclose(scores[[0, 1, 4, 5]], [sin(1.0), 0, 0, -sin(1.0)], atol=1e-12)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: parity_circuit([]), "a mask must hold a 0 or 1"),
        (lambda: parity_circuit([0, 2]), "a mask must hold a 0 or 1"),
        (lambda: parity_circuit([0.5, 1]), "a mask must hold a 0 or 1"),
        (lambda: majority_circuit([0, 0]), r"must count a bit, got mask=\[0, 0\]"),
        (lambda: majority_circuit([1, 1, 1], beta=1.2), r"between 0 and pi/3, got beta=1.2"),
        (lambda: majority_circuit([1], beta=0), r"between 0 and pi/1, got beta=0"),
        (lambda: reed_muller_circuit([0, 1, 1]), "2\\^n bits"),
        (lambda: reed_muller_circuit([0, 2]), "2\\^n bits"),
        (lambda: reed_muller_circuit([1]), "2\\^n bits"),
        (lambda: readout_layers(2, ("ZXXX",)), "one to three letters of X, Y, Z, got 'ZXXX'"),
        (lambda: readout_layers(2, ("IX",)), "one to three letters of X, Y, Z, got 'IX'"),
        (lambda: readout_layers(2, ("ZZX",), pairs=[(0, 2)]), r"two qubits among 0..1, got \(0, 2\)"),
        (lambda: readout_layers(2, ("ZZX",), pairs=[(1, 1)]), r"two qubits among 0..1, got \(1, 1\)"),
        (lambda: readout_layers(0, ("ZX",)), "n_data must be an integer at least 1"),
    ],
)
def test_wrong_arguments_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
