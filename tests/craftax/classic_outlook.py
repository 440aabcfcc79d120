"""What of a classic step is certain before it is played, and what chance decides (rules 1.4 to 1.8).

Creatures wander, skeletons may shoot when cornered, grass may hide a sapling. All else is certain, and must come
out the same in both games. What is in doubt is called loose; in doubtful cases more is called loose than is.
"""

from typing import NamedTuple

import numpy as np

from tests.craftax.classic_peer import CLASSES, STEPS, mobs
from tests.craftax.peer import States
from tests.oracle.names import Action, Block

#: Blocks that creatures enter; what lives on which of them, and how far from the player it appears (exclusive).
OPEN = np.isin(np.arange(17), [Block.GRASS, Block.SAND, Block.PATH, Block.WOOD])
HOMES = {
    "zombies": (Block.GRASS, Block.PATH),
    "cows": (Block.GRASS,),
    "skeletons": (Block.PATH,),
}
NEAREST, FARTHEST = {"zombies": 9, "cows": 3, "skeletons": 9}, 14
FULL_HEALTH = {"zombies": 5, "cows": 3, "skeletons": 3}
#: The class of each of the eight slots.
KIND = np.repeat(np.arange(3), list(CLASSES.values()))
ZOMBIE, COW, SKELETON = range(3)
_FOUR = STEPS[1:]


class Outlook(NamedTuple):
    """What is certain of each world: of the player, of its eight creatures, of its three arrows, of the map."""

    sapling: np.ndarray  # [worlds] one may be found
    body: np.ndarray  # [worlds] the player may be hit, or may not
    lives: np.ndarray  # [worlds, 8] the creature surely lives on, wounded or not
    stays: np.ndarray  # [worlds, 8] and stays where it is
    times: np.ndarray  # [worlds, 8] and its cooldown is certain
    arrows: np.ndarray  # [worlds, 3] the arrow's fate is certain
    map: np.ndarray  # [worlds, rows, cols] the tile may be shot to pieces


def blocks(states: States, places: np.ndarray) -> np.ndarray:
    """The blocks at places [worlds, ..., 2]; beyond the map OUT_OF_BOUNDS."""
    rows, cols = states["map"].shape[1:]
    inside = ((places >= 0) & (places < (rows, cols))).all(axis=-1)
    world = np.arange(len(places)).reshape(-1, *(1,) * (places.ndim - 2))
    there = np.where(inside[..., None], places, 0)
    return np.where(inside, states["map"][world, there[..., 0], there[..., 1]], int(Block.OUT_OF_BOUNDS))


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Manhattan distances."""
    return np.abs(a - b).sum(axis=-1)


def acts(before: States, action: np.ndarray) -> np.ndarray:
    """The actions that are played: a sleeper does nothing."""
    return np.where(before["is_sleeping"], int(Action.NOOP), action)


def faced(before: States) -> np.ndarray:
    """The place that each player faces before the step."""
    return before["player_position"] + STEPS[before["player_direction"]]


def blow(before: States) -> np.ndarray:
    """What the player's swords deal."""
    worth = {"wood": 2, "stone": 3, "iron": 5}
    return np.maximum(1, np.max([n * before[f"inventory.{k}_sword"] for k, n in worth.items()], axis=0))


