from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import fake_study
import pytest

from replank.errors import UnknownName, UsageError
from replank.lab.study import Protocol, find_study, locate_study


def test_a_study_is_found_by_reference() -> None:
    assert find_study("fake_study:STUDY") is fake_study.STUDY
    assert locate_study("fake_study:STUDY") == (fake_study.STUDY, fake_study)


@pytest.mark.parametrize(
    ("name", "error", "law"),
    [
        ("no-such-study", UnknownName, "unknown study 'no-such-study'"),
        ("no_such_module:STUDY", UsageError, "'no_such_module' must be a module that can be imported.*PYTHONPATH"),
        ("fake_study:nothing", UsageError, "'fake_study:nothing' must name a Study, got NoneType. .*fake_study:STUDY"),
        ("fake_study:PAPER", UsageError, "must name a Study, got Paper"),
        ("fake_study:", UsageError, "must name a Study"),
        (":STUDY", UsageError, "must be a module"),
    ],
)
def test_a_reference_that_leads_nowhere_is_said(name: str, error: type[Exception], law: str) -> None:
    with pytest.raises(error, match=law):
        find_study(name)


def test_a_module_that_breaks_on_import_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_fake.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="got ZeroDivisionError: division by zero"):
        find_study("broken_fake:STUDY")


SETTINGS = fake_study.FakeSettings()


def test_settings_come_from_arm_then_data_set_then_the_user() -> None:
    protocol = Protocol(
        SETTINGS,
        by_arm={"w*": {"lr": 1.0, "epochs": 7}, "worse": {"lr": 2.0}},
        by_dataset={"digits": {"lr": 3.0}},
    )
    assert protocol.resolve("steady", "mnist", {}) == SETTINGS
    assert protocol.resolve("worse", "mnist", {}) == fake_study.FakeSettings(epochs=7, lr=2.0)
    assert protocol.resolve("worse", "digits", {}) == fake_study.FakeSettings(epochs=7, lr=3.0)
    assert protocol.resolve("worse", "digits", {"lr": "4"}) == fake_study.FakeSettings(epochs=7, lr=4.0)


def test_a_setting_is_checked_by_name_and_type() -> None:
    with pytest.raises(UnknownName, match=r"unknown setting 'epoch'. Did you mean 'epochs'\?"):
        Protocol(SETTINGS).resolve("steady", "digits", {"epoch": "2"})
    with pytest.raises(UsageError, match="epochs must be int, got 'many'"):
        Protocol(SETTINGS).resolve("steady", "digits", {"epochs": "many"})


@dataclass(frozen=True)
class Constrained:
    low: int = 0
    high: int = 1
    kind: Literal["a", "b"] = "a"
    flag: bool = False

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError("`low` must be below `high`")


def test_settings_keep_their_own_law() -> None:
    protocol = Protocol(Constrained())
    changed = protocol.resolve("steady", "digits", {"low": "5", "high": "7", "kind": "b", "flag": "true"})
    assert changed == Constrained(5, 7, "b", True)
    with pytest.raises(UsageError, match=r"--set: got {'low': '5'} \(Value error, `low` must be below `high`\)"):
        protocol.resolve("steady", "digits", {"low": "5"})
    with pytest.raises(UsageError, match=r"kind must be .*, got 'c'"):
        protocol.resolve("steady", "digits", {"kind": "c"})
