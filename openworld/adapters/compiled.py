"""The compiled functions behind the adapters; each adapter uses one set of them.

* `batch`: many worlds of one player, with all autoreset modes (Gymnasium's vector environment).
* `solo`: one world of one player (Gymnasium's environment).
* `learning`: many worlds of one player with same-step autoreset (Stable-Baselines3).
* `coop`: one world with all its players (PettingZoo, and play by hand).

Environments that differ only in id, time limit and `repeat_world` share them: the functions take `limit`
(int32, the time limit) and `again` (bool, whether the next episode is in the same map) as arguments. The
environment given to them shows tokens; what else is shown is decoded from these.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, UInt8

from openworld.adapters.packing import Packed, copied, pack, row, unpack
from openworld.core import tuning
from openworld.core.random import next_seed
from openworld.core.xla import after, for_the_few
from openworld.engine import rare_events
from openworld.engine.batch import achievements, in_rewards, reset_ended
from openworld.engine.programs import shared
from openworld.environment import REWARD_PARTS, Environment, Info, State
from openworld.observe.forms import decoder


class Shown(NamedTuple):
    """The results of one call, on the device, from which the host fetches what it needs.

    Attributes:
        obs: [worlds, *agents, ...] in the form that the adapter shows; None where another program decodes it.
        rows: all numbers of a step, as `packing.row_type` reads them.
        tokens: of the state that was reached.
        final: the tokens before any reset.
        final_mask: the action mask before any reset; None where it is not asked for.
    """

    obs: Array | None
    rows: UInt8[Array, "worlds *agents bytes"]
    tokens: UInt8[Array, "worlds *agents tokens"]
    final: UInt8[Array, "worlds *agents tokens"]
    final_mask: Bool[Array, "worlds *agents actions"] | None = None


class Batch(NamedTuple):
    """Compiled functions of many worlds; only `step` and `begin` give up the state that they are given.

    Attributes:
        reset: (seeds) -> (Shown, State).
        step: (state, action, pending, same_step, limit, again) -> (Shown, State). Worlds that are pending
            ended their episode in the last step; they begin the next one in place of their action. Worlds
            that end in this step begin the next episode at once where `same_step` is true. One program serves all
            autoreset modes.
        begin: (tokens, state, mask, again) -> (Shown, State). The worlds of the mask begin their next
            episode.
        choose: (mask, chosen, other) -> State. The worlds of the mask are those of `chosen`.
        hold: (state) -> (Shown, State). A copy of a state, and what it shows.
        decode: (tokens) -> observations.
    """

    reset: Callable[..., tuple[Shown, State]]
    step: Callable[..., tuple[Shown, State]]
    begin: Callable[..., tuple[Shown, State]]
    choose: Callable[..., State]
    hold: Callable[..., tuple[Shown, State]]
    decode: Callable[..., Array]


class Solo(NamedTuple):
    """Compiled functions of one world of one player; only `step` gives up the state that it is given.

    Attributes:
        reset: (seed [1, 2]) -> (Shown, Packed).
        step: (packed, action [1], limit) -> (Shown, Packed), without auto-reset.
        hold: (packed) -> (Shown, Packed). A copy of a state, and what it shows.
        pack: (state) -> Packed.
        unpack: (packed) -> State.
    """

    reset: Callable[..., tuple[Shown, Packed]]
    step: Callable[..., tuple[Shown, Packed]]
    hold: Callable[..., tuple[Shown, Packed]]
    pack: Callable[[State], Packed]
    unpack: Callable[[Packed], State]


class Learning(NamedTuple):
    """Compiled functions of many worlds with same-step autoreset; only `step` gives up its state.

    Attributes:
        reset: (seeds) -> (tokens, State).
        step: (state, action, limit, again) -> (Shown, State). It is the same whatever is shown: `obs` is
            None.
        action_mask: (state) -> bool[worlds, actions].
    """

    reset: Callable[..., tuple[Array, State]]
    step: Callable[..., tuple[Shown, State]]
    action_mask: Callable[..., Array]


class Coop(NamedTuple):
    """Compiled functions of one world with all its players; only `step` gives up its state.

    What they show has an axis of players, even of one.

    Attributes:
        reset: (seed [1, 2]) -> (Shown, State).
        step: (state, action [1, players], limit) -> (Shown, State), without auto-reset.
    """

    reset: Any
    step: Any


#: The seeds of the episodes that follow those of these seeds: uint32[..., 2].
following = jax.jit(next_seed)


@shared
def batch(env: Environment, observation: str) -> Batch:
    """Return the functions of many worlds of one player, which show an observation."""
    decode = decoder(env.ruleset, observation)

    @jax.jit
    def reset(seeds: Array) -> tuple[Shown, State]:
        tokens, state = env.reset_seeds(seeds)
        return _shown(env, decode, tokens, state), state

    @partial(jax.jit, donate_argnums=0)
    def step(
        state: State, action: Array, pending: Array, same_step: Array, limit: Array, again: Array
    ) -> tuple[Shown, State]:
        tokens, state, reward, terminated, truncated, info = env.advance(state, action, time_limit=limit)
        final, mask = tokens, env.action_mask(state)
        # The step of a pending world belongs to no episode: the next one begins now.
        reward, terminated, truncated, info = jax.tree.map(
            lambda x: jnp.where(_beside(pending, x), jnp.zeros_like(x), x),
            (reward, terminated, truncated, info),
        )
        begins = pending | ((terminated | truncated) & same_step)
        tokens, state, after = _begin(env, (tokens, state, mask), begins, again)
        rows = row(reward, terminated, truncated, info, state, after)
        return Shown(decode(tokens), rows, tokens, final, mask), state

    @partial(jax.jit, donate_argnums=1)
    def begin(tokens: Array, state: State, chosen: Array, again: Array) -> tuple[Shown, State]:
        tokens, state, _ = _begin(env, (tokens, state, env.action_mask(state)), chosen, again)
        return _shown(env, decode, tokens, state), state

    @jax.jit
    def choose(mask: Array, chosen: State, other: State) -> State:
        return jax.tree.map(lambda x, y: jnp.where(_beside(mask, x), x, y), chosen, other)

    @jax.jit
    def hold(state: State) -> tuple[Shown, State]:
        return _shown(env, decode, env.observe(state), state), copied(state)

    return Batch(reset, step, begin, choose, hold, jax.jit(decode))


@shared
def solo(env: Environment, observation: str) -> Solo:
    """Return the functions of one world of one player, which show an observation."""
    decode = decoder(env.ruleset, observation)

    @jax.jit
    def reset(seeds: Array) -> tuple[Shown, Packed]:
        tokens, state = env.reset_seeds(seeds)
        return _shown(env, decode, tokens, state), pack(state)

    @partial(jax.jit, donate_argnums=0)
    def step(packed: Packed, action: Array, limit: Array) -> tuple[Shown, Packed]:
        after = env.advance(unpack(packed, env.state_shape(1)), action, time_limit=limit)
        tokens, state, reward, terminated, truncated, info = after
        mask = env.action_mask(state)
        rows = row(reward, terminated, truncated, info, state, mask)
        return Shown(decode(tokens), rows, tokens, tokens, mask), pack(state)

    @jax.jit
    def hold(packed: Packed) -> tuple[Shown, Packed]:
        state = unpack(packed, env.state_shape(1))
        return _shown(env, decode, env.observe(state), state), copied(packed)

    @jax.jit
    def whole(packed: Packed) -> State:
        return copied(unpack(packed, env.state_shape(1)))

    return Solo(reset, step, hold, jax.jit(lambda state: copied(pack(state))), whole)


@shared
def learning(env: Environment) -> Learning:
    """Return the functions of many worlds of one player with same-step autoreset."""

    @partial(jax.jit, donate_argnums=0)
    def step(state: State, action: Array, limit: Array, again: Array) -> tuple[Shown, State]:
        after = env.step(state, action, time_limit=limit, repeat_world=again)
        tokens, state, reward, terminated, truncated, info = after
        rows = row(reward, terminated, truncated, info, state)
        return Shown(None, rows, tokens, info.final_obs), state

    return Learning(jax.jit(env.reset_seeds), step, jax.jit(env.action_mask))


@shared
def coop(env: Environment, observation: str) -> Coop:
    """Return the functions of one world with all its players, which show an observation."""
    decode = decoder(env.ruleset, observation)

    def each(shown: Shown) -> Shown:
        """Give what one player sees an axis of players, and take that of worlds away."""
        return shown if env.num_agents == 1 else jax.tree.map(lambda x: x[0], shown)

    @jax.jit
    def reset(seed: Array) -> tuple[Shown, State]:
        tokens, state = env.reset_seeds(seed)
        return each(_shown(env, decode, tokens, state)), state

    @partial(jax.jit, donate_argnums=0)
    def step(state: State, action: Array, limit: Array) -> tuple[Shown, State]:
        # One player has no axis of players in its actions.
        action = action if env.num_agents > 1 else action.reshape(-1)
        tokens, state, reward, terminated, truncated, info = env.advance(state, action, time_limit=limit)
        rows = row(reward, terminated, truncated, info, state, env.action_mask(state))
        return each(Shown(decode(tokens), rows, tokens, tokens)), state

    return Coop(reset, step)


def _begin(
    env: Environment, shown: tuple[Array, State, Array], ended: Array, again: Array
) -> tuple[Array, State, Array]:
    """Begin the next episode where one has ended, given and returning tokens, state and action mask."""
    tokens, state, mask = shown
    # The maps that are written here were read for the mask, too.
    ended = after(ended, jnp.sum(mask, axis=1, dtype=jnp.int32))
    tokens, state = reset_ended(env, tokens[:, None], state, ended, again)

    def ask(mask: Array, index: Array) -> Array:
        return rare_events.put(mask, index, env.action_mask(rare_events.take(state, index)))

    few = tuning.here().resets.of(ended.shape[0])
    return tokens[:, 0], state, for_the_few(ended, mask, ask, few)


def _shown(env: Environment, decode: Callable[[Array], Array], tokens: Array, state: State) -> Shown:
    """Show a state that no step has led to."""
    worlds = tokens.shape[0]
    never = jnp.zeros(worlds, bool)
    returns = in_rewards(env, state.episode_return)
    nothing = jnp.zeros((*returns.shape, len(REWARD_PARTS)), jnp.float32)
    info = Info(tokens, returns, state.world.tick, achievements(env, state.world), nothing)
    mask = env.action_mask(state)
    rows = row(jnp.zeros(returns.shape, jnp.float32), never, never, info, state, mask)
    return Shown(decode(tokens), rows, tokens, tokens, mask)


def _beside(mask: Array, x: Array) -> Array:
    """Return a mask of worlds with as many axes as an array of worlds."""
    return mask.reshape(-1, *(1,) * (x.ndim - 1))
