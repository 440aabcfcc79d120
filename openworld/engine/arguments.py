"""Checks of the arguments of an `Environment` and its functions.

A refusal is one line that says what is right.
"""

import math
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from openworld.engine.batch import State
from openworld.observe.forms import OBSERVATIONS
from openworld.observe.layout import MOST_PLAYERS
from openworld.rules.scoring import SHARES
from openworld.system import forking

if TYPE_CHECKING:
    from openworld.environment import Environment

#: The id of the environment for several players.
COOP_ID = "OpenWorld-Coop-v0"
#: The most steps of an episode: one less than a tick can count, as the tick after the last must exist.
MOST_STEPS = 2**31 - 2
#: More worlds than any memory holds: a number of worlds that was meant to be something else.
MOST_WORLDS = 2**31 - 1


def whole(name: str, value: Any, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`, Python's or NumPy's."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} must be a whole number from {low} to {high}, not {described(value)}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low} to {high}, got {value}")
    return int(value)


def yes_or_no(name: str, value: Any) -> bool:
    """Return True or False, Python's or NumPy's."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, not {described(value)}")
    return bool(value)


def share(name: str, value: Any, parts: int) -> float:
    """Return a number from 0 to 1 that is a whole number of parts."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a multiple of 0.01 from 0 to 1, not {described(value)}")
    if abs(value * parts - round(value * parts)) > 1e-6:
        raise ValueError(f"{name} must be a multiple of 0.01 from 0 to 1, not {value}")
    return float(value)


def description(env: "Environment") -> dict[str, Any]:
    """Return the numbers and flags of an environment as plain values; what cannot be played is refused."""
    if env.observation not in OBSERVATIONS:
        raise ValueError(f"observation {env.observation!r} is not one of {', '.join(OBSERVATIONS)}")
    kept = {
        "time_limit": whole("time_limit", env.time_limit, 1, MOST_STEPS),
        "num_agents": whole("num_agents", env.num_agents, 1, MOST_PLAYERS),
        "sharing": share("sharing", env.sharing, SHARES),
        "repeat_world": yes_or_no("repeat_world", env.repeat_world),
    }
    if kept["num_agents"] > 1 and not env.ruleset.coop:
        raise ValueError(f"{env.id} is for one player, not {env.num_agents}; {COOP_ID} is for several")
    return kept


def worlds(env: "Environment", call: str, state: Any) -> int:
    """Return the number of worlds of a state, or refuse what is not a state of this environment.

    Args:
        env: the environment.
        call: what is called, as a message has it: "step()".
        state: what should be a `State`.
    """
    forking.refuse()
    if not isinstance(state, State):
        raise TypeError(f"{call}: the state must be a State, as reset() returns it, not {described(state)}")
    tick, player, rules = state.world.tick.shape, state.world.player, env.ruleset
    if len(tick) != 1:
        raise ValueError(
            f"{call}: the state must have one axis of worlds, not {len(tick)}; call it without jax.vmap"
        )
    for name, found, shape in (
        ("maps", state.ground.tiles.shape[1:], (len(rules.floors), rules.rows, rules.cols)),
        ("players", player.facing.shape[1:], (env.num_agents,)),
        ("items", player.inventory.shape[2:], (rules.items,)),
    ):
        if found != shape:
            difference = f"its {name} are {list(found)}, not {list(shape)}"
            raise ValueError(f"{call}: the state is of other worlds than {env.id}: {difference}")
    return tick[0]


def played(env: "Environment", call: str, state: Any, action: Any, time_limit: Any = None) -> tuple[Any, Any]:
    """Return actions and time limit in the one form that is compiled, or refuse them.

    Args:
        env: the environment.
        call: what is called, as a message has it: "step()".
        state: the worlds.
        action: as `Environment.step` takes it.
        time_limit: as `Environment.step` takes it; None takes the environment's own.
    """
    count = worlds(env, call, state)
    each = (count,) if env.num_agents == 1 else (count, env.num_agents)
    given = np.int32(env.time_limit) if time_limit is None else limit(time_limit, count)
    return actions(action, each, env.num_actions), given


def repetition(env: "Environment", asked: Any, worlds: int) -> Any:
    """Return whether worlds repeat, for all or for each; None takes the environment's own."""
    return flags("repeat_world", env.repeat_world if asked is None else asked, worlds)


def tokens(env: "Environment", value: Any) -> None:
    """Refuse what are no tokens of an environment's rules."""
    array("tokens", value, (*getattr(value, "shape", ())[:-1], env.layout.size), np.dtype(np.uint8))


def actions(value: Any, shape: tuple[int, ...], count: int) -> Any:
    """Return actions as int32 of no weak type, so that all that means the same plays the same program.

    Args:
        value: whole numbers of any width: JAX's, NumPy's, or Python's in lists.
        shape: that they must have.
        count: of actions; a number that int32 cannot hold stays out of range.
    """
    wanted, given = f"{'whole numbers' if shape else 'a whole number'} from 0 to {count - 1}", value
    if not isinstance(value, jax.Array | np.ndarray):
        try:
            value = np.asarray(value)
        except (TypeError, ValueError):
            # A list of JAX's numbers under a caller's jit, or rows of different lengths.
            value = _stacked(value, wanted)
    if not jnp.issubdtype(value.dtype, jnp.integer) or value.dtype.kind not in "iu":
        raise TypeError(f"the action must be {wanted}, not {described(given)}")
    if value.shape != shape:
        each = "one for each world" if len(shape) == 1 else "worlds and players"
        raise ValueError(f"the action must have shape {shape}, {each}, not {value.shape}")
    numpy = isinstance(value, np.ndarray)
    if value.dtype == np.int32 and (numpy or not value.weak_type):
        return value
    if value.dtype.itemsize >= 4 and value.dtype != np.int32:
        low = None if value.dtype.kind == "u" else -1
        value = (np if numpy else jnp).clip(value, low, count)
    return value.astype(np.int32)


def _stacked(value: Any, wanted: str) -> jax.Array:
    try:
        return jnp.asarray(value)
    except (TypeError, ValueError):
        raise TypeError(f"the action must be {wanted}, not {described(value)}") from None


def seeds(value: Any) -> Any:
    """Return world seeds, 32-bit words [worlds, 2], as they are given, or refuse them."""
    if not isinstance(value, jax.Array | np.ndarray):
        value = np.asarray(value)
    one_or_more_pairs = value.shape[1:] == (2,) and value.shape[0] > 0
    if not one_or_more_pairs or not jnp.issubdtype(value.dtype, jnp.integer):
        raise ValueError(f"seeds must be 32-bit words of shape (worlds, 2), not {described(value)}")
    if isinstance(value, np.ndarray) and (value.min() < 0 or value.max() >= 2**32):
        raise ValueError("seeds must be 32-bit words, 0 to 4294967295")
    return value


def key(value: Any) -> Any:
    """Return a JAX key, raw words or a number, or refuse it."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return value
    if isinstance(value, jax.Array | np.ndarray):
        typed = jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
        if typed or (value.ndim > 0 and value.dtype.kind in "iu"):
            one = value.shape == () if typed else value.ndim == 1 and value.shape[0] in (2, 4)
            if not one:
                raise ValueError(f"the key must be one JAX key, not {described(value)}")
            return value
    raise TypeError(f"the key must be a JAX key or a whole number, not {described(value)}")


def limit(value: Any, worlds: int) -> Any:
    """Return a time limit for every world, or one for each, as int32; or refuse it."""
    if isinstance(value, int | np.integer):
        return np.int32(whole("time_limit", value, 1, MOST_STEPS))
    if not isinstance(value, jax.Array | np.ndarray) or value.dtype.kind not in "iu":
        raise TypeError(f"time_limit must be whole numbers, not {described(value)}")
    if value.shape not in ((), (worlds,)):
        raise ValueError(f"time_limit must be one number, or {worlds}, one for each world, not {value.shape}")
    if not isinstance(value, Tracer):
        known = np.asarray(value)
        wrong = known[(known < 1) | (known > MOST_STEPS)]
        if wrong.size:
            raise ValueError(f"time_limit must be 1 to {MOST_STEPS}, got {wrong.flat[0]}")
    elif value.dtype.itemsize >= 4:  # under a caller's jit: what int32 cannot hold is the longest limit
        value = jnp.clip(value, None, jnp.asarray(MOST_STEPS, value.dtype))
    return value.astype(np.int32)


def flags(name: str, value: Any, worlds: int) -> Any:
    """Return True or False for every world, or for each, as bool; or refuse it."""
    if isinstance(value, bool | np.bool_):
        return np.bool_(value)
    if not isinstance(value, jax.Array | np.ndarray) or value.dtype != np.bool_:
        raise TypeError(f"{name} must be True or False, not {described(value)}")
    if value.shape not in ((), (worlds,)):
        raise ValueError(f"{name} must be one flag, or {worlds}, one for each world, not {value.shape}")
    return value


def array(name: str, value: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array of a shape and dtype, or refuse it."""
    if not isinstance(value, jax.Array | np.ndarray):
        raise TypeError(f"{name} must be an array, {dtype}{list(shape)}, not {described(value)}")
    if value.shape != shape or value.dtype != dtype:
        raise ValueError(f"{name} must be {dtype}{list(shape)}, not {described(value)}")
    return value


def described(value: Any) -> str:
    """Describe a value in a few words: an array by its dtype and shape, a record by its class."""
    if isinstance(value, jax.Array | np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, str | int | float | np.generic | None) or _short(value):
        text = repr(value)
        return text if len(text) < 60 else f"a {type(value).__name__}"
    return f"a {type(value).__name__}"


def _short(value: Any) -> bool:
    """Return whether a value is a list of few numbers."""
    return (
        isinstance(value, list | tuple) and len(value) < 9 and all(isinstance(x, int | float) for x in value)
    )
