"""Whether a recurrent layer forgets where it started: the echo state property, seen on given inputs."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from replank.parts.recurrent._interface import State, States


class _Layer(Protocol):
    """A recurrent layer: one of torch's, a part, or anything that is called like these."""

    batch_first: bool

    def __call__(self, input: Tensor, hx: State) -> tuple[Tensor, State]:
        """Outputs, and the state behind the last step."""


@torch.no_grad()
def echo_state_distance(layer: _Layer, inputs: Tensor, first: State, second: State) -> Tensor:
    """How far apart two initial states are under the same inputs: ``|h_t - h'_t|`` behind each step.

    It is the Euclidean distance of the whole state: of all of its tensors, as of h and c of an LSTM.

    Shape: ``inputs`` ``(T, B, F)``, or ``(B, T, F)`` if the layer has ``batch_first``, to distances ``(T, B)``.

    Args:
        layer: called as ``layer(input, state) -> (output, state)``.
        inputs: both see these.
        first: a state as the layer takes it, with tensors ``(1, B, *)``.
        second: another one.

    Raises:
        ValueError: inputs without a batch; states unlike each other.
    """
    states = _tensors(first), _tensors(second)
    shapes = [[tuple(each.shape) for each in state] for state in states]
    if inputs.ndim != 3 or not inputs.numel():
        raise ValueError(
            f"echo_state_distance: inputs must have a batch, time and features, got shape {tuple(inputs.shape)}."
        )
    if shapes[0] != shapes[1]:
        raise ValueError(f"echo_state_distance: both states must have the same shapes, got {shapes[0]}, {shapes[1]}.")
    time, batch = (1, 0) if layer.batch_first else (0, 1)
    joined = tuple(torch.cat(pair, 1) for pair in zip(*states, strict=True))
    state: State = joined[0] if isinstance(first, Tensor) else joined
    distances = []
    for step in torch.split(torch.cat((inputs, inputs), batch), 1, time):
        state = layer(step, state)[1]
        squares = [_squared_distances(each) for each in _tensors(state)]
        distances.append(torch.stack(squares).sum(0).sqrt())
    return torch.stack(distances)


def _tensors(state: State) -> States:
    return (state,) if isinstance(state, Tensor) else state


def _squared_distances(joined: Tensor) -> Tensor:
    """Of the first and the second half of the batch, ``(1, 2 B, *) -> (B,)``."""
    one, other = joined.squeeze(0).flatten(1).chunk(2)
    return (one - other).square().sum(1)
