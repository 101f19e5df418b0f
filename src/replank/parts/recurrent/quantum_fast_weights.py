"""A circuit whose angles are programmed by a slow network."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self, get_args

import torch
from torch import Tensor

from replank.circuits import Circuit, PauliSum, QuantumLayer, Z, x
from replank.circuits.estimators import Gradient
from replank.circuits.noise import NoiseModel
from replank.errors import UnknownName
from replank.parts._quantum import MOST_QUBITS, values_by_reference, without_entanglers
from replank.parts.papers import CHEN2024FASTWEIGHTS
from replank.parts.recurrent._circuits import Entangler, programmed_circuit
from replank.parts.recurrent._programmed import ProgrammedPart
from replank.sources import Source


class QuantumFastWeights(ProgrammedPart):
    r"""Fast weight programmer: a slow linear network adds, step by step, to the angles of a circuit of the input.

    Replaces :class:`torch.nn.RNN`, :class:`torch.nn.GRU` or :class:`torch.nn.LSTM`. With latent features
    ``z_t = W_e x_t + b_e``, ``theta_t = decay * theta_{t-1} + (W_l z_t + b_l) (W_q z_t + b_q)^T``, of shape
    ``(n_layers, n_qubits)``. The circuit has H on each qubit, ``RY(x_t)`` on the first, and in each layer CNOTs and
    ``RY(theta_t)``; the output is ``W <Z> + b`` of the first ``n_readout`` qubits. Nothing is fed back through the
    circuit, so that all steps of all samples run in one call of the compiled core.

    With ``decay=1``, as published, the output at t does not change when the inputs before t change places: updates add,
    and each depends on its own input. Angles that can't reach a measured qubit move nothing: of the last layer all
    behind ``n_readout``, and for 8 qubits, 2 layers and 4 read-outs those of qubits 6 and 7 in the first layer, too.

    Shape: ``(T, B, input_size) -> (T, B, hidden_size)``, with ``B`` first if ``batch_first``, or both without ``B``;
    same dtype and device as the input. The state is theta, ``(1, B, n_layers, n_qubits)``. Circuits are computed in the
    parameters' precision, half precision in single.

    Args:
        input_size: features at each step, at most ``n_qubits`` without an encoder.
        hidden_size: features of the output.
        num_layers: one.
        bias: whether the linear maps have biases.
        batch_first: whether the batch comes before time.
        dropout: none.
        bidirectional: no.
        n_qubits: of the circuit, and number of latent features.
        n_layers: of the circuit.
        n_readout: qubits that are measured, the first.
        decay: what is left of the angles after a step; below 1, order counts.
        entangler: ``"brick"``, CNOTs on (0, 1), (2, 3), ..., then (1, 2), (3, 4), ..., as published; or ``"ring"``.
        encoder: whether ``z_t = pi tanh(W_e x_t + b_e)`` goes into the circuit in the place of ``x_t``, on all qubits;
            then any number of features will do.
        unentangled: leaves out all CNOTs; what is trained stays the same.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        UnknownName: no such entangler.
        ValueError: more features or read-outs than qubits, more than 20 qubits, no layer, a decay out of range, several
            layers, directions or dropout; in ``forward``, what :class:`torch.nn.RNN` refuses, a NaN or infinite number.
        TypeError: in ``forward``, a packed sequence, another dtype, another part's state.

    Source: [chen2024fastweights], ``vqFWP_time_series.py`` of the official code, which is
    ``QuantumFastWeights(1, 1)`` with 111 parameters; its second entangler is ``"ring"``. ``decay``, ``encoder`` and
    ``unentangled`` are ours.
    """

    source = Source(CHEN2024FASTWEIGHTS, where="vqFWP_time_series.py", provenance="official code")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        n_qubits: int = 8,
        n_layers: int = 2,
        n_readout: int = 4,
        decay: float = 1.0,
        entangler: Entangler = "brick",
        encoder: bool = False,
        unentangled: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        if entangler not in get_args(Entangler):
            raise UnknownName("entangler", str(entangler), get_args(Entangler))
        if n_qubits > MOST_QUBITS:
            raise ValueError(f"QuantumFastWeights: circuits go up to {MOST_QUBITS} qubits, got n_qubits={n_qubits}.")
        self._set_program(n_qubits, n_layers, n_readout, decay, encoder, units="n_qubits", device=device, dtype=dtype)
        self.entangler, self.unentangled = entangler, unentangled
        # all angles are features of the circuit: each sample has a program of its own, and no weight is shared
        self.circuit = QuantumLayer(self._circuit(), self._observables(), frozen=True, device=device, dtype=dtype)
        self.reset_parameters()

    @property
    def n_circuits(self) -> int:
        """Circuits that each step of each sample evaluates."""
        return 1

    def _circuit(self) -> Circuit:
        n, first = self.n_features, self.n_features + self.n_layers * self.n_units
        circuit = programmed_circuit(self.n_units, self.n_layers, x[:n], x[n:first], self.entangler)
        return without_entanglers(circuit) if self.unentangled else circuit

    def _observables(self) -> list[PauliSum]:
        return [Z(wire) for wire in range(self.n_readout)]

    def fast(self, features: Tensor, program: Tensor) -> Tensor:
        """The circuit."""
        return self.circuit(torch.cat((features, program.flatten(-2)), -1))

    def slow_fast(self, features: Tensor, program: Tensor) -> Tensor:
        """The circuit by dense matrices, gate by gate."""
        angles = torch.cat((features, program.flatten(-2)), -1)
        return values_by_reference(self._circuit(), self._observables(), angles, self.circuit.theta)

    def without_entanglement(self) -> Self:
        """A copy with the same parameters whose circuit lacks all CNOTs."""
        twin = copy.deepcopy(self)
        twin.unentangled = True
        twin.circuit = self.circuit.with_circuit(twin._circuit())
        return twin

    def on(
        self,
        *,
        shots: int | None = None,
        noise: NoiseModel | None = None,
        trajectories: int | None = None,
        gradient: Gradient = "adjoint",
        generator: torch.Generator | None = None,
    ) -> Self:
        """The same part, with the very same parameters, as a device would run its circuit.

        Arguments and errors are those of :meth:`replank.circuits.QuantumLayer.on`.
        """
        part = copy.copy(self)
        part._modules = dict(self._modules)  # a shallow copy shares it
        part.circuit = self.circuit.on(
            shots=shots, noise=noise, trajectories=trajectories, gradient=gradient, generator=generator
        )
        return part

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """As published but smaller, the other entangler with decay, an encoder, no entanglement."""
        small = {"n_qubits": 3, "n_readout": 2}
        return (
            {"input_size": 1, "hidden_size": 2, **small},
            {"input_size": 2, "hidden_size": 1, **small, "n_layers": 1, "decay": 0.8, "entangler": "ring"},
            {"input_size": 4, "hidden_size": 2, **small, "bias": False, "encoder": True},
            {"input_size": 2, "hidden_size": 3, "n_qubits": 2, "n_readout": 1, "unentangled": True},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return (
            f"{super().extra_repr()}, n_qubits={self.n_units}, entangler={self.entangler!r}, "
            f"unentangled={self.unentangled}"
        )
