"""A plain recurrent layer whose map is a circuit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from replank.circuits import QuantumLayer
from replank.parts.papers import CHEN2022RESERVOIR
from replank.parts.recurrent._interface import States
from replank.parts.recurrent._quantum_cell import QuantumCellPart, Values
from replank.sources import Source


class QuantumRNN(QuantumCellPart):
    r"""Recurrent layer with one circuit: ``h_t = tanh(<Z>(x_t, h_{t-1}))``.

    Replaces :class:`torch.nn.RNN`. Input and last state go side by side into ``input_size + hidden_size`` qubits, each
    number v as ``RY(arctan v) RZ(arctan v^2)`` behind a Hadamard gate; layers of two rings of CNOTs and any rotation of
    each qubit follow; the first ``hidden_size`` qubits are measured. As expectation values are in [-1, 1], ``|h|`` is
    at most ``tanh(1) = 0.76``. Of the last layer's angles, the third of each qubit and all of the qubits that are not
    measured move nothing. On three qubits, the rings leave the middle one alone: its gates cancel.

    Shape: ``(T, B, input_size) -> (T, B, hidden_size)``, with ``B`` first if ``batch_first``, or both without ``B``;
    same dtype and device as the input. The state is ``h``, ``(1, B, hidden_size)``. Under autocast, and with half
    precision parameters, circuits are computed in the parameters' precision or in single.

    Args:
        input_size: features at each step.
        hidden_size: features of the output and of the state.
        num_layers: one.
        bias: of the linear maps, if there are any; circuits have none.
        batch_first: whether the batch comes before time.
        dropout: none.
        bidirectional: no.
        n_qubits: if given, linear maps go between: one from input and state to so many qubits, and one from all their
            values to ``hidden_size``, shared by all gates, as in Di Sipio's widely used code (where the circuits sit in
            a plain dictionary, so that their weights are never trained). If not, it is as published.
        n_layers: layers of each circuit.
        init_scale: standard deviation of the initial angles, as published; uniform in [0, 2 pi) if ``None``.
        unentangled: leaves out all gates on two qubits; what is trained stays the same. Without linear maps, output k
            then sees qubit k alone: a feature, or the last state's number ``k - input_size``.
        frozen: whether the circuits' angles stay as they are drawn, as in a reservoir; linear maps are trained.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: several layers, directions or dropout, no layer in the circuits, more than 20 qubits; in
            ``forward``, what :class:`torch.nn.RNN` refuses, a NaN or infinite number.
        TypeError: in ``forward``, a packed sequence, another dtype, another part's state.

    Source: [chen2022reservoir], the cell as recalled, the circuit from the first author's code; ``n_qubits`` is
    Di Sipio's, ``init_scale=None`` and ``unentangled`` are ours.
    """

    source = Source(CHEN2022RESERVOIR, where="QRNN", provenance="recalled")
    circuits: ClassVar[Mapping[str, int]] = {"circuit": 1}

    circuit: QuantumLayer

    def step(self, values: Values, input: Tensor, state: States) -> tuple[Tensor, States]:
        """``h = tanh(<Z>(x, h))``."""
        hidden = values(self.circuit, torch.cat((input, state[0]), -1)).squeeze(-2).tanh()
        return hidden, (hidden,)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One to four qubits, with and without linear maps and biases, both controls."""
        return (
            {"input_size": 1, "hidden_size": 3, "init_scale": None},
            {"input_size": 1, "hidden_size": 1, "n_layers": 1, "init_scale": 0.5},
            {"input_size": 3, "hidden_size": 2, "n_qubits": 2, "n_layers": 1, "init_scale": None},
            {"input_size": 2, "hidden_size": 3, "n_qubits": 1, "bias": False, "init_scale": 1.0},
            {"input_size": 1, "hidden_size": 2, "init_scale": None, "unentangled": True},
            {"input_size": 1, "hidden_size": 1, "n_layers": 1, "init_scale": None, "frozen": True},
        )
