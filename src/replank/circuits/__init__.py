"""Parametrised quantum circuits: describe, plan, run, differentiate, draw, exchange.

Qubit 0 is the most significant bit of a basis index, and the leftmost letter of a Pauli string.
"""

from replank.circuits.angle import theta, x
from replank.circuits.circuit import Circuit, Counts
from replank.circuits.estimators import Estimator
from replank.circuits.evolution import embed_hamiltonian, reuploading_states
from replank.circuits.image_hamiltonian import image_hamiltonian, pad_to_power_of_two
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
from replank.circuits.reuploading import OnSpectra, ReuploadingClassifier, probability_readout
from replank.circuits.spectra import Spectra, hamiltonian_evolution, precompute
from replank.circuits.trajectories import Trajectories
from replank.circuits.unitary import hermitian_expm, su_unitary
from replank.circuits.unitary_blocks import BrickwallSU4, FullSU, RotationBlock, UnitaryBlock

__all__ = [
    "BrickwallSU4",
    "Circuit",
    "Counts",
    "DensityMatrix",
    "Estimator",
    "FullSU",
    "NoiseModel",
    "OnSpectra",
    "PauliSum",
    "Plan",
    "Probabilities",
    "Projector",
    "QuantumLayer",
    "ReadoutError",
    "ReuploadingClassifier",
    "RotationBlock",
    "Samples",
    "Spectra",
    "State",
    "Trajectories",
    "UnitaryBlock",
    "X",
    "Y",
    "Z",
    "embed_hamiltonian",
    "hamiltonian",
    "hamiltonian_evolution",
    "hermitian_expm",
    "image_hamiltonian",
    "pad_to_power_of_two",
    "pauli",
    "pauli_basis",
    "pauli_strings",
    "pauli_sum",
    "precompute",
    "probability_readout",
    "reuploading_states",
    "su_unitary",
    "theta",
    "x",
]
