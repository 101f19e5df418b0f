"""Programs as torch operations: on any device, differentiable to any order, and readable.

States are real: ``(G, B, 2, 2^n)`` with real and imaginary parts apart, for G sets of parameters and B samples.
Position p holds the basis state that the program's frame says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from replank.circuits.program import Condition, Dense, Frame, Masked, Phases, Program, Projection, Rotation, Rotations
from replank.circuits.slots import Slots

Output = Sequence[Masked] | Literal["probabilities", "state"]
"""What is wanted of a program: expectation values of strings, or all probabilities, or the amplitudes."""


def run(
    program: Program, slots: Slots, features: Tensor, parameters: Tensor, initial: Tensor | None, output: Output
) -> Tensor:
    """Run a program.

    Shape: ``features`` ``(G or 1, B, F)``, ``parameters`` ``(G or 1, P)``, both with the sources that ``slots``
    derives; ``initial`` ``(G or 1, B, 2^n)``, complex, in the order of basis states, or none. The result is
    ``(G, B, T)`` for T strings, or ``(G, B, 2^n)``, complex for amplitudes; qubit 0 is the most significant bit of its
    index.
    """
    by_feature, by_parameter = (torch.as_tensor(each).to(features) for each in slots.matrices())
    angles = (
        torch.as_tensor(slots.constants).to(features) + (parameters @ by_parameter)[:, None] + features @ by_feature
    )
    rows = _start(program, angles) if initial is None else _rows(initial)
    n_groups = max(len(rows), len(angles))
    rows = rows.expand(n_groups, -1, -1, -1)
    slot = sum(len(turns) for turns in program.start)
    for step in program.steps:
        match step:
            case Phases(terms):
                rows = _turn_phases(rows, list(terms), angles[..., slot : slot + len(terms)])
                slot += len(terms)
            case Rotations(rotations):
                for rotation in rotations:
                    rows = _rotate(rows, rotation, angles[..., slot])
                    slot += 1
            case Dense():
                rows = _multiply(rows, step)
            case Projection(condition):
                rows = rows * _where(condition, rows)
    return _read_out(rows, program.frame, output)


def _rows(amplitudes: Tensor) -> Tensor:
    return torch.stack((amplitudes.real, amplitudes.imag), dim=-2)


def _times_minus_i(rows: Tensor) -> Tensor:
    """``-i`` times amplitudes in row form."""
    re, im = rows.unbind(-2)
    return torch.stack((im, -re), dim=-2)


def _parity(mask: int, like: Tensor) -> Tensor:
    """The parity of ``p & mask`` for each position, as 0.0 or 1.0."""
    bits = torch.arange(like.shape[-1], device=like.device) & mask
    for shift in (32, 16, 8, 4, 2, 1):
        bits = bits ^ (bits >> shift)
    return (bits & 1).to(like)


def _signs(mask: int, like: Tensor) -> Tensor:
    return 1 - 2 * _parity(mask, like)


def _where(condition: Condition, like: Tensor) -> Tensor:
    """1.0 where a condition holds, 0.0 elsewhere."""
    parity = _parity(condition.mask, like)
    return parity if condition.value else 1 - parity


def _flipped(rows: Tensor, mask: int) -> Tensor:
    """The amplitudes at ``p ^ mask``."""
    index = torch.arange(rows.shape[-1], device=rows.device) ^ mask
    return rows.index_select(-1, index)


def _start(program: Program, angles: Tensor) -> Tensor:
    """The product of the lines' own states."""
    slot = 0
    one = torch.ones(*angles.shape[:2], 1, dtype=angles.dtype, device=angles.device)
    product = torch.complex(one, torch.zeros_like(one))
    for turns in program.start:
        zero, one = torch.ones_like(product[..., 0]), torch.zeros_like(product[..., 0])
        for letter, _ in turns:
            half = angles[..., slot] / 2
            c, s = half.cos(), half.sin()
            match letter:
                case "X":
                    zero, one = c * zero - 1j * s * one, c * one - 1j * s * zero
                case "Y":
                    zero, one = c * zero - s * one, c * one + s * zero
                case _:
                    turn = torch.complex(c, -s)
                    zero, one = turn * zero, turn.conj() * one
            slot += 1
        product = (product[..., :, None] * torch.stack((zero, one), -1)[..., None, :]).flatten(-2)
    return _rows(product)


