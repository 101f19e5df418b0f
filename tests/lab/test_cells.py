"""Which trials a run consists of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fake_study import STUDY as FAKE

from replank.errors import UnknownName, UsageError
from replank.lab.cells import Cell, cells
from replank.lab.study import Protocol, Scale
from replank.lab.trial import Arm


@dataclass(frozen=True)
class Sizes:
    n: int = 1


ARMS = (Arm("host", "as it is", "baseline"), Arm("wide", "wider"), Arm("wide-frozen", "not trained", "control"))
SCALE = Scale(
    {
        "images": Protocol(Sizes(), datasets=("digits", "mnist*")),
        "strings": Protocol(Sizes(2), arms=("host", "*-frozen"), datasets=("generated",)),
    },
    datasets=("digits",),
    seeds=2,
    minutes=1,
    more_seeds={"wide": 3},
)
STUDY = replace(FAKE, arms=ARMS, scales={"small": SCALE}, claims=())


def of(found: list[Cell], protocol: str) -> list[tuple[str, str, int]]:
    return [(cell.dataset, cell.arm, cell.seed) for cell in found if cell.protocol == protocol]


def test_a_protocol_runs_its_arms_on_its_data_one_seed_after_the_other():
    found = cells(STUDY, "small")
    first = [("digits", arm, 0) for arm in ("host", "wide", "wide-frozen")]
    second = [("digits", arm, 1) for arm in ("host", "wide", "wide-frozen")]
    assert of(found, "images") == [*first, *second, ("digits", "wide", 2)]
    assert of(found, "strings") == [("generated", arm, seed) for seed in (0, 1) for arm in ("host", "wide-frozen")]
    assert {cell.settings.n for cell in found if cell.protocol == "strings"} == {2}


def test_a_protocol_that_makes_its_data_does_not_ask_which_are_chosen():
    found = cells(STUDY, "small", datasets=["mnist5k", "digits", "mnist5k"], seeds=1, arms=["host"])
    assert [(cell.protocol, cell.dataset) for cell in found] == [
        ("images", "mnist5k"),
        ("images", "digits"),
        ("strings", "generated"),
    ]


@pytest.mark.parametrize(
    ("instead", "used"), [({}, ("mnist", "digits")), ({"mnist": "digits"}, ("digits",)), ({"mnist": None}, ("digits",))]
)
def test_without_files_something_else_is_used_or_nothing(instead: dict[str, str | None], used, tmp_path: Path):
    scale = replace(SCALE, datasets=("mnist", "digits"), without_files=instead)
    assert scale.available(tmp_path) == used


@pytest.mark.parametrize(
    ("asked", "error", "law"),
    [
        ({"arms": ["hots"]}, UnknownName, "Did you mean 'host'"),
        ({"protocols": ["string"]}, UnknownName, "Did you mean 'strings'"),
        ({"datasets": ["minst5k"]}, UnknownName, "Did you mean 'mnist5k'"),
        ({"seeds": 0}, UsageError, "`seeds` must be at least 1, got seeds=0"),
        ({"arms": []}, UsageError, "at least one arm"),
        (
            {"arms": ["wide"], "protocols": ["strings"]},
            UsageError,
            r"some protocol of fake must take the arms \(wide\)",
        ),
        ({"datasets": ["cifar10"], "protocols": ["images"]}, UsageError, r"images: arms \* on digits, mnist\*"),
    ],
)
def test_what_can_not_be_run_is_said(asked, error, law):
    with pytest.raises(error, match=law):
        cells(STUDY, "small", **asked)
