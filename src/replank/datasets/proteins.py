"""Proteins as token numbers and as compositions; and made-up ones, for tests."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from replank.datasets._sequences import Labelled
from replank.seeding import numpy_stream

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
"""The 20 amino acids."""

UNKNOWN = "BOUXZ*"
"""Letters for residues that are not known, or none of the 20: tokens that do not count."""

HYDROPATHY = ("AILMFVWC", "GPSTYH", "DE", "KRNQ")
"""A reduced alphabet: hydrophobic, neutral, acidic, basic or polar."""

PADDING = 0
"""The token that does not count."""

# per cent in UniProtKB/Swiss-Prot, in the order of the letters
_UNIPROT = (8.25, 1.38, 5.46, 6.71, 3.86, 7.07, 2.27, 5.91, 5.80, 9.64, 2.41, 4.06, 4.74, 3.93, 5.52, 6.65, 5.36, 6.85,
            1.10, 2.92)  # fmt: skip
_WINDOW, _HYDROPHOBIC = 15, "AILMFVW"


class ProteinTokenizer:
    """The first residues of proteins as token numbers; 0 is the padding, and stands for residues that are not known.

    Args:
        kmer: residues of a token; tokens do not overlap, and one with an unknown residue is the padding.
        reduced: whether the 20 amino acids are read as their four classes of hydropathy.
        on_unknown: whether one warning says how many residues are not known.

    Raises:
        ValueError: ``kmer`` is less than 1.
    """

    def __init__(self, kmer: int = 1, *, reduced: bool = False, on_unknown: Literal["warn", "ignore"] = "warn"):
        if kmer < 1:
            raise ValueError(f"ProteinTokenizer: a token must have a residue, got kmer={kmer}.")
        self.kmer, self.reduced, self.on_unknown = kmer, reduced, on_unknown
        classes = HYDROPATHY if reduced else tuple(LETTERS)
        self._n_letters = len(classes)
        self._number = np.full(256, -2)
        for letter in UNKNOWN:
            self._number[ord(letter)] = -1
        for number, members in enumerate(classes):
            for letter in members:
                self._number[ord(letter)] = number

    @property
    def n_tokens(self) -> int:
        """Number of tokens, with the padding."""
        return 1 + self._n_letters**self.kmer

    def __call__(self, strings: Sequence[str], length: int) -> NDArray[np.int64]:
        """Token numbers ``(n, length)``; what is longer is cut, what is shorter filled up with the padding.

        Raises:
            ValueError: a character that is no residue, with its place; a string without a single whole token; a length
                less than 1.
        """
        if length < 1:
            raise ValueError(f"ProteinTokenizer: there must be a token, got length={length}.")
        tokens = np.full((len(strings), length), PADDING)
        n_unknown = 0
        for row, string in enumerate(strings):
            letters = self._letters(string, row)[: length * self.kmer]
            n_unknown += int((letters < 0).sum())
            whole = letters[: len(letters) // self.kmer * self.kmer].reshape(-1, self.kmer)
            if not len(whole):
                raise ValueError(
                    f"ProteinTokenizer: a string must have at least {self.kmer} residues, got {string!r} (string "
                    f"{row}). Leave it out."
                )
            places = self._n_letters ** np.arange(self.kmer)[::-1]
            tokens[row, : len(whole)] = np.where((whole >= 0).all(1), 1 + whole @ places, PADDING)
        if n_unknown and self.on_unknown == "warn":
            warnings.warn(f"ProteinTokenizer: {n_unknown} residues are not known, and do not count.", stacklevel=2)
        return tokens

    def _letters(self, string: str, row: int) -> NDArray[np.int64]:
        """The number of each residue; -1 of unknown ones."""
        codes = np.frombuffer(string.upper().encode("latin-1", "replace"), np.uint8)
        numbers = self._number[codes]
        wrong = np.flatnonzero(numbers == -2)
        if len(wrong):
            raise ValueError(
                f"ProteinTokenizer: residues must be of {LETTERS} or {UNKNOWN}, got {string[wrong[0]]!r} at position "
                f"{wrong[0]} of string {row}. Remove gaps and white space first."
            )
        return numbers


def amino_acid_composition(strings: Sequence[str]) -> NDArray[np.float64]:
    """The share of each of the 20 amino acids in whole proteins, ``(n, 20)``; unknown residues do not count.

    Raises:
        ValueError: a string has none of them.
    """
    counts = np.array([[string.upper().count(letter) for letter in LETTERS] for string in strings], dtype=float)
    empty = np.flatnonzero(counts.sum(1) == 0)
    if len(empty):
        raise ValueError(
            f"amino_acid_composition: a string must have known residues, got {strings[empty[0]]!r} (string {empty[0]})."
        )
    return np.asarray(counts / counts.sum(1, keepdims=True))


def toy_proteins(n: int, length: int, seed: int) -> Labelled:
    """Made-up proteins, half of which hold a hydrophobic window: for tests, and for nothing else.

    Residues come as often as in UniProt. In class 1, each of 15 residues in a row somewhere is one of AILMFVW with a
    probability of 0.8.

    Raises:
        ValueError: the window does not fit.
    """
    if length < _WINDOW:
        raise ValueError(f"toy_proteins: a window of {_WINDOW} residues must fit, got length={length}.")
    stream = numpy_stream(seed, "toy proteins")
    share = np.array(_UNIPROT) / sum(_UNIPROT)
    letters = stream.choice(list(LETTERS), size=(n, length), p=share)
    labels = stream.permutation(np.arange(n, dtype=np.int64) % 2)
    for row in np.flatnonzero(labels):
        window = letters[row, (start := stream.integers(length - _WINDOW + 1)) : start + _WINDOW]
        hydrophobic = stream.choice(list(_HYDROPHOBIC), size=_WINDOW)
        window[:] = np.where(stream.random(_WINDOW) < 0.8, hydrophobic, window)
    return Labelled(tuple("".join(row) for row in letters), labels)
