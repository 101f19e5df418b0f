"""What every kind of data has in common."""

from __future__ import annotations

from typing import ClassVar, Protocol

from replank.datasets._card import Card


class Data(Protocol):
    """Data with their card."""

    kind: ClassVar[str]
    """What they are, in a few words."""

    @property
    def card(self) -> Card:
        """Provenance and fingerprint."""


class Content(Protocol):
    """What was read from files: data that only lack their card."""

    def described(self, card: Card) -> Data:
        """The data with their card, checked against it and with their fingerprint."""
