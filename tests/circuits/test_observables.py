"""Observables: the algebra of Pauli sums is that of their matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import (
    Circuit,
    DensityMatrix,
    PauliSum,
    Probabilities,
    Projector,
    Samples,
    State,
    X,
    Y,
    Z,
    hamiltonian,
    pauli,
)
from replank.circuits.gates import pauli_matrix
from replank.circuits.observables import check_wires
from tests.circuits.strategies import pauli_sums

N = 3
sums = pauli_sums(N)


def dense(observable: PauliSum) -> np.ndarray:
    total = np.zeros((2**N, 2**N), dtype=complex)
    for word, coefficient in observable.terms:
        letters = dict(word)
        total += coefficient * pauli_matrix("".join(letters.get(wire, "I") for wire in range(N))).numpy()
    return total


@given(sums, sums, st.floats(-3, 3))
def test_sums_and_multiples(one, other, number):
    np.testing.assert_allclose(dense(one + other), dense(one) + dense(other), atol=1e-12)
    np.testing.assert_allclose(dense(one - other), dense(one) - dense(other), atol=1e-12)
    np.testing.assert_allclose(dense(number * one), number * dense(one), atol=1e-12)
    np.testing.assert_allclose(dense(one * number), number * dense(one), atol=1e-12)
    np.testing.assert_allclose(dense(-one), -dense(one), atol=1e-12)
    np.testing.assert_allclose(dense(number + one), number * np.eye(2**N) + dense(one), atol=1e-12)
    np.testing.assert_allclose(dense(one - number), dense(one) - number * np.eye(2**N), atol=1e-12)


@given(sums, sums)
def test_a_product_is_measured_if_it_is_hermitian(one, other):
    product = dense(one) @ dense(other)
    if np.allclose(product, product.conj().T):
        np.testing.assert_allclose(dense(one @ other), product, atol=1e-12)
    else:
        with pytest.raises(ValueError, match="a product must be Hermitian to be measured"):
            one @ other


def test_each_string_comes_once_and_none_with_0():
    assert X(0) + X(0) == 2 * X(0)
    assert (X(0) - X(0)).terms == ()
    assert (Z(1) @ X(0)).terms == ((((0, "X"), (1, "Z")), 1.0),)
    assert X(0) @ X(0) == pauli("I")
    assert (0 * Z(0)).terms == ()


def test_words_and_hamiltonians():
    assert pauli("ZIX") == Z(0) @ X(2)
    assert hamiltonian({"ZZI": 1.0, "IXX": 0.5}) == Z(0) @ Z(1) + 0.5 * X(1) @ X(2)
    assert hamiltonian({}).terms == ()


@pytest.mark.parametrize(
    ("observable", "wires", "is_diagonal", "text"),
    [
        (Z(2) + Z(0) @ Z(1), (0, 1, 2), True, "Z(2) + Z(0) @ Z(1)"),
        (X(0) - 0.5 * Y(3), (0, 3), False, "X(0) + -0.5 * Y(3)"),
        (pauli("II") * 2, (), True, "2 * 1"),
        (PauliSum(()), (), True, "0"),
    ],
    ids=str,
)
def test_what_it_says_about_itself(observable, wires, is_diagonal, text):
    assert (observable.wires, observable.is_diagonal, str(observable)) == (wires, is_diagonal, text)


@pytest.mark.parametrize(
    ("wrong", "law"),
    [
        (lambda: X(-1), "X: a wire is an integer from 0, got wire=-1"),
        (lambda: Z(0.0), "Z: a wire is an integer from 0, got wire=0.0"),
        (lambda: Y(True), "Y: a wire is an integer from 0, got wire=True"),
        (lambda: pauli("XQ"), "letters must be I, X, Y or Z, got 'XQ'"),
        (lambda: pauli("XZ", 3), "a letter for each of n_qubits=3, got 'XZ'"),
        (lambda: hamiltonian({"x": 1.0}), "letters must be I, X, Y or Z, got 'x'"),
        (lambda: Z(0) * math.nan, "a coefficient must be finite, got nan"),
        (lambda: Z(0) + math.inf, "a coefficient must be finite, got inf"),
        (lambda: X(0) @ Y(0), r"must be Hermitian to be measured, got \(X\(0\)\) @ \(Y\(0\)\)"),
        (lambda: Projector((1, 0), (0,)), r"a bit for each wire, got bits=\(1, 0\), wires=\(0,\)"),
        (lambda: Projector((2,), (0,)), r"a bit for each wire, got bits=\(2,\)"),
        (lambda: Samples(0), "at least one shot, got shots=0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input(wrong, law):
    with pytest.raises(ValueError, match=law):
        wrong()


@pytest.mark.parametrize(
    "observable",
    [
        Z(2),
        X(0) @ Y(5),
        Probabilities((0, 0)),
        Probabilities((-1,)),
        Projector((0, 1), (1, 1)),
        DensityMatrix((2,)),
        Samples(3, (0, 2)),
    ],
    ids=str,
)
def test_qubits_that_are_missing_or_come_twice(observable):
    with pytest.raises(ValueError, match=r"observable: wires must be different and among 0\.\.1, got"):
        check_wires(observable, 2)
    with pytest.raises(ValueError, match=r"observable: wires must be different and among 0\.\.1, got"):
        Circuit(2).h(0).plan([Z(0), observable])


@pytest.mark.parametrize(
    "observable", [Probabilities(()), Projector((), ()), DensityMatrix(()), Samples(1, ())], ids=str
)
def test_no_qubits_at_all(observable):
    with pytest.raises(ValueError, match=r"observable: there must be a wire, got wires=\(\)"):
        Circuit(2).plan(observable)


@pytest.mark.parametrize("wrong", [None, "Z", Z, 0.5], ids=["None", "text", "function", "number"])
def test_what_is_no_observable(wrong):
    with pytest.raises(TypeError, match="observable: must be a PauliSum, Probabilities"):
        Circuit(2).plan([wrong])


@pytest.mark.parametrize(
    "observable", [Z(1), pauli("II"), Probabilities(), State(), DensityMatrix((1, 0)), Samples(1)], ids=str
)
def test_qubits_that_are_there(observable):
    check_wires(observable, 2)
