"""What parts of all groups demand of their input's dtype."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def check_dtype(module: nn.Module, input: Tensor, what: str = "input") -> None:
    """Refuse input that is not floating point, or of another precision than the parameters outside autocast.

    Args:
        module: which has the parameters.
        input: the tensor.
        what: its name in messages.

    Raises:
        TypeError: as said.
    """
    name = type(module).__name__
    if not input.is_floating_point():
        raise TypeError(
            f"{name}: {what} must be real floating point, got dtype={input.dtype}. Convert it with .float()."
        )
    own = next(module.parameters()).dtype.to_real()
    if input.dtype != own and not torch.is_autocast_enabled(input.device.type):
        raise TypeError(
            f"{name}: {what} must have the parameters' dtype {own}, got dtype={input.dtype}. Convert one with .to()."
        )
