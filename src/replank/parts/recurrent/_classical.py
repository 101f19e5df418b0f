"""Classical recurrent cells on given weights: torch's own kernels, and the same in words."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from replank.parts.recurrent._interface import States

Cell = Literal["rnn", "gru", "lstm"]
"""The cells of :class:`torch.nn.RNN` with tanh, :class:`torch.nn.GRU` and :class:`torch.nn.LSTM`."""

N_GATES: dict[Cell, int] = {"rnn": 1, "gru": 3, "lstm": 4}
"""Blocks of ``hidden_size`` rows in each cell's weights."""


def n_states(cell: Cell) -> int:
    """Tensors in the cell's state."""
    return 2 if cell == "lstm" else 1


def unroll(cell: Cell, input: Tensor, state: States, weights: list[Tensor]) -> tuple[Tensor, States]:
    """Run a cell over time.

    Args:
        cell: which one.
        input: ``(T, B, input_size)``.
        state: one tensor ``(B, hidden_size)``, two for ``"lstm"``.
        weights: as in torch's layers: ``(n_gates * hidden_size, input_size)``, ``(n_gates * hidden_size,
            hidden_size)``, and two biases or none.
    """
    if torch._C._are_functorch_transforms_active():  # which torch's kernels do not know
        return slow_unroll(cell, input, state, weights)
    has_biases = len(weights) == 4
    options = (has_biases, 1, 0.0, False, False, False)  # layers, dropout, training, bidirectional, batch first
    layered = [each.unsqueeze(0) for each in state]
    if cell == "lstm":
        output, *after = torch.lstm(input, layered, weights, *options)
    else:
        kernel = torch.gru if cell == "gru" else torch.rnn_tanh
        output, *after = kernel(input, layered[0], weights, *options)
    return output, tuple(each.squeeze(0) for each in after)


def slow_unroll(cell: Cell, input: Tensor, state: States, weights: list[Tensor]) -> tuple[Tensor, States]:
    """The same step by step, as the documentation of torch's layers has it."""
    of_input, of_state, *biases = weights
    at_input, at_state = biases or (input.new_zeros(()), input.new_zeros(()))
    outputs = []
    for each in input.unbind(0):
        driven = (each @ of_input.mT + at_input).chunk(N_GATES[cell], -1)
        recurrent = (state[0] @ of_state.mT + at_state).chunk(N_GATES[cell], -1)
        state = _step(cell, driven, recurrent, state)
        outputs.append(state[0])
    return torch.stack(outputs), state


def _step(cell: Cell, driven: tuple[Tensor, ...], recurrent: tuple[Tensor, ...], state: States) -> States:
    """The next state from what the input and what the last state give to each gate."""
    match cell:
        case "rnn":
            return ((driven[0] + recurrent[0]).tanh(),)
        case "gru":
            reset, update = ((a + b).sigmoid() for a, b in zip(driven[:2], recurrent[:2], strict=True))
            new = (driven[2] + reset * recurrent[2]).tanh()
            return ((1 - update) * new + update * state[0],)
        case "lstm":
            write, forget, new, read = (a + b for a, b in zip(driven, recurrent, strict=True))
            kept = forget.sigmoid() * state[1] + write.sigmoid() * new.tanh()
            return read.sigmoid() * kept.tanh(), kept
