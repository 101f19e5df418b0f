"""States of dynamical systems, as arrays or as tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

States = NDArray[np.float64]
Any_ = TypeVar("Any_", States, Tensor)

Flow = Callable[[States], States]
"""How fast states ``(*, d)`` change, whatever the time is."""


def stacked(*components: Any_) -> Any_:
    """States from their components, ``(*, d)``."""
    first = components[0]
    return torch.stack(components, -1) if isinstance(first, Tensor) else np.stack(components, -1)
