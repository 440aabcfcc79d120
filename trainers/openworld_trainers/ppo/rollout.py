"""Collect experience: play every world for `steps` steps with the policy as it is.

Observations are kept as they come (tokens: bytes); nothing is turned into floats before it reaches the network.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, Int32, Shaped, UInt32

from openworld.core import tuning
from openworld.core.xla import for_the_few
from openworld_trainers.ppo.chance import uniforms
from openworld_trainers.ppo.networks import ActorCritic
from openworld_trainers.ppo.worlds import Worlds


class Playing(eqx.Module):
    """Worlds in the midst of their episodes: their state, what they show, and what the policy remembers of each."""

    state: Any
    observation: Shaped[Array, "B *shape"]
    memory: Float32[Array, "B memory"]


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
    world: Worlds,
    network: ActorCritic,
    playing: Playing,
    steps: int,
    words: UInt32[Array, "2"],
    first: UInt32[Array, ""],
) -> tuple[Playing, Experience, Tally]:
    """Play `steps` steps of every world; return the worlds after them, the experience and its tally.

    Args:
        words: of a key; actions depend on them, on the step and on the world's number alone.
        first: the number of the first of these worlds.
    """
    number = first + jnp.arange(playing.observation.shape[0], dtype=jnp.uint32)

    def play(playing: Playing, step: UInt32[Array, ""]) -> tuple[Playing, tuple[Experience, Tally]]:
        observation = playing.observation
        memory, logits, value = act(network, playing.memory, observation)
        action, log_probability = sample(uniforms(words, step, number), logits)
        following, state, reward, terminated, truncated, info = world.step(playing.state, action)
        # An episode that met both its end and its limit has ended: it has no future to value.
        truncated = truncated & ~terminated
        ended = terminated | truncated
        experience = Experience(
            observation=observation,
            action=action,
            log_probability=log_probability,
            value=value,
            reward=reward,
            terminated=terminated,
            truncated=truncated,
            final_value=final_values(network, memory, info.final_obs, truncated),
        )
        memory = jnp.where(ended[:, None], 0.0, memory)
        return Playing(state, following, memory), (experience, count(info, ended))

    playing, (experience, tallies) = jax.lax.scan(play, playing, jnp.arange(steps, dtype=jnp.uint32))
    return playing, experience, jax.tree.map(lambda tally: jnp.sum(tally, axis=0), tallies)


def act(
    network: ActorCritic, memory: Float32[Array, "B memory"], observation: Shaped[Array, "B *shape"]
) -> tuple[Float32[Array, "B memory"], Float[Array, "B actions"], Float[Array, " B"]]:
    """What is remembered, logits and value; on an accelerator in blocks, whose features fit in its memory."""
    worlds = observation.shape[0]
    block = tuning.here().acted_at_once
    if block is None or worlds <= block or worlds % block:
        return network.play(memory, observation)

    def cut(x: Array) -> Array:
        return x.reshape(worlds // block, block, *x.shape[1:])

    told = jax.lax.map(lambda block: network.play(*block), (cut(memory), cut(observation)))
    return jax.tree.map(lambda x: x.reshape(worlds, *x.shape[2:]), told)


def sample(
    uniform: Float32[Array, " B"], logits: Float[Array, "B actions"]
) -> tuple[Int32[Array, " B"], Float[Array, " B"]]:
    """The action of softmax(logits) at which its distribution function passes `uniform`; its log probability."""
    log_policy = jax.nn.log_softmax(logits)
    passed = jnp.cumsum(jnp.exp(log_policy), axis=1)
    # Rounded sums may end a little below 1; the last action takes what is missing.
    action = jnp.sum(uniform[:, None] * passed[:, -1:] >= passed[:, :-1], axis=1, dtype=jnp.int32)
    return action, chosen(log_policy, action)


def log_probabilities(logits: Float[Array, "B actions"], action: Int32[Array, " B"]) -> Float[Array, " B"]:
    """Log probabilities, log π(a), of the actions given."""
    return chosen(jax.nn.log_softmax(logits), action)


def chosen(rows: Float[Array, "B actions"], action: Int32[Array, " B"]) -> Float[Array, " B"]:
    """Each row's entry of its action."""
    return jnp.take_along_axis(rows, action[:, None], axis=1)[:, 0]


def final_values(
    network: ActorCritic,
    memory: Float32[Array, "B memory"],
    final_observation: Shaped[Array, "B *shape"],
    truncated: Bool[Array, " B"],
) -> Float32[Array, " B"]:
    """V of the final observations of truncated worlds, 0 elsewhere; costs nothing while none is truncated."""
    worlds = truncated.shape[0]

    def value_some(values: Float32[Array, " B"], index: Int32[Array, " few"]) -> Float32[Array, " B"]:
        some = jnp.minimum(index, worlds - 1)
        _, _, value = network.play(memory[some], final_observation[some])
        return values.at[index].set(value, mode="drop", wrap_negative_indices=False)

    few = tuning.here().final_values.of(worlds)
    return for_the_few(truncated, jnp.zeros(worlds, jnp.float32), value_some, few)


def count(info: Any, ended: Bool[Array, " B"]) -> Tally:
    """Sum the episodes that ended in this step."""
    weight = ended.astype(jnp.float32)
    return Tally(
        episodes=jnp.sum(weight),
        returns=jnp.sum(weight * info.episode_return),
        lengths=jnp.sum(weight * info.episode_length.astype(jnp.float32)),
        unlocked=weight @ info.achievements.astype(jnp.float32),
    )
