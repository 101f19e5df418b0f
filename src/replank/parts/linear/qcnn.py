"""A chain of two-qubit blocks, the "quantum convolution", in the place of a linear layer."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from replank.circuits import Circuit, PauliSum, Z, theta, x
from replank.circuits.cutting import CutQuantumLayer
from replank.circuits.finite import require_finite
from replank.circuits.layer import QuantumLayer
from replank.circuits.templates import mps, mps_wires
from replank.parts._quantum import MOST_QUBITS, values_by_reference, without_entanglers
from replank.parts.linear._interface import LinearPart
from replank.parts.papers import LI2025DISTRIBUTED
from replank.sources import Source

BLOCK = Circuit(2).ry(theta[0], 0).ry(theta[1], 1).cnot(0, 1).freeze()
"""One block of the chain: a rotation of each qubit, and a CNOT."""


class QCNNLayer(LinearPart):
    r"""Expectation values of a chain of two-qubit blocks, in the shape of a matrix product state.

    Replaces :class:`torch.nn.Linear`, though it is *not* a linear function of the input. Each feature is an angle of a
    qubit of its own, ``RY(x_i) H |0>``. A block turns two neighbours by RY and joins them by a CNOT; blocks follow each
    other along the chain. Outputs are ``<Z>`` of the last ``out_features`` qubits, each in [-1, 1], plus a bias.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input. Half precision is computed in
    single.

    Args:
        in_features: size of each input, and number of qubits.
        out_features: size of each output, at most ``in_features``.
        bias: whether to add a learned bias.
        n_layers: how often the chain is run through, each time with angles of its own.
        shared: whether all blocks of a layer have the same two angles, as a convolution has one kernel.
        init_scale: standard deviation of the initial angles, which are uniform in [0, 2 pi) if not given.
        frozen: whether the angles stay as they are drawn; the bias is trained.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: fewer than two features or more than 20, more outputs than features, no layer; in ``forward``,
            another number of features, a NaN or infinite one.

    Source: [li2025distributed]: angle encoding with H and RY, an MPS-shaped kernel of RY gates on 8 qubits. The order
    of H and RY, the block and the read-out are ours, for only a summary of the paper could be read.
    """

    source = Source(LI2025DISTRIBUTED, where="the quantum convolution, from a summary", provenance="recalled")
    most_qubits: int | None = MOST_QUBITS

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        n_layers: int = 1,
        shared: bool = False,
        init_scale: float | None = None,
        frozen: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_features, out_features, bias, device, dtype)
        self._check_sizes(n_layers)
        self.n_layers, self.shared = n_layers, shared
        self.layer = self._make_layer(init_scale=init_scale, frozen=frozen, device=device, dtype=dtype)
        self.reset_parameters()

    def _make_layer(self, **options: Any) -> QuantumLayer:
        return QuantumLayer(self.circuit(), self.observables(), **options)

    def _check_sizes(self, n_layers: int) -> None:
        name, n = type(self).__name__, self.in_features
        if n < 2 or (self.most_qubits is not None and n > self.most_qubits):
            most = "on" if self.most_qubits is None else f"to {self.most_qubits}"
            raise ValueError(f"{name}: a chain takes from 2 qubits {most}, got in_features={n}.")
        if self.out_features > n:
            raise ValueError(
                f"{name}: there is one output for each qubit, got out_features={self.out_features} for in_features={n}."
            )
        if n_layers < 1:
            raise ValueError(f"{name}: there must be at least one layer, got n_layers={n_layers}.")

    def circuit(self) -> Circuit:
        """The circuit; features are ``x[0]``, ``x[1]``, ..., angles ``theta[0]``, ``theta[1]``, ..."""
        n = self.in_features
        circuit = Circuit(n)
        for wire in range(n):
            circuit.h(wire).ry(x[wire], wire)
        n_blocks = len(mps_wires(n, 2))
        for layer in range(self.n_layers):
            kernel = theta[2 * layer : 2 * layer + 2]
            weights = kernel * n_blocks if self.shared else theta
            circuit.extend(mps(n, BLOCK, weights=weights, start=0 if self.shared else 2 * n_blocks * layer))
        return circuit

    def observables(self) -> list[PauliSum]:
        """Z on the last qubits, one for each output."""
        return [Z(wire) for wire in range(self.in_features - self.out_features, self.in_features)]

    def reset_parameters(self) -> None:
        """Draw the angles, and the bias as nn.Linear does."""
        self.layer.reset_parameters()
        if self.bias is not None:
            bound = self.in_features**-0.5
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Run the circuit, add the bias."""
        self._check_input(input)
        values: Tensor = self.layer(require_finite(input))
        return values if self.bias is None else values + self.bias

    def reference(self, input: Tensor) -> Tensor:
        """The same by dense matrices, gate by gate."""
        values = values_by_reference(self.circuit(), self.observables(), input, self.layer.theta)
        return values if self.bias is None else values + self.bias

    def on(self, **options: Any) -> Self:
        """The same part, with the very same parameters, as devices would run its circuit.

        Arguments and errors are those of :meth:`replank.circuits.QuantumLayer.on`; of a cut part, of
        :meth:`replank.circuits.cutting.CutQuantumLayer.on`.
        """
        return self._with_layer(self.layer.on(**options))

    def without_entanglement(self) -> Self:
        """A copy with the same parameters whose circuit lacks its CNOTs; a cut part's is not cut any more."""
        twin = copy.deepcopy(self)
        whole = twin.layer.whole() if isinstance(twin.layer, CutQuantumLayer) else twin.layer
        twin.layer = whole.with_circuit(without_entanglers(self.circuit()))
        return twin

    def _with_layer(self, layer: QuantumLayer) -> Self:
        part = copy.copy(self)
        part._modules = dict(self._modules)  # a shallow copy shares it
        part.layer = layer
        return part

    def parameter_formula(self) -> int:
        """``2 n_layers (in - 1)`` angles, or ``2 n_layers`` shared ones, and ``out`` for the bias."""
        in_a_layer = 2 if self.shared else 2 * (self.in_features - 1)
        return self.n_layers * in_a_layer + self.out_features * (self.bias is not None)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """All outputs and some, one layer and two, shared angles, frozen ones."""
        return (
            {"in_features": 4, "out_features": 4, "bias": False},
            {"in_features": 3, "out_features": 2, "n_layers": 2, "init_scale": 0.5},
            {"in_features": 3, "out_features": 2, "n_layers": 2, "shared": True},
            {"in_features": 3, "out_features": 3, "frozen": True},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return (
            f"{super().extra_repr()}, n_layers={self.n_layers}, shared={self.shared}, "
            f"init_scale={self.layer.init_scale}, frozen={not self.layer.theta.requires_grad}"
        )
