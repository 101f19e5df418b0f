from __future__ import annotations

import sys

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from replank.errors import MissingExtra, TrialError
from replank.lab.actor_critic import (
    ActorCriticBudget,
    Players,
    RecurrentPolicy,
    UniformPolicy,
    discounted_returns,
    emptied,
    train_actor_critic,
)
from replank.lab.grid_worlds import LARGEST_CODE, N_ACTIONS, OBSERVATION_SIZE, grid_worlds
from replank.parts.recurrent import FastWeights, QuantumFastWeights
from replank.seeding import isolated, torch_stream

F64 = torch.float64


class Count(gymnasium.Env):
    """Ends after so many steps, by itself or by running out of time; sees which step it is."""

    observation_space, action_space = Box(0, 100, (1,), np.float64), Discrete(2)

    def __init__(self, n_steps, *, out_of_time=False):
        self.n_steps, self.out_of_time, self.step_number = n_steps, out_of_time, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.step_number = 0
        return np.array([0.0]), {}

    def step(self, action):
        self.step_number += 1
        ended = self.step_number == self.n_steps
        over, late = ended and not self.out_of_time, ended and self.out_of_time
        return np.array([float(self.step_number)]), float(action == 1), over, late, {}


def side_by_side(*worlds):
    return SyncVectorEnv([lambda world=world: world for world in worlds], autoreset_mode=AutoresetMode.SAME_STEP)


def small_policy(core=FastWeights, seed=0, **options):
    with isolated(seed, "part"):
        return RecurrentPolicy(core(1, 3, batch_first=True, dtype=F64, n_readout=2, **options))


def ignore(*_):
    pass


@pytest.mark.parametrize("core", [FastWeights, QuantumFastWeights])
def test_programs_start_anew_with_each_episode_and_only_there(core):
    lengths = (3, 5)
    policy = small_policy(core)
    players = Players(policy, side_by_side(*map(Count, lengths)), seed=0)
    for step in range(1, 16):
        players.step()
        for row, length in enumerate(lengths):
            seen = torch.arange(step % length, dtype=F64).view(1, -1, 1)  # the steps of this episode up to now
            program = players.state[0, row]
            if step % length == 0:
                assert not program.any()
            else:
                torch.testing.assert_close(program, policy.core(seen)[1][0, 0])
    assert sorted(each.length for each in players.episodes) == [3] * 5 + [5] * 3


def test_an_lstms_two_states_start_anew_together():
    state = tuple(torch.ones(1, 4, 2) * torch.inf for _ in range(2))
    for each in emptied(state, torch.tensor([True, False, True, False])):
        torch.testing.assert_close(each[0, :, 0], torch.tensor([0.0, torch.inf, 0.0, torch.inf]))
    assert emptied(None, torch.tensor([True])) is None


def test_episodes_that_run_out_of_time_go_on_in_value_and_those_that_end_do_not():
    policy = small_policy()
    players = Players(policy, side_by_side(Count(3), Count(3, out_of_time=True)), seed=0)
    steps = [players.step() for _ in range(3)]
    assert [step.ended.tolist() for step in steps] == [[False] * 2] * 2 + [[True] * 2]
    assert [step.beyond.any().item() for step in steps] == [False, False, True]
    whole = policy.core(torch.arange(4, dtype=F64).view(1, -1, 1))[0]
    torch.testing.assert_close(steps[2].beyond, torch.stack([torch.zeros((), dtype=F64), whole[0, 3, -1]]).detach())
    # the value of each step is that of what was seen before it
    torch.testing.assert_close(torch.stack([step.value[0] for step in steps]), whole[0, :3, -1])


@given(st.integers(0, 1000), st.integers(1, 8), st.floats(0, 1))
def test_returns_are_discounted_sums_up_to_the_end_of_each_episode(seed, n_steps, discount):
    stream = torch_stream(seed, "returns")
    rewards, beyond = torch.rand(2, n_steps, 3, dtype=F64, generator=stream)
    value = torch.rand(3, dtype=F64, generator=stream)
    ended = torch.rand(n_steps, 3, generator=stream) < 0.3
    found = discounted_returns(rewards, ended, beyond, value, discount)
    for row in range(3):
        for start in range(n_steps):
            total, factor, last = 0.0, 1.0, value[row]
            for t in range(start, n_steps):
                total, factor = total + factor * rewards[t, row], factor * discount
                if ended[t, row]:
                    last = beyond[t, row]
                    break
            assert float(found[start, row]) == pytest.approx(float(total + factor * last))


