"""The previous action as part of an observation.

Two bytes follow the tokens: the previous action plus one (0 at the start of an episode), and whether that action
changed something. Stored with the observation, they need no other place in a rollout or a minibatch.

"Changed" looks only at what an action can change: the tiles in view and the player's own belongings and state.
Creatures, light, time and vital values change by themselves.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float32, Int32, Shaped, UInt8

from openworld_trainers.ppo.batched_env import BatchedEnv
from openworld_trainers.ppo.config import Network

#: Bytes after the tokens.
SIZE = 2
#: Fields of the tokens that also change without an action.
PASSING = frozenset(
    (
        "creature",
        "missile",
        "light",
        "health",
        "health_fraction",
        "vitals",
        "daylight",
        "boss_vulnerable",
        "player_row",
        "player_col",
        "player_health",
        "player_state",
    )
)


def own_fields(ruleset: Any) -> Bool[np.ndarray, " tokens"]:
    """Return which tokens change only by what the player does."""
    from openworld.observe.layout import layout_of

    layout = layout_of(ruleset)
    mine = np.zeros(layout.size, bool)
    for field in layout.values():
        mine[field.slice] = field.name not in PASSING
    return mine


def changed(
    before: UInt8[Array, "B tokens"], after: UInt8[Array, "B tokens"], ruleset: Any
) -> Bool[Array, " B"]:
    """Return whether a step changed what an action can change."""
    mine = jnp.asarray(own_fields(ruleset))
    return jnp.any((before != after) & mine[None], axis=1)


def effect(
    before: Shaped[Array, "B *seen"], after: Shaped[Array, "B *shape"], ruleset: Any
) -> Bool[Array, " B"]:
    """Return whether a step changed what an action can change.

    Args:
        before: the observations that the actions were chosen from, with or without the previous action.
        after: the observations after the step, as the environment gives them; at the end of an episode the last.
        ruleset: of the environment; None if its observations are not tokens. Any difference counts then.
    """
    if ruleset is None:
        return jnp.any((before != after).reshape(before.shape[0], -1), axis=1)
    return changed(before[:, : after.shape[1]], after, ruleset)


def first(tokens: UInt8[Array, "B tokens"]) -> UInt8[Array, "B tokens_and_two"]:
    """Return the first observations of episodes: nothing came before."""
    return jnp.concatenate([tokens, jnp.zeros((tokens.shape[0], SIZE), tokens.dtype)], axis=1)


def following(
    before: UInt8[Array, "B tokens_and_two"],
    action: Int32[Array, " B"],
    tokens: UInt8[Array, "B tokens"],
    ruleset: Any,
) -> UInt8[Array, "B tokens_and_two"]:
    """Return the observations after a step.

    Args:
        before: the observations that the actions were chosen from.
        action: in each world; -1 where an episode starts.
        tokens: after the step.
        ruleset: of the environment.
    """
    effect = changed(before[:, :-SIZE], tokens, ruleset) & (action >= 0)
    added = jnp.stack([action + 1, effect.astype(jnp.int32)], axis=1).astype(tokens.dtype)
    return jnp.concatenate([tokens, added], axis=1)


def recalled(
    memory: Float32[Array, "B tokens_and_one"], tokens: UInt8[Array, "B tokens"], ruleset: Any
) -> UInt8[Array, "B tokens_and_two"]:
    """Return the observations of a policy that plays, which keeps its last tokens and action plus one.

    Zeros stand for the start of an episode.
    """
    before = jnp.pad(memory[:, :-1].astype(jnp.uint8), ((0, 0), (0, SIZE)))
    return following(before, memory[:, -1].astype(jnp.int32) - 1, tokens, ruleset)


def kept(tokens: UInt8[Array, "B tokens"], action: Int32[Array, " B"]) -> Float32[Array, "B tokens_and_one"]:
    """Return what `recalled` needs at the next step."""
    return jnp.concatenate([tokens.astype(jnp.float32), (action[:, None] + 1).astype(jnp.float32)], axis=1)


def shown(env: BatchedEnv, settings: Network) -> bool:
    """Return whether the policy of these settings sees its previous action in this environment.

    Raises:
        ValueError: it should, but the environment has no tokens.
    """
    if not settings.previous_action:
        return False
    if getattr(env, "observation", None) != "tokens":
        raise ValueError("network.previous_action needs an environment whose observations are tokens")
    return True
