"""Noise: channels after gates, errors at read-out, and models that put both into a circuit.

A channel is a step of a circuit: ``circuit.append(depolarising(0.01, 0))``. A :class:`NoiseModel` puts channels after
every gate of a circuit that was written without noise. Circuits with channels are run exactly, as density matrices, by
:meth:`Circuit.plan`, and approximately, on more qubits, by :class:`replank.circuits.trajectories.Trajectories`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from replank.circuits.circuit import Circuit
from replank.circuits.gates import GATES, pauli_matrix
from replank.circuits.observables import PauliSum
from replank.circuits.operations import UNITARY, Channel, Operation, as_matrix
from replank.errors import UnknownName


def _probability(owner: str, **named: float) -> None:
    for name, value in named.items():
        if not 0 <= value <= 1:  # NaN is refused, too
            raise ValueError(f"{owner}: a probability must be in [0, 1], got {name}={value}.")


def _pauli_mixture(name: str, probabilities: Mapping[str, float], wires: tuple[int, ...]) -> Channel:
    """With each probability a Pauli string, and nothing with what is left of 1."""
    identity = {"I" * len(wires): 1 - sum(probabilities.values())}
    weighted = {**identity, **probabilities}.items()
    return Channel(
        name=name,
        kraus=tuple(as_matrix(math.sqrt(max(p, 0.0)) * pauli_matrix(word)) for word, p in weighted),
        wires=wires,
    )


def depolarising(p: float, *wires: int) -> Channel:
    """With probability ``p`` one of the Pauli strings but the identity, all alike, on one or two wires.

    On one wire it is ``rho -> (1 - p) rho + p/3 (X rho X + Y rho Y + Z rho Z)``, which is
    ``(1 - q) rho + q I/2`` with ``q = 4p/3``; on two it is ``(1 - p) rho + p/15 sum_P P rho P``, which is
    ``(1 - q) rho + q I/4`` with ``q = 16p/15``. ``p`` is the parameter of PennyLane's ``DepolarizingChannel``; nothing
    is left of the state at ``p = 3/4`` and ``p = 15/16``.

    Raises:
        ValueError: ``p`` is not in [0, 1], or there are not one or two wires.
    """
    _probability("depolarising", p=p)
    if len(wires) not in (1, 2):
        raise ValueError(f"depolarising: there must be one or two wires, got wires={wires}.")
    errors = ["".join(letters) for letters in itertools.product("IXYZ", repeat=len(wires))][1:]
    return _pauli_mixture("Depolarising", dict.fromkeys(errors, p / len(errors)), wires)


def bit_flip(p: float, wire: int) -> Channel:
    """X with probability ``p``.

    Raises:
        ValueError: ``p`` is not in [0, 1].
    """
    _probability("bit_flip", p=p)
    return _pauli_mixture("BitFlip", {"X": p}, (wire,))


def phase_flip(p: float, wire: int) -> Channel:
    """Z with probability ``p``: coherences shrink by ``1 - 2p``.

    Raises:
        ValueError: ``p`` is not in [0, 1].
    """
    _probability("phase_flip", p=p)
    return _pauli_mixture("PhaseFlip", {"Z": p}, (wire,))


def bit_phase_flip(p: float, wire: int) -> Channel:
    """Y with probability ``p``.

    Raises:
        ValueError: ``p`` is not in [0, 1].
    """
    _probability("bit_phase_flip", p=p)
    return _pauli_mixture("BitPhaseFlip", {"Y": p}, (wire,))


def amplitude_damping(gamma: float, wire: int) -> Channel:
    """1 decays to 0 with probability ``gamma``; coherences shrink by ``sqrt(1 - gamma)``.

    Raises:
        ValueError: ``gamma`` is not in [0, 1].
    """
    _probability("amplitude_damping", gamma=gamma)
    kept = np.diag([1, math.sqrt(1 - gamma)])
    decayed = np.array([[0, math.sqrt(gamma)], [0, 0]])
    return Channel(name="AmplitudeDamping", kraus=(kept, decayed), wires=(wire,))


def phase_damping(gamma: float, wire: int) -> Channel:
    """Coherences shrink by ``sqrt(1 - gamma)``: a :func:`phase_flip` with ``p = (1 - sqrt(1 - gamma)) / 2``.

    Raises:
        ValueError: ``gamma`` is not in [0, 1].
    """
    _probability("phase_damping", gamma=gamma)
    kept = np.diag([1, math.sqrt(1 - gamma)])
    return Channel(name="PhaseDamping", kraus=(kept, np.diag([0, math.sqrt(gamma)])), wires=(wire,))


def thermal_relaxation(t1: float, t2: float, duration: float, wire: int, *, excited: float = 0.0) -> Channel:
    """A qubit left alone: populations decay with ``exp(-duration/t1)``, coherences with ``exp(-duration/t2)``.

    Args:
        t1: relaxation time, in the unit of ``duration``; may be infinite.
        t2: dephasing time, at most ``2 t1``; may be infinite.
        duration: how long.
        wire: the qubit.
        excited: probability of 1 in equilibrium.

    Raises:
        ValueError: a time is not positive, ``t2 > 2 t1``, ``duration`` is negative or infinite, or ``excited`` is not
            in [0, 1].
    """
    if not (t1 > 0 and 0 < t2 <= 2 * t1):
        raise ValueError(f"thermal_relaxation: times must be 0 < t1 and 0 < t2 <= 2 t1, got t1={t1}, t2={t2}.")
    if not 0 <= duration < math.inf:
        raise ValueError(f"thermal_relaxation: `duration` must be finite and not negative, got duration={duration}.")
    _probability("thermal_relaxation", excited=excited)
    moved = -math.expm1(-duration / t1)
    up, down, coherence = excited * moved, (1 - excited) * moved, math.exp(-duration / t2)
    # what is left of the diagonal and of coherences is the Gram matrix of diagonal Kraus operators
    weights, vectors = np.linalg.eigh([[1 - up, coherence], [coherence, 1 - down]])
    left = [as_matrix(math.sqrt(max(w, 0.0)) * np.diag(vector)) for w, vector in zip(weights, vectors.T, strict=True)]
    jumps = (np.array([[0, 0], [math.sqrt(up), 0]]), np.array([[0, math.sqrt(down)], [0, 0]]))
    return Channel(name="ThermalRelaxation", kraus=(*left, *jumps), wires=(wire,))


def kraus(matrices: Iterable[ArrayLike], wires: Sequence[int]) -> Channel:
    """Any channel ``rho -> sum_k K rho K^+`` on one or two wires, the first of which is the most significant bit.

    Raises:
        ValueError: matrices of the wrong size, or ``sum K^+ K`` is not the identity.
    """
    return Channel(name="Kraus", kraus=tuple(as_matrix(matrix) for matrix in matrices), wires=tuple(wires))


@dataclass(frozen=True)
class ReadoutError:
    """Each measured qubit is read wrongly, independently of the others.

    Args:
        one_given_zero: probability that a qubit in 0 is read as 1.
        zero_given_one: probability that a qubit in 1 is read as 0.

    Raises:
        ValueError: a probability is not in [0, 1].
    """

    one_given_zero: float
    zero_given_one: float

    def __post_init__(self) -> None:
        _probability("ReadoutError", one_given_zero=self.one_given_zero, zero_given_one=self.zero_given_one)

    def of_probabilities(self, probabilities: Tensor) -> Tensor:
        """Probabilities of what is read, from those of what is there: ``(*, 2^k)``, differentiable."""
        up, down = self.one_given_zero, self.zero_given_one
        lead, k = probabilities.shape[:-1], probabilities.shape[-1].bit_length() - 1
        read = probabilities
        for qubit in range(k):
            zero, one = read.reshape(*lead, 2**qubit, 2, 2 ** (k - qubit - 1)).unbind(-2)
            read = torch.stack(((1 - up) * zero + down * one, up * zero + (1 - down) * one), dim=-2)
        return read.reshape(probabilities.shape)

    def of_observable(self, observable: PauliSum) -> PauliSum:
        """The observable whose exact expectation value is that of what is read.

        Each letter is measured after a turn that makes it Z, and Z becomes
        ``(zero_given_one - one_given_zero) + (1 - one_given_zero - zero_given_one) Z``. A string of k letters becomes
        ``2^k`` strings unless both errors are equally likely.
        """
        offset = self.zero_given_one - self.one_given_zero
        scale = 1 - self.one_given_zero - self.zero_given_one
        read = PauliSum(())
        for word, coefficient in observable.terms:
            product = PauliSum((((), coefficient),))
            for letter in word:
                product = product @ PauliSum((((letter,), scale), ((), offset)))
            read = read + product
        return read

    def of_outcomes(self, outcomes: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Outcomes as they are read, 0 and 1 of any shape, with errors drawn anew."""
        p = torch.where(outcomes == 0, float(self.one_given_zero), float(self.zero_given_one))
        return outcomes ^ torch.bernoulli(p, generator=generator).to(outcomes.dtype)