def _turn_phases(rows: Tensor, masks: list[int], angles: Tensor) -> Tensor:
    signs = torch.stack([_signs(mask, rows) for mask in masks])
    half = (angles / 2) @ signs
    c, s = half.cos()[..., None, :], half.sin()[..., None, :]
    return c * rows + s * _times_minus_i(rows)


def _apply(string: Masked, rows: Tensor) -> Tensor:
    """``-i P`` times amplitudes in row form: ``(P psi)_p = i^n_y (-1)^parity((p ^ x) & z) psi_(p ^ x)``."""
    moved = _flipped(rows * (string.sign * _signs(string.z, rows)), string.x)
    for _ in range((1 - string.n_y) % 4):  # -i * i^n_y = (-i)^(1 - n_y)
        moved = _times_minus_i(moved)
    return moved


def _rotate(rows: Tensor, rotation: Rotation, angle: Tensor) -> Tensor:
    half = (angle / 2)[..., None, None]
    turned = half.cos() * rows + half.sin() * _apply(rotation.string, rows)
    for condition in rotation.conditions:
        on = _where(condition, rows)
        turned = on * turned + (1 - on) * rows
    return turned


def _multiply(rows: Tensor, step: Dense) -> Tensor:
    """A matrix as a sum over what it flips: ``(M psi)_p = sum_f M[b(p), b(p) ^ f] psi_(p ^ x_f)``."""
    k = len(step.flips)
    bits = torch.stack([_where(read, rows) for read in step.reads]).long()
    index = sum(bits[i] << (k - 1 - i) for i in range(k))
    real, imaginary = (torch.as_tensor(part.copy()).to(rows) for part in (step.matrix.real, step.matrix.imag))
    total = torch.zeros_like(rows)
    for flipped in range(2**k):
        mask = 0
        for i in range(k):
            mask ^= step.flips[i] if flipped >> (k - 1 - i) & 1 else 0
        entry = index, index ^ flipped
        moved = _flipped(rows, mask)
        total = total + real[entry] * moved - imaginary[entry] * _times_minus_i(moved)
    return total


def position_bits(frame: Frame) -> list[int]:
    """The position of the basis state 0...0, and what each bit adds to a position, the least significant first."""
    origin = 0
    for flips, offset in zip(frame.flips, frame.offsets, strict=True):
        origin ^= flips if offset else 0
    return [origin, *reversed(frame.flips)]


def positions(frame: Frame) -> NDArray[np.int64]:
    """The position of each basis state, in the order of basis states."""
    origin, *bits = position_bits(frame)
    found = np.full(2 ** len(bits), origin)
    for bit, flips in enumerate(bits):
        found ^= (np.arange(len(found)) >> bit & 1) * flips
    return found


def _read_out(rows: Tensor, frame: Frame, output: Output) -> Tensor:
    if isinstance(output, str):
        ordered = rows.index_select(-1, torch.as_tensor(positions(frame), device=rows.device))
        re, im = ordered.unbind(-2)
        return torch.complex(re, im) if output == "state" else re.square() + im.square()
    if all(string.x == 0 for string in output):
        signs = torch.stack([string.sign * _signs(string.z, rows) for string in output])
        return rows.square().sum(-2) @ signs.mT
    # <P> = Re <psi|P psi> and P psi = i (-i P psi)
    values = [(rows * -_times_minus_i(_apply(string, rows))).sum((-2, -1)) for string in output]
    return torch.stack(values, -1)
