"""Sets that lie as a folder of images for each class, the layout of torchvision's ``ImageFolder``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from replank.datasets._card import Arrays, Card, Dataset, Labels, Pixels
from replank.datasets._files import FileState
from replank.datasets._folders import data_folder, decoded
from replank.datasets._recipe import Info, Verification
from replank.errors import DataError, MissingData

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")
_PARTS = ("train", "test")
_ANY = "any content (files of such sets have no known checksums)"


@dataclass(frozen=True)
class ImageFolder:
    """A set in ``<place>/train/<class>/`` and ``<place>/test/<class>/``, split by whoever put it there.

    Args:
        card: without the numbers of images, which are those found; its shape is what images are resized to.
        folders: the class folders' names, in the order of the card's classes.
    """

    card: Card
    folders: tuple[str, ...]

    @property
    def info(self) -> Info:
        """What is known without loading."""
        card = self.card
        files = tuple(f"{card.name}/{part}/{folder}/" for part in _PARTS for folder in self.folders)
        return Info(card.name, card.title, card.licence, card.shape, files=(files,), urls=(), embedded=False)

    def load(self, folder: Path | None) -> Dataset:
        """The set, resized; decoded once and then kept in the user's cache.

        Raises:
            MissingData: a class folder has no images.
            DataError: an image can't be read.
        """
        root = data_folder(folder) / self.card.name
        missing = [state.name for state in self.verify(folder).files if state.state != "ok"]
        if missing:
            raise MissingData(f"load: {self.card.name} needs images in {root}, got none in {', '.join(missing)}. "
                              f"{self._way_to_get(root)}")  # fmt: skip
        train, test = (self._read(root / part) for part in _PARTS)
        card = replace(self.card, n_train=len(train[0]), n_test=len(test[0]))
        return Dataset.of(card, Arrays(*train, *test))

    def verify(self, folder: Path | None) -> Verification:
        """Whether each class folder has images."""
        root = data_folder(folder) / self.card.name
        places = [(f"{part}/{name}", root / part / name) for part in _PARTS for name in self.folders]
        states = tuple(
            FileState(name, place, "ok" if any(_images(place)) else "missing", _ANY, None) for name, place in places
        )
        return Verification(self.card.name, self.card.title, data_folder(folder), states)

    def fetch(self, folder: Path | None) -> Verification:
        """Nothing, if the set is there.

        Raises:
            DataError: it is not there; it has to be got and split by hand.
        """
        present = self.verify(folder)
        if not present.ok:
            root = data_folder(folder) / self.card.name
            raise DataError(f"fetch: a set must have an address, got {self.card.name}. {self._way_to_get(root)}")
        return present

    def _read(self, place: Path) -> tuple[Pixels, Labels]:
        paths = [(path, label) for label, name in enumerate(self.folders) for path in _images(place / name)]
        height, width = self.card.shape[1:]
        digest = hashlib.sha256()
        for path, _ in paths:
            digest.update(path.read_bytes())
        key = f"{self.card.name}-{digest.hexdigest()}-{height}x{width}-pillow-{PIL.__version__}"
        images = decoded(key, lambda: {"pixels": np.stack([_resized(path, (width, height)) for path, _ in paths])})
        return images["pixels"], np.array([label for _, label in paths])

    def _way_to_get(self, root: Path) -> str:
        names = ", ".join(self.folders)
        return (
            f"Get the set from {self.card.source}, and put its images into {root}/train/CLASS/ and {root}/test/CLASS/ "
            f"for the classes {names}; to read another folder say --data DIR or set REPLANK_DATA."
        )


def _images(place: Path) -> Iterator[Path]:
    if place.is_dir():
        yield from (path for path in sorted(place.iterdir()) if path.suffix.lower() in _SUFFIXES)


def _resized(path: Path, size: tuple[int, int]) -> Pixels:
    """An image as (3, H, W)."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR))
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{path}: must be an image that Pillow reads, got {error}. Replace the file.") from error
    return pixels.transpose(2, 0, 1)
