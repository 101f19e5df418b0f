"""The value of an expression in an OpenQASM program: an integer, a number, or an angle.

Needs openqasm3, as :mod:`replank.circuits.exchange.qasm_reader` does.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from openqasm3 import ast

from replank.circuits.angle import Angle, as_angle, call
from replank.circuits.exchange.angle_values import angle_power

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

    match expression:
        case ast.IntegerLiteral() | ast.FloatLiteral():
            return expression.value
        case ast.Identifier(name=name):
            return _named(name, scope)
        case ast.UnaryExpression(op=sign, expression=operand) if sign.name == "-":
            return -value(operand)
        case ast.BinaryExpression(op=symbol, lhs=lhs, rhs=rhs):
            return _combined(symbol.name, value(lhs), value(rhs), whole_numbers)
        case ast.FunctionCall(name=function, arguments=arguments):
            return _call(function.name, [value(argument) for argument in arguments])
        case ast.IndexExpression(collection=ast.Identifier(name=name), index=[ast.Expression() as index]):
            return _named(f"{name}[{value(index)}]", scope)  # each element of an input array has such a name
    raise ValueError(f"an angle can't be made of {type(expression).__name__}")


def integer(expression: ast.Expression, scope: Scope) -> int:
    """The value of an expression that must be an integer."""
    value = evaluate(expression, scope, whole_numbers=True)
    if not isinstance(value, int):
        raise ValueError(f"there must be an integer, got {value}")
    return value


def _named(name: str, scope: Scope) -> Value:
    if name not in scope:
        raise ValueError(f"{name!r} is no number, constant, input or parameter of a gate")
    return scope[name]


def _combined(symbol: str, left: Value, right: Value, whole_numbers: bool) -> Value:
    if symbol in _OPERATORS:
        return _OPERATORS[symbol](left, right)
    if symbol == "/":
        return _quotient(left, right, whole_numbers)
    if symbol == "**":
        return _power(left, right)
    raise ValueError(f"the operator {symbol!r} is not supported")


def _quotient(left: Value, right: Value, whole_numbers: bool) -> Value:
    if whole_numbers and isinstance(left, int) and isinstance(right, int) and left % right:
        raise ValueError(f"{left}/{right} is an integer in OpenQASM 3 and loses its remainder; write {left}.0/{right}")
    return left // right if whole_numbers and isinstance(left, int) and isinstance(right, int) else left / right


def _power(base: Value, exponent: Value) -> Value:
    base, exponent = _number_if_it_is_one(base), _number_if_it_is_one(exponent)
    if isinstance(exponent, Angle):
        raise ValueError(f"an exponent must be a number, got {exponent}")
    if isinstance(base, Angle):
        return angle_power(base, exponent)
    power = float(base) ** exponent
    if isinstance(power, complex):
        raise ValueError(f"{base}**{exponent} is not real")
    whole = isinstance(base, int) and isinstance(exponent, int) and power.is_integer()
    return int(power) if whole else power


def _number_if_it_is_one(value: Value) -> Value:
    return value.constant if isinstance(value, Angle) and value.is_number else value


def _call(name: str, arguments: list[Value]) -> Value:
    if len(arguments) != 1:
        raise ValueError(f"the function {name!r} with {len(arguments)} arguments is not supported")
    argument = as_angle(arguments[0])
    if name in _FUNCTIONS:
        return call(_FUNCTIONS[name], argument)
    if name == "tan":
        return call("sin", argument) / call("cos", argument)
    if name in ("ln", "log") and argument.is_number and argument.constant > 0:
        return math.log(argument.constant)
    raise ValueError(f"the function {name!r} of {argument} is not supported")
