"""Downloading files of known content."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pooch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from replank.datasets._files import DataFile
from replank.errors import DataError

_CHUNK = 1 << 16
_TIMEOUT_S = 30


class _Bar:
    """A rich progress bar with the face that pooch expects of a progress bar."""

    def __init__(self, progress: Progress, task: TaskID):
        self._progress = progress
        self._task = task

    @property
    def total(self) -> float | None:
        """Bytes in all, if the server said."""
        return self._progress.tasks[self._task].total

    @total.setter
    def total(self, n_bytes: int) -> None:
        self._progress.update(self._task, total=n_bytes or None)

    def update(self, n_bytes: int) -> None:
        self._progress.advance(self._task, n_bytes)

    def reset(self) -> None:
        self._progress.reset(self._task)

    def close(self) -> None:
        self._progress.stop_task(self._task)


def download(file: DataFile, folder: Path) -> None:
    """Download a file into a folder, unless it is there and whole already.

    The content goes to a temporary file, which takes its name only if the hash is right. With a terminal, progress is
    shown on the standard error.

    Raises:
        DataError: no connection, another content than expected, or a folder that can't be written.
    """
    from requests import RequestException  # takes long to import and is rarely needed

    assert file.url is not None
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            bar = _Bar(progress, progress.add_task(file.forms[0], total=None))
            downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=_CHUNK, timeout=_TIMEOUT_S)
            pooch.retrieve(file.url, file.download_digest, file.forms[0], folder, downloader=downloader)
    except RequestException as error:
        response = f"HTTP status {error.response.status_code}" if error.response is not None else type(error).__name__
        raise DataError(
            f"fetch: {file.url} must answer, got {response} from {urlsplit(file.url).netloc}. "
            f"Check the connection and try again, or put the file into {folder} by hand."
        ) from None
    except ValueError:  # what pooch raises when the hash is wrong
        raise DataError(
            f"fetch: {file.url} must have {file.download_digest}, got another content, which was thrown away. "
            "Try again; if that does not help, the server's file has changed."
        ) from None
    except OSError as error:
        raise DataError(
            f"fetch: {folder} must be a folder that can be written, got {error.strerror or error}. "
            "Name another one with --data or REPLANK_DATA."
        ) from None
    finally:
        _remove_empty(made)


def _remove_empty(folders: list[Path]) -> None:
    """Take away folders that were made for nothing, innermost first."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
