"""A made-up study that costs nothing, and what its trials leave; found as ``ark:STUDY``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.claim import Claim, Rule, difference, every_seed, table_of
from replank.lab.records import Records
from replank.lab.report.figures import image_grid, learning_curves
from replank.lab.study import Contrast, Figure, Protocol, Scale, Study
from replank.lab.trial import Arm, Measurements, Record, Trial, TrialKey, canonical_settings
from replank.sources import Paper, Provenance, Source

PAPER = Paper("noah2024ark", "Arks of Gopher Wood", ("Noah", "Shem"), 2024, arxiv="2401.00001")
LEVELS = {"keel": 0.861, "oak": 0.889, "reed": 0.777, "frozen-reed": 0.62, "oak-small": 0.884}
SIZES = {"keel": 13210, "oak": 13850, "reed": 9480, "frozen-reed": 9480, "oak-small": 13100}


@dataclass(frozen=True)
class ArkSettings:
    """What a trial needs to know."""

    epochs: int = 6
    lr: float = 0.01
    sinks: bool = False


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


def measurements(arm: str, seed: int) -> Measurements:
    """What a trial measures: a number made of its arm and seed."""
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
    return Measurements(metrics, curves, {"kernels": noise.standard_normal((10, 3, 3))})


def _run(trial: Trial) -> Measurements:
    if trial.settings.sinks and trial.arm.name == "reed":
        raise RuntimeError("the reed sinks")
    measured = measurements(trial.arm.name, trial.seed)
    for row in measured.curves:
        trial.progress(int(row["epoch"]), len(measured.curves), row)
    return measured


def _claim(
    number: str, statement: str, reported: str, how: Provenance, rule: Rule, datasets: tuple[str, ...] = ()
) -> Claim:
    counterexample = table_of(keel={"test_accuracy": [0.9, 0.9]}, oak={"test_accuracy": [0.1, 0.2]})
    rules = {"A": rule, "B": rule}
    return Claim(number, statement, reported, Source(PAPER, "table 1", how), rules, counterexample, datasets)


STUDY = Study(
    slug="ark",
    title="What changes when a keel is laid of other wood?",
    paper=PAPER,
    question="The host has a hull and a deck. Both are replaced in turn by parts with the same interface, and all "
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
               difference("test_accuracy", "oak", minus="keel", above=0), ("cifar10",)),
        _claim("C5", "No deck of reed goes below the floor.", "1.46115", "derived",
               every_seed("train_loss", "reed", at_least=1.46115)),
    ),
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm="oak", same_size=("oak-small", "keel"), others=("reed",),
        says="Oak adds nothing that its size does not. Reed takes something away.",
    ),
    finding=("The published configuration is not watertight: its outputs stop being probabilities during training, so "
             "both parametrisations run here, and the floor is drawn into the loss plot.",),
    figures=(
        Figure("train_loss", "Training loss and its floor", "No unitary deck can go below it.", _loss_and_floor),
        Figure("kernels", "Kernels", "The strongest kernels that each arm has learned.", _kernels),
    ),
    ladder=lambda settings, dataset: Planks(),  # type: ignore[arg-type,return-value]
)  # fmt: skip


def record(arm: str, seed: int, *, protocol: str = "A", dataset: str = "mnist5k", failed: bool = False) -> Record:
    """What one trial left."""
    key = TrialKey(
        study="ark", scale="small", protocol=protocol, dataset=dataset, arm=arm, seed=seed,
        settings=canonical_settings(ArkSettings()), data_sha256="d" * 64, code="c" * 64, threads=1,
        device="cpu",
    )  # fmt: skip
    environment = {
        "replank": {"version": "0.1.0"}, "python": "CPython 3.11", "cpu": {"model": "A CPU", "logical_cores": 2},
        "packages": {"torch": "2.13.0", "numpy": "2.4.6"}, "torch": {"threads": 1, "cudnn": {"benchmark": False}},
    }  # fmt: skip
    if failed:
        error = "TrialError: not finite: train_loss."
        trace = f'Traceback (most recent call last):\n  File "ark.py", line 7\n{error}'
        return Record(key, "failed", Measurements({}), environment, 1.7e9 + seed, 3.2, 3.1, error, trace)
    return Record(key, "done", measurements(arm, seed), environment, 1.7e9 + seed, 12.5, 12.1)
