"""States that tests of this room share."""

from __future__ import annotations

import torch

from replank.open_systems.pauli import DTYPE
from replank.seeding import torch_stream


def random_state(n_qubits: int, seed: int) -> torch.Tensor:
    """A density matrix of full rank."""
    root = torch.randn(2**n_qubits, 2**n_qubits, dtype=DTYPE, generator=torch_stream(seed, "state"))
    rho = root @ root.mH
    return rho / rho.trace()
