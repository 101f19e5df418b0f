"""A quantum classifier with one readout qubit, on the generic simulator: any circuit, bits or states."""

from __future__ import annotations

import copy
from typing import Any, Literal, Self, get_args

import torch
from torch import Tensor, nn

from replank.circuits import Circuit, QuantumLayer, X, Y, Z
from replank.circuits.estimators import Gradient
from replank.circuits.given_states import StateEncoder
from replank.errors import UnknownName
from replank.studies.farhi_neven_qnn.encoders import BasisStateEncoder

Letter = Literal["X", "Y", "Z"]
Start = Literal["0", "1", "+", "-"]
Inputs = Literal["bits", "state"]
_ENCODERS: dict[str, type[BasisStateEncoder] | type[StateEncoder]] = {"bits": BasisStateEncoder, "state": StateEncoder}
_OBSERVABLES = {"X": X, "Y": Y, "Z": Z}
MOST_QUBITS = 24


class ReadoutClassifier(nn.Module):
    """The expectation value of a Pauli matrix on the readout qubit, after a circuit on data and readout.

    Shape: bits ``(B, n_data)``, or states ``(B, 2^n_data)``, to ``(B,)``, or ``(B, n_starts)``; values in [-1, 1].

    Args:
        n_data: number of data qubits, 0 to ``n_data - 1``.
        gates: a circuit on ``n_data + 1`` qubits.
        readout_pauli: what is measured.
        readout_init: the readout's state at the start: 0 (which the paper calls 1, as ``Z = +1``), 1, + or -.
        readout: the readout qubit; ``n_data`` if not given.
        inputs: whether samples are bits or state vectors.
        n_starts: that many sets of weights side by side; one, without a dimension of its own, if not given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: more than 24 qubits, a readout among the data qubits, gates on another number of qubits; in
            ``forward``, input that is no bits or states.
        UnknownName: no such letter, start or kind of input.
    """

    def __init__(
        self,
        n_data: int,
        gates: Circuit,
        *,
        readout_pauli: Letter = "Y",
        readout_init: Start = "0",
        readout: int | None = None,
        inputs: Inputs = "bits",
        n_starts: int | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        for what, choice, known in (
            ("readout_pauli", readout_pauli, Letter),
            ("readout_init", readout_init, Start),
            ("kind of inputs", inputs, Inputs),
        ):
            if choice not in get_args(known):
                raise UnknownName(what, str(choice), get_args(known))
        self.encoder = _ENCODERS[inputs](n_data)
        n_qubits = n_data + 1 + self.encoder.n_auxiliary
        _check_qubits(n_data, n_qubits, gates, n_data if readout is None else readout)
        self.n_data, self.readout_pauli, self.readout_init, self.inputs = n_data, readout_pauli, readout_init, inputs
        self.n_starts = n_starts
        circuit = self.encoder.circuit(n_qubits).extend(_start(readout_init, n_data, n_qubits))
        circuit.extend(gates.on(range(n_data + 1), n_qubits))
        observable = self.encoder.observable(_OBSERVABLES[readout_pauli](n_data))
        self.layer = QuantumLayer(circuit, observable, n_circuits=n_starts, device=device, dtype=dtype)

    @property
    def theta(self) -> nn.Parameter:
        """The weights."""
        return self.layer.theta

    def forward(self, samples: Tensor) -> Tensor:
        """The prediction, in [-1, 1] but for shot noise of states."""
        features = self.encoder.features(samples)
        return self.layer(features if self.n_starts is None else features[:, None])

    def on(
        self, *, shots: int | None = None, gradient: Gradient = "adjoint", generator: torch.Generator | None = None
    ) -> Self:
        """The same classifier, with the very same weights, as a device would run it.

        Arguments and errors are those of :meth:`replank.circuits.QuantumLayer.on`.
        """
        twin = copy.copy(self)
        twin._modules = dict(self._modules)  # a shallow copy shares it
        twin.layer = self.layer.on(shots=shots, gradient=gradient, generator=generator)
        return twin

    def extra_repr(self) -> str:
        """Sizes and what is measured."""
        return f"n_data={self.n_data}, readout_pauli={self.readout_pauli!r}, readout_init={self.readout_init!r}"


def _check_qubits(n_data: int, n_qubits: int, gates: Circuit, readout: int) -> None:
    if n_qubits > MOST_QUBITS:
        raise ValueError(f"ReadoutClassifier: a state must fit into memory, got {n_qubits} qubits of {MOST_QUBITS}.")
    if readout in range(n_data):
        raise ValueError(
            f"ReadoutClassifier: the readout must not be one of the data qubits 0..{n_data - 1}, got readout="
            f"{readout}. It is qubit {n_data}."
        )
    if gates.n_qubits != n_data + 1 or readout != n_data:
        raise ValueError(
            f"ReadoutClassifier: gates must act on {n_data} data qubits and the readout {n_data}, got a circuit on "
            f"{gates.n_qubits} qubits and readout={readout}."
        )


def _start(state: Start, readout: int, n_qubits: int) -> Circuit:
    circuit = Circuit(n_qubits)
    if state in "1-":
        circuit.x(readout)
    return circuit.h(readout) if state in "+-" else circuit
