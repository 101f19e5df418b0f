"""A gated recurrent unit whose gates are circuits."""

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


class QuantumGRU(QuantumCellPart):
    r"""Gated recurrent unit with three circuits for reset r, update z and candidate.

    Replaces :class:`torch.nn.GRU`. ``r = sigmoid(<Z>_1(x, h))``, ``z = sigmoid(<Z>_2(x, h))``,
    ``h' = tanh(<Z>_3(x, r h))``, ``h_t = z h + (1 - z) h'``. The first two run in one call of the compiled core; the
    third needs what they give. Circuits are those of :class:`QuantumRNN`. From a state within [-1, 1], ``h`` stays
    there; gates are within sigmoid(-1) = 0.27 and sigmoid(1) = 0.73 and never close.

    Shape: ``(T, B, input_size) -> (T, B, hidden_size)``, with ``B`` first if ``batch_first``, or both without ``B``;
    same dtype and device as the input. The state is ``h``, ``(1, B, hidden_size)``.

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

    Source: [chen2022reservoir], the cell as recalled, the circuit from the first author's code. Differs from
    :class:`torch.nn.GRU`: the reset gate acts on the state before the candidate's map, as in the GRU of Cho et al.
    """

    source = Source(CHEN2022RESERVOIR, where="QGRU", provenance="recalled")
    circuits: ClassVar[Mapping[str, int]] = {"gates": 2, "candidate": 1}

    gates: QuantumLayer
    candidate: QuantumLayer

    def step(self, values: Values, input: Tensor, state: States) -> tuple[Tensor, States]:
        """``h = z h + (1 - z) tanh(<Z>(x, r h))``."""
        (hidden,) = state
        reset, update = values(self.gates, torch.cat((input, hidden), -1)).sigmoid().unbind(-2)
        candidate = values(self.candidate, torch.cat((input, reset * hidden), -1)).squeeze(-2).tanh()
        hidden = torch.lerp(candidate, hidden, update)
        return hidden, (hidden,)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """As published, with linear maps, both controls."""
        return (
            {"input_size": 1, "hidden_size": 3, "n_layers": 1, "init_scale": None},
            {"input_size": 3, "hidden_size": 2, "n_qubits": 2, "n_layers": 1, "init_scale": None},
            {"input_size": 1, "hidden_size": 2, "n_layers": 1, "init_scale": None, "unentangled": True},
            {"input_size": 1, "hidden_size": 1, "n_layers": 2, "init_scale": None, "frozen": True},
        )
