"""Write the drawings to files: `python -m openworld.render.drawings` writes assets/art/ and a sheet.

The drawings are code (`openworld/art`). Change one there, run this command, and look at the sheet.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from openworld.art import atlas, figures, items, letters
from openworld.art.small import shrunk
from openworld.content.encoding import tile_of
from openworld.content.ids import Attribute, Block, Direction, Fixture, Projectile, Vital
from openworld.observe import names
from openworld.render import png
from openworld.render.messages import title

#: Pixels of a tile's side: in the two `pixels` observations, as drawn, and doubled.
SIZES = (7, 10, 16, 32)
#: The folder of the drawings and the file of the sheet, from the root of the repository.
FOLDER, SHEET = Path("assets/art"), Path("docs/pictures/art.png")
_COLUMNS, _LINE, _LABEL, _GAP = 4, 40, 112, 8
_GROUND, _INK = (58, 88, 56), (240, 240, 240)

#: What the sheet calls drawings whose name in the code is not clear.
CAPTIONS = {
    "invalid": "no block",
    "out of bounds": "outside the map",
    "wall moss": "mossy wall",
    "grave2": "grave with a cross",
    "grave3": "broken grave",
    "necromancer vulnerable": "weak necromancer",
    "enchantment table fire": "fire enchanting",
    "enchantment table ice": "ice enchanting",
    "ladder down blocked": "blocked ladder",
    "arrow2": "gold-tipped arrow",
    "fireball2": "large fireball",
    "iceball2": "large iceball",
    "bared": "boss can be hurt",
    "blocked": "ladder closed",
    "day": "daytime",
    "fire": "fireball spell",
    "ice": "iceball spell",
    "ladder": "ladder open",
}

Drawing = tuple[str, str, np.ndarray]


def drawings() -> Iterator[Drawing]:
    """Yield every drawing: group, name, uint8[16, 16, 3 or 4]."""
    for block in Block:
        yield "blocks", title(block), atlas.tiles()[block]
    for fixture in list(Fixture)[1:]:
        yield "blocks", title(fixture), atlas.tiles()[tile_of(Block.PATH, fixture)]
    for (kind, number), name in names.creatures().items():
        yield "creatures", name, atlas.creature(kind, number)
    for missile in Projectile:
        yield "projectiles", title(missile), atlas.projectile(missile)
    yield from _players()
    yield from _carried()
    for sign in (*Vital, *Attribute):
        yield "signs", title(sign), atlas.icon(sign)
    for word in sorted(atlas.SIGNS):
        yield "signs", word, atlas.icon(word)


def _players() -> Iterator[Drawing]:
    for facing in Direction:
        yield "players", f"facing {title(facing)}", atlas.player(facing, False)
    yield "players", "asleep", atlas.player(Direction.DOWN, True)
    yield "players", "fallen", atlas.fallen(0)
    for number in range(1, len(figures.COATS)):
        yield "players", f"player {number}", atlas.player(Direction.DOWN, False, number)


def _carried() -> Iterator[Drawing]:
    for item in items.ITEMS:
        if item not in items.TOOLS:
            yield "items", title(item), atlas.icon(item)
    for tool in items.TOOLS:
        for level in range(1, 5):
            yield "items", f"{names.LEVELS[level]} {title(tool)}", atlas.tool(tool, level)
    for piece, name in enumerate(names.PIECES):
        for level in (1, 2):
            yield "items", f"{names.LEVELS[2 + level]} {name}", atlas.armour(piece, level)


def sheet() -> np.ndarray:
    """Return the sheet, uint8[height, width, 3]: every drawing at every size, with its name."""
    # The classic rules' tools are items of their own that look like the full rules' levels.
    every = list({drawing[:2]: drawing for drawing in drawings()}.values())
    width = _LABEL + sum(SIZES) + len(SIZES) * _GAP
    lines = -(-len(every) // _COLUMNS)
    image = np.full((lines * _LINE + _GAP, _COLUMNS * width + _GAP, 3), _GROUND, np.uint8)
    for i, (_, name, art) in enumerate(every):
        col, row = divmod(i, lines)
        _show(image[row * _LINE + _GAP :, col * width + _GAP :], name, art)
    return image


def _show(room: np.ndarray, name: str, art: np.ndarray) -> None:
    """Paint a drawing at every size into the upper left of `room`, and write its name beside it."""
    left, whole = 0, _with_alpha(art)
    for size in SIZES:
        scale = max(1, size // len(whole))
        shown = whole.repeat(scale, 0).repeat(scale, 1) if size >= len(whole) else shrunk(whole, size)
        top = (max(SIZES) - size) // 2
        np.copyto(room[top : top + size, left : left + size], shown[..., :3], where=shown[..., 3:] > 0)
        left += size + _GAP
    letters.write(
        room,
        (max(SIZES) - letters.HEIGHT) // 2 + 1,
        left,
        letters.fitted(CAPTIONS.get(name, name), _LABEL - _GAP),
        _INK,
    )


def write(folder: Path = FOLDER, page: Path = SHEET) -> None:
    """Write each drawing to `folder`/group/name.png, and the sheet; other files there are kept."""
    for group, name, art in drawings():
        png.write(_with_alpha(art), folder / group / f"{name.replace(' ', '-')}.png")
    png.write(sheet(), page)


def _with_alpha(art: np.ndarray) -> np.ndarray:
    whole = np.full((*art.shape[:2], 4), 255, np.uint8)
    whole[..., : art.shape[2]] = art
    return whole


if __name__ == "__main__":
    write()
    print(f"written to {FOLDER} and {SHEET}")
