"""Angles of trainable unitaries, real or complex."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self, get_args

import torch
from torch import Tensor, nn

Parametrisation = Literal["real", "complex"]
"""``"real"`` angles give unitary matrices; ``"complex"`` ones, as in the published torch code, do so only by chance."""


def angle_parameter(
    *shape: int, parametrisation: Parametrisation, owner: str, device: Any = None, dtype: torch.dtype | None = None
) -> nn.Parameter:
    """An uninitialised parameter for angles; ``dtype`` is that of its real part.

    Raises:
        ValueError: the parametrisation is neither ``"real"`` nor ``"complex"``.
    """
    if parametrisation not in get_args(Parametrisation):
        raise ValueError(f'{owner}: `parametrisation` must be "real" or "complex", got {parametrisation!r}.')
    dtype = torch.get_default_dtype() if dtype is None else dtype
    return nn.Parameter(
        torch.empty(shape, device=device, dtype=dtype if parametrisation == "real" else dtype.to_complex())
    )


def draw_normal(parameter: nn.Parameter, std: float) -> None:
    """Draw a parameter's *real* part from N(0, std^2); an imaginary part starts at zero, as in the published code."""
    with torch.no_grad():
        parameter.copy_(torch.randn(parameter.shape, dtype=parameter.dtype.to_real(), device=parameter.device) * std)


class KeepsComplex(nn.Module):
    """Lets conversions of dtype keep complex parameters complex.

    torch's ``module.double()`` leaves them in single precision, and ``module.to(torch.float64)`` drops their imaginary
    parts.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        def convert(tensor: Tensor) -> Tensor:
            return torch.view_as_complex(fn(torch.view_as_real(tensor))) if tensor.is_complex() else fn(tensor)

        return super()._apply(convert, recurse)  # type: ignore[no-untyped-call]
