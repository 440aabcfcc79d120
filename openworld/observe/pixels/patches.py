"""The patches of a small picture: each tile with each body on it, and each value of each place."""

from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import numpy as np
from jaxtyping import Int32, UInt8

from openworld.art import atlas, small
from openworld.content.encoding import block_of, creature_mark, fixture_of, tile_of
from openworld.content.ids import Block, Direction, Fixture, Kind, Projectile
from openworld.content.reach import reachable
from openworld.content.rulesets import Ruleset
from openworld.observe.layout import AWAKE_MARK, MOST_PLAYERS, layout_of
from openworld.observe.pixels.slots import Slot, slots

#: Pixels of a tile's side, by the published layout.
SIZES = {"full": 10, "classic": 7}
LADDERS = (Fixture.LADDER_DOWN, Fixture.LADDER_UP, Fixture.LADDER_DOWN_BLOCKED)


@dataclass(frozen=True)
class Patches:
    """The table for one ruleset's pictures.

    It has first the bare tiles, by number; then the tiles with a body on them, footing by footing; then the
    pictures of the places.

    Attributes:
        table: the patches, each `size` x 3 * `size` bytes.
        occupied: where the tiles begin that somebody stands on.
        footing: of each tile's number: which footing it is, 0 if it is none.
        standing: of each body: which of what can stand on a tile it is; a creature is followed by itself with
            each projectile before it.
        bodies: how many can stand on a tile.
        missiles: kinds of projectiles.
        place: of each place: token, shift, second token, its weight, first face, last face.
    """

    size: int
    table: UInt8[np.ndarray, "n size width"]
    occupied: int
    footing: Int32[np.ndarray, " tiles"]
    standing: Int32[np.ndarray, " bodies"]
    bodies: int
    missiles: int
    place: Int32[np.ndarray, "rows cols 6"]


@cache
def patches_of(rules: Ruleset) -> Patches:
    """Return the patches of a ruleset's pictures."""
    size, layout = SIZES[rules.symbolic], layout_of(rules)
    fixtures = len(Fixture) if fixture_of(layout["tile"].high) else 1
    bare = [small.tile(tile, size) for tile in range(tile_of(0, fixtures))]
    footings = _footings(rules)
    missiles = layout["missile"].high.bit_length()
    bodies, standing = _bodies(rules, size, missiles)
    occupied = [_over(bare[tile], body) for tile in footings for body in bodies]
    rows = slots(rules, size)
    faces = [face for row in rows for slot in row for face in slot.faces]
    footing = np.zeros(len(bare), np.int32)
    footing[footings] = np.arange(len(footings))
    return Patches(
        size=size,
        table=np.stack([*bare, *occupied, *faces]).reshape(-1, size, 3 * size),
        occupied=len(bare),
        footing=footing,
        standing=standing,
        bodies=len(bodies),
        missiles=missiles,
        place=_places(rows, len(bare) + len(occupied)),
    )


def _footings(rules: Ruleset) -> list[int]:
    """Return the numbers of the tiles on which a body can stand; the first is 0, a tile that is not seen."""
    homes = {block for row in rules.creatures for block in row.home}
    if any(row.boss for row in rules.floors):
        homes |= {Block.GRAVE, Block.GRAVE2, Block.GRAVE3}
    open_ = homes | {row.block for row in rules.blocks if not row.solid}
    lit = {block for row in rules.placements if row.fixture == Fixture.TORCH for block in row.onto or ()}
    below = {getattr(row.ground, "ladder_on", Block.PATH) for row in rules.floors if len(rules.floors) > 1}
    seen = reachable(rules).all_blocks
    found = {int(block) for block in open_} | {tile_of(block, Fixture.TORCH) for block in lit}
    found |= {tile_of(block, ladder) for block in below for ladder in LADDERS}
    return [0, *sorted(tile for tile in found if block_of(tile) in seen)]


def _bodies(
    rules: Ruleset, size: int, missiles: int
) -> tuple[list[np.ndarray], Int32[np.ndarray, " bodies"]]:
    """Return what can stand on a tile, as small art, and where each token's body is among it, 1 the first.

    One player alone has the mark that other players would see. Players hide projectiles.
    """
    players = range(MOST_PLAYERS if rules.coop else 1)
    flying = [small.shrunk(atlas.projectile(kind), size) for kind in Projectile if kind < missiles]
    bodies, standing = list(flying), np.zeros(AWAKE_MARK + 6 * len(players), np.int32)
    for row in rules.creatures:
        creature = small.shrunk(atlas.creature(Kind(row.kind), row.number), size)
        standing[creature_mark(row.kind, row.number)] = len(bodies) + 1
        bodies += [creature, *(_over(creature, missile) for missile in flying)]
    standing[AWAKE_MARK:] = len(bodies) + 1 + np.arange(6 * len(players))
    for who in players:
        awake = [small.shrunk(atlas.player(way, False, who), size) for way in Direction]
        bodies += [small.facing(art, way) for art, way in zip(awake, Direction, strict=True)]
    bodies += [small.shrunk(atlas.player(Direction.DOWN, True, who), size) for who in players]
    bodies += [small.shrunk(atlas.fallen(who), size) for who in players]
    return bodies, standing


def _over(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Lay small art on a tile or on other art."""
    return np.where(above[..., 3:] > 0, above[..., : below.shape[-1]], below)


def _places(rows: list[list[Slot]], face: int) -> Int32[np.ndarray, "rows cols 6"]:
    flat = [slot for row in rows for slot in row]
    first = list(accumulate((len(slot.faces) for slot in flat), initial=face))
    rows_of = [
        (slot.token, slot.shift, slot.second, slot.weight, start, end - 1)
        for slot, start, end in zip(flat, first, first[1:], strict=False)
    ]
    return np.array(rows_of, np.int32).reshape(len(rows), -1, 6)
