"""daily_min_temperatures: Melbourne's daily minimum temperatures."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._columns import column_set

SET = column_set(
    Card(
        name="daily_min_temperatures",
        title="Daily minimum temperatures, Melbourne 1981-1990 (3,650 days, °C)",
        about="daily minimum temperatures",
        licence="public, as the collection states",
        source="https://github.com/jbrownlee/Datasets (daily-min-temperatures.csv)",
        citation="Australian Bureau of Meteorology",
        split="up to each study",
        known_differences=("the last day of both leap years is missing: 3,650 days, not 3,652",),
    ),
    "daily_min_temperatures.csv",
    "178c85707c148319c4ca35069d044c799ff22e8d71b7a2c08922216756d18961",
    "https://raw.githubusercontent.com/jbrownlee/Datasets/master/daily-min-temperatures.csv",
    column="Temp",
)
