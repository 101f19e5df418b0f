"""What recurrent parts have in common whose gates are circuits of the input and the last state."""

from __future__ import annotations

import abc
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from replank.circuits import Circuit, PauliSum, QuantumLayer, Z, x
from replank.circuits.angle import arctan
from replank.circuits.estimators import Gradient
from replank.circuits.noise import NoiseModel
from replank.parts._quantum import MOST_QUBITS, values_by_reference, without_entanglers
from replank.parts.recurrent._circuits import cell_circuit
from replank.parts.recurrent._interface import RecurrentPart, States

Values = Callable[[QuantumLayer, Tensor], Tensor]
"""What circuits give for features of the input and the last state: ``(B, n_features) -> (B, n_circuits, K)``."""


class QuantumCellPart(RecurrentPart):
    """A recurrent part whose cell reads circuits; those that see the same features run in one call of the core.

    A feature v turns its qubit by ``RY(arctan v)`` and ``RZ(arctan v^2)``, see :func:`cell_circuit`.
    """

    circuits: ClassVar[Mapping[str, int]]
    """The layers of the cell by name, with the number of circuits in each."""

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
        n_qubits: int | None = None,
        n_layers: int = 2,
        init_scale: float | None = 0.01,
        unentangled: bool = False,
        frozen: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        self.n_features, self.has_maps = self._count_features(), n_qubits is not None
        self.n_qubits = self.n_features if n_qubits is None else n_qubits
        self.n_layers, self.init_scale, self.unentangled, self.frozen = n_layers, init_scale, unentangled, frozen
        self._check_sizes()
        self.compress: nn.Linear | None = None
        self.expand: nn.Linear | None = None
        if self.has_maps:
            self.compress = nn.Linear(self.n_features, self.n_qubits, bias, device=device, dtype=dtype)
            self.expand = nn.Linear(self.n_qubits, hidden_size, bias, device=device, dtype=dtype)
        # features come in two columns, arctan v of every qubit and arctan v^2 of every qubit
        circuit = self._circuit([(x[wire], x[self.n_qubits + wire]) for wire in range(self.n_qubits)])
        for name, n_circuits in self.circuits.items():
            layer = QuantumLayer(
                circuit,
                self._observables(),
                n_circuits=n_circuits,
                init_scale=init_scale,
                frozen=frozen,
                device=device,
                dtype=dtype,
            )
            self.add_module(name, layer)
        self.reset_parameters()

    @property
    def n_circuits(self) -> int:
        """Circuits that each step of each sample evaluates."""
        return sum(self.circuits.values())

    @abc.abstractmethod
    def step(self, values: Values, input: Tensor, state: States) -> tuple[Tensor, States]:
        """One step of the cell: output and next state. Shape: ``(B, input_size) -> (B, hidden_size)``."""

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """One tensor: the output of the last step."""
        return ((self.hidden_size,),)

    def unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """Step after step."""
        return self._stepped(self._values, input, state)

    def slow_unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """The same equations, with circuits one after the other by dense matrices, gate by gate."""
        return self._stepped(self._slow_values, input, state)

    def reset_parameters(self) -> None:
        """Draw the angles, and the linear maps as nn.Linear does."""
        for layer in (*self._layers(), self.compress, self.expand):
            if layer is not None:
                layer.reset_parameters()

    def parameter_formula(self) -> int:
        """``3 n_qubits n_layers`` for each circuit; with ``n_qubits`` given, those of the two linear maps, too.

        The maps have ``(features + hidden_size) n_qubits`` weights for ``features = input_size + hidden_size``, and
        ``n_qubits + hidden_size`` biases.
        """
        angles = self.n_circuits * 3 * self.n_qubits * self.n_layers
        if not self.has_maps:
            return angles
        maps = self.n_qubits * (self.n_features + self.hidden_size)
        return angles + maps + (self.n_qubits + self.hidden_size) * self.bias

    def without_entanglement(self) -> Self:
        """A copy with the same parameters whose circuits lack all gates on two qubits."""
        twin = copy.deepcopy(self)
        twin.unentangled = True
        for name in self.circuits:
            layer = getattr(twin, name)
            setattr(twin, name, layer.with_circuit(without_entanglers(layer.plan.circuit)))
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
        """The same part, with the very same parameters, as a device would run its circuits.

        Arguments and errors are those of :meth:`replank.circuits.QuantumLayer.on`.
        """
        part = copy.copy(self)
        part._modules = dict(self._modules)  # a shallow copy shares it
        for name in self.circuits:
            layer = getattr(self, name).on(
                shots=shots, noise=noise, trajectories=trajectories, gradient=gradient, generator=generator
            )
            setattr(part, name, layer)
        return part

    def _count_features(self) -> int:
        """Numbers of the input and the last state that go into a circuit."""
        return self.input_size + self.hidden_size

    def _check_sizes(self) -> None:
        name = type(self).__name__
        if self.n_layers < 1:
            raise ValueError(f"{name}: there must be at least one layer, got n_layers={self.n_layers}.")
        if self.n_qubits < 1:
            raise ValueError(f"{name}: there must be at least one qubit, got n_qubits={self.n_qubits}.")
        if self.n_qubits > MOST_QUBITS:
            raise ValueError(
                f"{name}: circuits go up to {MOST_QUBITS} qubits, got {self.n_qubits} for input_size={self.input_size} "
                f"and hidden_size={self.hidden_size}. Let linear maps go between, as with n_qubits=4."
            )

    def _circuit(self, encoding: list[Any]) -> Circuit:
        circuit = cell_circuit(self.n_qubits, self.n_layers, encoding)
        return without_entanglers(circuit) if self.unentangled else circuit

    def _observables(self) -> list[PauliSum]:
        """Z on the first qubits, or on all if a linear map is behind them."""
        return [Z(wire) for wire in range(self.n_qubits if self.has_maps else self.hidden_size)]

    def _layers(self) -> Iterator[QuantumLayer]:
        return (getattr(self, name) for name in self.circuits)

    def _stepped(self, values: Values, input: Tensor, state: States) -> tuple[Tensor, States]:
        outputs = []
        for each in input.unbind(0):
            output, state = self.step(values, each, state)
            outputs.append(output)
        return torch.stack(outputs), state

    def _values(self, layer: QuantumLayer, features: Tensor) -> Tensor:
        turns = features if self.compress is None else self.compress(features)
        angles = torch.cat((turns.atan(), turns.square().atan()), -1)
        values: Tensor = layer(angles.unsqueeze(-2))
        return values if self.expand is None else self.expand(values)

    def _slow_values(self, layer: QuantumLayer, features: Tensor) -> Tensor:
        turns = features if self.compress is None else self.compress(features)
        circuit = self._circuit([(arctan(x[wire]), arctan(x[wire] ** 2)) for wire in range(self.n_qubits)])
        observables = self._observables()
        each = [values_by_reference(circuit, observables, turns, weights) for weights in layer.theta]
        values = torch.stack(each, -2)
        return values if self.expand is None else self.expand(values)

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        n_qubits = self.n_qubits if self.has_maps else None
        return (
            f"{super().extra_repr()}, n_qubits={n_qubits}, n_layers={self.n_layers}, init_scale={self.init_scale}, "
            f"unentangled={self.unentangled}, frozen={self.frozen}"
        )
