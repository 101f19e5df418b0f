"""How a recurrent layer is probed, and which classical one a part is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.part import Group
from replank.parts.recurrent._classical import N_GATES, Cell
from replank.parts.recurrent._interface import RecurrentPart, interface
from replank.parts.recurrent.low_rank import LowRankRecurrent

__all__ = ["GROUP"]


def _example_input(module: nn.Module) -> Tensor:
    found = interface(module, "GROUP")
    shape = (2, 3) if found["batch_first"] else (3, 2)
    return torch.randn(*shape, found["input_size"], device=found["device"], dtype=found["dtype"])


def _outputs(result: Any) -> Any:
    """What all recurrent modules give alike; states differ, and matter only between a module and itself."""
    return result[0] if isinstance(result, tuple) else result


def _cells(old: nn.Module) -> tuple[Cell, ...]:
    """The cells whose state is like the module's, the strongest first; all if its state is like none of theirs."""
    if isinstance(old, nn.LSTM):
        return ("lstm",)
    if not isinstance(old, RecurrentPart):
        return ("gru", "rnn")
    shapes, hidden = old.state_shapes(), (old.hidden_size,)
    return (
        ("lstm",) if shapes == (hidden, hidden) else ("gru", "rnn") if shapes == (hidden,) else ("lstm", "gru", "rnn")
    )


def _same_size(old: nn.Module, budget: int) -> nn.Module:
    """The strongest classical layer with that interface and at most ``budget`` parameters.

    That is an LSTM, a GRU or an RNN, in this order, as far as their state is like the module's; or the weakest of them
    with the largest rank that fits.

    Raises:
        ValueError: not even rank one fits.
    """
    found, cells = interface(old, "GROUP.same_size"), _cells(old)
    for layer in _full(cells, found):
        if sum(parameter.numel() for parameter in layer.parameters()) <= budget:
            return type(layer)(**found)
    n_in, hidden, cell = found["input_size"], found["hidden_size"], cells[-1]
    n_rows, n_columns = N_GATES[cell] * hidden, n_in + hidden
    rank = (budget - n_rows * found["bias"]) // (n_rows + n_columns)
    if rank < 1:
        smallest = n_rows + n_columns + n_rows * found["bias"]
        raise ValueError(
            f"GROUP.same_size: the smallest classical recurrent layer ({cell}) from {n_in} to {hidden} features has "
            f"{smallest} parameters, got budget={budget}."
        )
    return LowRankRecurrent(**found, cell=cell, rank=min(rank, n_rows, n_columns))


def _full(cells: tuple[Cell, ...], found: dict[str, Any]) -> Iterator[nn.RNNBase]:
    """The cells' layers, without memory."""
    layers: dict[Cell, type[nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
    return (layers[cell](**(found | {"device": "meta"})) for cell in cells)


GROUP = Group(
    name="recurrent",
    replaces=(nn.RNN, nn.GRU, nn.LSTM),
    base=RecurrentPart,  # type: ignore[type-abstract]
    example_input=_example_input,
    same_size=_same_size,
    promised=_outputs,
)
