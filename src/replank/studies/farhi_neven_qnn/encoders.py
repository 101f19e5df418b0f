"""How samples become states of the data qubits: as basis states, or by all their amplitudes."""

from __future__ import annotations

from torch import Tensor

from replank.circuits import Circuit, PauliSum
from replank.circuits.given_states import StateEncoder
from replank.circuits.templates import basis_embedding


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


Encoder = BasisStateEncoder | StateEncoder
