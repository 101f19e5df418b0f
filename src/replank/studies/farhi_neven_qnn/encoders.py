"""How samples become states of the data qubits: as basis states, or by all their amplitudes."""

from __future__ import annotations

import torch
from torch import Tensor

from replank.circuits import Circuit, PauliSum, Y
from replank.circuits.templates import amplitude_embedding, basis_embedding

_TOLERANCE = 1e-5


def check_bits(bits: Tensor, n_data: int) -> None:
    """Refuse what is not ``(B, n_data)`` zeros and ones.

    Raises:
        ValueError: as said.
    """
    if bits.ndim != 2 or bits.shape[1] != n_data:
        raise ValueError(f"BasisStateEncoder: bits must have shape (B, {n_data}), got {tuple(bits.shape)}.")
    wrong = bits[(bits != 0) & (bits != 1)]
    if len(wrong):
        raise ValueError(
            f"BasisStateEncoder: bits must be 0 or 1, got {len(wrong)} other values, the first {float(wrong[0]):.4g}. "
            "Threshold the data first."
        )


class BasisStateEncoder:
    """Bits ``(B, n_data)`` as basis states.

    Args:
        n_data: number of data qubits.
    """

    n_auxiliary = 0

    def __init__(self, n_data: int):
        self.n_data = n_data

    def circuit(self, n_qubits: int) -> Circuit:
        """The preparation, on the first qubits of ``n_qubits``."""
        return basis_embedding(self.n_data).on(range(self.n_data), n_qubits)

    def features(self, bits: Tensor) -> Tensor:
        """What the preparation takes.

        Raises:
            ValueError: input that is no bits.
        """
        check_bits(bits, self.n_data)
        return bits

    def observable(self, wanted: PauliSum) -> PauliSum:
        """What has to be measured in the place of ``wanted``."""
        return wanted


class StateEncoder:
    """Complex or real state vectors ``(B, 2^n_data)`` of norm 1.

    The engine takes real amplitudes per sample. So real and imaginary parts go in side by side, told apart by an
    auxiliary qubit: ``|0> Re + |1> Im``. With ``<a| = <0| + i <1|`` on it the state is ``<a|...>``, and
    ``|a><a| = 1 - Y``: measuring ``O - O Y`` there gives the expectation value of O in the complex state.

    Args:
        n_data: number of data qubits.
    """

    n_auxiliary = 1

    def __init__(self, n_data: int):
        self.n_data = n_data

    def circuit(self, n_qubits: int) -> Circuit:
        """The preparation, on the first qubits of ``n_qubits`` and on the last."""
        return amplitude_embedding(self.n_data + 1).on((n_qubits - 1, *range(self.n_data)), n_qubits)

    def features(self, states: Tensor) -> Tensor:
        """What the preparation takes.

        Raises:
            ValueError: states of another size, or not of norm 1.
        """
        size = 2**self.n_data
        if states.ndim != 2 or states.shape[1] != size:
            raise ValueError(f"StateEncoder: states must have shape (B, {size}), got {tuple(states.shape)}.")
        norms = torch.linalg.vector_norm(states.detach(), dim=1)
        if not torch.allclose(norms, torch.ones_like(norms), rtol=0, atol=_TOLERANCE):
            raise ValueError(
                f"StateEncoder: states must have norm 1, got norms from {float(norms.min()):.6g} to "
                f"{float(norms.max()):.6g}. Divide by them."
            )
        parts = (states.real, states.imag) if states.is_complex() else (states, torch.zeros_like(states))
        return torch.cat(parts, 1)

    def observable(self, wanted: PauliSum) -> PauliSum:
        """What has to be measured in the place of ``wanted``, the auxiliary qubit coming after its qubits."""
        return wanted - wanted @ Y(max(wanted.wires) + 1)


Encoder = BasisStateEncoder | StateEncoder
