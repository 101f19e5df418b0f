"""Pruners against the card's hand example, torch's own pruning, closed forms and bad input."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from replank.parts.pruning import DisconnectedWarning
from replank.parts.pruning.activate import ActivateWhilePruning
from replank.parts.pruning.lamp import LAMP, lamp_scores
from replank.parts.pruning.magnitude import GlobalMagnitude, LayerMagnitude
from replank.parts.pruning.masking import full_masks, keep_pruned, prunable_weights
from replank.parts.pruning.schedule import PruneSchedule
from replank.parts.pruning.torch_method import PrunedBy

START = torch.tensor([0.5, -0.7, 0.10, -0.10, 0.35, -0.03, -0.15, 0.20, -0.48, 0.30])
TRAINED = torch.tensor([0.9, -0.8, 0.05, -0.30, 0.40, -0.02, -0.60, 0.70, -0.50, 0.10])


def drawn(seed=0, n=200):
    stream = torch.Generator().manual_seed(seed)
    weights, start = ({"w": torch.randn(n, generator=stream, dtype=torch.float64)} for _ in range(2))
    return weights, start, full_masks(weights)


def test_the_hand_example():
    masks = ActivateWhilePruning(q=0.1).select(
        {"w": TRAINED}, {"w": START}, {"w": torch.ones(10, dtype=torch.bool)}, 0.2
    )
    assert (~masks["w"]).nonzero()[:, 0].tolist() == [5, 8]


def test_the_add_on_takes_negative_weights_that_moved_least():
    weights, start, masks = drawn()
    w, moved = weights["w"], (weights["w"] - start["w"]).abs()
    host = GlobalMagnitude().select(weights, start, masks, 0.3 - 0.1)["w"]
    both = ActivateWhilePruning(q=0.1).select(weights, start, masks, 0.3)["w"]
    gone, kept = host & ~both, both & (w < 0)
    assert int(gone.sum()) == 20
    assert (w[gone] < 0).all()
    assert moved[gone].max() <= moved[kept].min()


@pytest.mark.parametrize("p", [0.1, 0.37, 0.8])
def test_nothing_of_the_add_on_is_the_host(p):
    weights, start, masks = drawn()
    alone = LAMP().select(weights, start, masks, p)["w"]
    assert torch.equal(ActivateWhilePruning(LAMP(), 0.0).select(weights, start, masks, p)["w"], alone)


def test_the_host_is_torchs_own():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(9, 7), nn.Conv1d(3, 4, 2))
    weights = prunable_weights(model)
    ours = GlobalMagnitude().select(weights, None, full_masks(weights), 0.4)
    n = sum(each.numel() for each in weights.values())
    prune.global_unstructured([(each, "weight") for each in model], prune.L1Unstructured, amount=int(0.4 * n))
    assert torch.equal(ours["0.weight"], model[0].weight_mask.bool())
    assert torch.equal(ours["1.weight"], model[1].weight_mask.bool())


def test_as_a_method_of_torch_it_combines_with_others():
    layer = nn.Linear(10, 1, bias=False)
    layer.weight.data = TRAINED[None].clone()
    PrunedBy.apply(layer, "weight", ActivateWhilePruning(q=0.1), 0.2, START)
    assert (layer.weight == 0).nonzero()[:, 1].tolist() == [5, 8]
    PrunedBy.apply(layer, "weight", GlobalMagnitude(), 0.25)
    assert (layer.weight == 0).nonzero()[:, 1].tolist() == [2, 5, 8, 9]
    prune.global_unstructured(
        [(nn.Linear(4, 3), "weight"), (layer, "weight")], PrunedBy, pruner=GlobalMagnitude(), p=0.5
    )
    assert int((layer.weight_mask == 0).sum()) >= 4


def test_lamp_scores():
    assert lamp_scores(torch.tensor([3.0, -1.0, 2.0, 0.0])).tolist() == pytest.approx([1, 1 / 14, 4 / 13, 0])
    assert lamp_scores(torch.tensor([1.0, -1.0])).tolist() == [0.5, 0.5]


def test_layers_lose_the_same_share():
    weights = {"a": torch.randn(100), "b": 1e-3 * torch.randn(50)}
    masks = LayerMagnitude().select(weights, None, full_masks(weights), 0.2)
    assert [int((~mask).sum()) for mask in masks.values()] == [20, 10]


def test_the_published_threshold_takes_one_more():
    weights, start, masks = drawn()
    one, other = (
        ActivateWhilePruning(q=0.1, published_threshold=each).select(weights, start, masks, 0.3)["w"]
        for each in (False, True)
    )
    assert int(one.sum()) - int(other.sum()) == 1
    assert not (other & ~one).any()


@pytest.mark.parametrize("q", [-0.1, 1.0])
def test_a_share_out_of_range(q):
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        ActivateWhilePruning(q=q)


def test_the_add_on_is_below_the_whole():
    weights, start, masks = drawn()
    for q in (0.3, 0.5):
        with pytest.raises(ValueError, match="below the whole"):
            ActivateWhilePruning(q=q).select(weights, start, masks, 0.3)


def test_too_few_negative_weights():
    weights = {"w": torch.arange(1.0, 21.0)}
    masks = full_masks(weights)
    with pytest.raises(ValueError, match="got 0"):
        ActivateWhilePruning(q=0.1).select(weights, weights, masks, 0.5)
    lenient = ActivateWhilePruning(q=0.1, strict=False)
    assert int(lenient.select(weights, weights, masks, 0.5)["w"].sum()) == 12
    assert lenient.shortfall == 2


def test_unknown_options():
    with pytest.raises(ValueError, match="sign"):
        ActivateWhilePruning(sign="zero")
    with pytest.raises(ValueError, match="movement"):
        ActivateWhilePruning(movement="some")


def test_a_tied_parameter_is_not_pruned_twice():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    with pytest.raises(ValueError, match="twice"):
        prunable_weights(model)
    with pytest.raises(ValueError, match="none"):
        prunable_weights(nn.ReLU())


def test_a_layer_that_is_gone_is_named():
    weights = {"a": torch.full((4,), 1e-6), "b": torch.ones(12)}
    with pytest.warns(DisconnectedWarning, match="left in a: network disconnected"):
        GlobalMagnitude().select(weights, None, full_masks(weights), 0.25)


def test_schedule():
    assert PruneSchedule(0.2, 3).counts(10) == [10, 8, 7, 6]
    schedule = PruneSchedule(0.4, 7)
    assert schedule.counts(10**6)[-1] / 10**6 == pytest.approx(schedule.share_left(7), abs=1e-5)
    with pytest.raises(ValueError, match="p must lie"):
        PruneSchedule(1.0, 3)


def test_pruned_weights_stay_at_zero():
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 1)), torch.randn(30, 8)
    weights = dict(prunable_weights(model))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=0.1)

    def steps(n):
        for _ in range(n):
            optimiser.zero_grad()
            (model(x) - 1).square().mean().backward()
            optimiser.step()

    steps(20)  # momentum is there before the masks are
    masks = GlobalMagnitude().select(weights, None, full_masks(weights), 0.5)
    keep_pruned(optimiser, weights, masks)
    for _ in range(100):
        steps(1)
        assert all((weight[~masks[name]] == 0).all() for name, weight in weights.items())
    assert any(weight[masks[name]].any() for name, weight in weights.items())
