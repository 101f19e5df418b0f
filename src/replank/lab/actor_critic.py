"""Advantage actor-critic for recurrent policies, on environments that run side by side.

It is the synchronous form (A2C): all environments take a step, after some steps one update is made from all of them.
Where asynchronous workers (A3C) push updates when they have them, this one gives the same numbers each time.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from replank.errors import TrialError
from replank.lab.training import OptimiserBuilder
from replank.lab.trial import Measurements, Progress
from replank.measure.parameters import count_parameters
from replank.measure.timing import Stopwatch
from replank.parts.recurrent._interface import State
from replank.seeding import stream_seed, torch_stream

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

    Worlds = VectorEnv[Any, Any, Any]

ADAM: OptimiserBuilder = functools.partial(torch.optim.Adam, lr=1e-3, betas=(0.92, 0.999))


@dataclass(frozen=True)
class ActorCriticBudget:
    """What every policy is given.

    Args:
        env_steps: steps of all environments together.
        rollout: steps of each environment between two updates; gradients do not go back further.
        discount: of rewards that are one step later.
        value_weight: of the squared error of values in the loss.
        entropy_weight: of the entropy of actions, which is rewarded.
        max_norm: gradients are scaled down to it.
        optimiser: from the trainable parameters to a torch optimiser.
        last_episodes: over how many final episodes the result is averaged.
        n_points: of the learning curve.
    """

    env_steps: int
    rollout: int = 5
    discount: float = 0.9
    value_weight: float = 0.5
    entropy_weight: float = 0.01
    max_norm: float = 0.5
    optimiser: OptimiserBuilder = ADAM
    last_episodes: int = 100
    n_points: int = 20


class RecurrentPolicy(nn.Module):
    """Scores of actions and the value of a situation, from observations one after the other.

    Shape: ``(B, n_features) -> (B, n_actions), (B,)``, and the state.

    Args:
        core: an nn.RNN, nn.GRU or nn.LSTM, or a recurrent part, with ``batch_first``.
        readout: to ``n_actions + 1`` features, the last of which is the value; none if the core gives them.
        encoder: from observations to the core's features; none if it takes them as they are.
        scale: observations are divided by it.
    """

    def __init__(
        self,
        core: nn.Module,
        readout: nn.Module | None = None,
        encoder: nn.Module | None = None,
        *,
        scale: float = 1.0,
    ):
        super().__init__()
        self.encoder, self.core, self.readout = encoder, core, readout
        self.scale = scale

    def forward(self, observations: Tensor, state: State | None) -> tuple[Tensor, Tensor, State | None]:
        """One step of each environment."""
        features = observations / self.scale
        if self.encoder is not None:
            features = self.encoder(features)
        steps, state = self.core(features.unsqueeze(1), state)
        heads = steps[:, 0] if self.readout is None else self.readout(steps[:, 0])
        return heads[:, :-1], heads[:, -1], state


class UniformPolicy(nn.Module):
    """Every action alike, whatever is seen: what has to be beaten."""

    def __init__(self, n_actions: int):
        super().__init__()
        self.n_actions = n_actions

    def forward(self, observations: Tensor, state: State | None) -> tuple[Tensor, Tensor, State | None]:
        """Zeros."""
        return (
            observations.new_zeros(len(observations), self.n_actions),
            observations.new_zeros(len(observations)),
            None,
        )


class Episode(NamedTuple):
    """An episode that has ended.

    Args:
        return_: sum of its rewards.
        length: its steps.
    """

    return_: float
    length: int


class Step(NamedTuple):
    """What one step of all environments gave, each ``(B,)``.

    Args:
        log_probability: of the action that was taken.
        entropy: of all actions.
        value: of the situation before.
        reward: for the action.
        ended: whether the episode has ended with it.
        beyond: value of the situation behind the end of an episode that ran out of time; 0 for all others.
    """

    log_probability: Tensor
    entropy: Tensor
    value: Tensor
    reward: Tensor
    ended: Tensor
    beyond: Tensor


@dataclass
class Players:
    """A policy in environments that run side by side; each starts with an empty state when its episode starts.

    Args:
        policy: what acts.
        worlds: environments that start anew in the step in which an episode ends (``AutoresetMode.SAME_STEP``).
        seed: of the environments and of the actions.

    Attributes:
        state: of the policy, before the next step.
        episodes: those that have ended, in order.

    Raises:
        ValueError: environments start anew at another time.
    """

    policy: nn.Module
    worlds: Worlds
    seed: int
    state: State | None = field(default=None, init=False)
    episodes: list[Episode] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        mode = getattr(self.worlds.metadata.get("autoreset_mode"), "name", None)
        if mode != "SAME_STEP":
            raise ValueError(f"Players: environments must have the autoreset mode SAME_STEP, got {mode}.")
        self._like = next(self.policy.parameters(), torch.empty(0)).detach()  # in its dtype, where it is
        self._actions = torch_stream(self.seed, "actions")
        observations, _ = self.worlds.reset(seed=stream_seed(self.seed, "environments") % 2**31)
        self._observations = self._tensor(observations)
        self._returns, self._lengths = np.zeros(self.worlds.num_envs), np.zeros(self.worlds.num_envs, int)

    def step(self) -> Step:
        """Act once in each environment; the policy's outputs keep their graph."""
        scores, value, state = self.policy(self._observations, self.state)
        if not scores.isfinite().all():
            raise TrialError("the scores of actions are no longer finite; try a smaller step size.")
        chances = scores.log_softmax(-1)
        drawn = torch.multinomial(chances.detach().exp().cpu(), 1, generator=self._actions)
        action = drawn.to(scores.device)
        observations, reward, terminated, truncated, info = self.worlds.step(drawn.squeeze(1).numpy())
        ended = terminated | truncated
        beyond = self._beyond(observations, state, truncated & ~terminated, info)
        self._log(reward, ended)
        self._observations = self._tensor(observations)
        self.state = emptied(state, torch.as_tensor(ended, device=scores.device))
        return Step(
            chances.gather(1, action).squeeze(1),
            -(chances.exp() * chances).sum(-1),
            value,
            self._tensor(reward),
            torch.as_tensor(ended, device=scores.device),
            beyond,
        )

    @torch.no_grad()
    def value(self) -> Tensor:
        """Of the situations before the next step, ``(B,)``."""
        value: Tensor = self.policy(self._observations, self.state)[1]
        return value

    def forget(self) -> None:
        """Cut the graph behind the state: gradients do not go back before this step."""
        state = self.state
        self.state = state.detach() if isinstance(state, Tensor) else state and tuple(each.detach() for each in state)

    @torch.no_grad()
    def _beyond(self, observations: Any, state: State | None, out_of_time: Any, info: dict[str, Any]) -> Tensor:
        beyond = self._like.new_zeros(len(out_of_time))
        if out_of_time.any():
            final = np.array(observations)
            final[out_of_time] = np.stack(info["final_obs"][out_of_time])
            late = torch.as_tensor(out_of_time, device=beyond.device)
            beyond = torch.where(late, self.policy(self._tensor(final), state)[1], beyond)
        return beyond

    def _log(self, reward: Any, ended: Any) -> None:
        self._returns += reward
        self._lengths += 1
        for which in np.flatnonzero(ended):
            self.episodes.append(Episode(float(self._returns[which]), int(self._lengths[which])))
            self._returns[which], self._lengths[which] = 0.0, 0

    def _tensor(self, values: Any) -> Tensor:
        return torch.as_tensor(np.asarray(values)).to(self._like)


