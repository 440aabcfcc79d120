"""Memory: a gated recurrent unit, one step at a time in play and over whole sequences in learning."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, Key, Shaped


class Sequence(eqx.Module):
    """What a recurrent network reads in learning: its worlds' steps in order.

    Attributes:
        begun: whether an episode began with this observation, so that nothing before it is remembered.
        memory: what was remembered before the first observation.
    """

    observation: Shaped[Array, "T B *shape"]
    begun: Bool[Array, "T B"]
    memory: Float32[Array, "B memory"]


def in_a_row(observation: Shaped[Array, "..."] | Sequence) -> Shaped[Array, "N *shape"]:
    """Observations without their order: a sequence's one step after the other."""
    if not isinstance(observation, Sequence):
        return observation
    return observation.observation.reshape(-1, *observation.observation.shape[2:])


class GRU(eqx.Module):
    """A gated recurrent unit (Cho et al. 2014, arXiv 1406.1078), its products in the dtype of its input.

        r = σ(xWᵣ + hUᵣ + bᵣ),  z = σ(xW_z + hU_z + b_z),  n = tanh(xWₙ + bₙ + r · hUₙ),  h' = (1 − z) n + z h

    Attributes:
        inwards: W, side by side for r, z and n.
        onwards: U, likewise.
    """

    inwards: Float[Array, "inputs three"]
    onwards: Float[Array, "width three"]
    bias: Float[Array, " three"]

    def __init__(self, key: Key[Array, ""], width: int) -> None:
        make = jax.nn.initializers.orthogonal()
        keys = jax.random.split(key, 6)
        self.inwards = jnp.concatenate([make(k, (width, width), jnp.float32) for k in keys[:3]], axis=1)
        self.onwards = jnp.concatenate([make(k, (width, width), jnp.float32) for k in keys[3:]], axis=1)
        self.bias = jnp.zeros(3 * width, jnp.float32)

    def __call__(
        self, memory: Float32[Array, "B width"], x: Float[Array, "B inputs"]
    ) -> Float32[Array, "B width"]:
        """What is remembered after x."""
        return self._follow(memory, self._inputs(x), x.dtype)

    def unroll(
        self, memory: Float32[Array, "B width"], x: Float[Array, "T B inputs"], begun: Bool[Array, "T B"]
    ) -> Float32[Array, "T B width"]:
        """What is remembered after each step; where an episode began, nothing was remembered before it."""

        def step(memory: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
            given, fresh = now
            memory = self._follow(jnp.where(fresh[:, None], 0.0, memory), given, x.dtype)
            return memory, memory

        given = self._inputs(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:2], -1)
        return jax.lax.scan(step, memory, (given, begun))[1]

    def _inputs(self, x: Float[Array, "N inputs"]) -> Float32[Array, "N three"]:
        return (x @ self.inwards.astype(x.dtype)).astype(jnp.float32) + self.bias[None, :]

    def _follow(self, memory: Array, given: Array, dtype: jnp.dtype) -> Array:
        held = (memory.astype(dtype) @ self.onwards.astype(dtype)).astype(jnp.float32)
        (r, z, n), (hr, hz, hn) = jnp.split(given, 3, axis=1), jnp.split(held, 3, axis=1)
        keep = jax.nn.sigmoid(z + hz)
        return (1 - keep) * jnp.tanh(n + jax.nn.sigmoid(r + hr) * hn) + keep * memory
