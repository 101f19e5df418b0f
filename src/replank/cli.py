"""The command line: a thin skin over the laboratory, without logic of its own.

What takes long to import is imported inside the commands, so that ``replank --help`` answers at once. Progress and
errors go to standard error, results to standard output. Exit codes: 0 done, 1 a trial failed, 2 the request can't be
carried out as it stands, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from replank._version import __version__
from replank.errors import LedgerError, UnknownName, UsageError

if TYPE_CHECKING:
    from rich.console import Console

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
    add_completion=False,
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
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder of the data files. Default: REPLANK_DATA, or a cache."),
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
    from replank.lab.report.terminal import print_studies

    rows = study_rows()
    if as_json:
        _dump(rows)
    else:
        print_studies(_console(), rows)


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
    dataset: Annotated[
        str | None, typer.Option(metavar="A,B", help="These data sets instead of the usual ones.")
    ] = None,
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
    from replank.lab.cells import cells
    from replank.lab.executors import InProcess, ProcessPool
    from replank.lab.report.overview import run_summary
    from replank.lab.report.progress import watching
    from replank.lab.report.study_report import page_path, write_study_page
    from replank.lab.report.terminal import print_run
    from replank.lab.run import run_study
    from replank.lab.study import find_study

    found = find_study(study)
    chosen_arms, chosen_datasets, chosen_protocols = _names(arms), _names(dataset), _names(protocol)
    overrides = _overrides(settings or [])
    planned = cells(
        found,
        scale,
        arms=chosen_arms,
        seeds=seeds,
        datasets=chosen_datasets,
        protocols=chosen_protocols,
        overrides=overrides,
        folder=data,
    )
    with watching(len(planned), found.headline_metric, _console(stderr=True)) as on_event:
        ran = run_study(
            study,
            scale=scale,
            arms=chosen_arms,
            seeds=seeds,
            datasets=chosen_datasets,
            protocols=chosen_protocols,
            overrides=overrides,
            ledger=ledger,
            executor=InProcess() if workers == 1 else ProcessPool(workers),
            data_folder=data,
            device=device,
            threads=threads,
            on_event=on_event,
        )
    page = None
    if not no_report:
        page = write_study_page(
            page_path(ledger, found, scale, chosen_datasets), found, ran.records, ran.judgements, scale=scale
        )
    if as_json:
        _dump(run_summary(ran, page))
    else:
        print_run(_console(), ran, page)
    if ran.failed:
        raise typer.Exit(1)


@app.command()
def report(
    study: Annotated[str | None, typer.Argument(metavar="[STUDY]", help="Name of a study, unless --all.")] = None,
    all_studies: Annotated[
        bool, typer.Option("--all", help="One page over all studies in the ledger, and theirs beside it.")
    ] = False,
    scale: ScaleName = "small",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write. Default: beside the ledger.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Only this data set.")] = None,
    ledger: LedgerName = DEFAULT_LEDGER,
) -> None:
    """Write the report of a study, or of all, from the ledger: HTML, or Markdown if the file's name ends in .md."""
    from replank import datasets
    from replank.lab.claim import judge
    from replank.lab.report.study_report import page_path, write_study_page
    from replank.lab.study import find_study

    if all_studies == (study is not None):
        got = f"got both (STUDY={study!r})" if study else "got neither"
        raise UsageError(f"report: either a STUDY or --all must be given, {got}. `replank list` shows the studies.")
    if dataset is not None:
        datasets.info(dataset)  # refuses a name that no data set has
    if study is None:
        typer.echo(_write_index(scale, out, dataset, ledger))
        return
    found = find_study(study)
    found.scale(scale)
    records = _newest(ledger, found, scale).only(dataset=dataset)
    if not records.records:
        raise UsageError(
            f"report: the ledger must hold trials of {found.slug} at scale {scale}, got none in {ledger}. "
            f"Run `replank run {study} --scale {scale}` first, or name another ledger."
        )
    path = out or page_path(ledger, found, scale, [dataset] if dataset else None)
    typer.echo(write_study_page(path, found, records, judge(found.claims, records.table), scale=scale))


@app.command()
def claims(study: AnyStudy = None, ledger: LedgerName = DEFAULT_LEDGER, as_json: AsJson = False) -> None:
    """Judge the claims of a study, or of all, on what the ledger holds."""
    from replank.lab.claim import judge
    from replank.lab.report.overview import verdict_rows
    from replank.lab.report.tables import verdict_table
    from replank.lab.study import find_study, studies

    chosen = [find_study(study)] if study else list(studies().values())
    judged = {each.slug: judge(each.claims, _newest(ledger, each, None).table) for each in chosen}
    if as_json:
        _dump({slug: verdict_rows(judgements) for slug, judgements in judged.items()})
        return
    for slug, judgements in judged.items():
        _console().print(f"[bold]{slug}[/bold]")
        _console().print(verdict_table(judgements))


