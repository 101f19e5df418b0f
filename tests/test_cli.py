from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import replank.lab.run
from replank import __version__, discovery
from replank.cli import app
from replank.lab.run import RunInterrupted

SMOKE = ("run", "ark:STUDY", "--scale", "smoke", "--workers", "1")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "lab" / "report"))  # where ark lies
    for name in ("REPLANK_LEDGER", "REPLANK_DATA"):
        monkeypatch.delenv(name, raising=False)


def replank_(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def ok(*arguments: str) -> str:
    result = replank_(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def as_json(*arguments: str) -> Any:
    return json.loads(ok(*arguments, "--json"))


AT_EXIT = """
import atexit, sys
atexit.register(lambda: print(sorted({"torch", "sklearn", "matplotlib", "pandas"} & set(sys.modules))))
"""


@pytest.mark.parametrize("command", ["import replank.cli", "from replank.cli import app; app(['--help'])"])
def test_what_takes_long_to_import_is_not_imported(command: str) -> None:
    done = subprocess.run([sys.executable, "-c", AT_EXIT + command], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")


def test_it_is_a_module_too() -> None:
    done = subprocess.run([sys.executable, "-m", "replank", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"replank {__version__}\n"


# -- asking for what there is not --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "quantum-crep"], "Did you mean 'quantum-creep'?"),
        ([*SMOKE, "--scale", "smal"], "Did you mean 'small'?"),
        ([*SMOKE, "--arms", "keel,oek"], "Did you mean 'oak'?"),
        ([*SMOKE, "--dataset", "mnist5"], "Did you mean 'mnist5k'?"),
        ([*SMOKE, "--protocol", "a"], "unknown protocol"),
        ([*SMOKE, "--seeds", "0"], "`seeds` must be at least 1, got seeds=0"),
        ([*SMOKE, "--workers", "0"], "`workers` must be at least 1, got workers=0"),
        ([*SMOKE, "--threads", "0"], "`threads` must be at least 1, got threads=0"),
        ([*SMOKE, "--device", "quantum"], "`device` must be one that torch can use, got 'quantum'"),
        ([*SMOKE, "--set", "foo"], "must read NAME=VALUE, got 'foo'"),
        ([*SMOKE, "--set", "lr=abc"], "lr must be float, got 'abc'"),
        ([*SMOKE, "--set", "epoch=3"], "Did you mean 'epochs'?"),
        ([*SMOKE, "--dataset", "mnist", "--data", "."], "mnist needs its files"),
        (["show", "ark:STUDY", "--scale", "paperr"], "unknown scale"),
        (["report", "ark:STUDY"], "must hold trials of ark at scale small, got none"),
        (["report", "ark:STUDY", "--dataset", "minst"], "Did you mean 'mnist'?"),
        (["report", "nope"], "unknown study 'nope'"),
        (["report"], "either a STUDY or --all must be given, got neither"),
        (["report", "ark:STUDY", "--all"], "either a STUDY or --all must be given, got both (STUDY='ark:STUDY')"),
        (["report", "--all"], "must hold trials of some study at scale small, got none"),
        (["report", "--all", "--scale", "smal"], "Did you mean 'small'?"),
        (["report", "--all", "--dataset", "minst"], "Did you mean 'mnist'?"),
        (["claims", "nope"], "unknown study 'nope'"),
        (["cite", "nope"], "unknown study 'nope'"),
        (["data", "verify", "fashion_mnst"], "Did you mean 'fashion_mnist'?"),
        (["data", "fetch", "nope"], "unknown data set 'nope'"),
        (["parts", "--for", "Linaer(3, 4)"], "Did you mean 'Linear'?"),
        (["parts", "--for", "__import__('os').getcwd()"], "the layer must read like"),
        (["parts", "--for", "Linear(3, print(4))"], "the layer must read like"),
        (["parts", "--for", "Linear(3,"], "the layer must read like"),
        (["parts", "--for", "Linear(3)"], "torch.nn.Linear must accept its arguments"),
        (["parts", "--for", "Softmax(1)"], "some part must replace the layer"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_bad_request_is_told_in_one_paragraph_and_leaves_nothing(arguments: list[str], words: str) -> None:
    result = replank_(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("arguments", [["runn"], ["list", "--jsn"], ["run"]], ids=" ".join)
def test_a_misspelt_command_is_a_usage_error(arguments: list[str]) -> None:
    assert replank_(*arguments).exit_code == 2


def test_a_ledger_that_is_none_is_told_without_a_traceback() -> None:
    Path("ledger.sqlite").write_text("not a database, but long enough to be taken for one " * 20)
    result = replank_(*SMOKE, "--ledger", "ledger.sqlite")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "ledger.sqlite" in result.stderr


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(replank.lab.run, "run_study", bug)
    assert isinstance(replank_(*SMOKE).exception, ZeroDivisionError)


def test_ctrl_c_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise RunInterrupted(3, 0, 4)

    monkeypatch.setattr(replank.lab.run, "run_study", stopped)
    result = replank_(*SMOKE)
    assert result.exit_code == 130
    assert "3 trials are in the ledger, 0 failed, 4 are left. The same command goes on" in result.stderr


# -- running ---------------------------------------------------------------------------------------------------------


def test_a_run_ends_with_verdicts_and_a_report_and_is_not_repeated() -> None:
    first = replank_(*SMOKE)
    assert first.exit_code == 0, first.output
    assert "finished in" in first.stderr
    assert "C4" in first.stdout
    assert "Needs cifar10; these records are of digits." in first.stdout
    assert first.stdout.rstrip().endswith("report: replank-runs/ark-smoke.html")
    page = Path("replank-runs/ark-smoke.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")

    again = as_json(*SMOKE)
    assert (again["done"], again["reused"], again["failed"]) == (0, 5, 0)
    assert {each["claim"] for each in again["verdicts"]} == {"C1", "C2", "C3", "C4", "C5"}

    assert ok("report", "ark:STUDY", "--scale", "smoke", "--out", "other.html") == "other.html\n"
    assert Path("other.html").read_text(encoding="utf-8") == page
    assert [each["verdict"] for each in as_json("claims", "ark:STUDY")["ark"]] == [
        each["verdict"] for each in again["verdicts"]
    ]


def test_a_report_of_all_studies_leads_to_theirs_and_names_those_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ok(*SMOKE)
    page = Path("replank-runs/ark-smoke.html").read_text(encoding="utf-8")
    members, own = discovery.members, {"replank.studies": {"ark": importlib.import_module("ark")}}
    monkeypatch.setattr(discovery, "members", lambda group: members(group) | own.get(group, {}))
    assert ok("report", "--all", "--scale", "smoke") == "replank-runs/index-smoke.html\n"
    index = Path("replank-runs/index-smoke.html").read_text(encoding="utf-8")
    assert 'href="ark-smoke.html"' in index
    assert Path("replank-runs/ark-smoke.html").read_text(encoding="utf-8") == page
    assert "replank run quantum-creep --scale smoke" in index
    ok("report", "--all", "--scale", "smoke", "--out", "again.html")
    assert Path("again.html").read_text(encoding="utf-8") == index
    ok("report", "--all", "--scale", "smoke", "--dataset", "digits", "--out", "notes/all.md")
    assert "(ark-smoke-digits.md)" in Path("notes/all.md").read_text(encoding="utf-8")


def test_a_failed_trial_is_exit_1_and_the_rest_is_told() -> None:
    result = replank_(*SMOKE, "--set", "sinks=yes", "--arms", "keel,reed", "--no-report", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (told["done"], told["failed"], told["report"]) == (1, 1, None)
    assert told["failures"] == [{"arm": "reed", "seed": 0, "error": "RuntimeError: the reed sinks"}]
    assert not list(Path("replank-runs").glob("*.html"))


def test_the_ledger_may_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLANK_LEDGER", "elsewhere/l.sqlite")
    ok(*SMOKE, "--arms", "keel")
    assert sorted(path.name for path in Path("elsewhere").glob("*[el]")) == ["ark-smoke.html", "l.sqlite"]


# -- asking for what there is ----------------------------------------------------------------------------------------


def test_claims_without_a_ledger_are_not_tested_and_create_none() -> None:
    assert {each["reason"] for each in as_json("claims", "ark:STUDY")["ark"]} == {"No trial has been run."}
    assert list(Path().iterdir()) == []


def test_show_says_what_is_swapped_claimed_and_needed() -> None:
    told = as_json("show", "ark:STUDY", "--scale", "smoke")
    assert told["ladder"][2]["deck"] == "HamiltonianReuploadLinear, frozen"
    assert told["data"][0]["found"]
    text = " ".join(ok("show", "ark:STUDY").split())
    assert told["contrast"]["same_size"] == ["oak-small", "keel"]
    for words in ("Hull of oak and deck of reed.", "Oak adds nothing that its size does not.",
                  "paper: 92.30 ± 0.15 / 92.34 ± 0.14 %", "table 1 [official code]",
                  "about 4 min on two cores", "mnist5k yes"):  # fmt: skip
        assert words in text


def test_parts_for_a_layer_have_numbers_of_parameters_or_a_reason() -> None:
    rows = as_json("parts", "--for", "Linear(784, 10, bias=False)")
    assert rows[0] == {"part": "Linear", "parameters": 7840, "why not": None}
    assert all((row["parameters"] is None) == bool(row["why not"]) for row in rows)
    assert {row["part"] for row in rows[1:]} == {row["part"] for row in as_json("parts") if row["group"] == "linear"}


def test_data_are_listed_and_verified() -> None:
    assert "mnist5k" in {row["name"] for row in as_json("data", "list")}
    found = {row["name"]: row["found"] for row in as_json("data", "verify", "digits", "mnist", "--data", ".")}
    assert found == {"digits": True, "mnist": False}


@pytest.mark.parametrize("command", [("list",), ("parts",), ("data", "list"), ("doctor",)], ids=" ".join)
def test_every_overview_is_there_for_people_and_for_scripts(command: tuple[str, ...]) -> None:
    assert ok(*command).strip()
    assert as_json(*command)


def test_doctor_says_which_core_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLANK_NO_CORE", "1")
    assert "core: none: REPLANK_NO_CORE is set" in ok("doctor")


def test_the_citation_is_bibtex() -> None:
    assert ok("cite", "ark:STUDY").startswith("@article{noah2024ark")
    assert ok("cite").startswith("@software{replank")
