"""Noise of one strength: from a number p to a model, so that noise can be scaled by changing p.

What zero-noise extrapolation turns up. All families are the identity at p = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from replank.circuits.noise import NoiseModel, ReadoutError, amplitude_damping, depolarising, kraus
from replank.circuits.operations import Channel

NoiseFamily = Callable[[float], NoiseModel]
"""From a strength to the noise of that strength."""


def qiskit_depolarising(p: float, *wires: int) -> Channel:
    """``rho -> (1 - p) rho + p 1/2^k (x) Tr_k rho`` on k = 1 or 2 wires, the parameter of Qiskit's error.

    Every Pauli string that is not the identity on these wires shrinks by ``1 - p``. It is :func:`depolarising` of
    ``p (4^k - 1)/4^k``.

    Raises:
        ValueError: ``p`` is not in ``[0, 4^k/(4^k - 1)]``, or there are not one or two wires.
    """
    size = 4 ** len(wires)
    most = size / (size - 1) if wires else math.inf
    if not 0 <= p <= most * (1 + 1e-12):
        raise ValueError(
            f"qiskit_depolarising: p must lie in [0, {most:.6g}] = [0, {size}/{size - 1}] on {len(wires)} wires, got "
            f"p={p}."
        )
    return depolarising(min(p / most, 1.0), *wires)


def over_rotation(angle: float, wire: int) -> Channel:
    """A coherent error: RX(angle), always."""
    half = angle / 2
    matrix = np.array([[math.cos(half), -1j * math.sin(half)], [-1j * math.sin(half), math.cos(half)]])
    return kraus([matrix], (wire,))


def depolarising_noise(p: float) -> NoiseModel:
    """Depolarising noise, in Qiskit's parameter, on the qubits of every gate."""
    return NoiseModel(one_qubit=[qiskit_depolarising(p, 0)], two_qubit=[qiskit_depolarising(p, 0, 1)])


def two_qubit_depolarising_noise(p: float) -> NoiseModel:
    """The same after gates on two qubits alone."""
    return NoiseModel(two_qubit=[qiskit_depolarising(p, 0, 1)])


def amplitude_damping_noise(p: float) -> NoiseModel:
    """Each qubit of a gate decays with probability p."""
    return NoiseModel(one_qubit=[amplitude_damping(p, 0)], two_qubit=[amplitude_damping(p, wire) for wire in (0, 1)])


def over_rotation_noise(p: float) -> NoiseModel:
    """Each qubit of a gate is turned by RX(p): nothing is lost, and energies may rise or fall."""
    _require_not_negative("over_rotation_noise", p)
    return NoiseModel(one_qubit=[over_rotation(p, 0)], two_qubit=[over_rotation(p, wire) for wire in (0, 1)])


def readout_noise(p: float) -> NoiseModel:
    """Each outcome is read wrongly with probability p."""
    return NoiseModel(readout=ReadoutError(p, p))


def device_noise(p: float) -> NoiseModel:
    """A simulated device: depolarising noise, amplitude damping and errors of reading, all of strength p."""
    one, two, readout = depolarising_noise(p), amplitude_damping_noise(p), readout_noise(p).readout
    return NoiseModel(
        one_qubit=[*one.one_qubit, *two.one_qubit], two_qubit=[*one.two_qubit, *two.two_qubit], readout=readout
    )


def _require_not_negative(owner: str, p: float) -> None:
    if not 0 <= p < math.inf:
        raise ValueError(f"{owner}: a strength must lie in [0, inf), got p={p}.")


NOISE_FAMILIES: Mapping[str, NoiseFamily] = {
    "depolarising": depolarising_noise,
    "two-qubit": two_qubit_depolarising_noise,
    "damping": amplitude_damping_noise,
    "over-rotation": over_rotation_noise,
    "readout": readout_noise,
    "device": device_noise,
}
"""By the names that settings have for them."""
