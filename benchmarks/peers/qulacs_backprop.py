"""qulacs: C++ kernels in complex128 (it has no other), its own backpropagation, one sample after the other.

Tried: the loss's gradient by an observable, or by an inner product with its state (kept: it saves a pass); expectation
values by observables, or from the state vector (kept); threads over samples (the interpreter's lock is not released).
qulacs turns the other way round, so that angles change their sign.
"""

from __future__ import annotations

import numpy as np
import qulacs

from .problem import LAYERS, Answer, Problem, ring


class QulacsStep:
    """The step in a loop over samples."""

    def __init__(self, n_qubits: int, n_layers: int):
        self.n_qubits = n_qubits
        self.circuit = qulacs.ParametricQuantumCircuit(n_qubits)
        for qubit in range(n_qubits):
            self.circuit.add_parametric_RY_gate(qubit, 0.0)
        for layer in range(n_layers):
            for qubit in range(n_qubits):
                self.circuit.add_parametric_RZ_gate(qubit, 0.0)
                self.circuit.add_parametric_RY_gate(qubit, 0.0)
                self.circuit.add_parametric_RZ_gate(qubit, 0.0)
            for control, target in ring(layer, n_qubits):
                self.circuit.add_CNOT_gate(control, target)
        # qubit 0 is the least significant bit here; no order of bits is needed for signs by qubit
        self.signs = 1.0 - 2 * (np.arange(2**n_qubits)[:, None] >> np.arange(n_qubits) & 1)
        self.state, self.dual = qulacs.QuantumState(n_qubits), qulacs.QuantumState(n_qubits)

    def prepare(self, problem: Problem) -> None:
        """Keep the angles as lists."""
        self.inputs, self.weights = (-problem.inputs).tolist(), (-problem.weights).ravel().tolist()
        self.coefficients, self.shape = problem.coefficients, problem.weights.shape

    def __call__(self) -> Answer:
        """Expectations, and the gradients of the loss."""
        n = self.n_qubits
        expectations = np.empty(self.coefficients.shape)
        to_inputs, to_weights = np.empty(self.coefficients.shape), np.zeros(len(self.weights))
        for index, angle in enumerate(self.weights):
            self.circuit.set_parameter(n + index, angle)
        for sample, angles in enumerate(self.inputs):
            for qubit, angle in enumerate(angles):
                self.circuit.set_parameter(qubit, angle)
            self.state.set_zero_state()
            self.circuit.update_quantum_state(self.state)
            vector = self.state.get_vector()
            expectations[sample] = (vector.real**2 + vector.imag**2) @ self.signs
            self.dual.load(vector * (self.signs @ self.coefficients[sample]))
            gradient = -2 * np.array(self.circuit.backprop_inner_product(self.dual))
            to_inputs[sample] = gradient[:n]
            to_weights += gradient[n:]
        return expectations, to_inputs, to_weights.reshape(self.shape)


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> QulacsStep:
    """The step."""
    return QulacsStep(n_qubits, n_layers)
