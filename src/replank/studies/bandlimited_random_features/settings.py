"""What a trial of this study needs to know, at each scale: every experiment is a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from replank.features.random_feature_net import Solve
from replank.lab.study import Protocol, Scale

ProblemName = Literal["curves", "line", "plane", "diabetes", "digits"]
SamplerName = Literal["uniform", "kink", "fourier", "normal", "disc", "orthogonal", "data-driven"]
ModelName = Literal["random", "mlp", "trained", "kernel-ridge", "rbf-sampler", "polynomial", "low-pass"]
Optimiser = Literal["adam", "lbfgs"]

LAMS = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 200.0, 400.0)


@dataclass(frozen=True)
class RandomFeatureSettings:
    """Problem, network and read-out.

    Args:
        problem: what is approximated: the two curves on an interval; a Gaussian on longer and longer ones; a function
            of two variables; one of scikit-learn's sets.
        model: what approximates it.
        sampler: what hidden nodes are drawn from.
        lams: half the sides of boxes of weights that are tried; tables lead with the one that held-out training points
            choose.
        sobol: whether the draw is quasi-random.
        activation: of hidden nodes.
        solve: how the read-out is fitted.
        widths: numbers of nodes that are tried.
        width: the number that tables lead with.
        widest: the number that it is compared with, to see what more nodes bring.
        rcond: relative cut-off of singular values.
        swept_lam: the box for which other cut-offs are tried, with the largest number of nodes.
        rconds: these cut-offs.
        alpha: penalty of a ridge read-out, where it is not chosen.
        n: training points.
        noise: standard deviation of what is added to training targets.
        start_lam: the box from which nodes start that are then trained.
        strengths: candidates for standard deviations of ``a x``, with several inputs and for kernels.
        alphas: candidates for penalties.
        held_out: share of training samples on which sizes and penalties are chosen.
        optimiser: of trained networks.
        epochs: of their training by Adam, and of gradient descent on a read-out.
        lbfgs_epochs: of their training by L-BFGS, 20 iterations each.
        batch_size: samples a step; L-BFGS takes all.
        lr: of Adam.
        lengths: half lengths of the intervals on which a Gaussian is approximated.
        line_rcond: the cut-off there.
    """

    problem: ProblemName
    model: ModelName = "random"
    sampler: SamplerName = "uniform"
    lams: tuple[PositiveFloat, ...] = LAMS
    sobol: bool = False
    activation: str = "logistic"
    solve: Solve = "lstsq"
    widths: tuple[PositiveInt, ...] = (50, 200, 800)
    width: PositiveInt = 200
    widest: PositiveInt = 800
    rcond: NonNegativeFloat = 1e-10
    swept_lam: PositiveFloat = 10.0
    rconds: tuple[PositiveFloat, ...] = (1e-3, 1e-5, 1e-8, 1e-10, 1e-12, 1e-14)
    alpha: NonNegativeFloat = 1e-8
    n: PositiveInt = 1000
    noise: NonNegativeFloat = 0.0
    start_lam: PositiveFloat = 100.0
    strengths: tuple[PositiveFloat, ...] = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
    alphas: tuple[PositiveFloat, ...] = (1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1.0, 100.0)
    held_out: PositiveFloat = 0.2
    optimiser: Optimiser = "adam"
    epochs: PositiveInt = 400
    lbfgs_epochs: PositiveInt = 100
    batch_size: PositiveInt = 100
    lr: PositiveFloat = 0.01
    lengths: tuple[PositiveFloat, ...] = (4.0, 8.0, 20.0, 40.0)
    line_rcond: PositiveFloat = 3e-2


# -- arms: what each one is, whatever the problem ----------------------------------------------------------------------

SAMPLED: Mapping[str, Mapping[str, Any]] = {
    "uniform": {},
    "kink": {"sampler": "kink"},
    "fourier": {"sampler": "fourier", "activation": "cos"},
    "normal": {"sampler": "normal"},
    "sobol": {"sobol": True},
    "disc": {"sampler": "disc"},
    "orthogonal": {"sampler": "orthogonal", "activation": "cos"},
    "data-driven": {"sampler": "data-driven"},
}
BY_ARM: Mapping[str, Mapping[str, Any]] = {
    "mlp-*": {"model": "mlp"},
    "trained-*": {"model": "trained"},
    "*-lbfgs": {"optimiser": "lbfgs"},
    **SAMPLED,
    "ridge": {"solve": "ridge"},
    "sgd": {"solve": "sgd", "lams": (10.0, 100.0)},
    "kernel-ridge": {"model": "kernel-ridge"},
    "rbf-sampler": {"model": "rbf-sampler"},
    "polynomial": {"model": "polynomial"},
    "low-pass": {"model": "low-pass"},
}
KERNELS = ("kernel-ridge", "rbf-sampler")
ON_INTERVAL = ("uniform", "kink", "fourier", "normal", "sobol", "data-driven")
"""In one dimension a disc is a box, and orthogonal features are normal ones."""
CURVES = ("mlp-*", "trained-*", *ON_INTERVAL, "ridge", "sgd", *KERNELS, "polynomial")
SEVERAL = ("mlp-adam", *SAMPLED, *KERNELS)


def _protocol(
    settings: RandomFeatureSettings, about: str, arms: tuple[str, ...], dataset: str = "generated", **more: Any
) -> Protocol:
    return Protocol(settings, by_arm=BY_ARM, about=about, arms=arms, datasets=(dataset,), **more)


def _protocols(
    curves: RandomFeatureSettings,
    several: RandomFeatureSettings,
    noises: tuple[float, ...],
    real: tuple[str, ...] = SEVERAL,
) -> dict[str, Protocol]:
    """All experiments of one size.

    Args:
        curves: on an interval.
        several: with several inputs.
        noises: of training targets, besides none.
        real: arms that are run on real data.
    """
    return {
        "curves": _protocol(curves, f"two curves on [0, 1], {curves.n} equispaced points without noise", CURVES),
        **{
            f"noise-{noise:g}": _protocol(
                replace(curves, noise=noise, widths=(curves.width,), widest=curves.width),
                f"the same with noise of standard deviation {noise:g} in training targets, {curves.width} nodes",
                ("mlp-adam", *ON_INTERVAL, "ridge", *KERNELS),
            )
            for noise in noises
        },
        "line": _protocol(
            replace(curves, problem="line", lams=(1.0,)),
            "exp(-x²/2) and Fourier features of the band 1: on the line the floor is known",
            ("low-pass", "fourier"),
            baseline="low-pass",
            headline_metric="line_error",
        ),
        "plane": _protocol(
            replace(several, problem="plane"),
            f"a function of two variables, {several.n} random points; sizes of weights chosen on held-out points",
            SEVERAL,
            headline_metric="test_r2",
        ),
        "diabetes": _protocol(
            replace(several, problem="diabetes"),
            "scikit-learn's diabetes set, ten inputs; sizes of weights and penalties chosen on held-out samples",
            real,
            headline_metric="test_r2",
        ),
        "digits": _protocol(
            replace(several, problem="digits"),
            "scikit-learn's digits, 64 inputs, one-hot targets; sizes and penalties chosen on held-out samples",
            real,
            "digits",
            headline_metric="test_accuracy",
        ),
    }


SMALL = RandomFeatureSettings("curves")
SEVERAL_SMALL = replace(SMALL, solve="ridge", epochs=200)
SMOKE = replace(
    SMALL,
    lams=(1.0, 10.0, 50.0),
    n=120,
    widths=(10, 20, 40),
    width=20,
    widest=40,
    epochs=2,
    lbfgs_epochs=2,
    strengths=(1.0, 10.0),
    alphas=(1e-6, 1.0),
)
SEVERAL_SMOKE = replace(SMOKE, solve="ridge")
PAPER = replace(SMALL, widths=(50, 100, 200, 400, 800, 1600, 3200, 5000), epochs=2000)
SEVERAL_PAPER = replace(SEVERAL_SMALL, n=10_000, width=2000, epochs=400)
CHEAP = ("uniform", "kink", "fourier")

SCALES = {
    "smoke": Scale(
        _protocols(SMOKE, SEVERAL_SMOKE, (), real=("mlp-adam", "uniform")), datasets=("digits",), seeds=1, minutes=0.1
    ),
    "small": Scale(
        _protocols(SMALL, SEVERAL_SMALL, (0.05,)),
        datasets=("digits",),
        seeds=5,
        minutes=4,
        more_seeds=dict.fromkeys(CHEAP, 10) | {"uniform": 20},
    ),
    "paper": Scale(
        _protocols(PAPER, SEVERAL_PAPER, (0.01, 0.05, 0.2)),
        datasets=("digits",),
        seeds=10,
        minutes=20_000,
        more_seeds=dict.fromkeys(CHEAP, 100),
    ),
}
