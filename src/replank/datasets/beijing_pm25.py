"""beijing_pm25: fine dust in Beijing, where it was measured without a gap."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._columns import column_set

SET = column_set(
    Card(
        name="beijing_pm25",
        title="Beijing PM2.5, the longest stretch without gaps (1,330 hours from 6 June 2011, µg/m³)",
        about="PM2.5 in Beijing",
        licence="CC BY 4.0",
        source="https://github.com/jbrownlee/Datasets (pollution.csv), from the UCI Machine Learning Repository",
        citation="Liang et al., Assessing Beijing's PM2.5 pollution, Proc. R. Soc. A 471 (2015)",
        split="up to each study",
        known_differences=(
            "1,330 of 43,824 hours: 2,067 are missing in the file, nothing was filled in, and nothing joined over a "
            "gap",
        ),
    ),
    "beijing_pm25.csv",
    "892e9559205d16d32623135c127a3951c12e46ea1e0b3093e107ce89a9fd60e2",
    "https://raw.githubusercontent.com/jbrownlee/Datasets/master/pollution.csv",
    column="pm2.5",
    packed_digest="f05c813a792252d701ef765302e73bea5e78f7d0edc44cd3cece745313affed6",
)
