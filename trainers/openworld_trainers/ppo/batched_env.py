"""The environment as the trainer uses it, a protocol, so that tests can use small ones."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp

from openworld_trainers.ppo.config import Env


@runtime_checkable
class BatchedEnv(Protocol):
    """A batch of worlds as pure functions; `openworld.make` returns one.

    The first axis of every array is the batch. `step` resets the worlds whose episode ended: `observation` is
    then the next episode's first, and `info.final_obs` is the ended episode's last. `info.episode_return`,
    `info.episode_length` and `info.achievements` belong to the episode of the step. `info.reward_parts` may be
    missing; then the policy can learn from the published reward alone.
    """

    @property
    def id(self) -> str:
        """A registered id."""
        ...

    @property
    def num_actions(self) -> int:
        """The number of actions."""
        ...

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of one observation."""
        ...

    def reset(self, key: Any, num_worlds: int, *, held_out: bool = False) -> tuple[Any, Any]:
        """Return first observations and states; training never sees held-out worlds."""
        ...

    def reset_seeds(self, seeds: Any) -> tuple[Any, Any]:
        """Return first observations and states of the worlds of these seeds, uint32[B, 2]."""
        ...

    def renew(self, obs: Any, state: Any, mask: Any) -> tuple[Any, Any]:
        """Start the next episode in the worlds of the mask."""
        ...

    def step(self, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """Return `(observation, state, reward, terminated, truncated, info)`; ended worlds are reset."""
        ...

    def advance(self, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """Return the same without resets."""
        ...


@dataclass(frozen=True)
class FlattenPlayers:
    """An environment of several players in which each player of each world is one entry of the batch.

    Entry i is player i modulo `players` of world i // `players`. The trainer treats it as a world of its own;
    all entries share one policy. A fallen player keeps its entry. Its actions have no effect, so their
    gradient is zero on average; its advantages lead to the reward after a revival.
    """

    env: Any  # openworld.environment.Environment

    @property
    def players(self) -> int:
        """The number of players in one world."""
        return self.env.num_agents

    @property
    def id(self) -> str:
        """The environment's id."""
        return self.env.id

    @property
    def ruleset(self) -> Any:
        """The environment's rules."""
        return self.env.ruleset

    @property
    def observation(self) -> str:
        """The form of an observation."""
        return self.env.observation

    @property
    def num_actions(self) -> int:
        """The number of actions."""
        return self.env.num_actions

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of one player's observation."""
        return self.env.observation_shape[1:]

    def reset(self, key: Any, num_worlds: int, *, held_out: bool = False) -> tuple[Any, Any]:
        """Return first observations of `num_worlds` entries, and the states of their worlds."""
        obs, state = self.env.reset(key, self._worlds_of(num_worlds), held_out=held_out)
        return self._flatten(obs), state

    def reset_seeds(self, seeds: Any) -> tuple[Any, Any]:
        """Return the worlds of these seeds, uint32[entries, 2]; a world's seed is that of its first entry."""
        self._worlds_of(seeds.shape[0])
        obs, state = self.env.reset_seeds(seeds[:: self.players])
        return self._flatten(obs), state

    def renew(self, obs: Any, state: Any, mask: Any) -> tuple[Any, Any]:
        """Start the next episode in the worlds whose first entry is in the mask."""
        obs, state = self.env.renew(self._group(obs), state, mask[:: self.players])
        return self._flatten(obs), state

    def step(self, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """Return the results of `BatchedEnv.step` for each entry."""
        return self._flatten_results(self.env.step(state, self._group(action)))

    def advance(self, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """Return the results of `BatchedEnv.advance` for each entry."""
        return self._flatten_results(self.env.advance(state, self._group(action)))

    def _worlds_of(self, entries: int) -> int:
        if entries % self.players:
            raise ValueError(f"{entries} players do not divide into worlds of {self.players} players")
        return entries // self.players

    def _flatten(self, x: Any) -> Any:
        """Reshape [worlds, players, ...] to [entries, ...]."""
        return x.reshape(-1, *x.shape[2:])

    def _group(self, x: Any) -> Any:
        """Reshape [entries, ...] to [worlds, players, ...]."""
        return x.reshape(-1, self.players, *x.shape[1:])

    def _flatten_results(
        self, results: tuple[Any, Any, Any, Any, Any, Any]
    ) -> tuple[Any, Any, Any, Any, Any, Any]:
        obs, state, reward, terminated, truncated, info = results
        repeat = partial(jnp.repeat, repeats=self.players, axis=0)
        info = dataclasses.replace(
            info,
            final_obs=self._flatten(info.final_obs),
            episode_return=self._flatten(info.episode_return),
            episode_length=repeat(info.episode_length),
            achievements=self._flatten(info.achievements),
            reward_parts=self._flatten(info.reward_parts),
        )
        return self._flatten(obs), state, self._flatten(reward), repeat(terminated), repeat(truncated), info


def make_env(settings: Env) -> BatchedEnv:
    """Return the environment of a run; one of several players is wrapped in `FlattenPlayers`."""
    import openworld
    from openworld.registry import listed

    coop = listed(settings.id).rules.coop
    shared = {"sharing": settings.sharing, "revival": settings.revival} if coop else {}
    env = openworld.make(settings.id, time_limit=settings.time_limit, num_agents=settings.players, **shared)
    return env if env.num_agents == 1 else FlattenPlayers(env)


def achievement_names(env: BatchedEnv) -> tuple[str, ...]:
    """Return the name of each column of `info.achievements`, in lower case."""
    rules = getattr(env, "ruleset", None)
    if rules is None:
        return tuple(getattr(env, "achievement_names"))  # noqa: B009 (test environments bring their own)
    from openworld.content.ids import Achievement

    return tuple(achievement.name.lower() for achievement in list(Achievement)[: rules.achievements])


def env_identity(env: BatchedEnv) -> dict[str, Any]:
    """Return the facts in which a checkpoint must agree with the environment it continues in."""
    rules = getattr(env, "ruleset", None)
    return {
        "env_id": env.id,
        "ruleset": [rules.name, rules.version] if rules is not None else [],
        "observation_shape": list(env.observation_shape),
        "num_actions": env.num_actions,
    }


def identity_problem(env: BatchedEnv, facts: dict[str, Any]) -> str:
    """Return why what was made with some facts does not fit an environment, or "" if it does."""
    for name, here in env_identity(env).items():
        if facts.get(name) != here:
            return f"is of another version: {name} {facts.get(name)} there and {here} here"
    return ""
