from __future__ import annotations

import numpy as np
import pytest

from replank.lab.report.wording import duration, metric, number


@pytest.mark.parametrize(
    ("name", "value", "label", "shown"),
    [
        ("test_accuracy", 0.9234, "test accuracy (%)", "92.34"),
        ("train_loss", 1.46115, "train loss", "1.461"),
        ("parameters", 130394.0, "parameters", "130,394"),
        ("forward_flops", 2.5e9, "FLOPs (a sample)", "2.5 G"),
        ("own_thing", -0.000012345, "own thing", "−1.234e−05"),
        ("test_accuracy_noise_0.1", 0.5, "test accuracy noise 0.1 (%)", "50.00"),
        ("test_accuracy_at_best_validation", 0.5, "test accuracy at best validation (%)", "50.00"),
        ("test_accuracy", np.nan, "test accuracy (%)", "–"),
        ("test_loss", None, "test loss", "–"),
    ],
    ids=lambda value: str(value),
)
def test_metrics_are_shown_in_words_and_units(name: str, value: float | None, label: str, shown: str) -> None:
    assert (metric(name).label, metric(name).show(value)) == (label, shown)


def test_differences_always_carry_their_sign() -> None:
    accuracy = metric("test_accuracy")
    assert [accuracy.show_signed(value) for value in (0.01, -0.01, 0.0)] == ["+1.00", "−1.00", "+0.00"]


def test_per_cent_differ_by_points() -> None:
    assert [metric(name).difference_unit for name in ("test_accuracy", "train_loss")] == ["points", ""]


@pytest.mark.parametrize(("name", "less"), [("test_accuracy", False), ("test_r2", False), ("train_loss", True),
                                            ("test_ece", True), ("mean_absolute_error", True)])  # fmt: skip
def test_of_a_loss_less_is_better(name: str, less: bool) -> None:
    assert metric(name).is_better(-0.1) == less
    assert metric(name).is_better(0.1) != less


def test_an_unbounded_interval_is_a_dash() -> None:
    assert metric("test_accuracy").show_interval(-np.inf, np.inf) == "–"
    assert metric("test_accuracy").show_half(-np.inf, np.inf) == ""


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(4.21, "4.2 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (3 * 86400, "3 days")],
)
def test_durations_read_as_people_say_them(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_numbers_have_four_significant_digits() -> None:
    assert [number(value) for value in (1.461149, -0.25, np.inf, None)] == ["1.461", "−0.25", "–", "–"]
