"""A long short-term memory whose gates are circuits."""

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


class QuantumLSTM(QuantumCellPart):
    r"""Long short-term memory with four circuits for its gates.

    Replaces :class:`torch.nn.LSTM`. ``f, i, o = sigmoid(<Z>_{1,2,4}(x, h))``, ``g = tanh(<Z>_3(x, h))``,
    ``c_t = f c + i g``, ``h_t = o tanh(c_t)``. All four run in one call of the compiled core at each step. Circuits are
    those of :class:`QuantumRNN`. As expectation values are in [-1, 1], gates are within sigmoid(-1) = 0.27 and
    sigmoid(1) = 0.73: none ever closes, a cell forgets at least 27 % at each step, and ``|c|`` is at most 2.07.

    Shape: ``(T, B, input_size) -> (T, B, hidden_size)``, with ``B`` first if ``batch_first``, or both without ``B``;
    same dtype and device as the input. The state is ``(h, c)``, both ``(1, B, hidden_size)``.

    Args:
        input_size: features at each step; this and all further arguments as in :class:`QuantumRNN`.
        hidden_size: features of the output and of the state.
        num_layers: one.
        bias: of the linear maps, if there are any.
        batch_first: whether the batch comes before time.
        dropout: none.
        bidirectional: no.
        n_qubits: if given, linear maps go between.
        n_layers: layers of each circuit.
        init_scale: standard deviation of the initial angles; uniform in [0, 2 pi) if ``None``.
        unentangled: leaves out all gates on two qubits.
        frozen: whether the circuits' angles stay as they are drawn.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: as :class:`QuantumRNN`.
        TypeError: as :class:`QuantumRNN`.

    Source: [chen2022reservoir], the cell as recalled, the circuit from the first author's code. For the cell of that
    code, which has two circuits more, see :class:`SixCircuitLSTM`.
    """

    source = Source(CHEN2022RESERVOIR, where="QLSTM", provenance="recalled")
    circuits: ClassVar[Mapping[str, int]] = {"gates": 4}

    gates: QuantumLayer

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Output of the last step, and the cell."""
        return ((self.hidden_size,), (self.hidden_size,))

    def step(self, values: Values, input: Tensor, state: States) -> tuple[Tensor, States]:
        """``c = f c + i g``, ``h = o tanh(c)``."""
        hidden, cell = state
        cell, opened = next_cell(values(self.gates, torch.cat((input, hidden), -1)), cell)
        return opened, (opened, cell)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """As published, with linear maps, both controls."""
        return (
            {"input_size": 1, "hidden_size": 3, "init_scale": None},
            {"input_size": 3, "hidden_size": 2, "n_qubits": 2, "n_layers": 1, "init_scale": None},
            {"input_size": 1, "hidden_size": 2, "n_layers": 1, "init_scale": None, "unentangled": True},
            {"input_size": 1, "hidden_size": 1, "n_layers": 1, "init_scale": None, "frozen": True},
        )


def next_cell(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """The next cell, and what the output gate lets out of it, from values ``(B, 4, K)`` for f, i, g, o."""
    forget, write, new, read = gates.unbind(-2)
    cell = forget.sigmoid() * cell + write.sigmoid() * new.tanh()
    return cell, read.sigmoid() * cell.tanh()
