"""The arms, and the pruner of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from replank.lab.trial import Arm
from replank.parts.pruning import Pruner
from replank.parts.pruning.activate import ActivateWhilePruning
from replank.parts.pruning.gradient import GlobalGradient
from replank.parts.pruning.lamp import LAMP
from replank.parts.pruning.magnitude import GlobalMagnitude, LayerMagnitude
from replank.parts.pruning.random_pruning import RandomPruning

HOSTS: dict[str, str] = {
    "magnitude": "the smallest weights of all layers together",
    "layer": "the smallest weights of each layer",
    "gradient": "the smallest |weight x gradient|",
    "lamp": "the smallest weights relative to the larger ones of their layer",
    "random": "weights at random",
}
CONTROLS: dict[str, tuple[Mapping[str, Any], str]] = {
    "random-q": ({"sign": "any", "movement": "random"}, "any weights at random: does the add-on do anything?"),
    "negative-random": ({"movement": "random"}, "negative weights at random: does movement matter?"),
    "positive-small-move": ({"sign": "positive"}, "positive weights that moved least: does the sign matter?"),
    "small-move-any": ({"sign": "any"}, "weights of either sign that moved least: does the sign matter?"),
    "negative-large-move": ({"movement": "largest"}, "negative weights that moved most: does movement matter?"),
}
AP = "magnitude-ap"

ARMS = (
    Arm("magnitude", "Global magnitude pruning: every cycle removes the smallest weights of all layers.", "baseline"),
    Arm(AP, "It removes less, and as many negative weights that moved least go in their place: AP."),
    *(Arm(name, f"Like AP, but {about}", "control") for name, (_, about) in CONTROLS.items()),
    *(
        arm
        for host, about in list(HOSTS.items())[1:]
        for arm in (
            Arm(host, f"Another host: removes {about}.", "control"),
            Arm(f"{host}-ap", f"AP on the host that removes {about}."),
        )
    ),
)


def host(name: str, seed: int) -> Pruner:
    """The host method of that name."""
    if name == "random":
        return RandomPruning(seed)
    kinds: dict[str, Callable[[], Pruner]] = {
        "magnitude": GlobalMagnitude, "layer": LayerMagnitude, "gradient": GlobalGradient, "lamp": LAMP,
    }  # fmt: skip
    return kinds[name]()


def pruner(arm: str, q: float, *, seed: int, published_threshold: bool = False) -> Pruner:
    """The pruner of an arm."""
    if arm in HOSTS:
        return host(arm, seed)
    options, _ = CONTROLS.get(arm, ({}, ""))
    base = host("magnitude" if arm in CONTROLS else arm.removesuffix("-ap"), seed)
    return ActivateWhilePruning(base, q, seed=seed, strict=False, published_threshold=published_threshold, **options)


def host_of(arm: str) -> str:
    """The arm without the add-on."""
    return "magnitude" if arm in CONTROLS else arm.removesuffix("-ap")
