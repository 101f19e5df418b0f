"""airline_passengers: monthly passengers of international airlines."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._columns import column_set

SET = column_set(
    Card(
        name="airline_passengers",
        title="Monthly airline passengers 1949-1960 (144 months, thousands)",
        about="airline passengers",
        licence="public, as the collection states",
        source="https://github.com/jbrownlee/Datasets (airline-passengers.csv)",
        citation="Box, Jenkins, Time Series Analysis: Forecasting and Control (1976), series G",
        split="up to each study",
    ),
    "airline_passengers.csv",
    "d6159c6f8243ed52f6dad223958e350c11f2bd317d9116bf663c7e7682607ac2",
    "https://raw.githubusercontent.com/jbrownlee/Datasets/master/airline-passengers.csv",
    column="Passengers",
)
