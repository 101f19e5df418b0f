"""A circuit whose trained angles are shifted by the features, read out as log-probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.circuits import Circuit, PauliSum, QuantumLayer, Z, x
from replank.circuits import reference as dense
from replank.circuits.templates import interleaved_blocks, interleaved_shape
from replank.parts._quantum import MOST_QUBITS
from replank.parts.linear._interface import LinearPart
from replank.parts.papers import REN2022
from replank.sources import Source

_USUAL_QUBITS = 10
_PER_QUBIT = 3  # angles of a qubit in a block


class InterleavedQuantumLinear(LinearPart):
    r"""Log-probabilities of a circuit in which each feature shifts a trained angle: ``log p_k(theta + c x) + b_k``.

    Replaces :class:`torch.nn.Linear`, though it is *not* a linear function of the input. A block is RX, RZ, RX on each
    qubit and CNOTs on a chain; features are added to the angles in their order, and angles beyond the last feature are
    trained all the same. So the gradient to a feature is ``c`` times that to its angle, outputs have the period
    ``2 pi / c`` in each feature, and no probability changes by more than ``c/2`` per unit of a feature. Outputs belong
    to the first outcomes of as few qubits as have so many.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input. Half precision is computed in
    single.

    Args:
        in_features: size of each input, at most ``3 n_qubits n_blocks``.
        out_features: size of each output, at most ``2^n_qubits``. Probabilities sum to one if it is a power of two.
        bias: whether to add a learned bias.
        n_qubits: number of qubits; 10 if not given, or as few as one block needs.
        n_blocks: number of blocks; as few as hold the features if not given.
        scale: the factor ``c``.
        readout: the first of the qubits that are measured; those in the middle if not given.
        init_scale: standard deviation of the initial angles, which are uniform in [0, 2 pi) if not given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: more features than angles, more outputs than outcomes, qubits that do not exist, a factor that is 0
            or not finite; in ``forward``, another number of features, a NaN or infinite one.

    Source: [ren2022adversarial], interleaved block encoding, as the second author's code has it. Other sizes than 10
    qubits, 9 blocks and two outcomes, and the bias, are ours.
    """

    source = Source(REN2022, where="interleaved block encoding of the second author's code", provenance="official code")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        n_qubits: int | None = None,
        n_blocks: int | None = None,
        scale: float = 2.0,
        readout: int | None = None,
        init_scale: float | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_features, out_features, bias, device, dtype)
        self.n_read = n_read = max(1, (out_features - 1).bit_length())
        self.n_qubits = max(n_read, min(_USUAL_QUBITS, -(-in_features // _PER_QUBIT))) if n_qubits is None else n_qubits
        self.n_blocks = -(-in_features // (_PER_QUBIT * max(1, self.n_qubits))) if n_blocks is None else n_blocks
        self.scale = float(scale)
        self.readout = (self.n_qubits - n_read) // 2 if readout is None else readout
        self._check_sizes(n_read)
        wires = range(self.readout, self.readout + n_read)
        self.layer = QuantumLayer(
            self.circuit(),
            [_outcome(wires, outcome) for outcome in range(out_features)],
            init_scale=init_scale,
            device=device,
            dtype=dtype,
        )
        self.reset_parameters()

    def _check_sizes(self, n_read: int) -> None:
        capacity = math.prod(interleaved_shape(self.n_qubits, self.n_blocks))
        if self.in_features > capacity:
            raise ValueError(
                f"InterleavedQuantumLinear: {self.n_qubits} qubits and {self.n_blocks} blocks have {capacity} angles, "
                f"got in_features={self.in_features}. Take more blocks or qubits."
            )
        if not 0 <= self.readout <= self.n_qubits - n_read or self.n_qubits > MOST_QUBITS:
            raise ValueError(
                f"InterleavedQuantumLinear: {self.out_features} outcomes are read from {n_read} of at most "
                f"{MOST_QUBITS} qubits, got n_qubits={self.n_qubits} and readout={self.readout}."
            )
        if not math.isfinite(self.scale) or not self.scale:
            raise ValueError(
                f"InterleavedQuantumLinear: `scale` must be a finite number other than 0, got {self.scale}."
            )

    def circuit(self) -> Circuit:
        """The circuit; features are ``x[0]``, ``x[1]``, ..., weights ``theta[0]``, ``theta[1]``, ..."""
        return interleaved_blocks(self.n_qubits, self.n_blocks, features=x[: self.in_features], scale=self.scale)

    def reset_parameters(self) -> None:
        """Draw the angles, and the bias as nn.Linear does."""
        self.layer.reset_parameters()
        if self.bias is not None:
            bound = self.in_features**-0.5
            torch.nn.init.uniform_(self.bias, -bound, bound)

    def probabilities(self, input: Tensor) -> Tensor:
        """The probabilities of the outcomes: ``(*, in_features) -> (*, out_features)``."""
        self._check_input(input)
        values: Tensor = self.layer(input)
        return values

    def forward(self, input: Tensor) -> Tensor:
        """Logarithms of the probabilities, plus bias."""
        return self._read_out(self.probabilities(input))

    def reference(self, input: Tensor) -> Tensor:
        """The same by dense matrices, gate by gate."""
        states = dense.state(self.circuit(), input.reshape(-1, self.in_features), self.layer.theta)
        n_after = self.n_qubits - self.readout - self.n_read
        table = torch.view_as_real(states).square().sum(-1).reshape(-1, 2**self.readout, 2**self.n_read, 2**n_after)
        return self._read_out(table.sum((1, 3))[:, : self.out_features].reshape(*input.shape[:-1], -1))

    def _read_out(self, probabilities: Tensor) -> Tensor:
        # rounding can make a probability of 0 negative; its logarithm would be infinite
        logs = probabilities.clamp_min(torch.finfo(probabilities.dtype).tiny).log()
        return logs if self.bias is None else logs + self.bias

    def parameter_formula(self) -> int:
        """``3 n_qubits n_blocks`` angles, and ``out`` for the bias."""
        return math.prod(interleaved_shape(self.n_qubits, self.n_blocks)) + self.out_features * (self.bias is not None)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """All angles shifted and some, one outcome of two, several qubits read, a single qubit."""
        return (
            {"in_features": 9, "out_features": 2, "n_qubits": 3, "scale": 0.7},
            {"in_features": 5, "out_features": 2, "bias": False, "n_qubits": 2, "n_blocks": 2, "readout": 1},
            {"in_features": 7, "out_features": 3, "n_qubits": 3, "n_blocks": 2, "init_scale": 0.5},
            {"in_features": 2, "out_features": 1},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return (
            f"{super().extra_repr()}, n_qubits={self.n_qubits}, n_blocks={self.n_blocks}, scale={self.scale}, "
            f"readout={self.readout}, init_scale={self.layer.init_scale}"
        )


def _outcome(wires: range, outcome: int) -> PauliSum:
    """The projector on an outcome of some qubits, the first of which is its most significant bit, as a Pauli sum."""
    identity = PauliSum((((), 1.0),))
    projector = identity
    for place, wire in enumerate(reversed(wires)):
        sign = -1.0 if outcome >> place & 1 else 1.0
        projector = projector @ (0.5 * identity + 0.5 * sign * Z(wire))
    return projector
