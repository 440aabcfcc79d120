"""Collect experience: play every world for `steps` steps with the policy as it is.

Observations are kept as they come (tokens: bytes); nothing is turned into floats before it reaches the network.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, Int32, Key, Shaped

from openworld.rare import for_the_few
from trainers.ppo.networks import ActorCritic
from trainers.ppo.worlds import Worlds

#: Truncated worlds whose final observations are valued together.
CHUNK = 256


class Experience(eqx.Module):
    """What was seen, done and met; `final_value` is V of the last observation where truncated, elsewhere 0."""

    observation: Shaped[Array, "*T_B_shape"]
    action: Int32[Array, "*T B"]
    log_probability: Float[Array, "*T B"]
    value: Float[Array, "*T B"]
    reward: Float[Array, "*T B"]
    terminated: Bool[Array, "*T B"]
    truncated: Bool[Array, "*T B"]
    final_value: Float[Array, "*T B"]


class Tally(eqx.Module):
    """Sums over the episodes that ended: how many, their returns, lengths and unlocked achievements."""

    episodes: Float[Array, ""]
    returns: Float[Array, ""]
    lengths: Float[Array, ""]
    unlocked: Float[Array, " achievements"]


def collect(
    world: Worlds, network: ActorCritic, state: Any, observation: Any, steps: int, key: Key[Array, ""]
) -> tuple[Any, Any, Experience, Tally]:
    """Play `steps` steps of every world; return the next state and observation, the experience and its tally."""

    def play(carry: tuple[Any, Any], key: Key[Array, ""]) -> tuple[tuple[Any, Any], tuple[Experience, Tally]]:
        state, observation = carry
        logits, value = network(observation)
        action, log_probability = sample(key, logits)
        following, state, reward, terminated, truncated, info = world.step(state, action)
        # An episode that met both its end and its limit has ended: it has no future to value.
        truncated = truncated & ~terminated
        experience = Experience(
            observation=observation,
            action=action,
            log_probability=log_probability,
            value=value,
            reward=reward,
            terminated=terminated,
            truncated=truncated,
            final_value=final_values(network, info.final_obs, truncated),
        )
        return (state, following), (experience, count(info, terminated | truncated))

    (state, observation), (experience, tallies) = jax.lax.scan(
        play, (state, observation), jax.random.split(key, steps)
    )
    return state, observation, experience, jax.tree.map(lambda tally: jnp.sum(tally, axis=0), tallies)


def sample(
    key: Key[Array, ""], logits: Float[Array, "B actions"]
) -> tuple[Int32[Array, " B"], Float[Array, " B"]]:
    """Draw an action from softmax(logits); return it and its log probability."""
    action = jax.random.categorical(key, logits).astype(jnp.int32)
    return action, log_probabilities(logits, action)


def log_probabilities(logits: Float[Array, "B actions"], action: Int32[Array, " B"]) -> Float[Array, " B"]:
    """Log probabilities, log π(a), of the actions given."""
    return jnp.take_along_axis(jax.nn.log_softmax(logits), action[:, None], axis=1)[:, 0]


def final_values(
    network: ActorCritic, final_observation: Shaped[Array, "B *shape"], truncated: Bool[Array, " B"]
) -> Float32[Array, " B"]:
    """V of the final observations of truncated worlds, 0 elsewhere; costs nothing while none is truncated."""
    last = truncated.shape[0] - 1

    def value_some(values: Float32[Array, " B"], index: Int32[Array, " few"]) -> Float32[Array, " B"]:
        seen = final_observation[jnp.minimum(index, last)]
        return values.at[index].set(network(seen)[1], mode="drop", wrap_negative_indices=False)

    return for_the_few(truncated, jnp.zeros(truncated.shape, jnp.float32), value_some, CHUNK)


def count(info: Any, ended: Bool[Array, " B"]) -> Tally:
    """Sum the episodes that ended in this step."""
    weight = ended.astype(jnp.float32)
    return Tally(
        episodes=jnp.sum(weight),
        returns=jnp.sum(weight * info.episode_return),
        lengths=jnp.sum(weight * info.episode_length.astype(jnp.float32)),
        unlocked=weight @ info.achievements.astype(jnp.float32),
    )
