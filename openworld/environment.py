"""Thousands of worlds at once: `vmap` of one world's step, plus the rare work, plus exact auto-reset.

Every array has the batch axis `worlds` first. A single-agent environment has no agents axis in its observations,
actions and rewards; one of several players has it second.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float32, Int32, UInt8, UInt32

from openworld.content.ids import Action
from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables, compile_tables
from openworld.core.random import key_words, next_seed, world_seeds
from openworld.core.state import Ground, World
from openworld.core.xla import for_the_few, in_blocks, opaque_true, stage_of
from openworld.engine import arguments, sharding
from openworld.engine import rare_events as chores
from openworld.engine import step as single
from openworld.engine.compiled import Compiled, compiled
from openworld.generate.floor import new_world
from openworld.observe.forms import FORMS, OBSERVATIONS
from openworld.observe.layout import MOST_PLAYERS, Layout, layout_of
from openworld.observe.mask import action_mask
from openworld.observe.tokens import observe
from openworld.rules.scoring import SHARES, fineness, in_units, share_out, unlocked
from openworld.system import forking

#: Worlds that an accelerator makes at a time: enough to fill it, few enough for its memory.
RESET_BLOCK = 16384
#: No first token has this value: comparing with it ties a write to an earlier read (see `_reset_ended`).
NO_TOKEN = 255

Carry = TypeVar("Carry")
Stepped = tuple[Array, "State", Array, Array, Array, "Info"]


class State(eqx.Module):
    """A batch of worlds."""

    world: World
    ground: Ground
    episode_return: Int32[Array, "worlds agents"]  # so far, in 1/REWARD_PARTS, or finer (`scoring.fineness`)


class Info(eqx.Module):
    """What a step tells besides its five values; unused parts cost nothing under jit."""

    final_obs: Array  # the observation before any reset
    episode_return: Float32[Array, " worlds *agents"]  # of the episode this step belongs to, so far
    episode_length: Int32[Array, " worlds"]
    achievements: Bool[Array, "worlds *agents achievements"]  # unlocked in that episode, so far


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A frozen description of an environment, and the functions that play it.

    Attributes:
        observation: "tokens" (uint8), "symbolic" (float32) or "pixels" (uint8).
        time_limit: steps after which an episode is truncated, 1 to 2**31 - 2.
        num_agents: players in each world.
        sharing: the share of each player's reward that is the mean of all, in hundredths; the rest is its own.
        repeat_world: whether the next episode begins in the same world again instead of a new one.
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
        if self.observation not in OBSERVATIONS:
            raise ValueError(f"observation {self.observation!r} is not one of {', '.join(OBSERVATIONS)}")
        kept = {
            "time_limit": arguments.whole("time_limit", self.time_limit, 1, arguments.MOST_STEPS),
            "num_agents": arguments.whole("num_agents", self.num_agents, 1, MAX_AGENTS),
            "sharing": arguments.share("sharing", self.sharing, SHARES),
            "repeat_world": arguments.yes_or_no("repeat_world", self.repeat_world),
        }
        for name, value in kept.items():
            object.__setattr__(self, name, value)
        if self.num_agents > 1 and not self.ruleset.company:
            raise ValueError(f"{self.id} is for one player, not {self.num_agents}; {COMPANY} is for several")

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
        """How many actions there are."""
        return self.ruleset.actions

    @property
    def _shared(self) -> int:
        return round(self.sharing * SHARES)

    @property
    def layout(self) -> Layout:
        """Where each field of the tokens lies."""
        return layout_of(self.ruleset)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of one observation."""
        shape = FORMS[self.observation].shape(self.ruleset)
        return shape if self.num_agents == 1 else (self.num_agents, *shape)

    @property
    def observation_dtype(self) -> np.dtype:
        """The dtype of an observation."""
        return FORMS[self.observation].dtype

    def reset(self, key: Array | int, num_worlds: int, *, held_out: bool = False) -> tuple[Array, State]:
        """Make new worlds.

        Args:
            key: a JAX key (typed or raw words) or an integer. World i does not depend on `num_worlds`.
            num_worlds: at least 1.
            held_out: draw from the seeds set aside for evaluation, disjoint from all others.

        Returns:
            obs: [worlds, ...] first observations.
            state: the worlds.
        """
        forking.refuse()
        key = arguments.key(key)
        num_worlds = arguments.whole("num_worlds", num_worlds, 1, arguments.MOST_WORLDS)
        return self.reset_seeds(world_seeds(key_words(key), num_worlds, held_out=held_out))

    def reset_seeds(self, seeds: UInt32[Array, "worlds 2"]) -> tuple[Array, State]:
        """Make the worlds of these seeds."""
        forking.refuse()
        return self._compiled.reset(jnp.asarray(arguments.seeds(seeds), jnp.uint32))

    def step(self, state: State, action: Any, *, time_limit: Any = None, repeat_world: Any = None) -> Stepped:
        """Play one step in every world; worlds whose episode ends begin the next one in the same step.

        Args:
            action: whole numbers of any width, [worlds] (or [worlds, agents]), as an array or a list. Each is an
                `Action`; one out of range does nothing.
            time_limit: in place of the environment's own, for all worlds or for each, int[worlds].
            repeat_world: likewise, a flag for all worlds or for each, bool[worlds].

        Returns:
            obs: observations, of the new episode where one began.
            state: the worlds.
            reward: float32[worlds] (or [worlds, agents]).
            terminated: bool[worlds], the episode ended by death (of all players) or victory.
            truncated: bool[worlds], it ended by the time limit.
            info: `Info`, with the observation before any reset.

        Example:
            >>> obs, state = env.reset(0, num_worlds=2)
            >>> obs, state, reward, terminated, truncated, info = env.step(state, [0, 1])
        """
        action, limit = self._checked("step()", state, action, time_limit)
        return self._compiled.step(state, action, limit, self._again(repeat_world, len(action)))

    def advance(self, state: State, action: Any, *, time_limit: Any = None) -> Stepped:
        """Play one step without auto-reset: like `step`, but a world that ended stays as it is."""
        return self._compiled.advance(state, *self._checked("advance()", state, action, time_limit))

    def renew(
        self, obs: Array, state: State, mask: Bool[Array, " worlds"], *, repeat_world: Any = None
    ) -> tuple[Array, State]:
        """Begin the next episode in the worlds of the mask; the others keep observation and state."""
        worlds = self._worlds("renew()", state)
        arguments.array("obs", obs, (worlds, *self.observation_shape), self.observation_dtype)
        arguments.array("mask", mask, (worlds,), np.dtype(bool))
        return self._compiled.renew(obs, state, mask, self._again(repeat_world, worlds))

    def action_mask(self, state: State) -> Bool[Array, "worlds *agents actions"]:
        """Return which actions would do something in the next step; the others leave what NOOP would leave."""
        self._worlds("action_mask()", state)
        return self._compiled.mask(state)

    def fallen(self, state: State) -> Bool[Array, "worlds agents"]:
        """Return which players have fallen: what they do is nothing, until somebody helps them up."""
        self._worlds("fallen()", state)
        return state.world.player.health <= 0

    def sharded(self, mesh: jax.sharding.Mesh) -> sharding.Sharded:
        """Return this environment's functions over the devices of a mesh, each of which plays its own worlds."""
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
            key: a JAX key; each step's policy gets its own split.

        Returns:
            The final (carry, obs, state), and what happened by name, each [steps, worlds, ...]: obs (acted on),
            action, reward, terminated, truncated.
        """
        forking.refuse()
        num_steps = arguments.whole("num_steps", num_steps, 0, arguments.MOST_STEPS)

        def body(
            at: tuple[Carry, Array, State], key: Array
        ) -> tuple[tuple[Carry, Array, State], dict[str, Array]]:
            carry, obs, state = at
            carry, action = policy(carry, key, obs)
            after, state, reward, terminated, truncated, _ = self.step(state, action)
            seen = {
                "obs": obs,
                "action": action,
                "reward": reward,
                "terminated": terminated,
                "truncated": truncated,
            }
            return (carry, after, state), seen

        return jax.lax.scan(body, (carry, obs, state), jax.random.split(key, num_steps))

    @cached_property
    def _core(self) -> "Environment":
        """The same description without what compiled programs take as arguments."""
        return replace(self, id=self.ruleset.name, time_limit=1, repeat_world=False)

    @cached_property
    def _compiled(self) -> Compiled:
        return compiled(self)  # kept here as well, for as long as it is used

    def _worlds(self, call: str, state: Any) -> int:
        """Return how many worlds a state has, or refuse what is no state of this environment."""
        forking.refuse()
        return arguments.batch(call, state, State, self._shapes, self.id)

    def _checked(self, call: str, state: Any, action: Any, limit: Any = None) -> tuple[Any, Any]:
        """Return actions and time limit in the one form that is compiled, or refuse them."""
        worlds = self._worlds(call, state)
        each = (worlds,) if self.num_agents == 1 else (worlds, self.num_agents)
        limit = np.int32(self.time_limit) if limit is None else arguments.limit(limit, worlds)
        return arguments.actions(action, each, self.num_actions), limit

    def _again(self, asked: Any, worlds: int) -> Any:
        return arguments.flags("repeat_world", self.repeat_world if asked is None else asked, worlds)

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        maps = (len(self.ruleset.floors), self.ruleset.rows, self.ruleset.cols)
        return {"maps": maps, "players": (self.num_agents,), "items": (self.ruleset.items,)}

    @property
    def _tables(self) -> Tables:
        return jax.tree.map(jnp.asarray, compile_tables(self.ruleset))

    def _make(self, seeds: UInt32[Array, "worlds 2"]) -> tuple[Array, State]:
        worlds = seeds.shape[0]
        rules = self.ruleset
        world, tiles = self._new_worlds(seeds)
        dark = sum(not row.lit for row in rules.floors)
        shape = (worlds, len(rules.floors), rules.rows, rules.cols)
        ground = Ground(
            tiles=jnp.zeros(shape, jnp.uint8).at[:, 0].set(tiles),
            light=jnp.zeros((worlds, dark, *shape[2:]), jnp.uint8) if dark else None,
            mobs=_on_every_floor(shape[:2], world.mobs),
            projectiles=_on_every_floor(shape[:2], world.projectiles),
        )
        state = State(world, ground, jnp.zeros((worlds, self.num_agents), jnp.int32))
        return self._present(self._tokens(world, ground)), state

    def _new_worlds(self, seeds: UInt32[Array, "n 2"]) -> tuple[World, UInt8[Array, "n rows cols"]]:
        tables, stage = self._tables, stage_of(opaque_true(seeds[:, 0]))
        size = chores.RESETS.few if jax.default_backend() == "cpu" else RESET_BLOCK

        def make(seed: UInt32[Array, " 2"]) -> tuple[World, UInt8[Array, "rows cols"]]:
            world, tiles = new_world(seed, self.ruleset, tables, self.num_agents, stage)
            return (world if self.num_agents == 1 else chores.settle(world, tiles, tables)), tiles

        return in_blocks(make, seeds, size)

    def _tokens(self, world: World, ground: Ground) -> UInt8[Array, "worlds agents tokens"]:
        tables, stage = self._tables, stage_of(opaque_true(world.tick))
        with jax.named_scope("observe"):
            return jax.vmap(lambda w, g: observe(w, g, self.ruleset, tables, stage))(world, ground)

    def _present(self, tokens: UInt8[Array, "worlds agents tokens"]) -> Array:
        """Turn tokens to the observation that the caller asked for."""
        obs = FORMS[self.observation].decode(tokens, self.ruleset)
        return obs[:, 0] if self.num_agents == 1 else obs

    def _mask(self, state: State) -> Bool[Array, "worlds *agents actions"]:
        tables, stage = self._tables, stage_of(opaque_true(state.world.tick))
        with jax.named_scope("mask"):
            mask = jax.vmap(lambda w, g: action_mask(w, g, self.ruleset, tables, stage))(
                state.world, state.ground
            )
        return mask[:, 0] if self.num_agents == 1 else mask

    def _play(self, state: State, action: Array, limit: Any, again: Any = None) -> Stepped:
        """Play one step; `again`, if given, is which worlds repeat when the next episode begins (auto-reset)."""
        action = action.reshape(-1, self.num_agents)
        action = jnp.where((action >= 0) & (action < self.num_actions), action, Action.NOOP)
        tables = self._tables
        stage = stage_of(opaque_true(state.world.tick))
        with jax.named_scope("travel"):
            land = chores.Land(state.world, state.ground)
            land = chores.change_floors(land, action, self.ruleset, tables, stage)
            if self.num_agents > 1:
                # Who comes along does nothing else in that step.
                moved = land.world.depth != state.world.depth
                action = jnp.where(moved[:, None], Action.NOOP, action)
        world, ground, outcome, torches = jax.vmap(
            lambda land, a: single.advance(land, a, self.ruleset, tables, stage)
        )((land.world, land.ground), action)
        with jax.named_scope("rare"):
            world = chores.spawn(world, ground, self.ruleset, tables)
            ground = chores.light_torches(world, ground, torches, self.ruleset, tables)
        tokens = self._tokens(world, ground)
        terminated = outcome.terminated
        truncated = ~terminated & (world.tick >= limit)
        reward = share_out(outcome.reward, self._shared)
        returns = state.episode_return + reward
        units = partial(in_units, finer=fineness(self.num_agents, self._shared))
        of = (lambda x: x[:, 0]) if self.num_agents == 1 else (lambda x: x)
        info = Info(
            final_obs=self._present(tokens),
            episode_return=of(units(returns)),
            episode_length=world.tick,
            achievements=of(unlocked(world.player.achievements, self.ruleset.achievements)),
        )
        after = State(world, ground, returns)
        if again is not None:
            tokens, after = self._reset_ended(tokens, after, terminated | truncated, again)
        return self._present(tokens), after, of(units(reward)), terminated, truncated, info

    def _reset_ended(
        self,
        tokens: UInt8[Array, "worlds agents tokens"],
        state: State,
        ended: Bool[Array, " worlds"],
        again: Any,
    ) -> tuple[UInt8[Array, "worlds agents tokens"], State]:
        """Begin the next episode where one has ended (in the same world `again`), and show its first observation.

        The write must wait for the read of the final observation, or XLA would keep a copy of every map for it;
        the comparison, always true, makes it wait.
        """
        pending = ended & (tokens[:, 0, 0] != NO_TOKEN)

        def work(
            carry: tuple[UInt8[Array, "worlds agents tokens"], State], index: Int32[Array, " few"]
        ) -> tuple[UInt8[Array, "worlds agents tokens"], State]:
            tokens, state = carry
            seed = state.world.seed.at[index].get(mode="clip")
            same = jnp.broadcast_to(again, ended.shape).at[index].get(mode="clip")
            world, tiles = self._new_worlds(jnp.where(same[:, None], seed, next_seed(seed)))
            ground = state.ground
            lights = ground.light
            dark = None if lights is None else jnp.zeros((index.shape[0], *lights.shape[1:]), jnp.uint8)
            fresh = Ground(tiles[:, None], dark, world.mobs, world.projectiles)
            tokens = chores.put(tokens, index, self._tokens(world, fresh))
            ground = eqx.tree_at(lambda g: g.tiles, ground, chores.put(ground.tiles, (index, 0), tiles))
            returns = chores.put(
                state.episode_return, index, jnp.zeros((index.shape[0], self.num_agents), jnp.int32)
            )
            return tokens, State(chores.put(state.world, index, world), ground, returns)

        with jax.named_scope("reset"):
            return for_the_few(pending, (tokens, state), work, chores.chunk(chores.RESETS, ended.shape[0]))

    def _reset_masked(
        self, obs: Array, state: State, mask: Bool[Array, " worlds"], again: Any
    ) -> tuple[Array, State]:
        tokens, state = self._reset_ended(self._tokens(state.world, state.ground), state, mask, again)
        fresh = self._present(tokens)
        return jnp.where(mask.reshape(-1, *(1,) * (fresh.ndim - 1)), fresh, obs), state


MAX_AGENTS = MOST_PLAYERS
#: The id to go to with several players.
COMPANY = "OpenWorld-Coop-v0"


def _on_every_floor(shape: tuple[int, int], nobody: Carry) -> Carry:
    """Return empty slots for the floors that are not in play."""
    return jax.tree.map(lambda x: jnp.zeros((*shape, *x.shape[1:]), x.dtype), nobody)
