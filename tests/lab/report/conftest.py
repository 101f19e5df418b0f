"""A small made-up study and what its trials might have left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.claim import Claim, difference, every_seed, judge, table_of
from replank.lab.records import Records
from replank.lab.report.figures import image_grid, learning_curves
from replank.lab.study import Arm, Figure, Protocol, Scale, Study
from replank.lab.trial import Measurements, Record, Trial, TrialKey, canonical_settings
from replank.sources import Paper, Source

PAPER = Paper("noah2024ark", "Arks of Gopher Wood", ("Noah", "Shem"), 2024, arxiv="2401.00001")
LEVELS = {"keel": 0.861, "oak": 0.889, "reed": 0.777, "frozen-reed": 0.62, "oak-small": 0.884}
SIZES = {"keel": 13210, "oak": 13850, "reed": 9480, "frozen-reed": 9480, "oak-small": 13100}


@dataclass(frozen=True)
class ArkSettings:
    """What a trial needs to know."""

    epochs: int = 6
    lr: float = 0.01


class Planks:
    """Stands in for a ladder: it can say what fills its slots."""

    def table(self) -> pd.DataFrame:
        """One row a rung."""
        return pd.DataFrame(
            {
                "hull": ["Conv2d", "OakConv2d", "OakConv2d"],
                "deck": ["Linear", "Linear", "HamiltonianReuploadLinear, frozen"],
                "parameters": [13210, 13850, 9480],
            },
            index=["keel", "oak", "reed"],
        )


def _loss_and_floor(records: Records) -> MatplotlibFigure:
    return learning_curves(records, "train_loss", reference={"floor 1.461": 1.461})


def _kernels(records: Records) -> MatplotlibFigure:
    return image_grid({arm: list(records.artefact("kernels", arm)) for arm in ("keel", "oak")})


def _run(trial: Trial) -> Measurements:
    raise NotImplementedError


def _claim(number: str, statement: str, reported: str, how: str, rule: object, **more: object) -> Claim:
    source = Source(PAPER, "table 1", how)  # type: ignore[arg-type]
    counterexample = table_of(keel={"test_accuracy": [0.9, 0.9]}, oak={"test_accuracy": [0.1, 0.2]})
    return Claim(number, statement, reported, source, {"A": rule, "B": rule}, counterexample, **more)  # type: ignore[arg-type,dict-item]


STUDY = Study(
    slug="ark",
    title="What changes when a keel is laid of other wood?",
    paper=PAPER,
    question="The host has a hull and a deck. Both are replaced in turn by parts with the same interface, and everything "
    "else stays as it is, so that the effect of each replacement can be read off.",
    arms=(
        Arm("keel", "The host as it is.", "baseline"),
        Arm("oak", "The hull of oak."),
        Arm("reed", "Hull of oak and deck of reed."),
        Arm("frozen-reed", "As reed, never trained: does training matter?", "control"),
        Arm("oak-small", "Oak with no more parameters than the keel: is it the size?", "control"),
    ),
    scales={
        "smoke": Scale({"A": Protocol(ArkSettings(epochs=1))}, ("digits",), 1, 0.1),
        "small": Scale({"A": Protocol(ArkSettings(), about="Adam, six epochs.")}, ("mnist5k",), 3, 4),
    },
    run=_run,
    claims=(
        _claim("C1", "Oak floats better than the keel.", "92.30 ± 0.15 / 92.34 ± 0.14 %", "paper",
               difference("test_accuracy", "oak", minus="keel", above=0)),
        _claim("C2", "Reed floats better than oak.", "96.92 ± 0.36 %", "official code",
               difference("test_accuracy", "reed", minus="oak", above=0)),
        _claim("C3", "Small oak is as good as oak.", "less than 0.5 points", "recalled",
               difference("test_accuracy", "oak-small", minus="oak", above=-0.005, below=0.005)),
        _claim("C4", "Oak floats on salt water, too.", "48.94 %", "paper",
               difference("test_accuracy", "oak", minus="keel", above=0), datasets=("cifar10",)),
        _claim("C5", "No deck of reed goes below the floor.", "1.46115", "derived",
               every_seed("train_loss", "reed", at_least=1.46115)),
    ),
    headline_metric="test_accuracy",
    finding=("The published configuration is not watertight: its outputs stop being probabilities during training, so "
             "both parametrisations run here, and the floor is drawn into the loss plot.",),
    figures=(
        Figure("train_loss", "Training loss and its floor", "No unitary deck can go below the dotted line.", _loss_and_floor),
        Figure("kernels", "Kernels", "The strongest kernels that each arm has learned.", _kernels),
    ),
    ladder=lambda settings: Planks(),  # type: ignore[arg-type,return-value]
)  # fmt: skip


def record(arm: str, seed: int, *, protocol: str = "A", dataset: str = "mnist5k", failed: bool = False) -> Record:
    """What one trial left."""
    noise = np.random.default_rng([seed, list(LEVELS).index(arm)])
    level = LEVELS[arm] + 0.006 * noise.standard_normal()
    losses = 1.4 * np.exp(-np.arange(6) / 2) + 0.6 + 1.2 * (1 - level) + 0.02 * noise.standard_normal(6)
    curves = [
        {"epoch": float(epoch), "train_loss": float(loss), "test_accuracy": float(level - 0.3 * 0.4**epoch)}
        for epoch, loss in enumerate(losses, 1)
    ]
    metrics = {
        "parameters": float(SIZES[arm]), "trainable_parameters": float(SIZES[arm] * (arm != "frozen-reed")),
        "forward_flops": 90.0 * SIZES[arm], "train_accuracy": level + 0.02, "test_accuracy": level,
        "test_loss": float(losses[-1]), "test_ece": 0.03, "train_loss": float(losses[-1]),
        "train_wall_s_per_epoch": 0.2 + SIZES[arm] / 20000, "train_samples_per_s": 5000.0, "peak_memory_mib": 61.5,
        "initial_gradient_norm.hull": 0.7, "initial_gradient_norm.deck": 1.9,
    }  # fmt: skip
    key = TrialKey(
        study="ark", scale="small", protocol=protocol, dataset=dataset, arm=arm, seed=seed,
        settings=canonical_settings(ArkSettings()), data_sha256="d" * 64, code="c" * 64, threads=1,
        **({"device": "cpu"} if "device" in {field.name for field in fields(TrialKey)} else {}),
    )  # fmt: skip
    environment = {
        "replank": {"version": "0.1.0"}, "python": "CPython 3.11", "cpu": {"model": "A CPU", "logical_cores": 2},
        "packages": {"torch": "2.13.0", "numpy": "2.4.6"}, "torch": {"threads": 1, "cudnn": {"benchmark": False}},
    }  # fmt: skip
    if failed:
        error = "TrialError: not finite: train_loss."
        trace = f'Traceback (most recent call last):\n  File "ark.py", line 7\n{error}'
        return Record(key, "failed", Measurements({}), environment, 1.7e9 + seed, 3.2, 3.1, error, trace)
    kernels = {"kernels": noise.standard_normal((10, 3, 3))}
    return Record(key, "done", Measurements(metrics, curves, kernels), environment, 1.7e9 + seed, 12.5, 12.1)


MakeRecords = Callable[..., Records]


@pytest.fixture
def study() -> Study:
    return STUDY


@pytest.fixture
def make_records() -> MakeRecords:
    """Records of given arms and seeds; ``failed`` names trials that failed."""

    def make(
        *, arms: tuple[str, ...] = tuple(LEVELS), seeds: int = 3, failed: tuple[tuple[str, int], ...] = (), **place: str
    ) -> Records:
        return Records.of(
            record(arm, seed, failed=(arm, seed) in failed, **place) for seed in range(seeds) for arm in arms  # type: ignore[arg-type]
        )

    return make


@pytest.fixture
def records(make_records: MakeRecords) -> Records:
    return make_records(failed=(("frozen-reed", 1),))


@pytest.fixture
def judgements(study: Study, records: Records) -> list[object]:
    return list(judge(study.claims, records.table))
