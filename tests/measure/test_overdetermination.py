from __future__ import annotations

import pytest

from replank.measure import overdetermination_ratio


def test_constraints_over_trained_numbers():
    assert overdetermination_ratio(60_000, 10, 300_000) == 2


@pytest.mark.parametrize("counts", [(0, 10, 5), (5, 0, 5), (5, 10, 0), (5, 10, -1)])
def test_counts_must_be_positive(counts):
    with pytest.raises(ValueError, match="must be positive, got n_"):
        overdetermination_ratio(*counts)
