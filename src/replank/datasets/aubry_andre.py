"""States of a chain in a quasi-periodic field, some of which have forgotten their beginning and some have not."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from replank.circuits.many_body import aubry_andre_fields, evolved, neel_state
from replank.seeding import torch_stream

Range = tuple[float, float]


class ChainStates(NamedTuple):
    """States with their classes.

    Args:
        states: ``(n_samples, 2^n_qubits)``, complex128, of norm 1.
        labels: 0 for the first range of strengths, 1 for the second, ``(n_samples,)``, int64; classes are balanced.
        strengths: of the field, ``(n_samples,)``.
    """

    states: Tensor
    labels: Tensor
    strengths: Tensor


def aubry_andre_states(
    n_samples: int,
    n_qubits: int,
    *,
    strengths: tuple[Range, Range] = ((0.0, 1.0), (4.0, 8.0)),
    times: Range = (8.0, 12.0),
    seed: int,
    part: str = "train",
) -> ChainStates:
    """What becomes of ``|0101...>`` in an XY chain with the field ``V cos(2 pi ratio k + phase)``, exactly.

    A weak field lets the state spread over the chain (class 0, "thermal"), a strong one keeps it where it was (class 1,
    "localised").

    Args:
        n_samples: number of states.
        n_qubits: length of the chain.
        strengths: for each class where V is drawn from, in units of the coupling; the transition of a single particle
            is at 2.
        times: where the time is drawn from, in units of the inverse coupling.
        seed: of all draws.
        part: ``"train"``, ``"test"`` and so on have streams of their own.

    Raises:
        ValueError: fewer than two samples, or a range that is not increasing.
    """
    for name, (low, high) in {"strengths[0]": strengths[0], "strengths[1]": strengths[1], "times": times}.items():
        if not 0 <= low <= high < math.inf:
            raise ValueError(f"aubry_andre_states: a range must be 0 <= low <= high, got {name}={(low, high)}.")
    if n_samples < 2:
        raise ValueError(f"aubry_andre_states: there must be a sample of each class, got n_samples={n_samples}.")
    stream = torch_stream(seed, "aubry-andre", part)
    labels = torch.randperm(n_samples, generator=stream) % 2
    draw, phase, time = torch.rand(3, n_samples, generator=stream, dtype=torch.float64)
    least, most = (torch.tensor(ends, dtype=torch.float64)[labels] for ends in zip(*strengths, strict=True))
    v = least + (most - least) * draw
    fields = aubry_andre_fields(n_qubits, v, 2 * math.pi * phase)
    states = evolved(fields, times[0] + (times[1] - times[0]) * time, neel_state(n_qubits))
    return ChainStates(states, labels, v)
