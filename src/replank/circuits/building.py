"""Adding operations to a circuit, one method for each: angles come first, then wires."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Sequence
from typing import Self

from numpy.typing import ArrayLike

from replank.circuits.angle import Angle, AngleLike, as_angle
from replank.circuits.operations import (
    Channel,
    Diagonal,
    Gate,
    Measure,
    Operation,
    PauliRotation,
    PostSelect,
    PrepareAmplitudes,
    PrepareProduct,
    Reset,
    Unitary,
    as_matrix,
    basis_flips,
)


class Building(abc.ABC):
    """The methods by which a circuit is built; each returns the circuit itself.

    ``when`` names an earlier measurement: the gate acts only where it gave 1.
    """

    n_qubits: int
    _keys: set[str]  # names of the measurements so far

    @abc.abstractmethod
    def append(self, operation: Operation) -> Self:
        """Add an operation at the end."""

    @abc.abstractmethod
    def extend(self, operations: Iterable[Operation]) -> Self:
        """Add operations at the end."""

    def gate(self, name: str, angles: Sequence[AngleLike], wires: Sequence[int], when: str | None = None) -> Self:
        """Add a gate by its name in :data:`replank.circuits.gates.GATES`."""
        return self.append(
            Gate(name=name, wires=tuple(wires), angles=tuple(as_angle(angle) for angle in angles), when=when)
        )

    def i(self, wire: int) -> Self:
        """The identity."""
        return self.gate("I", (), (wire,))

    def x(self, wire: int, *, when: str | None = None) -> Self:
        """Pauli X."""
        return self.gate("X", (), (wire,), when)

    def y(self, wire: int, *, when: str | None = None) -> Self:
        """Pauli Y."""
        return self.gate("Y", (), (wire,), when)

    def z(self, wire: int, *, when: str | None = None) -> Self:
        """Pauli Z."""
        return self.gate("Z", (), (wire,), when)

    def h(self, wire: int, *, when: str | None = None) -> Self:
        """Hadamard."""
        return self.gate("H", (), (wire,), when)

    def s(self, wire: int, *, when: str | None = None) -> Self:
        """``diag(1, i)``."""
        return self.gate("S", (), (wire,), when)

    def sdg(self, wire: int, *, when: str | None = None) -> Self:
        """``diag(1, -i)``."""
        return self.gate("Sdg", (), (wire,), when)

    def t(self, wire: int, *, when: str | None = None) -> Self:
        """``diag(1, exp(i pi/4))``."""
        return self.gate("T", (), (wire,), when)

    def tdg(self, wire: int, *, when: str | None = None) -> Self:
        """``diag(1, exp(-i pi/4))``."""
        return self.gate("Tdg", (), (wire,), when)

    def sx(self, wire: int, *, when: str | None = None) -> Self:
        """Square root of X."""
        return self.gate("SX", (), (wire,), when)

    def sxdg(self, wire: int, *, when: str | None = None) -> Self:
        """Adjoint of the square root of X."""
        return self.gate("SXdg", (), (wire,), when)

    def rx(self, angle: AngleLike, wire: int, *, when: str | None = None) -> Self:
        """``exp(-i angle/2 X)``."""
        return self.gate("RX", (angle,), (wire,), when)

    def ry(self, angle: AngleLike, wire: int, *, when: str | None = None) -> Self:
        """``exp(-i angle/2 Y)``."""
        return self.gate("RY", (angle,), (wire,), when)

    def rz(self, angle: AngleLike, wire: int, *, when: str | None = None) -> Self:
        """``exp(-i angle/2 Z)``."""
        return self.gate("RZ", (angle,), (wire,), when)

    def p(self, angle: AngleLike, wire: int, *, when: str | None = None) -> Self:
        """``diag(1, exp(i angle))``."""
        return self.gate("P", (angle,), (wire,), when)

    def u3(self, polar: AngleLike, phi: AngleLike, delta: AngleLike, wire: int, *, when: str | None = None) -> Self:
        """``exp(i (phi + delta) / 2) RZ(phi) RY(polar) RZ(delta)``."""
        return self.gate("U3", (polar, phi, delta), (wire,), when)

    def rot(self, first: AngleLike, second: AngleLike, third: AngleLike, wire: int, *, when: str | None = None) -> Self:
        """``RZ(third) RY(second) RZ(first)``."""
        return self.gate("Rot", (first, second, third), (wire,), when)

    def cnot(self, control: int, target: int, *, when: str | None = None) -> Self:
        """X on ``target`` where ``control`` is 1."""
        return self.gate("CNOT", (), (control, target), when)

    def cz(self, one: int, other: int, *, when: str | None = None) -> Self:
        """The sign -1 where both are 1."""
        return self.gate("CZ", (), (one, other), when)

    def cy(self, control: int, target: int, *, when: str | None = None) -> Self:
        """Y on ``target`` where ``control`` is 1."""
        return self.gate("CY", (), (control, target), when)

    def ch(self, control: int, target: int, *, when: str | None = None) -> Self:
        """Hadamard on ``target`` where ``control`` is 1."""
        return self.gate("CH", (), (control, target), when)

    def swap(self, one: int, other: int, *, when: str | None = None) -> Self:
        """The two qubits change places."""
        return self.gate("SWAP", (), (one, other), when)

    def iswap(self, one: int, other: int, *, when: str | None = None) -> Self:
        """The two qubits change places, and 01 and 10 take a factor i."""
        return self.gate("iSWAP", (), (one, other), when)

    def crx(self, angle: AngleLike, control: int, target: int, *, when: str | None = None) -> Self:
        """RX on ``target`` where ``control`` is 1."""
        return self.gate("CRX", (angle,), (control, target), when)

    def cry(self, angle: AngleLike, control: int, target: int, *, when: str | None = None) -> Self:
        """RY on ``target`` where ``control`` is 1."""
        return self.gate("CRY", (angle,), (control, target), when)

    def crz(self, angle: AngleLike, control: int, target: int, *, when: str | None = None) -> Self:
        """RZ on ``target`` where ``control`` is 1."""
        return self.gate("CRZ", (angle,), (control, target), when)

    def cp(self, angle: AngleLike, one: int, other: int, *, when: str | None = None) -> Self:
        """``exp(i angle)`` where both are 1."""
        return self.gate("CP", (angle,), (one, other), when)

    def rxx(self, angle: AngleLike, one: int, other: int, *, when: str | None = None) -> Self:
        """``exp(-i angle/2 XX)``."""
        return self.gate("RXX", (angle,), (one, other), when)

    def ryy(self, angle: AngleLike, one: int, other: int, *, when: str | None = None) -> Self:
        """``exp(-i angle/2 YY)``."""
        return self.gate("RYY", (angle,), (one, other), when)

    def rzz(self, angle: AngleLike, one: int, other: int, *, when: str | None = None) -> Self:
        """``exp(-i angle/2 ZZ)``."""
        return self.gate("RZZ", (angle,), (one, other), when)

    def toffoli(self, first: int, second: int, target: int, *, when: str | None = None) -> Self:
        """X on ``target`` where both others are 1."""
        return self.gate("Toffoli", (), (first, second, target), when)

    def pauli_rotation(self, letters: str, angle: AngleLike, wires: Sequence[int], *, when: str | None = None) -> Self:
        """``exp(-i angle/2 P)`` for a Pauli string with a letter for each wire."""
        return self.append(PauliRotation(letters=letters, angle=as_angle(angle), wires=tuple(wires), when=when))

    def unitary(self, matrix: ArrayLike, wires: Sequence[int], *, when: str | None = None) -> Self:
        """A given unitary matrix on one to three wires, the first of which is the most significant bit."""
        return self.append(Unitary(matrix=as_matrix(matrix), wires=tuple(wires), when=when))

    def diagonal(self, phases: ArrayLike, wires: Sequence[int], *, when: str | None = None) -> Self:
        """``diag(exp(i phases))`` with given phases, on up to twelve wires."""
        numbers = as_matrix(phases)
        if numbers.imag.any():
            raise ValueError(
                f"Diagonal: phases must be real, got {numbers.tolist()}. Their exponentials are taken here."
            )
        return self.append(Diagonal(phases=numbers.real, wires=tuple(wires), when=when))

    def measure(self, wire: int, key: str | None = None) -> Self:
        """Measure a qubit; later gates may depend on it with ``when=key``, by default ``"m0"``, ``"m1"``, ..."""
        return self.append(Measure(key=f"m{len(self._keys)}" if key is None else key, wires=(wire,)))

    def reset(self, wire: int) -> Self:
        """Put a qubit back to 0."""
        return self.append(Reset(wires=(wire,)))

    def post_select(self, wire: int, value: int) -> Self:
        """Keep only the runs in which a qubit is found in ``value``."""
        return self.append(PostSelect(value=value, wires=(wire,)))

    def prepare_basis(self, bits: Sequence[int], wires: Sequence[int] | None = None) -> Self:
        """Flip fresh qubits to a basis state."""
        return self.extend(basis_flips(bits, range(self.n_qubits) if wires is None else wires))

    def prepare_product(self, states: ArrayLike, wires: Sequence[int] | None = None) -> Self:
        """Give each fresh qubit a state of its own: rows (amplitude of 0, amplitude of 1)."""
        return self.append(PrepareProduct(states=as_matrix(states), wires=self._all_or(wires)))

    def prepare_amplitudes(
        self, amplitudes: ArrayLike | Sequence[AngleLike], wires: Sequence[int] | None = None
    ) -> Self:
        """Give fresh qubits a state by its amplitudes: numbers of norm 1, or features, which are normalised."""
        symbolic = isinstance(amplitudes, Sequence) and any(isinstance(each, Angle) for each in amplitudes)
        if symbolic:
            angles = tuple(as_angle(each) for each in amplitudes)  # type: ignore[union-attr,arg-type]
            return self.append(PrepareAmplitudes(amplitudes=angles, wires=self._all_or(wires)))
        return self.append(PrepareAmplitudes(amplitudes=as_matrix(amplitudes), wires=self._all_or(wires)))  # type: ignore[arg-type]

    def channel(self, channel: Channel) -> Self:
        """A noise channel, made by :mod:`replank.circuits.noise`."""
        return self.append(channel)

    def _all_or(self, wires: Sequence[int] | None) -> tuple[int, ...]:
        return tuple(range(self.n_qubits)) if wires is None else tuple(wires)
