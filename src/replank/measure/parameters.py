"""How many numbers a model learns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class ParameterCounts:
    """Sizes of a model's parameters; buffers are not parameters.

    Args:
        trainable: numbers that take a gradient, a complex one counted once.
        trainable_real: the same in real degrees of freedom: a complex number counts two.
        total: trainable and frozen numbers, a complex one counted once.
    """

    trainable: int
    trainable_real: int
    total: int


def count_parameters(module: nn.Module) -> ParameterCounts:
    """Count a module's parameters; one that is shared between places is counted once.

    Raises:
        ValueError: the module is lazy and has not seen an input yet.
    """
    parameters = list(module.parameters())  # torch lists a shared parameter once
    if any(nn.parameter.is_lazy(parameter) for parameter in parameters):
        raise ValueError(
            f"count_parameters: the sizes of all parameters must be known, got module={type(module).__name__} with "
            f"lazy ones. Run it once on an example input."
        )
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    return ParameterCounts(
        trainable=sum(parameter.numel() for parameter in trainable),
        trainable_real=sum(parameter.numel() * (2 if parameter.is_complex() else 1) for parameter in trainable),
        total=sum(parameter.numel() for parameter in parameters),
    )
