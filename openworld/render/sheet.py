"""The sheet of sprites of a replay page: all tiles and icons that its episodes need."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from openworld.art import atlas
from openworld.art.paint import TILE
from openworld.content.encoding import PLAYER_PROJECTILES, creature_of, shown_tiles
from openworld.content.ids import Attribute, Direction, Item, Kind, Projectile, Vital
from openworld.content.rulesets import Ruleset
from openworld.observe.layout import AWAKE_MARK, MOST_PLAYERS, layout_of
from openworld.observe.seen import OtherPlayer, items_of
from openworld.render.picture import other_player

#: Tiles in a row of the sheet.
COLUMNS = 16
#: Icons that are not of an item.
SIGNS = ("health", "experience", "fire", "ice", "asleep", "resting", "day", "ladder", "blocked")


class Sheet:
    """A sheet of sprites; equal sprites are kept once. A sprite is known by its number."""

    def __init__(self) -> None:
        self._sprites: list[np.ndarray] = []
        self._known: dict[bytes, int] = {}

    def add(self, sprite: np.ndarray) -> int:
        """Add a sprite, uint8[16, 16, 3 or 4], and return its number: row by row, `COLUMNS` in a row."""
        whole = np.full((TILE, TILE, 4), 255, np.uint8)
        whole[..., : sprite.shape[2]] = sprite
        whole[whole[..., 3] == 0] = 0
        number = self._known.setdefault(whole.tobytes(), len(self._sprites))
        if number == len(self._sprites):
            self._sprites.append(whole)
        return number

    def image(self) -> np.ndarray:
        """Return the picture of the sheet, uint8[height, width, 4]."""
        rows = -(-len(self._sprites) // COLUMNS)
        image = np.zeros((rows * TILE, COLUMNS * TILE, 4), np.uint8)
        for number, sprite in enumerate(self._sprites):
            row, col = divmod(number, COLUMNS)
            image[row * TILE : (row + 1) * TILE, col * TILE : (col + 1) * TILE] = sprite
        return image


def sprites(sheet: Sheet, games: Iterable[tuple[Ruleset, np.ndarray]]) -> dict[str, Any]:
    """Add the sprites that are needed to show tokens, and return their numbers by their meaning.

    Args:
        sheet: they are added to it.
        games: (rules, tokens of all frames under them, uint8[frames, tokens]).
    """
    looks, marks, known = {0}, {0}, list(games)
    for rules, tokens in known:
        layout = layout_of(rules)
        looks |= set(np.unique(tokens[:, layout["tile"].slice]).tolist())
        marks |= set(np.unique(tokens[:, layout["creature"].slice]).tolist())
    items = sorted({item for rules, _ in known for item in items_of(rules)})
    tools = {Item.PICKAXE: range(1, 5), Item.SWORD: range(1, 5)}
    return {
        "tile": {str(tile): sheet.add(atlas.tiles()[tile]) for tile in sorted(_all_looks(looks))},
        "creature": {str(mark): sheet.add(_body(mark)) for mark in sorted(marks - {0})},
        "missile": [sheet.add(atlas.projectile(projectile)) for projectile in Projectile],
        "own": [int(projectile) for projectile in PLAYER_PROJECTILES],
        "player": [_player(sheet, number) for number in range(MOST_PLAYERS)],
        "icon": {sign: sheet.add(atlas.icon(sign)) for sign in SIGNS},
        "item": {str(int(item)): sheet.add(atlas.icon(item)) for item in items if item not in tools},
        "tool": {
            str(int(item)): [sheet.add(atlas.tool(item, level)) for level in levels]
            for item, levels in tools.items()
        },
        "armour": [[sheet.add(atlas.armour(piece, level)) for level in (1, 2)] for piece in range(4)],
        "vital": [sheet.add(atlas.icon(vital)) for vital in Vital],
        "attribute": [sheet.add(atlas.icon(attribute)) for attribute in Attribute],
    }


def _all_looks(looks: set[int]) -> set[int]:
    """Return the looks of tiles, with those that depend on more than the token; see `Seen.tile`."""
    shown = shown_tiles(np.array(sorted(looks), np.int32), ladder_closed=True, boss_vulnerable=True)
    return looks | set(shown.tolist())


def _body(mark: int) -> np.ndarray:
    """Return the drawing of a token of the plane of creatures."""
    if mark < AWAKE_MARK:
        kind, number = creature_of(mark)
        return atlas.creature(Kind(kind), number)
    return other_player(OtherPlayer.of(0, 0, mark))


def _player(sheet: Sheet, number: int) -> list[int]:
    """Add the sprites of a player: facing each way, asleep, fallen."""
    ways = [atlas.player(facing, False, number) for facing in Direction]
    return [
        sheet.add(art) for art in (*ways, atlas.player(Direction.DOWN, True, number), atlas.fallen(number))
    ]
