"""One world with gymnax's signatures."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from openworld import registry
from openworld.adapters.gymnax.folding import batch_of_one, calls, first
from openworld.adapters.gymnax.params import EnvParams, EnvState
from openworld.core.random import key_words, world_seeds
from openworld.engine import arguments
from openworld.system import forking

try:
    from gymnax.environments.spaces import Box, Discrete  # type: ignore[reportMissingImports]
except ImportError:
    from openworld.adapters.gymnax.fallback_spaces import Box, Discrete


class GymnaxEnv:
    """One world of one player, with the signatures of gymnax 1.0.

    The default observation is "symbolic"; `observation=` chooses another.

    `step` begins the next episode where one ends; `info` then holds `final_observation`, `discount` (0 where
    terminated), and `episode_return`, `episode_length` and `achievements` of the episode that the step
    belongs to. Every step's info has the same fields, shapes and dtypes.
    """

    def __init__(
        self,
        id: str = "OpenWorld-v0",
        *,
        observation: str | None = None,
        time_limit: int | None = None,
        action_mask: bool = False,
        **settings: Any,
    ) -> None:
        """Keep the settings.

        Args:
            id: the environment's id, as in `openworld.make`.
            observation: one that `openworld.make` knows; None takes the id's own, "symbolic" where it has
                none.
            time_limit: steps after which an episode is truncated; None takes the rules' own limit.
            action_mask: whether `info` holds which actions would do something in the state that is returned.
            settings: further settings of `openworld.make`.
        """
        registry.known_keywords("GymnaxEnv.__init__", settings, (*registry.SETTINGS, "action_mask"))
        seen = observation or registry.listed(id).observation or "symbolic"
        self._env = registry.make(id, observation=seen, time_limit=time_limit, **settings)
        if self._env.num_agents != 1:
            raise ValueError(f"{id} has {self._env.num_agents} players here; gymnax knows one: num_agents=1")
        self._mask = arguments.yes_or_no("action_mask", action_mask)

    @property
    def name(self) -> str:
        """The environment's id."""
        return self._env.id

    @property
    def num_actions(self) -> int:
        """The number of actions."""
        return self._env.num_actions

    @property
    def default_params(self) -> EnvParams:
        """The time limit."""
        return EnvParams(self._env.time_limit)

    def reset(self, key: Array, params: EnvParams | None = None) -> tuple[Array, EnvState]:
        """Make the world of a key."""
        forking.refuse()
        self._limit(params)
        obs, batch = calls(self._env).reset(world_seeds(key_words(arguments.key(key)), 1))
        return obs[0], EnvState(first(batch), jnp.zeros((), bool))

    def step(
        self, key: Array, state: EnvState, action: Any, params: EnvParams | None = None
    ) -> tuple[Any, ...]:
        """Play one step: obs, state, reward, terminated, truncated, info."""
        return self._played(state, action, self._limit(params), "step")

    def reset_env(self, key: Array, params: EnvParams) -> tuple[Array, EnvState]:
        """As `reset`."""
        return self.reset(key, params)

    def step_env(self, key: Array, state: EnvState, action: Any, params: EnvParams) -> tuple[Any, ...]:
        """Play one step without auto-reset: obs, state, reward, terminated, info."""
        obs, state, reward, terminated, _, info = self._played(state, action, self._limit(params), "advance")
        return obs, state, reward, terminated, info

    def get_obs(self, state: EnvState, params: EnvParams | None = None, key: Array | None = None) -> Array:
        """Return the observation of a state."""
        return calls(self._env).observe(batch_of_one(state.batch))[0]

    def is_terminal(self, state: EnvState, params: EnvParams) -> Bool[Array, ""]:
        """Return whether the episode has ended by death or victory."""
        return state.terminated

    def is_terminated(self, state: EnvState, params: EnvParams) -> Bool[Array, ""]:
        """As gymnax 1.0 names it."""
        return state.terminated

    def is_truncated(self, state: EnvState, params: EnvParams) -> Bool[Array, ""]:
        """Return whether the episode has reached the time limit."""
        return ~state.terminated & (state.time >= params.max_steps_in_episode)

    def discount(self, state: EnvState, params: EnvParams) -> Array:
        """0 where the episode has ended by death or victory, else 1."""
        return 1 - state.terminated.astype(jnp.float32)

    def action_space(self, params: EnvParams | None = None) -> Any:
        """The actions, as gymnax's own space where it is installed."""
        return Discrete(self.num_actions)

    def observation_space(self, params: EnvParams | None = None) -> Any:
        """The observations, likewise."""
        from openworld.adapters.gymnasium.spaces import observation_space

        space: Any = observation_space(self._env.ruleset, self._env.observation)
        return Box(space.low, space.high, space.shape, space.dtype)

    def _limit(self, params: EnvParams | None) -> Any:
        """Return the time limit of the params, or the environment's own: a whole number, or int32[]."""
        if params is None:
            return np.int32(self._env.time_limit)
        try:
            limit = params.max_steps_in_episode
        except AttributeError:
            raise TypeError(
                f"params must be default_params or what its replace() returns, not a {type(params).__name__}"
            ) from None
        if isinstance(limit, jax.Array) and limit.ndim:
            raise ValueError(
                "params hold one time limit a world; map over them with jax.vmap, as over states"
            )
        return arguments.limit(limit, 1)

    def _played(self, state: EnvState, action: Any, limit: Any, how: str) -> tuple[Any, ...]:
        action = self._checked(state, action)
        play = calls(self._env)
        limits = jnp.asarray(limit)[None]
        again = (jnp.full(1, self._env.repeat_world),) if how == "step" else ()
        out = getattr(play, how)(batch_of_one(state.batch), action[None], limits, *again)
        obs, batch, reward, terminated, truncated, held = first(out)
        after = EnvState(batch, terminated if how == "advance" else jnp.zeros_like(terminated))
        info = {
            "discount": 1 - terminated.astype(jnp.float32),
            "final_observation": held.final_obs,
            "terminated": terminated,
            "truncated": truncated,
            "episode_return": held.episode_return,
            "episode_length": held.episode_length,
            "achievements": held.achievements,
        }
        if self._mask:
            info["action_mask"] = play.mask(batch_of_one(batch))[0]
        return obs, after, reward, terminated, truncated, info

    def _checked(self, state: EnvState, action: Any) -> Array:
        """Return the action as int32[]; refuse what is no state of one such world, and no action of one."""
        forking.refuse()
        if not isinstance(state, EnvState):
            raise TypeError(
                f"the state must be an EnvState that reset() returned, not {arguments.described(state)}"
            )
        if jnp.ndim(action) or state.time.ndim:
            raise ValueError(
                "step() plays one world and takes one action; use jax.vmap(env.step) to play many"
            )
        chosen = arguments.actions(action, (), self.num_actions)
        rules, tiles = self._env.ruleset, state.batch.ground.tiles.shape
        if tiles != (len(rules.floors), rules.rows, rules.cols):
            raise ValueError(f"the state is of another world than {self.name}: its maps are {list(tiles)}")
        return jnp.asarray(chosen)


class OlderGymnaxEnv(GymnaxEnv):
    """The same with one `done` for both ends, as gymnax had it before 1.0; `info` holds each."""

    def step(
        self, key: Array, state: EnvState, action: Any, params: EnvParams | None = None
    ) -> tuple[Any, ...]:
        """Play one step: obs, state, reward, done, info."""
        obs, state, reward, terminated, truncated, info = super().step(key, state, action, params)
        return obs, state, reward, terminated | truncated, info

    def step_env(self, key: Array, state: EnvState, action: Any, params: EnvParams) -> tuple[Any, ...]:
        """Play one step without auto-reset: obs, state, reward, done, info."""
        obs, state, reward, terminated, info = super().step_env(key, state, action, params)
        return obs, state, reward, terminated | info["truncated"], info

    def is_terminal(self, state: EnvState, params: EnvParams) -> Bool[Array, ""]:
        """Return whether the episode has ended, by death, victory or the time limit."""
        return state.terminated | self.is_truncated(state, params)
