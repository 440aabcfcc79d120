"""The affine layer that every part of the network is made of."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key


class Dense(eqx.Module):
    """An affine layer, y = xW + b. W is orthogonal at birth, or zero if its scale is 0."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]

    def __init__(self, key: Key[Array, ""], inputs: int, outputs: int, scale: float) -> None:
        make = jax.nn.initializers.orthogonal(scale) if scale else jax.nn.initializers.zeros
        self.weight = make(key, (inputs, outputs), jnp.float32)
        self.bias = jnp.zeros(outputs, jnp.float32)

    def __call__(self, x: Float[Array, "B inputs"]) -> Float[Array, "B outputs"]:
        """Apply the layer in the dtype of `x`."""
        return x @ self.weight.astype(x.dtype) + self.bias.astype(x.dtype)[None, :]
