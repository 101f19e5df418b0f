from __future__ import annotations

from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, reference, theta, x
from replank.circuits.gates import pauli_matrix
from replank.circuits.templates import (
    amplitude_embedding,
    angle_embedding,
    basis_embedding,
    hamiltonian_embedding,
    iqp_embedding,
)

F64 = torch.float64
bits = st.lists(st.integers(0, 1), min_size=1, max_size=5)
# multiples of 1e-3, so that neither the norm nor its square underflows
numbers = st.lists(st.integers(-5000, 5000), min_size=1, max_size=8).map(lambda ks: [k / 1000 for k in ks])


def state(circuit: Circuit, *features: float, parameters: tuple[float, ...] = ()) -> torch.Tensor:
    return reference.state(circuit, torch.tensor([features], dtype=F64), torch.tensor(parameters, dtype=F64))[0]


def unitary(circuit: Circuit, *features: float) -> torch.Tensor:
    return reference.unitary(circuit, torch.tensor(features, dtype=F64))


@pytest.mark.parametrize("rotation", ["RX", "RY"])
def test_each_angle_is_the_latitude_of_its_qubit(rotation):
    angles = torch.tensor([0.3, 1.2, -2.0], dtype=F64)
    probabilities = state(angle_embedding(3, rotation=rotation), *angles.tolist()).abs().square().reshape(2, 2, 2)
    for wire, angle in enumerate(angles):
        zero = probabilities.movedim(wire, 0)[0].sum()
        torch.testing.assert_close(2 * zero - 1, angle.cos())


def test_rotations_about_z_leave_the_ground_state():
    assert state(angle_embedding(2, rotation="RZ"), 0.4, 0.9).abs()[0] == pytest.approx(1)


def test_qubits_without_a_feature_stay_as_they_are():
    circuit = angle_embedding(4, features=x[:2])
    assert [operation.wires for operation in circuit] == [(0,), (1,)]


@given(numbers.filter(any))
def test_amplitudes_are_the_features_over_their_norm(values):
    padded = torch.zeros(8, dtype=F64)
    padded[: len(values)] = torch.tensor(values, dtype=F64)
    got = state(amplitude_embedding(3, features=x[: len(values)]), *values)
    torch.testing.assert_close(got, (padded / padded.norm()).to(got), rtol=0, atol=1e-12)


@given(numbers, st.sampled_from([-0.5, 2.0]))
def test_padding_comes_before_the_norm(values, pad_with):
    padded = torch.full((16,), pad_with, dtype=F64)
    padded[: len(values)] = torch.tensor(values, dtype=F64)
    got = state(amplitude_embedding(4, features=x[: len(values)], pad_with=pad_with), *values)
    torch.testing.assert_close(got, (padded / padded.norm()).to(got), rtol=0, atol=1e-12)


def test_every_sample_has_a_norm_of_its_own():
    features = torch.tensor([[1.0, 2.0], [-30.0, 4.0]], dtype=F64)
    norms = reference.state(amplitude_embedding(1), features, torch.zeros(0, dtype=F64)).norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(2, dtype=F64))


def test_amplitudes_that_are_all_zero_are_refused():
    with pytest.raises(ValueError, match="an amplitude must differ from 0, got 2 zeros"):
        amplitude_embedding(2, features=[0.0, 0.0])
    assert state(amplitude_embedding(2, features=[0.0, 0.0], pad_with=1.0))[3] == pytest.approx(0.5**0.5)


def test_more_amplitudes_than_can_be_listed_are_refused():
    with pytest.raises(ValueError, match=r"n_qubits must be an integer in 1\.\.20, got n_qubits=60"):
        amplitude_embedding(60)


def test_amplitudes_need_fresh_qubits():
    with pytest.raises(ValueError, match="fresh qubits"):
        Circuit(2).h(0).extend(amplitude_embedding(2))


@given(bits)
def test_given_bits_are_the_index_of_the_basis_state(values):
    got = state(basis_embedding(len(values), features=values))
    expected = torch.zeros_like(got)
    expected[int("".join(map(str, values)), 2)] = 1
    assert torch.equal(got, expected)


