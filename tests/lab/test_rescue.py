from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from replank.errors import LedgerError
from replank.lab.ledger import Ledger
from replank.lab.rescue import rescue, take_in
from replank.lab.trial import Record

MakeRecord = Callable[..., Record]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def fail_in(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """As if there were no room in these folders."""
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.parent in folders:
            write(path, content[:10])
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)


def test_a_rescued_record_comes_back_whole_and_the_file_goes(
    ledger: Ledger, record: MakeRecord, tmp_path: Path
) -> None:
    original = record(metrics={"loss": 0.1, "odd": float("inf")}, status="failed", error="späť")
    assert rescue(original, ledger).parent == tmp_path
    assert take_in(ledger) == 1
    (back,) = ledger.records([original.key]).records
    np.testing.assert_array_equal(
        back.measurements.artefacts["kernel"], original.measurements.artefacts["kernel"], strict=True
    )
    back.measurements.artefacts = original.measurements.artefacts
    assert back == original
    assert take_in(ledger) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"ledger.db", "temporary"}


def test_a_full_disk_sends_it_to_the_folder_for_temporary_files(
    ledger: Ledger, record: MakeRecord, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_in(patch, temporary.parent)
        assert rescue(record(), ledger).parent == temporary
    assert take_in(Ledger(ledger.path)) == 1
    assert ledger.done([record().key]) == {record().key}


def test_another_ledger_does_not_take_it_in(ledger: Ledger, record: MakeRecord, tmp_path: Path) -> None:
    rescue(record(), ledger)
    assert take_in(Ledger(tmp_path / "other.db")) == 0
    assert take_in(ledger) == 1


def test_nowhere_to_write_is_said_and_leaves_nothing_half_written(
    ledger: Ledger, record: MakeRecord, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_in(monkeypatch, temporary, temporary.parent)
    with pytest.raises(LedgerError, match="neither it nor the folder for temporary files can be written"):
        rescue(record(), ledger)
    assert list(temporary.iterdir()) == []
    assert {path.name for path in temporary.parent.iterdir()} == {"ledger.db", "temporary"}
