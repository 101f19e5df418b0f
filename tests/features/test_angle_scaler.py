from __future__ import annotations

from math import inf, pi

import pytest
import torch

from replank.features import AngleScaler


def samples(seed: int = 0) -> torch.Tensor:
    return 5 * torch.randn(30, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 2


@pytest.mark.parametrize("range", [(0.0, pi), (-pi / 2, pi / 2), (0.1, 0.2)])
def test_each_component_fills_the_range_in_proportion(range):
    x = samples()
    angles = AngleScaler(range).fit(x)(x)
    assert torch.allclose(angles.amin(dim=0), torch.full((4,), range[0], dtype=torch.float64))
    assert torch.allclose(angles.amax(dim=0), torch.full((4,), range[1], dtype=torch.float64))
    middle = AngleScaler(range).fit(x)((x[0] + x[1]) / 2)
    assert torch.allclose(middle, (angles[0] + angles[1]) / 2)


def test_values_beyond_the_training_range_are_clipped_or_go_on():
    x = samples()
    far = torch.stack((x.amin(dim=0) - 1, x.amax(dim=0) + 1))
    clipped = AngleScaler().fit(x)(far)
    assert torch.equal(clipped[0], torch.zeros(4, dtype=torch.float64))
    assert torch.equal(clipped[1], torch.full((4,), pi, dtype=torch.float64))
    free = AngleScaler(clip=False).fit(x)
    assert (free(far)[0] < 0).all()
    assert (free(far)[1] > pi).all()
    assert torch.allclose(free.inverse(free(far)), far)


def test_it_can_be_undone_inside_the_range():
    scaler = AngleScaler().fit(samples())
    assert torch.allclose(scaler.inverse(scaler(samples())), samples(), atol=1e-12)


def test_single_precision_stays_in_the_range():
    x = samples().float()
    angles = AngleScaler().fit(x)(x * 1.1)
    assert 0 <= angles.min().item() <= angles.max().item() <= torch.tensor(pi).item()


def test_a_constant_component_is_refused_by_its_number():
    x = samples()
    x[:, [1, 3]] = 0.25
    with pytest.raises(ValueError, match=r"each component must vary, got a constant one at \[1, 3\].* leave it out"):
        AngleScaler().fit(x)


@pytest.mark.parametrize("range", [(1.0, 1.0), (2.0, 1.0), (0.0, inf)])
def test_an_empty_range_is_refused(range):
    with pytest.raises(ValueError, match="the smaller first, got range="):
        AngleScaler(range)
