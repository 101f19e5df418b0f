"""Pages that are programs: their blocks run from top to bottom as pasted, and print what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from replank.circuits import core

ROOT = Path(__file__).parents[1]
BUILT = ("docs/studies/", "docs/project/")  # copies that `make docs` writes
PAGES = sorted(
    name
    for name in (page.relative_to(ROOT).as_posix() for page in ROOT.glob("docs/**/*.md"))
    if not name.startswith(BUILT) and "```python" in (ROOT / name).read_text(encoding="utf-8")
)
SEPARATOR = "\x1e"


def _blocks(page: str) -> list[tuple[str, str, bool]]:
    """Each Python block with the output that the page shows below it, and whether its numbers are left to chance."""
    found: list[tuple[str, str, bool]] = []
    fenced = re.compile(r"^```(\w[\w ]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    for kind, content in fenced.findall((ROOT / page).read_text(encoding="utf-8")):
        if kind == "python":
            found.append((content, "", False))
        elif kind.startswith("text") and found:
            found[-1] = (found[-1][0], content, kind == "text by chance")
    return found


def _outputs(blocks: list[str], folder: Path) -> list[str]:
    """What each block prints, all being run in one namespace."""
    (folder / "page.py").write_text(f"print({SEPARATOR!r})\n".join(blocks), encoding="utf-8")
    # one thread: batches are small, and the suite runs as many processes as there are cores
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "page.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().split(f"{SEPARATOR}\n")


def _without_numbers(text: str) -> str:
    """Words and signs alone, one blank between them."""
    return re.sub(r"\s+", " ", re.sub(r"[-−]?\d+(\.\d+)?(e[-+]?\d+)?", "0", text))


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("page", PAGES)
def test_a_page_prints_what_it_says(page, tmp_path):
    blocks = _blocks(page)
    outputs = _outputs([code for code, _, _ in blocks], tmp_path)
    backend = "core" if core.available() else "torch"
    for (code, shown, by_chance), printed in zip(blocks, outputs, strict=True):
        expected = shown.replace("on this device: core", f"on this device: {backend}")
        same = _without_numbers if by_chance else _trimmed
        assert same(printed) == same(expected), code
