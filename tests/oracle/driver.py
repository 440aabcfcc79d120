"""Steps batches of edited worlds in one compiled call, and each of them once more in the oracle."""

import math
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import openworld
from tests import compiling
from tests.oracle import bridge, observe
from tests.oracle.book import FULL, Rules
from tests.oracle.names import Action
from tests.oracle.step import Outcome, step
from tests.oracle.travel import UnfitError
from tests.oracle.world import World

#: Worlds of a batch of scenes; one size, so that each game's step is compiled once.
WORLDS = 256
#: Worlds of a batch whose episodes are played, likewise.
PLAYED = 8


def environment(rules: Rules = FULL) -> Any:
    """The world under test, with tokens."""
    return _environment(*called(rules))


#: What `openworld.make` is called with: the id, and the settings in any order.
Called = tuple[str, tuple[tuple[str, Any], ...]]


def called(rules: Rules) -> Called:
    """How the world of some rules is made; what it is known by here."""
    return rules.id, tuple(rules.settings.items())


@cache
def _environment(id: str, settings: tuple[tuple[str, Any], ...]) -> Any:
    return openworld.make(id, **dict(settings))


@cache
def _stepper(*name: Any) -> Any:
    return jax.jit(_environment(*name).advance)


@cache
def _player(*name: Any) -> Any:
    return jax.jit(_environment(*name).step, compiler_options=compiling.AS_USERS)


@cache
def _decoder(*name: Any) -> Any:
    from openworld.observe.symbolic import symbolic

    rules = _environment(*name).ruleset
    return jax.jit(lambda tokens: symbolic(tokens, rules))


@cache
def _fresh(*name: Any) -> Any:
    seeds = jnp.stack([jnp.arange(WORLDS, dtype=jnp.uint32), jnp.full(WORLDS, 7, jnp.uint32)], axis=-1)
    return jax.tree.map(np.asarray, _environment(*name).reset_seeds(seeds)[1])


def decoder(rules: Rules = FULL) -> Any:
    """The compiled decoding of tokens to the published floats."""
    return _decoder(*called(rules))


def blank(rules: Rules = FULL) -> Any:
    """A batch of fresh worlds as NumPy arrays that may be edited in place."""
    return jax.tree.map(np.array, _fresh(*called(rules)))


def step_on(state: Any, action: Any, rules: Rules = FULL) -> tuple[Any, ...]:
    """`Environment.step`, compiled as users compile it; one program for all who play `PLAYED` worlds."""
    return _player(*called(rules))(state, action)


def play(state: Any, action: np.ndarray, rules: Rules = FULL) -> tuple[Any, ...]:
    """Step the compiled worlds, without auto-reset.

    Returns (tokens, state, reward, terminated, truncated) as NumPy, and the info.
    """
    out = _stepper(*called(rules))(jax.tree.map(jnp.asarray, state), jnp.asarray(action, jnp.int32))
    return jax.tree.map(np.asarray, out)


def unlike(mine: World, outcome: Outcome, theirs: World, out: tuple[Any, ...], i: int) -> list[str]:
    """Everything in which world i of a played batch differs from the oracle's."""
    tokens, _, reward, terminated, truncated = out[:5]
    found = bridge.differences(mine, theirs)
    for k, (mine_k, got) in enumerate(zip(outcome.rewards, np.atleast_1d(reward[i]), strict=True)):
        if not math.isclose(mine_k, float(got), abs_tol=1e-5):
            found.append(f"reward of player {k}: expected {mine_k}, got {got}")
    found += bridge.unequal("terminated", outcome.terminated, bool(terminated[i]))
    found += bridge.unequal("truncated", outcome.truncated, bool(truncated[i]))
    mine.up = [len(mine.players) == 1 or not player.fallen for player in mine.players]
    for player, got in zip(mine.players, np.atleast_2d(tokens[i]), strict=True):
        mine.player = player
        seen = observe.tokens(mine)
        if seen != got.tolist():
            found += bridge.unequal(f"tokens of player {player.number}", seen, got.tolist())
    return found


def agree(state: Any, action: np.ndarray, rules: Rules = FULL) -> list[World]:
    """Assert that all worlds of a batch step as the oracle's do; return these after the step."""
    before = bridge.Arrays(state.world, state.ground)
    out = play(state, action, rules)
    after = bridge.Arrays(out[1].world, out[1].ground)
    complaints, played = [], []
    for i in range(len(action)):
        mine = bridge.read(before, i, rules)
        try:
            chosen = np.atleast_1d(action[i]).tolist()
            outcome = step(mine, chosen, made=lambda floor, i=i: made_anew(before, after, i, floor))
            found = unlike(mine, outcome, bridge.read(after, i, rules), out, i)
        except UnfitError as complaint:
            found = [str(complaint)]
        played.append(mine)
        if found:
            old = bridge.read(before, i, rules)
            here = old.here
            start = f"tick {old.tick}, floor {old.floor} theme {old.theme}, {old.players}, mobs {here.mobs}, "
            start += f"missiles {here.mob_missiles} {here.player_missiles}"
            name = ", ".join(Action(a).name for a in chosen)
            complaints.append(f"world {i}, {name}: " + "; ".join(found[:6]) + f"\n    from {start}")
    assert not complaints, f"{len(complaints)} of {len(action)} worlds differ:\n" + "\n".join(complaints[:2])
    return played


def made_anew(before: bridge.Arrays, after: bridge.Arrays, i: int, floor: int) -> bridge.Land:
    """A floor as it is after the step in which it was entered; it must have been made in that step."""
    if np.array_equal(before.ground["tiles"][i, floor], after.ground["tiles"][i, floor]):
        raise UnfitError(f"floor {floor} was not made when it was entered")
    return bridge.made(after, i, floor)
