"""The published package's games behind the functions that the judge plays: `reset_seeds` and `advance`.

The package is called as its users call it, without automatic reset. Its floats become tokens
(`openworld.observe.from_symbolic`); its rewards, achievements and ends are its own.
"""

import importlib.metadata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int32, UInt8, UInt32

from openworld import registry
from openworld.bench.peer import PEERS
from openworld.content.rulesets import Ruleset
from openworld.environment import REWARD_PARTS, Info
from openworld.observe.from_symbolic import tokens_of
from openworld.system.installing import install_command

#: The package, and the version whose observations are known here.
PACKAGE, VERSION = "craftax", "1.6.1"


class PeerError(ValueError):
    """A game that the published package does not have, or another version of it."""


class PeerState(eqx.Module):
    """Worlds of the package in play.

    Attributes:
        inner: the package's own states.
        seeds: of the worlds; the random numbers of a step follow from them and from `lengths`.
        tokens: what was seen last.
        returns, lengths: of the episodes so far.
        over: the episodes that have ended. Their worlds stay as they are.
    """

    inner: Any
    seeds: UInt32[Array, "worlds 2"]
    tokens: UInt8[Array, "worlds tokens"]
    returns: Float32[Array, " worlds"]
    lengths: Int32[Array, " worlds"]
    over: Bool[Array, " worlds"]


@dataclass(frozen=True)
class PeerGame:
    """One of the package's games. The functions are pure and jittable, as those of an `Environment`.

    Attributes:
        id: of OpenWorld's environment with the same rules.
        time_limit: steps after which an episode is truncated.

    Example:
        >>> PeerGame("OpenWorld-Classic-v0", time_limit=100).name
        'Craftax-Classic-Symbolic-v1'
    """

    id: str
    time_limit: int

    def __post_init__(self) -> None:
        """Refuse a game that the package does not have in floats."""
        if self.id not in PEERS or registry.listed(self.id).observation is not None:
            there = [id for id in PEERS if registry.listed(id).observation is None]
            raise PeerError(f"{PACKAGE} has no game with the rules of {self.id}; it has {', '.join(there)}")

    @property
    def name(self) -> str:
        """The game's name in the package."""
        return PEERS[self.id]

    @property
    def ruleset(self) -> Ruleset:
        """The rules of OpenWorld that describe the game."""
        return registry.ruleset(self.id)

    @property
    def num_actions(self) -> int:
        """The number of actions; they have the same numbers there and here."""
        return self.ruleset.actions

    @property
    def canonical(self) -> "PeerGame":
        """The key under which compiled programs are kept."""
        return self

    def reset_seeds(
        self, seeds: UInt32[Array, "worlds 2"]
    ) -> tuple[UInt8[Array, "worlds tokens"], PeerState]:
        """Return the first tokens and the state of the worlds whose JAX keys these are."""
        reset, _ = _functions(self.name)
        with _their_promotion():
            # One by one: making a world takes much memory.
            floats, inner = jax.lax.map(reset, jnp.asarray(seeds, jnp.uint32))
        worlds = seeds.shape[0]
        tokens = tokens_of(floats, self.ruleset)
        nothing = jnp.zeros(worlds, jnp.int32)
        return tokens, PeerState(
            inner, jnp.asarray(seeds, jnp.uint32), tokens, nothing.astype(jnp.float32), nothing, nothing > 0
        )

    def advance(
        self, state: PeerState, action: Int32[Array, " worlds"], *, time_limit: Any = None
    ) -> tuple[Array, PeerState, Array, Array, Array, Info]:
        """Play one step in the worlds whose episode goes on; the values are those of `Environment.advance`."""
        limit = self.time_limit if time_limit is None else time_limit
        step = one_by_one if jax.default_backend() == "cpu" else all_at_once
        inner, tokens, reward, done = step(self.step_one, state, action)
        playing = ~state.over
        lengths = state.lengths + playing.astype(jnp.int32)
        reward = jnp.where(playing, reward, jnp.float32(0))
        truncated = playing & (lengths >= limit)
        terminated = playing & done & ~truncated
        returns = state.returns + reward
        after = PeerState(inner, state.seeds, tokens, returns, lengths, state.over | terminated | truncated)
        no_parts = jnp.full((*reward.shape, len(REWARD_PARTS)), jnp.nan, jnp.float32)  # the package has none
        info = Info(tokens, returns, lengths, inner.achievements.astype(bool), no_parts)
        return tokens, after, reward, terminated, truncated, info

    def step_one(
        self, inner: Any, seed: Array, length: Array, action: Array
    ) -> tuple[Any, Array, Array, Array]:
        """Play one step in one world: its state, tokens, reward, and whether the episode is over."""
        _, step = _functions(self.name)
        with _their_promotion():
            key = jax.random.fold_in(seed, length.astype(jnp.uint32) + jnp.uint32(1))
            floats, inner, reward, done = step(key, inner, action.astype(jnp.int32))
        tokens = tokens_of(floats, self.ruleset)
        return inner, tokens, reward.astype(jnp.float32), done.astype(bool)


