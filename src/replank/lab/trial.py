"""A trial is one arm with one seed under one protocol on one data set: the unit that is run, recorded and resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import torch

from replank.datasets import Dataset, Sequences, Series
from replank.errors import DataError

if TYPE_CHECKING:
    from replank.datasets import Data

Progress = Callable[[int, int, Mapping[str, float]], None]
"""Called as ``progress(epoch, n_epochs, values)`` while a trial runs."""


Kind = TypeVar("Kind", Dataset, Series, Sequences)

Settings = Any
"""A frozen dataclass of a study's own: what a trial needs to know besides its arm, seed and data."""


@dataclass(frozen=True)
class Arm:
    """One alternative of a study.

    Args:
        name: short name, as typed at the command line.
        about: one sentence: what is different from the baseline, and why one wants to know.
        kind: the ``baseline``, a ``rung`` of the ladder, or a ``control``.
    """

    name: str
    about: str
    kind: Literal["baseline", "rung", "control"] = "rung"


@dataclass(frozen=True)
class TrialKey:
    """What a trial is identified by: two trials with equal keys give equal metrics on the same machine.

    Args:
        study: slug.
        scale: name of the scale.
        protocol: name of the protocol within the scale.
        dataset: name of the data set.
        arm: name of the arm.
        seed: non-negative integer.
        settings: resolved settings as canonical JSON.
        data_sha256: fingerprint of the data.
        code: fingerprint of the code that can change the numbers.
        threads: compute threads of the trial; they change the order of floating-point sums.
        device: kind of device, ``"cpu"`` or ``"cuda"``, for the same reason.
    """

    study: str
    scale: str
    protocol: str
    dataset: str
    arm: str
    seed: int
    settings: str
    data_sha256: str
    code: str
    threads: int
    device: str = "cpu"

    @property
    def digest(self) -> str:
        """SHA-256 over all fields: the key in the ledger."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.arm} seed {self.seed} ({self.protocol}, {self.dataset})"


def canonical_settings(settings: Settings) -> str:
    """Settings as JSON with sorted keys, for keys and for the ledger."""
    return json.dumps(asdict(settings), sort_keys=True)


@dataclass(frozen=True)
class Trial:
    """What a study's ``run`` function is given.

    Args:
        key: identity.
        arm: the alternative to build.
        settings: the study's settings, resolved for this arm and data set.
        data: already loaded and verified; :attr:`dataset`, :attr:`series` and :attr:`sequences` say of which kind.
        device: where to compute.
        progress: call it at the end of each epoch, or whatever the study's unit of work is.
    """

    key: TrialKey
    arm: Arm
    settings: Settings
    data: Data
    device: torch.device
    progress: Progress

    @property
    def seed(self) -> int:
        """The seed; :mod:`replank.seeding` derives one stream for each purpose from it."""
        return self.key.seed

    @property
    def dataset(self) -> Dataset:
        """The data, if they are images with labels.

        Raises:
            DataError: they are not, and the study is about such; so with :attr:`series` and :attr:`sequences`.
        """
        return self._of_kind(Dataset, "images with labels")

    @property
    def series(self) -> Series:
        """The data, if they are one time series."""
        return self._of_kind(Series, "a time series")

    @property
    def sequences(self) -> Sequences:
        """The data, if they are labelled strings."""
        return self._of_kind(Sequences, "labelled strings")

    def _of_kind(self, kind: type[Kind], words: str) -> Kind:
        if isinstance(self.data, kind):
            return self.data
        raise DataError(
            f"{self.key.study}: the data set must be {words}, got {self.key.dataset}, which is {self.data.kind}. "
            "`replank show STUDY` names the study's own sets."
        )


@dataclass
class Measurements:
    """What a study's ``run`` function returns.

    Args:
        metrics: final numbers by name, e.g. ``{"test_accuracy": 0.91, "parameters": 130394}``.
        curves: one dictionary for each epoch, with the key ``"epoch"`` and numbers by name.
        artefacts: arrays worth keeping, by name, e.g. learned kernels.
    """

    metrics: dict[str, float]
    curves: list[dict[str, float]] = field(default_factory=list)
    artefacts: Mapping[str, np.ndarray] = field(default_factory=dict)

    def not_finite(self) -> list[str]:
        """Names of metrics and curves that hold NaN or infinity."""
        rows = [self.metrics, *self.curves]
        return sorted({name for row in rows for name, value in row.items() if not np.isfinite(value)})


@dataclass
class Record:
    """What a trial left: one row of the ledger with its curves and artefacts.

    Args:
        key: identity.
        status: ``"done"`` or ``"failed"``.
        measurements: what was measured; of a failed trial, what there was of it.
        environment: where it ran, see :mod:`replank.lab.environment`.
        started: Unix time in seconds.
        wall_s: elapsed seconds of the whole trial.
        cpu_s: CPU seconds of the whole trial.
        error: one line, of a failed trial.
        traceback: of a failed trial.
    """

    key: TrialKey
    status: str
    measurements: Measurements
    environment: dict[str, Any]
    started: float
    wall_s: float
    cpu_s: float
    error: str | None = None
    traceback: str | None = None
