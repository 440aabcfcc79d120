"""Random scenes of several players beside one another, about to share, help and get in the way."""

from typing import Any

import equinox as eqx
import jax
import numpy as np

from tests.oracle import scenes
from tests.oracle.book import DAY, MISSILES, Rules
from tests.oracle.names import STEPS, Action, Fixture

Rng = np.random.Generator
GIFTS = np.arange(Action.GIVE_WOOD, len(Action))


def only_player(state: Any, k: int) -> Any:
    """The same batch with player k alone; editing it edits the batch."""
    only = jax.tree.map(lambda field: field[:, k : k + 1], state.world.player)
    return eqx.tree_at(lambda s: s.world.player, state, only)


def scramble(state: Any, rng: Rng, rules: Rules, **knobs: Any) -> Any:
    """Random worlds with random players about the first player."""
    scenes.scramble(state, rng, rules=rules, **knobs)
    n = len(state.world.tick)
    for k in range(1, rules.players):
        scenes.scramble_player(only_player(state, k).world.player, rng, rules)
    for i in range(n):
        taken = {tuple(state.world.player.position[i, 0].tolist())}
        for k in range(1, rules.players):
            taken.add(settle(state, i, k, taken, rng))
    fell(state, rng)
    state.world.ahead[:] = rng.integers(0, DAY, n)
    owner = rng.integers(0, rules.players, (n, rules.missiles))
    state.world.projectiles.type[:, MISSILES:] += (8 * owner).astype(np.uint8)
    return state


def settle(state: Any, i: int, k: int, taken: set[tuple[int, int]], rng: Rng) -> tuple[int, int]:
    """Set player k of world i down: before another, opposite of it across a tile, on a ladder, or nearby."""
    world, player = state.world, state.world.player
    crowd = {
        tuple(p)
        for p, alive in zip(world.mobs.position[i].tolist(), world.mobs.alive[i], strict=True)
        if alive
    }
    for attempt in range(200):
        j, luck, way = int(rng.integers(k)), rng.random(), int(rng.integers(4))
        other, facing = player.position[i, j].astype(int), int(player.facing[i, j])
        turned = int(rng.integers(4))
        if luck < 0.35:
            spot = other + STEPS[facing]
            turned = facing ^ 1 if rng.random() < 0.6 else turned
        elif luck < 0.65:
            spot, turned = other + np.add(STEPS[facing], STEPS[way]), way ^ 1
        elif luck < 0.75 and world.floors.visited[i, world.floor[i]]:
            spot = world.floors.ladders[i, world.floor[i], int(rng.integers(2))].astype(int)
        else:
            spot = other + rng.integers(-2 - attempt // 20, 3 + attempt // 20, 2)
        place = tuple(spot.tolist())
        if scenes.inside(state, spot) and place not in taken and place not in crowd:
            break
    player.position[i, k], player.facing[i, k] = place, turned
    tiles = scenes.ground(state, i)
    if tiles[place] >> 6 < Fixture.LADDER_DOWN:
        tiles[place] = rng.choice(scenes.LAND)
    return place


def fell(state: Any, rng: Rng) -> None:
    """Let some players have fallen, but never all."""
    player = state.world.player
    down = rng.random(player.facing.shape) < 0.15
    down[np.arange(len(down)), rng.integers(0, down.shape[1], len(down))] = False
    player.health[down] = 0
    player.asleep[down] = player.resting[down] = False


def apt(state: Any, rng: Rng, rules: Rules) -> np.ndarray:
    """Actions that may well do something, int[worlds, players]: of one who faces another often with it."""
    player = state.world.player
    actions = np.stack([scenes.apt(only_player(state, k), rng, rules) for k in range(rules.players)], axis=1)
    ahead = player.position.astype(int) + np.array(STEPS)[player.facing]
    faces = (ahead[:, :, None] == player.position[:, None].astype(int)).all(axis=-1).any(axis=-1)
    shape = actions.shape
    social = np.where(rng.random(shape) < 0.3, Action.DO, rng.choice(GIFTS, shape))
    social = np.where(rng.random(shape) < 0.2, Action.LEFT + player.facing, social)
    contest = rng.choice([Action.DO, Action.PLACE_STONE, Action.PLACE_TABLE, Action.PLACE_TORCH], shape)
    contest = np.where(rng.random(shape) < 0.3, Action.LEFT + player.facing, contest)
    actions = np.where(~faces & (rng.random(shape) < 0.4), contest, actions)
    return np.where(faces & (rng.random(shape) < 0.7), social, actions).astype(np.int32)
