from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from replank.errors import InterfaceMismatch, SlotError, UnknownName
from replank.parts.controls import frozen, same_size
from replank.parts.linear import LowRankLinear
from replank.parts.replacement import part
from replank.slots import Ladder, Swap, find_slots, swap
from tests.hosts import HOSTS, mlp


def greedy(old: nn.Linear) -> nn.Module:
    """A part that draws far more random numbers than the layer it replaces."""
    return nn.Sequential(nn.Linear(old.in_features, 50), nn.Linear(50, 50), nn.Linear(50, old.out_features))


def outside(model: nn.Module, slot: str) -> dict[str, torch.Tensor]:
    return {name: value for name, value in model.state_dict().items() if not name.startswith(slot + ".")}


@pytest.fixture(params=HOSTS.values(), ids=HOSTS.keys())
def host(request):
    return request.param


@pytest.fixture
def model(host):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return host.build()


# -- everything outside the slot stays bit-identical -----------------------------------------------------------------


@pytest.mark.parametrize("replacement", [greedy, part(LowRankLinear, rank=2)], ids=["greedy", "low-rank"])
def test_outside_the_slot_everything_is_bit_identical(model, host, replacement):
    before = copy.deepcopy(model.state_dict())
    new = swap(model, "head", replacement, example=host.example())
    assert outside(new, "head").keys() == outside(model, "head").keys()
    for name, value in outside(new, "head").items():
        assert torch.equal(value, before[name]), name
    assert [name for name, _ in new.named_modules() if not name.startswith("head")] == [
        name for name, _ in model.named_modules() if not name.startswith("head")
    ]


def test_the_model_is_never_mutated(model, host):
    before, parts = copy.deepcopy(model.state_dict()), dict(model.named_modules())
    model.train()
    new = swap(model, "head", greedy, example=host.example())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert dict(model.named_modules()) == parts
    assert not {id(p) for p in new.parameters()} & {id(p) for p in model.parameters()}
    assert model.training


def test_swap_leaves_the_global_random_state(model, host):
    state = torch.get_rng_state()
    swap(model, "head", greedy, example=host.example())
    assert torch.equal(torch.get_rng_state(), state)


@given(seed=st.integers(0, 2**31))
def test_rungs_of_one_seed_share_all_but_their_slots(seed):
    low_rank = part(LowRankLinear, rank=1)
    ladder = Ladder(mlp, {"host": None, "greedy": Swap("body", greedy), "low": Swap("head", low_rank)})
    models = dict(ladder.models(seed=seed))
    for name, slot in (("greedy", "body"), ("low", "head")):
        for key, value in outside(models[name], slot).items():
            assert torch.equal(value, models["host"].state_dict()[key])


def test_each_slot_and_seed_has_its_own_stream():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    first = swap(model, nn.Linear, part(LowRankLinear, rank=2), seed=1)
    again = swap(model, nn.Linear, part(LowRankLinear, rank=2), seed=1)
    other = swap(model, nn.Linear, part(LowRankLinear, rank=2), seed=2)
    weights = [[p.detach() for p in each.parameters()] for each in (first, again, other)]
    assert all(map(torch.equal, weights[0], weights[1]))
    assert not any(map(torch.equal, weights[0][:2], weights[2][:2]))
    assert not torch.equal(first[0].dense_weight(), first[1].dense_weight())


def test_identical_part_gives_identical_output(model, host):
    model.eval()
    x = host.example()
    same = swap(model, "head", copy.deepcopy(model.get_submodule("head")), example=x)
    assert torch.equal(same(x), model(x))


def test_training_mode_and_frozen_state_are_kept(model, host):
    model.eval()
    model.get_submodule("head").requires_grad_(False)
    new = swap(model, "head", greedy, example=host.example())
    assert not new.training
    assert not new.get_submodule("head").training
    assert not any(p.requires_grad for p in new.get_submodule("head").parameters())


# -- finding slots ---------------------------------------------------------------------------------------------------


def nested() -> nn.Module:
    block = lambda: nn.ModuleDict({"mlp": nn.Linear(2, 2), "norm": nn.LayerNorm(2)})  # noqa: E731
    return nn.ModuleDict({"blocks": nn.ModuleList([block(), block()]), "head": nn.Linear(2, 1)})


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("head", ["head"]),
        ("blocks.*.mlp", ["blocks.0.mlp", "blocks.1.mlp"]),
        ("blocks.[1].mlp", ["blocks.1.mlp"]),
        ("blocks.*", ["blocks.0", "blocks.1"]),
        (nn.Linear, ["blocks.0.mlp", "blocks.1.mlp", "head"]),
        (["head", "blocks.0.mlp"], ["blocks.0.mlp", "head"]),
        ([nn.LayerNorm, "head"], ["blocks.0.norm", "blocks.1.norm", "head"]),
    ],
    ids=str,
)
def test_slots_are_found_by_name_glob_and_type_in_model_order(where, names):
    assert [slot.name for slot in find_slots(nested(), where)] == names


@pytest.mark.parametrize(
    ("where", "law"),
    [
        ("haed", "Did you mean 'head'"),
        (nn.Conv2d, "must hold a Conv2d"),
        (["head", "head"], "'head' twice"),
        (["blocks.*.mlp", nn.Linear], "twice"),
        (["blocks.0", "blocks.0.mlp"], "may not nest"),
        ("", "unknown slot"),
    ],
    ids=str,
)
def test_wrong_slots_are_refused(where, law):
    with pytest.raises(SlotError, match=law):
        find_slots(nested(), where)


