from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from replank.measure import factor_effects

FACTORS = {"part": ["quantum", "linear"], "recipe": ["a", "b", "c"], "trunk": ["narrow", "wide"]}


def grid(value, seeds: int = 4) -> pd.DataFrame:
    """A full grid of runs, whose metric is a function of its place and seed."""
    rows = [
        {"part": part, "recipe": recipe, "trunk": trunk, "seed": seed, "score": value(part, recipe, trunk, seed)}
        for part, recipe, trunk in itertools.product(*FACTORS.values())
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def effect(found: pd.DataFrame, factor: str, level: str) -> pd.Series:
    return found[(found["factor"] == factor) & (found["level"] == level)].iloc[0]


def additive(part, recipe, trunk, seed) -> float:
    return 3 * (part == "linear") + 5 * (recipe == "b") - 7 * (recipe == "c") + 100 * seed


def test_additive_effects_are_found_exactly():
    found = factor_effects(grid(additive), FACTORS, "score")
    assert list(found["factor"]) == ["part", "recipe", "recipe", "trunk"]
    expected = {("part", "linear"): 3, ("recipe", "b"): 5, ("recipe", "c"): -7, ("trunk", "wide"): 0}
    for (factor, level), size in expected.items():
        row = effect(found, factor, level)
        assert (row["effect"], row["low"], row["high"]) == (size, size, size)
        assert row["pairs"] == 4 * 12 / (2 if factor != "recipe" else 3)


def test_an_effect_is_the_mean_over_what_it_depends_on():
    def interacting(part, recipe, trunk, seed) -> float:
        return 8.0 * (part == "linear") * (trunk == "wide")

    found = factor_effects(grid(interacting), FACTORS, "score")
    row = effect(found, "part", "linear")
    assert row["effect"] == 4
    assert row["low"] < 4 < row["high"]
    assert row["low"] >= 0
    assert row["high"] <= 8


def test_the_interval_covers_as_often_as_it_says():
    stream = np.random.default_rng(0)
    covered = 0
    for trial in range(100):
        table = grid(lambda part, *_: 2 * (part == "linear") + stream.normal())
        table = table[table["recipe"] == "a"]
        found = factor_effects(
            table, {name: FACTORS[name] for name in ("part", "trunk")}, "score", level=0.9, seed=trial
        )
        row = effect(found, "part", "linear")
        covered += row["low"] <= 2 <= row["high"]
    assert 0.75 <= covered / 100 <= 0.97


def test_seeds_pair_runs_and_missing_runs_leave_no_pair():
    table = grid(additive)
    table = table[~((table["part"] == "linear") & (table["seed"] == 1))]
    table.loc[table["seed"] == 2, "score"] = np.nan
    row = effect(factor_effects(table, FACTORS, "score"), "part", "linear")
    assert (row["effect"], row["pairs"]) == (3, 12)


def test_the_same_seed_resamples_alike():
    stream = np.random.default_rng(1)
    table = grid(lambda *_: stream.normal())
    first, again, other = (factor_effects(table, FACTORS, "score", seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_one_pair_has_no_interval_and_none_no_effect():
    table = grid(additive, seeds=1)
    one = table[(table["recipe"] == "a") & (table["trunk"] == "narrow")]
    found = factor_effects(one, FACTORS, "score")
    row = effect(found, "part", "linear")
    assert (row["effect"], row["low"], row["high"], row["pairs"]) == (3, -np.inf, np.inf, 1)
    assert np.isnan(effect(found, "trunk", "wide")["effect"])


def test_levels_that_are_not_asked_for_are_left_out():
    found = factor_effects(grid(additive), FACTORS | {"recipe": ["a", "b"]}, "score")
    assert set(found["level"]) == {"linear", "b", "wide"}


WRONG = {
    "no such factor": ({"factors": {"colour": ["red", "blue"]}}, "got none named colour"),
    "no such metric": ({"metric": "scor"}, "got none named scor"),
    "one level": ({"factors": {"part": ["quantum"]}}, "at least two different levels"),
    "no factor": ({"factors": {}}, "at least two different levels"),
    "level": ({"level": 1.0}, r"`level` must lie in \(0, 1\), got level=1.0"),
    "forgotten factor": ({"factors": {"part": ["quantum", "linear"]}}, "must hold one run, got two at"),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_wrong_input_is_refused(case):
    change, law = WRONG[case]
    with pytest.raises(ValueError, match=law):
        factor_effects(**{"table": grid(additive), "factors": FACTORS, "metric": "score"} | change)