def test_a_policy_learns_which_action_is_rewarded():
    budget = ActorCriticBudget(4000, optimiser=lambda parameters: torch.optim.Adam(parameters, lr=0.02), n_points=4)
    policy = small_policy()
    measured = train_actor_critic(policy, side_by_side(*[Count(6)] * 1, *map(Count, (5, 6, 7))), budget, seed=0,
                                  progress=ignore)  # fmt: skip
    assert measured.metrics["mean_return"] > 0.9 * measured.metrics["mean_length"]
    assert [row["epoch"] for row in measured.curves] == [1, 2, 3, 4]
    assert measured.metrics["episodes"] == sum(4000 // 4 // length for length in (6, 5, 6, 7))
    by_chance = train_actor_critic(UniformPolicy(2), side_by_side(*map(Count, (5, 6))), budget, seed=0, progress=ignore)
    assert by_chance.metrics["mean_return"] == pytest.approx(by_chance.metrics["mean_length"] / 2, rel=0.15)
    assert by_chance.metrics["parameters"] == 0


def test_the_same_seed_learns_the_same_and_touches_no_global_state():
    state = torch.random.get_rng_state()
    budget = ActorCriticBudget(400)
    runs = [train_actor_critic(small_policy(), side_by_side(*map(Count, (3, 5))), budget, seed=seed, progress=ignore)
            for seed in (0, 0, 1)]  # fmt: skip
    metrics = [{**run.metrics, "train_wall_s": 0.0} for run in runs]
    assert metrics[0] == metrics[1] != metrics[2]
    assert torch.equal(torch.random.get_rng_state(), state)


def test_gradients_stop_at_the_rollout():
    players = Players(small_policy(), side_by_side(Count(9)), seed=0)
    players.step()
    assert players.state.requires_grad
    players.forget()
    assert not players.state.requires_grad
    assert players.state.any()


def test_what_can_not_be_learned_from_is_refused():
    with pytest.raises(ValueError, match="must have the autoreset mode SAME_STEP, got NEXT_STEP"):
        Players(small_policy(), SyncVectorEnv([lambda: Count(3)]), seed=0)
    with pytest.raises(TrialError, match="no episode ended within 10 steps"):
        train_actor_critic(small_policy(), side_by_side(Count(99)), ActorCriticBudget(10), seed=0, progress=ignore)
    broken = small_policy()
    nn.init.constant_(broken.core.readout.bias, torch.nan)
    with pytest.raises(TrialError, match="scores of actions are no longer finite"):
        train_actor_critic(broken, side_by_side(Count(3)), ActorCriticBudget(10), seed=0, progress=ignore)


# -- grid worlds -------------------------------------------------------------------------------------------------------


def test_a_grid_world_is_seen_as_147_numbers():
    worlds = grid_worlds("MiniGrid-Empty-5x5-v0", 2)
    observations, _ = worlds.reset(seed=0)
    assert observations.shape == (2, OBSERVATION_SIZE)
    assert worlds.single_action_space.n == N_ACTIONS
    assert observations.max() <= LARGEST_CODE
    kinds = observations[0].reshape(7, 7, 3)[..., 0]
    assert {1, 2, 8} == set(kinds.flat)  # empty, wall, goal
    worlds.close()


def test_the_shortest_way_has_the_largest_return():
    worlds = grid_worlds("MiniGrid-Empty-5x5-v0", 1)
    worlds.reset(seed=0)
    rewards = [worlds.step(np.array([action]))[1][0] for action in (2, 2, 1, 2, 2)]  # on, on, right, on, on
    assert rewards == [0, 0, 0, 0, pytest.approx(1 - 0.9 * 5 / 100)]
    worlds.close()


def test_programs_start_anew_in_grid_worlds_that_end_at_different_steps():
    with isolated(0, "part"):
        policy = RecurrentPolicy(
            QuantumFastWeights(OBSERVATION_SIZE, N_ACTIONS + 1, n_readout=8, encoder=True, batch_first=True), scale=10.0
        )
    short, long = (grid_worlds("MiniGrid-Empty-5x5-v0", 1, max_steps=n) for n in (3, 5))
    both = side_by_side(short.envs[0], long.envs[0])
    players = Players(policy, both, seed=0)
    for step in range(1, 13):
        players.step()
        empty = [not program.any() for program in players.state[0]]
        assert empty == [step % 3 == 0, step % 5 == 0]


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "minigrid", None)
    with pytest.raises(MissingExtra, match=r'grid_worlds needs the extra "rl": pip install "replank\[rl\]"'):
        grid_worlds("MiniGrid-Empty-5x5-v0", 1)
    assert issubclass(MissingExtra, ImportError)
    with pytest.raises(ValueError, match="at least one environment, got n_envs=0"):
        grid_worlds("MiniGrid-Empty-5x5-v0", 0)