@dataclass(frozen=True, eq=False, kw_only=True)
class NoiseModel:
    """Which channels follow which gates, and how outcomes are read.

    The wires of a channel in a model count the wires of the gate that it follows: after a gate on (3, 5),
    ``depolarising(p, 0, 1)`` acts on both, ``amplitude_damping(g, 1)`` on 5. Unitary operations are followed by noise,
    those that depend on a measurement whether or not they act; measurements, resets and preparations are not. Qubits
    that nothing acts on stay as they are: write the gate I where a qubit waits.

    Args:
        one_qubit: after each gate on one qubit.
        two_qubit: after each gate on two.
        by_name: after gates of a name, instead of the above: ``{"CNOT": [...], "RZ": []}``.
        readout: at the end; :meth:`apply` leaves it to whoever reads the outcomes.

    Raises:
        UnknownName: there is no gate of that name.
        ValueError: a channel on a wire that the gate does not have.

    Example:
        >>> from replank.circuits import Circuit
        >>> noise = NoiseModel(one_qubit=[depolarising(0.001, 0)], two_qubit=[depolarising(0.01, 0, 1)])
        >>> [operation.label for operation in noise.apply(Circuit(2).h(0).cnot(0, 1))]
        ['H', 'Depolarising', 'CNOT', 'Depolarising']
    """

    one_qubit: Sequence[Channel] = ()
    two_qubit: Sequence[Channel] = ()
    by_name: Mapping[str, Sequence[Channel]] = field(default_factory=dict)
    readout: ReadoutError | None = None

    def __post_init__(self) -> None:
        for name in self.by_name:
            if not _is_label(name):
                raise UnknownName("gate", name, GATES)
        named = [(name, GATES[name].n_wires, channels) for name, channels in self.by_name.items() if name in GATES]
        for name, n_wires, channels in [("one_qubit", 1, self.one_qubit), ("two_qubit", 2, self.two_qubit), *named]:
            for channel in channels:
                if not set(channel.wires) <= set(range(n_wires)):
                    raise ValueError(
                        f"NoiseModel: channels of {name} count the gate's wires, 0..{n_wires - 1}, got "
                        f"{channel.label} on wires={channel.wires}."
                    )

    def apply(self, circuit: Circuit) -> Circuit:
        """A circuit with channels after its gates; the given one stays as it is.

        Raises:
            ValueError: a gate on three or more qubits that ``by_name`` says nothing of, while others have noise.
        """
        noisy = Circuit(circuit.n_qubits)
        for operation in circuit:
            noisy.append(operation)
            if isinstance(operation, UNITARY):
                noisy.extend(_placed(channel, operation) for channel in self._after(operation))
        return noisy

    def _after(self, operation: Operation) -> Sequence[Channel]:
        if operation.label in self.by_name:
            return self.by_name[operation.label]
        if len(operation.wires) <= 2:
            return self.one_qubit if len(operation.wires) == 1 else self.two_qubit
        if self.one_qubit or self.two_qubit or self.by_name:
            raise ValueError(
                f"NoiseModel: noise is known of gates on one and two qubits, got {operation.label} on "
                f"wires={operation.wires}. Decompose it, or say what follows it: by_name={{{operation.label!r}: []}}."
            )
        return ()


def _is_label(name: str) -> bool:
    """Whether a unitary operation may be called so."""
    is_pauli_rotation = name[:1] == "R" and not set(name[1:]) - set("IXYZ")
    return name in GATES or name in ("U", "Diag") or is_pauli_rotation


def _placed(channel: Channel, operation: Operation) -> Channel:
    """A model's channel on the wires of the operation that it follows.

    Raises:
        ValueError: the operation does not have that many wires.
    """
    if max(channel.wires) >= len(operation.wires):
        raise ValueError(
            f"NoiseModel: channels count the gate's wires, got {channel.label} on wires={channel.wires} after "
            f"{operation.label} on wires={operation.wires}."
        )
    return replace(channel, wires=tuple(operation.wires[wire] for wire in channel.wires))
