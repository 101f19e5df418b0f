"""Whether test strings have near relatives among training strings, by the words of k letters that they share.

Two strings are called homologues if they share at least a given part of the distinct k-mers of the one that has fewer.
Of two proteins that are identical in a share p of their residues, about ``p^k`` of the k-mers agree: the rule finds
near relatives, and none that an alignment alone would show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.model_selection import StratifiedGroupKFold

from replank.datasets._card import Labels
from replank.errors import DataError
from replank.seeding import stream_seed

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Rule:
    """From when on two strings are homologues.

    Args:
        k: letters of a word.
        at_least: the share of common words among the distinct ones of the string that has fewer.

    Raises:
        ValueError: ``k`` is not in 1..12, or the share not in (0, 1].
    """

    k: int
    at_least: float

    def __post_init__(self) -> None:
        if not 1 <= self.k <= 12:  # five bits a letter
            raise ValueError(f"Rule: words must have 1 to 12 letters, got k={self.k}.")
        if not 0 < self.at_least <= 1:
            raise ValueError(f"Rule: the share must be in (0, 1], got at_least={self.at_least}.")


PROTEINS = Rule(k=5, at_least=0.2)
"""About 72 % identity or more over the shorter protein; two unrelated ones share next to no 5-mers."""

PEPTIDES = Rule(k=3, at_least=0.5)
"""About 80 % identity or more over the shorter peptide."""


class Pairs(NamedTuple):
    """Pairs of strings that share a word: their places in both lists, and the share of common words."""

    first: Integers
    second: Integers
    share: Floats


def shared_words(some: Sequence[str], others: Sequence[str], k: int) -> Pairs:
    """All pairs of a string of one list and one of another that have a common k-mer.

    Args:
        some: strings of upper-case letters.
        others: likewise.
        k: letters of a word.
    """
    (words, owners), (known, known_owners) = _words(some, k), _words(others, k)
    order = np.argsort(known, kind="stable")
    known, known_owners = known[order], known_owners[order]
    low, high = (np.searchsorted(known, words, side) for side in ("left", "right"))
    n_hits = high - low
    place = np.arange(n_hits.sum()) - np.repeat(np.cumsum(n_hits) - n_hits, n_hits) + np.repeat(low, n_hits)
    pair, count = np.unique(np.repeat(owners, n_hits) * len(others) + known_owners[place], return_counts=True)
    first, second = np.divmod(pair, max(1, len(others)))
    n_words, n_known = np.bincount(owners, minlength=len(some)), np.bincount(known_owners, minlength=len(others))
    return Pairs(first, second, count / np.minimum(n_words[first], n_known[second]))


def homologues(some: Sequence[str], others: Sequence[str], rule: Rule) -> NDArray[np.bool_]:
    """Which strings of one list have a homologue in another.

    Strings that are too short for a word count if they are in the other list as they are.

    Args:
        some: strings of upper-case letters, whose number the result has.
        others: likewise.
        rule: what counts.
    """
    pairs = shared_words(some, others, rule.k)
    known = set(others)
    found = np.array([string in known for string in some], dtype=bool)
    found[pairs.first[pairs.share >= rule.at_least]] = True
    return found


def check_homologues(train: Sequence[str], test: Sequence[str], rule: Rule, *, allow: bool = False) -> int:
    """Refuse training strings that have homologues among test strings: what is learned from them is not tested.

    Args:
        train: strings that a model is trained on.
        test: strings that the result is reported on.
        rule: what counts.
        allow: go on all the same; say so wherever the result is shown.

    Returns:
        How many test strings have a homologue among the training strings.

    Raises:
        DataError: there are some, and they are not allowed.
    """
    n_found = int(homologues(test, train, rule).sum())
    if n_found and not allow:
        raise DataError(
            f"check_homologues: no test string may share {rule.at_least:.0%} of its {rule.k}-mers with a training "
            f"string, got {n_found:,} of {len(test):,}. Leave their relatives out of the training set; or pass "
            "allow=True to rerun a published split, and say so beside the result."
        )
    return n_found


def families(strings: Sequence[str], rule: Rule) -> Integers:
    """The number of each string's family: strings that a chain of homologues joins."""
    pairs = shared_words(strings, strings, rule.k)
    near = pairs.share >= rule.at_least
    same: dict[str, int] = {}
    equal = np.array([same.setdefault(string, place) for place, string in enumerate(strings)])
    first = np.concatenate((pairs.first[near], np.arange(len(strings))))
    second = np.concatenate((pairs.second[near], equal))
    joined = sparse.coo_array((np.ones(len(first)), (first, second)), shape=(len(strings),) * 2)
    return sparse.csgraph.connected_components(joined, directed=False)[1].astype(np.int64)


def grouped_folds(strings: Sequence[str], labels: Labels, *, n_folds: int, rule: Rule, seed: int) -> Integers:
    """The fold of each string, with about equal classes in each and no family in two.

    Args:
        strings: of upper-case letters.
        labels: one for each string.
        n_folds: how many.
        rule: what makes a family.
        seed: of the order in which families are dealt out.

    Raises:
        DataError: there are fewer families than folds.
    """
    family = families(strings, rule)
    if len(np.unique(family)) < n_folds:
        raise DataError(
            f"grouped_folds: there must be a family for each fold, got {len(np.unique(family))} families and "
            f"n_folds={n_folds}. Ask for fewer folds."
        )
    dealer = StratifiedGroupKFold(n_folds, shuffle=True, random_state=stream_seed(seed, "folds") % 2**32)
    fold = np.zeros(len(strings), np.int64)
    for number, (_, held_out) in enumerate(dealer.split(np.zeros(len(strings)), labels, family)):
        fold[held_out] = number
    return fold


def _words(strings: Sequence[str], k: int) -> tuple[Integers, Integers]:
    """The distinct words of each string as numbers, and whose they are."""
    letters = np.frombuffer("".join(strings).encode(), np.uint8).astype(np.int64) - ord("@")
    if ((letters < 0) | (letters > 31)).any():
        wrong = next(string for string in strings if not all("@" <= letter <= "_" for letter in string))
        raise DataError(f"shared_words: strings must be of upper-case letters, got {wrong[:20]!r}. Convert them.")
    owners = np.repeat(np.arange(len(strings)), [len(string) for string in strings])
    n = max(0, len(letters) - k + 1)
    codes = np.zeros(n, np.int64)
    for place in range(k):
        codes = 32 * codes + letters[place : place + n]
    whole = owners[:n] == owners[len(owners) - n :]  # begins and ends in one string
    codes, owners = codes[whole], owners[:n][whole]
    order = np.lexsort((codes, owners))
    codes, owners = codes[order], owners[order]
    new = np.ones(len(codes), bool)
    new[1:] = (np.diff(codes) != 0) | (np.diff(owners) != 0)
    return codes[new], owners[new]
