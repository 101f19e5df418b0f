"""ct_contrast: 100 CT slices with or without contrast agent, in the way that Hamiltonian embedding uses them."""

from __future__ import annotations

import csv
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from replank.datasets._card import Arrays, Card, Dataset, Labels, stratified_split
from replank.datasets._files import FileState
from replank.datasets._folders import data_folder
from replank.datasets._recipe import Info, Verification
from replank.datasets._tiff import parse_uncompressed_tiff
from replank.errors import DataError
from replank.seeding import numpy_stream

_CARD = Card(
    name="ct_contrast",
    title="CT contrast (100 slices of SIIM's medical images, reduced to 32x32)",
    about="CT contrast",
    licence="not stated here: see the page of the set; the slices are from The Cancer Imaging Archive",
    source="https://www.kaggle.com/datasets/kmader/siim-medical-images",
    citation="Mader, CT Medical Images (Kaggle), a part of TCGA-LUAD in The Cancer Imaging Archive",
    n_train=80,
    n_test=20,
    shape=(1, 32, 32),
    classes=("no contrast", "contrast"),
    split="stratified and random with a fixed seed, made by replank; the publication draws 80 / 20 anew in each run",
    known_differences=(
        "each slice is reduced by cubic interpolation without smoothing and stretched to 0..1 by its own least and "
        "greatest value, as the published code does; then rounded to 255 steps, which moves a value by at most 0.002",
        "no checksums are known: the fingerprint tells one copy from another",
    ),
)

TABLE = "overview.csv"
_IMAGES = "tiff_images"
_NAME, _LABEL = "tiff_name", "Contrast"
_LABELS = {"True": 1, "False": 0, "1": 1, "0": 0}
_PLACES = ("ct_contrast", "siim-medical-images", "")
_N = _CARD.n_train + _CARD.n_test
_SIDE = _CARD.shape[-1]
_ANY = f"any content ({TABLE} and its images have no known checksums)"


@dataclass(frozen=True)
class _Slice:
    """One row of the table."""

    name: str
    label: int
    path: Path | None


class CtContrast:
    """A table, and a folder with the images that it names."""

    @property
    def info(self) -> Info:
        """What is known without loading."""
        files = ((TABLE, f"{_IMAGES}/*.tif"),)
        return Info(_CARD.name, _CARD.title, _CARD.licence, _CARD.shape, files=files, urls=(), embedded=False)

    def load(self, folder: Path | None) -> Dataset:
        """The data set, rounded to bytes.

        Raises:
            DataError: the table or an image is missing or damaged.
        """
        images, labels = unrounded(folder)
        pixels = np.round(images * _CARD.pixel_max).astype(np.uint8)
        test, train = stratified_split(labels, _CARD.n_test, numpy_stream(0, "data split", _CARD.name))
        return Dataset.of(_CARD, Arrays(pixels[train], labels[train], pixels[test], labels[test]))

    def verify(self, folder: Path | None) -> Verification:
        """Whether the table is there and each of its images can be read."""
        folder = data_folder(folder)
        table = _find_table(folder)
        states = [_state(TABLE, table, "no table")]
        if table is not None:
            try:
                states = [_state(TABLE, table), *map(_slice_state, _read_table(table))]
            except DataError as error:
                states = [_state(TABLE, table, str(error))]
        return Verification(_CARD.name, _CARD.title, folder, tuple(states))

    def fetch(self, folder: Path | None) -> Verification:
        """Nothing, if the set is there.

        Raises:
            DataError: it is not there; it can't be downloaded without an account.
        """
        present = self.verify(folder)
        if not present.ok:
            raise DataError(
                f"fetch: a set must have an address, got {_CARD.name}, which needs an account. "
                f"Get it from {_CARD.source} and {_way_to_place(data_folder(folder))}."
            )
        return present


def unrounded(folder: Path | None = None) -> tuple[NDArray[np.float64], Labels]:
    """The images (100, 1, 32, 32) in 0..1 and their labels, in the table's order, before they are rounded to bytes.

    Args:
        folder: as for :func:`replank.datasets.load`.

    Raises:
        DataError: the table or an image is missing or damaged.
    """
    folder = data_folder(folder)
    table = _find_table(folder)
    if table is None:
        raise DataError(
            f"load: {_CARD.name} needs {TABLE} and its images in {folder}, got none. "
            f"Get the set from {_CARD.source} and {_way_to_place(folder)}; "
            "to read another folder say --data DIR or set REPLANK_DATA."
        )
    slices = _read_table(table)
    if missing := [each.name for each in slices if each.path is None]:
        raise DataError(
            f"load: {_CARD.name} needs the images that {table} names, got no {', '.join(missing[:3])} "
            f"({len(missing)} of {_N} missing). Put them into {table.parent / _IMAGES}."
        )
    images = [reduced(_read_image(each.path)) for each in slices if each.path is not None]
    return np.stack(images)[:, None], np.array([each.label for each in slices])


def reduced(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """A slice (H, W) reduced to (32, 32) and stretched to 0..1.

    Cubic interpolation with a = -0.75 between the nearest 4x4 pixels and no smoothing before it, which is what OpenCV's
    ``INTER_CUBIC`` does.
    """
    planes = torch.from_numpy(image)[None, None]
    small = torch.nn.functional.interpolate(planes, (_SIDE, _SIDE), mode="bicubic", align_corners=False)[0, 0].numpy()
    return np.asarray((small - small.min()) / (small.max() - small.min()))


def _read_image(path: Path) -> NDArray[np.float64]:
    try:
        content = path.read_bytes()
        pixels = parse_uncompressed_tiff(content)
        if pixels is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow warns of damage before it refuses the file
                pixels = np.asarray(Image.open(io.BytesIO(content)))
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{path}: must be a grey image that Pillow reads, got {error}. Replace the file.") from error
    pixels = pixels.astype(np.float64)
    if pixels.ndim != 2 or not np.isfinite(pixels).all() or pixels.min() == pixels.max():
        raise DataError(
            f"{path}: must be a grey image of finite, different values, got shape {pixels.shape}, "
            f"{pixels.min()} to {pixels.max()}. Replace the file."
        )
    return pixels


def _read_table(path: Path) -> list[_Slice]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
        return [_Slice(row[_NAME], _LABELS[row[_LABEL]], _find_image(path.parent, row[_NAME])) for row in _whole(rows)]
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise DataError(
            f"{path}: must be a table of {_N} rows with {_NAME} and {_LABEL} (True or False), got {error!r}. "
            "Replace the file."
        ) from error


def _whole(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len({row[_NAME] for row in rows}) != _N or len(rows) != _N:
        raise ValueError(f"{len(rows)} rows")
    return rows


def _find_table(folder: Path) -> Path | None:
    places = (folder / place / TABLE for place in _PLACES)
    return next((place for place in places if place.is_file()), None)


def _find_image(folder: Path, name: str) -> Path | None:
    places = (folder / _IMAGES / Path(name).name, folder / Path(name).name)
    return next((place for place in places if place.is_file()), None)


def _slice_state(each: _Slice) -> FileState:
    try:
        if each.path is not None:
            _read_image(each.path)
    except DataError as error:
        return _state(each.name, each.path, str(error))
    return _state(each.name, each.path)


def _state(name: str, path: Path | None, problem: str | None = None) -> FileState:
    if path is None:
        return FileState(name, None, "missing", _ANY, None)
    return FileState(name, path, "damaged" if problem else "ok", _ANY, problem)


def _way_to_place(folder: Path) -> str:
    return f"put {TABLE} and {_IMAGES}/ into {folder / _PLACES[0]}"


SET = CtContrast()
