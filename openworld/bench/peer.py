"""Steps per second of OpenWorld beside the published JAX package.

The two are measured in turn, run by run, so that other work of the machine slows both alike. The peer is used
as its users do ("optimistic" resets): each step makes one new world for every `RATIO` worlds, and worlds
whose episode ended share them. OpenWorld makes a new world for each that ended, and its observations are
tokens.
"""

import importlib.metadata
import statistics
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from openworld.bench import worlds
from openworld.bench.suites import Settings
from openworld.bench.timing import compiled, timed

#: Id -> the peer's environment with the same rules.
PEERS = {
    "OpenWorld-v0": "Craftax-Symbolic-v1",
    "OpenWorld-Classic-v0": "Craftax-Classic-Symbolic-v1",
    "OpenWorld-Pixels-v0": "Craftax-Pixels-v1",
    "OpenWorld-Classic-Pixels-v0": "Craftax-Classic-Pixels-v1",
}
#: Worlds that share one new world.
RATIO = 16


def beside(settings: Settings, id: str, size: int) -> dict[str, Any]:
    """Measure an id and its peer in turn; the row's `ratio` is OpenWorld's speed over the peer's."""
    if id not in PEERS:
        raise ValueError(f"no peer plays the rules of {id}; those with one are {', '.join(PEERS)}")
    theirs = _Runner(*_peer(PEERS[id], size), size)
    ours = _Runner(*worlds.program(settings, id, size), size)
    runs = [(ours.run(settings.seconds), theirs.run(settings.seconds)) for _ in range(settings.runs)]
    ratios = [mine / other for mine, other in runs]
    return {
        "kind": "peer",
        "worlds": size,
        "observation": settings.observation_of(id),
        "peer": f"{PEERS[id]} of craftax {importlib.metadata.version('craftax')}, one new world for {RATIO}",
        "steps_per_second": statistics.median(mine for mine, _ in runs),
        "peer_steps_per_second": statistics.median(other for _, other in runs),
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
        "runs": runs,
        "compile_seconds": ours.compile_seconds,
        "peer_compile_seconds": theirs.compile_seconds,
    }


class _Runner:
    """A compiled program that plays steps, and its carry."""

    def __init__(self, play: Callable[..., Any], carry: Any, size: int) -> None:
        self.compile_seconds, self._play = compiled(jax.jit(play, donate_argnums=0), carry, jnp.int32(1))
        self._size = size
        self._pace, self._carry = timed(self._play, carry, 1)

    def run(self, seconds: float) -> float:
        """Play for about some seconds; return the steps per second of all worlds."""
        steps = max(2, round(seconds / self._pace))
        taken, self._carry = timed(self._play, self._carry, steps)
        self._pace = taken / steps
        return self._size / self._pace


def _peer(name: str, size: int) -> tuple[Callable[..., Any], Any]:
    """Return the peer's function `(carry, steps) -> carry`, and its first carry."""
    from craftax.craftax_env import make_craftax_env_from_name  # pyright: ignore[reportMissingImports]

    env = make_craftax_env_from_name(name, auto_reset=False)
    parameters = env.default_params
    actions = env.action_space(parameters).n
    fresh = max(1, size // RATIO)
    reset = jax.vmap(lambda key: env.reset(key, parameters))
    step = jax.vmap(lambda key, state, action: env.step(key, state, action, parameters))

    def body(_: Array, carry: tuple) -> tuple:
        key, obs, state, checksum = carry
        key, for_step, for_reset, for_choice, for_action = jax.random.split(key, 5)
        action = jax.random.randint(for_action, (size,), 0, actions, jnp.int32)
        obs, state, reward, done, _ = step(jax.random.split(for_step, size), state, action)
        new_obs, new_state = reset(jax.random.split(for_reset, fresh))
        which = jax.random.randint(for_choice, (size,), 0, fresh, jnp.int32)

        def renewed(old: Array, new: Array) -> Array:
            return jnp.where(done.reshape(-1, *(1,) * (old.ndim - 1)), new[which], old)

        obs, state = renewed(obs, new_obs), jax.tree.map(renewed, state, new_state)
        return key, obs, state, checksum + jnp.sum(worlds.read(obs)) + jnp.sum(reward)

    obs, state = jax.jit(reset)(jax.random.split(jax.random.key(0), size))
    carry = (jax.random.key(1), obs, state, jnp.float32(0))
    return lambda carry, steps: jax.lax.fori_loop(0, steps, body, carry), carry
