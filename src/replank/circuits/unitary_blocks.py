"""Trainable unitaries, one for each layer of a re-uploading circuit and shared by the batch."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from replank.circuits.unitary import su_unitary


class UnitaryBlock(nn.Module, abc.ABC):
    """One trainable unitary a layer: :meth:`unitaries` computes all of them, once a step whatever the batch.

    Args:
        n_qubits: number of qubits.
        n_layers: number of layers.
        shape: of one layer's angles.
        init_scale: standard deviation of the initial angles.
        frozen: whether they stay as they are drawn.
        device: of the angles.
        dtype: of the angles.

    Raises:
        ValueError: there is no qubit or no layer.
    """

    def __init__(
        self,
        n_qubits: int,
        n_layers: int,
        shape: Sequence[int],
        *,
        init_scale: float = 1.0,
        frozen: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        for name, value in (("n_qubits", n_qubits), ("n_layers", n_layers)):
            if value < 1:
                raise ValueError(f"{type(self).__name__}: there must be at least one, got {name}={value}.")
        self.n_qubits, self.n_layers, self.init_scale = n_qubits, n_layers, init_scale
        angles = torch.empty(n_layers, *shape, device=device, dtype=dtype)
        self.theta = nn.Parameter(angles, requires_grad=not frozen)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the angles from N(0, init_scale^2)."""
        nn.init.normal_(self.theta, std=self.init_scale)

    def unitaries(self) -> Tensor:
        """The matrices of all layers, ``(n_layers, 2^n, 2^n)``, complex; qubit 0 is the most significant bit.

        They are computed in double precision and then rounded to that of the angles.
        """
        return self._unitaries(self.theta.double()).to(self.theta.dtype.to_complex())

    @abc.abstractmethod
    def _unitaries(self, theta: Tensor) -> Tensor:
        """The matrices for these angles, real or complex."""

    @property
    def n_effective(self) -> int:
        """How many of the angles move the unitaries."""
        return self.theta.numel()

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        text = f"n_qubits={self.n_qubits}, n_layers={self.n_layers}"
        return text if self.theta.requires_grad else f"{text}, frozen=True"


class FullSU(UnitaryBlock):
    """Any special unitary: ``exp(+i sum_k theta_k P_k)`` over all Pauli strings but the identity.

    ``n_layers * (4^n - 1)`` angles.

    Args:
        n_qubits: number of qubits.
        n_layers: number of layers.
        options: those of :class:`UnitaryBlock`.
    """

    def __init__(self, n_qubits: int, n_layers: int, **options: Any):
        super().__init__(n_qubits, n_layers, (4**n_qubits - 1,), **options)

    def _unitaries(self, theta: Tensor) -> Tensor:
        return su_unitary(theta)


class BrickwallSU4(UnitaryBlock):
    """Any special unitary on each of some pairs of neighbours, one after the other.

    ``15 * len(pairs)`` angles a layer.

    Args:
        n_qubits: number of qubits.
        n_layers: number of layers.
        pairs: neighbours ``(q, q + 1)``, in the order in which they are coupled; a wall of bricks if not given: (1, 2),
            (3, 4), ..., then (0, 1), (2, 3), ...
        tied: whether all pairs of a layer read the first 15 angles. The others are allocated and never used, as in the
            digits circuit of the published code.
        options: those of :class:`UnitaryBlock`.

    Raises:
        ValueError: there is no pair, or one is not of neighbours.
    """

    def __init__(
        self,
        n_qubits: int,
        n_layers: int,
        pairs: Sequence[tuple[int, int]] | None = None,
        *,
        tied: bool = False,
        **options: Any,
    ):
        if pairs is None:
            pairs = [(first, first + 1) for start in (1, 0) for first in range(start, n_qubits - 1, 2)]
        wrong = [pair for pair in pairs if pair[1] != pair[0] + 1 or not 0 <= pair[0] < n_qubits - 1]
        if wrong or not pairs:
            raise ValueError(
                f"BrickwallSU4: pairs must be neighbours (q, q + 1) among 0..{n_qubits - 1}, at least one, got "
                f"{wrong[0] if wrong else 'none'}."
            )
        self.pairs, self.tied = tuple(pairs), tied
        super().__init__(n_qubits, n_layers, (len(pairs), 15), **options)

    def _unitaries(self, theta: Tensor) -> Tensor:
        gates = su_unitary(theta[:, :1] if self.tied else theta)
        return _in_turn(self.n_qubits, gates.expand(-1, len(self.pairs), -1, -1), [first for first, _ in self.pairs])

    @property
    def n_effective(self) -> int:
        """See the base class."""
        return super().n_effective // (len(self.pairs) if self.tied else 1)

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, pairs={self.pairs}, tied={self.tied}"


class RotationBlock(UnitaryBlock):
    """``RY`` on each qubit and a chain of CNOTs, several times: real matrices, ``depth * n_qubits`` angles a layer.

    Args:
        n_qubits: number of qubits.
        n_layers: number of layers.
        depth: how often, in each layer.
        options: those of :class:`UnitaryBlock`.

    Raises:
        ValueError: ``depth`` is less than 1.
    """

    chain: Tensor

    def __init__(self, n_qubits: int, n_layers: int, depth: int = 1, **options: Any):
        if depth < 1:
            raise ValueError(f"RotationBlock: there must be at least one repetition, got depth={depth}.")
        super().__init__(n_qubits, n_layers, (depth, n_qubits), **options)
        self.register_buffer("chain", _chain_of_cnots(n_qubits, self.theta.device), persistent=False)

    def _unitaries(self, theta: Tensor) -> Tensor:
        c, s = (theta / 2).cos(), (theta / 2).sin()
        gates = torch.stack((torch.stack((c, -s), -1), torch.stack((s, c), -1)), -2)
        total = _identity(self.n_qubits, gates)
        for turns in gates.unbind(1):
            total = _in_turn(self.n_qubits, turns, range(self.n_qubits), total)[:, self.chain]
        return total


def _identity(n_qubits: int, like: Tensor) -> Tensor:
    """The identity for each layer, ``(n_layers, 2^n, 2^n)``."""
    return torch.eye(2**n_qubits, dtype=like.dtype, device=like.device).expand(len(like), -1, -1)


def _in_turn(n_qubits: int, gates: Tensor, firsts: Sequence[int], total: Tensor | None = None) -> Tensor:
    """Gates ``(n_layers, k, g, g)`` on neighbours from ``firsts[k]`` on, one after the other, behind ``total``."""
    total = _identity(n_qubits, gates) if total is None else total
    n_layers, d, g = len(gates), 2**n_qubits, gates.shape[-1]
    for number, first in enumerate(firsts):
        rows = total.reshape(n_layers, 2**first, g, -1)  # what follows the gate's qubits, and all columns
        total = (gates[:, number, None] @ rows).reshape(n_layers, d, d)
    return total


def _chain_of_cnots(n_qubits: int, device: torch.device) -> Tensor:
    """Which row comes where when CNOT(0, 1), CNOT(1, 2), ... act: ``(C M)[i] = M[chain[i]]``."""
    index = torch.arange(2**n_qubits, device=device)
    for control in reversed(range(n_qubits - 1)):  # each is its own inverse; the last acts first on an index
        index = index ^ ((index >> (n_qubits - 1 - control) & 1) << (n_qubits - 2 - control))
    return index
