"""The reward that a policy is trained on, made from the parts of the published one."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from openworld import REWARD_PARTS
from openworld_trainers.ppo.config import Reward


def training_reward(settings: Reward, reward: Float[Array, "*B"], info: Any) -> Float[Array, "*B"]:
    """Return the training reward of a step: clip(scale x sum of weight x part).

    With the published weights the sum is the published reward itself, which needs no parts.

    Args:
        settings: weights, scale and clip.
        reward: the published reward.
        info: that of the step, with `reward_parts`.

    Raises:
        ValueError: the weights are not the published ones, and the environment reports no parts.

    Example:
        >>> from types import SimpleNamespace
        >>> info = SimpleNamespace(reward_parts=jnp.array([[3.0, -2.0, 0.0, 1.0]]))
        >>> training_reward(Reward(health=0.0, armour=0.5), jnp.array([2.8]), info).tolist()
        [3.5]
    """
    usual = Reward().weights
    changed = [f"reward.{name}={value}" for name, value in settings.weights.items() if value != usual[name]]
    total = reward
    if changed:
        parts = getattr(info, "reward_parts", None)
        if parts is None:
            raise ValueError(
                f"{', '.join(changed)} needs info.reward_parts, which this environment does not report; "
                f"only reward.scale and reward.clip can be changed"
            )
        weights = [settings.weights[name] for name in REWARD_PARTS]
        weighted = (jnp.float32(weight) * parts[..., i] for i, weight in enumerate(weights))
        total = sum(weighted, start=jnp.zeros_like(reward))
    if settings.scale != 1:
        total = jnp.float32(settings.scale) * total
    return total if settings.clip is None else jnp.clip(total, -settings.clip, settings.clip)
