"""A time series with its card, from a file or from a formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replank.datasets._card import Card, fingerprint
from replank.datasets._recipe import Info, Verification
from replank.errors import DataError

Values = NDArray[np.float64]


class Points(NamedTuple):
    """The values of a series (T,), float64, in the order of time."""

    values: Values

    def described(self, card: Card) -> Series:
        """The series of these values."""
        return Series.of(card, self.values)


@dataclass(frozen=True, eq=False)
class Series:
    """One variable at equally spaced times. How it is cut into windows, scaled and split is up to a study.

    Args:
        card: provenance and fingerprint.
        values: float64, (T,), in the order of time.
    """

    kind: ClassVar[str] = "a time series"

    card: Card
    values: Values = field(repr=False)

    @classmethod
    def of(cls, card: Card, values: Values) -> Series:
        """The series of these values, with its fingerprint.

        Raises:
            DataError: they are not one finite number after the other.
        """
        if values.dtype != np.float64 or values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            raise DataError(
                f"{card.name}: a series must be finite float64 of shape (T,), got {values.dtype} of shape "
                f"{values.shape}. The file is not this data set's."
            )
        return cls(replace(card, sha256=fingerprint(values)), values)


@dataclass(frozen=True)
class Computed:
    """A series that follows from a formula, and needs no file.

    Args:
        card: what it is.
        compute: its values.
    """

    card: Card
    compute: Callable[[], Values]

    @property
    def info(self) -> Info:
        """What is known without computing it."""
        card = self.card
        return Info(card.name, card.title, card.licence, card.shape, files=(), urls=(), embedded=True)

    def load(self, folder: Path | None) -> Series:
        """The series; it needs no folder."""
        return Series.of(self.card, self.compute())

    def verify(self, folder: Path | None) -> Verification:
        """There is nothing that could be missing."""
        return Verification(self.card.name, self.card.title, None, ())

    def fetch(self, folder: Path | None) -> Verification:
        """Nothing has to be downloaded."""
        return self.verify(folder)
