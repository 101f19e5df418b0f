"""Angles evaluated in somebody else's numbers: another library's tensors, or its symbols."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

from replank.circuits.angle import Angle, Atom, Call, Product, Variable


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
