"""Collect experience: play every world for `steps` steps with the current policy.

Observations are stored as the environment returns them (tokens are bytes), with the previous action if the
policy sees it. The network turns them into floats.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, Int32, Shaped, UInt32

from openworld.core import tuning
from openworld.core.xla import for_the_few
from openworld_trainers.ppo import history
from openworld_trainers.ppo.batched_env import BatchedEnv
from openworld_trainers.ppo.chance import uniforms
from openworld_trainers.ppo.config import Reward
from openworld_trainers.ppo.networks import EXCLUDED, ActorCritic, Outputs
from openworld_trainers.ppo.reward import training_reward

#: The settings with which the policy learns from the published reward itself.
PUBLISHED = Reward()


class RolloutState(eqx.Module):
    """The worlds between two updates.

    Attributes:
        state: the environment's state.
        observation: the current observations, as the policy sees them.
        memory: of a recurrent network; [B, 0] without one.
    """

    state: Any
    observation: Shaped[Array, "B *shape"]
    memory: Float32[Array, "B memory"]


class Experience(eqx.Module):
    """One rollout, [T, B].

    Attributes:
        observation: what the policy saw.
        action: the action taken.
        log_probability: log π(a|s).
        value: V(s).
        reward: the published reward of the step.
        terminated: the step ended the episode by the rules.
        truncated: the step reached the time limit and did not terminate.
        final_value: V of the final observation where truncated, elsewhere 0.
        forced: the mask allowed only one action.
        training_reward: the reward that the policy learns from; None: the published one.
        change: the action changed what the policy sees (`history.effect`); None if the network does not
            predict this.
    """

    observation: Shaped[Array, "*T_B_shape"]
    action: Int32[Array, "*T B"]
    log_probability: Float[Array, "*T B"]
    value: Float[Array, "*T B"]
    reward: Float[Array, "*T B"]
    terminated: Bool[Array, "*T B"]
    truncated: Bool[Array, "*T B"]
    final_value: Float[Array, "*T B"]
    forced: Bool[Array, "*T B"]
    change: Bool[Array, "*T B"] | None = None
    training_reward: Float[Array, "*T B"] | None = None

    @property
    def learned_reward(self) -> Float[Array, "*T B"]:
        """The reward that the policy learns from."""
        return self.reward if self.training_reward is None else self.training_reward


class EpisodeSums(eqx.Module):
    """Sums over the episodes that ended: their number, returns, lengths and unlocked achievements."""

    episodes: Float[Array, ""]
    returns: Float[Array, ""]
    lengths: Float[Array, ""]
    unlocked: Float[Array, " achievements"]


def collect(
    env: BatchedEnv,
    network: ActorCritic,
    rollout_state: RolloutState,
    steps: int,
    key_words: UInt32[Array, "2"],
    first_world: UInt32[Array, ""],
    *,
    settings: Reward = PUBLISHED,
) -> tuple[RolloutState, Experience, EpisodeSums]:
    """Play `steps` steps of every world.

    Args:
        env: the environment.
        network: the policy and the value.
        rollout_state: the worlds before the rollout.
        steps: T.
        key_words: the data of a key. Actions depend only on it, on the step and on the world's number.
        first_world: the number of this device's first world among those of all devices.
        settings: of the training reward.

    Returns:
        The worlds after the rollout, the experience, and the sums over the episodes that ended in it.
    """
    world_number = first_world + jnp.arange(rollout_state.observation.shape[0], dtype=jnp.uint32)

    def play_step(
        before: RolloutState, step: UInt32[Array, ""]
    ) -> tuple[RolloutState, tuple[Experience, EpisodeSums]]:
        memory, outputs = act(network, before.memory, before.observation)
        action, log_probability = sample(uniforms(key_words, step, world_number), outputs.logits)
        observation, state, reward, terminated, truncated, info = env.step(before.state, action)
        # A step that terminates at the time limit has no future to value.
        truncated = truncated & ~terminated
        ended = terminated | truncated
        final_observation = seen_after(network, before.observation, action, info.final_obs)
        observation = seen_after(network, before.observation, jnp.where(ended, -1, action), observation)
        experience = Experience(
            observation=before.observation,
            action=action,
            log_probability=log_probability,
            value=outputs.value,
            reward=reward,
            terminated=terminated,
            truncated=truncated,
            final_value=final_values(network, memory, final_observation, truncated),
            forced=is_forced(outputs.logits),
            training_reward=None if settings == PUBLISHED else training_reward(settings, reward, info),
            change=network.change and history.effect(before.observation, info.final_obs, network.rules),
        )
        memory = jnp.where(ended[:, None], 0.0, memory)
        return RolloutState(state, observation, memory), (experience, sum_episodes(info, ended))

    rollout_state, (experience, sums) = jax.lax.scan(
        play_step, rollout_state, jnp.arange(steps, dtype=jnp.uint32)
    )
    return rollout_state, experience, jax.tree.map(lambda each: jnp.sum(each, axis=0), sums)


def is_forced(logits: Float[Array, "B actions"]) -> Bool[Array, " B"]:
    """Return where the mask allows one action."""
    return jnp.sum(logits > EXCLUDED / 2, axis=1) == 1


def seen_after(
    network: ActorCritic,
    before: Shaped[Array, "B *before"],
    action: Int32[Array, " B"],
    observation: Shaped[Array, "B *shape"],
) -> Shaped[Array, "B *seen"]:
    """Return the observations after a step, with the action if the policy sees it; -1 starts an episode."""
    if not network.sees_action:
        return observation
    return history.following(before, action, observation, network.rules)


def act(
    network: ActorCritic, memory: Float32[Array, "B memory"], observation: Shaped[Array, "B *shape"]
) -> tuple[Float32[Array, "B memory"], Outputs]:
    """Return the network's next memory and its outputs.

    On an accelerator, large batches are computed in blocks (`Tuning.acted_at_once`), whose features fit in
    its memory.
    """
    worlds = observation.shape[0]
    block = tuning.here().acted_at_once
    if block is None or worlds <= block or worlds % block:
        return network.step(memory, observation)

    def in_blocks(x: Array) -> Array:
        return x.reshape(worlds // block, block, *x.shape[1:])

    outputs = jax.lax.map(lambda block: network.step(*block), (in_blocks(memory), in_blocks(observation)))
    return jax.tree.map(lambda x: x.reshape(worlds, *x.shape[2:]), outputs)


def sample(
    uniform: Float32[Array, " B"], logits: Float[Array, "B actions"]
) -> tuple[Int32[Array, " B"], Float[Array, " B"]]:
    """Draw actions from softmax(logits) by inverting the cumulative distribution.

    An action of probability 0 is never drawn, whatever the rounding of the sums.

    Args:
        uniform: numbers in [0, 1).
        logits: of the policy.

    Returns:
        The actions and their log probabilities.
    """
    log_policy = jax.nn.log_softmax(logits)
    policy = jnp.exp(log_policy)
    cumulative = jnp.cumsum(policy, axis=1)
    # Rounding may leave the last sum a little below 1, so the number is taken as a share of it.
    reached = (cumulative > uniform[:, None] * cumulative[:, -1:]) & (policy > 0)
    action = jnp.argmax(reached, axis=1).astype(jnp.int32)
    return action, take_action(log_policy, action)


def log_probabilities(logits: Float[Array, "B actions"], action: Int32[Array, " B"]) -> Float[Array, " B"]:
    """Return log π(a) of the given actions."""
    return take_action(jax.nn.log_softmax(logits), action)


def take_action(rows: Float[Array, "B actions"], action: Int32[Array, " B"]) -> Float[Array, " B"]:
    """Return each row's entry at its action."""
    return jnp.take_along_axis(rows, action[:, None], axis=1)[:, 0]


