"""Parametrised quantum circuits: describe, plan, run, differentiate, draw, exchange.

Qubit 0 is the most significant bit of a basis index, and the leftmost letter of a Pauli string.
"""

from replank.circuits.angle import theta, x
from replank.circuits.circuit import Circuit, Counts
from replank.circuits.estimators import Estimator
from replank.circuits.evolution import embed_hamiltonian, reuploading_states
from replank.circuits.layer import QuantumLayer
from replank.circuits.noise import NoiseModel, ReadoutError
from replank.circuits.observables import (
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
from replank.circuits.pauli import pauli_basis, pauli_strings, pauli_sum
from replank.circuits.plan import Plan
from replank.circuits.trajectories import Trajectories
from replank.circuits.unitary import hermitian_expm, su_unitary

__all__ = [
    "Circuit",
    "Counts",
    "DensityMatrix",
    "Estimator",
    "NoiseModel",
    "PauliSum",
    "Plan",
    "Probabilities",
    "Projector",
    "QuantumLayer",
    "ReadoutError",
    "Samples",
    "State",
    "Trajectories",
    "X",
    "Y",
    "Z",
    "embed_hamiltonian",
    "hamiltonian",
    "hermitian_expm",
    "pauli",
    "pauli_basis",
    "pauli_strings",
    "pauli_sum",
    "reuploading_states",
    "su_unitary",
    "theta",
    "x",
]
