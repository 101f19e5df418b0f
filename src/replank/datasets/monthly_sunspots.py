"""monthly_sunspots: Zurich sunspot numbers."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._columns import column_set

SET = column_set(
    Card(
        name="monthly_sunspots",
        title="Monthly sunspot numbers, Zurich 1749-1983 (2,820 months)",
        about="sunspot numbers",
        licence="public, as the collection states",
        source="https://github.com/jbrownlee/Datasets (monthly-sunspots.csv)",
        citation="Andrews, Herzberg, Data, Springer (1985)",
        split="up to each study",
    ),
    "monthly_sunspots.csv",
    "4b91dd8e13bdf6a95c3034c71ceca0152269986c6a91706c6eaf50c1d50081c8",
    "https://raw.githubusercontent.com/jbrownlee/Datasets/master/monthly-sunspots.csv",
    column="Sunspots",
)
