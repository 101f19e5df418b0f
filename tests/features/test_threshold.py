"""Images as strings of bits, and what is left of a data set where strings contradict each other."""

from __future__ import annotations

import pytest
import torch

from replank import datasets
from replank.errors import DataError, UnknownName
from replank.features.threshold import ContradictionReport, ThresholdEncoder, remove_contradictions
from replank.measure.ceiling import majority_vote_ceiling


def _images(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_blocks_are_means_above_the_threshold():
    images = _images(5, 1, 28, 28)
    means = images.reshape(5, 4, 7, 4, 7).mean((2, 4)).flatten(1)
    for threshold in (0.4, 0.5, 0.52):
        assert torch.equal(ThresholdEncoder("block", 4, threshold)(images), (means > threshold).double())


def test_points_are_single_pixels_of_the_published_reduction():
    images = _images(5, 1, 28, 28)
    at = torch.tensor([3, 10, 17, 24])
    expected = (images[:, 0, at][:, :, at] > 0.5).double().flatten(1)
    assert torch.equal(ThresholdEncoder("point", 4, 0.5)(images), expected)


def test_points_between_pixels_are_interpolated():
    images = _images(3, 1, 8, 8)
    means = images.reshape(3, 4, 2, 4, 2).mean((2, 4)).flatten(1)  # centres of 2x2 blocks lie between all four
    assert torch.equal(ThresholdEncoder("point", 4, 0.5)(images), (means > 0.5).double())


def test_a_pixel_at_the_threshold_is_dark():
    images = torch.full((1, 1, 4, 4), 0.25)
    assert not ThresholdEncoder("block", 4, 0.25)(images).any()
    assert ThresholdEncoder("block", 4, 0.2499)(images).all()


def test_bits_come_in_rows_and_keep_leading_dimensions():
    images = torch.zeros(2, 3, 1, 8, 8)
    images[..., :4, 4:] = 1  # the upper right quarter
    bits = ThresholdEncoder("block", 2, 0.5)(images)
    assert bits.shape == (2, 3, 4)
    assert torch.equal(bits[1, 2], torch.tensor([0.0, 1, 0, 0]))


def test_a_threshold_that_removes_all_variation_is_refused():
    images = _images(20, 1, 28, 28)
    with pytest.raises(DataError, match=r"two distinct strings, got 1 with mode='block', threshold=0.99"):
        ThresholdEncoder("block", 4, 0.99).fit(images)
    encoder = ThresholdEncoder("point", 4, 0.5)
    assert encoder.fit(images) is encoder


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 1, 3, 8), (8, 8)])
def test_what_is_no_grey_image_is_refused(shape):
    with pytest.raises(ValueError, match=r"needs grey images .* of at least 4x4"):
        ThresholdEncoder("block", 4, 0.5)(torch.zeros(shape))


def test_wrong_options_are_refused():
    with pytest.raises(UnknownName, match=r"unknown mode 'blocks'. Did you mean 'block'"):
        ThresholdEncoder("blocks")
    for options in ({"side": 0}, {"threshold": float("nan")}):
        with pytest.raises(ValueError, match="side >= 1 and a finite threshold"):
            ThresholdEncoder(**options)


def test_contradictory_strings_leave_with_all_their_samples():
    x = torch.tensor([[0, 1], [1, 1], [0, 1], [0, 0], [1, 1], [1, 0]]).float()
    y = torch.tensor([1, -1, -1, 1, -1, 1])
    kept_x, kept_y, report = remove_contradictions(x, y)
    assert torch.equal(kept_x, x[[1, 3, 4, 5]])
    assert torch.equal(kept_y, y[[1, 3, 4, 5]])
    assert report == ContradictionReport(n_samples=6, n_distinct=4, n_contradictory=1, n_kept=4)


def test_contradictions_agree_with_a_dictionary():
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(2, (200, 6), generator=generator)
    y = torch.randint(2, (200,), generator=generator)
    labels: dict[tuple[int, ...], set[int]] = {}
    for row, label in zip(x.tolist(), y.tolist(), strict=True):
        labels.setdefault(tuple(row), set()).add(label)
    expected = [i for i, row in enumerate(x.tolist()) if len(labels[tuple(row)]) == 1]
    kept, _, report = remove_contradictions(x, y)
    assert torch.equal(kept, x[expected])
    assert report.n_distinct == len(labels)
    assert report.n_contradictory == sum(len(each) > 1 for each in labels.values())


def test_nothing_left_is_refused():
    x, y = torch.zeros(2, 4), torch.tensor([1, -1])
    with pytest.raises(DataError, match="with one label only, got none of 1"):
        remove_contradictions(x, y)
    with pytest.raises(ValueError, match=r"x of shape \(n, n_features\)"):
        remove_contradictions(x, y[:1])


COUNTS = [
    # mode, threshold; samples, distinct strings, with both labels, samples of the rest
    ("block", 0.25, "train", (2046, 148, 20, 1189)),
    ("block", 0.25, "test", (1968, 152, 20, 1065)),
    ("block", 0.5, "train", (2046, 23, 7, 739)),
    ("point", 0.5, "train", (2046, 108, 23, 748)),
]


@pytest.mark.parametrize(("mode", "threshold", "part", "counts"), COUNTS)
def test_strings_of_3_and_6_are_as_many_as_were_counted(mode, threshold, part, counts):
    if not (report := datasets.verify("mnist10k")).ok:
        pytest.skip(f"no mnist10k in {report.folder}: set REPLANK_DATA to test it")
    data = datasets.load("mnist10k").of_classes((3, 6))
    x, y = (data.train_x, data.train_y) if part == "train" else (data.test_x, data.test_y)
    bits = ThresholdEncoder(mode, 4, threshold)(torch.from_numpy(x).double() / data.card.pixel_max)
    labels = torch.from_numpy(y)
    if part == "train":
        assert torch.bincount(labels).tolist() == [1032, 1014]
    elif (mode, threshold) == ("block", 0.25):
        assert majority_vote_ceiling(bits, labels) == pytest.approx(0.962, abs=5e-4)
    _, _, report = remove_contradictions(bits, labels)
    assert tuple(vars(report).values()) == counts
