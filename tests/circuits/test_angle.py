"""Angles: algebra that agrees with that of numbers, and words for what it can't express."""

from __future__ import annotations

import math
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import angle as functions
from replank.circuits import theta, x
from replank.circuits.angle import Angle, Variable, arccos, as_angle, call, exp, sin, sqrt, substitute
from tests.circuits.strategies import F64, N_FEATURES, N_PARAMETERS, angles

FEATURES = torch.tensor([[0.3, -1.1, 0.6], [1.4, 0.2, -0.7]], dtype=F64)
PARAMETERS = torch.tensor([0.7, 2.3, -0.4, 1.9], dtype=F64)


def value(angle: Angle) -> torch.Tensor:
    return angle.evaluate(FEATURES, PARAMETERS).expand(len(FEATURES))


def assert_equal(actual: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(actual, wanted, rtol=1e-12, atol=1e-12)


# -- algebra -----------------------------------------------------------------------------------------------------------


@given(angles, angles, st.floats(-3, 3))
def test_evaluation_respects_the_arithmetic_of_numbers(one, other, number):
    assert_equal(value(one + other), value(one) + value(other))
    assert_equal(value(one - other), value(one) - value(other))
    assert_equal(value(one * other), value(one) * value(other))
    assert_equal(value(number + one), value(one + number))
    assert_equal(value(number - one), number - value(one))
    assert_equal(value(number * one), value(one * number))
    assert_equal(value(-one), -value(one))
    assert_equal(value(one**3), value(one) ** 3)


@given(angles)
def test_division_is_multiplication_by_the_reciprocal(angle):
    positive = angle * angle + 1
    assert_equal(value(2 / positive), 2 / value(positive))
    assert_equal(value(angle / positive), value(angle) / value(positive))
    assert_equal(value(angle / 4), value(angle) / 4)


@pytest.mark.parametrize("name", ["sin", "cos", "tanh", "exp", "arctan"])
@given(angle=angles)
def test_functions_act_on_values(name, angle):
    bounded = angle if name != "exp" else sin(angle)  # exp of a large product leaves the range of floats
    assert_equal(value(getattr(functions, name)(bounded)), getattr(torch, name)(value(bounded)))


@pytest.mark.parametrize("name", ["arcsin", "arccos", "sqrt"])
@given(angle=angles)
def test_functions_of_a_restricted_argument(name, angle):
    inside = 0.5 + 0.4 * sin(angle)
    assert_equal(value(getattr(functions, name)(inside)), getattr(torch, name)(value(inside)))


@given(angles)
def test_what_cancels_is_gone(angle):
    assert (angle - angle).is_number
    assert angle + 0 == angle
    assert angle * 1 == angle
    assert (angle * 0).is_number


def test_a_sum_knows_each_atom_once():
    assert theta[0] + theta[0] == 2 * theta[0]
    assert (0.5 * theta[1] + x[0] + 1 + theta[1] - x[0]).terms == ((Variable("theta", 1), 1.5),)


@pytest.mark.parametrize(
    ("angle", "is_number", "is_affine", "per_sample"),
    [
        (as_angle(2.0), True, True, False),
        (3 * theta[0] - 1, False, True, False),
        (x[0] / 3 + theta[2], False, True, True),
        (theta[0] * theta[1], False, False, False),
        (theta[0] * x[1], False, False, True),
        (sin(theta[0]), False, False, False),
        (exp(2 * x[0]) + theta[0], False, False, True),
        (sin(0.5), True, True, False),
        (theta[0] ** 1, False, True, False),
    ],
    ids=str,
)
def test_what_kind_of_angle_it_is(angle, is_number, is_affine, per_sample):
    assert (angle.is_number, angle.is_affine, angle.per_sample) == (is_number, is_affine, per_sample)


def test_variables_are_found_inside_functions_and_products():
    angle = theta[3] * sin(x[1] + theta[0]) + exp(x[2] * x[0])
    found = {(variable.kind, variable.index) for variable in angle.variables()}
    assert found == {("theta", 3), ("theta", 0), ("x", 1), ("x", 2), ("x", 0)}


def test_angles_are_values():
    assert hash(2 * theta[0] + 1) == hash(1 + theta[0] * 2)
    assert pickle.loads(pickle.dumps(sin(theta[0] * x[1]))) == sin(theta[0] * x[1])
    with pytest.raises(AttributeError):
        theta[0].constant = 1.0  # type: ignore[misc]


def test_slices():
    assert theta[2:5] == (theta[2], theta[3], theta[4])
    assert x[:4:2] == (x[0], x[2])


@given(angles)
def test_values_broadcast_over_leading_dimensions(angle):
    features = torch.randn(3, 2, N_FEATURES, dtype=F64, generator=torch.Generator().manual_seed(0))
    wanted = torch.stack([angle.evaluate(rows, PARAMETERS).expand(2) for rows in features])
    assert_equal(angle.evaluate(features, PARAMETERS).expand(3, 2), wanted)
    several = torch.stack([PARAMETERS, -PARAMETERS])[:, None]
    both = angle.evaluate(features[:1], several).expand(2, 2)
    assert_equal(both[1], angle.evaluate(features[0], -PARAMETERS).expand(2))


@pytest.mark.parametrize(
    "angle", [2 * theta[0] - x[1], sin(theta[2] * x[0]), sqrt(x[0] ** 2 + 1) / (theta[1] ** 2 + 1)], ids=str
)
def test_gradients(angle):
    inputs = FEATURES.clone().requires_grad_(), PARAMETERS.clone().requires_grad_()
    assert torch.autograd.gradcheck(angle.evaluate, inputs)


def test_features_with_the_bit_of_a_negative():
    features = torch.complex(torch.zeros_like(FEATURES), FEATURES).conj().imag
    assert features.is_neg()
    assert_equal((1 + theta[0] * x[1]).evaluate(features, PARAMETERS), 1 - PARAMETERS[0] * FEATURES[:, 1])


# -- replacing variables -----------------------------------------------------------------------------------------------


@given(angles, angles)
def test_substitution_is_evaluation_at_the_new_value(angle, new):
    replaced = substitute(angle, {Variable("theta", 1): new})
    moved = PARAMETERS.expand(len(FEATURES), -1).clone()
    moved[:, 1] = value(new)
    assert_equal(value(replaced), angle.evaluate(FEATURES, moved).expand(len(FEATURES)))


@given(angles)
def test_numbers_for_all_variables_give_a_number(angle):
    numbers = {Variable("theta", i): as_angle(PARAMETERS[i].item()) for i in range(N_PARAMETERS)}
    numbers |= {Variable("x", j): as_angle(FEATURES[0, j].item()) for j in range(N_FEATURES)}
    bound = substitute(angle, numbers)
    assert bound.is_number
    assert_equal(torch.tensor(bound.constant, dtype=F64), value(angle)[0])


# -- text --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("angle", "text"),
    [
        (as_angle(0), "0"),
        (theta[2], "theta[2]"),
        (-x[1], "-x[1]"),
        (theta[0] + 0.5 * x[1] - 2, "theta[0] + 0.5*x[1] - 2"),
        (math.pi * x[0], "3.14159*x[0]"),
        (theta[0] * x[0], "(theta[0])*(x[0])"),
        (2 * sin(x[0] + 1), "2*sin(x[0] + 1)"),
    ],
    ids=str,
)
def test_an_angle_reads_as_it_was_written(angle, text):
    assert str(angle) == text


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "error", "law"),
    [
        (lambda: as_angle(math.nan), ValueError, "a number must be finite, got nan"),
        (lambda: theta[0] + math.inf, ValueError, "a number must be finite, got inf"),
        (lambda: theta[0] * 1e200 * 1e200, ValueError, "must be finite"),
        (lambda: as_angle("0.5 pi"), TypeError, "must be a number, .* got '0.5 pi'"),
        (lambda: theta[0] + None, TypeError, "must be a number, .* got None"),
        (lambda: as_angle(torch.zeros(2)), TypeError, "must be a number"),
        (lambda: as_angle(torch.zeros((), requires_grad=True)), TypeError, r"trainable angle is written theta\[i\]"),
        (lambda: theta[-1], ValueError, r"theta.*an index must be at least 0, got index=-1"),
        (lambda: x[1.0], TypeError, r"x.*an index must be an integer, got index=1.0"),
        (lambda: x[True], TypeError, "must be an integer, got index=True"),
        (lambda: theta[2:], ValueError, "a slice must say where it stops"),
        (lambda: list(theta), TypeError, "theta has no end"),
        (lambda: theta[0] / 0, ZeroDivisionError, r"must not be by zero, got \(theta\[0\]\) / 0"),
        (lambda: theta[0] ** 0, ValueError, "exponent must be a positive integer, got exponent=0"),
        (lambda: theta[0] ** 0.5, ValueError, "exponent must be a positive integer, got exponent=0.5"),
        (lambda: arccos(1.5), ValueError, "arccos: a value must be finite, got the argument 1.5"),
        (lambda: sqrt(-1), ValueError, "sqrt: a value must be finite, got the argument -1"),
        (lambda: exp(1000), ValueError, "exp: a value must be finite, got the argument 1000"),
        (lambda: call("sinc", theta[0]), ValueError, "unknown function 'sinc'.*sin"),
    ],
    ids=lambda value: None,
)  # fmt: skip
def test_bad_input(wrong, error, law):
    with pytest.raises(error, match=law):
        wrong()
