"""Channels of every kind, and circuits full of them."""

from __future__ import annotations

import numpy as np
from scipy.stats import unitary_group

from replank.circuits import Circuit, Probabilities, Projector, X, Y, Z, theta, x
from replank.circuits.noise import (
    amplitude_damping,
    bit_flip,
    bit_phase_flip,
    depolarising,
    kraus,
    phase_damping,
    phase_flip,
    thermal_relaxation,
)
from replank.circuits.operations import Channel


def random_kraus(n_wires: int, n_matrices: int, seed: int = 0) -> list[np.ndarray]:
    """Blocks of a random isometry."""
    d = 2**n_wires
    isometry = unitary_group.rvs(n_matrices * d, random_state=seed)[:, :d]
    return list(isometry.reshape(n_matrices, d, d))


PAULI = {
    "depolarising": depolarising(0.2, 0),
    "depolarising, two wires": depolarising(0.3, 1, 0),
    "bit flip": bit_flip(0.1, 0),
    "phase flip": phase_flip(0.2, 0),
    "bit and phase flip": bit_phase_flip(0.3, 0),
    "phase damping": phase_damping(0.4, 0),
    "dephasing": thermal_relaxation(np.inf, 2.0, 1.0, 0),
    "nothing": bit_flip(0.0, 0),
}
RELAXATION = {
    "amplitude damping": amplitude_damping(0.3, 0),
    "full amplitude damping": amplitude_damping(1.0, 0),
    "relaxation": thermal_relaxation(5.0, 4.0, 1.0, 0),
    "relaxation, t2 > t1": thermal_relaxation(5.0, 8.0, 1.0, 0),
    "hot relaxation": thermal_relaxation(5.0, 4.0, 1.0, 0, excited=0.3),
    "slowest dephasing": thermal_relaxation(1.0, 2.0, 0.5, 0, excited=1.0),
}
OTHER = {
    "random": kraus(random_kraus(1, 3), (0,)),
    "random, two wires": kraus(random_kraus(2, 2), (0, 1)),
    "full rank": kraus(random_kraus(1, 6, seed=1), (0,)),
    "turned damping": kraus(
        [k @ u for k in amplitude_damping(0.3, 0).kraus for u in [unitary_group.rvs(2, random_state=2)]], (0,)
    ),
    "unitary": kraus([unitary_group.rvs(2, random_state=3)], (0,)),
}
CHANNELS: dict[str, Channel] = PAULI | RELAXATION | OTHER

OBSERVABLES = (Z(0), X(0) @ Y(1), 0.5 * Z(1) - Y(0) + 2, Projector((0, 1), (1, 0)), Probabilities((1, 0)))


def around(channel: Channel) -> Circuit:
    """A channel between gates, on two qubits."""
    circuit = Circuit(2).ry(theta[0] + x[0], 0).rx(x[1], 1).crx(theta[1], 0, 1)
    return circuit.append(channel).rz(theta[2], 0).ryy(x[0] * theta[0], 0, 1).append(channel).ry(0.4, 1)


def wild() -> Circuit:
    """Prepared amplitudes, a measurement, a gate that depends on it, a reset, and all kinds of channels."""
    circuit = Circuit(3).prepare_amplitudes([x[0], x[1], 1.0], (2, 0)).ry(theta[0], 1).append(amplitude_damping(0.2, 2))
    circuit.crx(theta[1], 2, 1).append(depolarising(0.1, 1, 0)).measure(1, "m").rx(theta[2], 0, when="m")
    circuit.append(kraus(random_kraus(1, 2, seed=5), (0,))).cnot(0, 1).reset(2).ry(x[0] * theta[1], 2)
    circuit.append(thermal_relaxation(3.0, 2.0, 1.0, 1, excited=0.1)).rzz(theta[0], 1, 2).ry(theta[2], 1)
    return circuit.append(bit_flip(0.05, 1))
