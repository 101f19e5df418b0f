"""A study that costs nothing, with arms that misbehave; found as ``fake_study:STUDY``."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from replank.lab.claim import Claim, difference, every_seed, table_of
from replank.lab.study import Protocol, Scale, Study
from replank.lab.trial import Arm, Measurements, Trial
from replank.seeding import torch_stream
from replank.sources import Paper, Source

LOG = "FAKE_STUDY_LOG"
"""Environment variable: a file that gets a line for each trial that is started, ``arm seed pid``."""


@dataclass(frozen=True)
class FakeSettings:
    epochs: int = 2
    lr: float = 0.1
    seconds: float = 0.0


def run(trial: Trial) -> Measurements:
    if LOG in os.environ:
        with Path(os.environ[LOG]).open("a") as log:
            log.write(f"{trial.arm.name} {trial.seed} {os.getpid()}\n")
    match trial.arm.name:
        case "raises":
            raise RuntimeError(f"no luck with {Path(__file__).resolve()}")
        case "exits":
            os._exit(3)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
    return _descend(trial)


def _descend(trial: Trial) -> Measurements:
    """Steps of least squares from a start in a stream of its own, with noise from torch's default generator."""
    x = torch.from_numpy(trial.dataset.train_x[:256].reshape(256, -1)).float() / 16
    y = torch.from_numpy(trial.dataset.train_y[:256]).float()
    weight = torch.randn(x.shape[1], generator=torch_stream(trial.seed, "host"))
    curves = []
    for epoch in range(1, trial.settings.epochs + 1):
        time.sleep(trial.settings.seconds / trial.settings.epochs)
        residual = x @ weight - y
        weight = weight - trial.settings.lr * (x.T @ residual) / len(x) + 1e-3 * torch.randn(len(weight))
        curves.append({"epoch": epoch, "train_loss": float(residual.square().mean())})
        trial.progress(epoch, trial.settings.epochs, curves[-1])
    loss = float((x @ weight - y).square().mean()) + (0.5 if trial.arm.name == "worse" else 0.0)
    return Measurements(
        {"train_loss": float("nan") if trial.arm.name == "diverges" else loss},
        curves,
        {"weight": weight.numpy(), "scene": np.zeros(4096)},
    )


PAPER = Paper(key="nobody2024nothing", title="Nothing", authors=("Nobody",), year=2024)
COUNTEREXAMPLE = table_of(steady={"train_loss": [1.0, 2.0, 3.0]}, worse={"train_loss": [0.0, 1.0, 2.0]})


def _claim(number: int, arm: str) -> Claim:
    return Claim(
        id=f"C{number}",
        statement=f"{arm} is worse than steady.",
        reported="0.5",
        source=Source(PAPER, "table 1", "paper"),
        rules={"plain": difference("train_loss", arm, minus="steady", above=0.1)},
        counterexample=COUNTEREXAMPLE,
    )


STUDY = Study(
    slug="fake",
    title="Does the laboratory work?",
    paper=PAPER,
    question="Nothing is swapped.",
    arms=(
        Arm("steady", "the baseline", "baseline"),
        Arm("worse", "half a point worse"),
        Arm("raises", "an exception"),
        Arm("diverges", "NaN"),
        Arm("exits", "takes its process down"),
        Arm("killed", "as by the system when memory runs out"),
    ),
    scales={
        "smoke": Scale({"plain": Protocol(FakeSettings())}, ("digits",), seeds=2, minutes=0.1),
        "paper": Scale(
            {"plain": Protocol(FakeSettings(epochs=3)), "late": Protocol(FakeSettings())}, ("digits",), 1, minutes=1
        ),
    },
    run=run,
    claims=(
        *(_claim(number, arm) for number, arm in enumerate(("worse", "raises", "diverges", "exits"), 1)),
        Claim(
            "C5", "A law.", "0", Source(None, "us", "ours"),
            {"plain": every_seed("train_loss", "steady", at_least=0.0)},
            table_of(steady={"train_loss": [-1.0]}),
        ),
    ),
    headline_metric="train_loss",
)  # fmt: skip
