"""A gated recurrent unit: one step at a time in play, whole sequences in learning."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, Key, Shaped


class Sequence(eqx.Module):
    """The input of a recurrent network in learning: the steps of some worlds in order.

    Attributes:
        observation: of each step.
        episode_start: the observation is the first of its episode, so the memory is zero before it.
        memory: before the first step.
    """

    observation: Shaped[Array, "T B *shape"]
    episode_start: Bool[Array, "T B"]
    memory: Float32[Array, "B memory"]


def flatten_time(observation: Shaped[Array, "..."] | Sequence) -> Shaped[Array, "N *shape"]:
    """Return the observations of a `Sequence` as one axis of T · B; anything else is returned unchanged."""
    if not isinstance(observation, Sequence):
        return observation
    return observation.observation.reshape(-1, *observation.observation.shape[2:])


class GRU(eqx.Module):
    """A gated recurrent unit (Cho et al. 2014, arXiv 1406.1078).

        r = σ(xWᵣ + hUᵣ + bᵣ),  z = σ(xW_z + hU_z + b_z),  n = tanh(xWₙ + bₙ + r · hUₙ),  h' = (1 − z) n + z h

    Matrix products are computed in the dtype of the input; the memory h stays float32.

    Attributes:
        input_weight: W for r, z and n, side by side.
        recurrent_weight: U for r, z and n, side by side.
        bias: b for r, z and n, one after the other.
    """

    input_weight: Float[Array, "inputs three"]
    recurrent_weight: Float[Array, "width three"]
    bias: Float[Array, " three"]

    def __init__(self, key: Key[Array, ""], width: int) -> None:
        make = jax.nn.initializers.orthogonal()
        keys = jax.random.split(key, 6)
        self.input_weight = jnp.concatenate([make(k, (width, width), jnp.float32) for k in keys[:3]], axis=1)
        self.recurrent_weight = jnp.concatenate(
            [make(k, (width, width), jnp.float32) for k in keys[3:]], axis=1
        )
        self.bias = jnp.zeros(3 * width, jnp.float32)

    def __call__(
        self, memory: Float32[Array, "B width"], x: Float[Array, "B inputs"]
    ) -> Float32[Array, "B width"]:
        """Return the memory after one input."""
        return self._step(memory, self._input_part(x), x.dtype)

    def unroll(
        self,
        memory: Float32[Array, "B width"],
        x: Float[Array, "T B inputs"],
        episode_start: Bool[Array, "T B"],
    ) -> Float32[Array, "T B width"]:
        """Return the memory after each step; it is zero before the first step of an episode."""

        def step(memory: Array, inputs: tuple[Array, Array]) -> tuple[Array, Array]:
            input_part, start = inputs
            memory = self._step(jnp.where(start[:, None], 0.0, memory), input_part, x.dtype)
            return memory, memory

        input_part = self._input_part(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:2], -1)
        return jax.lax.scan(step, memory, (input_part, episode_start))[1]

    def _input_part(self, x: Float[Array, "N inputs"]) -> Float32[Array, "N three"]:
        """Return xW + b."""
        return (x @ self.input_weight.astype(x.dtype)).astype(jnp.float32) + self.bias[None, :]

    def _step(self, memory: Array, input_part: Array, dtype: jnp.dtype) -> Array:
        memory_part = (memory.astype(dtype) @ self.recurrent_weight.astype(dtype)).astype(jnp.float32)
        (r, z, n), (hr, hz, hn) = jnp.split(input_part, 3, axis=1), jnp.split(memory_part, 3, axis=1)
        keep = jax.nn.sigmoid(z + hz)
        return (1 - keep) * jnp.tanh(n + jax.nn.sigmoid(r + hr) * hn) + keep * memory
