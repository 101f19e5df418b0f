"""How a data set is made: from files in a folder, or from what an installed package carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from replank.datasets._card import Arrays, Card, Labels, Pixels, fingerprint, stratified_split
from replank.datasets._data import Content, Data
from replank.datasets._download import download
from replank.datasets._files import DataFile, Edition, FileState
from replank.datasets._folders import data_folder
from replank.errors import DataError
from replank.seeding import numpy_stream


@dataclass(frozen=True)
class Info:
    """What is known of a data set without loading it.

    Args:
        name: as typed at the command line.
        title: as reports print it.
        licence: what is known of it.
        shape: (channels, height, width) of an image; zeros of what is not images.
        files: for each form in which the files may come, their names (``[.gz]``: packed or not); none if embedded.
        urls: what ``fetch`` downloads.
        embedded: whether it comes with an installed package and needs no files.
    """

    name: str
    title: str
    licence: str
    shape: tuple[int, int, int]
    files: tuple[tuple[str, ...], ...]
    urls: tuple[str, ...]
    embedded: bool


@dataclass(frozen=True)
class Verification:
    """What ``load`` would find.

    Args:
        name: of the data set.
        title: of the data set in the form in which it lies there.
        folder: where it was looked for; ``None`` if the set is embedded.
        files: the state of each file.
    """

    name: str
    title: str
    folder: Path | None
    files: tuple[FileState, ...]

    @property
    def ok(self) -> bool:
        """Whether the set can be loaded."""
        return all(file.state == "ok" for file in self.files)


class Recipe(Protocol):
    """What the module of a data set offers under the name ``SET``."""

    @property
    def info(self) -> Info:
        """What is known without loading."""

    def load(self, folder: Path | None) -> Data:
        """The data set, verified."""

    def verify(self, folder: Path | None) -> Verification:
        """What ``load`` would find."""

    def fetch(self, folder: Path | None) -> Verification:
        """Download what is missing."""


@dataclass(frozen=True)
class Embedded:
    """A data set made of images that an installed package carries, split here.

    Args:
        card: what it is.
        package: which carries the images, for messages.
        read: the images (N, C, H, W) with their labels, in the package's order.
        sha256: fingerprint of what ``read`` gives, so that a change in the package can't pass unnoticed.
        seed: of the stratified split.
    """

    card: Card
    package: str
    read: Callable[[], tuple[Pixels, Labels]]
    sha256: str
    seed: int = 0

    @property
    def info(self) -> Info:
        """What is known without loading."""
        card = self.card
        return Info(card.name, card.title, card.licence, card.shape, files=(), urls=(), embedded=True)

    def load(self, folder: Path | None) -> Data:
        """The data set; it needs no folder."""
        images, labels = self.read()
        state = self._state(images, labels)
        if state.state != "ok":
            raise DataError(
                f"load: the images that {self.package} carries must have {state.expected}, got {state.found}. "
                f"{self.package} has changed them: install the version that replank's constraints.txt names."
            )
        stream = numpy_stream(self.seed, "data split", self.card.name)
        test, train = stratified_split(labels, self.card.n_test, stream)
        return Arrays(images[train], labels[train], images[test], labels[test]).described(self.card)

    def verify(self, folder: Path | None) -> Verification:
        """Whether the package carries the images that it is known to carry."""
        return Verification(self.card.name, self.card.title, None, (self._state(*self.read()),))

    def fetch(self, folder: Path | None) -> Verification:
        """Nothing has to be downloaded."""
        return self.verify(folder)

    def _state(self, images: Pixels, labels: Labels) -> FileState:
        expected, found = f"sha256:{self.sha256}", f"sha256:{fingerprint(images, labels)}"
        return FileState(self.package, None, "ok" if found == expected else "damaged", expected, found)


@dataclass(frozen=True)
class FromFiles:
    """A data set read from verified files, which may come in several forms.

    Args:
        editions: the forms; the first of which all files are there is read. The first one's card is the set's own.
    """

    editions: tuple[Edition[Content], ...]

    @property
    def card(self) -> Card:
        """What the set is in its best form."""
        return self.editions[0].card

    @property
    def info(self) -> Info:
        """What is known without loading."""
        offered = next((edition for edition in self.editions if edition.downloadable), None)
        return Info(
            self.card.name,
            self.card.title,
            self.card.licence,
            self.card.shape,
            files=tuple(tuple(file.label for file in edition.files) for edition in self.editions),
            urls=tuple(file.url for file in offered.files if file.url) if offered else (),
            embedded=False,
        )

    def load(self, folder: Path | None) -> Data:
        """The data set, from verified files only.

        Raises:
            DataError: files are missing or damaged.
        """
        folder = data_folder(folder)
        edition, found = self._choose(folder)
        if None in found.values():
            raise DataError(self._how_to_get(folder))
        contents: dict[str, bytes] = {}
        for file, path in found.items():
            state, contents[file.name] = file.inspect(path)
            if state.state != "ok":
                raise DataError(
                    f"load: {path} must have {state.expected} to be {self.card.name}'s {file.name}, got {state.found}. "
                    f"It is damaged or another set's: move it away, then {self._way_to_fetch()}."
                )
        return edition.read(contents).described(edition.card)

    def verify(self, folder: Path | None) -> Verification:
        """The state of each file of the form that ``load`` would read."""
        folder = data_folder(folder)
        edition, found = self._choose(folder)
        states = tuple(file.inspect(path)[0] for file, path in found.items())
        return Verification(self.card.name, edition.card.title, folder, states)

    def fetch(self, folder: Path | None) -> Verification:
        """Download the set in its best form, unless it is there.

        Raises:
            DataError: it can't be downloaded.
        """
        present = self.verify(folder)
        if present.ok and present.title == self.card.title:
            return present
        edition = next((edition for edition in self.editions if edition.downloadable), None)
        if edition is None:
            raise DataError(f"fetch: a set must have an address, got {self.card.name}. {self._way_to_fetch()}.")
        for file in edition.files:
            download(file, data_folder(folder) / edition.subfolders[0])
        return self.verify(folder)

    def _choose(self, folder: Path) -> tuple[Edition[Content], dict[DataFile, Path | None]]:
        """The first complete edition; if there is none, the most complete, and among equals one to be downloaded."""

        def preference(pair: tuple[Edition[Content], dict[DataFile, Path | None]]) -> tuple[float, bool]:
            edition, found = pair
            missing = list(found.values()).count(None) / len(found)
            return missing, missing > 0 and not edition.downloadable

        return min(((edition, edition.find(folder)) for edition in self.editions), key=preference)

    def _way_to_fetch(self) -> str:
        if self.info.urls:
            return f"run `replank data fetch {self.card.name}`"
        return f"get it from {self.card.source}"

    def _how_to_get(self, folder: Path) -> str:
        """What to do when files are missing."""
        there = [path.name for edition in self.editions for path in edition.find(folder).values() if path]
        forms = "; or ".join(edition.needs for edition in self.editions)
        return (
            f"load: {self.card.name} needs its files in {folder}, got {', '.join(there) or 'none of them'}. "
            f"Put there {forms}. To get them {self._way_to_fetch()} (source: {self.card.source}); "
            "to read another folder say --data DIR or set REPLANK_DATA."
        )
