"""Any recurrent layer or part as a reservoir: random, and never trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.papers import CHEN2022RESERVOIR
from replank.parts.recurrent._classical import N_GATES, Cell, n_states, slow_unroll, unroll
from replank.parts.recurrent._interface import RecurrentPart, State, States
from replank.parts.recurrent.echo_state import EchoState
from replank.parts.recurrent.quantum_lstm import QuantumLSTM
from replank.sources import Source

_CELLS: dict[type[nn.Module], Cell] = {nn.RNN: "rnn", nn.GRU: "gru", nn.LSTM: "lstm"}


class Reservoir(RecurrentPart):
    r"""A recurrent layer or part with all its parameters frozen where they are drawn.

    Replaces :class:`torch.nn.RNN`, :class:`torch.nn.GRU` or :class:`torch.nn.LSTM`. What is trained is a read-out
    behind it, ``nn.Linear(hidden_size, ...)``. Where the input needs no gradient, nothing is kept for a backward pass.

    Shape: ``(T, B, input_size) -> (T, B, hidden_size)``, with ``B`` first if ``batch_first``, or both without ``B``;
    same dtype and device as the input. The state is that of the core.

    Args:
        input_size: features at each step.
        hidden_size: features of the output.
        num_layers: one.
        bias: of the core.
        batch_first: whether the batch comes before time.
        dropout: none.
        bidirectional: no.
        core: :class:`torch.nn.RNN` (with tanh), :class:`torch.nn.GRU`, :class:`torch.nn.LSTM` or a part of this group.
        options: further arguments of a part, by name.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        TypeError: the core is none of these, for instance a whole model, whose read-out would be frozen with it; in
            ``forward``, a packed sequence, another dtype, another part's state.
        ValueError: several layers, directions or dropout, what the core refuses; in ``forward``, what torch's layers
            refuse, a NaN or infinite number.

    Source: [chen2022reservoir], as recalled: quantum and classical recurrent networks with random recurrent weights.
    """

    source = Source(CHEN2022RESERVOIR, where="reservoirs of QRNN, QGRU, QLSTM, RNN, GRU, LSTM", provenance="recalled")

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
        core: type[nn.Module] = nn.GRU,
        options: Mapping[str, Any] | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        if not isinstance(core, type) or not (core in _CELLS or issubclass(core, RecurrentPart)):
            raise TypeError(
                f"Reservoir: `core` must be nn.RNN, nn.GRU, nn.LSTM or a class of recurrent parts, got {core!r}. The "
                "read-out stays outside: it is what is trained."
            )
        self.options = dict(options or {})
        if self.options and core in _CELLS:
            raise ValueError(
                f"Reservoir: torch's layers take no options here, got options={self.options}. Leave them out."
            )
        self.core: nn.Module = core(input_size, hidden_size, bias=bias, device=device, dtype=dtype, **self.options)
        self.core.requires_grad_(False)

    def reset_parameters(self) -> None:
        """Draw the core's parameters as it does."""
        assert isinstance(self.core, nn.RNNBase | RecurrentPart)
        self.core.reset_parameters()

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """As of the core."""
        if isinstance(self.core, RecurrentPart):
            return self.core.state_shapes()
        return ((self.hidden_size,),) * n_states(_CELLS[type(self.core)])

    def unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """The core."""
        if isinstance(self.core, RecurrentPart):
            return self.core.unroll(input, state)
        return unroll(_CELLS[type(self.core)], input, state, list(self.core.parameters()))

    def slow_unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """The core's slow way, or torch's layer in words."""
        if isinstance(self.core, RecurrentPart):
            return self.core.slow_unroll(input, state)
        return slow_unroll(_CELLS[type(self.core)], input, state, list(self.core.parameters()))

    @torch.no_grad()
    def states(self, input: Tensor, hx: State | None = None) -> Tensor:
        """The outputs, without gradients: they never change, so that they can be computed once and kept."""
        outputs: Tensor = self(input, hx)[0]
        return outputs

    def parameter_formula(self) -> int:
        """As many as the core has: of torch's, ``g hidden_size (input_size + hidden_size + 2 bias)``, g = 1, 3 or 4."""
        if isinstance(self.core, RecurrentPart):
            return self.core.parameter_formula()
        n_rows = N_GATES[_CELLS[type(self.core)]] * self.hidden_size
        return n_rows * (self.input_size + self.hidden_size + 2 * self.bias)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Each of torch's layers, and parts with one and with two tensors as their state."""
        return (
            {"input_size": 2, "hidden_size": 3},
            {"input_size": 2, "hidden_size": 3, "core": nn.LSTM, "bias": False},
            {"input_size": 3, "hidden_size": 2, "core": nn.RNN},
            {"input_size": 1, "hidden_size": 2, "core": EchoState, "options": {"leak": 0.5}},
            {"input_size": 1, "hidden_size": 1, "core": QuantumLSTM, "options": {"n_layers": 1, "init_scale": None}},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, core={type(self.core).__name__}, options={self.options}"
