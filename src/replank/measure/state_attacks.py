"""Quantum states that are changed on purpose, by turning each qubit a little, so that a classifier errs."""

from __future__ import annotations

from typing import NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank import seeding
from replank.circuits.given_states import check_states
from replank.measure._balls import BALLS, Norm, random_offset
from replank.measure._disturbance import check_classes
from replank.measure.evaluation import evaluating

N_TURNS = 3
"""Angles of each qubit: RX, RZ, RX."""


class AttackedStates(NamedTuple):
    """States after an attack.

    Args:
        states: ``(n, 2^n_qubits)``.
        angles: by which qubits were turned, ``(n, 3, n_qubits)``.
    """

    states: Tensor
    angles: Tensor


def turned_locally(states: Tensor, angles: Tensor) -> Tensor:
    """States after RX, RZ and RX on each qubit, with angles for each state; qubit 0 is the most significant bit.

    Shape: ``states`` ``(B, 2^n)``, complex, ``angles`` ``(B, 3, n)`` or ``(1, 3, n)``; the result is ``(B, 2^n)``.

    Raises:
        ValueError: shapes do not fit.
    """
    n = states.shape[-1].bit_length() - 1
    if states.ndim != 2 or states.shape[1] != 2**n or angles.shape[1:] != (N_TURNS, n):
        raise ValueError(
            f"turned_locally: needs states (B, 2^n) and angles (B, {N_TURNS}, n), got {tuple(states.shape)} and "
            f"{tuple(angles.shape)}."
        )
    first, middle, last = angles.unbind(1)
    matrices = _rx(last) @ _rz(middle) @ _rx(first)
    for wire in range(n):
        pairs = states.reshape(len(states), 2**wire, 2, -1)
        states = torch.einsum("bij,bljr->blir", matrices[:, wire].to(states.dtype), pairs).flatten(1)
    return states


def _rx(angle: Tensor) -> Tensor:
    """``exp(-i angle/2 X)``, ``(*,) -> (*, 2, 2)``."""
    c, s = torch.cos(angle / 2), -1j * torch.sin(angle / 2)
    return torch.stack((c.to(s), s, s, c.to(s)), -1).reshape(*angle.shape, 2, 2)


def _rz(angle: Tensor) -> Tensor:
    """``exp(-i angle/2 Z)``, ``(*,) -> (*, 2, 2)``."""
    phase = torch.exp(-0.5j * angle)
    return torch.diag_embed(torch.stack((phase, phase.conj()), -1))


def local_unitary_attack(
    model: nn.Module,
    states: Tensor,
    y: Tensor,
    *,
    eps: float,
    steps: int,
    alpha: float | None = None,
    norm: Norm = "linf",
    n_starts: int = 1,
    targeted: bool = False,
    seed: int = 0,
) -> AttackedStates:
    """States that an attacker has turned qubit by qubit, by at most ``eps``, uphill in the cross-entropy.

    The angles of RX, RZ, RX on each qubit climb as the pixels of :func:`replank.measure.pgd` do. Entanglement between
    qubits is not changed. At angles of 0 the loss can be flat: whatever a model reads of states with a conserved number
    of ones by Z alone does not change to first order. Further starts, at random points, help there.

    Args:
        model: from states to logits; it is left as it was.
        states: of norm 1, ``(n, 2^n_qubits)``, complex.
        y: class numbers, ``(n,)``: the true ones, or those that the attacker wants if ``targeted``.
        eps: radius of the ball of angles, in radians.
        steps: number of steps.
        alpha: length of a step; ``2.5 eps / steps`` if not given.
        norm: of ball and step.
        n_starts: how often the attack is made, first from angles of 0, then from random ones; the one that does most
            harm to a sample counts.
        targeted: whether to go downhill instead, towards the classes ``y``.
        seed: of the random starts.

    Raises:
        TypeError: states are not complex, or the model is not differentiable.
        ValueError: states that are not of norm 1, a negative or infinite ``eps``, no step or one that is not positive,
            no start, no such norm, labels that are not the model's.

    Source: our reading of Ren et al. (2022), arXiv 2204.01738, whose perturbations are local, too.
    """
    owner = "local_unitary_attack"
    _check(owner, states, eps)
    step = ((2.5 * eps / steps) if steps > 0 else 0.0) or 1.0 if alpha is None else alpha
    if not 0 < step < float("inf") or steps < 1 or n_starts < 1:
        raise ValueError(
            f"{owner}: needs a start and at least one step of positive length, got alpha={alpha}, steps={steps}, "
            f"n_starts={n_starts}."
        )
    if norm not in get_args(Norm):
        raise ValueError(f"{owner}: `norm` must be one of {', '.join(get_args(Norm))}, got norm={norm!r}.")
    n = states.shape[1].bit_length() - 1
    nowhere = torch.zeros(len(states), N_TURNS, n, dtype=states.dtype.to_real(), device=states.device)
    if not eps:
        return AttackedStates(states, nowhere)
    sense = -1.0 if targeted else 1.0
    best, harm = nowhere, torch.full_like(nowhere[:, 0, 0], -torch.inf)
    with evaluating(model):
        for start in range(n_starts):
            angles = random_offset(nowhere, eps, norm, seed, "local turns", start) if start else nowhere
            for _ in range(steps):
                uphill = sense * _gradient(model, states, angles, y)
                angles = BALLS[norm].into(nowhere, angles + step * BALLS[norm].direction(uphill), eps)
            loss = sense * functional.cross_entropy(model(turned_locally(states, angles)), y, reduction="none")
            better = loss > harm
            best, harm = torch.where(better[:, None, None], angles, best), torch.where(better, loss, harm)
    return AttackedStates(turned_locally(states, best), best)


def random_local_unitary(states: Tensor, *, eps: float, seed: int) -> AttackedStates:
    """States whose qubits are turned by ``eps`` about each axis with random signs: the control of the attack.

    Args:
        states: of norm 1, ``(n, 2^n_qubits)``, complex.
        eps: angle in radians.
        seed: of the signs, drawn on the CPU so that every device sees the same.

    Raises:
        TypeError: states are not complex.
        ValueError: states that are not of norm 1, a negative or infinite ``eps``.
    """
    _check("random_local_unitary", states, eps)
    n = states.shape[1].bit_length() - 1
    signs = torch.randint(
        0, 2, (len(states), N_TURNS, n), generator=seeding.torch_stream(seed, "robustness", "random turns")
    )
    angles = eps * (2 * signs - 1).to(states.device, states.dtype.to_real())
    return AttackedStates(turned_locally(states, angles), angles)


def _check(owner: str, states: Tensor, eps: float) -> None:
    if not states.is_complex():
        raise TypeError(f"{owner}: `states` must be complex, got dtype={states.dtype}.")
    check_states(owner, states, states.shape[-1].bit_length() - 1)
    if not 0 <= eps < float("inf"):
        raise ValueError(f"{owner}: `eps` must be finite and not negative, got eps={eps}.")


def _gradient(model: nn.Module, states: Tensor, angles: Tensor, y: Tensor) -> Tensor:
    with torch.enable_grad():
        at = angles.detach().requires_grad_()
        logits = model(turned_locally(states, at))
        if not logits.requires_grad:
            raise TypeError(
                "local_unitary_attack: `model` must be differentiable, got outputs that do not depend on the states by "
                "autograd."
            )
        check_classes("local_unitary_attack", y, logits.shape[1])
        return torch.autograd.grad(functional.cross_entropy(logits, y, reduction="sum"), at)[0]
