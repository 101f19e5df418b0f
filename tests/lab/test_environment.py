from __future__ import annotations

import getpass
import json
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import torch

from replank.circuits import core
from replank.lab import environment as module
from replank.lab.environment import environment


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("SECRET_TOKEN", "not-to-be-told")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    module._fixed.cache_clear()
    return json.dumps(environment())


def test_it_names_nobody_and_no_place(text: str) -> None:
    private = {
        "user": getpass.getuser(), "host": socket.gethostname(), "home": str(Path.home()), "cwd": str(Path.cwd()),
        "package": str(Path(module.__file__).parent), "secret": "not-to-be-told",
    }  # fmt: skip
    assert [what for what, value in private.items() if re.search(rf"\b{re.escape(value)}\b", text)] == []
    assert re.findall(r'"(?:/|[A-Z]:\\)[^"]*"', text) == []


def test_it_says_what_decides_numbers(text: str) -> None:
    found = json.loads(text)
    assert found["packages"]["torch"] == torch.__version__
    assert found["torch"]["threads"] == torch.get_num_threads()
    assert found["variables"]["OMP_NUM_THREADS"] == "1"
    assert found["cpu"]["logical_cores"] >= 1
    assert found["os"].keys() == {"system", "release", "machine"}
    assert "version" in found["replank"]


def test_it_names_the_instruction_set_of_the_core_or_why_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    if core.available():
        assert environment()["core"] == core.isa()
    monkeypatch.setenv("REPLANK_NO_CORE", "1")
    assert environment()["core"] == "none: REPLANK_NO_CORE is set"
    assert environment()["variables"]["REPLANK_NO_CORE"] == "1"


def test_it_follows_settings_that_change(monkeypatch: pytest.MonkeyPatch) -> None:
    before, precision = environment(), torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        assert environment()["torch"]["float32_matmul_precision"] == "high"
    finally:
        torch.set_float32_matmul_precision(precision)
    assert environment() == before


def test_git_speaks_for_files_that_it_tracks_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("git")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    tracked, untracked = tmp_path / "tracked.py", tmp_path / "untracked.py"

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    tracked.write_text("1")
    untracked.write_text("1")
    git("add", "tracked.py")
    git("commit", "-m", "first")
    revision = git("rev-parse", "HEAD")
    assert module._revision(untracked) == {}
    assert module._revision(tracked) == {"revision": revision, "dirty": False}
    tracked.write_text("2")
    assert module._revision(tracked) == {"revision": revision, "dirty": True}
    assert module._revision(tmp_path / "nowhere" / "file.py") == {}
