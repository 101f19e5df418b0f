"""Matrices of one qubit."""

from __future__ import annotations

import torch

DTYPE = torch.complex128
X = torch.tensor([[0, 1], [1, 0]], dtype=DTYPE)
Y = torch.tensor([[0, -1j], [1j, 0]], dtype=DTYPE)
Z = torch.tensor([[1, 0], [0, -1]], dtype=DTYPE)
LOWER = (X - 1j * Y) / 2
"""Maps |0> to |1>: decay ends at <Z> = -1."""
AXES = {"x": X, "y": Y, "z": Z}
