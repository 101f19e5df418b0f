"""What there is, as plain data: studies, claims, parts, data sets, this machine.

The command line prints it, or dumps it as JSON.
"""

from __future__ import annotations

import ast
import inspect
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from replank import datasets, discovery, parts
from replank.errors import UnknownName, UsageError
from replank.lab.claim import Judgement
from replank.lab.environment import environment
from replank.lab.report.tables import arms_table, slices
from replank.lab.run import Run
from replank.lab.study import Study, studies

Row = dict[str, Any]


def study_rows() -> list[Row]:
    """One row a study; those that can't be imported say why."""
    found = [
        {
            "study": slug,
            "title": study.title,
            "paper": str(study.paper),
            "arms": len(study.arms),
            "claims": len(study.claims),
            "minutes": {name: scale.minutes for name, scale in study.scales.items()},
            "error": None,
        }
        for slug, study in studies().items()
    ]
    return found + [
        {
            "study": name.replace("_", "-"),
            "title": None,
            "paper": None,
            "arms": 0,
            "claims": 0,
            "minutes": {},
            "error": error,
        }
        for name, error in discovery.broken("replank.studies").items()
    ]


def study_overview(study: Study, scale_name: str, folder: Path | None) -> Row:
    """What a study asks, swaps, claims and needs at one scale."""
    scale = study.scale(scale_name)
    name, protocol = next(iter(scale.protocols.items()))
    dataset = (*scale.datasets, datasets.GENERATED)[0]
    settings = protocol.resolve(study.baseline_under(scale_name, name), dataset, {})
    ladder = study.ladder(settings, dataset).table() if study.ladder else None
    return {
        "study": study.slug,
        "title": study.title,
        "question": study.question,
        "paper": {"text": str(study.paper), "url": study.paper.url, "code": study.paper.code},
        "contrast": asdict(study.contrast) if study.contrast else None,
        "scale": scale_name,
        "minutes": scale.minutes,
        "seeds": scale.seeds,
        "more_seeds": dict(scale.more_seeds),
        "protocols": {name: each.about for name, each in scale.protocols.items()},
        "ladder": [{"rung": str(rung), **row} for rung, row in ladder.to_dict("index").items()]
        if ladder is not None
        else [],
        "arms": [{"arm": arm.name, "kind": arm.kind, "about": arm.about} for arm in study.arms],
        "claims": [
            {"id": each.id, "statement": each.statement, "reported": each.reported, "source": str(each.source)}
            for each in study.claims
        ],
        "data": data_rows(folder, scale.datasets),
    }


def verdict_rows(judgements: Sequence[Judgement]) -> list[Row]:
    """One row a judgement."""
    return [
        {
            "claim": each.claim.id,
            "statement": each.claim.statement,
            "reported": each.claim.reported,
            "source": str(each.claim.source),
            "scale": each.scale,
            "protocol": each.protocol,
            "dataset": each.dataset,
            "verdict": each.verdict.status,
            "measured": each.verdict.measured,
            "interval": each.verdict.interval,
            "reason": each.verdict.reason,
        }
        for each in judgements
    ]


def data_infos() -> list[Row]:
    """One row a data set, without looking for its files."""
    infos = [datasets.info(name) for name in datasets.names()]
    return [
        {"name": each.name, "embedded": each.embedded, "licence": each.licence, "title": each.title} for each in infos
    ]


def data_rows(folder: Path | None, names: Sequence[str] | None = None) -> list[Row]:
    """One row a data set: whether it is there and whole.

    Raises:
        UnknownName: there is no set of that name.
    """
    rows = []
    for name in names if names is not None else datasets.names():
        about, state = datasets.info(name), datasets.verify(name, folder)
        rows.append(
            {
                "name": name,
                "title": state.title,
                "licence": about.licence,
                "found": state.ok,
                "embedded": about.embedded,
                "files": [{"name": file.name, "state": file.state} for file in state.files],
            }
        )
    return rows


def part_rows() -> list[Row]:
    """One row a part, with what it replaces."""
    return [
        {
            "part": name,
            "group": group.name,
            "replaces": [kind.__name__ for kind in group.replaces],
            "about": (kind.__doc__ or "").strip().partition("\n")[0],
            "source": str(kind.source),
        }
        for group in parts.groups().values()
        for name, kind in parts.parts_of(group.name).items()
    ]


