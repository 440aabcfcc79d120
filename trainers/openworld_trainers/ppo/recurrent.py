"""Memory layers: one step at a time in play, whole sequences in learning."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, Key, Shaped

from openworld.core import tuning


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


class MemoryLayer(eqx.Module):
    """A layer with a memory of `width` numbers for each world."""

    @property
    def width(self) -> int:
        """The numbers that are remembered."""
        raise NotImplementedError

    def step(
        self, memory: Float32[Array, "B width"], x: Float[Array, "B inputs"]
    ) -> tuple[Float32[Array, "B width"], Float[Array, "B width"]]:
        """Return the memory after one input, and the layer's output."""
        raise NotImplementedError

    def unroll(
        self,
        memory: Float32[Array, "B width"],
        x: Float[Array, "T B inputs"],
        episode_start: Bool[Array, "T B"],
    ) -> Float[Array, "T B width"]:
        """Return the outputs of a sequence; the memory is zero before the first step of an episode."""
        raise NotImplementedError


class GRU(MemoryLayer):
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
        keys = jax.random.split(key, 6)
        self.input_weight = orthogonal_matrices(keys[:3], width)
        self.recurrent_weight = orthogonal_matrices(keys[3:], width)
        self.bias = jnp.zeros(3 * width, jnp.float32)

    @property
    def width(self) -> int:
        """The numbers that are remembered."""
        return self.recurrent_weight.shape[0]

    def step(
        self, memory: Float32[Array, "B width"], x: Float[Array, "B inputs"]
    ) -> tuple[Float32[Array, "B width"], Float[Array, "B width"]]:
        """Return the memory after one input; the output is the memory."""
        memory = self._step(memory, affine(x, self.input_weight, self.bias), x.dtype)
        return memory, memory.astype(x.dtype)

    def unroll(
        self,
        memory: Float32[Array, "B width"],
        x: Float[Array, "T B inputs"],
        episode_start: Bool[Array, "T B"],
    ) -> Float[Array, "T B width"]:
        """Return the memory after each step; it is zero before the first step of an episode."""

        def step(memory: Array, inputs: tuple[Array, Array]) -> tuple[Array, Array]:
            input_part, start = inputs
            memory = self._step(jnp.where(start[:, None], 0.0, memory), input_part, x.dtype)
            return memory, memory

        input_part = affine(x.reshape(-1, x.shape[-1]), self.input_weight, self.bias)
        input_part = input_part.reshape(*x.shape[:2], -1)
        return jax.lax.scan(step, memory, (input_part, episode_start))[1].astype(x.dtype)

    def _step(self, memory: Array, input_part: Array, dtype: jnp.dtype) -> Array:
        memory_part = (memory.astype(dtype) @ self.recurrent_weight.astype(dtype)).astype(jnp.float32)
        (r, z, n), (hr, hz, hn) = jnp.split(input_part, 3, axis=1), jnp.split(memory_part, 3, axis=1)
        keep = jax.nn.sigmoid(z + hz)
        return (1 - keep) * jnp.tanh(n + jax.nn.sigmoid(r + hr) * hn) + keep * memory


