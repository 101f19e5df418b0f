"""Classical recurrent layers of bounded rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import torch
from torch import Tensor, nn

from replank.errors import UnknownName
from replank.parts.recurrent._classical import N_GATES, Cell, n_states, slow_unroll, unroll
from replank.parts.recurrent._interface import RecurrentPart, States
from replank.sources import Source


class LowRankRecurrent(RecurrentPart):
    r"""RNN, GRU or LSTM whose weights together have rank at most ``rank``: ``(W_x, W_h) = U (V_x, V_h)``.

    Replaces :class:`torch.nn.RNN`, :class:`torch.nn.GRU` or :class:`torch.nn.LSTM`. With g = 1, 3 or 4 blocks of
    ``hidden_size`` rows, it has ``rank * (g hidden_size + input_size + hidden_size)`` weights instead of
    ``g hidden_size (input_size + hidden_size)``, and one bias instead of two.

    Shape: ``(T, B, input_size) -> (T, B, hidden_size)``, with ``B`` first if ``batch_first``, or both without ``B``;
    same dtype and device as the input. The state is that of the layer: ``h``, or ``(h, c)`` of an LSTM.

    Args:
        input_size: features at each step.
        hidden_size: features of the output and of the state.
        num_layers: one.
        bias: whether to add a learned bias.
        batch_first: whether the batch comes before time.
        dropout: none.
        bidirectional: no.
        cell: ``"rnn"`` (with tanh), ``"gru"`` or ``"lstm"``.
        rank: largest rank, in 1..min(g hidden_size, input_size + hidden_size).
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        UnknownName: no such cell.
        ValueError: the rank is out of range; several layers, directions or dropout; in ``forward``, what torch's layers
            refuse, a NaN or infinite number.
        TypeError: in ``forward``, a packed sequence, another dtype, another part's state.

    Source: our own, as a classical control of the same size.
    """

    source = Source(None, where="control of the same size", provenance="ours")

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
        cell: Cell = "gru",
        rank: int,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        if cell not in get_args(Cell):
            raise UnknownName("cell", str(cell), get_args(Cell))
        n_rows, n_columns = N_GATES[cell] * hidden_size, input_size + hidden_size
        if not 1 <= rank <= min(n_rows, n_columns):
            raise ValueError(
                f"LowRankRecurrent: `rank` must be in 1..{min(n_rows, n_columns)} for a {n_rows}x{n_columns} weight, "
                f"got rank={rank}. For full rank keep torch's layer."
            )
        self.cell, self.rank = cell, rank
        self.left = nn.Parameter(torch.empty(n_rows, rank, device=device, dtype=dtype))
        self.right = nn.Parameter(torch.empty(rank, n_columns, device=device, dtype=dtype))
        self.shift = nn.Parameter(torch.empty(n_rows, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the factors so that an entry of their product varies as in torch's layers, and the bias as there."""
        # entries of torch's weights vary by 1/(3 hidden_size), and so do those of U V: a change of loss must not be a
        # change of initial scale in disguise
        std = (3 * self.rank * self.hidden_size) ** -0.25
        nn.init.normal_(self.left, std=std)
        nn.init.normal_(self.right, std=std)
        if self.shift is not None:
            nn.init.uniform_(self.shift, -(self.hidden_size**-0.5), self.hidden_size**-0.5)

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """As of the layer with that cell."""
        return ((self.hidden_size,),) * n_states(self.cell)

    def unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """The layer with dense weights."""
        return unroll(self.cell, input, state, self.dense_weights())

    def slow_unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """The same step by step."""
        return slow_unroll(self.cell, input, state, self.dense_weights())

    def dense_weights(self) -> list[Tensor]:
        """The weights that torch's layer would have, in its order; the second of two biases is zero."""
        weight = self.left @ self.right
        return [
            weight[:, : self.input_size],
            weight[:, self.input_size :],
            *(() if self.shift is None else (self.shift, torch.zeros_like(self.shift))),
        ]

    def parameter_formula(self) -> int:
        """``rank * (g hidden_size + input_size + hidden_size)``, and ``g hidden_size`` for the bias."""
        n_rows = N_GATES[self.cell] * self.hidden_size
        return self.rank * (n_rows + self.input_size + self.hidden_size) + n_rows * self.bias

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Each cell, rank one and more, with and without bias."""
        return (
            {"input_size": 3, "hidden_size": 4, "rank": 2},
            {"input_size": 2, "hidden_size": 3, "cell": "lstm", "rank": 3, "bias": False},
            {"input_size": 2, "hidden_size": 2, "cell": "rnn", "rank": 1},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, cell={self.cell!r}, rank={self.rank}"
