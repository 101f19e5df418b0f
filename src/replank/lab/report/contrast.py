"""What a study's contrast comes to on its records: one arm against its rivals, paired over seeds."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from replank.lab.pairs import paired_difference, values_by_seed
from replank.lab.report.forest import Panel, Row, forest_plot
from replank.lab.report.page import Block, Picture, Text
from replank.lab.report.tables import Slice, slices
from replank.lab.report.wording import MISSING, Metric, metric
from replank.lab.study import Contrast, Study
from replank.measure.statistics import Interval

COLOURS = (
    "Blue: the interval lies on the better side of zero; orange: on the worse one; grey: it includes zero. An "
    "interval that ends in an arrow runs out of the frame."
)
"""What the colours of the forest plots say."""


@dataclass(frozen=True)
class Rival:
    """A control, and the arm's difference to it.

    Args:
        name: the control.
        same_size: whether it has a part of about the same size.
        mean: its own metric, over its seeds.
        difference: the arm's metric minus its, paired over seeds.
    """

    name: str
    same_size: bool
    mean: float
    difference: Interval


@dataclass(frozen=True)
class Contrasted:
    """The contrast on one slice of the records.

    Args:
        contrast: what is compared.
        place: which slice.
        metric: how the metric is shown.
        rivals: the controls that share a seed with the arm, those of the same size first.
        failed: how many trials of the arm and of its controls failed; their seeds are left out.
    """

    contrast: Contrast
    place: Slice
    metric: Metric
    rivals: tuple[Rival, ...]
    failed: int

    @property
    def best(self) -> Rival | None:
        """The control of the same size with the best mean."""
        known = [rival for rival in self.rivals if rival.same_size]
        sign = 1 if self.metric.less_is_better else -1
        return min(known, key=lambda rival: sign * rival.mean, default=None)

    def shown(self, difference: Interval) -> str:
        """A difference with its unit and interval, e.g. ``+1.20 points [+0.40, +2.00]``."""
        unit = f" {self.metric.difference_unit}" if self.metric.difference_unit else ""
        interval = self.metric.show_interval(difference.low, difference.high, signed=True)
        return f"{self.metric.show_signed(difference.mean)}{unit}" + (f" {interval}" if interval != MISSING else "")

    def sentence(self) -> str:
        """The arm minus its best control of the same size, and whether that can be told from zero."""
        arm, best = self.contrast.arm, self.best
        where = f"On {self.place.dataset} ({self.place.protocol})"
        left_out = f" {self.failed} trials of these arms failed and are left out." if self.failed else ""
        if best is None:
            names = ", ".join(self.contrast.same_size)
            return f"{where}, {arm} shares no seed with a control of its size ({names}).{left_out}"
        n_controls = sum(rival.same_size for rival in self.rivals)
        which = f"the best of {n_controls} controls of its size" if n_controls > 1 else "the control of its size"
        n = best.difference.n
        over = f"over {n} seeds (paired, 95 % interval)" if n > 1 else "with a single seed"
        return (
            f"{where}, {self.metric.words} of {arm} minus that of {best.name}, {which}, is "
            f"{self.shown(best.difference)} {over}: {self._verdict(best)}.{left_out}"
        )

    def _verdict(self, best: Rival) -> str:
        if best.difference.n < 2:
            return "there is no interval"
        if best.difference.spans_zero:
            return "the interval spans 0"
        side = "better" if self.metric.is_better(best.difference.mean) else "worse"
        return f"the interval does not span 0, {self.contrast.arm} is {side}"


def contrasts(study: Study, table: pd.DataFrame) -> list[Contrasted]:
    """A study's contrast on each slice that has trials of its arm under a protocol of it; none without a contrast.

    Args:
        study: whose contrast.
        table: one row a trial.
    """
    contrast = study.contrast
    if contrast is None:
        return []
    name = contrast.metric or study.headline_metric
    found = []
    for place, trials in slices(table):
        if fnmatch.fnmatchcase(place.protocol, contrast.protocol) and trials["arm"].eq(contrast.arm).any():
            compared = trials["arm"].isin([contrast.arm, *contrast.same_size, *contrast.others])
            failed = int((compared & trials["status"].eq("failed")).sum())
            rivals = tuple(_rivals(contrast, trials, name))
            found.append(Contrasted(contrast, place, metric(name), rivals, failed))
    return found


def contrast_blocks(study: Study, table: pd.DataFrame) -> list[Block]:
    """What a report leads with: two sentences, one with the numbers for each slice, and a forest plot."""
    contrast = study.contrast
    assert contrast is not None
    found = contrasts(study, table)
    blocks: list[Block] = [Text(contrast.says, strong=True), *(Text(each.sentence()) for each in found)]
    if not found:
        blocks.append(Text(f"{contrast.arm} has not been run under a protocol of this comparison."))
    drawn = [each for each in found if each.rivals]
    if drawn:
        blocks.append(_picture(contrast, drawn))
    return blocks


def _rivals(contrast: Contrast, trials: pd.DataFrame, name: str) -> Iterator[Rival]:
    values = values_by_seed(trials, contrast.arm, name)
    for control in (*contrast.same_size, *contrast.others):
        own = values_by_seed(trials, control, name)
        difference = paired_difference(values, own)
        if difference is not None:
            yield Rival(control, control in contrast.same_size, float(own.mean()), difference)


def _picture(contrast: Contrast, drawn: Sequence[Contrasted]) -> Picture:
    arm, shown = contrast.arm, drawn[0].metric
    panels = [
        Panel(
            f"{each.place.protocol}, {each.place.dataset}" if len(drawn) > 1 else "",
            shown,
            tuple(
                Row(
                    rival.name,
                    rival.difference,
                    note="" if rival.same_size else "not of the same size",
                    filled=rival.same_size,
                    strong=rival is each.best,
                )
                for rival in each.rivals
            ),
            f"{shown.words}, difference",
            (f"{arm} worse", f"{arm} better"),
        )
        for each in drawn
    ]
    side = "left" if shown.less_is_better else "right"
    spoken = (
        f"{each.place.dataset}, {rival.name}: {each.shown(rival.difference)}" for each in drawn for rival in each.rivals
    )
    title = f"{arm} minus each of its controls"
    return Picture(
        forest_plot(panels),
        f"Paired over seeds, with 95 % intervals; {side} of the line {arm} is better. Filled: controls of the same "
        f"size, the best of them, by its mean, in bold; hollow: other controls. {COLOURS}",
        title,
        label=f"{title}. {'; '.join(spoken)}.",
    )