@given(bits)
def test_bits_of_a_sample_give_the_same_state_with_a_phase_for_each_one(values):
    given_bits = state(basis_embedding(len(values), features=values))
    sampled = state(basis_embedding(len(values)), *values)
    torch.testing.assert_close(sampled, (-1j) ** sum(values) * given_bits)


@pytest.mark.parametrize("bad", [2, -1, 0.5])
def test_a_bit_is_0_or_1(bad):
    with pytest.raises(ValueError, match=rf"bits must be 0 or 1, got {bad} for qubit 1"):
        basis_embedding(2, features=[1, bad])


def hadamards(n: int) -> torch.Tensor:
    return unitary(Circuit(n).extend(operation for wire in range(n) for operation in Circuit(n).h(wire)))


@pytest.mark.parametrize("n_repeats", [1, 2, 3])
def test_iqp_of_zeros_is_hadamards(n_repeats):
    got = unitary(iqp_embedding(3, n_repeats=n_repeats), 0.0, 0.0, 0.0)
    torch.testing.assert_close(got, torch.matrix_power(hadamards(3), n_repeats))


@pytest.mark.parametrize("pattern", [None, [(0, 2)], []], ids=str)
def test_iqp_is_powers_of_a_diagonal_times_hadamards(pattern):
    features = [0.4, -1.1, 0.7]
    pairs = list(combinations(range(3), 2)) if pattern is None else pattern
    signs = [1 - 2 * (torch.arange(8) >> (2 - wire) & 1) for wire in range(3)]
    energy = sum(features[wire] * signs[wire] for wire in range(3))
    energy = energy + sum(features[a] * features[b] * signs[a] * signs[b] for a, b in pairs)
    layer = torch.diag(torch.exp(-0.5j * energy.to(torch.complex128))) @ hadamards(3)
    got = unitary(iqp_embedding(3, n_repeats=2, pattern=pattern), *features)
    torch.testing.assert_close(got, layer @ layer)


@pytest.mark.parametrize("pair", [(0, 3), (1, 1), (-1, 0), (0, 1, 2), (0,)])
def test_a_pair_must_be_of_two_qubits(pair):
    with pytest.raises(ValueError, match=r"two qubits among 0\.\.2"):
        iqp_embedding(3, pattern=[pair])


def hamiltonian(words: list[str], features: list[float]) -> torch.Tensor:
    return sum(value * pauli_matrix(word) for word, value in zip(words, features, strict=True))


@pytest.mark.parametrize("n_steps", [1, 3])
def test_commuting_words_evolve_exactly(n_steps):
    words, features, time = ["XXI", "YYI", "ZZI", "IIZ"], [0.3, -0.8, 0.5, 1.1], 0.7
    exact = torch.matrix_exp(-1j * time * hamiltonian(words, features))
    got = unitary(hamiltonian_embedding(3, words, time=time, n_steps=n_steps), *features)
    torch.testing.assert_close(got, exact)


def test_steps_converge_to_first_order():
    words, features = ["XX", "ZI", "IY"], [0.9, 0.6, -0.7]
    exact = torch.matrix_exp(-1j * hamiltonian(words, features))
    errors = [
        float((unitary(hamiltonian_embedding(2, words, n_steps=n), *features) - exact).norm()) for n in (40, 80, 160)
    ]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.02)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.01)


def test_the_time_can_be_trained():
    circuit = hamiltonian_embedding(2, ["XX", "ZI"], time=theta[0])
    numbers = hamiltonian_embedding(2, ["XX", "ZI"], time=0.4)
    torch.testing.assert_close(state(circuit, 0.3, 0.8, parameters=(0.4,)), state(numbers, 0.3, 0.8))


@pytest.mark.parametrize("words", [["XXI"], ["XA"], ["II"], ["XX", "XX"], [], [""]], ids=str)
def test_words_that_do_not_fit_are_refused(words):
    with pytest.raises(ValueError, match=r"a word must have 2 letters|needs words that differ"):
        hamiltonian_embedding(2, words)
