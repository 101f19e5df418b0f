"""How verdicts are shown on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import pandas as pd

from replank.lab.claim import Judgement, Status, Verdict
from replank.lab.report.page import Badge, Badges, Cell, Column, Table, Tone
from replank.lab.report.tables import SYMBOLS, places
from replank.lab.report.wording import MISSING, number

STATUSES: tuple[Status, ...] = get_args(Status)
"""All that a verdict can be, from good to nothing."""

_TONES: dict[str, Tone] = {
    "reproduced": "good", "not reproduced": "bad", "inconclusive": "open", "not tested": "none",
}  # fmt: skip


def badge(status: str) -> Badge:
    """The sign, colour and word of a verdict."""
    return Badge(status, SYMBOLS[status], _TONES[status])


def badges(judgements: Iterable[Judgement]) -> Badges:
    """How many verdicts there are of each kind."""
    counts = Counter(each.verdict.status for each in judgements)
    return Badges(tuple((counts[status], badge(status)) for status in STATUSES if counts[status]))


def measured_cell(verdict: Verdict) -> Cell:
    """Our number, with its interval below it."""
    low, high = verdict.interval or (None, None)
    bounded = MISSING not in (number(low), number(high))
    return Cell(number(verdict.measured), f"[{number(low)},\N{NO-BREAK SPACE}{number(high)}]" if bounded else "")


def verdicts_table(judgements: Sequence[Judgement]) -> Table:
    """The verdicts of one study, with what decides."""
    several = len(places(judgements)) > 1
    frame = pd.DataFrame(
        {
            "order": range(len(judgements)),
            "status": [each.verdict.status for each in judgements],
            "judgement": list(judgements),
        }
    )

    def claim(row: Mapping[str, Any]) -> Cell:
        each: Judgement = row["judgement"]
        return Cell(f"{each.claim.id}  {each.claim.statement}", f"{each.protocol}, {each.dataset}" if several else "")

    def reported(row: Mapping[str, Any]) -> Cell:
        each: Judgement = row["judgement"]
        return Cell(each.claim.reported, str(each.claim.source))

    columns = (
        Column("claim", claim, sort_by="order", wide=True),
        Column("the paper's number", reported),
        Column("measured here", lambda row: measured_cell(row["judgement"].verdict)),
        Column("verdict", lambda row: Cell(badge=badge(row["status"])), sort_by="status"),
        Column("what decides", lambda row: row["judgement"].verdict.reason, wide=True),
    )
    return Table(frame, columns, stacked=True)