def replacement_rows(text: str) -> list[Row]:
    """What can take the place of a layer, with numbers of parameters; what can't says why.

    Args:
        text: the layer as one writes it, e.g. ``"Linear(784, 10)"``.

    Raises:
        UsageError: it is not a layer of :mod:`torch.nn`, or no part replaces such a layer.
    """
    module = layer(text)
    group = parts.group_of(module)
    if group is None:
        kinds = ", ".join(kind.__name__ for each in parts.groups().values() for kind in each.replaces)
        raise UsageError(f"parts: some part must replace the layer, got {text!r}. There are parts for: {kinds}.")
    rows = [{"part": type(module).__name__, "parameters": _size(module), "why not": None}]
    for name, kind in parts.parts_of(group.name).items():
        needed = _needed_options(kind)
        if needed:
            rows.append(
                {"part": name, "parameters": None, "why not": f"depends on {', '.join(needed)}, which you choose"}
            )
            continue
        try:
            rows.append({"part": name, "parameters": _size(kind.like(module)), "why not": None})
        except (TypeError, ValueError) as error:
            rows.append({"part": name, "parameters": None, "why not": str(error)})
    return rows


def _needed_options(kind: type[parts.Part]) -> list[str]:
    """The options of a part that have no default."""
    options = inspect.signature(kind).parameters.values()
    return [each.name for each in options if each.kind is each.KEYWORD_ONLY and each.default is each.empty]


def layer(text: str) -> nn.Module:
    """The layer of :mod:`torch.nn` that a text like ``"Linear(784, 10, bias=False)"`` describes; nothing is executed.

    Raises:
        UsageError: it is not a call with literal arguments, or the layer refuses them.
        UnknownName: :mod:`torch.nn` has no such layer.
    """
    wrong = UsageError(f'parts: the layer must read like "Linear(784, 10)", got {text!r}.')
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise wrong from None
    if not isinstance(call, ast.Call):
        raise wrong
    name = ast.unparse(call.func).removeprefix("torch.").removeprefix("nn.")
    if not name.isidentifier():
        raise wrong
    try:
        args = [ast.literal_eval(each) for each in call.args]
        options = {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg}
    except ValueError:
        raise wrong from None
    known = {each: kind for each, kind in vars(nn).items() if isinstance(kind, type) and issubclass(kind, nn.Module)}
    if name not in known:
        raise UnknownName("layer of torch.nn", name, known)
    try:
        return known[name](*args, **options)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"parts: torch.nn.{name} must accept its arguments, got {text!r} ({error}).") from None


def run_summary(ran: Run, page: Path | None) -> Row:
    """What a run left: counts, verdicts, arms, and where the report lies."""
    study = ran.study
    arms = [
        {"protocol": place.protocol, "dataset": place.dataset, **row}
        for place, trials in slices(ran.records.table)
        for row in arms_table(
            trials,
            baseline=study.baseline_under(place.scale, place.protocol),
            metric=study.headline_under(place.scale, place.protocol),
        ).to_dict("records")
    ]
    return {
        "study": study.slug,
        "scale": ran.scale,
        "done": ran.done,
        "reused": ran.reused,
        "failed": ran.failed,
        "seconds": ran.seconds,
        "failures": ran.records.table.query("status == 'failed'")[["arm", "seed", "error"]].to_dict("records"),
        "verdicts": verdict_rows(ran.judgements),
        "arms": arms,
        "report": str(page) if page else None,
    }


def machine(ledger: str, folder: Path | None) -> Row:
    """What a bug report needs: versions, threads, hardware, data, ledger, and what can't be imported."""
    broken = {group: discovery.broken(group) for group in ("replank.parts", "replank.studies", "replank.datasets")}
    return {
        **environment(),
        "platform": platform.platform(),
        "ledger": {"where": ledger, "exists": "://" in ledger or Path(ledger).exists()},
        "data": {row["name"]: "found" if row["found"] else "not found" for row in data_rows(folder)},
        "broken": {name: error for group in broken.values() for name, error in group.items()},
    }


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