def final_values(
    network: ActorCritic,
    memory: Float32[Array, "B memory"],
    final_observation: Shaped[Array, "B *shape"],
    truncated: Bool[Array, " B"],
) -> Float32[Array, " B"]:
    """Return V of the final observations of truncated worlds, and 0 elsewhere.

    The network runs only for the truncated worlds.
    """
    worlds = truncated.shape[0]

    def value_some(values: Float32[Array, " B"], index: Int32[Array, " few"]) -> Float32[Array, " B"]:
        some = jnp.minimum(index, worlds - 1)
        outputs = network.step(memory[some], final_observation[some])[1]
        return values.at[index].set(outputs.value, mode="drop", wrap_negative_indices=False)

    few = tuning.here().final_values.of(worlds)
    return for_the_few(truncated, jnp.zeros(worlds, jnp.float32), value_some, few)


def sum_episodes(info: Any, ended: Bool[Array, " B"]) -> EpisodeSums:
    """Return the sums over the episodes that ended in this step."""
    weight = ended.astype(jnp.float32)
    return EpisodeSums(
        episodes=jnp.sum(weight),
        returns=jnp.sum(weight * info.episode_return),
        lengths=jnp.sum(weight * info.episode_length.astype(jnp.float32)),
        unlocked=weight @ info.achievements.astype(jnp.float32),
    )
