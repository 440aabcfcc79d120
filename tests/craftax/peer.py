"""The published package, played by calling it: batches of its states as NumPy arrays by name.

`States` maps a field's path ("inventory.wood") to an array whose first axis is the worlds. States can be edited
freely between steps: that is how scenes are set.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

States = dict[str, np.ndarray]


class Stepped(NamedTuple):
    """What a step of the package tells, worlds first."""

    states: States
    obs: np.ndarray
    reward: np.ndarray
    done: np.ndarray


class Peer:
    """One of the package's environments, without auto-reset. Every batch has the same size: it compiles once."""

    def __init__(self, name: str, worlds: int):
        pytest.importorskip("craftax")
        self.worlds = worlds
        with warnings.catch_warnings(), _lenient():
            warnings.simplefilter("ignore")
            from craftax.craftax_env import make_craftax_env_from_name

            env = make_craftax_env_from_name(name, auto_reset=False)
            params = env.default_params
            first = jax.eval_shape(lambda key: env.reset(key, params)[1], jax.random.PRNGKey(0))
        paths, self._tree = jax.tree_util.tree_flatten_with_path(first)
        self.names = [jax.tree_util.keystr(path).lstrip(".") for path, _ in paths]
        self._reset = jax.jit(lambda key: env.reset(key, params))
        self._step = jax.jit(jax.vmap(lambda key, state, action: env.step(key, state, action, params)[:4]))

    def reset(self, seeds: Sequence[int]) -> tuple[States, np.ndarray]:
        """New worlds, one for each seed, and their first observations."""
        made = []
        with _lenient():
            for seed in seeds:
                obs, state = self._reset(jax.random.PRNGKey(seed))
                made.append((np.asarray(obs), self._by_name(state)))
        states = {name: np.stack([one[name] for _, one in made]) for name in self.names}
        return states, np.stack([obs for obs, _ in made])

    def step(self, states: States, action: np.ndarray, seed: int) -> Stepped:
        """Play one step; the batch must have as many worlds as any other."""
        assert len(action) == self.worlds
        with _lenient():
            keys = jax.random.split(jax.random.PRNGKey(seed), self.worlds)
            tree = self._tree.unflatten([states[name] for name in self.names])
            obs, after, reward, done = self._step(keys, tree, jnp.asarray(action, jnp.int32))
        return Stepped(self._by_name(after), np.asarray(obs), np.asarray(reward), np.asarray(done))

    def _by_name(self, state: Any) -> States:
        return dict(zip(self.names, map(np.asarray, jax.tree.leaves(state)), strict=True))


@contextmanager
def _lenient() -> Iterator[None]:
    """The package relies on NumPy's usual promotion."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@cache
def full_peer(worlds: int) -> Peer:
    """The full rules' environment, made once a process."""
    return Peer("Craftax-Symbolic-v1", worlds)


def taken(states: States, index: np.ndarray) -> States:
    """The states of some worlds, in a new batch that can be edited."""
    return {name: x[index] for name, x in states.items()}


def own(states: States, *fields: str) -> States:
    """The states with the named fields copied, so that these can be edited: what a step returns is read-only."""
    return {**states, **{name: np.array(states[name]) for name in fields}}
