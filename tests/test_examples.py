"""Every script in ``examples/`` runs and prints a result."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


def test_there_are_examples():
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_example_runs(script, capsys):
    names = runpy.run_path(str(script), run_name="__main__")
    assert "result" in names
    assert str(names["result"]) in capsys.readouterr().out
