"""Circuits to and from other formats: OpenQASM, PennyLane, Qiskit."""

from replank.circuits.exchange.qasm_export import to_qasm
from replank.circuits.exchange.qasm_import import from_qasm

__all__ = ["from_qasm", "to_qasm"]
