"""Names in other formats: which parameter or feature a name means, and which measurement a bit holds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

from replank.circuits.angle import Angle, theta, x

# theta_3, theta[3], and _theta_3_, which other programs make of it
_OURS = re.compile(r"_?(theta|x)[_[](\d+)[]_]?", re.ASCII)


def named_variables(names: Iterable[str]) -> dict[str, Angle]:
    """Angles for the names of inputs.

    ``theta_3`` and ``theta[3]`` are ``theta[3]``, likewise ``x``; other names get the parameters that are left, in
    their order.
    """
    known: dict[str, Angle] = {}
    taken: set[Angle] = set()
    others = []
    for name in names:
        ours = _OURS.fullmatch(name)
        angle = {"theta": theta, "x": x}[ours[1]][int(ours[2])] if ours else None
        if angle is None or angle in taken:
            others.append(name)
        else:
            known[name] = angle
            taken.add(angle)
    left = (theta[k] for k in itertools.count() if theta[k] not in taken)
    return known | dict(zip(others, left, strict=False))


class Keys:
    """Keys for measurements into bits, any of which may be overwritten."""

    def __init__(self) -> None:
        self._latest: dict[str, str] = {}
        self._taken: set[str] = set()

    def measured(self, bit: str | None) -> str:
        """The key of a new measurement into a bit: the bit's name, with a number from the second time on."""
        base = f"m{len(self._taken)}" if bit is None else bit
        candidates = itertools.chain([base], (f"{base}_{k}" for k in itertools.count(2)))
        key = next(candidate for candidate in candidates if candidate not in self._taken)
        self._taken.add(key)
        if bit is not None:
            self._latest[bit] = key
        return key

    def latest(self, bit: str) -> str:
        """The key of the measurement that a bit holds.

        Raises:
            ValueError: nothing has been measured into it.
        """
        if bit not in self._latest:
            raise ValueError(f"nothing has been measured into the bit {bit!r}")
        return self._latest[bit]
