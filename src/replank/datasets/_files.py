"""Files that data sets are read from: how they are found and verified."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from replank.datasets._card import Card
from replank.datasets._data import Content

Read = TypeVar("Read", bound=Content, covariant=True)


@dataclass(frozen=True)
class FileState:
    """What verification found out about one file.

    Args:
        name: of the file.
        path: where it was found.
        state: found and whole, not found, or found with another content.
        expected: the known hash of the content, ``algorithm:hexadecimal``.
        found: the hash of the content, or why there is none.
    """

    name: str
    path: Path | None
    state: Literal["ok", "missing", "damaged"]
    expected: str
    found: str | None


@dataclass(frozen=True)
class DataFile:
    """A file with a known content.

    Args:
        name: of the file.
        digest: hash of the content, ``algorithm:hexadecimal``.
        url: where the file can be downloaded.
        packed_digest: hash of ``name.gz`` as it is downloaded; a file with this hash may lie packed or unpacked.
    """

    name: str
    digest: str
    url: str | None = None
    packed_digest: str | None = None

    @property
    def forms(self) -> tuple[str, ...]:
        """File names under which the content may lie; the first is the one that is downloaded."""
        return (f"{self.name}.gz", self.name) if self.packed_digest else (self.name,)

    @property
    def label(self) -> str:
        """The name for people, which says whether the file may be packed."""
        return f"{self.name}[.gz]" if self.packed_digest else self.name

    @property
    def download_digest(self) -> str:
        """Hash of the file as it is downloaded."""
        return self.packed_digest or self.digest

    def inspect(self, path: Path | None) -> tuple[FileState, bytes]:
        """Read the file and verify its content; the bytes are those that were hashed, unpacked."""
        if path is None:
            return FileState(self.name, None, "missing", self.digest, None), b""
        try:
            content = path.read_bytes()
            if path.name == f"{self.name}.gz":
                content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            return FileState(self.name, path, "damaged", self.digest, f"an unreadable file ({error})"), b""
        found = digest_like(self.digest, content)
        return FileState(self.name, path, "ok" if found == self.digest else "damaged", self.digest, found), content


@dataclass(frozen=True)
class Edition(Generic[Read]):
    """One form in which the files of a data set come.

    Args:
        card: of the data set as read from these files.
        files: all that are needed.
        read: from the files' verified contents, by name, to what is in them.
        subfolders: of the data folder, where the files are looked for; downloads go to the first.
    """

    card: Card
    files: tuple[DataFile, ...]
    read: Callable[[Mapping[str, bytes]], Read]
    subfolders: tuple[str, ...] = ("",)

    @property
    def downloadable(self) -> bool:
        """Whether every file has an address."""
        return all(file.url for file in self.files)

    @property
    def needs(self) -> str:
        """The files in words."""
        files = ", ".join(file.label for file in self.files)
        return f"in {self.subfolders[0]}/: {files}" if self.subfolders[0] else files

    def find(self, folder: Path) -> dict[DataFile, Path | None]:
        """Where each file lies, if it does."""
        return {file: self._find(file, folder) for file in self.files}

    def _find(self, file: DataFile, folder: Path) -> Path | None:
        places = (folder / subfolder / form for subfolder in self.subfolders for form in file.forms)
        return next((place for place in places if place.is_file()), None)


def digest_like(known: str, content: bytes) -> str:
    """The hash of the content by the algorithm of a known one."""
    algorithm = known.partition(":")[0]
    # official checksums of CIFAR-10's batches are MD5: fit to tell damage, not used against forgery
    return f"{algorithm}:{hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()}"


def inside(places: tuple[str, ...], folder: str) -> tuple[str, ...]:
    """A folder's paths below each of the places; ``""`` is the data folder itself."""
    return tuple(f"{place}/{folder}" if place else folder for place in places)
