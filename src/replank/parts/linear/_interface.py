"""The contract of the group *linear*: what is replaced, and which classical layer a part is compared with."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn

from replank.parts._input import check_dtype
from replank.parts.part import Part

__all__ = ["LinearPart"]


class LinearPart(Part):
    """A part that can stand where a :class:`torch.nn.Linear` stands.

    Its constructor begins like that layer's, ``(in_features, out_features, bias=True, *, ...)``, and ends with
    ``device=None, dtype=None``. Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device.
    """

    in_features: int
    out_features: int
    bias: nn.Parameter | None

    @classmethod
    def like(cls, old: nn.Module, **options: Any) -> Self:
        """A part with the features, bias or none, device and dtype of a linear layer or of another linear part.

        Raises:
            TypeError: ``old`` is neither.
        """
        return cls(**interface(old, cls.__name__), **options)

    def _set_interface(self, in_features: int, out_features: int, bias: bool, device: Any, dtype: Any) -> None:
        """Store and check what the part has in common with the layer it replaces; the bias is not drawn yet."""
        for name, value in (("in_features", in_features), ("out_features", out_features)):
            if value < 1:
                raise ValueError(f"{type(self).__name__}: `{name}` must be a positive integer, got {name}={value}.")
        self.in_features, self.out_features = in_features, out_features
        self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype)) if bias else None

    def _check_input(self, input: Tensor) -> None:
        """Refuse what a linear layer would refuse, in words.

        Raises:
            ValueError: another number of features.
            TypeError: not a floating-point tensor of the parameters' dtype.
        """
        if input.ndim == 0 or input.shape[-1] != self.in_features:
            raise ValueError(
                f"{type(self).__name__}: the last dimension must be in_features={self.in_features}, got "
                f"{input.shape[-1] if input.ndim else 'no'} features (input of shape {tuple(input.shape)})."
            )
        check_dtype(self, input)

    def extra_repr(self) -> str:
        """The constructor's common arguments."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def interface(old: nn.Module, asker: str) -> dict[str, Any]:
    """The constructor arguments that a linear layer or part has in common with its replacement."""
    if not isinstance(old, nn.Linear | LinearPart):
        raise TypeError(f"{asker}.like: needs an nn.Linear or a LinearPart, got {type(old).__name__}.")
    some = next(old.parameters())
    return {
        "in_features": old.in_features,
        "out_features": old.out_features,
        "bias": old.bias is not None,
        "device": some.device,
        "dtype": some.dtype.to_real(),
    }
