"""Scenes made by hand, as tokens: for what is decoded from them."""

import numpy as np

from openworld.content.creatures import CREATURES
from openworld.content.ids import Block, Direction, Fixture, Item, Projectile
from openworld.content.rulesets import CLASSIC, COOP, FULL, Ruleset
from openworld.observe.layout import ASLEEP_MARK, AWAKE_MARK, FALLEN_MARK, layout_of

NAMED = {row.name: 1 + 8 * row.kind + row.number for row in CREATURES}


class Scene:
    """A player who stands on even ground by day, until told otherwise."""

    def __init__(self, rules: Ruleset = FULL, ground: int = Block.GRASS, light: int = 30, **fields: object):
        self.rules, self.layout = rules, layout_of(rules)
        self.tokens = np.zeros(self.layout.size, np.uint8)
        usual = {"tile": ground, "light": light, "health": 9, "vitals": 9, "attributes": 1, "daylight": 250}
        self.set(**{**usual, "facing": Direction.DOWN, **fields})

    def set(self, **fields: object) -> "Scene":
        for name, value in fields.items():
            self.tokens[self.layout[name].slice] = np.ravel(value)
        return self

    def carry(self, **items: int) -> "Scene":
        for name, count in items.items():
            self.tokens[self.layout["inventory"].offset + Item[name]] = count
        return self

    def plane(self, name: str) -> np.ndarray:
        return self.tokens[self.layout[name].slice].reshape(self.rules.view_rows, self.rules.view_cols)

    def put(
        self,
        up: int,
        right: int,
        tile: int | None = None,
        *,
        creature: str | int = 0,
        missile: Projectile | None = None,
        light: int | None = None,
    ) -> "Scene":
        """Change the tile that lies so far from the player."""
        at = self.rules.view_rows // 2 - up, self.rules.view_cols // 2 + right
        if tile is not None:
            self.plane("tile")[at] = tile
        if creature:
            self.plane("creature")[at] = NAMED[creature] if isinstance(creature, str) else creature
        if missile is not None:
            self.plane("missile")[at] |= 1 << missile
        if light is not None:
            self.plane("light")[at] = light
        return self


def blocks(rules: Ruleset) -> Scene:
    """Every block that the rules' layout can tell, and fixtures."""
    scene = Scene(rules, ladder_open=1)
    view = scene.plane("tile").reshape(-1)
    looks = list(range(min(len(Block), scene.layout["tile"].high + 1)))
    if len(rules.floors) > 1:
        looks += [Block.PATH + 64 * f for f in (Fixture.TORCH, Fixture.LADDER_DOWN, Fixture.LADDER_UP)]
    view[: len(looks)] = looks
    return scene


def creatures(rules: Ruleset) -> Scene:
    """Every creature, alone and behind a missile, and every missile."""
    scene = Scene(rules, Block.PATH)
    kinds = [p for p in Projectile if scene.layout["missile"].high >> p & 1]
    plane, flying = scene.plane("creature").reshape(-1), scene.plane("missile").reshape(-1)
    for i, row in enumerate(rules.creatures):
        plane[2 * i : 2 * i + 2] = NAMED[row.name]
        flying[2 * i + 1] = 1 << kinds[i % len(kinds)]
    flying[-len(kinds) :] = [1 << kind for kind in kinds]
    return scene


def meadow(rules: Ruleset = FULL, **fields: object) -> Scene:
    """A table, a furnace, a tree, water, a zombie, a cow, a skeleton and its arrow."""
    scene = Scene(rules, **fields).put(1, 0, Block.TREE).put(2, 2, Block.CRAFTING_TABLE)
    scene.put(2, 3, Block.FURNACE).put(-1, 0, Block.WATER).put(-2, 0, Block.WATER).put(
        0, -2, creature="zombie"
    )
    scene.put(0, 2, creature="cow").put(-2, -3, Block.PATH, creature="skeleton")
    return scene.put(-2, -2, Block.PATH, missile=Projectile.ARROW).put(3, -3, Block.DIAMOND)


def hoard(**fields: object) -> Scene:
    """Everything that can be carried, worn and known."""
    scene = Scene(FULL, sword_enchantment=1, bow_enchantment=2, armour=[1, 2, 1, 2], **fields)
    scene.set(armour_enchantment=[0, 1, 2, 0], health=13, vitals=[17, 3, 0, 21], experience=4, spells=1)
    scene.carry(
        WOOD=99, STONE=12, COAL=7, IRON=3, DIAMOND=2, SAPPHIRE=1, RUBY=5, SAPLING=1, TORCH=48, ARROW=10
    )
    scene.carry(BOOK=1, PICKAXE=4, SWORD=3, BOW=1, POTION_RED=1, POTION_GREEN=2, POTION_BLUE=13)
    return scene.set(attributes=[1, 3, 5], resting=1, floor=4)


