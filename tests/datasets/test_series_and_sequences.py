from __future__ import annotations

import numpy as np
import pytest

from replank.datasets import Card
from replank.datasets._sequences import Labelled, Parts, Sequences
from replank.datasets._series import Computed, Points, Series
from replank.errors import DataError

CARD = Card(name="tiny", title="tiny", about="tiny", licence="-", source="-", citation="")
TEXTS = Card(
    name="texts", title="t", about="t", licence="-", source="-", citation="", n_train=2, n_test=1, classes=("a", "b")
)


def parts(**changes):
    known = Parts(
        train=Labelled(("ab", "c"), np.array([0, 1])),
        test=Labelled(("d",), np.array([1])),
    )
    return Parts(known | changes)


def test_a_series_is_known_by_its_values():
    series = Points(np.arange(4.0)).described(CARD)
    assert series.card.sha256 == Series.of(CARD, np.arange(4.0)).card.sha256
    assert series.card.sha256 != Series.of(CARD, np.arange(4.0)[::-1].copy()).card.sha256


@pytest.mark.parametrize(
    "values",
    [np.array([0.0, np.nan]), np.array([]), np.arange(3), np.zeros((2, 2)), np.array([0.0, np.inf])],
    ids=["nan", "empty", "integers", "matrix", "infinite"],
)
def test_what_is_no_series_is_refused(values):
    with pytest.raises(DataError, match="tiny: a series must be finite float64"):
        Series.of(CARD, values)


def test_a_computed_series_needs_no_folder(tmp_path):
    recipe = Computed(CARD, lambda: np.arange(3.0))
    assert recipe.verify(tmp_path).ok
    assert recipe.fetch(tmp_path).ok
    assert recipe.info.embedded
    np.testing.assert_array_equal(recipe.load(None).values, [0, 1, 2])


def test_a_set_of_strings_is_known_by_strings_labels_and_parts():
    known = parts().described(TEXTS).card.sha256
    others = [
        parts(test=Labelled(("e",), np.array([1]))),
        parts(test=Labelled(("d",), np.array([0]))),
        parts(train=Labelled(("a", "bc"), np.array([0, 1]))),
        parts(hard=Labelled(("e",), np.array([1]))),
    ]
    assert len({known, *(Sequences.of(TEXTS, each).card.sha256 for each in others)}) == 5
    assert Sequences.of(TEXTS, Parts(reversed(list(parts().items())))).card.sha256 == known


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test": Labelled((), np.array([], np.int64))}, "the part test must have 1 strings, got 0"),
        ({"test": Labelled(("d",), np.array([2]))}, r"labels of the part test must be 1 int64 in 0\.\.1"),
        ({"hard": Labelled(("d", "e"), np.array([1]))}, "labels of the part hard must be 2 int64"),
        ({"hard": Labelled(("d",), np.array([1.0]))}, "got float64"),
    ],
)
def test_parts_that_do_not_fit_the_card_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        Sequences.of(TEXTS, parts(**changes))


def test_a_set_of_strings_needs_training_and_test_parts():
    lacking = parts()
    del lacking["test"]
    with pytest.raises(DataError, match="got no such part"):
        Sequences.of(TEXTS, lacking)
