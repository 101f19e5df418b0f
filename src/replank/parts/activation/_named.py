"""Activations by the names that options, tables and command lines have for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from replank.errors import UnknownName
from replank.parts.activation.cosine import Cosine
from replank.parts.activation.gaussian import Gaussian
from replank.parts.activation.sign_step import SignStep
from replank.parts.activation.sine import Sine

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "gaussian": Gaussian,
    "cos": Cosine,
    "sin": Sine,
    "sign": SignStep,
}
"""None of them has parameters."""


def find_activation(name: str) -> nn.Module:
    """The activation of that name, new.

    Raises:
        UnknownName: there is none; the message names the nearest.
    """
    if name not in ACTIVATIONS:
        raise UnknownName("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]()
