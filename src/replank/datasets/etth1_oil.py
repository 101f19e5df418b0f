"""etth1_oil: the oil temperature of an electricity transformer."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._columns import column_set

SET = column_set(
    Card(
        name="etth1_oil",
        title="ETTh1, oil temperature (17,420 hours, °C)",
        about="the oil temperature of ETTh1",
        licence="CC BY-ND 4.0",
        source="https://github.com/zhouhaoyi/ETDataset",
        citation="Zhou et al., Informer, AAAI (2021)",
        split="up to each study",
    ),
    "ETTh1.csv",
    "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
    "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/ETTh1.csv",
    column="OT",
    packed_digest="f1141f82f9d46968f05afa77ba16abfc4f790fe07583f9de06bb685b29a5411f",
)