def check_package() -> None:
    """Raise an error of one line unless the version that is known here is installed.

    Raises:
        ModuleNotFoundError: the package is not installed.
        PeerError: another version is.
    """
    try:
        found = importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise ModuleNotFoundError(f"No module named {PACKAGE!r}", name=PACKAGE) from None
    if found != VERSION:
        raise PeerError(
            f"{PACKAGE} {found} is installed, and {VERSION} is needed: {install_command('oracle')}"
        )


def all_at_once(one: Callable[..., Any], state: PeerState, action: Array) -> tuple[Any, ...]:
    """Step all worlds side by side, as an accelerator should; those that are over are put back."""
    found = jax.vmap(one)(state.inner, state.seeds, state.lengths, action)
    inner, tokens, reward, done = found

    def kept(old: Array, new: Array) -> Array:
        return jnp.where(state.over.reshape(-1, *(1,) * (old.ndim - 1)), old, new)

    return jax.tree.map(kept, state.inner, inner), kept(state.tokens, tokens), reward, done


def one_by_one(one: Callable[..., Any], state: PeerState, action: Array) -> tuple[Any, ...]:
    """Step the worlds that play one after the other.

    On a processor this is as fast as side by side, and worlds that are over cost nothing.
    """
    worlds = state.over.shape[0]
    order = jnp.argsort(state.over, stable=True)

    def body(turn: Array, found: tuple[Any, ...]) -> tuple[Any, ...]:
        world = order[turn]

        def of(leaf: Array) -> Array:
            return jax.lax.dynamic_index_in_dim(leaf, world, keepdims=False)

        # Read what was before the loop: what is read of a carry is copied whole in each turn.
        inner = jax.tree.map(of, state.inner)
        new = one(inner, of(state.seeds), of(state.lengths), of(action))
        return jax.tree.map(
            lambda leaf, row: jax.lax.dynamic_update_index_in_dim(leaf, row.astype(leaf.dtype), world, 0),
            found,
            new,
        )

    nothing = jnp.zeros(worlds, jnp.float32)
    start = (state.inner, state.tokens, nothing, nothing > 0)
    playing = jnp.sum(~state.over, dtype=jnp.int32)
    return jax.lax.fori_loop(jnp.int32(0), playing, body, start)


@cache
def _functions(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the reset and the step of one world of a game: (key) and (key, state, action)."""
    # Its modules make arrays when they are imported, which may be while a program is traced.
    with warnings.catch_warnings(), _their_promotion(), jax.ensure_compile_time_eval():
        warnings.simplefilter("ignore")
        from craftax.craftax_env import (  # pyright: ignore[reportMissingImports]
            make_craftax_env_from_name,
        )

        env = make_craftax_env_from_name(name, auto_reset=False)
        parameters = env.default_params
    return (
        lambda key: env.reset(key, parameters),
        lambda key, state, action: env.step(key, state, action, parameters)[:4],
    )


@contextmanager
def _their_promotion() -> Iterator[None]:
    """The package relies on NumPy's usual promotion of types and ranks."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield
