"""What a circuit is made of: gates, matrices, measurements, preparations, channels.

All are immutable. ``when`` names an earlier measurement: the gate acts only where that measurement gave 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from replank.circuits.angle import Angle, Variable, x
from replank.circuits.gates import GATES
from replank.circuits.primitives import ComplexMatrix
from replank.errors import UnknownName

_LARGEST_UNITARY, _LARGEST_DIAGONAL = 3, 12  # qubits
TOLERANCE = 1e-8
"""How far a matrix may be from unitary, or a state from norm 1, before it is refused."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Operation:
    """One step of a circuit.

    Args:
        wires: the qubits that it acts on, none twice; 0 is the most significant bit of a basis index.
        when: name of the measurement that must have given 1, if any.
    """

    wires: tuple[int, ...]
    when: str | None = None

    @property
    def angles(self) -> tuple[Angle, ...]:
        """The angles that it depends on."""
        return ()

    @property
    def label(self) -> str:
        """A short name for drawings."""
        return type(self).__name__

    def inverse(self) -> Operation:
        """What undoes it.

        Raises:
            ValueError: it is not unitary.
        """
        raise ValueError(f"inverse: only unitary operations can be undone, got {self.label} on wires={self.wires}.")


@dataclass(frozen=True, eq=False, kw_only=True)
class Gate(Operation):
    """A named gate of :data:`replank.circuits.gates.GATES`.

    Raises:
        UnknownName: there is no such gate.
        ValueError: the number of wires or angles is not the gate's.
    """

    name: str
    angles: tuple[Angle, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in GATES:
            raise UnknownName("gate", self.name, GATES)
        kind = GATES[self.name]
        for what, expected, got in (
            ("wires", kind.n_wires, self.wires),
            ("angles", kind.n_angles, self.angles),
        ):
            if len(got) != expected:
                raise ValueError(f"{self.name}: takes {expected} {what}, got {len(got)}: {what}={got}.")

    @property
    def label(self) -> str:
        """The gate's name."""
        return self.name

    def inverse(self) -> Gate:
        """The gate of the same kind that undoes it."""
        name, angles = GATES[self.name].inverse(self.angles)
        return Gate(name=name, wires=self.wires, angles=angles, when=self.when)


@dataclass(frozen=True, eq=False, kw_only=True)
class PauliRotation(Operation):
    """``exp(-i angle/2 P)`` with a Pauli string P, a letter of I, X, Y, Z for each wire."""

    letters: str
    angle: Angle

    def __post_init__(self) -> None:
        if len(self.letters) != len(self.wires) or set(self.letters) - set("IXYZ"):
            raise ValueError(
                f"PauliRotation: needs a letter of I, X, Y, Z for each of {len(self.wires)} wires, got "
                f"letters={self.letters!r}."
            )

    @property
    def angles(self) -> tuple[Angle, ...]:
        """The angle, as a tuple."""
        return (self.angle,)

    @property
    def label(self) -> str:
        """``R`` and the letters."""
        return f"R{self.letters}"

    def inverse(self) -> PauliRotation:
        """The rotation by the opposite angle."""
        return PauliRotation(letters=self.letters, angle=-self.angle, wires=self.wires, when=self.when)


@dataclass(frozen=True, eq=False, kw_only=True)
class Unitary(Operation):
    """A given unitary matrix on one to three wires, the first of which is the most significant bit.

    Raises:
        ValueError: too many wires, the wrong size, not finite or not unitary (by more than 1e-8).
    """

    matrix: ComplexMatrix

    def __post_init__(self) -> None:
        n, matrix = len(self.wires), np.asarray(self.matrix, dtype=np.complex128)
        if not 1 <= n <= _LARGEST_UNITARY or matrix.shape != (2**n, 2**n):
            raise ValueError(
                f"Unitary: a matrix on 1 to {_LARGEST_UNITARY} wires must be 2^k x 2^k, got shape {matrix.shape} for "
                f"wires={self.wires}."
            )
        deviation = np.abs(matrix @ matrix.conj().T - np.eye(2**n)).max()
        if not deviation <= TOLERANCE:  # NaN is refused, too
            raise ValueError(f"Unitary: U U^+ must be the identity, got a deviation of {deviation:.3g}.")
        object.__setattr__(self, "matrix", _read_only(matrix))

    @property
    def label(self) -> str:
        """The letter U."""
        return "U"

    def inverse(self) -> Unitary:
        """The conjugate transpose."""
        return Unitary(matrix=self.matrix.conj().T, wires=self.wires, when=self.when)


@dataclass(frozen=True, eq=False, kw_only=True)
class Diagonal(Operation):
    """``diag(exp(i phases))`` with given phases in radians, on up to twelve wires."""

    phases: NDArray[np.float64]

    def __post_init__(self) -> None:
        n, phases = len(self.wires), np.asarray(self.phases, dtype=np.float64)
        if not 1 <= n <= _LARGEST_DIAGONAL or phases.shape != (2**n,) or not np.isfinite(phases).all():
            raise ValueError(
                f"Diagonal: needs 2^k finite phases for 1 to {_LARGEST_DIAGONAL} wires, got shape {phases.shape} for "
                f"wires={self.wires}."
            )
        object.__setattr__(self, "phases", _read_only(phases))

    @property
    def label(self) -> str:
        """The word Diag."""
        return "Diag"

    def inverse(self) -> Diagonal:
        """The opposite phases."""
        return Diagonal(phases=-self.phases, wires=self.wires, when=self.when)


UNITARY = (Gate, PauliRotation, Unitary, Diagonal)
"""The operations that have an inverse and may depend on a measurement."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Measure(Operation):
    """A measurement in the computational basis, in the middle of a circuit; ``key`` names its outcome."""

    key: str

    @property
    def label(self) -> str:
        """The letter M."""
        return "M"


@dataclass(frozen=True, eq=False, kw_only=True)
class Reset(Operation):
    """Put a qubit back to 0, whatever it was entangled with."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PostSelect(Operation):
    """Keep only the runs in which a qubit is found in ``value``; what is measured later is normalised to them."""

    value: int

    def __post_init__(self) -> None:
        if self.value not in (0, 1):
            raise ValueError(f"PostSelect: a qubit is found in 0 or 1, got value={self.value!r}.")

    @property
    def label(self) -> str:
        """The outcome as a projector."""
        return f"|{self.value}⟩⟨{self.value}|"


@dataclass(frozen=True, eq=False, kw_only=True)
class PrepareProduct(Operation):
    """Give each wire, which must still be in 0, a state of its own: rows ``(amplitude of 0, amplitude of 1)``.

    Raises:
        ValueError: not one row a wire, or a row's norm is not 1 (by more than 1e-8).
    """

    states: ComplexMatrix

    def __post_init__(self) -> None:
        states = np.asarray(self.states, dtype=np.complex128)
        if states.shape != (len(self.wires), 2):
            raise ValueError(
                f"PrepareProduct: needs two amplitudes for each of {len(self.wires)} wires, got {states.shape}."
            )
        _check_normalised(states, "PrepareProduct")
        object.__setattr__(self, "states", _read_only(states))

    @property
    def label(self) -> str:
        """A generic ket."""
        return "|ψ⟩"


@dataclass(frozen=True, eq=False, kw_only=True)
class PrepareAmplitudes(Operation):
    """Give wires, which must still be in 0, a state by its amplitudes.

    Args:
        amplitudes: ``2^k`` given complex numbers of norm 1, or angles (features, parameters, numbers), which are
            padded with zeros on the right to ``2^k`` and normalised for each sample.
    """

    amplitudes: ComplexMatrix | tuple[Angle, ...]
    feature_row: tuple[int, int] | None = field(init=False, repr=False)
    """The first feature and how many, if the amplitudes are features in a row and numbers behind them."""

    def __post_init__(self) -> None:
        size = 2 ** len(self.wires)
        object.__setattr__(self, "feature_row", _feature_row(self.angles))
        if isinstance(self.amplitudes, tuple):
            if not 1 <= len(self.amplitudes) <= size:
                raise ValueError(
                    f"PrepareAmplitudes: {len(self.wires)} wires hold 1 to {size} amplitudes, got "
                    f"{len(self.amplitudes)}."
                )
            return
        amplitudes = np.asarray(self.amplitudes, dtype=np.complex128)
        if amplitudes.shape != (size,):
            raise ValueError(
                f"PrepareAmplitudes: {len(self.wires)} wires have {size} amplitudes, got {amplitudes.shape}."
            )
        _check_normalised(amplitudes[None], "PrepareAmplitudes")
        object.__setattr__(self, "amplitudes", _read_only(amplitudes))

    @property
    def angles(self) -> tuple[Angle, ...]:
        """The amplitudes, if they depend on features or parameters."""
        return self.amplitudes if isinstance(self.amplitudes, tuple) else ()

    @property
    def label(self) -> str:
        """A generic ket."""
        return "|ψ⟩"


def _feature_row(angles: tuple[Angle, ...]) -> tuple[int, int] | None:
    n_features = next((i for i, angle in enumerate(angles) if angle.is_number), len(angles))
    if not n_features or not all(angle.is_number for angle in angles[n_features:]):
        return None
    (first, _), *more = angles[0].terms
    if more or not isinstance(first, Variable) or first.kind != "x":
        return None
    row = tuple(x[first.index + i] for i in range(n_features))
    return (first.index, n_features) if angles[:n_features] == row else None


@dataclass(frozen=True, eq=False, kw_only=True)
class Channel(Operation):
    """A noise channel ``rho -> sum_k K rho K^+`` on one or two wires, by its Kraus matrices.

    Raises:
        ValueError: too many wires, matrices of the wrong size, or ``sum K^+ K`` is not the identity.
    """

    name: str
    kraus: tuple[ComplexMatrix, ...]

    def __post_init__(self) -> None:
        n = len(self.wires)
        kraus = tuple(np.asarray(matrix, dtype=np.complex128) for matrix in self.kraus)
        if n not in (1, 2) or not kraus or any(matrix.shape != (2**n, 2**n) for matrix in kraus):
            shapes = [matrix.shape for matrix in kraus]
            raise ValueError(f"{self.name}: needs Kraus matrices for 1 or 2 wires, got {shapes}, wires={self.wires}.")
        deviation = np.abs(sum(matrix.conj().T @ matrix for matrix in kraus) - np.eye(2**n)).max()
        if not deviation <= TOLERANCE:
            raise ValueError(f"{self.name}: sum K^+ K must be the identity, got a deviation of {deviation:.3g}.")
        object.__setattr__(self, "kraus", tuple(_read_only(matrix) for matrix in kraus))

    @property
    def label(self) -> str:
        """The channel's name."""
        return self.name


def _read_only(array: NDArray[np.generic]) -> NDArray[np.generic]:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _check_normalised(rows: ComplexMatrix, owner: str) -> None:
    norms = np.linalg.norm(rows, axis=-1)
    if not (np.abs(norms - 1) <= TOLERANCE).all():
        raise ValueError(f"{owner}: states must have norm 1, got {norms.tolist()}. Divide by it.")


def as_matrix(value: ArrayLike) -> ComplexMatrix:
    """A complex matrix from anything array-like, tensors included.

    Raises:
        TypeError: a tensor that requires gradients: matrices are given, not trained.
    """
    if getattr(value, "requires_grad", False):
        raise TypeError("Unitary: a matrix is given, not trained, got a tensor that requires gradients. Use .detach().")
    return np.asarray(value, dtype=np.complex128)


def basis_flips(bits: Sequence[int], wires: Sequence[int]) -> list[Gate]:
    """The X gates that take 0...0 to a basis state.

    Raises:
        ValueError: not one bit of 0 or 1 for each wire.
    """
    if len(bits) != len(wires) or any(bit not in (0, 1) for bit in bits):
        raise ValueError(f"prepare_basis: needs a bit 0 or 1 for each of {len(wires)} wires, got bits={list(bits)}.")
    return [Gate(name="X", wires=(wire,)) for bit, wire in zip(bits, wires, strict=True) if bit]
