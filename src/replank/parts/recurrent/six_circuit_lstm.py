"""The quantum long short-term memory of the published code, whose state and output are read by circuits, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from replank.circuits import QuantumLayer
from replank.parts.papers import CHEN2020QLSTM
from replank.parts.recurrent._interface import States
from replank.parts.recurrent._quantum_cell import QuantumCellPart, Values
from replank.parts.recurrent.quantum_lstm import next_cell
from replank.sources import Source


class SixCircuitLSTM(QuantumCellPart):
    r"""Long short-term memory with four circuits for its gates, one for its state and one for its output.

    Replaces :class:`torch.nn.LSTM`. With ``n = hidden_size`` qubits, ``f, i, g, o`` are those of :class:`QuantumLSTM`
    with n values each, ``c_t = f c + i g``, ``w = o tanh(c_t)``, ``h_t`` the first ``n - input_size`` values of
    ``<Z>_5(w)``, and the output is ``<Z>_6(w)``. Each step takes two calls of the compiled core: the last two circuits
    need what the gates give.

    Shape: ``(T, B, input_size) -> (T, B, hidden_size)``, with ``B`` first if ``batch_first``, or both without ``B``;
    same dtype and device as the input. The state is ``(h, c)``, ``(1, B, hidden_size - input_size)`` and
    ``(1, B, hidden_size)``.

    Args:
        input_size: features at each step.
        hidden_size: features of the output; qubits of each circuit, more than ``input_size``.
        num_layers: one; this and all further arguments as in :class:`QuantumRNN`.
        bias: nothing has one.
        batch_first: whether the batch comes before time.
        dropout: none.
        bidirectional: no.
        n_qubits: not to be given: there are ``hidden_size`` and no linear maps.
        n_layers: layers of each circuit.
        init_scale: standard deviation of the initial angles; uniform in [0, 2 pi) if ``None``.
        unentangled: leaves out all gates on two qubits.
        frozen: whether the circuits' angles stay as they are drawn.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: as :class:`QuantumRNN`, or ``hidden_size`` leaves no qubit for the last state.
        TypeError: as :class:`QuantumRNN`.

    Source: [chen2020qlstm], ``lstm_base_class.py`` of the official code, which is ``SixCircuitLSTM(1, 4)`` and an
    ``nn.Linear(4, 1)``; its demo has ``n_layers=4``. That the sixth circuit's values count as the output, and its
    linear map not, is ours.
    """

    source = Source(CHEN2020QLSTM, where="lstm_base_class.py", provenance="official code")
    circuits: ClassVar[Mapping[str, int]] = {"gates": 4, "heads": 2}

    gates: QuantumLayer
    heads: QuantumLayer

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """What goes into the next step's circuits, and the cell."""
        return ((self.hidden_size - self.input_size,), (self.hidden_size,))

    def step(self, values: Values, input: Tensor, state: States) -> tuple[Tensor, States]:
        """Gates, cell, and what two circuits make of it."""
        hidden, cell = state
        cell, opened = next_cell(values(self.gates, torch.cat((input, hidden), -1)), cell)
        handed, output = values(self.heads, opened).unbind(-2)
        return output, (handed[..., : self.hidden_size - self.input_size], cell)

    def _count_features(self) -> int:
        return self.hidden_size

    def _check_sizes(self) -> None:
        if self.hidden_size <= self.input_size:
            raise ValueError(
                f"SixCircuitLSTM: input and last state share hidden_size qubits, got input_size={self.input_size} and "
                f"hidden_size={self.hidden_size}, which leaves none for the state. Take a larger hidden_size."
            )
        if self.has_maps:
            raise ValueError(
                f"SixCircuitLSTM: there are hidden_size={self.hidden_size} qubits and no linear maps, got n_qubits="
                f"{self.n_qubits}. Leave it out, or take QuantumLSTM."
            )
        super()._check_sizes()

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """The published sizes with one layer, smaller ones, both controls."""
        return (
            {"input_size": 1, "hidden_size": 4, "n_layers": 1, "init_scale": None},
            {"input_size": 2, "hidden_size": 3, "n_layers": 1, "init_scale": None, "unentangled": True},
            {"input_size": 1, "hidden_size": 2, "n_layers": 1, "init_scale": None, "frozen": True},
        )
