"""The classical twin of the quantum fast weight programmer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.recurrent._programmed import ProgrammedPart
from replank.sources import Source


class FastWeights(ProgrammedPart):
    r"""Fast weight programmer: a slow linear network adds, step by step, to the biases of a random tanh network.

    Replaces :class:`torch.nn.RNN`, :class:`torch.nn.GRU` or :class:`torch.nn.LSTM`. The slow network is that of
    :class:`QuantumFastWeights`; in the place of the circuit, u is ``x_t`` with zeros behind it, and each layer does
    ``u = tanh(M u + theta_t[layer])`` with a fixed random orthogonal M. It has the same parameters, number by number.

    Shape: ``(T, B, input_size) -> (T, B, hidden_size)``, with ``B`` first if ``batch_first``, or both without ``B``;
    same dtype and device as the input. The state is theta, ``(1, B, n_layers, n_units)``.

    Args:
        input_size: features at each step, at most ``n_units`` without an encoder.
        hidden_size: features of the output.
        num_layers: one.
        bias: whether the linear maps have biases.
        batch_first: whether the batch comes before time.
        dropout: none.
        bidirectional: no.
        n_units: of each layer, and number of latent features.
        n_layers: of the fast network.
        n_readout: units of its last layer that are read, the first.
        decay: what is left of theta after a step; below 1, order counts.
        encoder: whether ``z_t = pi tanh(W_e x_t + b_e)`` goes into the fast network in the place of ``x_t``.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: more features or read-outs than units, no layer, a decay out of range, several layers, directions or
            dropout; in ``forward``, what :class:`torch.nn.RNN` refuses, a NaN or infinite number.
        TypeError: in ``forward``, a packed sequence, another dtype, another part's state.

    Source: our own, as the classical control of the same size for :class:`QuantumFastWeights`.
    """

    source = Source(None, where="control of the same size", provenance="ours")
    mixing: Tensor

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
        n_units: int = 8,
        n_layers: int = 2,
        n_readout: int = 4,
        decay: float = 1.0,
        encoder: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        self._set_program(n_units, n_layers, n_readout, decay, encoder, units="n_units", device=device, dtype=dtype)
        self.register_buffer("mixing", torch.empty(n_units, n_units, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all linear maps as nn.Linear does, and the orthogonal matrix."""
        super().reset_parameters()
        nn.init.orthogonal_(self.mixing)

    def fast(self, features: Tensor, program: Tensor) -> Tensor:
        """Layers of tanh units whose biases are the program."""
        units = F.pad(features, (0, self.n_units - self.n_features))
        for shift in program.unbind(-2):
            units = (units @ self.mixing.mT + shift).tanh()
        return units[..., : self.n_readout]

    def slow_fast(self, features: Tensor, program: Tensor) -> Tensor:
        """Sample after sample."""
        rows = []
        for sample, shifts in zip(features, program, strict=True):
            units = torch.cat((sample, sample.new_zeros(self.n_units - self.n_features)))
            for shift in shifts:
                units = torch.tanh(torch.mv(self.mixing, units) + shift)
            rows.append(units[: self.n_readout])
        return torch.stack(rows)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """As its twin's, with decay, an encoder, no biases."""
        return (
            {"input_size": 1, "hidden_size": 2},
            {"input_size": 2, "hidden_size": 1, "n_units": 3, "n_readout": 2, "n_layers": 1, "decay": 0.8},
            {"input_size": 4, "hidden_size": 2, "n_units": 3, "n_readout": 3, "bias": False, "encoder": True},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, n_units={self.n_units}"
