"""What parts of all groups demand of their input's dtype."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def check_dtype(module: nn.Module, input: Tensor) -> None:
    """Refuse input that is not floating point, or of another precision than the parameters outside autocast.

    Raises:
        TypeError: as said.
    """
    name = type(module).__name__
    if not input.is_floating_point():
        raise TypeError(
            f"{name}: input must be real floating point, got dtype={input.dtype}. Convert it with .float()."
        )
    own = next(module.parameters()).dtype.to_real()
    if input.dtype != own and not torch.is_autocast_enabled(input.device.type):
        raise TypeError(
            f"{name}: input must have the parameters' dtype {own}, got dtype={input.dtype}. Convert one with .to()."
        )
