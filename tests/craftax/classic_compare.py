"""Compares a step of both classic games, field by field, but for what chance decides."""

from typing import NamedTuple

import numpy as np

from tests.craftax import classic_bridge as bridge
from tests.craftax import classic_outlook as outlook
from tests.craftax import classic_peer as peer
from tests.craftax.classic_outlook import FARTHEST, FULL_HEALTH, HOMES, NEAREST, OPEN, Outlook
from tests.craftax.classic_peer import CLASSES, TIME_LIMIT
from tests.craftax.peer import States, Stepped
from tests.oracle.names import Achievement, Action, Block

SAPLING = Achievement.COLLECT_SAPLING
#: What is the same in both games whatever chance brings.
PLAIN = (
    *("player_position", "player_direction", "timestep"),
    *(f"inventory.{item}" for item in bridge.ITEMS if item != "sapling"),
)
#: What depends on whether the player was hit.
BODY = (
    *("player_health", "is_sleeping"),
    *(f"player_{name}" for name in (*bridge.VITALS, *bridge.COUNTERS)),
)

#: Rows and columns in view, and where the scalars begin after the tiles' 21 channels each.
VIEW, SCALARS = (7, 9), 7 * 9 * 21
#: Of the 22 scalars: tenths in half precision, then four facings, the light, and sleep.
_TOLERANCE = np.array([5e-4] * 16 + [0] * 4 + [1 / 499] + [0])
#: What to tell of where something of several fields differs.
_PARTS = {
    "plants": ("growing",),
    "arrows": ("arrow",),
    "creatures": tuple(CLASSES),
    "done": ("player_health",),
}


class Both(NamedTuple):
    """A step that both games have played from the same worlds."""

    before: States
    action: np.ndarray
    theirs: Stepped
    ours: bridge.Step
    looks: Outlook

    @property
    def live(self) -> np.ndarray:
        """The worlds to be compared: the episode was not over before, and nobody fell off the map (departure 2)."""
        going = (self.before["player_health"] > 0) & (self.before["timestep"] < TIME_LIMIT)
        return going & ~outlook.falls_off(self.before, self.action)


def play(before: States, action: np.ndarray, seed: int) -> Both:
    """Step both games from the published one's worlds."""
    ours = bridge.step(bridge.carry(before, seed), action)
    return beside(before, action, peer.peer().step(before, action, seed), ours)


def beside(before: States, action: np.ndarray, theirs: Stepped, ours: bridge.Step) -> Both:
    """The steps of both games, and what of them is certain."""
    return Both(before, action, theirs, ours, outlook.look_ahead(before, action, theirs.states))


def differences(both: Both) -> dict[str, np.ndarray]:
    """Whether each world differs in each thing, bool[worlds] by name."""
    theirs, ours, looks = both.theirs.states, both.ours.states, both.looks
    found = {name: _unlike(theirs[name], ours[name]) for name in PLAIN}
    found |= {name: _unlike(theirs[name], ours[name]) & ~looks.body for name in BODY}
    found["map"] = ((theirs["map"] != ours["map"]) & ~looks.map).any(axis=(1, 2))
    fresh = [it["achievements"] & ~both.before["achievements"] for it in (theirs, ours)]
    unlike = theirs["achievements"] != ours["achievements"]
    unlike[:, SAPLING] &= ~looks.sapling
    unlike[:, Achievement.WAKE_UP] &= ~looks.body
    found["achievements"] = unlike.any(axis=1)
    have = [it["inventory.sapling"] for it in (theirs, ours)]
    most = np.minimum(both.before["inventory.sapling"] + looks.sapling, 9)
    found["inventory.sapling"] = np.where(
        looks.sapling, (np.max(have, axis=0) > most) | (np.min(have, axis=0) < most - 1), have[0] != have[1]
    )
    weighed = [r - f[:, SAPLING] for r, f in zip((both.theirs.reward, both.ours.reward), fresh, strict=True)]
    found["reward"] = (np.abs(weighed[0] - weighed[1]) > 1e-5) & ~looks.body
    found |= _ends(both)
    found["plants"] = (_plants(theirs) != _plants(ours)).any(axis=1) & ~_full(both.before)
    arrow = theirs["arrows.mask"] != ours["arrows.mask"]
    for name in ("arrows.position", "arrow_directions"):
        arrow |= theirs["arrows.mask"] & (theirs[name] != ours[name]).any(axis=-1)
    found["arrows"] = (arrow & looks.arrows).any(axis=1)
    return found | _creatures(both)


