"""The map of a world, for debugging and papers: whole floors with players, creatures and projectiles.

It is drawn from the state and shows more than any player sees. All other pictures are drawn from tokens.
"""

from functools import cache
from typing import Any

import jax
import numpy as np

from openworld.art import atlas, letters, small
from openworld.content.encoding import shown_tiles
from openworld.content.floors import KILLS_TO_DESCEND
from openworld.content.ids import Direction, Kind, Projectile
from openworld.content.rulesets import Ruleset
from openworld.content.units import GLOW_LEVELS
from openworld.environment import State
from openworld.render.human import DIM, EDGE, GROUND, INK

#: The least and the most pixels of a tile's side.
SMALLEST, LARGEST = 3, 64
_MARGIN = 6


def picture(
    state: State,
    rules: Ruleset,
    world_index: int = 0,
    floor: int | str | None = "all",
    *,
    scale: int = 8,
    light: bool = False,
) -> np.ndarray:
    """Return the map of one world of a batch, uint8[height, width, 3].

    Only this world is copied from the device.

    Args:
        state: a batch of worlds, from `reset` or `step`.
        rules: the environment's ruleset, `env.ruleset`.
        world_index: number of the world.
        floor: number of a floor; None: the one in play; "all": all floors made so far, with titles.
        scale: pixels of a tile's side, 3 to 64.
        light: paint unlit tiles of dark floors dark.
    """
    if not SMALLEST <= scale <= LARGEST:
        raise ValueError(f"scale must be {SMALLEST} to {LARGEST} pixels a tile, not {scale}")
    here = _one(state, world_index)
    made = floors_made(here)
    if floor == "all":
        return _grid([_titled(_floor(here, rules, n, scale, light), _title(here, rules, n)) for n in made])
    number = int(here.world.floor) if floor is None else floor
    if isinstance(number, str) or number not in made:
        listed = ", ".join(map(str, made))
        raise ValueError(f"floor must be None, 'all' or one that has been made ({listed}), not {floor!r}")
    return _floor(here, rules, number, scale, light)


def floors_made(here: State) -> list[int]:
    """Return the numbers of the floors made so far; a floor is made when it is entered."""
    visited = np.flatnonzero(np.asarray(here.world.floors.visited)).tolist()
    return sorted({*visited, int(here.world.floor)})


def _one(state: State, index: int) -> State:
    """Return one world, on the host."""
    worlds = state.world.tick.shape[0]
    if not -worlds <= index < worlds:
        raise ValueError(f"world_index must be 0 to {worlds - 1}, not {index}")
    if all(device.platform == "cpu" for device in state.world.tick.devices()):
        return jax.tree.map(lambda x: np.asarray(x)[index], state)  # a view: nothing is copied
    return jax.tree.map(np.asarray, _taking()(state, np.int32(index % worlds)))


@cache
def _taking() -> Any:
    """Return a compiled function that picks one world on an accelerator."""
    return jax.jit(lambda state, index: jax.tree.map(lambda x: x[index], state))


def _floor(here: State, rules: Ruleset, number: int, scale: int, light: bool) -> np.ndarray:
    """Paint a floor: tiles, projectiles, creatures, players."""
    tiles = here.ground.tiles[number].astype(np.int32)
    if here.world.floors.kills[number] < KILLS_TO_DESCEND and not rules.floors[number].boss:
        tiles = shown_tiles(tiles, ladder_closed=True, boss_vulnerable=False)
    found = np.unique(tiles)
    art = np.stack([small.tile(int(tile), scale) for tile in found])
    image = art[np.searchsorted(found, tiles)].transpose(0, 2, 1, 3, 4)
    image = image.reshape(rules.rows * scale, rules.cols * scale, 3)
    if light:
        image = _dimmed(image, here, rules, number, scale)
    image = image.copy()
    active = number == int(here.world.floor)
    _fliers(image, here, number, active, scale)
    _creatures(image, here, rules, number, active, scale)
    if active:
        _players(image, here, scale)
    return image


