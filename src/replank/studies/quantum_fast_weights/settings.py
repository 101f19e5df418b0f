"""What a trial of this study needs to know, for forecasts and for grid worlds, at each scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale
from replank.parts.recurrent._circuits import Entangler

CoreName = Literal["lstm", "qlstm", "qfwp", "cfwp", "echo-state", "window", "persistence", "uniform"]

CLOSED_FORMS = ("window", "echo-state", "persistence")
"""Cores whose forecast needs no training step by step."""
CHECKPOINTS = (1, 15, 30, 100)
"""Epochs at which the paper reports, as recalled."""


@dataclass(frozen=True)
class Core:
    """What reads the sequence.

    Args:
        core: which kind: ``"echo-state"`` and ``"window"`` (the window itself) are read by a closed form,
            ``"persistence"`` and ``"uniform"`` have nothing to learn.
        entangler: of fast weights.
        unentangled: whether fast weights' circuit lacks its CNOTs.
        decay: of fast weights.
        ridge: whether the closed form is penalised, by what a validation tail says; else it is least squares.
    """

    core: CoreName = "lstm"
    entangler: Entangler = "brick"
    unentangled: bool = False
    decay: PositiveFloat = 1.0
    ridge: bool = False


@dataclass(frozen=True)
class ForecastSettings(Core):
    """One series, one step ahead.

    Args:
        epochs: passes over the training windows.
        window: steps that a model sees.
        first: values of the series that are used, from its beginning; 0 means all.
        official_scaling: whether the scale is taken from the whole series, test part included, as published.
        batch_size: windows a step, in the order of time.
        lr: step size of RMSprop.
    """

    epochs: PositiveInt = 15
    window: PositiveInt = 4
    first: NonNegativeInt = 0
    official_scaling: bool = False
    batch_size: PositiveInt = 10
    lr: PositiveFloat = 0.01


@dataclass(frozen=True)
class NavigationSettings(Core):
    """One grid world.

    Args:
        world: as MiniGrid registers it.
        env_steps: steps of all environments together.
        n_envs: environments side by side.
        lr: step size of Adam.
    """

    world: str = "MiniGrid-Empty-5x5-v0"
    env_steps: PositiveInt = 30_000
    n_envs: PositiveInt = 8
    lr: PositiveFloat = 1e-3


Changes = Mapping[str, Mapping[str, Any]]

BY_ARM: Changes = {
    "qfwp*": {"core": "qfwp"},
    "qfwp-ring": {"entangler": "ring"},
    "qfwp-unentangled": {"unentangled": True},
    "qfwp-decay": {"decay": 0.9},
    "qlstm": {"core": "qlstm"},
    "cfwp": {"core": "cfwp"},
    "ar": {"core": "window"},
    "ridge": {"core": "window", "ridge": True},
    "echo-state": {"core": "echo-state", "ridge": True},
    "persistence": {"core": "persistence"},
    "random": {"core": "uniform"},
}
# `qfwp*` comes first and later ones win: an arm's own changes are added to it

RIVALS = ("lstm", "qlstm", "qfwp", "cfwp")
CLOSED = ("ar", "ridge", "echo-state", "persistence")
PLAYERS = (*RIVALS, "random")
FORMULAS = ("damped_pendulum", "bessel_j2", "narma5", "narma10")
"""The paper's series."""
RECORDED = ("monthly_sunspots", "daily_min_temperatures", "airline_passengers")
LONG = ("etth1_oil", "beijing_pm25")


def _series(settings: ForecastSettings) -> dict[str, Protocol]:
    window = f"{settings.window} values, the next one; {settings.epochs} epochs; first 67 % for training"
    part = f"; at most the first {settings.first:,} values" if settings.first else ""
    shorter = {name: {"first": min(settings.first, 300)} for name in FORMULAS} if settings.first else {}
    return {
        "series": Protocol(
            settings,
            by_arm=BY_ARM,
            by_dataset=shorter,
            about=f"{window}; scaled by the training part alone{part}",
            arms=(*RIVALS, "qfwp-*", *CLOSED),
            datasets=(*FORMULAS, *RECORDED, *LONG),
        ),
        "official-scaling": Protocol(
            replace(settings, official_scaling=True),
            by_arm=BY_ARM,
            by_dataset=shorter,
            about="as published: the same, but scaled by the whole series, so that the test part leaks into the scale",
            arms=("qfwp", "qlstm", "ar", "persistence"),
            datasets=FORMULAS,
            baseline="qlstm",
        ),
    }


def _navigation(name: str, settings: NavigationSettings) -> dict[str, Protocol]:
    return {
        name: Protocol(
            settings,
            by_arm=BY_ARM,
            about=f"{settings.world}, {settings.env_steps:,} steps of {settings.n_envs} environments side by side, "
            "synchronous advantage actor-critic",
            arms=PLAYERS,
            datasets=("generated",),
            headline_metric="mean_return",
        )
    }


SCALES = {
    "smoke": Scale(
        {
            **_series(ForecastSettings(epochs=1, first=60)),
            **_navigation("empty-5x5", NavigationSettings(env_steps=1200)),
        },
        datasets=("narma5",),
        seeds=1,
        minutes=0.2,
    ),
    "small": Scale(
        {
            **_series(ForecastSettings(epochs=15, first=600)),
            **_navigation("empty-5x5", NavigationSettings()),
        },
        datasets=(*FORMULAS, *RECORDED),
        seeds=5,
        minutes=4.5,
        without_files=dict.fromkeys(RECORDED),
    ),
    "paper": Scale(
        {
            **_series(ForecastSettings(epochs=100)),
            **_navigation("empty-5x5", NavigationSettings(env_steps=2_000_000)),
            **_navigation("empty-6x6", NavigationSettings(world="MiniGrid-Empty-6x6-v0", env_steps=3_000_000)),
            **_navigation("empty-8x8", NavigationSettings(world="MiniGrid-Empty-8x8-v0", env_steps=5_000_000)),
        },
        datasets=(*FORMULAS, *RECORDED, *LONG),
        seeds=10,
        minutes=1600,
        without_files=dict.fromkeys((*RECORDED, *LONG)),
    ),
}
