"""The acceptance list of the study's card, as far as it is about the whole run."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pytest
import torch
from scipy import stats

from replank.lab.pairs import paired_p_value
from replank.measure import count_parameters, dead_neuron_rate
from replank.studies.activating_while_pruning import STUDY
from replank.studies.activating_while_pruning.arms import AP, ARMS, CONTROLS, pruner
from replank.studies.activating_while_pruning.cycles import Pruning
from replank.studies.activating_while_pruning.model import build, lenet300
from replank.studies.activating_while_pruning.settings import PUBLISHED, SMALL
from replank.studies.activating_while_pruning.trial import at_shares, cosine_factor, published_factor


def test_sizes_of_the_networks():
    assert count_parameters(lenet300(784)).total == 266_610
    assert count_parameters(build("resnet20", (3, 32, 32), 10)).total == 269_722
    assert build("conv4", (1, 28, 28), 10)(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def _pruned(arm, cycles, *, restart_at=None):
    torch.manual_seed(0)
    model = lenet300(20)
    state, n_left = Pruning.begin(model), []
    for cycle in range(cycles):
        if cycle == restart_at:
            kept = io.BytesIO()
            torch.save(vars(state), kept)
            kept.seek(0)
            state = Pruning(**torch.load(kept))
        weights = state.place(model)
        start = {name: weight.detach().clone() for name, weight in weights.items()}
        noise = torch.Generator().manual_seed(cycle)
        trained = {
            name: state.masks[name] * (weight + 0.1 * torch.randn(weight.shape, generator=noise))
            for name, weight in start.items()
        }
        gradients = {name: weight.cos() for name, weight in trained.items()}
        state = state.next(pruner(arm, 0.04, seed=1), trained, start, 0.4, gradients, exact=True)
        n_left.append(state.n_left)
    return state, n_left


def test_all_arms_remove_the_same_number_in_every_cycle():
    counts = {arm.name: _pruned(arm.name, 3)[1] for arm in ARMS}
    assert len({tuple(each) for each in counts.values()}) == 1, counts


@pytest.mark.parametrize("arm", [AP, "random-q"])
def test_a_run_that_is_taken_up_again_gives_the_same_masks(arm):
    whole, resumed = _pruned(arm, 4)[0], _pruned(arm, 4, restart_at=2)[0]
    assert all(torch.equal(whole.masks[name], resumed.masks[name]) for name in whole.masks)


def test_survivors_are_rewound():
    torch.manual_seed(0)
    model = lenet300(20)
    first = model[1].weight.detach().clone()
    state = Pruning.begin(model)
    state.masks["1.weight"][0] = False
    with torch.no_grad():
        model[1].weight.fill_(7.0)
    state.place(model)
    assert torch.equal(model[1].weight[1:], first[1:])
    assert (model[1].weight[0] == 0).all()


def test_quirks_are_options():
    assert not SMALL.official_quirks
    assert not PUBLISHED.official_quirks
    assert STUDY.scales["paper"].protocols["quirks"].settings.official_quirks
    model = build("resnet20", (3, 8, 8), 10)
    clean, quirky = (Pruning.begin(model, every_weight=each).masks for each in (False, True))
    assert set(quirky) - set(clean) == {name for name in quirky if "norm" in name}
    assert pruner(AP, 0.02, seed=0, published_threshold=True).published_threshold


def test_all_controls_are_arms():
    assert set(CONTROLS) <= {arm.name for arm in ARMS}
    assert len(CONTROLS) == 5


def test_schedules():
    assert cosine_factor(0, warm_up=4, n_steps=20) == 0.25
    assert cosine_factor(4, warm_up=4, n_steps=20) == 1
    assert cosine_factor(20, warm_up=4, n_steps=20) == pytest.approx(0)
    assert published_factor(10_000, per_epoch=781) == 0.5
    assert published_factor(25 * 781, per_epoch=781) == 0.1
    assert published_factor(32 * 781, per_epoch=781) == 0.01


def test_cycles_nearest_to_the_papers_shares():
    rows = [{"share_left": 0.6**k, "test_accuracy": float(k), "dynamic_dnr": 0.0} for k in range(8)]
    found = at_shares(rows)
    assert found["test_accuracy_at_share_0.2"] == 3
    assert "test_accuracy_at_share_0.02" in found
    assert not at_shares(rows[:1])


def test_the_rate_of_a_residual_network_adds_up():
    found = dead_neuron_rate(build("resnet20", (3, 8, 8), 10), [torch.randn(4, 3, 8, 8)])
    assert len(found.per_layer) == 19
    assert found.total == found.static + found.dynamic


def test_p_value_is_that_of_the_paired_t_test():
    one, other = pd.Series([0.1, 0.4, 0.3, 0.9]), pd.Series([0.2, 0.1, 0.2, 0.3])
    assert paired_p_value(one, other) == pytest.approx(stats.ttest_rel(one, other).pvalue)
    assert paired_p_value(one[:1], other[:1]) is None


def test_settings_can_be_changed_one_by_one():
    assert replace(SMALL, apply="last").apply == "last"
