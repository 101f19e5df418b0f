"""Grid worlds to learn to act in: MiniGrid's environments, several side by side, seen as plain vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replank.errors import MissingExtra

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

OBSERVATION_SIZE = 7 * 7 * 3
"""Numbers that an agent sees: kind, colour and state of each field of its view."""
N_ACTIONS = 7
"""Turn left or right, go on, pick up, drop, toggle, done."""
LARGEST_CODE = 10.0
"""Codes of kinds go from 0 to 10, those of colours and states less far."""


def grid_worlds(name: str, n_envs: int, **options: Any) -> VectorEnv[Any, Any, Any]:
    """Environments that start anew in the very step in which their episode ends.

    Observations are ``(n_envs, 147)``, unsigned bytes; the last of an episode is in ``info["final_obs"]``.

    Args:
        name: as MiniGrid registers it, e.g. ``"MiniGrid-Empty-5x5-v0"``.
        n_envs: number of environments.
        options: of the environment, e.g. ``max_steps``.

    Raises:
        MissingExtra: gymnasium or minigrid is not installed.
        ValueError: no environment.
    """
    if n_envs < 1:
        raise ValueError(f"grid_worlds: there must be at least one environment, got n_envs={n_envs}.")
    try:
        import gymnasium
        import minigrid  # registers the environments
        from gymnasium.vector import AutoresetMode, SyncVectorEnv
        from gymnasium.wrappers import FlattenObservation
        from minigrid.wrappers import ImgObsWrapper
    except ImportError as error:
        raise MissingExtra("grid_worlds", "rl") from error
    del minigrid

    def make() -> gymnasium.Env[Any, Any]:
        pictures = ImgObsWrapper(gymnasium.make(name, **options))  # type: ignore[no-untyped-call]
        return FlattenObservation(pictures)

    return SyncVectorEnv([make] * n_envs, autoreset_mode=AutoresetMode.SAME_STEP)
