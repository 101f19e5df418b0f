"""Series from the columns of comma-separated tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping

import numpy as np

from replank.datasets._card import Card
from replank.datasets._files import DataFile, Edition
from replank.datasets._recipe import FromFiles
from replank.datasets._series import Points, Values
from replank.errors import DataError

MISSING = ("", "NA")
"""What stands where nothing was measured."""


def column_set(
    card: Card, name: str, digest: str, url: str, column: str, packed_digest: str | None = None
) -> FromFiles:
    """A series that is a column of one table, in ``timeseries/`` or in the data folder itself.

    Args:
        card: what it is.
        name: of the file.
        digest: SHA-256 of the file, unpacked.
        url: where the unpacked file can be downloaded.
        column: its heading.
        packed_digest: SHA-256 of ``name.gz``, if it comes in this form, too.
    """
    forms = [DataFile(name, f"sha256:{digest}", url)]
    if packed_digest is not None:
        forms.append(DataFile(name, f"sha256:{digest}", packed_digest=f"sha256:{packed_digest}"))
    return FromFiles(tuple(Edition(card, (file,), _reader(name, column), ("timeseries", "")) for file in forms))


def column_values(content: bytes, column: str) -> Values:
    """The numbers of a column in the order of the rows; NaN where the table has none.

    Raises:
        DataError: there is no such column, or something in it is not a number.
    """
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    if column not in (rows.fieldnames or ()):
        raise DataError(f"column_values: the table must have a column {column}, got {rows.fieldnames}.")
    cells = [row[column] for row in rows]
    try:
        return np.array([np.nan if cell in MISSING else float(cell) for cell in cells])
    except (TypeError, ValueError) as error:
        raise DataError(f"column_values: the column {column} must hold numbers, got {error}.") from error


def longest_stretch(values: Values) -> Values:
    """The longest part without NaN, the first if there are several: nothing is filled in.

    Raises:
        DataError: all is NaN.
    """
    gaps = np.flatnonzero(np.isnan(values))
    ends = np.concatenate(([-1], gaps, [len(values)]))
    lengths = np.diff(ends) - 1
    longest = int(lengths.argmax())
    if not lengths[longest]:
        raise DataError(f"longest_stretch: some number must not be missing, got {len(values)} values without any.")
    return values[ends[longest] + 1 : ends[longest + 1]]


def _reader(name: str, column: str) -> Callable[[Mapping[str, bytes]], Points]:
    def read(contents: Mapping[str, bytes]) -> Points:
        return Points(longest_stretch(column_values(contents[name], column)))

    return read
