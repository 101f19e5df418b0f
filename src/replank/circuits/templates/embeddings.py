"""Embeddings: circuits that bring the features of a sample into a quantum state."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import pi

from replank.circuits.angle import Angle, AngleLike, as_angle, x
from replank.circuits.circuit import Circuit
from replank.circuits.operations import PrepareAmplitudes
from replank.circuits.templates.arguments import Angles, Rotation, check_count, check_rotation, take_features

_LARGEST_AMPLITUDES = 20  # qubits: each of the 2^20 amplitudes is an angle of its own


def angle_embedding(n_qubits: int, *, features: Angles = x, rotation: Rotation = "RX") -> Circuit:
    """One feature a qubit, as the angle of a rotation: ``RX(features[q])`` on qubit ``q``.

    Equals PennyLane's ``AngleEmbedding``, whose ``rotation="X"`` is ``"RX"`` here.

    Args:
        n_qubits: number of qubits.
        features: one to ``n_qubits``; qubits without a feature stay as they are.
        rotation: the gate.

    Raises:
        UnknownName: no such rotation.
        ValueError: too few or too many features.
    """
    check_rotation(rotation)
    circuit = Circuit(n_qubits)
    for wire, feature in enumerate(take_features("angle_embedding", features, n_qubits, least=1)):
        circuit.gate(rotation, (feature,), (wire,))
    return circuit


def amplitude_embedding(n_qubits: int, *, features: Angles = x, pad_with: float = 0.0) -> Circuit:
    """The features as amplitudes, padded on the right to ``2^n_qubits``, then divided by each sample's norm.

    Must come first: the qubits must be fresh. Equals PennyLane's ``AmplitudeEmbedding`` with ``normalize=True``.

    Args:
        n_qubits: number of qubits, at most 20.
        features: one to ``2^n_qubits``; of no sample may they, with the padding, all be zero.
        pad_with: what is put in the place of missing features.

    Raises:
        ValueError: too few or too many features, or the amplitudes are numbers that are all zero.
    """
    circuit = Circuit(n_qubits)
    check_count("amplitude_embedding", "n_qubits", n_qubits, most=_LARGEST_AMPLITUDES)
    given = take_features("amplitude_embedding", features, 2**n_qubits, least=1)
    padded = given + (as_angle(pad_with),) * (2**n_qubits - len(given)) if pad_with else given
    if all(amplitude == Angle() for amplitude in padded):
        raise ValueError(f"amplitude_embedding: an amplitude must differ from 0, got {len(padded)} zeros.")
    return circuit.append(PrepareAmplitudes(amplitudes=padded, wires=tuple(range(n_qubits))))


def basis_embedding(n_qubits: int, *, features: Angles = x) -> Circuit:
    """The basis state whose bits are the features, qubit 0's first: X where a feature is 1.

    For given bits it equals PennyLane's ``BasisEmbedding``. Bits that are known only at run time turn their qubit by
    ``RX(pi * feature)``: the same state times ``-i`` for each 1. Nothing stops a feature from being neither 0 nor 1
    then; its qubit is left in between.

    Args:
        n_qubits: number of qubits.
        features: ``n_qubits`` bits, or features whose values are bits.

    Raises:
        ValueError: the number of features is wrong, or a number is neither 0 nor 1.
    """
    circuit = Circuit(n_qubits)
    for wire, feature in enumerate(take_features("basis_embedding", features, n_qubits)):
        if not feature.is_number:
            circuit.rx(pi * feature, wire)
        elif feature.constant == 1:
            circuit.x(wire)
        elif feature.constant != 0:
            raise ValueError(f"basis_embedding: bits must be 0 or 1, got {feature} for qubit {wire}.")
    return circuit


def iqp_embedding(
    n_qubits: int,
    *,
    features: Angles = x,
    n_repeats: int = 1,
    pattern: Sequence[tuple[int, int]] | None = None,
) -> Circuit:
    """An instantaneous quantum polynomial circuit, repeated: Hadamards, then what is diagonal in the basis.

    Diagonal are ``RZ(features[q])`` on each qubit and ``RZZ(features[a] * features[b])`` on pairs. Equals PennyLane's
    ``IQPEmbedding``.

    Source: Havlíček et al. (2019), arXiv 1804.11326.

    Args:
        n_qubits: number of qubits.
        features: ``n_qubits``.
        n_repeats: how often the whole is repeated.
        pattern: the pairs ``(a, b)``; all if not given. They commute, their order is of no consequence.

    Raises:
        ValueError: the number of features is wrong, there is no repetition, or a pair is not one of qubits.
    """
    check_count("iqp_embedding", "n_repeats", n_repeats)
    circuit = Circuit(n_qubits)
    values = take_features("iqp_embedding", features, n_qubits)
    pairs = list(combinations(range(n_qubits), 2)) if pattern is None else [tuple(pair) for pair in pattern]
    wrong = [pair for pair in pairs if len(set(pair)) != 2 or len(pair) != 2 or set(pair) - set(range(n_qubits))]
    if wrong:
        raise ValueError(f"iqp_embedding: a pair must be of two qubits among 0..{n_qubits - 1}, got {wrong[0]}.")
    for _ in range(n_repeats):
        for wire, value in enumerate(values):
            circuit.h(wire).rz(value, wire)
        for one, other in pairs:
            circuit.rzz(values[one] * values[other], one, other)
    return circuit


def hamiltonian_embedding(
    n_qubits: int, words: Sequence[str], *, features: Angles = x, time: AngleLike = 1.0, n_steps: int = 1
) -> Circuit:
    """Evolution under a Hamiltonian whose coefficients are the features: ``exp(-i time sum_k features[k] words[k])``.

    It is split into ``n_steps`` first-order Trotter steps, in each of which the words act in the given order; this is
    exact if they commute. Equals PennyLane's ``ApproxTimeEvolution`` of that Hamiltonian, and ``CommutingEvolution`` of
    one whose words commute. :func:`replank.circuits.embed_hamiltonian` takes the features for a matrix instead.

    Args:
        n_qubits: number of qubits.
        words: Pauli strings with a letter for each qubit, qubit 0's first, each once, none of I alone: ``"XXI"``.
        features: one a word.
        time: a number, or an angle: ``theta[0]`` is a trainable time.
        n_steps: number of Trotter steps.

    Raises:
        ValueError: a word does not fit or comes twice, the number of features is wrong, or there is no step.
    """
    check_count("hamiltonian_embedding", "n_steps", n_steps)
    circuit = Circuit(n_qubits)
    for word in words:
        if len(word) != n_qubits or set(word) - set("IXYZ") or set(word) <= {"I"}:
            raise ValueError(
                f"hamiltonian_embedding: a word must have {n_qubits} letters of I, X, Y, Z, not all I, got {word!r}."
            )
    if not words or len(set(words)) != len(words):
        raise ValueError(f"hamiltonian_embedding: needs words that differ, got words={tuple(words)}.")
    values = take_features("hamiltonian_embedding", features, len(words))
    duration = as_angle(time) * (2 / n_steps)  # PauliRotation turns by half its angle
    for _ in range(n_steps):
        for word, value in zip(words, values, strict=True):
            wires = [wire for wire, letter in enumerate(word) if letter != "I"]
            circuit.pauli_rotation(word.replace("I", ""), duration * value, wires)
    return circuit