def emptied(state: State | None, where: Tensor) -> State | None:
    """A state with zeros in some rows of the batch.

    Shape: tensors ``(1, B, *)``, ``where`` ``(B,)``.
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        # not a product with zero: what is infinite would stay
        return state.masked_fill(where.view(1, -1, *[1] * (state.ndim - 2)), 0.0)
    return tuple(each.masked_fill(where.view(1, -1, *[1] * (each.ndim - 2)), 0.0) for each in state)


def discounted_returns(rewards: Tensor, ended: Tensor, beyond: Tensor, value: Tensor, discount: float) -> Tensor:
    """``R_t = r_t + discount R_{t+1}``; behind the end of an episode ``beyond`` stands, behind the last step ``value``.

    Shape: ``(T, B), (T, B), (T, B), (B,) -> (T, B)``.
    """
    returns, following = [], value
    for reward, end, after in zip(reversed(rewards), reversed(ended), reversed(beyond), strict=True):
        following = reward + discount * torch.where(end, after, following)
        returns.append(following)
    return torch.stack(returns[::-1])


def train_actor_critic(
    policy: nn.Module, worlds: Worlds, budget: ActorCriticBudget, *, seed: int, progress: Progress
) -> Measurements:
    """Let a policy learn from its own actions.

    Args:
        policy: trained in place; one without trainable parameters only acts.
        worlds: the environments, see :class:`Players`; they are left open.
        budget: steps and update rule.
        seed: of environments and actions.
        progress: told at each point of the curve.

    Returns:
        ``mean_return``, ``return_deviation`` (a standard deviation), ``mean_length`` and ``success_rate`` (the share
        with a positive return) of the last episodes, the mean return of all; and a curve with the mean return of the
        last episodes, whose "epochs" are equal parts of all steps.

    Raises:
        TrialError: scores or the loss are no longer finite, or no episode ended.
    """
    players = Players(policy, worlds, seed)
    parameters = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    optimiser = budget.optimiser(parameters) if parameters else None
    n_updates = max(1, round(budget.env_steps / (budget.rollout * worlds.num_envs)))
    points = {-(-n_updates * point // budget.n_points): point for point in range(1, budget.n_points + 1)}
    last: deque[Episode] = deque(maxlen=budget.last_episodes)
    curves: list[dict[str, float]] = []
    with Stopwatch() as watch:
        for update in range(1, n_updates + 1):
            seen = len(players.episodes)
            loss = _loss(players, budget)
            if optimiser is not None:
                _update(loss, parameters, optimiser, budget)
            players.forget()
            last.extend(players.episodes[seen:])
            if update in points and last:
                row = {"epoch": float(points[update]), "mean_return": _mean(last)}
                curves.append(row)
                progress(points[update], budget.n_points, row)
    if not last:
        raise TrialError(f"no episode ended within {budget.env_steps} steps; take more of them.")
    return Measurements(_summary(policy, players.episodes, last) | {"train_wall_s": watch.wall_s}, curves)


def _loss(players: Players, budget: ActorCriticBudget) -> Tensor:
    """Of one rollout: policy gradient with advantages, error of the values, entropy."""
    steps = [players.step() for _ in range(budget.rollout)]
    taken = Step(*map(torch.stack, zip(*steps, strict=True)))
    returns = discounted_returns(taken.reward, taken.ended, taken.beyond, players.value(), budget.discount)
    advantage = returns - taken.value
    policy_loss = -(taken.log_probability * advantage.detach()).mean()
    value_loss = advantage.square().mean()
    return policy_loss + budget.value_weight * value_loss - budget.entropy_weight * taken.entropy.mean()


def _update(
    loss: Tensor, parameters: Sequence[nn.Parameter], optimiser: torch.optim.Optimizer, budget: ActorCriticBudget
) -> None:
    if not torch.isfinite(loss):
        raise TrialError(f"the loss of the actor-critic became {loss.item()}; try a smaller step size.")
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(parameters, budget.max_norm)
    optimiser.step()


def _summary(policy: nn.Module, episodes: Sequence[Episode], last: Sequence[Episode]) -> dict[str, float]:
    counts = count_parameters(policy)
    returns = np.array([each.return_ for each in last])
    return {
        "mean_return": float(returns.mean()),
        "return_deviation": float(returns.std()),
        "success_rate": float((returns > 0).mean()),
        "mean_length": float(np.mean([each.length for each in last])),
        "mean_return_of_all": _mean(episodes),
        "episodes": float(len(episodes)),
        "parameters": float(counts.total),
        "trainable_parameters": float(counts.trainable),
    }


def _mean(episodes: Sequence[Episode]) -> float:
    return float(np.mean([each.return_ for each in episodes]))
