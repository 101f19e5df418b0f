"""What a trial of this study needs to know, at each scale: every experiment is a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from replank.circuits.estimators import Gradient
from replank.features.threshold import Reduction
from replank.lab.study import Protocol, Scale
from replank.studies.farhi_neven_qnn.classifier import Letter, Start
from replank.studies.farhi_neven_qnn.task import Loss

ProblemName = Literal[
    "images", "parity", "majority", "superposition-parity", "superposition-majority", "energy", "representation"
]
ModelName = Literal["circuit", "logistic", "logistic-edges", "sine", "mlp", "vote"]
Rule = Literal["adam", "sgd", "farhi", "spsa"]


@dataclass(frozen=True)
class ReadoutSettings:
    """Problem, model and training.

    Args:
        problem: what is learned.
        model: what learns it.
        layers: words of the circuit's layers, see :func:`replank.circuits.templates.readout_layers`; parity and
            energies have circuits of their own.
        backend: ``"factorised"``: the closed form; ``"generic"``: the simulator.
        readout_pauli: what is measured.
        readout_init: the readout's state at the start.
        fixed_weight: the value of all weights, which are then not trained; 0 means that they are drawn and trained.
        rule: how weights are updated.
        lr: its step size, or the factor r of Farhi and Neven's rule.
        loss: of label times score.
        epochs: passes over the training set.
        batch_size: samples a step; 0 means all.
        starts: initial weights that are trained side by side; the start of least training loss is judged.
        gradient: where the simulator's derivatives come from.
        shots: how often each circuit is measured in training; 0 means exact values.
        mode: how images are reduced.
        side: pixels a side.
        threshold: brightness from 0 to 1 above which a bit is 1.
        contradictions: whether training strings that occur with both labels are removed, as in the paper.
        n_bits: of the problems that have no images.
        noise: share of training labels that are flipped.
        n_train: training samples; strings of parities are drawn, those of majorities come equally often.
        n_test: fresh states of energies; strings are all tested.
        least_accuracy: test accuracy from which a start counts as a success.
        gradient_draws: random weights over which the parity's gradient is averaged.
    """

    problem: ProblemName
    model: ModelName = "circuit"
    layers: tuple[str, ...] = ("ZX", "XX") * 3
    backend: Literal["factorised", "generic"] = "factorised"
    readout_pauli: Letter = "Y"
    readout_init: Start = "0"
    fixed_weight: NonNegativeFloat = 0.0
    rule: Rule = "adam"
    lr: PositiveFloat = 0.05
    loss: Loss = "linear"
    epochs: PositiveInt = 600
    batch_size: NonNegativeInt = 0
    starts: PositiveInt = 1
    gradient: Gradient = "adjoint"
    shots: NonNegativeInt = 0
    mode: Reduction = "block"
    side: PositiveInt = 4
    threshold: float = 0.25
    contradictions: Literal["remove", "keep"] = "remove"
    n_bits: PositiveInt = 6
    noise: NonNegativeFloat = 0.0
    n_train: PositiveInt = 256
    n_test: PositiveInt = 1000
    least_accuracy: PositiveFloat = 0.98
    gradient_draws: NonNegativeInt = 0


Changes = Mapping[str, Mapping[str, Any]]

# -- arms: what each one is, whatever the problem ----------------------------------------------------------------------

# a convex problem, to which a larger step only brings its end nearer
LOGISTIC = {"model": "logistic", "loss": "logistic", "lr": 0.2}
PER_SAMPLE = {"starts": 1, "batch_size": 1}
SHARED: Changes = {
    "logistic": LOGISTIC,
    "logistic-edges": LOGISTIC | {"model": "logistic-edges"},
    "sine-linear": {"model": "sine"},
    "mlp": {"model": "mlp", "loss": "logistic"},
    "vote": {"model": "vote", "epochs": 1},
    "qnn-zx": {"layers": ("ZX",)},
    "qnn-hinge": {"loss": "hinge"},
    "qnn-logistic": {"loss": "logistic"},
    "rule-farhi": PER_SAMPLE | {"rule": "farhi", "lr": 0.3, "epochs": 3},
    "rule-sgd": PER_SAMPLE | {"rule": "sgd", "lr": 0.003, "epochs": 3},
    "rule-spsa": {"rule": "spsa", "starts": 1, "lr": 0.3},
}

IMAGES = ReadoutSettings("images", starts=5)
RIVALS = ("logistic", "sine-linear", "mlp", "vote")
ENCODINGS: Mapping[str, Mapping[str, Any]] = {
    "block-0.1": {"threshold": 0.1},
    "block-0.5": {"threshold": 0.5},
    "point-0.25": {"mode": "point"},
    "point-0.5": {"mode": "point", "threshold": 0.5},
}
SHOTS = (1, 10, 100, 1000, 10000)


def _images(settings: ReadoutSettings, about: str, arms: tuple[str, ...], changes: Changes = SHARED) -> Protocol:
    return Protocol(settings, by_arm=changes, about=about, arms=arms, datasets=("*mnist*", "digits"))


def _generated(settings: ReadoutSettings, about: str, arms: tuple[str, ...], changes: Changes = SHARED) -> Protocol:
    return Protocol(settings, by_arm=changes, about=about, arms=arms, datasets=("generated",))


def _encodings(settings: ReadoutSettings) -> dict[str, Protocol]:
    """3 against 6 in the closed form, in all encodings."""
    arms = ("logistic", "qnn", "sine-linear", "vote")
    return {
        "block-0.25": _images(
            settings,
            "3 against 6, means over 7x7 blocks above 0.25; trained on strings that occur with one label",
            (*RIVALS, "qnn", "qnn-*", "rule-*"),
        ),
        "block-0.25-all": _images(
            replace(settings, contradictions="keep"), "the same, trained on all strings", (*RIVALS, "qnn", "qnn-zx")
        ),
        **{
            name: _images(replace(settings, **encoding), f"the same, {name.replace('-', ' above ')}", arms)
            for name, encoding in ENCODINGS.items()
        },
    }


def _simulated(settings: ReadoutSettings, shifted: Mapping[str, Any]) -> Protocol:
    """3 against 6 at 3x3 pixels on the generic simulator, which takes any circuit and any gradient."""
    changes: Changes = {
        **SHARED,
        "xx-zz*": {"readout_pauli": "X", "readout_init": "-", "layers": ("XX", "ZZ")},
        "xx-zz-3": {"layers": ("XX", "ZZ") * 3},
        "zzx": {"layers": ("ZX", "ZZX", "XX")},
        "shift*": {**shifted, "gradient": "parameter_shift"},
        "shots-*": {**shifted, "gradient": "parameter_shift"},
        **{f"shots-{n}": {"shots": n} for n in SHOTS},
    }
    return _images(
        # of 3x3 encodings the one whose training strings have the highest ceiling
        replace(settings, backend="generic", mode="point", side=3, contradictions="keep"),
        "3 against 6 at 3x3 points above 0.25, all strings; 10 simulated qubits: gate sets, gradients, shots",
        (*RIVALS, "qnn", "qnn-zx", "xx-zz*", "zzx", "shift", "shots-*"),
        changes,
    )


def _parity(settings: ReadoutSettings, sizes: tuple[int, ...]) -> Protocol:
    changes: Changes = {
        **SHARED,
        "parity-*": PER_SAMPLE | {"rule": "farhi", "lr": 0.1, "epochs": 1},
        **{f"parity-{n}": {"n_bits": n} for n in sizes},
        "adam-parity-10": {"n_bits": 10, "n_train": 1024},
    }
    return _generated(
        settings,
        "a random subset's parity, its bits drawn one string after the other, each seen once",
        ("logistic", "vote", "adam-parity-10", *(f"parity-{n}" for n in sizes)),
        changes,
    )


def _majorities(settings: ReadoutSettings) -> dict[str, Protocol]:
    changes: Changes = {**SHARED, "rule-farhi": {**SHARED["rule-farhi"], "epochs": 5}}
    return {
        f"majority-{percent}": _generated(
            replace(settings, noise=percent / 100),
            f"the majority of an odd random subset of bits, {percent} % of training labels flipped",
            ("logistic", "qnn", "sine-linear", "rule-farhi", "vote"),
            changes,
        )
        for percent in (0, 10, 20)
    }


def _superpositions(settings: ReadoutSettings) -> dict[str, Protocol]:
    problems: tuple[ProblemName, ...] = ("superposition-parity", "superposition-majority")
    return {
        problem: _generated(
            replace(settings, problem=problem),
            f"two training states: all strings of label +1, and all of label -1; {problem.split('-')[1]} of three bits",
            ("logistic", "qnn", "qnn-zx"),
        )
        for problem in problems
    }


def _energies(settings: ReadoutSettings) -> Protocol:
    changes: Changes = {
        **SHARED,
        "rule-farhi": {**SHARED["rule-farhi"], "lr": 0.02, "epochs": 2},
        "exact-energy": {"fixed_weight": 0.05, "epochs": 1},
    }
    return _generated(
        settings,
        f"the sign of a random 3-regular graph's energy in random product states of {settings.n_bits} qubits",
        ("logistic", "logistic-edges", "qnn", "rule-farhi", "exact-energy", "vote"),
        changes,
    )


def _representation(n_bits: int) -> Protocol:
    return _generated(
        ReadoutSettings("representation", n_bits=n_bits, epochs=1),
        f"the paper's circuits without training, on all strings of up to {n_bits} bits",
        ("exact-parity", "exact-majority", "exact-function"),
    )


# Step sizes were chosen by training loss, none by test data: Adam's among 0.02, 0.05 and 0.1, those of the other rules
# among 0.003, 0.01 and 0.03 (SGD), 0.003 to 0.6 (the paper's), 0.1, 0.3 and 1 (SPSA).
SIMULATED = replace(IMAGES, starts=1, epochs=12, batch_size=64)
SHIFTED = {"layers": ("ZX", "XX"), "epochs": 2, "batch_size": 16}
PARITY = ReadoutSettings("parity", n_train=500, epochs=200, starts=20, least_accuracy=1.0, gradient_draws=200)
MAJORITY = ReadoutSettings("majority", layers=("ZX",), n_train=256, epochs=300, starts=20)
SUPERPOSITION = ReadoutSettings(
    "superposition-parity", layers=("ZX", "XX", "ZZX") * 2, backend="generic", epochs=400, starts=20
)
ENERGY = ReadoutSettings("energy", backend="generic", n_train=500, epochs=150)

SIZES = (2, 4, 6, 8, 10)
SMALL = Scale(
    {
        **_encodings(IMAGES),
        "3x3": _simulated(SIMULATED, SHIFTED),
        "parity": _parity(PARITY, SIZES),
        **_majorities(MAJORITY),
        **_superpositions(SUPERPOSITION),
        "energy": _energies(ENERGY),
        "energy-8": _energies(replace(ENERGY, n_bits=8)),
        "representation": _representation(8),
    },
    datasets=("mnist10k",),
    seeds=3,
    minutes=4,
    more_seeds={"parity-*": 20, "rule-farhi": 6},  # each is one start of the paper's rule
    without_files={"mnist10k": "mnist5k"},
)

_TINY = replace(IMAGES, starts=2, epochs=3)
_SHORT: Changes = {**SHARED, **{f"rule-{rule}": {**SHARED[f"rule-{rule}"], "epochs": 1} for rule in ("farhi", "sgd")}}
SMOKE = Scale(
    {
        "block-0.25": replace(_encodings(_TINY)["block-0.25"], by_arm=_SHORT),
        "3x3": _simulated(replace(_TINY, starts=1, epochs=1, batch_size=200), {**SHIFTED, "batch_size": 100}),
        "parity": _parity(replace(PARITY, n_train=20, epochs=2, starts=2, gradient_draws=4), SIZES),
        "majority-10": replace(_majorities(replace(MAJORITY, epochs=2, starts=2))["majority-10"], by_arm=_SHORT),
        "superposition-majority": _superpositions(replace(SUPERPOSITION, epochs=3, starts=2))["superposition-majority"],
        "energy": _energies(replace(ENERGY, epochs=2, n_train=20, n_test=50)),
        "representation": _representation(3),
    },
    datasets=("digits",),
    seeds=1,
    minutes=0.3,
)

# The per-sample rule on the whole register of 17 qubits, and the shots study at the paper's size.
_PUBLISHED = replace(IMAGES, backend="generic", starts=1, rule="farhi", lr=0.3, epochs=3, batch_size=1, loss="linear")
_AT_FULL_SIZE: Changes = {
    **SHARED,
    **{arm: {"lr": 0.05, "rule": "adam", "epochs": 600, "batch_size": 0, "starts": 5, **SHARED[arm]} for arm in RIVALS},
    "xx-zz*": {"readout_pauli": "X", "readout_init": "-", "layers": ("XX", "ZZ")},
    "xx-zz-3": {"layers": ("XX", "ZZ") * 3},
    "zzx": {"layers": ("ZX", "ZZX", "XX")},
}
PAPER = Scale(
    {
        "published": _images(
            _PUBLISHED,
            "3 against 6, 17 qubits on the generic simulator, the paper's rule, three passes",
            (*RIVALS, "qnn", "qnn-zx", "xx-zz*", "zzx"),
            _AT_FULL_SIZE,
        ),
        **_encodings(replace(IMAGES, epochs=3000)),
        "3x3": _simulated(replace(SIMULATED, epochs=60), {"batch_size": 8, "epochs": 3}),
        "parity": _parity(replace(PARITY, n_train=5000, gradient_draws=500), SIZES),
        **{
            name if n == 6 else f"{name}-{n}": protocol
            for n in range(5, 10)
            for name, protocol in _majorities(replace(MAJORITY, n_bits=n, n_train=4 * 2**n)).items()
        },
        **_superpositions(replace(SUPERPOSITION, epochs=2000)),
        "energy": _energies(replace(ENERGY, n_bits=6, n_train=10_000, batch_size=100, epochs=10)),
        "energy-8": _energies(replace(ENERGY, n_bits=8, n_train=10_000, batch_size=100, epochs=10)),
        "representation": _representation(10),
    },
    datasets=("mnist",),
    seeds=5,
    minutes=400,
    more_seeds={"parity-*": 20, "rule-farhi": 20},
)

SCALES = {"smoke": SMOKE, "small": SMALL, "paper": PAPER}
