"""Environments: thousands of worlds at once, as pure functions.

Every array has the batch axis `worlds` first. A single-agent environment has no agents axis in its
observations, actions and rewards; one of several players has it second.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, UInt8, UInt32

from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables, compile_tables
from openworld.core.random import key_words, world_seeds
from openworld.engine import arguments, batch, sharding
from openworld.engine.batch import Info, State, Stepped
from openworld.engine.programs import Programs, programs
from openworld.observe.forms import FORMS
from openworld.observe.layout import Layout, layout_of
from openworld.rules.scoring import REWARD_PARTS
from openworld.system import forking

__all__ = ["REWARD_PARTS", "Environment", "Info", "State", "Stepped"]

Carry = TypeVar("Carry")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A frozen description of an environment, and the functions that play it. `openworld.make` returns one.

    All functions are pure, jittable and compiled on their first call. Environments that differ only in id,
    time limit and `repeat_world` share what is compiled.

    Attributes:
        id: its name in the registry.
        ruleset: the rules that it follows.
        observation: "tokens" (uint8), "symbolic" (float32) or "pixels" (uint8).
        time_limit: steps after which an episode is truncated, 1 to 2**31 - 2.
        num_agents: players in each world.
        sharing: the share of each reward that is the mean of all players', a multiple of 0.01 from 0 to 1.
        repeat_world: whether the next episode begins in the same world again instead of a new one.

    Example:
        >>> import openworld
        >>> env = openworld.make("OpenWorld-Classic-v0", observation="symbolic")
        >>> env.num_actions, env.observation_shape, env.observation_dtype.name
        (17, (1345,), 'float32')
    """

    id: str
    ruleset: Ruleset
    observation: str = "tokens"
    time_limit: int
    num_agents: int = 1
    sharing: float = 0.0
    repeat_world: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be played."""
        for name, value in arguments.description(self).items():
            object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        """Keep the description alone: what was compiled for it is made again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __copy__(self) -> "Environment":
        """Return itself: it never changes, and what is compiled serves its copies."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "Environment":
        return self

    @property
    def num_actions(self) -> int:
        """The number of actions."""
        return self.ruleset.actions

    @property
    def layout(self) -> Layout:
        """The place of each field in the tokens."""
        return layout_of(self.ruleset)

    @property
    def tables(self) -> Tables:
        """The tables of the rules, as JAX's arrays; under a trace they are its constants."""
        return jax.tree.map(jnp.asarray, compile_tables(self.ruleset))

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of one world's observation, [*shape] or [agents, *shape]."""
        shape = FORMS[self.observation].shape(self.ruleset)
        return shape if self.num_agents == 1 else (self.num_agents, *shape)

    @property
    def observation_dtype(self) -> np.dtype:
        """The dtype of an observation."""
        return FORMS[self.observation].dtype

    @cached_property
    def canonical(self) -> "Environment":
        """The description that programs are compiled for.

        Id, time limit and `repeat_world` mean nothing in it: the latter two are arguments of programs.
        """
        return replace(self, id=self.ruleset.name, time_limit=1, repeat_world=False)

    @cached_property
    def _programs(self) -> Programs:
        return programs(self)  # kept here as well, for as long as it is used

    def state_shape(self, num_worlds: int) -> State:
        """Return the shapes and dtypes of a state, as `jax.eval_shape` does; no world is made.

        Args:
            num_worlds: worlds of the batch.

        Returns:
            A `State` whose leaves are `jax.ShapeDtypeStruct`.

        Example:
            >>> import openworld
            >>> openworld.make("OpenWorld-v0").state_shape(4).ground.tiles.shape
            (4, 9, 48, 48)
        """
        seeds = jax.ShapeDtypeStruct((num_worlds, 2), jnp.uint32)
        return jax.eval_shape(self._programs.reset, seeds)[1]

    def reset(self, key: Array | int, num_worlds: int, *, held_out: bool = False) -> tuple[Array, State]:
        """Make new worlds.

        Args:
            key: a JAX key (typed or raw words) or an integer. World i does not depend on `num_worlds`.
            num_worlds: at least 1.
            held_out: draw from the seeds set aside for evaluation, disjoint from all others.

        Returns:
            obs: [worlds, ...] first observations.
            state: the worlds.

        Raises:
            TypeError, ValueError: the key is not a JAX key or an integer, or num_worlds is not at least 1.

        Example:
            >>> import openworld
            >>> env = openworld.make("OpenWorld-Classic-v0")
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> obs.shape, obs.dtype.name
            ((2, 307), 'uint8')
        """
        forking.refuse()
        key = arguments.key(key)
        num_worlds = arguments.whole("num_worlds", num_worlds, 1, arguments.MOST_WORLDS)
        return self._programs.reset(world_seeds(key_words(key), num_worlds, held_out=held_out))

    def reset_seeds(self, seeds: UInt32[Array, "worlds 2"]) -> tuple[Array, State]:
        """Make the worlds of these seeds, as an earlier state's `world.seed` has them.

        Args:
            seeds: the two 32-bit words of each world's seed.

        Returns:
            First observations and state, as `reset` returns them.

        Example:
            >>> import openworld
            >>> env = openworld.make("OpenWorld-Classic-v0")
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> again, _ = env.reset_seeds(state.world.seed)
            >>> bool((again == obs).all())
            True
        """
        forking.refuse()
        return self._programs.reset(jnp.asarray(arguments.seeds(seeds), jnp.uint32))

    def step(self, state: State, action: Any, *, time_limit: Any = None, repeat_world: Any = None) -> Stepped:
        """Play one step in every world; worlds whose episode ends begin the next one in the same step.

        Args:
            state: the worlds.
            action: whole numbers of any width, [worlds] (or [worlds, agents]), as an array or a list. Each is
                an `Action`; one out of range does nothing.
            time_limit: in place of the environment's own, for all worlds or for each, int[worlds].
            repeat_world: likewise, a flag for all worlds or for each, bool[worlds].

        Returns:
            obs: observations, of the new episode where one began.
            state: the worlds.
            reward: float32[worlds] (or [worlds, agents]).
            terminated: bool[worlds], the episode ended by death (of all players) or victory.
            truncated: bool[worlds], it ended by the time limit.
            info: `Info`, with the observation before any reset.

        Raises:
            TypeError, ValueError: the state is of another environment, or actions or settings do not fit it.

        Example:
            >>> import openworld
            >>> env = openworld.make("OpenWorld-Classic-v0")
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> obs, state, reward, terminated, truncated, info = env.step(state, [0, 1])
            >>> reward.shape, info.episode_length.tolist()
            ((2,), [1, 1])
        """
        action, limit = arguments.played(self, "step()", state, action, time_limit)
        return self._programs.step(
            state, action, limit, arguments.repetition(self, repeat_world, len(action))
        )

    def advance(self, state: State, action: Any, *, time_limit: Any = None) -> Stepped:
        """Play one step without auto-reset: like `step`, but a world that ended stays as it is.

        Args:
            state: the worlds.
            action: as `step` takes it.
            time_limit: as `step` takes it.

        Returns:
            What `step` returns; `obs` and `info.final_obs` are the same.

        Example:
            >>> import openworld
            >>> env = openworld.make("OpenWorld-Classic-v0")
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> obs, state, reward, terminated, truncated, info = env.advance(state, [0, 0], time_limit=1)
            >>> truncated.tolist()
            [True, True]
        """
        return self._programs.advance(state, *arguments.played(self, "advance()", state, action, time_limit))

    def renew(
        self, obs: Array, state: State, mask: Bool[Array, " worlds"], *, repeat_world: Any = None
    ) -> tuple[Array, State]:
        """Begin the next episode in the worlds of the mask; the others keep observation and state.

        Args:
            obs: [worlds, ...] the observations of the state.
            state: the worlds.
            mask: the worlds that begin a new episode.
            repeat_world: as `step` takes it.

        Returns:
            Observations and state, those of the mask's worlds at the beginning of an episode.

        Example:
            >>> import jax.numpy as jnp, openworld
            >>> env = openworld.make("OpenWorld-Classic-v0")
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> new_obs, new_state = env.renew(obs, state, jnp.array([True, False]))
            >>> (new_obs == obs).all(axis=1).tolist()
            [False, True]
        """
        worlds = arguments.worlds(self, "renew()", state)
        arguments.array("obs", obs, (worlds, *self.observation_shape), self.observation_dtype)
        arguments.array("mask", mask, (worlds,), np.dtype(bool))
        return self._programs.renew(obs, state, mask, arguments.repetition(self, repeat_world, worlds))

    def observe(self, state: State) -> Array:
        """Return the observations of a state, [worlds, ...], as `reset` or `step` returned them with it.

        Example:
            >>> import openworld
            >>> env = openworld.make("OpenWorld-Classic-v0")
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> bool((env.observe(state) == obs).all())
            True
        """
        arguments.worlds(self, "observe()", state)
        return self._programs.observe(state)

    def decode(self, tokens: UInt8[Array | np.ndarray, "*batch tokens"]) -> Array:
        """Return this environment's kind of observation, made from tokens.

        Args:
            tokens: of the same rules, as `observation="tokens"` shows them; any axes may lead.

        Returns:
            [*batch, ...] in the form of `observation`.

        Raises:
            TypeError, ValueError: the tokens are of another dtype, or of other rules.

        Example:
            >>> import numpy as np, openworld
            >>> env = openworld.make("OpenWorld-Classic-v0", observation="symbolic")
            >>> env.decode(np.zeros((3, env.layout.size), np.uint8)).shape
            (3, 1345)
        """
        arguments.tokens(self, tokens)
        return self._programs.decode(tokens)

    def action_mask(self, state: State) -> Bool[Array, "worlds *agents actions"]:
        """Return which actions would do something in the next step; the others do what NOOP would do.

        Example:
            >>> import openworld
            >>> env = openworld.make("OpenWorld-Classic-v0")
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> env.action_mask(state).shape
            (2, 17)
        """
        arguments.worlds(self, "action_mask()", state)
        return self._programs.action_mask(state)

    def mask_of(self, tokens: UInt8[Array | np.ndarray, "*batch tokens"]) -> Bool[Array, "*batch actions"]:
        """Return which actions could do something in the next step, as far as the tokens tell.

        What they do not tell counts as possible: it allows all that `action_mask` allows, and a little more.
        It needs no state, so an agent can make it from stored observations. In each player's tokens it sees
        that player alone. Sleeping, resting and fallen players have only NOOP.

        Args:
            tokens: of the same rules, as `observation="tokens"` shows them; any axes may lead.

        Returns:
            [*batch, actions]; NOOP is always True.

        Raises:
            TypeError, ValueError: the tokens are of another dtype, or of other rules.

        Example:
            >>> import openworld
            >>> env = openworld.make("OpenWorld-Classic-v0")
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> mask = env.mask_of(obs)
            >>> mask.shape, bool((mask | ~env.action_mask(state)).all())
            ((2, 17), True)
        """
        arguments.tokens(self, tokens)
        return self._programs.mask_of(tokens)

    def fallen(self, state: State) -> Bool[Array, "worlds agents"]:
        """Return which players have fallen: their actions do nothing until another player helps them up.

        Example:
            >>> import openworld
            >>> env = openworld.make("OpenWorld-Classic-v0")
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> env.fallen(state).tolist()
            [[False], [False]]
        """
        arguments.worlds(self, "fallen()", state)
        return state.world.player.health <= 0

    def sharded(self, mesh: jax.sharding.Mesh) -> sharding.Sharded:
        """Return this environment's functions over the devices of a mesh; each device plays its own worlds.

        Example:
            >>> import jax, openworld
            >>> mesh = jax.make_mesh((1,), ("worlds",), devices=jax.devices()[:1])
            >>> env = openworld.make("OpenWorld-Classic-v0").sharded(mesh)
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> obs.shape
            (2, 307)
        """
        return sharding.Sharded(self, mesh)

    def rollout(
        self,
        policy: Callable[[Carry, Array, Array], tuple[Carry, Array]],
        carry: Carry,
        obs: Array,
        state: State,
        *,
        num_steps: int,
        key: Array,
    ) -> tuple[tuple[Carry, Array, State], dict[str, Array]]:
        """Play `num_steps` steps in one scan.

        Args:
            policy: (carry, key, obs) -> (carry, action).
            carry: what the policy keeps from step to step; any tree of arrays.
            obs: [worlds, ...] the observations of the state.
            state: the worlds.
            num_steps: steps to play.
            key: a JAX key; each step's policy gets its own split.

        Returns:
            The final (carry, obs, state), and the steps by name, each [steps, worlds, ...]: obs (acted on),
            action, reward, terminated, truncated.

        Example:
            >>> import jax, jax.numpy as jnp, openworld
            >>> env = openworld.make("OpenWorld-Classic-v0")
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> stand_still = lambda carry, key, obs: (carry, jnp.zeros(len(obs), jnp.int32))
            >>> _, steps = env.rollout(stand_still, None, obs, state, num_steps=3, key=jax.random.key(0))
            >>> steps["reward"].shape
            (3, 2)
        """
        forking.refuse()
        num_steps = arguments.whole("num_steps", num_steps, 0, arguments.MOST_STEPS)
        body = partial(batch.played, self, policy)
        return jax.lax.scan(body, (carry, obs, state), jax.random.split(key, num_steps))