def look_ahead(before: States, action: np.ndarray, after: States) -> Outlook:
    """Tell what is certain; of the step's outcome only the player's place and the map are used."""
    action, here = acts(before, action), after["player_position"]
    place, alive = mobs(before, "position"), mobs(before, "mask")
    struck = (action == Action.DO)[:, None] & (place == faced(before)[:, None]).all(axis=-1) & alive
    dies = struck & (mobs(before, "health") <= blow(before)[:, None])
    distance = apart(place, here[:, None])
    lives = alive & ~dies & (distance < FARTHEST)

    around = place[:, :, None] + _FOUR
    player = (around == here[:, None, None]).all(axis=-1)
    opens = OPEN[blocks(before, around)], OPEN[blocks(after, around)]
    closed = player | ~(opens[0] | opens[1])
    free = ~player & opens[0] & opens[1]
    neighbours = (apart(around[:, :, :, None], place[:, None, None]) <= 1) & alive[:, None, None]
    neighbours &= ~np.eye(place.shape[1], dtype=bool)[None, :, None]
    free &= ~neighbours.any(axis=-1)
    # What was set down may have been shot to pieces since.
    placing = (action >= Action.PLACE_STONE) & (action <= Action.PLACE_PLANT)
    free &= ~(placing[:, None, None] & (around == faced(before)[:, None, None]).all(axis=-1))

    # A ready creature acts on its distance; a skeleton near by shoots if it cannot go where it means to.
    ready = lives & (mobs(before, "attack_cooldown") <= 0)
    strikes = ready & (KIND == ZOMBIE) & (distance == 1)
    archer = ready & (KIND == SKELETON)
    near = archer & (distance <= 3)
    boxed = closed.all(axis=-1)
    shoots = archer & (((distance >= 4) & (distance <= 5)) | (near & boxed))
    doubtful = near & ~boxed & ~free.all(axis=-1)
    stays = lives & (strikes | shoots | boxed)

    arrows, loose_shots = _flights(before, after, (place, lives, stays), (shoots, doubtful))
    unsure = doubtful.any(axis=1)
    loose_map = np.zeros(before["map"].shape, bool)
    world, slot = np.nonzero((shoots | doubtful) & loose_shots[:, None])
    for side in range(4):
        row, col = np.clip(around[world, slot, side], 0, 63).T
        loose_map[world, row, col] = True
    # An arrow that comes to a tile after another one broke it flies on.
    ahead = before["arrows.position"] + before["arrow_directions"]
    row, col = np.moveaxis(np.clip(ahead, 0, 63), -1, 0)
    arrows &= ~(before["arrows.mask"] & loose_map[np.arange(len(action))[:, None], row, col])
    loose_map |= _wrapped(before)
    return Outlook(
        sapling=(action == Action.DO) & (blocks(before, faced(before)) == Block.GRASS) & ~struck.any(axis=1),
        body=unsure & ((shoots | doubtful) & (distance == 1)).any(axis=1),
        lives=lives,
        stays=stays,
        times=lives & ~doubtful,
        arrows=arrows,
        map=loose_map,
    )


def _flights(
    before: States,
    after: States,
    creatures: tuple[np.ndarray, np.ndarray, np.ndarray],
    shots: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each arrow's fate is certain, and in which worlds it is unsure what is newly shot."""
    place, lives, stays = creatures
    shoots, doubtful = shots

    def crossed(ahead: np.ndarray) -> np.ndarray:
        """Whether a creature may or may not stand at places [worlds, n, 2]; none enters a closed tile."""
        reach = apart(place[:, None], ahead[:, :, None])
        surely = (stays[:, None] & (reach == 0)).any(axis=-1)
        opens = OPEN[blocks(before, ahead)] | OPEN[blocks(after, ahead)]
        enters = opens[:, :, None] & (reach == 1) | (reach == 0)
        maybe = (lives & ~stays)[:, None] & enters
        return maybe.any(axis=-1) & ~surely

    flying = before["arrows.mask"]
    fate = ~flying | ~crossed(before["arrows.position"] + before["arrow_directions"])
    delta = after["player_position"][:, None] - place
    tie = np.abs(delta[..., 0]) == np.abs(delta[..., 1])
    along = np.abs(delta[..., 1]) > np.abs(delta[..., 0])
    toward = np.where(along[..., None], np.sign(delta) * (0, 1), np.sign(delta) * (1, 0))
    unsure = shoots & (tie | crossed(place + toward))
    loose = doubtful.any(axis=1) | unsure.any(axis=1)
    return np.where(flying, fate, ~loose[:, None]), loose


def falls_off(before: States, action: np.ndarray) -> np.ndarray:
    """Whether the published game lets the player leave the map.

    It looks up what lies beyond the first row or column by a wrapped index, and lava there is open to it.
    """
    action = acts(before, action)
    here = before["player_position"]
    moving = (action >= Action.LEFT) & (action <= Action.DOWN)
    beyond = here + STEPS[np.where(moving, action, 0)]
    outside = (beyond < 0).any(axis=1)
    world, there = np.arange(len(action)), np.where(beyond < 0, 63, np.minimum(beyond, 63))
    return outside & (before["map"][world, there[:, 0], there[:, 1]] == Block.LAVA)


def _wrapped(before: States) -> np.ndarray:
    """The tiles that an arrow which leaves the map by the first row or column breaks, by the same mistake."""
    ahead = before["arrows.position"] + before["arrow_directions"]
    world, slot = np.nonzero(before["arrows.mask"] & (ahead < 0).any(axis=-1))
    broken = np.zeros(before["map"].shape, bool)
    row, col = ahead[world, slot].T
    broken[world, row % 64, col % 64] = True
    return broken
