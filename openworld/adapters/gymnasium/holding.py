"""Worlds in hand: what `get_state` returns and `set_state` takes, for search and for curricula."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from openworld.adapters.compiled import solo
from openworld.adapters.copying import on_host
from openworld.adapters.packing import Packed
from openworld.environment import Environment, State
from openworld.storage import saving
from openworld.system import forking


@dataclass(frozen=True, eq=False)
class Held:
    """A copy of one or more worlds, which nothing that an environment does can change.

    `bytes(held)` is it as bytes, which `set_state` takes as well, in this process or another; `len(held)` is
    how many worlds it holds, and `held[i]` is one of them.

    Example:
        >>> from openworld.adapters.gymnasium import OpenWorldEnv
        >>> env = OpenWorldEnv("OpenWorld-Classic-v0", observation="tokens")
        >>> obs, info = env.reset(seed=0)
        >>> held = env.get_state()
        >>> first = env.step(0)[0]
        >>> obs, info = env.set_state(held)
        >>> bool((env.step(0)[0] == first).all())
        True
    """

    env: Environment
    state: State | Packed
    over: np.ndarray  # bool[worlds], whose episode has ended

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings, and the state as NumPy arrays."""
        forking.refuse()
        return {"env": self.env, "state": on_host(self.state), "over": self.over}

    def __bytes__(self) -> bytes:
        return saving.save_state(self.env, self.whole, over=self.over.tolist())

    def __len__(self) -> int:
        return len(self.over)

    def __getitem__(self, index: int) -> "Held":
        number = range(len(self))[index]
        return Held(self.env, jax.tree.map(lambda x: x[number : number + 1], self.whole), self.over[[number]])

    @property
    def whole(self) -> State:
        """The state, field by field."""
        forking.refuse()
        if isinstance(self.state, Packed):
            return solo(self.env, "tokens").unpack(self.state)
        return self.state


def held(env: Environment, value: Any, worlds: int) -> Held:
    """Return what `set_state` is given as worlds of an environment, or refuse it with a ValueError."""
    if isinstance(value, list | tuple):
        return _together([held(env, one, 1) for one in value], worlds)
    if isinstance(value, bytes | bytearray | memoryview):
        value = _loaded(env, bytes(value))
    if not isinstance(value, Held):
        raise ValueError(f"set_state takes what get_state returned, or its bytes, not {type(value).__name__}")
    mine, theirs = env, value.env
    if mine.ruleset != theirs.ruleset or mine.num_agents != theirs.num_agents:
        raise ValueError(
            f"the state is of {theirs.id} under rules {saving.rules_of(theirs)!r}; "
            f"{mine.id} plays by {saving.rules_of(mine)!r}"
        )
    if len(value) != worlds:
        raise ValueError(f"the state holds {len(value)} worlds; this environment has {worlds}")
    return value


def _loaded(env: Environment, data: bytes) -> Held:
    state, over = saving.load_state(env, data), saving.notes_of(data).get("over")
    worlds = len(state.world.tick)
    over = np.asarray([False] * worlds if over is None else over)
    if over.dtype != bool or over.shape != (worlds,):
        raise saving.StateError("the saved state is damaged: it does not say which episodes have ended")
    return Held(env, state, over)


def _together(each: list[Held], worlds: int) -> Held:
    """Return worlds that were held one by one as one batch."""
    if len(each) != worlds:
        raise ValueError(f"{len(each)} states for {worlds} worlds: give one of them all, or one for each")
    states = [one.whole for one in each]
    joined = jax.tree.map(lambda *x: jnp.concatenate(x), *states)
    return Held(each[0].env, joined, reduce(np.append, [one.over for one in each]))
