"""A leaky echo state network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.recurrent._interface import RecurrentPart, States
from replank.sources import Source


class EchoState(RecurrentPart):
    r"""Random tanh units that are never trained: ``h_t = (1 - a) h_{t-1} + a tanh(W_x x_t + W_h h_{t-1} + b)``.

    Replaces :class:`torch.nn.RNN`. ``W_h`` is scaled to a given spectral radius; below 1 the network forgets its
    initial state in practice. All parameters are frozen: what is trained is a read-out behind it,
    ``nn.Linear(hidden_size, ...)``.

    Shape: ``(T, B, input_size) -> (T, B, hidden_size)``, with ``B`` first if ``batch_first``, or both without ``B``;
    same dtype and device as the input. The state is ``h``, ``(1, B, hidden_size)``.

    Args:
        input_size: features at each step.
        hidden_size: number of units.
        num_layers: one.
        bias: whether units have a random bias, drawn as ``W_x`` is.
        batch_first: whether the batch comes before time.
        dropout: none.
        bidirectional: no.
        spectral_radius: largest modulus of an eigenvalue of ``W_h``.
        input_scale: ``W_x`` is uniform in [-input_scale, input_scale].
        leak: a, in (0, 1]: which share of a unit is new at each step.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: a radius or scale that is not positive, a leak out of range; several layers, directions or dropout;
            in ``forward``, what :class:`torch.nn.RNN` refuses, a NaN or infinite number.
        TypeError: in ``forward``, a packed sequence, another dtype, another part's state.

    Source: our own, as the classical reservoir to compare with: the echo state network of Jaeger (2001) with the leaky
    units of Jaeger et al. (2007), dense, ``W_h`` uniform before it is scaled.
    """

    source = Source(None, where="classical reservoir", provenance="ours")

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
        spectral_radius: float = 0.9,
        input_scale: float = 1.0,
        leak: float = 1.0,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        for name, value in (("spectral_radius", spectral_radius), ("input_scale", input_scale)):
            if not 0 < value < math.inf:
                raise ValueError(f"EchoState: `{name}` must be positive, got {name}={value}.")
        if not 0 < leak <= 1:
            raise ValueError(f"EchoState: `leak` must be in (0, 1], got leak={leak}. With 1, units do not leak.")
        self.spectral_radius, self.input_scale, self.leak = spectral_radius, input_scale, leak
        kind = {"device": device, "dtype": dtype}
        self.of_input = nn.Parameter(torch.empty(hidden_size, input_size, **kind), requires_grad=False)
        self.of_state = nn.Parameter(torch.empty(hidden_size, hidden_size, **kind), requires_grad=False)
        self.shift = nn.Parameter(torch.empty(hidden_size, **kind), requires_grad=False) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw everything from uniform distributions, and scale ``W_h``."""
        for weight in (self.of_input, self.shift):
            if weight is not None:
                nn.init.uniform_(weight, -self.input_scale, self.input_scale)
        nn.init.uniform_(self.of_state, -1, 1)
        with torch.no_grad():
            # half precision has no eigenvalues
            radius = torch.linalg.eigvals(self.of_state.double()).abs().max()
            self.of_state.mul_((self.spectral_radius / radius).to(self.of_state))

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """One tensor: the units."""
        return ((self.hidden_size,),)

    def unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """Step after step; what the input gives, in one product for all steps."""
        (hidden,) = state
        driven = nn.functional.linear(input, self.of_input, self.shift)
        outputs = []
        for each in driven.unbind(0):
            hidden = torch.lerp(hidden, (each + hidden @ self.of_state.mT).tanh(), self.leak)
            outputs.append(hidden)
        return torch.stack(outputs), (hidden,)

    def slow_unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """Unit after unit."""
        (hidden,) = state
        shift = input.new_zeros(self.hidden_size) if self.shift is None else self.shift
        outputs = []
        for each in input.unbind(0):
            new = [
                ((self.of_input[unit] * each).sum(-1) + (self.of_state[unit] * hidden).sum(-1) + shift[unit]).tanh()
                for unit in range(self.hidden_size)
            ]
            hidden = (1 - self.leak) * hidden + self.leak * torch.stack(new, -1)
            outputs.append(hidden)
        return torch.stack(outputs), (hidden,)

    def parameter_formula(self) -> int:
        """``hidden_size * (input_size + hidden_size)``, and ``hidden_size`` for the bias; none is trained."""
        return self.hidden_size * (self.input_size + self.hidden_size + self.bias)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Leaky or not, with and without bias."""
        return (
            {"input_size": 2, "hidden_size": 5},
            {"input_size": 1, "hidden_size": 3, "bias": False, "spectral_radius": 1.2, "leak": 0.3},
            {"input_size": 3, "hidden_size": 2, "input_scale": 0.5},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return (
            f"{super().extra_repr()}, spectral_radius={self.spectral_radius}, input_scale={self.input_scale}, "
            f"leak={self.leak}"
        )
