"""Circuits to and from other formats: OpenQASM, PennyLane, Qiskit. Each is imported when it is asked for."""

from replank.circuits.exchange.pennylane import from_pennylane, to_pennylane
from replank.circuits.exchange.qasm_export import to_qasm
from replank.circuits.exchange.qasm_import import from_qasm
from replank.circuits.exchange.qiskit import from_qiskit, to_qiskit

__all__ = ["from_pennylane", "from_qasm", "from_qiskit", "to_pennylane", "to_qasm", "to_qiskit"]
