"""The command line: a thin skin over the laboratory, without logic of its own.

What takes long to import is imported inside the commands, so that ``replank --help`` answers at once. Progress and
errors go to standard error, results to standard output. Exit codes: 0 done, 1 a trial failed, 2 the request can't be
carried out as it stands, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from replank._version import __version__
from replank.errors import LedgerError, UsageError

if TYPE_CHECKING:
    from replank.lab.claim import Judgement
    from replank.lab.records import Records
    from replank.lab.study import Study

DEFAULT_LEDGER = "replank-runs/ledger.sqlite"


class _Commands(TyperGroup):
    """Says in one paragraph what was wrong with a request; a bug keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (UsageError, LedgerError) as error:
            typer.echo(f"replank: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt as stop:
            typer.echo(f"replank: {stop or 'Stopped.'}", err=True)
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=_Commands,
    help="Replace one part of a neural network, keep the rest, and measure what changed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="Data sets: what there is, whether it is whole, how to get it.", no_args_is_help=True)
app.add_typer(data_app, name="data")

StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="Name of a study; `replank list` shows them.")]
AnyStudy = Annotated[str | None, typer.Argument(metavar="[STUDY]", help="Name of a study; all unless given.")]
ScaleName = Annotated[str, typer.Option("--scale", help="smoke (seconds), small (minutes) or paper (as published).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
LedgerName = Annotated[
    str, typer.Option("--ledger", envvar="REPLANK_LEDGER", metavar="PATH|URL", help="Where records are kept.")
]
DataFolder = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder of the data files. Default: REPLANK_DATA, or a cache.")
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"replank {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command("list")
def list_studies(as_json: AsJson = False) -> None:
    """List the studies."""
    from replank.lab.report.overview import study_rows
    from replank.lab.report.terminal import print_rows

    rows = study_rows()
    if as_json:
        _dump(rows)
    else:
        print_rows(_console(), rows, wide="title")


@app.command()
def show(study: StudyName, scale: ScaleName = "small", data: DataFolder = None, as_json: AsJson = False) -> None:
    """Show what a study swaps, claims and needs."""
    from replank.lab.report.overview import study_overview
    from replank.lab.report.terminal import print_study
    from replank.lab.study import find_study

    overview = study_overview(find_study(study), scale, data)
    if as_json:
        _dump(overview)
    else:
        print_study(_console(), overview)


@app.command()
def run(
    study: StudyName,
    scale: ScaleName = "small",
    arms: Annotated[str | None, typer.Option(metavar="A,B", help="Only these arms.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Number of seeds.")] = None,
    dataset: Annotated[str | None, typer.Option(metavar="A,B", help="These data sets instead of the usual ones.")] = None,
    protocol: Annotated[str | None, typer.Option(metavar="A,B", help="Only these protocols.")] = None,
    workers: Annotated[int | None, typer.Option(help="Trials at a time. Default: one on each core.")] = None,
    threads: Annotated[int, typer.Option(help="Compute threads of each trial.")] = 1,
    ledger: LedgerName = DEFAULT_LEDGER,
    data: DataFolder = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:1. Default: cuda if there is any.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Another value of a setting; repeatable.")
    ] = None,
    as_json: AsJson = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no HTML report.")] = False,
) -> None:
    """Run a study: what the ledger has already is not run again. Prints the verdicts and writes a report."""
    from replank.lab.executors import InProcess, ProcessPool
    from replank.lab.report.progress import watching
    from replank.lab.run import n_trials, run_study
    from replank.lab.study import find_study

    found = find_study(study)
    choice = {"arms": _names(arms), "seeds": seeds, "datasets": _names(dataset), "protocols": _names(protocol)}
    with watching(n_trials(found, scale, **choice), found.headline_metric, _console(stderr=True)) as on_event:
        ran = run_study(
            study,
            scale=scale,
            **choice,
            overrides=_overrides(settings or []),
            ledger=ledger,
            executor=InProcess() if workers == 1 else ProcessPool(workers),
            data_folder=data,
            device=device,
            threads=threads,
            on_event=on_event,
        )
    page = None if no_report else _write_report(found, scale, ran.records, ran.judgements, _page_path(ledger, found, scale, dataset))
    if as_json:
        _dump_run(ran, page)
    else:
        _print_run(ran, page)
    if ran.failed:
        raise typer.Exit(1)
