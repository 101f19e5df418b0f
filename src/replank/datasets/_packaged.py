"""Labelled strings that an installed package carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from replank.datasets._card import Card
from replank.datasets._files import FileState
from replank.datasets._recipe import Info, Verification
from replank.datasets._sequences import Parts, Sequences
from replank.errors import DataError, MissingData, MissingExtra


def _as_carried(parts: Parts) -> Parts:
    return parts


@dataclass(frozen=True)
class Packaged:
    """A set of strings that a package carries, which need not be installed.

    Args:
        card: what it is.
        package: its name in the package index.
        version: the one whose content is known.
        extra: of replank, which installs it.
        read: the strings with their labels, as the package has them; it imports the package.
        sha256: fingerprint of what ``read`` gives, so that another content can't pass unnoticed.
        split: into training and test parts, if the package does not say.
    """

    card: Card
    package: str
    version: str
    extra: str
    read: Callable[[], Parts]
    sha256: str
    split: Callable[[Parts], Parts] = _as_carried

    @property
    def info(self) -> Info:
        """What is known without importing the package."""
        card = self.card
        return Info(card.name, card.title, card.licence, card.shape, files=(), urls=(), embedded=True)

    def load(self, folder: Path | None) -> Sequences:
        """The data set; it needs no folder.

        Raises:
            MissingExtra: the package is not installed.
            MissingData: it is, but its data files are not there.
            DataError: it carries other data.
        """
        installed = self._installed()
        if installed is None:
            raise MissingExtra(f"load: {self.card.name}", self.extra)
        try:
            parts = self.read()
        except FileNotFoundError as error:
            raise MissingData(
                f"load: {self.package} must come with its data files, got {installed} without {error.filename}. "
                f"Some releases lack them: install {self.package}=={self.version}."
            ) from error
        found = parts.fingerprint()
        if found != self.sha256:
            raise DataError(
                f"load: the strings of {self.package} {self.version} have sha256:{self.sha256}, got sha256:{found} "
                f"from {self.package} {installed}. Install {self.package}=={self.version}."
            )
        return self.split(parts).described(self.card)

    def verify(self, folder: Path | None) -> Verification:
        """Whether the package is installed and carries the strings that it is known to carry."""
        return Verification(self.card.name, self.card.title, None, (self._state(),))

    def fetch(self, folder: Path | None) -> Verification:
        """Nothing is downloaded: packages are installed."""
        return self.verify(folder)

    def _installed(self) -> str | None:
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None

    def _state(self) -> FileState:
        name, expected = f"{self.package} {self.version}", f"sha256:{self.sha256}"
        if self._installed() is None:
            return FileState(name, None, "missing", expected, None)
        try:
            found = f"sha256:{self.read().fingerprint()}"
        except FileNotFoundError as error:
            return FileState(name, None, "missing", expected, f"no {error.filename}")
        return FileState(name, None, "ok" if found == expected else "damaged", expected, found)
