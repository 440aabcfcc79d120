"""The surplus that `Environment.mask_of` allows over `Environment.action_mask`; it must never allow less.

`python -m openworld.bench.mask_agreement` plays at random among the actions that the exact mask allows. Worlds are
taken down a floor now and then, some more often than others, so that all floors are seen.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from openworld import registry
from openworld.bench.equality import at_the_ladder
from openworld.content.ids import Action
from openworld.environment import Environment, State
from openworld.system import provenance
from openworld.system.files import replacing

#: Steps of a scan. A world is led down once in `LED` steps, or twice, four or eight times as often.
STEPS, LED = 50, 64
GAMES = (("OpenWorld-v0", 1), ("OpenWorld-Classic-v0", 1), ("OpenWorld-Coop-v0", 2))


def count(env: Environment, states: int, worlds: int = 512) -> dict[str, Any]:
    """Compare the masks over at least so many states; those of each player count as one."""
    obs, state = env.reset(0, worlds)
    play = jax.jit(lambda *at: _scan(env, *at))
    total = np.zeros((len(env.ruleset.floors), 5, env.num_actions), np.int64)
    while total[:, 0, 0].sum() < states:
        (obs, state), counted = play(obs, state, jax.random.key(int(total[:, 0, 0].sum())))
        total += np.asarray(counted, np.int64)
    seen, allowed, more, less, any_more = total.sum(axis=0)
    return {
        "id": env.id,
        "players": env.num_agents,
        "states": int(seen[0]),
        "states_by_floor": total[:, 0, 0].tolist(),
        "forbidden_though_of_use": int(less.sum()),
        "allowed_by_state": float(allowed.sum() / seen.sum()),
        "allowed_more": float(more.sum() / seen.sum()),
        "states_allowed_more": float(any_more[0] / seen[0]),
        "allowed_more_by_action": {
            Action(action).name: float(more[action] / seen[action]) for action in np.flatnonzero(more)
        },
        "allowed_more_by_floor": (total[:, 2].sum(axis=-1) / total[:, 0].sum(axis=-1).clip(1)).tolist(),
    }


def _scan(env: Environment, obs: Array, state: State, key: Array) -> tuple[tuple[Array, State], Array]:
    def body(at: tuple[Array, State], key: Array) -> tuple[tuple[Array, State], Array]:
        obs, state = at
        exact, seen = env.action_mask(state), env.mask_of(obs)
        choose, guide = jax.random.split(key)
        chance = jax.random.uniform(choose, exact.shape)
        action = jnp.argmax(jnp.where(exact, chance, -1.0), axis=-1).astype(jnp.int32)
        more = seen & ~exact
        some = jnp.any(more, axis=-1, keepdims=True) | jnp.zeros_like(more)
        kinds = jnp.stack([jnp.ones_like(more), exact, more, exact & ~seen, some], axis=-2)
        kinds = kinds.reshape(len(exact), -1, *kinds.shape[-2:]).astype(jnp.int32)
        floors = jnp.arange(len(env.ruleset.floors), dtype=jnp.int32)
        here = (state.world.floor[:, None] == floors[None]).astype(jnp.int32)
        counted = jnp.einsum("wf,wpka->fka", here, kinds)
        if len(floors) > 1:
            often = LED >> (jnp.arange(len(exact), dtype=jnp.int32) % 4)
            led = jax.random.randint(guide, often.shape, 0, often) == 0
            down = (at_the_ladder(state).world, jnp.full_like(action, Action.DESCEND))
            world, action = jax.tree.map(
                lambda x, y: jnp.where(led.reshape(-1, *(1,) * (x.ndim - 1)), x, y),
                down,
                (state.world, action),
            )
            state = eqx.tree_at(lambda s: s.world, state, world)
        obs, state, *_ = env.step(state, action)
        return (obs, state), counted

    after, counted = jax.lax.scan(body, (obs, state), jax.random.split(key, STEPS))
    return after, jnp.sum(counted, axis=0)  # [floors, 5, actions]


def main() -> None:
    """Compare the masks in some environments, and write what is found."""
    parser = argparse.ArgumentParser(prog="python -m openworld.bench.mask_agreement")
    parser.add_argument("--states", type=float, default=1e6)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for id, players in GAMES:
        rows.append(count(registry.make(id, num_agents=players), int(options.states)))
        with replacing(options.out) as path:
            path.write_text(json.dumps({**provenance.facts(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
