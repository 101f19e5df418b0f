"""Records as tables: what claims, figures and reports read.

They come from a ledger, or from a list of what trials left just now; a reader can't tell the difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from replank.errors import UnknownName, UsageError
from replank.lab.trial import Record

_CELL = ("scale", "protocol", "dataset", "arm", "seed")
_CURVE_COLUMNS = (*_CELL, "epoch", "name", "value")
_OF_THE_TRIAL = ("status", "error", "traceback", "wall_s", "cpu_s", "started")
_OF_THE_KEY = ("study", *_CELL, "settings", "data_sha256", "code", "threads", "device")


@dataclass(frozen=True, eq=False)
class Records:
    """What trials left, one record for each.

    Args:
        records: the trials, in the order in which tables and pictures show them.
        left_out: how many trials of the same arms are not here because they were run with older settings.
    """

    records: tuple[Record, ...]
    left_out: int = 0

    @classmethod
    def of(cls, records: Iterable[Record]) -> Self:
        """Records of these trials."""
        return cls(tuple(records))

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a trial.

        The fields of its key with their digest, ``data_differ`` (how the data differ from the official copy, in
        words), ``status``, ``error``, ``traceback``, ``wall_s``, ``cpu_s``, ``started``, and a column for each metric
        (NaN where a trial does not have it).
        """
        metrics = sorted({name for record in self.records for name in record.measurements.metrics})
        rows = [
            (
                *(getattr(record.key, name) for name in _OF_THE_KEY),
                record.key.digest,
                _data_differ(record),
                *(getattr(record, name) for name in _OF_THE_TRIAL),
                *(record.measurements.metrics.get(name, np.nan) for name in metrics),
            )
            for record in self.records
        ]
        return pd.DataFrame(rows, columns=[*_OF_THE_KEY, "digest", "data_differ", *_OF_THE_TRIAL, *metrics])

    @cached_property
    def curves(self) -> pd.DataFrame:
        """One row for each trial, epoch and curve: ``scale, protocol, dataset, arm, seed, epoch, name, value``."""
        rows = [
            (*(getattr(record.key, name) for name in _CELL), int(point["epoch"]), name, value)
            for record in self.records
            for point in record.measurements.curves
            for name, value in sorted(point.items())
            if name != "epoch"
        ]
        return pd.DataFrame(rows, columns=list(_CURVE_COLUMNS))

    @property
    def environments(self) -> list[dict[str, Any]]:
        """The environments in which the trials ran, each once."""
        return list({json.dumps(each.environment, sort_keys=True): each.environment for each in self.records}.values())

    def only(
        self,
        *,
        scale: str | None = None,
        protocol: str | None = None,
        dataset: str | None = None,
        arm: str | None = None,
        seed: int | None = None,
    ) -> Self:
        """The records of one scale, protocol, data set, arm or seed; what is not given is not restricted."""
        given = {"scale": scale, "protocol": protocol, "dataset": dataset, "arm": arm, "seed": seed}
        wanted = {name: value for name, value in given.items() if value is not None}.items()
        kept = tuple(record for record in self.records if wanted <= asdict(record.key).items())
        return type(self)(kept, self.left_out)

    def artefact(self, name: str, arm: str, *, seed: int = 0) -> np.ndarray:
        """An array that a trial left; one that lies in a ledger is read now.

        Args:
            name: of the artefact.
            arm: whose trial.
            seed: of the trial.

        Raises:
            UnknownName: the trial left no such artefact.
            UsageError: there is not exactly one such trial; narrow the records with :meth:`only` first.
        """
        found = self.only(arm=arm, seed=seed).records
        if len(found) != 1:
            raise UsageError(
                f"artefact: exactly one trial must match, got {len(found)} of arm={arm!r}, seed={seed}. "
                "Name an arm and a seed that were run, and choose a scale, protocol and data set with only()."
            )
        artefacts = found[0].measurements.artefacts
        if name not in artefacts:
            raise UnknownName(f"artefact of {arm}", name, artefacts)
        return artefacts[name]


def _data_differ(record: Record) -> str:
    return "; ".join(record.environment.get("data", {}).get("known_differences", ()))
