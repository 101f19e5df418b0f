"""Labelled strings, such as proteins or sentences, with their card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import numpy as np

from replank.datasets._card import Card, Labels, fingerprint
from replank.errors import DataError


class Labelled(NamedTuple):
    """Strings (n,) with their labels (n,), int64."""

    strings: tuple[str, ...]
    labels: Labels


class Parts(dict[str, Labelled]):
    """Labelled strings by the name of their part: ``train``, ``test``, ..."""

    def described(self, card: Card) -> Sequences:
        """The set of these strings."""
        return Sequences.of(card, self)

    def fingerprint(self) -> str:
        """SHA-256 over the parts' names, strings and labels."""
        return _fingerprint(self)


@dataclass(frozen=True, eq=False)
class Sequences:
    """Strings for classification, in the parts in which they were published, with their card.

    Args:
        card: provenance and fingerprint.
        parts: by name, in which ``train`` and ``test`` are always; labels are 0 to ``len(card.classes) - 1``.
    """

    kind: ClassVar[str] = "labelled strings"

    card: Card
    parts: Mapping[str, Labelled] = field(repr=False)

    @classmethod
    def of(cls, card: Card, parts: Mapping[str, Labelled]) -> Sequences:
        """The set of these strings, checked against the card and with its fingerprint.

        Raises:
            DataError: a part is missing, has another size than the card says, or labels that it does not know.
        """
        for name, n in (("train", card.n_train), ("test", card.n_test)):
            if name not in parts or len(parts[name].strings) != n:
                found = len(parts[name].strings) if name in parts else "no such part"
                raise DataError(
                    f"{card.name}: the part {name} must have {n} strings, got {found}. The files are not this data "
                    "set's."
                )
        last = len(card.classes) - 1
        for name, (strings, labels) in parts.items():
            if (
                labels.dtype != np.int64
                or labels.shape != (len(strings),)
                or not ((labels >= 0) & (labels <= last)).all()
            ):
                raise DataError(
                    f"{card.name}: labels of the part {name} must be {len(strings)} int64 in 0..{last}, got "
                    f"{labels.dtype} of shape {labels.shape}. The files are damaged."
                )
        return cls(replace(card, sha256=_fingerprint(parts)), dict(parts))

    def of_classes(self, names: Iterable[str]) -> Sequences:
        """The strings of these classes, in the order they have; labels become 0, 1, ... in the order given.

        Raises:
            DataError: fewer than two names, one twice, or one that the set does not have.
        """
        known, chosen = self.card.classes, tuple(names)
        if len(chosen) < 2 or len(set(chosen)) < len(chosen) or not set(chosen) <= set(known):
            raise DataError(
                f"of_classes: `names` must be two or more different ones of {', '.join(known)} for {self.card.title}, "
                f"got {', '.join(chosen)}."
            )
        new = np.full(len(known), -1, np.int64)
        new[[known.index(name) for name in chosen]] = np.arange(len(chosen))
        parts = Parts()
        for name, (strings, labels) in self.parts.items():
            places = np.flatnonzero(new[labels] >= 0)
            parts[name] = Labelled(tuple(strings[place] for place in places), new[labels[places]])
        card = replace(
            self.card,
            title=f"{self.card.title}, classes {', '.join(chosen)}",
            classes=chosen,
            n_train=len(parts["train"].strings),
            n_test=len(parts["test"].strings),
        )
        return Sequences.of(card, parts)


def _fingerprint(parts: Mapping[str, Labelled]) -> str:
    joined = (
        array
        for name in sorted(parts)
        for array in (
            np.frombuffer("\n".join((name, *parts[name].strings)).encode(), np.uint8),
            parts[name].labels,
        )
    )
    return fingerprint(*joined)