@app.command()
def parts(
    for_layer: Annotated[
        str | None, typer.Option("--for", metavar="LAYER", help='What can replace a layer, e.g. "Linear(784, 10)".')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the parts, or those that can replace a layer, with their numbers of parameters."""
    from replank.lab.report.overview import part_rows, replacement_rows
    from replank.lab.report.terminal import print_rows

    rows = replacement_rows(for_layer) if for_layer else part_rows()
    if as_json:
        _dump(rows)
    else:
        print_rows(_console(), rows, wide="why not" if for_layer else "about")


@data_app.command("list")
def list_data(as_json: AsJson = False) -> None:
    """List the data sets."""
    from replank.lab.report.overview import data_infos
    from replank.lab.report.terminal import print_rows

    rows = data_infos()
    if as_json:
        _dump(rows)
    else:
        print_rows(_console(), rows, wide="title")


@data_app.command("verify")
def verify_data(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Data sets; all unless given.")] = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Check the data sets' files against their known checksums."""
    from replank.lab.report.overview import data_rows
    from replank.lab.report.terminal import print_data

    rows = data_rows(data, names or None)
    if as_json:
        _dump(rows)
    else:
        print_data(_console(), rows)


@data_app.command("fetch")
def fetch_data(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set.")],
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Download a data set and verify it."""
    from replank import datasets
    from replank.lab.report.overview import data_rows
    from replank.lab.report.terminal import print_data

    datasets.fetch(name, data)
    rows = data_rows(data, [name])
    if as_json:
        _dump(rows)
    else:
        print_data(_console(), rows)


@app.command()
def doctor(ledger: LedgerName = DEFAULT_LEDGER, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Say what a bug report needs: versions, threads, BLAS, GPU, data, ledger, what can't be imported."""
    from replank.lab.report.overview import machine
    from replank.lab.report.terminal import print_facts

    facts = machine(ledger, data)
    if as_json:
        _dump(facts)
    else:
        print_facts(_console(), facts)


@app.command()
def cite(study: AnyStudy = None) -> None:
    """Print BibTeX of replank and of a study's paper."""
    from replank.lab.report.study_report import citation, own_citation
    from replank.lab.study import find_study

    typer.echo(citation(find_study(study)) if study else own_citation())


def main() -> None:
    """The entry point of ``replank`` and of ``python -m replank``."""
    app(prog_name="replank")


def _names(text: str | None) -> list[str] | None:
    """What stands between the commas."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _overrides(settings: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in settings]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise UsageError(
                f"--set: a setting must read NAME=VALUE, got {name + equals!r}. For example --set epochs=3."
            )
    return {name: value for name, _, value in pairs}


def _newest(ledger: str, study: Study, scale: str | None) -> Records:
    """What a ledger holds; one that does not exist holds nothing, and is not created by looking."""
    from replank.lab.ledger import Ledger
    from replank.lab.records import Records
    from replank.lab.report.study_report import in_order

    if "://" not in ledger and not Path(ledger).exists():
        return Records.of([])
    return in_order(study, Ledger(ledger).newest(study.slug, scale=scale))


def _write_index(scale: str, out: Path | None, dataset: str | None, ledger: str) -> Path:
    """The page over all studies of the ledger, with their own beside it."""
    from replank.lab.ledger import Ledger
    from replank.lab.report.index_report import index_path, write_index
    from replank.lab.study import studies

    planned = {name: study for name, study in studies().items() if scale in study.scales}
    if not planned:
        raise UnknownName("scale", scale, dict.fromkeys(name for study in studies().values() for name in study.scales))
    found = {name: (study, _newest(ledger, study, scale).only(dataset=dataset)) for name, study in planned.items()}
    if not any(records.records for _, records in found.values()):
        raise UsageError(
            f"report: the ledger must hold trials of some study at scale {scale}, got none in {ledger}. "
            f"Run `replank run STUDY --scale {scale}` first, or name another ledger."
        )
    chosen = [dataset] if dataset else None
    known = {study.slug for study in planned.values()}
    unknown = [slug for slug in Ledger(ledger).studies(scale=scale) if slug not in known]
    path = out or index_path(ledger, scale, chosen)
    return write_index(path, found, scale=scale, datasets=chosen, unknown=unknown)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = 120  # a file or a pipe has no width of its own, and 80 columns cramp tables
    return console


def _dump(value: Any) -> None:
    """Strict JSON: what is not a finite number is null."""
    typer.echo(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
