"""What a trial of this study needs to know, at each scale: every experiment is a protocol. All sizes are ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from replank import datasets
from replank.lab.study import Protocol, Scale

GENERATED = (datasets.GENERATED,)

Problem = Literal["lorenz", "lotka-volterra", "cost"]
Kind = Literal[
    "dense", "scaled", "hankel", "low-rank", "matched", "pointwise",
    "sindy", "dmd", "hankel-dmd", "havok", "autoregression", "leads", "persistence",
]  # fmt: skip


@dataclass(frozen=True)
class HankelSettings:
    """A system, what is known of it, a forecaster and its training.

    Args:
        problem: ``"lorenz"``; ``"lotka-volterra"``: ten environments; ``"cost"``: single layers and networks are
            measured, none is trained.
        kind: of forecaster.
        dt: time between two states.
        duration: of a trajectory.
        n_train: training trajectories: of each Rayleigh number, or of each environment.
        n_validation: validation trajectories, likewise; nothing is chosen on them.
        n_test: test trajectories, likewise.
        rhos: Rayleigh numbers of training trajectories; with several, forecasters that can are told.
        test_rhos: of test trajectories.
        q: states in a window; forecasts of all arms begin behind it, also of those that see but its last state.
        p: sub-matrices of a structured layer.
        epochs: passes over all windows, or steps of LEADS.
        batch_size: windows in a batch.
        lr: step size at the beginning; it falls to zero along a cosine.
        threshold: of SINDy.
        havok_rank: coordinates of HAVOK.
        hidden: width of LEADS.
        sizes: numbers of nodes of single layers.
        batches: inputs at a time, of single layers.
        repeats: timed passes of a layer.
        timings: timed steps of a forecaster or network.
    """

    problem: Problem = "lorenz"
    kind: Kind = "dense"
    dt: PositiveFloat = 0.01
    duration: PositiveFloat = 8.0
    n_train: PositiveInt = 16
    n_validation: PositiveInt = 2
    n_test: PositiveInt = 16
    rhos: tuple[float, ...] = (28.0,)
    test_rhos: tuple[float, ...] = (28.0,)
    q: PositiveInt = 16
    p: PositiveInt = 4
    epochs: NonNegativeInt = 15
    batch_size: PositiveInt = 256
    lr: PositiveFloat = 1e-3
    threshold: NonNegativeFloat = 0.1
    havok_rank: PositiveInt = 11
    hidden: PositiveInt = 64
    sizes: tuple[int, ...] = (64, 128, 256, 512, 1024, 2048, 4096)
    batches: tuple[int, ...] = (1, 64)
    repeats: PositiveInt = 7
    timings: PositiveInt = 30


KINDS: Mapping[str, Kind] = {
    "dense": "dense",
    "stnn": "scaled",
    "stnn-hankel": "hankel",
    "low-rank": "low-rank",
    "dense-matched": "matched",
    "pointwise-mlp": "pointwise",
    "sindy": "sindy",
    "dmd": "dmd",
    "hankel-dmd": "hankel-dmd",
    "havok": "havok",
    "autoregression": "autoregression",
    "leads": "leads",
    "persistence": "persistence",
}
"""What each arm is."""

VALID_TIME, ROLLOUT_ERROR = "valid_time", "log10_rollout_error"
COST_METRIC = "time_slope_batch_64"
LAYERS = ("dense", "stnn", "stnn-hankel", "low-rank")
NETWORKS = (*LAYERS, "dense-matched", "pointwise-mlp")
LINEAR = ("dmd", "hankel-dmd", "havok", "autoregression")
ON_LORENZ = (*NETWORKS, "sindy", *LINEAR, "persistence")
ON_ANIMALS = (*LAYERS, "dense-matched", "sindy", *LINEAR, "leads", "persistence")
TOLD_RHO = (*LAYERS, "dense-matched", "sindy", "autoregression", "persistence")

LORENZ_ABOUT = "Lorenz (sigma 10, rho 28, beta 8/3), dt 0.01, T 8, starts uniform in [-15, 15]³, DOP853 at 1e-10"
ANIMALS_ABOUT = (
    "Lotka-Volterra in LEADS's ten environments (b = d = 0.5), starts uniform in [1, 2]², t to 9.5, RK45 at 1e-8, one "
    "training trajectory and 32 test ones each; dt 0.05, LEADS on its own grid of 0.5; errors on that of 0.5 from "
    "t = 1 on"
)
RHO_ABOUT = "Lorenz trained at rho 10, 28 and 40, tested at 17 and 35; forecasters are told rho; our extension"
COST_ABOUT = (
    "square layers of M nodes, p = 4 sub-matrices that are added, each timed in turn with a dense one; the network of "
    "48 inputs"
)


def _protocol(settings: HankelSettings, about: str, arms: tuple[str, ...], **options: Any) -> Protocol:
    by_arm: dict[str, dict[str, Any]] = {arm: {"kind": KINDS[arm]} for arm in arms}
    by_arm |= {arm: by_arm[arm] | change for arm, change in options.pop("by_arm", {}).items()}
    return Protocol(settings, by_arm=by_arm, about=about, arms=arms, datasets=GENERATED, **options)


def _animals(settings: HankelSettings, leads: int, **options: Any) -> Protocol:
    return _protocol(
        replace(settings, problem="lotka-volterra"),
        ANIMALS_ABOUT,
        ON_ANIMALS,
        by_arm={"leads": {"dt": 0.5, "q": 2, "epochs": leads}},
        headline_metric=ROLLOUT_ERROR,
        **options,
    )


_LORENZ = HankelSettings()
# ten trajectories of 191 states: 110 epochs are as many steps as 15 epochs on Lorenz
_ANIMALS = HankelSettings(dt=0.05, duration=9.5, n_train=1, n_validation=1, n_test=32, epochs=110, threshold=0.05)
_RHO = replace(_LORENZ, rhos=(10.0, 28.0, 40.0), test_rhos=(17.0, 35.0), n_train=5, n_validation=1, n_test=6)

SMALL = Scale(
    {
        "lorenz": _protocol(_LORENZ, LORENZ_ABOUT + "; 16 training trajectories, 15 epochs", ON_LORENZ),
        "lotka-volterra": _animals(_ANIMALS, 300),
        "lorenz-rho": _protocol(_RHO, RHO_ABOUT, TOLD_RHO),
        "cost": _protocol(replace(_LORENZ, problem="cost"), COST_ABOUT, LAYERS, headline_metric=COST_METRIC),
    },
    datasets=GENERATED,
    seeds=3,
    minutes=5,
    more_seeds=dict.fromkeys(("stnn", "dense", "low-rank", "dense-matched", "sindy", *LINEAR, "persistence"), 5),
)

_TINY = replace(
    _LORENZ, duration=1.0, n_train=2, n_validation=1, n_test=2, q=12, epochs=1, batch_size=64,
    sizes=(16, 32), batches=(1, 64), repeats=1, timings=1,
)  # fmt: skip
_TINY_ANIMALS = replace(
    _TINY, dt=0.05, duration=9.5, n_train=1, n_test=1, threshold=0.05,
)  # fmt: skip
SMOKE = Scale(
    {
        "lorenz": _protocol(_TINY, "tiny, to see that everything runs", ON_LORENZ),
        "lotka-volterra": _animals(_TINY_ANIMALS, 1),
        "lorenz-rho": _protocol(
            replace(_TINY, rhos=_RHO.rhos, test_rhos=_RHO.test_rhos, n_train=1, n_test=1),
            "tiny, to see that everything runs",
            ("dense", "stnn", "sindy"),
        ),
        "cost": _protocol(
            replace(_TINY, problem="cost"),
            "tiny, to see that everything runs",
            ("dense", "stnn"),
            headline_metric=COST_METRIC,
        ),
    },
    datasets=GENERATED,
    seeds=1,
    minutes=0.1,
)

_LONG = replace(_LORENZ, n_train=80, n_validation=10, n_test=10, epochs=300)
PAPER = Scale(
    {
        "lorenz": _protocol(_LONG, LORENZ_ABOUT + "; 80 training trajectories, 300 epochs", ON_LORENZ),
        **{
            f"lorenz-q{q}": _protocol(
                replace(_LONG, q=q, havok_rank=min(11, q)), LORENZ_ABOUT + f"; windows of {q}", ON_LORENZ
            )
            for q in (8, 32, 64)
        },
        **{
            f"lorenz-p{p}": _protocol(replace(_LONG, p=p), LORENZ_ABOUT + f"; {p} sub-matrices", LAYERS)
            for p in (1, 2, 8)
        },
        "lotka-volterra": _animals(replace(_ANIMALS, epochs=2000), 20_000),
        "lorenz-rho": _protocol(replace(_RHO, n_train=27, n_validation=3, n_test=16, epochs=300), RHO_ABOUT, TOLD_RHO),
        "cost": _protocol(
            replace(_LORENZ, problem="cost", sizes=(*_LORENZ.sizes, 8192)),
            COST_ABOUT,
            LAYERS,
            headline_metric=COST_METRIC,
        ),
    },
    datasets=GENERATED,
    seeds=5,
    minutes=6_000,
)

SCALES = {"smoke": SMOKE, "small": SMALL, "paper": PAPER}
