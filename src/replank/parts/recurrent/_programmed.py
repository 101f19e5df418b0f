"""Fast weights: a slow network that writes, step by step, into the weights of a fast one."""

from __future__ import annotations

import abc
import math
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.recurrent._interface import RecurrentPart, States


class SlowProgrammer(nn.Module):
    """An update of rank one for each input: scores of the layers times scores of the units.

    Shape: ``(*, n_features) -> (*, n_units), (*, n_layers, n_units)``: the latent features, and the update.

    Args:
        n_features: size of each input.
        n_layers: rows of the update.
        n_units: columns of the update, and latent features.
        bias: whether the linear maps have biases.
        bounded: whether latent features are ``pi tanh(...)`` of a linear map, so that they are angles, and not linear.
        device: of the parameters.
        dtype: of the parameters.
    """

    def __init__(
        self,
        n_features: int,
        n_layers: int,
        n_units: int,
        *,
        bias: bool = True,
        bounded: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self.bounded = bounded
        self.latent = nn.Linear(n_features, n_units, bias, device=device, dtype=dtype)
        self.layer_scores = nn.Linear(n_units, n_layers, bias, device=device, dtype=dtype)
        self.unit_scores = nn.Linear(n_units, n_units, bias, device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw all as nn.Linear does."""
        for layer in (self.latent, self.layer_scores, self.unit_scores):
            layer.reset_parameters()

    def forward(self, input: Tensor) -> tuple[Tensor, Tensor]:
        """Latent features and the outer product of two linear maps of them."""
        latent = self.latent(input)
        if self.bounded:
            latent = math.pi * latent.tanh()
        return latent, self.layer_scores(latent).unsqueeze(-1) * self.unit_scores(latent).unsqueeze(-2)


class ProgrammedPart(RecurrentPart):
    """A recurrent part without recurrence: its state is a program, the sum of updates that depend on one input each."""

    n_units: int
    n_layers: int
    n_readout: int
    decay: float
    encoder: bool
    slow: SlowProgrammer
    readout: nn.Linear

    @abc.abstractmethod
    def fast(self, features: Tensor, program: Tensor) -> Tensor:
        """The fast network. Shape: ``(*, n_features), (*, n_layers, n_units) -> (*, n_readout)``."""

    @abc.abstractmethod
    def slow_fast(self, features: Tensor, program: Tensor) -> Tensor:
        """The same in a more obvious way, for one batch dimension."""

    def _set_program(
        self,
        n_units: int,
        n_layers: int,
        n_readout: int,
        decay: float,
        encoder: bool,
        *,
        units: str,
        device: Any,
        dtype: torch.dtype | None,
    ) -> None:
        """Store and check the sizes, and make the slow network and the read-out; ``units`` is their argument's name."""
        name = type(self).__name__
        if n_layers < 1:
            raise ValueError(f"{name}: there must be at least one layer, got n_layers={n_layers}.")
        if not 1 <= n_readout <= n_units:
            raise ValueError(
                f"{name}: `n_readout` must be in 1..{units}={n_units}, got n_readout={n_readout}. So many are read."
            )
        if not 0 < decay <= 1:
            raise ValueError(f"{name}: `decay` must be in (0, 1], got decay={decay}. With 1, nothing is forgotten.")
        if self.input_size > n_units and not encoder:
            raise ValueError(
                f"{name}: each feature needs one of {units}={n_units}, got input_size={self.input_size}. Take more, or "
                "encoder=True."
            )
        self.n_units, self.n_layers, self.n_readout = n_units, n_layers, n_readout
        self.decay, self.encoder = decay, encoder
        self.slow = SlowProgrammer(
            self.input_size, n_layers, n_units, bias=self.bias, bounded=encoder, device=device, dtype=dtype
        )
        self.readout = nn.Linear(n_readout, self.hidden_size, self.bias, device=device, dtype=dtype)

    @property
    def n_features(self) -> int:
        """Numbers that go into the fast network at each step."""
        return self.n_units if self.encoder else self.input_size

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """One tensor: the program."""
        return ((self.n_layers, self.n_units),)

    def unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """All steps at once: programs are cumulative sums."""
        latent, updates = self.slow(input)
        programs = _accumulated(updates, state[0], self.decay)
        return self.readout(self.fast(latent if self.encoder else input, programs)), (programs[-1],)

    def slow_unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """Step after step, with the outer product of each sample."""
        (program,) = state
        outputs = []
        for each in input.unbind(0):
            latent = self.slow.latent(each)
            latent = math.pi * latent.tanh() if self.encoder else latent
            layers, units = self.slow.layer_scores(latent), self.slow.unit_scores(latent)
            updates = [torch.outer(*pair) for pair in zip(layers, units, strict=True)]
            program = self.decay * program + torch.stack(updates)
            outputs.append(self.readout(self.slow_fast(latent if self.encoder else each, program)))
        return torch.stack(outputs), (program,)

    def reset_parameters(self) -> None:
        """Draw all linear maps as nn.Linear does."""
        self.slow.reset_parameters()
        self.readout.reset_parameters()

    def parameter_formula(self) -> int:
        """With n units: ``(input_size + n_layers + n) n`` for the slow network, ``n_readout hidden_size`` behind.

        Biases are ``2 n + n_layers + hidden_size`` more.
        """
        n = self.n_units
        weights = (self.input_size + self.n_layers + n) * n + self.n_readout * self.hidden_size
        return weights + (2 * n + self.n_layers + self.hidden_size) * self.bias

    def extra_repr(self) -> str:
        """The constructor's arguments, but for the number of units."""
        return (
            f"{super().extra_repr()}, n_layers={self.n_layers}, n_readout={self.n_readout}, decay={self.decay}, "
            f"encoder={self.encoder}"
        )


def _accumulated(updates: Tensor, start: Tensor, decay: float) -> Tensor:
    """``p_t = decay p_{t-1} + u_t``. Shape: ``(T, B, *), (B, *) -> (T, B, *)``."""
    if decay == 1:
        return updates.cumsum(0) + start
    program, programs = start, []
    for update in updates.unbind(0):  # powers of the decay would underflow on long sequences
        program = torch.add(update, program, alpha=decay)
        programs.append(program)
    return torch.stack(programs)
