from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from replank.features import RandomFourierFeatures
from replank.lab.claim import difference
from replank.lab.feature_maps import FeatureMapComparison
from replank.lab.trial import Measurements
from replank.measure import probe_features


def rings(n: int = 120, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Two classes inside each other: no line tells them apart."""
    stream = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    turn = 6.28 * torch.rand(n, generator=stream)
    radius = 1.0 + 1.5 * y + 0.1 * torch.randn(n, generator=stream)
    return torch.stack((radius * turn.cos(), radius * turn.sin()), dim=1), y


TRAINING, TEST = rings(), rings(seed=1)


class Noise(nn.Module):
    """Draws whenever it is called, as shots do."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 0.1 * torch.randn_like(x)


def linear_reader(n_features: int) -> nn.Module:
    rest = nn.Linear(3, 2)
    return nn.Sequential(nn.Linear(n_features, 3), rest)


def comparison(epochs: int = 3, lr: float = 0.02) -> FeatureMapComparison:
    from replank.lab.training import Budget

    return FeatureMapComparison(linear_reader, Budget(epochs, partial(torch.optim.Adam, lr=lr)), batch_size=20)


def measured(build, seed: int = 0, training=TRAINING, test=TEST, **options) -> Measurements:
    return comparison(**options).measure(build, training, test, seed=seed, progress=lambda *_: None)


def without_times(measurements: Measurements) -> dict[str, float]:
    return {name: value for name, value in measurements.metrics.items() if "_s" not in name}


@pytest.mark.parametrize("build", [nn.Identity, Noise, partial(RandomFourierFeatures, 2, 9), partial(nn.Linear, 2, 4)])
def test_equal_seeds_give_equal_measurements_whatever_torch_has_drawn(build):
    one = without_times(measured(build))
    torch.manual_seed(99)
    torch.rand(7)
    assert without_times(measured(build)) == one
    assert without_times(measured(build, seed=1)) != one


def test_measuring_leaves_torchs_generator_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    measured(Noise)
    assert torch.equal(torch.get_rng_state(), before)


def test_frozen_features_are_those_of_the_map_and_probed_as_they_are():
    torch.manual_seed(0)
    fixed = RandomFourierFeatures(2, 9)
    found = measured(lambda: fixed).metrics
    z, held_out = fixed(TRAINING[0]), fixed(TEST[0])
    mean, scale = z.mean(0), z.std(0, correction=0)
    by_hand = probe_features(((z - mean) / scale, TRAINING[1]), ((held_out - mean) / scale, TEST[1]))
    assert {name: found[name] for name in by_hand} == pytest.approx(by_hand, abs=1e-4)


def test_a_common_scale_of_the_features_does_not_matter():
    one = measured(nn.Identity).metrics["test_loss"]
    assert measured(lambda: nn.Sequential(nn.Identity(), _Times(1024.0))).metrics["test_loss"] == pytest.approx(one)


class _Times(nn.Module):
    def __init__(self, factor: float):
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


def test_a_map_with_parameters_is_trained_with_the_classifier():
    torch.manual_seed(0)
    trained = nn.Linear(2, 4)
    before = trained.weight.clone()
    found = measured(lambda: trained).metrics
    assert not torch.equal(trained.weight, before)
    assert found["trainable_parameters"] == (2 * 4 + 4) + (4 * 3 + 3) + (3 * 2 + 2)
    frozen = nn.Linear(2, 4).requires_grad_(False)
    before = frozen.weight.clone()
    assert measured(lambda: frozen).metrics["trainable_parameters"] == (4 * 3 + 3) + (3 * 2 + 2)
    assert torch.equal(frozen.weight, before)


def test_what_does_not_depend_on_the_number_of_features_starts_alike():
    """Both start with the same first layer, too, whose features are equal: training is the same to the last bit."""
    doubled, same = measured(lambda: _Times(2.0)), measured(nn.Identity)
    assert doubled.curves == same.curves  # a factor of two is exact


def test_test_data_change_nothing_that_is_fitted():
    other = (100 * TEST[0] + 3, TEST[1])
    one, two = measured(nn.Identity), measured(nn.Identity, test=other)
    assert one.metrics["test_loss"] != two.metrics["test_loss"]
    assert [row["train_loss"] for row in one.curves] == [row["train_loss"] for row in two.curves]
    assert one.metrics["effective_rank"] == two.metrics["effective_rank"]


def test_a_table_has_a_row_for_each_map_and_seed_and_rules_read_it():
    maps = {"raw": nn.Identity, "expanded": partial(RandomFourierFeatures, 2, 32)}
    table = comparison(epochs=10, lr=0.05).table(maps, TRAINING, TEST, seeds=range(3))
    assert list(zip(table["arm"], table["seed"], strict=True)) == [(m, s) for s in range(3) for m in maps]
    verdict = difference("test_accuracy", "expanded", minus="raw", above=0.1)(table)
    assert verdict.status == "reproduced", verdict.reason  # rings need a nonlinear map
    assert verdict.measured == pytest.approx(table.groupby("arm")["test_accuracy"].mean().diff().mul(-1).iloc[1])