def test_a_module_in_two_places_is_refused():
    shared = nn.Linear(2, 2)
    with pytest.raises(SlotError, match="stand in one place"):
        swap(nn.Sequential(shared, nn.ReLU(), shared), "0", greedy)


def test_tied_parameters_are_refused():
    model = nn.ModuleDict({"embed": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)})
    model["head"].weight = model["embed"].weight
    with pytest.raises(SlotError, match=r"'head\.weight' tied to 'embed\.weight'"):
        swap(model, "head", greedy)


def test_hooks_are_refused_not_lost():
    model = mlp()
    model.head.register_forward_hook(lambda *_: None)
    with pytest.raises(SlotError, match="no hooks"):
        swap(model, "head", greedy)


# -- interfaces ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replacement", "law"),
    [
        (nn.Linear(8, 4), r"gives \(5, 4\) float32"),
        (nn.Linear(7, 3), "refuses it"),
        (nn.Linear(8, 3).double(), "refuses it"),
        (lambda old: nn.Sequential(nn.Linear(8, 3), nn.Flatten(0)), r"gives \(15,\)"),
        (part(LowRankLinear, rank=9), "can't be built like it"),
    ],
    ids=["outputs", "inputs", "dtype", "rank of output", "options"],
)
def test_a_part_that_does_not_fit_is_refused_with_both_interfaces(replacement, law):
    with pytest.raises(InterfaceMismatch, match=law) as refusal:
        swap(mlp(), "head", replacement, example=torch.randn(5, 6))
    assert "'head'" in str(refusal.value)


def test_without_an_example_known_groups_are_probed_all_the_same():
    with pytest.raises(InterfaceMismatch, match="slot 'head' maps"):
        swap(mlp(), "head", nn.Linear(8, 4))


@pytest.mark.parametrize("replacement", [lambda old: "no module", 3, nn.Linear], ids=["text", "number", "no like"])
def test_what_is_no_replacement_is_refused(replacement):
    with pytest.raises((TypeError, InterfaceMismatch)):
        swap(mlp(), "head", replacement)


def test_an_example_the_model_can_not_take_is_refused():
    with pytest.raises(InterfaceMismatch, match="must accept `example`"):
        swap(mlp(), "head", greedy, example=torch.randn(5, 7))


def test_an_example_on_another_device_is_refused():
    with pytest.raises(InterfaceMismatch, match="meta"):
        swap(mlp(), "head", greedy, example=torch.randn(5, 6, device="meta"))


# -- ladders and controls --------------------------------------------------------------------------------------------


def test_ladder_names_its_rungs():
    ladder = Ladder(mlp, {"host": None, "low": Swap("head", part(LowRankLinear, rank=2))})
    with pytest.raises(UnknownName, match="Did you mean 'low'"):
        ladder.model("lwo")
    table = ladder.table()
    assert list(table.index) == ["host", "low"]
    assert table.loc["host", "parameters"] == 6 * 8 + 8 + 8 * 3 + 3
    assert table.loc["low", "parameters"] == 6 * 8 + 8 + 2 * (8 + 3) + 3
    assert "rank=2" in table.loc["low", "head"]


def test_a_ladder_says_what_a_control_turned_out_to_be():
    large = Swap("head", same_size(lambda old: _WithParameters(old, 1000)))
    small = Swap("head", same_size(part(LowRankLinear, rank=1)))
    cells = Ladder(mlp, {"large": large, "small": small}).table()["head"]
    assert cells["large"].startswith("Linear: same-size as")
    assert cells["small"] == "same-size as LowRankLinear(rank=1)"


def test_two_swaps_of_one_slot_are_refused():
    ladder = Ladder(mlp, {"twice": (Swap("head", greedy), Swap(nn.Linear, greedy))})
    with pytest.raises(SlotError, match="'head' twice"):
        ladder.model("twice")


def test_frozen_has_the_same_initial_values_and_trains_nothing():
    free = swap(mlp(), "head", part(LowRankLinear, rank=2), seed=5).head
    fixed = swap(mlp(), "head", frozen(part(LowRankLinear, rank=2)), seed=5).head
    assert all(map(torch.equal, free.parameters(), fixed.parameters()))
    assert not any(p.requires_grad for p in fixed.parameters())


@given(budget=st.integers(6, 60))
def test_same_size_never_has_more_parameters(budget):
    quantum = lambda old: _WithParameters(old, budget)  # noqa: E731
    rival = swap(mlp(), "head", same_size(quantum)).head
    assert sum(p.numel() for p in rival.parameters()) <= budget


def test_same_size_of_an_unknown_kind_of_slot_is_refused():
    with pytest.raises(InterfaceMismatch, match="known group"):
        swap(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)), "0", same_size(lambda old: nn.Identity()))


class _WithParameters(nn.Module):
    """Has the interface of a linear layer and a given number of parameters."""

    def __init__(self, old: nn.Linear, n: int):
        super().__init__()
        self.w = nn.Parameter(torch.ones(n))
        self.shape = (old.in_features, old.out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.sum(-1, keepdim=True) * self.w.sum()).expand(*x.shape[:-1], self.shape[1])
