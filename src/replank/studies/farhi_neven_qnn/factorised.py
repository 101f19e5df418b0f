"""The classifier in closed form: where every gate conserves X of the readout, 17 qubits fall apart into single ones.

In the sectors s = +1 and -1 of that X each data qubit i only sees a 2x2 matrix ``v_is``, the ordered product of
``exp(i s theta P)``. With the readout starting in 0 and Y measured, the prediction for bits b is::

    f(b) = -Im prod_i (v_i+^dagger v_i-)[b_i, b_i]

``v^dagger v`` is in SU(2), so that its diagonal is ``(c_i, conj c_i)`` with ``|c_i| <= 1``: f is a *sine of a linear
function* of the signs z = 1 - 2 b, without a bias unless a gate acts on the readout alone::

    f = -R sin(sum_i phi_i z_i),  R = prod |c_i|,  phi_i = arg c_i
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from replank.circuits import Circuit
from replank.circuits.angle import Variable
from replank.circuits.gates import pauli_matrix
from replank.circuits.operations import Operation, PauliRotation
from replank.errors import UnknownName
from replank.studies.farhi_neven_qnn.encoders import check_bits

Letter = Literal["Y", "Z"]


@dataclass(frozen=True)
class _Turn:
    """``exp(i weight P)`` on one data qubit, or on none, times X of the readout or not."""

    wire: int | None
    letter: str
    on_readout: bool
    operation: PauliRotation


class FactorisedReadout(nn.Module):
    """A readout classifier whose gates conserve X of the readout, exactly and without a state vector.

    Shape: bits ``(B, n_data) -> (B,)``, or ``(B, n_starts)``.

    Args:
        n_data: number of data qubits; the readout is the next one.
        ansatz: Pauli rotations on ``n_data + 1`` qubits, of which each acts on at most one data qubit and with X, or
            not at all, on the readout; angles are affine in the parameters.
        readout_pauli: what is measured of the readout, which starts in 0.
        n_starts: that many sets of weights side by side; one, without a dimension of its own, if not given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: a gate breaks the conservation or couples data qubits; in ``forward``, input that is no bits.
        UnknownName: another letter is measured.

    Source: derived here, for the circuits of Farhi and Neven (2018), arXiv 1802.06002.
    """

    constants: Tensor
    weights_of: Tensor
    table: Tensor
    paulis: Tensor
    signs: Tensor
    on_readout: Tensor

    def __init__(
        self,
        n_data: int,
        ansatz: Circuit,
        *,
        readout_pauli: Letter = "Y",
        n_starts: int | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        if readout_pauli not in get_args(Letter):
            raise UnknownName("readout of FactorisedReadout", str(readout_pauli), get_args(Letter))
        self.n_data, self.readout_pauli, self.n_starts = n_data, readout_pauli, n_starts
        turns = [_turn(operation, n_data) for operation in ansatz]
        dtype = torch.get_default_dtype() if dtype is None else dtype
        for name, value in _tables(turns, n_data, ansatz.n_parameters).items():
            kind = {True: dtype.to_complex(), False: dtype}[value.is_complex()] if name != "table" else value.dtype
            self.register_buffer(name, value.to(device, kind), persistent=False)
        shape = (ansatz.n_parameters,) if n_starts is None else (n_starts, ansatz.n_parameters)
        self.theta = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights uniformly from [0, 2 pi)."""
        nn.init.uniform_(self.theta, 0, 2 * math.pi)

    def forward(self, bits: Tensor) -> Tensor:
        """The prediction, in [-1, 1]."""
        check_bits(bits, self.n_data)
        amplitude, phases, offset = self.sine()
        angle = (1 - 2 * bits) @ phases.mT + offset if self.n_starts else (1 - 2 * bits) @ phases + offset
        return -amplitude * angle.sin() if self.readout_pauli == "Y" else amplitude * angle.cos()

    def sine(self) -> tuple[Tensor, Tensor, Tensor]:
        """What the circuit amounts to: ``-R sin(phi z + offset)``, or ``R cos(...)`` if Z is measured, for signs z.

        Returns:
            R ``(*,)``, phi ``(*, n_data)`` and the offset ``(*,)``.
        """
        factors, offset = self._factors()
        # a factor of exactly 0 has no angle; at next to 0 the product's derivatives are the right ones
        factors = factors + torch.finfo(factors.dtype).tiny ** 0.25 * (factors == 0)
        return factors.abs().prod(-1), factors.angle(), offset

    def _factors(self) -> tuple[Tensor, Tensor]:
        """The ``c_i``, ``(*, n_data)``, and the angle that gates on the readout alone add, ``(*,)``."""
        angles = self.theta @ self.weights_of + self.constants
        padded = torch.cat((angles, torch.zeros_like(angles[..., :1])), -1)
        placed = padded[..., self.table]  # (*, steps, n_data)
        placed = torch.stack((placed, placed * self.signs))  # in the sectors +1 and -1
        turned = (
            placed.cos()[..., None, None] * torch.eye(2, device=placed.device)
            + 1j * placed.sin()[..., None, None] * self.paulis
        )
        plus, minus = functools.reduce(lambda before, step: step @ before, turned.unbind(-4))
        return (plus.conj() * minus)[..., :, 0].sum(-1), -2 * (angles @ self.on_readout)

    def extra_repr(self) -> str:
        """Sizes and what is measured."""
        return f"n_data={self.n_data}, n_parameters={self.theta.shape[-1]}, readout_pauli={self.readout_pauli!r}"