def mine() -> Scene:
    """A torch in the dark, a gnome beside it, a missile of the player's own."""
    scene = Scene(FULL, 0, light=0, floor=2)
    for up in range(-2, 4):
        for left in range(-1, 5):
            if (far := abs(up - 1) + abs(left - 2)) < 5:
                scene.put(up, -left, Block.PATH, light=28 - 6 * far)
    scene.put(1, -2, Block.PATH | Fixture.TORCH << 6).put(1, -1, creature="gnome warrior")
    scene.put(2, -2, Block.STONE).put(0, -2, Block.SAPPHIRE)
    return scene.put(0, -1, light=16 + 64)


def graveyard(bared: int) -> Scene:
    """The necromancer and a troll on a grave."""
    scene = Scene(FULL, Block.PATH, floor=8, boss_vulnerable=bared).put(2, 0, Block.NECROMANCER)
    return scene.put(1, 3, Block.GRAVE2, creature="troll").put(0, 3, Block.GRAVE).put(-1, 3, Block.GRAVE3)


def coop(**fields: object) -> Scene:
    """Players on their feet, asleep and fallen."""
    scene = Scene(COOP, player=2, **fields)
    for number in range(8):
        scene.plane("creature")[1, number] = AWAKE_MARK + 4 * number + number % 4
        scene.plane("creature")[6, number] = ASLEEP_MARK + number
        scene.plane("creature")[7, number] = FALLEN_MARK + number
    return scene


def every() -> dict[str, Scene]:
    """Return scenes by name."""
    tools = {"WOOD_PICKAXE": 1, "STONE_PICKAXE": 2, "WOOD_SWORD": 1, "SAPLING": 3, "WOOD": 9}
    return {
        "blocks": blocks(FULL),
        "creatures": creatures(FULL),
        "meadow": meadow(facing=Direction.LEFT),
        "dusk": meadow(daylight=100, facing=Direction.UP),
        "night": meadow(daylight=0, facing=Direction.RIGHT),
        "sleep": meadow(daylight=20, asleep=1),
        "hoard": hoard(),
        "mine": mine(),
        "black": Scene(FULL, 0, light=0, floor=5),
        "closed": Scene(FULL, Block.PATH, floor=1).put(0, 1, Block.PATH | Fixture.LADDER_DOWN << 6),
        "graveyard": graveyard(0),
        "graveyard, bared": graveyard(1),
        "classic blocks": blocks(CLASSIC),
        "classic creatures": creatures(CLASSIC),
        "classic meadow": meadow(CLASSIC, facing=Direction.LEFT).carry(**tools),
        "classic night": meadow(CLASSIC, daylight=0, vitals=[5, 0, 3, 9]),
        "classic sleep": meadow(CLASSIC, daylight=20, asleep=1),
        "coop": coop(),
        "coop, fallen": coop(fallen=1),
    }


def vista(rules: Ruleset = FULL, **fields: object) -> Scene:
    """A meadow with a lake, rocks and a wood, for the page's picture."""
    scene = meadow(rules, **fields)
    rows, cols = np.indices(scene.plane("tile").shape)
    plane, bare = scene.plane("tile"), scene.plane("tile") == Block.GRASS
    across, down = cols - cols.max() // 2, rows - rows.max() // 2
    lake, rock = across - down, across + down
    for where, block in ((lake > 5, Block.SAND), (lake > 6, Block.WATER), (rock < -4, Block.STONE)):
        plane[bare & where] = block
    plane[bare & (rock < -4) & ((3 * rows + cols) % 7 == 0)] = Block.COAL
    plane[bare & (rock > 1) & (lake < 4) & ((5 * rows + 3 * cols) % 7 == 0)] = Block.TREE
    return scene


def page() -> np.ndarray:
    """Return the picture of docs/reference/observation.md: four scenes side by side."""
    import jax

    from openworld.observe.pixels.frames import pixels

    day = vista(facing=Direction.LEFT).carry(
        WOOD=5, STONE=12, SAPLING=1, PICKAXE=2, SWORD=1, ARROW=8, TORCH=3
    )
    tools = {"WOOD_PICKAXE": 1, "STONE_PICKAXE": 1, "WOOD_SWORD": 1, "SAPLING": 2, "WOOD": 4, "STONE": 9}
    below = mine().set(armour=[1, 0, 0, 1]).carry(TORCH=17, PICKAXE=3, SWORD=3, COAL=6, IRON=2)
    night = vista(facing=Direction.RIGHT, daylight=25, vitals=[4, 6, 2, 9]).carry(WOOD=1)
    shown = []
    for scene, scale in ((day, 3), (night, 3), (below, 3), (vista(CLASSIC).carry(**tools), 4)):
        decode = jax.jit(lambda tokens, rules=scene.rules: pixels(tokens, rules))
        image = np.asarray(decode(scene.tokens)).repeat(scale, 0).repeat(scale, 1)
        shown.append(np.pad(image, ((0, 390 - len(image)), (0, 6), (0, 0)), constant_values=255))
    return np.concatenate(shown, axis=1)[:, :-6]


if __name__ == "__main__":
    from openworld.render import png

    print(png.write(page(), "docs/pictures/pixels.png"))
