"""narma10: the NARMA series of order 10."""

from __future__ import annotations

from replank.datasets.narma import narma_set

SET = narma_set(10)
