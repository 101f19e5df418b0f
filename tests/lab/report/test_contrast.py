from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ark import LEVELS
from scipy import stats

from replank.lab.claim import table_of
from replank.lab.records import Records
from replank.lab.report.contrast import Contrasted, contrast_blocks, contrasts
from replank.lab.report.page import Picture, Text
from replank.lab.study import Contrast, Study

MakeRecords = Callable[..., Records]


def only(study: Study, table: pd.DataFrame) -> Contrasted:
    (found,) = contrasts(study, table)
    return found


def asking(study: Study, **changes: object) -> Study:
    """The study with another contrast."""
    assert study.contrast is not None
    return replace(study, contrast=replace(study.contrast, **changes))  # type: ignore[arg-type]


def made(study: Study, metric: str = "test_accuracy", **arms: list[float]) -> Contrasted:
    """The contrast of ``arm`` with rivals ``a`` and ``b`` of its size and one other, ``other``, of made-up numbers."""
    table = table_of(**{name: {metric: values} for name, values in arms.items()})
    contrast = Contrast("arm", ("a", "b"), "It says.", ("other",), metric=metric)
    return only(replace(study, contrast=contrast), table.assign(scale="small", protocol="A", dataset="mnist5k"))


def test_differences_are_those_of_paired_t_tests(study: Study, records: Records) -> None:
    found = only(study, records.table)
    by_seed = records.table.pivot(index="seed", columns="arm", values="test_accuracy")
    assert [rival.name for rival in found.rivals] == ["oak-small", "keel", "reed"]
    for rival in found.rivals:
        expected = stats.ttest_rel(by_seed["oak"], by_seed[rival.name]).confidence_interval(0.95)
        assert (rival.difference.low, rival.difference.high) == pytest.approx((expected.low, expected.high))
        assert rival.mean == pytest.approx(by_seed[rival.name].mean())


def test_the_best_rival_is_of_the_same_size_and_has_the_best_mean(study: Study) -> None:
    found = made(study, arm=[0.7, 0.8], a=[0.5, 0.7], b=[0.7, 0.6], other=[0.9, 0.9])
    assert found.best is not None
    assert found.best.name == "b"


def test_of_losses_the_least_is_the_best(study: Study) -> None:
    found = made(study, "test_loss", arm=[1.0, 1.1], a=[0.5, 0.7], b=[0.7, 0.6], other=[0.1, 0.1])
    assert found.best is not None
    assert found.best.name == "a"
    assert found.sentence().endswith("the interval spans 0.")
    worse = made(study, "test_loss", arm=[1.0, 1.1], a=[0.5, 0.601], b=[0.7, 0.8])
    assert worse.sentence().endswith("the interval does not span 0, arm is worse.")


def test_the_sentence_tells_the_numbers_in_points(study: Study) -> None:
    found = made(study, arm=[0.71, 0.72, 0.73], a=[0.70, 0.70, 0.70], b=[0.6, 0.6, 0.6])
    half = 100 * stats.t.ppf(0.975, 2) * 0.01 / np.sqrt(3)
    assert found.sentence() == (
        "On mnist5k (A), test accuracy of arm minus that of a, the best of 2 controls of its size, is "
        f"+2.00 points [−{half - 2:.2f}, +{half + 2:.2f}] over 3 seeds (paired, 95 % interval): the interval spans 0."
    )
    better = made(study, arm=[0.79, 0.80, 0.81], a=[0.70, 0.70, 0.70])
    assert "that of a, the control of its size, is +10.00 points" in better.sentence()
    assert better.sentence().endswith("the interval does not span 0, arm is better.")


def test_a_single_seed_has_no_interval(study: Study) -> None:
    text = made(study, arm=[0.7], a=[0.6]).sentence()
    assert text.endswith("is +10.00 points with a single seed: there is no interval.")


def test_seeds_that_failed_are_left_out_and_told(study: Study, make_records: MakeRecords) -> None:
    found = only(study, make_records(failed=[("oak", 1), ("keel", 2), ("frozen-reed", 0)]).table)
    assert {rival.name: rival.difference.n for rival in found.rivals} == {"oak-small": 2, "keel": 1, "reed": 2}
    assert found.sentence().endswith(" 2 trials of these arms failed and are left out.")


def test_a_rival_that_was_not_run_is_left_out(study: Study, make_records: MakeRecords) -> None:
    found = only(study, make_records(arms=("oak", "reed")).table)
    assert [rival.name for rival in found.rivals] == ["reed"]
    assert found.best is None
    assert "oak shares no seed with a control of its size (oak-small, keel)" in found.sentence()


def test_each_slice_of_the_protocols_has_its_own(study: Study, make_records: MakeRecords) -> None:
    places = [("A", "mnist5k"), ("A", "digits"), ("B", "mnist5k")]
    table = pd.concat([make_records(protocol=protocol, dataset=data).table for protocol, data in places])
    own = [(each.place.protocol, each.place.dataset) for each in contrasts(asking(study, protocol="A*"), table)]
    assert own == [("A", "mnist5k"), ("A", "digits")]
    (*texts, picture) = contrast_blocks(study, table)
    assert len(texts) == 1 + len(places)
    assert isinstance(picture, Picture)
    assert [axes.get_title(loc="left") for axes in picture.figure.axes] == [", ".join(place) for place in places]
    assert "digits, oak-small: " in picture.label


def test_another_metric_may_be_compared(study: Study, records: Records) -> None:
    assert only(asking(study, metric="test_loss"), records.table).metric.name == "test_loss"


def test_a_study_without_a_contrast_has_none(study: Study, records: Records) -> None:
    assert contrasts(replace(study, contrast=None), records.table) == []


@pytest.mark.parametrize("what", [{"seeds": 0}, {"arms": ("keel",)}], ids=["no trials", "arm not run"])
def test_an_arm_that_was_not_run_is_told(study: Study, make_records: MakeRecords, what: dict[str, object]) -> None:
    blocks = contrast_blocks(study, make_records(**what).table)
    assert [type(block) for block in blocks] == [Text, Text]
    assert blocks[-1] == Text("oak has not been run under a protocol of this comparison.")


def test_an_arm_that_only_failed_is_told(study: Study, make_records: MakeRecords) -> None:
    blocks = contrast_blocks(study, make_records(seeds=1, failed=[(arm, 0) for arm in LEVELS]).table)
    assert [type(block) for block in blocks] == [Text, Text]
    assert "shares no seed" in blocks[-1].text  # type: ignore[union-attr]
