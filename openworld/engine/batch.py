"""Batches of worlds: `vmap` of one world's step, plus the rare work, plus exact auto-reset.

These are pure functions of an environment's description and of arrays that lead with the worlds axis. Nothing
is checked here. `Environment` checks its arguments and calls these functions compiled (`engine.programs`);
adapters build programs of their own from them (`adapters.compiled`).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int32, UInt8, UInt32

from openworld.content.ids import Action
from openworld.core import tuning
from openworld.core.random import next_seed
from openworld.core.state import Ground, Player, World
from openworld.core.xla import after, for_the_few, in_blocks, opaque_true, stage_of
from openworld.engine import rare_events, step
from openworld.generate.floor import new_world
from openworld.observe import mask as masks
from openworld.observe.forms import FORMS
from openworld.observe.tokens import observe as perceive
from openworld.rules.scoring import (
    PART_UNITS,
    REWARD_UNIT,
    SHARES,
    fineness,
    in_units,
    parts_of,
    share_out,
    unlocked,
)

if TYPE_CHECKING:
    from openworld.environment import Environment

Record = TypeVar("Record")
Tokens = UInt8[Array, "worlds agents tokens"]


class State(eqx.Module):
    """The state of a batch of worlds.

    Attributes:
        world: everything of each world but its ground.
        ground: the maps, and what waits on floors that are not in play.
        episode_return: the rewards of each episode so far, in 1/REWARD_UNIT or finer (`scoring.fineness`).
    """

    world: World
    ground: Ground
    episode_return: Int32[Array, "worlds agents"]


class Info(eqx.Module):
    """The last value that a step returns; fields that are not used cost nothing under jit.

    Attributes:
        final_obs: the observation before any reset.
        episode_return: of the episode that this step belongs to, so far.
        episode_length: the steps of that episode, so far.
        achievements: those unlocked in that episode, so far.
        reward_parts: of the step's reward, in the order of `openworld.REWARD_PARTS`: the sum of the weights
            newly unlocked, the change of health in points, 1 for a death, and the change of the levels of
            armour (`rules.scoring.Parts`). The reward is achievements + 0.1 x health. With several players
            each part is shared as the reward is.
    """

    final_obs: Array
    episode_return: Float32[Array, " worlds *agents"]
    episode_length: Int32[Array, " worlds"]
    achievements: Bool[Array, "worlds *agents achievements"]
    reward_parts: Float32[Array, "worlds *agents parts"]


#: Observation, state, reward, terminated, truncated and info.
Stepped = tuple[Array, State, Array, Array, Array, Info]


def make(env: "Environment", seeds: UInt32[Array, "worlds 2"]) -> tuple[Array, State]:
    """Return the first observations and the state of the worlds of these seeds."""
    worlds = seeds.shape[0]
    rules = env.ruleset
    world, tiles = new_worlds(env, seeds)
    dark = sum(not row.lit for row in rules.floors)
    shape = (worlds, len(rules.floors), rules.rows, rules.cols)
    ground = Ground(
        tiles=jnp.zeros(shape, jnp.uint8).at[:, 0].set(tiles),
        light=jnp.zeros((worlds, dark, *shape[2:]), jnp.uint8) if dark else None,
        mobs=_on_every_floor(shape[:2], world.mobs),
        projectiles=_on_every_floor(shape[:2], world.projectiles),
    )
    state = State(world, ground, jnp.zeros((worlds, env.num_agents), jnp.int32))
    return decoded(env, tokens_of(env, world, ground)), state


def new_worlds(env: "Environment", seeds: UInt32[Array, "n 2"]) -> tuple[World, UInt8[Array, "n rows cols"]]:
    """Return the worlds of these seeds, and the tiles of their first floors."""
    tables, stage = env.tables, stage_of(opaque_true(seeds[:, 0]))

    def one(seed: UInt32[Array, " 2"]) -> tuple[World, UInt8[Array, "rows cols"]]:
        world, tiles = new_world(seed, env.ruleset, tables, env.num_agents, stage)
        return (world if env.num_agents == 1 else rare_events.settle(world, tiles, tables)), tiles

    return in_blocks(one, seeds, tuning.here().made_at_once)


def tokens_of(env: "Environment", world: World, ground: Ground) -> Tokens:
    """Return what each player perceives, as tokens."""
    tables, stage = env.tables, stage_of(opaque_true(world.tick))
    with jax.named_scope("observe"):
        return jax.vmap(lambda w, g: perceive(w, g, env.ruleset, tables, stage))(world, ground)


def decoded(env: "Environment", tokens: Tokens) -> Array:
    """Return tokens as the environment's kind of observation; one player's have no axis of agents."""
    obs = FORMS[env.observation].decode(tokens, env.ruleset)
    return obs[:, 0] if env.num_agents == 1 else obs


def observe(env: "Environment", state: State) -> Array:
    """Return the observations of a state."""
    return decoded(env, tokens_of(env, state.world, state.ground))


def action_mask(env: "Environment", state: State) -> Bool[Array, "worlds *agents actions"]:
    """Return which actions would do something in the next step."""
    tables, stage = env.tables, stage_of(opaque_true(state.world.tick))
    with jax.named_scope("mask"):
        mask = jax.vmap(lambda w, g: masks.action_mask(w, g, env.ruleset, tables, stage))(
            state.world, state.ground
        )
    return mask[:, 0] if env.num_agents == 1 else mask


def play(env: "Environment", state: State, action: Array, limit: Any, again: Any = None) -> Stepped:
    """Play one step.

    Args:
        env: the environment.
        state: the worlds.
        action: int32[worlds] or [worlds, agents]; one that is out of range does nothing.
        limit: int32, the time limit of all worlds or of each.
        again: bool, whether a world begins its next episode in the same map: of all worlds or of each. None
            plays without auto-reset.
    """
    action = action.reshape(-1, env.num_agents)
    action = jnp.where((action >= 0) & (action < env.num_actions), action, Action.NOOP)
    tables = env.tables
    stage = stage_of(opaque_true(state.world.tick))
    with jax.named_scope("travel"):
        land = rare_events.Land(state.world, state.ground)
        land = rare_events.change_floors(land, action, env.ruleset, tables, stage)
        if env.num_agents > 1:
            # Players who are taken along do nothing else in that step.
            moved = land.world.depth != state.world.depth
            action = jnp.where(moved[:, None], Action.NOOP, action)
    world, ground, outcome, torches = jax.vmap(
        lambda world, ground, a: step.advance(world, ground, a, env.ruleset, tables, stage)
    )(land.world, land.ground, action)
    with jax.named_scope("rare"):
        world = rare_events.spawn(world, ground, env.ruleset, tables)
        ground = rare_events.light_torches(world, ground, torches, env.ruleset, tables)
    seen = tokens_of(env, world, ground)
    terminated = outcome.terminated
    truncated = ~terminated & (world.tick >= limit)
    units = share_out(outcome.reward, _shared(env))
    returns = state.episode_return + units
    info = Info(
        final_obs=decoded(env, seen),
        episode_return=in_rewards(env, returns),
        episode_length=world.tick,
        achievements=achievements(env, world),
        reward_parts=reward_parts(env, outcome.reward, land.world.player, world.player),
    )
    after = State(world, ground, returns)
    if again is not None:
        seen, after = reset_ended(env, seen, after, terminated | truncated, again)
    return decoded(env, seen), after, in_rewards(env, units), terminated, truncated, info


def renew(
    env: "Environment", obs: Array, state: State, mask: Bool[Array, " worlds"], again: Any
) -> tuple[Array, State]:
    """Begin the next episode in the worlds of the mask; the others keep observation and state."""
    seen, state = reset_ended(env, tokens_of(env, state.world, state.ground), state, mask, again)
    fresh = decoded(env, seen)
    return jnp.where(mask.reshape(-1, *(1,) * (fresh.ndim - 1)), fresh, obs), state


def reset_ended(
    env: "Environment", tokens: Tokens, state: State, ended: Bool[Array, " worlds"], again: Any
) -> tuple[Tokens, State]:
    """Begin the next episode where one has ended.

    Args:
        env: the environment.
        tokens: of the state, before any reset.
        state: the worlds.
        ended: the worlds that begin a new episode.
        again: bool, whether the next episode is in the same map: of all worlds or of each.

    Returns:
        The tokens of the first observation where an episode has begun, elsewhere those given; and the state.
    """
    # The maps that are written here were read for the final observation.
    pending = after(ended, tokens[:, 0, 0])

    def work(carry: tuple[Tokens, State], index: Int32[Array, " few"]) -> tuple[Tokens, State]:
        seen, state = carry
        seed = state.world.seed.at[index].get(mode="clip")
        same = jnp.broadcast_to(again, ended.shape).at[index].get(mode="clip")
        world, tiles = new_worlds(env, jnp.where(same[:, None], seed, next_seed(seed)))
        ground = state.ground
        lights = ground.light
        dark = None if lights is None else jnp.zeros((index.shape[0], *lights.shape[1:]), jnp.uint8)
        fresh = Ground(tiles[:, None], dark, world.mobs, world.projectiles)
        put = rare_events.put
        seen = put(seen, index, tokens_of(env, world, fresh))
        ground = eqx.tree_at(lambda g: g.tiles, ground, put(ground.tiles, (index, 0), tiles))
        returns = put(state.episode_return, index, jnp.zeros((index.shape[0], env.num_agents), jnp.int32))
        return seen, State(put(state.world, index, world), ground, returns)

    few = tuning.here().resets.of(ended.shape[0])
    with jax.named_scope("reset"):
        return for_the_few(pending, (tokens, state), work, few)


def achievements(env: "Environment", world: World) -> Bool[Array, "worlds *agents achievements"]:
    """Return which achievements have been unlocked in each episode."""
    earned = unlocked(world.player.achievements, env.ruleset.achievements)
    return earned[:, 0] if env.num_agents == 1 else earned


def reward_parts(
    env: "Environment", reward: Int32[Array, "worlds agents"], before: Player, after: Player
) -> Float32[Array, "worlds *agents parts"]:
    """Return the parts of a step's rewards.

    Args:
        env: the environment.
        reward: of each player before sharing, in 1/REWARD_UNIT.
        before, after: the players at both ends of the step.
    """
    shared = _shared(env)
    finer = fineness(env.num_agents, shared)
    whole = zip(parts_of(reward, before, after), PART_UNITS, strict=True)
    parts = jnp.stack([in_units(share_out(part, shared), one * finer) for part, one in whole], axis=-1)
    return parts[:, 0] if env.num_agents == 1 else parts


def in_rewards(env: "Environment", units: Int32[Array, "worlds agents"]) -> Float32[Array, " worlds *agents"]:
    """Return rewards, or their sums, that a state counts in small integer units."""
    rewards = in_units(units, REWARD_UNIT * fineness(env.num_agents, _shared(env)))
    return rewards[:, 0] if env.num_agents == 1 else rewards


def _shared(env: "Environment") -> int:
    """Return in hundredths which share of a reward is the mean of all players'."""
    return round(env.sharing * SHARES)


def _on_every_floor(shape: tuple[int, int], slots: Record) -> Record:
    """Return empty slots for the floors that are not in play."""
    return jax.tree.map(lambda x: jnp.zeros((*shape, *x.shape[1:]), x.dtype), slots)


def played(
    env: "Environment",
    policy: Callable[[Any, Array, Array], tuple[Any, Array]],
    at: tuple[Any, Array, State],
    key: Array,
) -> tuple[tuple[Any, Array, State], dict[str, Array]]:
    """Play one step of a rollout; return what the next one starts from, and the step by name."""
    carry, obs, state = at
    carry, action = policy(carry, key, obs)
    after, state, reward, terminated, truncated, _ = env.step(state, action)
    ends = {"terminated": terminated, "truncated": truncated}
    return (carry, after, state), {"obs": obs, "action": action, "reward": reward, **ends}