def seen_otherwise(before: States, obs: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare the published observation with ours of the same worlds.

    The published game writes every slot of a class in turn onto the view, the empty ones too, so that one that
    holds nobody, or somebody just above or left of the view (by a wrapped index), can erase who was drawn there
    (departure 2). Its tenths are rounded to half precision, its light is not in 250ths (departure 5).

    Returns:
        differs: bool[worlds], it is not what ours would be with those bodies erased.
        erased: bool[worlds], somebody in view was erased.
    """
    kinds = len(CLASSES) + 1
    tiles = [x[:, :SCALARS].reshape(-1, *VIEW, 17 + kinds) for x in (obs, seen)]
    gone = np.stack([_erased(before, kind) for kind in (*CLASSES, "arrows")], axis=-1)
    left = np.where(gone, 0, tiles[1][..., 17:])
    differs = (tiles[0][..., :17] != tiles[1][..., :17]).any(axis=(1, 2, 3))
    differs |= (tiles[0][..., 17:] != left).any(axis=(1, 2, 3))
    theirs, ours = obs[:, SCALARS:], seen[:, SCALARS:]
    differs |= (np.abs(theirs - ours) > _TOLERANCE).any(axis=1)
    return differs, (gone & (tiles[1][..., 17:] > 0)).any(axis=(1, 2, 3))


def _erased(states: States, kind: str) -> np.ndarray:
    """Where the published game shows nobody of a class although a later slot may not be there: [worlds, 7, 9]."""
    corner = states["player_position"] - np.array(VIEW) // 2
    shown = np.zeros((len(corner), *VIEW), bool)
    written = np.zeros_like(shown)
    for slot in range(states[f"{kind}.mask"].shape[1]):
        place = states[f"{kind}.position"][:, slot] - corner
        inside = ((place >= 0) & (place < VIEW)).all(axis=1)
        reached = ((place >= -np.array(VIEW)) & (place < VIEW)).all(axis=1)
        world = np.flatnonzero(reached)
        row, col = (place[world] % VIEW).T
        shown[world, row, col] = (inside & states[f"{kind}.mask"][:, slot])[world]
        written[world, row, col] = True
    return written & ~shown


def _unlike(theirs: np.ndarray, ours: np.ndarray) -> np.ndarray:
    """Whether a field differs in each world."""
    return (theirs != ours).reshape(len(theirs), -1).any(axis=1)


def _ends(both: Both) -> dict[str, np.ndarray]:
    """The end by death or by the clock, which the published game tells as one (departure 1)."""
    over = both.ours.terminated | both.ours.truncated
    dead = both.ours.states["player_health"] <= 0
    late = both.ours.states["timestep"] >= TIME_LIMIT
    return {
        "done": (both.theirs.done != over) & ~both.looks.body,
        "terminated": both.ours.terminated != dead,
        "truncated": both.ours.truncated != (late & ~dead),
    }


def _plants(states: States) -> np.ndarray:
    """The saplings that are tended, in any slots: sorted numbers that tell place and age."""
    place, age = (states[f"growing_plants_{name}"].astype(np.int64) for name in ("positions", "age"))
    tended = states["growing_plants_mask"] & (age < bridge.RIPE_AGE)
    return np.sort(np.where(tended, (place[..., 0] * 64 + place[..., 1]) * 1000 + age, -1), axis=1)


def _full(before: States) -> np.ndarray:
    """Whether the published game has no slot left, where ours has one for each plant that is ripe."""
    return before["growing_plants_mask"].all(axis=1)


def _creatures(both: Both) -> dict[str, np.ndarray]:
    theirs, ours, looks = both.theirs.states, both.ours.states, both.looks
    found = {"creatures: slots": np.zeros(len(both.action), bool)}
    sides = [{name: peer.mobs(it, name) for name in ("position", "health", "mask")} for it in (theirs, ours)]
    cooldown = [np.maximum(peer.mobs(it, "attack_cooldown"), 0) for it in (theirs, ours)]
    cows = outlook.KIND == outlook.COW
    found["creatures: health"] = ((sides[0]["health"] != sides[1]["health"]) & looks.lives).any(axis=1)
    found["creatures: cooldown"] = ((cooldown[0] != cooldown[1]) & looks.times & ~cows).any(axis=1)
    moved = (sides[0]["position"] != sides[1]["position"]).any(axis=-1)
    found["creatures: place"] = (moved & looks.stays).any(axis=1)
    for side, name in zip((theirs, ours), ("published", "ours"), strict=True):
        found[f"creatures: alive, {name}"] = (looks.lives & ~peer.mobs(side, "mask")).any(axis=1)
        found[f"creatures: steps, {name}"] = _misstep(both.before, side, looks.lives)
        found[f"creatures: newcomers, {name}"] = _misplaced(side, looks.lives)
    found["creatures: map, published"] = (peer.marked(theirs) != theirs["mob_map"]).any(axis=(1, 2))
    return found


def _misstep(before: States, after: States, lives: np.ndarray) -> np.ndarray:
    """Whether a creature went where it may not: far, onto closed ground, onto another or the player."""
    old, new = peer.mobs(before, "position"), peer.mobs(after, "position")
    far = outlook.apart(old, new)
    closed = (far == 1) & ~OPEN[outlook.blocks(after, new)]
    wrong = lives & ((far > 1) | closed)
    alive = peer.mobs(after, "mask")
    together = (new[:, :, None] == new[:, None]).all(axis=-1) & alive[:, :, None] & alive[:, None]
    together &= ~np.eye(alive.shape[1], dtype=bool)
    onto_player = (new == after["player_position"][:, None]).all(axis=-1) & alive
    return (wrong | together.any(axis=-1) | onto_player).any(axis=1)


def _misplaced(after: States, lives: np.ndarray) -> np.ndarray:
    """Whether a newcomer is one of two, in a slot not the first, not hale, or where it may not appear."""
    wrong = np.zeros(len(lives), bool)
    start = 0
    for kind, count in CLASSES.items():
        old = lives[:, start : start + count]
        start += count
        new = after[f"{kind}.mask"] & ~old
        distance = outlook.apart(after[f"{kind}.position"], after["player_position"][:, None])
        home = np.isin(outlook.blocks(after, after[f"{kind}.position"]), HOMES[kind])
        fit = home & (distance > NEAREST[kind]) & (distance < FARTHEST)
        fit &= after[f"{kind}.health"] == FULL_HEALTH[kind]
        first = np.cumsum(~old, axis=1) == 1
        wrong |= (new & ~(fit & first)).any(axis=1)
    return wrong


def complain(both: Both, found: dict[str, np.ndarray], most: int = 3) -> list[str]:
    """Say what differs in the first few worlds that do."""
    lines = []
    for name, worlds in found.items():
        where = np.flatnonzero(worlds & both.live)
        lines += [f"{len(where)} worlds differ in {name}"] if where.size else []
        lines += [f"  {i}, {Action(int(both.action[i])).name}: {_tell(both, name, i)}" for i in where[:most]]
    return lines


def _tell(both: Both, name: str, i: int) -> str:
    """A field before the step, and after it in the published game and in ours."""
    rows = (both.before, both.theirs.states, both.ours.states)
    at = f"player at {both.before['player_position'][i].tolist()}: "
    if name == "map":
        theirs, ours = (row["map"][i] for row in rows[1:])
        where = np.argwhere(theirs != ours)[:3].tolist()
        names = [[Block(int(row["map"][i][tuple(place)])).name for row in rows] for place in where]
        return at + str(list(zip(where, names, strict=True)))
    if name == "reward":
        return at + f"{both.theirs.reward[i]:.2f}, {both.ours.reward[i]:.2f}"
    parts = _PARTS.get(name.partition(":")[0], ())
    kept = [n for n in both.ours.states if n.startswith((name, *parts))]
    return at + str({n: [row[n][i].astype(int).tolist() for row in rows] for n in kept})
