"""Angles in somebody else's numbers, another library's tensors or symbols, and powers as these know them."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

from replank.circuits.angle import Angle, Atom, Call, Product, Variable, call


def angle_value(angle: Angle, variable: Callable[[Variable], Any], function: Callable[[str, Any], Any]) -> Any:
    """What an angle is.

    Args:
        angle: of parameters and features.
        variable: what a parameter or feature is.
        function: what an elementwise function, by its name in :mod:`replank.circuits.angle`, makes of a value.
    """
    values = [_scaled(_atom_value(atom, variable, function), factor) for atom, factor in angle.terms]
    if angle.constant or not values:
        values.append(angle.constant)
    return functools.reduce(operator.add, values)


def _scaled(value: Any, factor: float) -> Any:
    return value if factor == 1 else factor * value


def _atom_value(atom: Atom, variable: Callable[[Variable], Any], function: Callable[[str, Any], Any]) -> Any:
    match atom:
        case Variable():
            return variable(atom)
        case Product(left, right):
            return angle_value(left, variable, function) * angle_value(right, variable, function)
        case Call(name, argument):
            return function(name, angle_value(argument, variable, function))


_LARGEST_POWER = 64  # what is nested more deeply can't be evaluated


def angle_power(base: Angle, exponent: float) -> Angle:
    """A power of an angle that is no number: the root, a product, or the reciprocal of one of these.

    Raises:
        ValueError: the exponent is neither 1/2 nor an integer from 1 to 64, nor minus these.
    """
    if exponent < 0:
        return call("reciprocal", angle_power(base, -exponent))
    if exponent == 0.5:
        return call("sqrt", base)
    if exponent not in range(1, _LARGEST_POWER + 1):
        raise ValueError(f"the exponent {exponent} of a parameter is not supported")
    return base ** int(exponent)