def _dimmed(image: np.ndarray, here: State, rules: Ruleset, number: int, scale: int) -> np.ndarray:
    """Darken the unlit tiles of a dark floor."""
    row = rules.floors[min(number, len(rules.floors) - 1)]
    if row.lit or here.ground.light is None:
        return image
    place = sum(not other.lit for other in rules.floors[:number])
    glow = here.ground.light[place].astype(np.float32) / GLOW_LEVELS
    factor = (0.3 + 0.7 * np.clip(glow, 0, 1)).repeat(scale, 0).repeat(scale, 1)
    return (image * factor[..., None]).astype(np.uint8)


def _creatures(image: np.ndarray, here: State, rules: Ruleset, number: int, active: bool, scale: int) -> None:
    mobs = here.world.mobs if active else jax.tree.map(lambda x: x[number], here.ground.mobs)
    for kind in (Kind.MELEE, Kind.PASSIVE, Kind.RANGED):
        for slot in rules.slots(kind):
            if mobs.alive[slot]:
                _lay(image, mobs.position[slot], atlas.creature(kind, int(mobs.type[slot])), scale)


def _fliers(image: np.ndarray, here: State, number: int, active: bool, scale: int) -> None:
    flying = here.world.projectiles
    flying = flying if active else jax.tree.map(lambda x: x[number], here.ground.projectiles)
    for slot in np.flatnonzero(flying.alive).tolist():
        art = atlas.projectile(Projectile(int(flying.type[slot]) % len(Projectile)))
        _lay(image, flying.position[slot], art, scale)


def _players(image: np.ndarray, here: State, scale: int) -> None:
    """Paint the players, each in a bright frame."""
    player = here.world.player
    for number, (row, col) in enumerate(player.position.tolist()):
        facing, asleep = Direction(int(player.facing[number])), bool(player.asleep[number])
        fallen = int(player.health[number]) <= 0
        art = atlas.fallen(number) if fallen else atlas.player(facing, asleep, number)
        _lay(image, (row, col), art, scale)
        top, left = max(row * scale - 2, 0), max(col * scale - 2, 0)
        place = image[top : (row + 1) * scale + 2, left : (col + 1) * scale + 2]
        place[:2] = place[-2:] = place[:, :2] = place[:, -2:] = (255, 226, 90)


def _lay(image: np.ndarray, position: Any, art: np.ndarray, scale: int) -> None:
    row, col = (int(x) * scale for x in position)
    place = image[row : row + scale, col : col + scale]
    tiny = small.shrunk(art, scale)
    np.copyto(place, tiny[..., :3], where=tiny[..., 3:] > 0)


def _title(here: State, rules: Ruleset, number: int) -> str:
    """Return a floor's title: depth, name, and "(here)" for the one in play."""
    here_now = number == int(here.world.floor)
    row = rules.floors[int(here.world.theme) if here_now else number]
    depth = int(here.world.depth) if here_now else number
    return f"{depth} {row.floor.name.lower().replace('_', ' ')}{' (here)' * here_now}"


def _titled(image: np.ndarray, title: str) -> np.ndarray:
    """Put a title above a floor."""
    size = 2 if image.shape[1] >= 300 else 1
    head = np.full((letters.LINE * size + 3, image.shape[1], 3), GROUND, np.uint8)
    colour = INK if title.endswith("(here)") else DIM
    letters.write(head, 2, 1, letters.fitted(title, image.shape[1] // size), colour, size)
    edged = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    edged[[0, -1]] = EDGE
    edged[:, [0, -1]] = EDGE
    return np.concatenate([np.pad(head, ((0, 0), (1, 1), (0, 0)), mode="edge"), edged])


def _grid(parts: list[np.ndarray]) -> np.ndarray:
    """Lay out pictures of one size in a square grid."""
    columns = int(np.ceil(np.sqrt(len(parts))))
    height, width = parts[0].shape[:2]
    rows = -(-len(parts) // columns)
    size = (rows * (height + _MARGIN) + _MARGIN, columns * (width + _MARGIN) + _MARGIN, 3)
    whole = np.full(size, GROUND, np.uint8)
    for i, part in enumerate(parts):
        row, col = divmod(i, columns)
        top, left = _MARGIN + row * (height + _MARGIN), _MARGIN + col * (width + _MARGIN)
        whole[top : top + height, left : left + width] = part
    return whole
