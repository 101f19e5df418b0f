"""The contract of the group *activation*: a function of one number, applied to each element of a tensor."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from itertools import chain
from math import inf
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from replank.parts._input import check_dtype
from replank.parts.part import Part

__all__ = ["ActivationPart"]

REPLACED: tuple[type[nn.Module], ...] = (
    nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ReLU6, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus,
    nn.Tanh, nn.Hardtanh, nn.Tanhshrink, nn.Sigmoid, nn.Hardsigmoid, nn.LogSigmoid, nn.Hardswish, nn.Softsign,
    nn.Softshrink, nn.Hardshrink, nn.Threshold,
)  # fmt: skip
"""torch's elementwise functions without randomness."""


class ActivationPart(Part):
    """A part that can stand where an activation of torch stands.

    It is elementwise: an element of the output depends on that element of the input alone, by one function of one
    number. Shape: ``(*) -> (*)``, same dtype and device. A part without parameters takes any precision.

    The constructor ends with ``device=None, dtype=None``, also without parameters, so that all parts are built alike.
    What a class says of its function holds for the initial values of its parameters.
    """

    bounds: ClassVar[tuple[float, float]] = (-inf, inf)
    """No value is below the first or above the second."""
    is_monotone: ClassVar[bool] = False
    """Whether the function never falls."""
    is_zero_at_zero: ClassVar[bool] = False
    """Whether 0 goes to 0."""

    def __init__(self, *, device: Any = None, dtype: torch.dtype | None = None):
        super().__init__()
        # where the part is and of which precision, also if it has no parameters: follows `.to()`
        self.register_buffer("_place", torch.empty(0, device=device, dtype=dtype), persistent=False)

    @abc.abstractmethod
    def derivative(self, input: Tensor) -> Tensor:
        """The derivative of each element of the output to its own element of the input, in closed form."""

    @classmethod
    def like(cls, old: nn.Module, **options: Any) -> Self:
        """A part on the device and in the dtype of the activation that it replaces, as far as that has one.

        Raises:
            TypeError: ``old`` is no elementwise activation.
        """
        return cls(**interface(old, cls.__name__), **options)

    def reset_parameters(self) -> None:
        """Nothing to draw, unless a part has parameters."""

    def parameter_formula(self) -> int:
        """None, unless a part has some."""
        return 0

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """The only one, unless a part has options."""
        return ({},)

    def _check_input(self, input: Tensor) -> None:
        """Refuse what is not real floating point, or of another precision than the parameters.

        Raises:
            TypeError: as said.
        """
        if next(self.parameters(), None) is not None:
            check_dtype(self, input)
        elif not input.is_floating_point():
            raise TypeError(
                f"{type(self).__name__}: input must be real floating point, got dtype={input.dtype}. Convert it with "
                ".float()."
            )


def interface(old: nn.Module, asker: str) -> dict[str, Any]:
    """The constructor arguments that an activation has in common with its replacement."""
    if not isinstance(old, (*REPLACED, ActivationPart)):
        raise TypeError(f"{asker}.like: needs an elementwise activation, got {type(old).__name__}.")
    some = next(chain(old.parameters(), old.buffers()), None)
    return {} if some is None else {"device": some.device, "dtype": some.dtype}


def check_positive(part: nn.Module, name: str, value: float) -> None:
    """Refuse an option that must be positive and finite."""
    if not 0 < value < inf:
        raise ValueError(f"{type(part).__name__}: `{name}` must be positive and finite, got {name}={value}.")
