"""What a study is: one published system, its arms, its protocols and its claims. Data, not a framework."""

from __future__ import annotations

import fnmatch
import importlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from replank import datasets, discovery
from replank.errors import UnknownName, UsageError
from replank.lab.trial import Arm, Settings
from replank.sources import Paper

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

    from replank.lab.claim import Claim
    from replank.lab.records import Records
    from replank.lab.trial import Measurements, Trial
    from replank.slots import Ladder


@dataclass(frozen=True)
class Protocol:
    """How trials are run: settings, with what differs for some arms or data sets.

    Args:
        settings: the study's settings.
        by_arm: changes for arms whose name matches a glob, e.g. ``{"level-2*": {"lr": 0.02}}``; later ones win.
        by_dataset: changes for a data set, applied after ``by_arm``.
        about: one sentence for people.
        arms: globs of the arms that it is for.
        datasets: globs of the data sets that it is for; ``("generated",)`` if trials make their data themselves.
        baseline: the arm that the others are compared with, if it is not the study's.
        headline_metric: the metric that its tables lead with, if it is not the study's.
    """

    settings: Settings
    by_arm: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    by_dataset: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    about: str = ""
    arms: tuple[str, ...] = ("*",)
    datasets: tuple[str, ...] = ("*",)
    baseline: str | None = None
    headline_metric: str | None = None

    @property
    def makes_its_data(self) -> bool:
        """Whether trials make their data themselves, whatever sets a run is about."""
        return self.datasets == (datasets.GENERATED,)

    def is_for_arm(self, arm: str) -> bool:
        """Whether an arm is run under this protocol."""
        return _matches(arm, self.arms)

    def is_for_dataset(self, dataset: str) -> bool:
        """Whether the protocol can be run on a data set."""
        return _matches(dataset, self.datasets)

    def resolve(self, arm: str, dataset: str, overrides: Mapping[str, str]) -> Settings:
        """The settings of one trial; ``overrides`` come from ``--set`` and win over everything."""
        changes: dict[str, Any] = {}
        for pattern, change in self.by_arm.items():
            if fnmatch.fnmatchcase(arm, pattern):
                changes |= change
        changes |= self.by_dataset.get(dataset, {})
        return _overridden(replace(self.settings, **changes), overrides)


@dataclass(frozen=True)
class Scale:
    """A size at which the study is run.

    Args:
        protocols: by name; most scales have one.
        datasets: names of the data sets used unless the user asks for others; protocols that make their data need none.
        seeds: number of seeds, numbered from 0.
        minutes: what the whole run takes on two cores, roughly.
        more_seeds: larger numbers of seeds, by glob, for arms that cost little: three seeds give wide intervals.
        without_files: what is used in the place of a data set whose files are not there; ``None``: nothing. A set that
            is not named here is then asked for.
    """

    protocols: Mapping[str, Protocol]
    datasets: tuple[str, ...]
    seeds: int
    minutes: float
    more_seeds: Mapping[str, int] = field(default_factory=dict)
    without_files: Mapping[str, str | None] = field(default_factory=dict)

    def available(self, folder: Path | None) -> tuple[str, ...]:
        """The data sets to use with the files that a folder holds."""
        found = (
            name if name not in self.without_files or datasets.verify(name, folder).ok else self.without_files[name]
            for name in self.datasets
        )
        return tuple(dict.fromkeys(name for name in found if name is not None))

    def seeds_of(self, arm: str) -> int:
        """With how many seeds an arm is run."""
        more = [n for pattern, n in self.more_seeds.items() if fnmatch.fnmatchcase(arm, pattern)]
        return max([self.seeds, *more])


@dataclass(frozen=True)
class Contrast:
    """The comparison that a report leads with: what does the part in question do that its rivals don't?

    Args:
        arm: the arm with the part.
        same_size: arms with another part of about the same size in its place, of which the best counts.
        others: further controls that are shown beside them: frozen, without it, much simpler.
        says: two sentences: what the part contributes.
        metric: what is compared; the study's headline metric unless given.
        protocol: glob of the protocols in which these arms are compared.
    """

    arm: str
    same_size: tuple[str, ...]
    says: str
    others: tuple[str, ...] = ()
    metric: str | None = None
    protocol: str = "*"


