"""What a trial of this study needs to know, at each scale: every experiment is a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale
from replank.open_systems.povm import Kind
from replank.open_systems.vector import Scheme
from replank.parts.density.transformer import Norm

Problem = Literal["steady", "dynamics", "order"]
DensityName = Literal["product", "gru", "made", "transformer", "strings", "rbm"]


@dataclass(frozen=True)
class OpenSettings:
    """Model, density and training.

    Args:
        problem: ``"steady"``: the dissipative transverse-field Ising chain at each field; ``"dynamics"``: the
            dissipative XYZ model from all spins up; ``"order"``: steps of whole vectors, of which nothing is trained.
        rows: of the lattice; one row is a ring.
        columns: of the lattice.
        fields: g of the Ising chain.
        coupling: V of the Ising chain.
        couplings: Jx, Jy, Jz of the XYZ model.
        decay: rate of every spin's decay.
        povm: the measurement in terms of which states are distributions.
        density: what stands for the distribution; those that are no transformer get as many features as fit into the
            transformer's number of parameters.
        n_hidden: features of the transformer.
        n_feedforward: features between its feed-forward maps.
        norm: its layer norm.
        rbm_std: standard deviation of the Boltzmann machine's weights at the beginning.
        sampler: ``"ar"``: exact samples, outcome by outcome; ``"mcmc"``: Markov chains, with one evaluation a sample.
        n_chains: Markov chains side by side.
        full_sum: a sum over all strings in the place of samples.
        n_iterations: updates for each field or step.
        n_samples: strings for each update.
        lr: step size of Adam.
        halve_at: updates after which it is halved; 0 for never.
        tau: half of the time of a step.
        n_steps: number of steps.
        scheme: of the steps.
        n_eval: samples from which observables are estimated.
        max_exact_sites: up to how many sites there is an exact reference.
    """

    problem: Problem
    rows: PositiveInt = 1
    columns: PositiveInt = 4
    fields: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    coupling: float = 2.0
    couplings: tuple[float, float, float] = (0.9, 1.6, 1.0)
    decay: NonNegativeFloat = 1.0
    povm: Kind = "tetra"
    density: DensityName = "transformer"
    n_hidden: PositiveInt = 16
    n_feedforward: PositiveInt = 16
    norm: Norm = "none"
    rbm_std: PositiveFloat = 0.05
    sampler: Literal["ar", "mcmc"] = "ar"
    n_chains: PositiveInt = 128
    full_sum: bool = False
    n_iterations: PositiveInt = 300
    n_samples: PositiveInt = 512
    lr: PositiveFloat = 0.01
    halve_at: NonNegativeInt = 0
    tau: PositiveFloat = 0.01
    n_steps: PositiveInt = 50
    scheme: Scheme = "trapezoid"
    n_eval: PositiveInt = 4000
    max_exact_sites: PositiveInt = 8


Changes = Mapping[str, Mapping[str, Any]]

ARMS: Changes = {
    "product": {"density": "product"},
    "gru": {"density": "gru"},
    "made": {"density": "made"},
    "rbm*": {"density": "rbm", "sampler": "mcmc"},
    "transformer-strings": {"density": "strings"},
    "transformer-norm": {"norm": "post"},
    "transformer-mcmc": {"sampler": "mcmc"},
    "transformer-4pauli": {"povm": "4pauli"},
    "transformer-euler": {"scheme": "euler"},
    "exact-euler": {"scheme": "euler"},
    "*-full-sum": {"full_sum": True},
}
"""What each arm is, whatever the problem."""

DENSITIES = ("product", "gru", "made", "rbm", "transformer", "transformer-[!ef]*")
BY_SAMPLES = (*DENSITIES, "transformer-euler")
GENERATED = ("generated",)


# Step sizes were chosen by training loss among 0.001, 0.003, 0.01 and 0.03, the machine's weights at the beginning
# among 0.05, 0.2 and 0.5, with a seed that is not run.
STEADY_STEPS: Changes = {
    "product": {"lr": 0.03},
    "rbm*": {"lr": 0.001, "rbm_std": 0.2},
    "transformer-norm": {"lr": 0.003},
}
DYNAMIC_STEPS: Changes = {"rbm": {"lr": 0.001}}


def _with(steps: Changes) -> Changes:
    return {arm: {**ARMS.get(arm, {}), **steps.get(arm, {})} for arm in (*ARMS, *steps)}


def _steady(settings: OpenSettings, about: str, *arms: str) -> Protocol:
    return Protocol(settings, by_arm=_with(STEADY_STEPS), about=about, arms=(*DENSITIES, *arms), datasets=GENERATED)


def _dynamics(settings: OpenSettings, about: str, *arms: str) -> Protocol:
    return Protocol(settings, by_arm=_with(DYNAMIC_STEPS), about=about, arms=(*BY_SAMPLES, *arms), datasets=GENERATED)


def _order(settings: OpenSettings) -> Protocol:
    return Protocol(
        settings,
        by_arm=ARMS,
        about="steps of all probabilities at once, with tau and with half of it",
        arms=("exact-*",),
        datasets=GENERATED,
        baseline="exact-trapezoid",
    )


FULL_SUMS = ("transformer-full-sum", "rbm-full-sum")
STEADY = OpenSettings("steady")
# Steps as long as the exact trapezoid allows for an error of ⟨Z⟩ below 0.01: a network's own errors add up over steps.
DYNAMICS = OpenSettings("dynamics", rows=2, columns=2, n_iterations=80, halve_at=50, tau=0.03, n_steps=25)
ORDER = OpenSettings("order", columns=3, fields=(2.0,), tau=0.005, n_steps=100)

SMALL = Scale(
    {
        "tfim": _steady(
            STEADY,
            "steady states of a ring of four spins at g = 0.5, 1, 2, 4; 300 updates with 512 strings each",
            *FULL_SUMS,
        ),
        "xyz": _dynamics(
            DYNAMICS,
            "2x2 spins from all up to t = 1.5, in 25 steps of 0.06; 80 updates with 512 strings each",
        ),
        "order": _order(ORDER),
    },
    datasets=GENERATED,
    seeds=3,
    minutes=4.5,
    more_seeds={"transformer": 4, "transformer-strings": 4, "gru": 4, "made": 4},  # what the contrast is about
)

SMOKE = Scale(
    {
        "tfim": _steady(
            replace(STEADY, columns=3, fields=(1.0,), n_hidden=4, n_iterations=3, n_samples=16, n_chains=4, n_eval=50),
            "tiny, to see that everything runs",
            *FULL_SUMS,
        ),
        "xyz": _dynamics(
            replace(DYNAMICS, n_hidden=4, n_steps=2, n_iterations=2, n_samples=16, n_chains=4, n_eval=50),
            "tiny, to see that everything runs",
        ),
        "order": _order(replace(ORDER, columns=2, n_steps=40)),
    },
    datasets=GENERATED,
    seeds=1,
    minutes=0.2,
)

# The published sizes; the measurement is the tetrahedron's, and 4pauli, the published default, has an arm of its own.
_PUBLISHED_FIELDS = (
    0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3.1, 3.4, 3.7, 4.0, 4.8,
)  # fmt: skip
_PUBLISHED = replace(
    STEADY, fields=_PUBLISHED_FIELDS, n_hidden=32, n_iterations=500, n_samples=10_000, n_chains=2500, n_eval=100_000
)
PAPER = Scale(
    {
        "tfim-16": _steady(
            replace(_PUBLISHED, columns=16),
            "a ring of 16 spins at 23 fields, 500 updates with 10,000 strings each; there is no exact reference",
        ),
        "tfim-6": _steady(
            replace(_PUBLISHED, columns=6),
            "the same for a ring of 6 spins, of which the exact steady state is known",
            *FULL_SUMS,
        ),
        "xyz-3x3": _dynamics(
            replace(
                DYNAMICS,
                rows=3,
                columns=3,
                n_hidden=32,
                n_iterations=120,
                lr=0.01,
                halve_at=80,
                n_samples=100,
                n_chains=25,
                tau=0.008,
                n_steps=1000,
                n_eval=50_000,
                max_exact_sites=9,
            ),
            "3x3 spins from all up, 1,000 steps of 0.016; 120 updates with 100 strings each",
        ),
        "order": _order(replace(ORDER, columns=4)),
    },
    datasets=GENERATED,
    seeds=5,
    minutes=100_000,
)

SCALES = {"smoke": SMOKE, "small": SMALL, "paper": PAPER}
