"""What templates take: weights and features as consecutive angles, counts, and names of gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Literal, get_args

from replank.circuits.angle import Angle, AngleLike, Variables, as_angle
from replank.errors import UnknownName

Angles = Variables | Sequence[AngleLike]
"""Where a template's angles come from: all parameters, all features, or a sequence of numbers and angles."""

Rotation = Literal["RX", "RY", "RZ"]
"""A gate that turns one qubit by one angle."""

Entangler = Literal["CNOT", "CZ", "CY", "CH", "iSWAP"]
"""A gate on two qubits without an angle."""


def take_weights(owner: str, weights: Angles, shape: tuple[int, ...], start: int) -> tuple[Angle, ...]:
    """The angles of a template, in C order of ``shape``.

    Args:
        owner: the template's name.
        weights: where they come from.
        shape: as the field writes them.
        start: index of the first in ``weights``; a sequence must end with the last that is taken.

    Raises:
        ValueError: the sequence is too short or too long, or ``start`` is negative.
    """
    check_count(owner, "start", start, least=0)
    count = prod(shape)
    if isinstance(weights, Variables):
        return weights[start : start + count]
    given = _all(owner, "weights", weights)
    if len(given) != start + count:
        raise ValueError(
            f"{owner}: needs {count} weights from start={start} on, got {max(0, len(given) - start)}. Their shape is "
            f"{shape}; flatten it in C order."
        )
    return given[start:]


def take_features(owner: str, features: Angles, most: int, *, least: int | None = None) -> tuple[Angle, ...]:
    """The features of a template: ``least`` to ``most`` if they are given one by one, else ``most``.

    Raises:
        ValueError: there are too few or too many.
    """
    if isinstance(features, Variables):
        return features[:most]
    given = _all(owner, "features", features)
    least = most if least is None else least
    if not least <= len(given) <= most:
        law = str(most) if least == most else f"{least} to {most}"
        raise ValueError(f"{owner}: takes {law} features, got {len(given)}.")
    return given


def _all(owner: str, what: str, angles: Iterable[AngleLike]) -> tuple[Angle, ...]:
    if isinstance(angles, Angle | float | int):
        raise TypeError(f"{owner}: {what} must be theta, x or a sequence of angles, got {angles}. Put it in a list.")
    return tuple(as_angle(angle) for angle in angles)


def check_count(owner: str, name: str, value: int, *, least: int = 1, most: int | None = None) -> None:
    """Refuse what is no integer from ``least`` to ``most``.

    Raises:
        ValueError: as said.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        law = f"at least {least}" if most is None else f"in {least}..{most}"
        raise ValueError(f"{owner}: {name} must be an integer {law}, got {name}={value!r}.")


def check_rotation(name: str) -> None:
    """Refuse a rotation that is none of :data:`Rotation`.

    Raises:
        UnknownName: as said.
    """
    if name not in get_args(Rotation):
        raise UnknownName("rotation", str(name), get_args(Rotation))


def check_entangler(name: str) -> None:
    """Refuse an entangler that is none of :data:`Entangler`.

    Raises:
        UnknownName: as said.
    """
    if name not in get_args(Entangler):
        raise UnknownName("entangler", str(name), get_args(Entangler))