class MinGRU(MemoryLayer):
    """A minimal gated recurrent unit with a residual connection (Feng et al. 2024, arXiv 2410.01201).

        z = σ(uW_z + b_z),  n = g(uWₙ + bₙ),  h' = (1 − z) h + z n,  y = x + h'

    u is x, divided by its root mean square. g(a) is a + ½ where a ≥ 0, and σ(a) elsewhere. No gate depends on h,
    so a sequence needs one matrix product for all its steps, and `gated` for the rest.

    Matrix products are computed in the dtype of the input; the memory h stays float32.

    Attributes:
        weight: W for z and n, side by side.
        bias: b for z and n, one after the other.
    """

    weight: Float[Array, "inputs two"]
    bias: Float[Array, " two"]

    def __init__(self, key: Key[Array, ""], width: int) -> None:
        self.weight = orthogonal_matrices(jax.random.split(key), width)
        self.bias = jnp.zeros(2 * width, jnp.float32)

    @property
    def width(self) -> int:
        """The numbers that are remembered."""
        return self.weight.shape[0]

    def step(
        self, memory: Float32[Array, "B width"], x: Float[Array, "B width"]
    ) -> tuple[Float32[Array, "B width"], Float[Array, "B width"]]:
        """Return the memory after one input, and the input plus the memory."""
        kept, added, _ = gates(*self._gates(x))
        memory = kept * memory + added
        return memory, x + memory.astype(x.dtype)

    def unroll(
        self,
        memory: Float32[Array, "B width"],
        x: Float[Array, "T B width"],
        episode_start: Bool[Array, "T B"],
    ) -> Float[Array, "T B width"]:
        """Return the outputs of a sequence; the memory is zero before the first step of an episode."""
        z, n = (each.reshape(x.shape) for each in self._gates(x.reshape(-1, x.shape[-1])))
        return x + gated(memory, z, n, episode_start).astype(x.dtype)

    def _gates(
        self, x: Float[Array, "N width"]
    ) -> tuple[Float32[Array, "N width"], Float32[Array, "N width"]]:
        """Return uW_z + b_z and uWₙ + bₙ."""
        z, n = jnp.split(affine(unit_scale(x), self.weight, self.bias), 2, axis=1)
        return z, n


def gates(
    z: Float32[Array, "*shape"], n: Float32[Array, "*shape"]
) -> tuple[Float32[Array, "*shape"], Float32[Array, "*shape"], Float32[Array, "*shape"]]:
    """Return the share 1 − σ(z) of the memory that stays, the σ(z) g(n) that is added, and g(n)."""
    kept = jax.nn.sigmoid(-z)
    new = jnp.where(n >= 0, n + 0.5, jax.nn.sigmoid(n))
    return kept, (1 - kept) * new, new


@jax.custom_vjp
def gated(
    memory: Float32[Array, "B width"],
    z: Float32[Array, "T B width"],
    n: Float32[Array, "T B width"],
    episode_start: Bool[Array, "T B"],
) -> Float32[Array, "T B width"]:
    """Return the memory of a `MinGRU` after each step of a sequence, from its gates.

    It is computed as suits the device (`Tuning.recurrence`): step by step, or in passes by
    `linear_recurrence`. The gradient is a recurrence of the same kind, backwards. Its factors are kept from
    the way forward, so that it needs no exponentials.

    Args:
        memory: before the first step.
        z: before the sigmoid.
        n: before g.
        episode_start: the memory is zero before this step.
    """
    if tuning.here().recurrence == "steps":
        inputs = z, n, episode_start[:, :, None]

        def step(before: Array, now: tuple[Array, Array, Array]) -> tuple[Array, Array]:
            after = _after(before, *now)[0]
            return after, after

        return jax.lax.scan(step, memory, inputs)[1]
    return _in_passes(memory, z, n, episode_start[:, :, None])[0]


def _after(before: Array, z: Array, n: Array, start: Array) -> tuple[Array, Array]:
    """Return the memory after a step, and the share of the memory before it that it keeps."""
    kept, added, _ = gates(z, n)
    kept = jnp.where(start, 0.0, kept)
    return kept * before + added, kept


def _in_passes(memory: Array, z: Array, n: Array, start: Array) -> tuple[Array, Array]:
    """Return the same for all steps."""
    kept, added, _ = gates(z, n)
    kept = jnp.where(start, 0.0, kept)
    return linear_recurrence(kept, added.at[0].add(kept[0] * memory)), kept


def _derivatives(before: Array, z: Array, n: Array, start: Array) -> tuple[Array, Array]:
    """Return the derivatives of the memory after a step by z and by n."""
    kept, _, new = gates(z, n)
    by_new = jnp.where(n >= 0, 1.0, new * (1 - new))
    return kept * (1 - kept) * (new - jnp.where(start, 0.0, before)), (1 - kept) * by_new


