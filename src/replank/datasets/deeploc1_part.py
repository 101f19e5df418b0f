"""deeploc1_part: proteins of DeepLoc 1.0 with one of ten locations: its test set, and a part of its training set."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Mapping

import numpy as np

from replank.datasets._card import Card
from replank.datasets._files import DataFile, Edition
from replank.datasets._recipe import FromFiles
from replank.datasets._sequences import Labelled, Parts
from replank.errors import DataError

_CARD = Card(
    name="deeploc1_part",
    title="DeepLoc 1.0 (part: 1,678 training, 2,768 test and 490 hard proteins)",
    about="DeepLoc 1.0",
    licence="sequences and annotation of UniProt CC BY 4.0; repository MIT",
    source="https://github.com/HannesStark/protein-localization",
    citation="Almagro Armenteros et al. (2017), DeepLoc, Bioinformatics 33, 3387",
    n_train=1_678,
    n_test=2_768,
    classes=(
        "Cell membrane",
        "Cytoplasm",
        "Cytoplasm-Nucleus",
        "Endoplasmic reticulum",
        "Extracellular",
        "Golgi apparatus",
        "Lysosome/Vacuole",
        "Mitochondrion",
        "Nucleus",
        "Peroxisome",
        "Plastid",
    ),
    split="the official test set; the set's validation part is what is trained on; hard: a set of its own, published "
    "later, of less similar proteins",
    known_differences=(
        "the official training set is not here: models are trained on the 1,678 proteins of a validation part of it",
        "23 training proteins carry the label Cytoplasm-Nucleus, no test protein does",
    ),
)

_NAMES = {"train": "val", "test": "test", "hard": "hard"}
_COLUMNS = {"split", "location", "sequence"}


def read_table(contents: Mapping[str, bytes]) -> Parts:
    """A gzipped table with tabs between the columns.

    Raises:
        DataError: it is none, or has other columns or locations.
    """
    ((name, content),) = contents.items()
    try:
        text = gzip.decompress(content).decode()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise DataError(f"{name}: must be gzipped text, got {error}. Replace the file.") from None
    table = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    rows = list(table)
    number = {location: label for label, location in enumerate(_CARD.classes)}
    if not set(table.fieldnames or ()) >= _COLUMNS or not {row["location"] for row in rows} <= set(number):
        raise DataError(
            f"{name}: must have the columns {', '.join(sorted(_COLUMNS))} and known locations, got "
            f"{', '.join(table.fieldnames or ())}. The file is not this data set's."
        )
    parts = Parts()
    for part, published in _NAMES.items():
        chosen = [row for row in rows if row["split"] == published]
        labels = np.array([number[row["location"]] for row in chosen], np.int64)
        parts[part] = Labelled(tuple(row["sequence"] for row in chosen), labels)
    return parts


_FILE = DataFile("deeploc1_part.tsv.gz", "sha256:d59dd696fdc815a83317c807c6531516b8cd8acf0ae190d0dd2b35f52aa4796b")

SET = FromFiles((Edition(_CARD, (_FILE,), read_table),))
