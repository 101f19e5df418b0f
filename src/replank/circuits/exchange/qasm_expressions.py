"""The value of an expression in an OpenQASM program: an integer, a number, or an angle."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from replank.circuits.angle import Angle, as_angle, call

if TYPE_CHECKING:
    from openqasm3 import ast

Value = int | float | Angle
Scope = Mapping[str, Value]

CONSTANTS: Scope = {
    "pi": math.pi, "π": math.pi, "tau": math.tau, "τ": math.tau, "euler": math.e, "ℇ": math.e,
}  # fmt: skip
_FUNCTIONS = {
    name: name for name in ("sin", "cos", "exp", "sqrt", "arcsin", "arccos", "arctan")
} | {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}  # fmt: skip
_OPERATORS: dict[str, Callable[[Value, Value], Value]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def evaluate(expression: ast.Expression, scope: Scope, *, whole_numbers: bool) -> Value:
    """The value of an expression.

    Args:
        expression: as parsed.
        scope: what names stand for.
        whole_numbers: whether integers are divided to integers, as in version 3.

    Raises:
        ValueError: a name is unknown, or something can't be evaluated.
    """

    def value(part: ast.Expression) -> Value:
        return evaluate(part, scope, whole_numbers=whole_numbers)

    match type(expression).__name__, expression:
        case "IntegerLiteral" | "FloatLiteral", literal:
            return literal.value
        case "Identifier", name:
            if name.name not in scope:
                raise ValueError(f"{name.name!r} is no number, constant, input or parameter of a gate")
            return scope[name.name]
        case "UnaryExpression", unary if unary.op.name == "-":
            return -value(unary.expression)
        case "BinaryExpression", binary if binary.op.name in _OPERATORS:
            return _OPERATORS[binary.op.name](value(binary.lhs), value(binary.rhs))
        case "BinaryExpression", binary if binary.op.name == "/":
            return _quotient(value(binary.lhs), value(binary.rhs), whole_numbers)
        case "BinaryExpression", binary if binary.op.name == "**":
            return _power(value(binary.lhs), value(binary.rhs))
        case "FunctionCall", function:
            return _call(function.name.name, [value(argument) for argument in function.arguments])
        case "IndexExpression", indexed if type(indexed.collection).__name__ == "Identifier":
            return _element(indexed, scope, value)
    raise ValueError(f"an angle can't be made of {type(expression).__name__}")


def integer(expression: ast.Expression, scope: Scope) -> int:
    """The value of an expression that must be an integer."""
    value = evaluate(expression, scope, whole_numbers=True)
    if not isinstance(value, int):
        raise ValueError(f"there must be an integer, got {value}")
    return value


def _element(indexed: ast.IndexExpression, scope: Scope, value: Callable[[ast.Expression], Value]) -> Value:
    """An element of an input array, which is in the scope under the name ``array[index]``."""
    if isinstance(indexed.index, list) and len(indexed.index) == 1:
        name = f"{indexed.collection.name}[{value(indexed.index[0])}]"
        if name in scope:
            return scope[name]
        raise ValueError(f"{name} is no element of an input")
    raise ValueError("an angle can't be made of several elements of an array")


def _quotient(left: Value, right: Value, whole_numbers: bool) -> Value:
    if whole_numbers and isinstance(left, int) and isinstance(right, int) and left % right:
        raise ValueError(f"{left}/{right} is an integer in OpenQASM 3 and loses its remainder; write {left}.0/{right}")
    return left // right if whole_numbers and isinstance(left, int) and isinstance(right, int) else left / right


def _power(base: Value, exponent: Value) -> Value:
    if isinstance(exponent, Angle):
        raise ValueError(f"an exponent must be a number, got {exponent}")
    if isinstance(base, Angle):
        if exponent != int(exponent):
            raise ValueError(f"an exponent of a parameter must be an integer, got {exponent}")
        return base ** int(exponent)
    power = float(base) ** exponent
    if isinstance(power, complex):
        raise ValueError(f"{base}**{exponent} is not real")
    whole = isinstance(base, int) and isinstance(exponent, int) and power.is_integer()
    return int(power) if whole else power


def _call(name: str, arguments: list[Value]) -> Value:
    if name == "pow" and len(arguments) == 2:
        return _power(*arguments)
    if len(arguments) != 1:
        raise ValueError(f"the function {name!r} with {len(arguments)} arguments is not supported")
    argument = as_angle(arguments[0])
    if name in _FUNCTIONS:
        return call(_FUNCTIONS[name], argument)
    if name == "tan":
        return call("sin", argument) / call("cos", argument)
    if name in ("ln", "log") and argument.is_number:
        return math.log(argument.constant)
    raise ValueError(f"the function {name!r} of {argument} is not supported")
