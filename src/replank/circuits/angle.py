"""Angles of gates: numbers, trainable parameters, input features, and functions of these.

``theta[i]`` is the i-th trainable parameter and ``x[j]`` the j-th input feature of a sample. They are combined with
``+ - * / **`` and with the functions of this module: ``pi * x[3]``, ``theta[2] + 0.5 * x[1]``, ``theta[0] * x[0]``,
``arccos(x[0])``. What is affine stays so: a sum of numbers times atoms plus a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, overload

import torch
from torch import Tensor

from replank.errors import UnknownName


@dataclass(frozen=True, order=True)
class Variable:
    """A trainable parameter or an input feature, by its index."""

    kind: Literal["theta", "x"]
    index: int

    def __str__(self) -> str:
        return f"{self.kind}[{self.index}]"


@dataclass(frozen=True)
class Product:
    """The product of two angles that are not numbers."""

    left: Angle
    right: Angle

    def __str__(self) -> str:
        return f"({self.left})*({self.right})"


@dataclass(frozen=True)
class Call:
    """An elementwise function of an angle."""

    function: str
    argument: Angle

    def __str__(self) -> str:
        return f"{self.function}({self.argument})"


Atom = Variable | Product | Call

_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "sqrt": torch.sqrt,
    "arcsin": torch.arcsin,
    "arccos": torch.arccos,
    "arctan": torch.arctan,
    "reciprocal": torch.reciprocal,
}


@dataclass(frozen=True)
class Angle:
    """``constant + sum_k coefficient_k * atom_k``; immutable, hashable, in radians where it turns a gate.

    Args:
        terms: atoms with their coefficients, none of which is zero, each atom once.
        constant: the number that is added.

    Raises:
        ValueError: a coefficient or the constant is NaN or infinite.
    """

    terms: tuple[tuple[Atom, float], ...] = ()
    constant: float = 0.0

    def __post_init__(self) -> None:
        for number in (self.constant, *(coefficient for _, coefficient in self.terms)):
            if not math.isfinite(number):
                raise ValueError(f"Angle: a number must be finite, got {number}.")

    @property
    def is_number(self) -> bool:
        """Whether it depends on neither parameters nor features."""
        return not self.terms

    @property
    def is_affine(self) -> bool:
        """Whether it is a number plus numbers times parameters and features."""
        return all(isinstance(atom, Variable) for atom, _ in self.terms)

    def variables(self) -> Iterator[Variable]:
        """All parameters and features that it depends on, some perhaps more than once."""
        for atom, _ in self.terms:
            match atom:
                case Variable():
                    yield atom
                case Product(left, right):
                    yield from left.variables()
                    yield from right.variables()
                case Call(_, argument):
                    yield from argument.variables()

    @property
    def per_sample(self) -> bool:
        """Whether it depends on an input feature."""
        return any(variable.kind == "x" for variable in self.variables())

    def evaluate(self, features: Tensor, parameters: Tensor) -> Tensor:
        """The angle's value, differentiable.

        Shape: ``features`` ``(*, n_features)``, ``parameters`` ``(*, n_parameters)`` with batch dimensions that
        broadcast; the result has a broadcastable batch shape, ``()`` for a number.
        """
        value = torch.full((), self.constant, dtype=features.dtype, device=features.device)
        for atom, coefficient in self.terms:
            value = value + coefficient * evaluate_atom(atom, features, parameters)
        return value

    def __add__(self, other: Angle | float) -> Angle:
        other = as_angle(other)
        total = dict(self.terms)
        for atom, coefficient in other.terms:
            total[atom] = total.get(atom, 0.0) + coefficient
        kept = tuple((atom, coefficient) for atom, coefficient in total.items() if coefficient)
        return Angle(kept, self.constant + other.constant)

    def __mul__(self, other: Angle | float) -> Angle:
        other = as_angle(other)
        if other.is_number:
            scale = other.constant
            scaled = tuple((atom, scale * coefficient) for atom, coefficient in self.terms) if scale else ()
            return Angle(scaled, scale * self.constant)
        if self.is_number:
            return other * self.constant
        return Angle(((Product(self, other), 1.0),))

    def __neg__(self) -> Angle:
        return self * -1.0

    def __sub__(self, other: Angle | float) -> Angle:
        return self + -as_angle(other)

    def __rsub__(self, other: Angle | float) -> Angle:
        return as_angle(other) + -self

    def __truediv__(self, other: Angle | float) -> Angle:
        other = as_angle(other)
        if other.is_number:
            if other.constant == 0:
                raise ZeroDivisionError(f"Angle: a division must not be by zero, got ({self}) / 0.")
            return self * (1 / other.constant)
        return self * call("reciprocal", other)

    def __rtruediv__(self, other: float) -> Angle:
        return as_angle(other) / self

    def __pow__(self, exponent: int) -> Angle:
        if not isinstance(exponent, int) or exponent < 1:
            raise ValueError(f"Angle: an exponent must be a positive integer, got exponent={exponent!r}.")
        power = self
        for _ in range(exponent - 1):
            power = power * self
        return power

    __radd__ = __add__
    __rmul__ = __mul__

    def __str__(self) -> str:
        words = [_term_text(atom, coefficient) for atom, coefficient in self.terms]
        if self.constant or not words:
            words.append(f"{self.constant:.6g}")
        return " + ".join(words).replace("+ -", "- ")


def _term_text(atom: Atom, coefficient: float) -> str:
    if coefficient == 1:
        return str(atom)
    return f"-{atom}" if coefficient == -1 else f"{coefficient:.6g}*{atom}"


AngleLike = Angle | float
"""What a gate takes as an angle."""


@dataclass(frozen=True)
class Variables:
    """The sequence of all parameters or of all features: ``theta[2]``, ``x[0]``, ``theta[3:6]``."""

    kind: Literal["theta", "x"]

    @overload
    def __getitem__(self, index: int) -> Angle: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Angle, ...]: ...

    def __getitem__(self, index: int | slice) -> Angle | tuple[Angle, ...]:
        if isinstance(index, slice):
            if index.stop is None:
                raise ValueError(f"{self.kind}[...]: a slice must say where it stops, got {index}.")
            return tuple(self[each] for each in range(index.start or 0, index.stop, index.step or 1))
        if isinstance(index, bool) or not isinstance(index, int):
            raise TypeError(f"{self.kind}[...]: an index must be an integer, got index={index!r}.")
        if index < 0:
            raise ValueError(f"{self.kind}[...]: an index must be at least 0, got index={index}.")
        return Angle(((Variable(self.kind, index), 1.0),))

    def __iter__(self) -> Iterator[Angle]:
        raise TypeError(f"{self.kind} has no end: take single ones, {self.kind}[0], {self.kind}[1], ...")


theta = Variables("theta")
"""Trainable parameters."""

x = Variables("x")
"""Input features of a sample."""


def as_angle(value: AngleLike) -> Angle:
    """An angle from a number, or the angle itself.

    Raises:
        TypeError: it is neither.
        ValueError: the number is NaN or infinite.
    """
    if isinstance(value, Angle):
        return value
    if getattr(value, "requires_grad", False):
        raise TypeError("Angle: a trainable angle is written theta[i] and its value given at run time, got a tensor.")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"Angle: an angle must be a number, theta[i], x[j] or made of these, got {value!r}.") from None
    return Angle(constant=number)


def call(function: str, argument: AngleLike) -> Angle:
    """An elementwise function, by name, of an angle; a number if the angle is one.

    Raises:
        UnknownName: there is no such function.
        ValueError: the function is not defined, or not finite, at the number.
    """
    if function not in _FUNCTIONS:
        raise UnknownName("function", function, _FUNCTIONS)
    argument = as_angle(argument)
    if argument.is_number:
        value = float(_FUNCTIONS[function](torch.tensor(argument.constant, dtype=torch.float64)))
        if not math.isfinite(value):
            raise ValueError(f"{function}: a value must be finite, got the argument {argument.constant}.")
        return Angle(constant=value)
    return Angle(((Call(function, argument), 1.0),))


def sin(angle: AngleLike) -> Angle:
    """The sine."""
    return call("sin", angle)


def cos(angle: AngleLike) -> Angle:
    """The cosine."""
    return call("cos", angle)


def tanh(angle: AngleLike) -> Angle:
    """The hyperbolic tangent."""
    return call("tanh", angle)


def exp(angle: AngleLike) -> Angle:
    """The exponential."""
    return call("exp", angle)


def sqrt(angle: AngleLike) -> Angle:
    """The square root, of what is not negative."""
    return call("sqrt", angle)


def arcsin(angle: AngleLike) -> Angle:
    """The inverse sine, of what is in [-1, 1]."""
    return call("arcsin", angle)


def arccos(angle: AngleLike) -> Angle:
    """The inverse cosine, of what is in [-1, 1]."""
    return call("arccos", angle)


def arctan(angle: AngleLike) -> Angle:
    """The inverse tangent."""
    return call("arctan", angle)


def evaluate_atom(atom: Atom, features: Tensor, parameters: Tensor) -> Tensor:
    """The value of an atom, with the shapes of :meth:`Angle.evaluate`."""
    match atom:
        case Variable("theta", index):
            return parameters[..., index]
        case Variable(_, index):
            return features[..., index]
        case Product(left, right):
            return left.evaluate(features, parameters) * right.evaluate(features, parameters)
        case Call(function, argument):
            return _FUNCTIONS[function](argument.evaluate(features, parameters))


def substitute(angle: Angle, values: Mapping[Variable, Angle]) -> Angle:
    """The angle with variables replaced; those that are not in ``values`` stay."""
    result = Angle(constant=angle.constant)
    for atom, coefficient in angle.terms:
        match atom:
            case Variable():
                new = values.get(atom, Angle(((atom, 1.0),)))
            case Product(left, right):
                new = substitute(left, values) * substitute(right, values)
            case Call(function, argument):
                new = call(function, substitute(argument, values))
        result = result + new * coefficient
    return result
