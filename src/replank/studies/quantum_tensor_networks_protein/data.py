"""From a set of proteins to token numbers of training, validation and test strings that are no near relatives."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from replank.datasets import Labelled, Sequences
from replank.datasets._card import Labels, stratified_split
from replank.datasets.homologues import Rule, check_homologues, grouped_folds, homologues
from replank.datasets.proteins import ProteinTokenizer
from replank.errors import DataError
from replank.seeding import numpy_stream
from replank.studies.quantum_tensor_networks_protein.settings import ProteinSettings


@dataclass(frozen=True)
class Chosen:
    """Strings of each part, and what was found out about their relatives.

    Args:
        parts: ``train`` and ``test``, perhaps ``valid`` and ``hard``.
        facts: metrics of the split.
    """

    parts: Mapping[str, Labelled]
    facts: Mapping[str, float]


@dataclass(frozen=True)
class Question:
    """What strings without relatives depend on; neither the arm nor what is drawn of them is in it.

    Args:
        data_sha256: fingerprint of the strings.
        classes: that are told apart.
        rule: what relatives are.
        kept: whether they are kept.
        n_folds: of cross-validation; 0 for the published parts.
        seed: of the folds and of the one that is held out; 0 for the published parts.
        data: the set with this fingerprint.
    """

    data_sha256: str
    classes: tuple[str, ...]
    rule: Rule
    kept: bool
    n_folds: int
    seed: int
    data: Sequences = field(compare=False, repr=False)


def chosen(data: Sequences, settings: ProteinSettings, seed: int) -> Chosen:
    """The strings that a trial sees.

    Raises:
        DataError: the set has other classes, or too few strings.
    """
    folds = settings.split == "folds"
    whole = without_relatives(
        Question(
            data.card.sha256,
            settings.classes,
            Rule(settings.kmer_rule, settings.shared_words),
            settings.homologues == "kept",
            n_folds=settings.n_folds if folds else 0,
            seed=seed if folds else 0,
            data=data,
        )
    )
    parts = dict(whole.parts)
    for part, n in (("train", settings.n_train), ("valid", settings.n_valid)):
        if part in parts and n:
            parts[part] = drawn(parts[part], n, seed, part, balanced=settings.balanced)
    return Chosen(parts, whole.facts)


@functools.lru_cache(maxsize=8)
def without_relatives(question: Question) -> Chosen:
    """All strings of both classes, training and validation strings without relatives of those held out.

    No training string is a relative of a validation string either.

    Raises:
        DataError: the set does not have the classes.
    """
    known = dict(question.data.of_classes(question.classes).parts)
    if question.n_folds:
        known = _folds(known, question)
    rule = question.rule
    facts = {"relatives_found": float(homologues(known["test"].strings, known["train"].strings, rule).sum())}
    held_out = [string for part in ("test", "hard") if part in known for string in known[part].strings]
    for part in ("valid", "train") if not question.kept else ():
        if part in known:
            related = homologues(known[part].strings, held_out, rule)
            facts[f"{part}_left_out"] = float(related.sum())
            held_out += known[part].strings
            known[part] = _at(known[part], np.flatnonzero(~related))
    left = check_homologues(known["train"].strings, known["test"].strings, rule, allow=question.kept)
    return Chosen(known, {**facts, "relatives_left": float(left)})


def tokens(strings: Sequence[str], settings: ProteinSettings) -> NDArray[np.int64]:
    """Token numbers of the first residues, ``(n, length)``."""
    return tokenizer(settings)(strings, settings.length)


def tokenizer(settings: ProteinSettings) -> ProteinTokenizer:
    """The settings' own."""
    return ProteinTokenizer(settings.kmer, reduced=settings.reduced, on_unknown="ignore")


def drawn(part: Labelled, n: int, seed: int, name: str, *, balanced: bool) -> Labelled:
    """A random part of the strings, with the classes' proportions, or with equally many of each.

    Raises:
        DataError: there are not so many.
    """
    counts = np.bincount(part.labels)
    most = len(counts) * int(counts.min()) if balanced else len(part.strings)
    if n > most:
        raise DataError(f"drawn: there are {most:,} {name} strings to choose from, got n={n:,}. Ask for fewer.")
    stream = numpy_stream(seed, "data subset", name)
    if not balanced:
        return _at(part, stratified_split(part.labels, n, stream)[0])
    order = stream.permutation(len(part.labels))
    share = n // len(counts)
    each = [order[part.labels[order] == label][: share + (label < n % len(counts))] for label in range(len(counts))]
    return _at(part, stream.permutation(np.concatenate(each)))


def _folds(known: Mapping[str, Labelled], question: Question) -> dict[str, Labelled]:
    """One fold held out: that of the seed's number, and from ``n_folds`` seeds on those of another partition."""
    strings = tuple(string for part in known.values() for string in part.strings)
    labels: Labels = np.concatenate([part.labels for part in known.values()])
    turn, held_out = divmod(question.seed, question.n_folds)
    fold = grouped_folds(strings, labels, n_folds=question.n_folds, rule=question.rule, seed=turn)
    whole = Labelled(strings, labels)
    return {"train": _at(whole, np.flatnonzero(fold != held_out)), "test": _at(whole, np.flatnonzero(fold == held_out))}


def _at(part: Labelled, places: NDArray[np.int64]) -> Labelled:
    return Labelled(tuple(part.strings[place] for place in places), part.labels[places])