def _gated_forward(memory: Array, z: Array, n: Array, start: Array) -> tuple[Array, tuple[Array, ...]]:
    """Return the memories; and of each step: what it keeps, and its derivatives."""
    start = start[:, :, None]

    def step(before: Array, now: tuple[Array, Array, Array]) -> tuple[Array, tuple[Array, ...]]:
        after, kept = _after(before, *now)
        return after, (after, kept, *_derivatives(before, *now))

    if tuning.here().recurrence == "steps":
        after, *factors = jax.lax.scan(step, memory, (z, n, start))[1]
        return after, tuple(factors)
    after, kept = _in_passes(memory, z, n, start)
    before = jnp.concatenate([memory[None], after[:-1]])
    return after, (kept, *_derivatives(before, z, n, start))


def _gated_backward(factors: tuple[Array, ...], gradient: Array) -> tuple[Array, Array, Array, None]:
    """Return the gradients of memory, z and n: dₜ = gradientₜ + keptₜ₊₁ dₜ₊₁, times the derivatives."""
    kept, by_z, by_n = factors

    def step(later: Array, inputs: tuple[Array, ...]) -> tuple[Array, tuple[Array, Array]]:
        gradient, kept, by_z, by_n = inputs
        now = gradient + later
        return kept * now, (now * by_z, now * by_n)

    if tuning.here().recurrence == "steps":
        inputs = (gradient, kept, by_z, by_n)
        memory, (z, n) = jax.lax.scan(step, jnp.zeros_like(kept[0]), inputs, reverse=True)
        return memory, z, n, None
    following = jnp.concatenate([kept[1:], jnp.zeros_like(kept[:1])])
    now = linear_recurrence(following[::-1], gradient[::-1])[::-1]
    return kept[0] * now[0], now * by_z, now * by_n, None


gated.defvjp(_gated_forward, _gated_backward)


def linear_recurrence(
    kept: Float32[Array, "T *shape"], added: Float32[Array, "T *shape"]
) -> Float32[Array, "T *shape"]:
    """Return h of every step of hₜ = keptₜ hₜ₋₁ + addedₜ, from h = 0, in log₂ T parallel passes.

    It is an associative scan: (a, b) stands for h → ah + b, and (a, b) followed by (c, d) is (ac, bc + d).

    Example:
        >>> linear_recurrence(jnp.array([0.5, 0.5, 0.0]), jnp.array([2.0, 1.0, 4.0])).tolist()
        [2.0, 2.0, 4.0]
    """

    def followed_by(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
        return one[0] * other[0], one[1] * other[0] + other[1]

    return jax.lax.associative_scan(followed_by, (kept, added))[1]


def orthogonal_matrices(keys: Key[Array, " n"], width: int) -> Float[Array, "width n_width"]:
    """Return a random orthogonal matrix for each key, side by side."""
    make = jax.nn.initializers.orthogonal()
    return jnp.concatenate([make(key, (width, width), jnp.float32) for key in keys], axis=1)


def unit_scale(x: Float[Array, "N width"]) -> Float[Array, "N width"]:
    """Return each row divided by its root mean square (Zhang and Sennrich 2019, arXiv 1910.07467)."""
    wide = x.astype(jnp.float32)
    return (wide * jax.lax.rsqrt(jnp.mean(jnp.square(wide), axis=1, keepdims=True) + 1e-6)).astype(x.dtype)


def affine(
    x: Float[Array, "N inputs"], weight: Float[Array, "inputs outputs"], bias: Float[Array, " outputs"]
) -> Float32[Array, "N outputs"]:
    """Return xW + b; the product in the dtype of x, the rest in float32."""
    return (x @ weight.astype(x.dtype)).astype(jnp.float32) + bias[None, :]


#: The memory layers by their name in the settings.
MEMORIES = {"gru": GRU, "mingru": MinGRU}
