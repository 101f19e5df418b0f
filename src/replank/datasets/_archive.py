"""Files inside gzipped tar archives, read in memory without unpacking them to disk."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator

from replank.errors import DataError


def archived(content: bytes, name: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Paths and contents of the wanted files, in the archive's order.

    Raises:
        DataError: this is no such archive, or it is damaged.
    """
    try:
        # as a stream, so that what comes after the last file asked for need not be unpacked
        with tarfile.open(fileobj=io.BytesIO(content), mode="r|gz") as archive:
            for member in archive:
                if wanted(member.name) and (file := archive.extractfile(member)):
                    yield member.name, file.read()
    except Exception as error:  # tarfile, gzip and zlib each have their own
        raise DataError(f"{name}: must be a gzipped tar archive, got {error}. Replace the file.") from error


def archived_files(content: bytes, name: str, folder: str, files: tuple[str, ...]) -> dict[str, bytes]:
    """The contents of these files of one folder in the archive, by file name.

    Raises:
        DataError: as :func:`archived`, or a file is not there.
    """
    paths = {f"{folder}/{file}": file for file in files}
    found: dict[str, bytes] = {}
    for path, file in archived(content, name, paths.__contains__):
        found[paths[path]] = file
        if len(found) == len(paths):
            break
    if missing := [file for file in files if file not in found]:
        raise DataError(
            f"{name}: must be a gzipped tar archive with {', '.join(files)} in {folder}/, "
            f"got one without {', '.join(missing)}. Replace the file."
        )
    return found