def _turn(operation: Operation, n_data: int) -> _Turn:
    """An operation, if X of the readout is conserved and no two data qubits meet."""
    if not isinstance(operation, PauliRotation) or operation.when is not None:
        raise ValueError(
            f"FactorisedReadout: gates must be Pauli rotations, got {operation.label} on wires={operation.wires}. Use "
            "ReadoutClassifier for other circuits."
        )
    letters = {wire: letter for wire, letter in zip(operation.wires, operation.letters, strict=True) if letter != "I"}
    readout = letters.pop(n_data, "I")
    if readout not in "IX":
        raise ValueError(
            f"FactorisedReadout: gates must conserve X of the readout, got {operation.label} on wires="
            f"{operation.wires} with {readout} on it. Use ReadoutClassifier for such circuits."
        )
    if len(letters) > 1 or max(letters, default=0) > n_data:
        raise ValueError(
            f"FactorisedReadout: a gate must act on at most one of the data qubits 0..{n_data - 1}, got "
            f"{operation.label} on wires={operation.wires}. Use ReadoutClassifier for such circuits."
        )
    if not operation.angle.is_affine or operation.angle.per_sample:
        raise ValueError(f"FactorisedReadout: angles must be affine in the weights, got {operation.angle}.")
    wire, letter = next(iter(letters.items()), (None, "I"))
    return _Turn(wire, letter, readout == "X", operation)


def _tables(turns: Sequence[_Turn], n_data: int, n_parameters: int) -> dict[str, Tensor]:
    """Which turn comes when on which qubit, and how angles depend on weights."""
    weights_of = torch.zeros(n_parameters, len(turns), dtype=torch.float64)
    for column, turn in enumerate(turns):
        for atom, coefficient in turn.operation.angle.terms:
            assert isinstance(atom, Variable)
            weights_of[atom.index, column] = -coefficient / 2  # the rotation by an angle is exp(-i angle/2 P)
    queues = [[k for k, turn in enumerate(turns) if turn.wire == wire] for wire in range(n_data)]
    n_steps = max(1, *map(len, queues))
    table = torch.full((n_steps, n_data), len(turns))  # where nothing happens: the angle 0 behind the last
    paulis = pauli_matrix("I").to(torch.complex128).repeat(n_steps, n_data, 1, 1)
    signs = torch.ones(n_steps, n_data, dtype=torch.float64)
    for wire, queue in enumerate(queues):
        for step, k in enumerate(queue):
            table[step, wire] = k
            paulis[step, wire] = pauli_matrix(turns[k].letter)
            signs[step, wire] = -1.0 if turns[k].on_readout else 1.0
    return {
        "weights_of": weights_of,
        "constants": torch.tensor([-turn.operation.angle.constant / 2 for turn in turns], dtype=torch.float64),
        "table": table,
        "paulis": paulis,
        "signs": signs,
        "on_readout": torch.tensor(
            [float(turn.wire is None and turn.on_readout) for turn in turns], dtype=torch.float64
        ),
    }
