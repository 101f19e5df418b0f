"""What differs between the two published networks, factor by factor, and the arms that take the factors apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

Bottleneck = Literal[
    "quantum", "linear-tanh", "linear", "frozen", "orthogonal-squares", "identity", "none", "angle", "direct"
]
"""What stands between the convolutions and the logits, see :mod:`~.model`."""

Trunk = Literal["slim", "wide"]
"""The hybrid's convolutions or the classical network's, which have at least twice the channels."""

Recipe = Literal["onecycle", "restarts", "undecayed", "epochwise"]
"""How a network is trained, see :mod:`~.recipes`: the hybrid's way, the classical one's, and two corrections of it."""


@dataclass(frozen=True)
class Cell:
    """One place in the grid of factors.

    Args:
        bottleneck: the part in question or one of its rivals.
        trunk: whose convolutions.
        recipe: whose optimiser, schedule, weight decay and clipping.
    """

    bottleneck: Bottleneck
    trunk: Trunk = "slim"
    recipe: Recipe = "onecycle"


BOTTLENECKS: dict[str, Cell] = {name: Cell(name) for name in get_args(Bottleneck)}
"""Arms of the main contrast: the hybrid's network and recipe, with another part in the bottleneck."""

CORNERS: dict[str, Cell] = {
    "quantum-wide": Cell("quantum", trunk="wide"),
    "quantum-restarts": Cell("quantum", recipe="restarts"),
    "quantum-wide-restarts": Cell("quantum", trunk="wide", recipe="restarts"),
    "direct-restarts": Cell("direct", recipe="restarts"),
    "classical-onecycle": Cell("direct", trunk="wide"),
    "classical": Cell("direct", trunk="wide", recipe="restarts"),
}
"""With ``quantum`` and ``direct``, all ways to go from the published hybrid to the published classical network."""

CORRECTED: dict[str, Cell] = {
    "classical-undecayed": Cell("direct", trunk="wide", recipe="undecayed"),
    "classical-epochwise": Cell("direct", trunk="wide", recipe="epochwise"),
}
"""The classical network as published with one defect of its recipe mended."""

CELLS: dict[str, Cell] = BOTTLENECKS | CORNERS | CORRECTED
"""The place of every arm."""

HYBRID, CLASSICAL = "quantum", "classical"
"""The arms that are as published."""

BY_ARM: dict[str, Mapping[str, str]] = {name: asdict(cell) for name, cell in CELLS.items()}
BY_BOTTLENECK: dict[str, Mapping[str, str]] = {name: {"bottleneck": name} for name in BOTTLENECKS}

PUBLISHED_GRID: dict[str, tuple[str, ...]] = {
    "bottleneck": ("quantum", "direct"),
    "trunk": ("slim", "wide"),
    "recipe": ("onecycle", "restarts"),
}
"""The factors that differ between the published arms, from the hybrid's level to the classical one's."""


def differing(cell: Cell, other: Cell) -> list[str]:
    """The factors in which two cells differ, each with both levels: ``["trunk: slim, not wide"]``."""
    return [
        f"{each.name}: {getattr(cell, each.name)}, not {getattr(other, each.name)}"
        for each in fields(Cell)
        if getattr(cell, each.name) != getattr(other, each.name)
    ]
