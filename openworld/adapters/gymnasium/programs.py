"""The compiled functions behind the two interfaces, shared by all environments that differ in time limit alone.

Time limit and `repeat_world` are arguments of the programs; what `batch` and `solo` return has them filled in.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, UInt8

from openworld.adapters.gymnasium.packing import Packed, copied, pack, unpack
from openworld.adapters.gymnasium.rows import row
from openworld.core.random import next_seed
from openworld.core.xla import for_the_few
from openworld.engine import rare_events as chores
from openworld.engine.compiled import shared
from openworld.environment import Environment, Info, State
from openworld.observe.forms import decoder
from openworld.rules.scoring import in_units, unlocked


class Shown(NamedTuple):
    """What one call leaves on the device for the host to fetch."""

    obs: Array  # [worlds, ...] as the environment shows it
    rows: UInt8[Array, "worlds bytes"]  # see `rows`
    tokens: UInt8[Array, "worlds tokens"]  # for pictures
    final: UInt8[Array, "worlds tokens"]  # tokens before any reset
    final_mask: Bool[Array, "worlds actions"]  # the action mask before any reset


class Batch(NamedTuple):
    """Compiled functions of many worlds; only `step` and `begin` give up the state that they are given.

    `step` takes (state, action, pending, same_step): pending worlds, whose episode the last step ended, begin the
    next one instead; those whose episode ends do so at once where `same_step` says it. One program for all modes.
    """

    reset: Callable[..., tuple[Shown, State]]  # by seeds
    step: Callable[..., tuple[Shown, State]]
    begin: Callable[..., tuple[Shown, State]]  # the next episode in the worlds of a mask
    choose: Callable[..., State]  # of two batches' worlds, by a mask
    hold: Callable[..., tuple[Shown, State]]  # a copy of a state, and what it shows
    decode: Callable[..., Array]


class Solo(NamedTuple):
    """Compiled functions of one world; only `step` gives up the state that it is given."""

    reset: Callable[..., tuple[Shown, Packed]]  # by its seed
    step: Callable[..., tuple[Shown, Packed]]  # without auto-reset
    hold: Callable[..., tuple[Shown, Packed]]  # a copy of a state, and what it shows
    pack: Callable[[State], Packed]
    unpack: Callable[[Packed], State]


#: The seeds of the episodes that follow those of these seeds: uint32[..., 2].
following = jax.jit(next_seed)


def batch(world: Environment, observation: str) -> Batch:
    """Return the functions of worlds that emit tokens, for an environment that shows an observation."""
    made, limit, again = _batch(world, observation), np.int32(world.time_limit), np.bool_(world.repeat_world)

    def step(state: State, action: Any, pending: Any, same_step: Any) -> tuple[Shown, State]:
        return made.step(state, action, pending, same_step, limit, again)

    def begin(tokens: Any, state: State, chosen: Any) -> tuple[Shown, State]:
        return made.begin(tokens, state, chosen, again)

    return made._replace(step=step, begin=begin)


def solo(world: Environment, observation: str) -> Solo:
    """Return the functions of one world."""
    made, limit = _solo(world, observation), np.int32(world.time_limit)

    def step(packed: Packed, action: Any) -> tuple[Shown, Packed]:
        return made.step(packed, action, limit)

    return made._replace(step=step)


@shared
def _batch(world: Environment, observation: str) -> Batch:
    """Return those functions, to which `step` and `begin` are told limit and repetition as well."""
    decode = decoder(world.ruleset, observation)

    @jax.jit
    def reset(seeds: Array) -> tuple[Shown, State]:
        tokens, state = world.reset_seeds(seeds)
        return _shown(world, decode, tokens, state), state

    @partial(jax.jit, donate_argnums=0)
    def step(
        state: State, action: Array, pending: Array, same_step: Array, limit: Array, again: Array
    ) -> tuple[Shown, State]:
        tokens, state, reward, terminated, truncated, info = world.advance(state, action, time_limit=limit)
        final, mask = tokens, world.action_mask(state)
        # What a pending world played was nobody's episode: its next one begins now.
        reward, terminated, truncated, info = jax.tree.map(
            lambda x: jnp.where(_beside(pending, x), jnp.zeros_like(x), x),
            (reward, terminated, truncated, info),
        )
        begins = pending | ((terminated | truncated) & same_step)
        tokens, state, after = _begin(world, (tokens, state, mask), begins, again)
        rows = row(reward, terminated, truncated, info, state, after)
        return Shown(decode(tokens), rows, tokens, final, mask), state

    @partial(jax.jit, donate_argnums=1)
    def begin(tokens: Array, state: State, chosen: Array, again: Array) -> tuple[Shown, State]:
        tokens, state, _ = _begin(world, (tokens, state, world.action_mask(state)), chosen, again)
        return _shown(world, decode, tokens, state), state

    @jax.jit
    def choose(mask: Array, chosen: State, other: State) -> State:
        return jax.tree.map(lambda x, y: jnp.where(_beside(mask, x), x, y), chosen, other)

    @jax.jit
    def hold(state: State) -> tuple[Shown, State]:
        return _shown(world, decode, _tokens(world, state), state), copied(state)

    return Batch(reset, step, begin, choose, hold, jax.jit(decode))


@shared
def _solo(world: Environment, observation: str) -> Solo:
    """Return those functions, to which `step` is told the limit as well."""
    decode = decoder(world.ruleset, observation)

    def form() -> State:
        return jax.eval_shape(world.reset_seeds, jax.ShapeDtypeStruct((1, 2), jnp.uint32))[1]

    @jax.jit
    def reset(seeds: Array) -> tuple[Shown, Packed]:
        tokens, state = world.reset_seeds(seeds)
        return _shown(world, decode, tokens, state), pack(state)

    @partial(jax.jit, donate_argnums=0)
    def step(packed: Packed, action: Array, limit: Array) -> tuple[Shown, Packed]:
        after = world.advance(unpack(packed, form()), action, time_limit=limit)
        tokens, state, reward, terminated, truncated, info = after
        mask = world.action_mask(state)
        rows = row(reward, terminated, truncated, info, state, mask)
        return Shown(decode(tokens), rows, tokens, tokens, mask), pack(state)

    @jax.jit
    def hold(packed: Packed) -> tuple[Shown, Packed]:
        state = unpack(packed, form())
        return _shown(world, decode, _tokens(world, state), state), copied(packed)

    @jax.jit
    def whole(packed: Packed) -> State:
        return copied(unpack(packed, form()))

    return Solo(reset, step, hold, jax.jit(lambda state: copied(pack(state))), whole)


def _tokens(world: Environment, state: State) -> UInt8[Array, "worlds tokens"]:
    """Return what the player perceives in a state."""
    return world._tokens(state.world, state.ground)[:, 0]


def _begin(
    world: Environment, shown: tuple[Array, State, Array], ended: Array, again: Array
) -> tuple[Array, State, Array]:
    """Begin the next episode where one has ended, given and returning tokens, state and action mask.

    The write of new maps must wait for the mask's read of the old ones, as it waits for the tokens'
    (`Environment._reset_ended`); the comparison, always true, makes it wait.
    """
    tokens, state, mask = shown
    ended = ended & (jnp.sum(mask, axis=1, dtype=jnp.int32) <= mask.shape[1])
    tokens, state = world._reset_ended(tokens[:, None], state, ended, again)

    def ask(mask: Array, index: Array) -> Array:
        return chores.put(mask, index, world.action_mask(chores.take(state, index)))

    few = chores.chunk(chores.RESETS, ended.shape[0])
    return tokens[:, 0], state, for_the_few(ended, mask, ask, few)


def _shown(world: Environment, decode: Callable[[Array], Array], tokens: Array, state: State) -> Shown:
    """Show a state that no step has led to."""
    worlds, rules = tokens.shape[0], world.ruleset
    never = jnp.zeros(worlds, bool)
    returns, earned = state.episode_return[:, 0], state.world.player.achievements[:, 0]
    info = Info(tokens, in_units(returns), state.world.tick, unlocked(earned, rules.achievements))
    mask = world.action_mask(state)
    rows = row(jnp.zeros(worlds, jnp.float32), never, never, info, state, mask)
    return Shown(decode(tokens), rows, tokens, tokens, mask)


def _beside(mask: Array, x: Array) -> Array:
    """Return a mask of worlds with as many axes as an array of worlds."""
    return mask.reshape(-1, *(1,) * (x.ndim - 1))