@dataclass(frozen=True)
class Figure:
    """A picture made from records.

    Args:
        name: file-name-like identifier.
        title: heading.
        caption: what to see, in a sentence or two.
        draw: pure function from records to a matplotlib figure.
        protocol: glob of the protocols whose records it is of.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Records], MatplotlibFigure]
    protocol: str = "*"


@dataclass(frozen=True)
class Study:
    """One published system as code.

    Args:
        slug: name with hyphens; the folder has underscores.
        title: the question in a line.
        paper: what is rerun.
        question: two or three sentences: what is swapped, what one wants to know.
        arms: the alternatives; the first is the baseline.
        scales: ``smoke``, ``small`` and ``paper``.
        run: from a trial to its measurements.
        claims: the paper's statements, with rules.
        headline_metric: the metric that tables lead with, e.g. ``"test_accuracy"``.
        contrast: the comparison that the report leads with.
        finding: paragraphs that the report prints ahead of the verdicts: what a reader must know to read them.
        figures: pictures of the report, in order.
        ladder: from settings and the name of a data set to the ladder of swaps, for studies that have one: drawn in the
            report.
    """

    slug: str
    title: str
    paper: Paper
    question: str
    arms: tuple[Arm, ...]
    scales: Mapping[str, Scale]
    run: Callable[[Trial], Measurements]
    claims: tuple[Claim, ...]
    headline_metric: str
    contrast: Contrast | None = None
    finding: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    ladder: Callable[[Settings, str], Ladder] | None = None

    @property
    def baseline(self) -> Arm:
        """The arm that the others are compared with."""
        return self.arms[0]

    def baseline_under(self, scale: str, protocol: str) -> str:
        """The name of the arm that the others are compared with under a protocol, which may have its own."""
        planned = self._planned(scale, protocol)
        return (planned and planned.baseline) or self.baseline.name

    def headline_under(self, scale: str, protocol: str) -> str:
        """The metric that tables of a protocol lead with, which may have its own."""
        planned = self._planned(scale, protocol)
        return (planned and planned.headline_metric) or self.headline_metric

    def _planned(self, scale: str, protocol: str) -> Protocol | None:
        """The protocol of that name, if the study still has it."""
        return self.scales[scale].protocols.get(protocol) if scale in self.scales else None

    def arm(self, name: str) -> Arm:
        """The arm of that name.

        Raises:
            UnknownName: there is none.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise UnknownName(f"arm of {self.slug}", name, [arm.name for arm in self.arms])

    def scale(self, name: str) -> Scale:
        """The scale of that name.

        Raises:
            UnknownName: there is none.
        """
        if name not in self.scales:
            raise UnknownName(f"scale of {self.slug}", name, self.scales)
        return self.scales[name]


def studies() -> dict[str, Study]:
    """All studies that can be imported, by slug; a plug-in's are ``plugin:slug``."""
    return {name: module.STUDY for name, module in _modules().items()}


def find_study(name: str) -> Study:
    """The study of that name.

    Args:
        name: a slug, e.g. ``"quantum-creep"``; or ``"module:NAME"`` for a study that is not registered, e.g.
            ``"mypackage.mystudy:STUDY"``.

    Raises:
        UnknownName: there is none.
        UsageError: the module can't be imported, or what it holds under that name is not a study.
    """
    return locate_study(name)[0]


def locate_study(name: str) -> tuple[Study, ModuleType]:
    """The study of that name and the module that holds it; see :func:`find_study`."""
    known = _modules()
    if name in known:
        return known[name].STUDY, known[name]
    module_name, colon, attribute = name.partition(":")
    if not colon:
        raise UnknownName("study", name, known)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever a user's module raises
        raise UsageError(
            f"find_study: {module_name!r} must be a module that can be imported, got {type(error).__name__}: {error}. "
            "Install it, or put its folder on PYTHONPATH."
        ) from None
    study = getattr(module, attribute, None)
    if not isinstance(study, Study):
        raise UsageError(
            f"find_study: {name!r} must name a Study, got {type(study).__name__}. Write module:NAME, e.g. "
            f"{module_name}:STUDY."
        )
    return study, module


def _modules() -> dict[str, ModuleType]:
    found = {name.replace("_", "-"): module for name, module in discovery.members("replank.studies").items()}
    return {name: module for name, module in found.items() if hasattr(module, "STUDY")}


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)


def _value(text: str) -> Any:
    """A list or mapping if the text is one in JSON; anything else is left to the declared type to read."""
    with suppress(json.JSONDecodeError):
        return json.loads(text) if text[:1] in ("[", "{") else text
    return text


def _overridden(settings: Settings, overrides: Mapping[str, str]) -> Settings:
    """The settings with some replaced by what ``--set`` gave as text, read as the declared types."""
    if not is_dataclass(settings) or isinstance(settings, type):
        raise TypeError(f"Protocol: `settings` must be a dataclass instance, got {type(settings).__name__}.")
    types = {entry.name: entry.type for entry in fields(settings)}
    for name in overrides:
        if name not in types:
            raise UnknownName("setting", name, types)
    try:
        # validated as a whole dataclass, so that string annotations resolve and constraints hold
        current = {name: getattr(settings, name) for name in types}
        valid = TypeAdapter(type(settings)).validate_python(
            current | {name: _value(text) for name, text in overrides.items()}
        )
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]) if problem["loc"] else ""
        law = (
            f"{name} must be {types[name]}, got {overrides[name]!r}" if name in overrides else f"got {dict(overrides)}"
        )
        raise UsageError(f"--set: {law} ({problem['msg']}).") from None
    return replace(settings, **{name: getattr(valid, name) for name in overrides})
