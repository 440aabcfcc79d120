"""The drawings of blocks and fixtures, one row each."""

from collections.abc import Callable

from openworld.art.paint import INK, Canvas, Colour, shade
from openworld.content.ids import Block, Fixture

GRASS: Colour = (104, 159, 74)
PATH: Colour = (176, 154, 118)
STONE: Colour = (134, 134, 140)
WATER: Colour = (64, 124, 190)
SAND: Colour = (226, 206, 148)
WOOD: Colour = (134, 92, 52)
LEAF: Colour = (46, 104, 54)
WALL: Colour = (96, 92, 108)
DIAMOND: Colour = (206, 246, 250)
SAPPHIRE: Colour = (52, 92, 226)
RUBY: Colour = (222, 42, 66)
IRON: Colour = (222, 168, 128)
COAL: Colour = (38, 36, 42)
FIRE_GRASS: Colour = (122, 66, 48)
ICE_GRASS: Colour = (206, 226, 236)
FLAME: Colour = (250, 150, 40)


def textured(colour: Colour, seed: int) -> Canvas:
    """Plain ground with a little grain."""
    return (
        Canvas(colour).speckle(shade(colour, 0.92), 0.16, seed).speckle(shade(colour, 1.08), 0.10, seed + 1)
    )


def grass() -> Canvas:
    """Meadow with tufts."""
    tufts = [(3, 3), (4, 3), (4, 4), (6, 11), (7, 11), (7, 12), (12, 5), (13, 5), (13, 6), (11, 13), (12, 13)]
    return textured(GRASS, 1).dots(tufts, shade(GRASS, 0.8))


def water() -> Canvas:
    """Water with waves."""
    canvas = textured(WATER, 5)
    for row, col in ((3, 2), (6, 9), (10, 3), (13, 10)):
        canvas.line((row, col), (row, col + 3), shade(WATER, 1.4))
    return canvas


def stone() -> Canvas:
    """Rock with cracks."""
    canvas = textured(STONE, 9)
    for start, stop in (((2, 2), (2, 6)), ((5, 9), (5, 13)), ((9, 3), (9, 8)), ((12, 10), (12, 14))):
        canvas.line(start, stop, shade(STONE, 0.78))
        canvas.line((start[0] + 1, start[1]), (stop[0] + 1, stop[1]), shade(STONE, 1.12))
    return canvas


def ore(colour: Colour) -> Canvas:
    """Rock with lumps of something."""
    canvas = textured(STONE, 9)
    for row, col in ((4, 4), (5, 11), (10, 7), (12, 12), (11, 2)):
        canvas.disc(row, col, 2.1, shade(colour, 0.55)).disc(row, col, 1.5, colour)
        canvas.dots([(row - 1, col - 1)], shade(colour, 1.5))
    return canvas


def gem(colour: Colour) -> Canvas:
    """Rock with one large cut stone."""
    large = Canvas().polygon([(2.5, 8), (7, 13.5), (13.5, 8), (7, 2.5)], colour)
    large.polygon([(2.5, 8), (7, 8), (7, 2.5)], shade(colour, 1.35)).line((7, 4), (7, 12), shade(colour, 0.7))
    return textured(STONE, 9).over(large.outline())


def tree(ground: Canvas, leaf: Colour, trunk: Colour = WOOD) -> Canvas:
    """A round crown on a trunk."""
    crown = (
        Canvas().rect(10, 7, 5, 3, trunk).disc(6, 5, 3.6, leaf).disc(6, 10.5, 3.6, leaf).disc(4, 8, 3.6, leaf)
    )
    crown.dots([(3, 6), (3, 7), (2, 8), (5, 4), (6, 3), (5, 11), (6, 12)], shade(leaf, 1.45))
    return ground.over(crown.outline(shade(leaf, 0.45)))


def table() -> Canvas:
    """A bench with a saw and a hammer."""
    bench = Canvas().rect(3, 1, 10, 14, (168, 118, 68)).rect(11, 1, 3, 14, (120, 80, 44))
    bench.rect(3, 1, 1, 14, (200, 150, 94)).line((6, 3), (6, 7), (200, 200, 208), 2).rect(5, 8, 3, 2, INK)
    bench.rect(5, 12, 5, 1, (90, 58, 32)).rect(5, 11, 2, 3, (150, 150, 160))
    return textured(PATH, 13).over(bench.outline())


def furnace() -> Canvas:
    """An oven with fire in its mouth."""
    oven = (
        Canvas().rect(1, 2, 13, 12, (112, 112, 120)).rect(1, 2, 2, 12, (150, 150, 158)).rect(8, 5, 5, 6, INK)
    )
    oven.rect(10, 6, 3, 4, (226, 88, 30)).rect(11, 7, 2, 2, (255, 214, 90)).rect(5, 4, 1, 8, (80, 80, 88))
    return textured(PATH, 13).over(oven.outline())


def sapling(ripe: bool) -> Canvas:
    """A young plant, with fruit once it is ripe."""
    stem, leaf = (74, 120, 44), (140, 206, 78)
    plant = (
        Canvas().line((13, 7), (6, 7), stem, 1).ellipse(7, 5, 1.8, 2.8, leaf).ellipse(6, 10, 1.8, 2.8, leaf)
    )
    plant.ellipse(3.5, 7.5, 2.2, 1.6, leaf)
    if ripe:
        fruit: Colour = (240, 72, 110)
        plant.disc(5, 5, 1.6, fruit).disc(8, 10, 1.6, fruit).disc(3, 8, 1.6, fruit)
    return grass().over(plant.outline((34, 74, 34)))


def wall(moss: bool) -> Canvas:
    """Brickwork."""
    canvas = Canvas(shade(WALL, 0.55))
    for row in range(4):
        for col in range(-1, 3):
            left = col * 8 + (4 if row % 2 else 0)
            canvas.rect(row * 4, left, 3, 7, WALL).rect(row * 4, left, 1, 7, shade(WALL, 1.2))
    if moss:
        green: Colour = (84, 132, 70)
        canvas.speckle(green, 0.24, 31).ellipse(13, 4, 2.5, 4, green).ellipse(3, 12, 2, 3, green)
    return canvas


def lava() -> Canvas:
    """Molten rock."""
    canvas = Canvas((214, 74, 24)).speckle((178, 48, 18), 0.2, 41)
    for row, col in ((4, 4), (6, 12), (11, 7), (13, 13)):
        canvas.ellipse(row, col, 1.6, 2.8, FLAME).dots([(row, col), (row, col + 1)], (255, 232, 120))
    return canvas


def chest() -> Canvas:
    """A box with a lock."""
    box = Canvas().rect(4, 2, 10, 12, (158, 104, 50)).rect(4, 2, 4, 12, (186, 128, 66)).rect(8, 2, 1, 12, INK)
    box.rect(4, 3, 10, 1, (92, 60, 32)).rect(4, 12, 10, 1, (92, 60, 32)).rect(7, 7, 3, 2, (250, 214, 80))
    return textured(PATH, 13).over(box.outline())


def fountain() -> Canvas:
    """A basin of water."""
    basin = (
        Canvas().disc(8, 7.5, 6.4, (170, 170, 180)).disc(8, 7.5, 4.6, WATER).rect(4, 7, 5, 1, (214, 236, 250))
    )
    basin.dots([(4, 5), (5, 5), (4, 9), (5, 10), (3, 7)], (214, 236, 250))
    return textured(PATH, 13).over(basin.outline())


def enchanter(glow: Colour) -> Canvas:
    """An altar with a glowing stone."""
    altar = Canvas().rect(6, 2, 8, 12, (62, 48, 84)).rect(6, 2, 2, 12, (98, 78, 128))
    altar.rect(13, 1, 2, 14, (44, 34, 62)).polygon([(0.5, 7.5), (4, 11), (8, 7.5), (4, 4)], glow)
    altar.dots([(3, 7), (3, 6), (4, 6)], shade(glow, 1.7)).dots([(10, 4), (10, 11), (11, 7)], glow)
    return textured(PATH, 13).over(altar.outline())


def grave(form: int) -> Canvas:
    """One of three headstones."""
    slab: Colour = (150, 152, 162)
    if form == 1:  # a cross
        head = Canvas().rect(2, 7, 12, 3, slab).rect(5, 4, 3, 9, slab)
    else:
        head = Canvas().rect(6, 4, 8, 9, slab).disc(6, 8, 4.2, slab)
        head.line((6, 6), (6, 10), shade(slab, 0.6)).line((8, 6), (8, 10), shade(slab, 0.6))
    if form == 2:  # broken
        head.polygon([(1, 9), (1, 14), (8, 14)], shade(slab, 0.5)).line((4, 7), (11, 9), INK)
    head.rect(13, 3, 2, 11, (104, 84, 62))
    return textured(PATH, 13).over(head.outline())


def necromancer(vulnerable: bool) -> Canvas:
    """The last enemy, behind a shield of light until it is vulnerable."""
    robe: Colour = (92, 44, 128)
    body = Canvas().polygon([(5, 8), (15, 14), (15, 2)], robe).disc(5, 7.5, 3.6, shade(robe, 0.8))
    body.disc(5.5, 7.5, 2.2, (232, 226, 210)).dots([(5, 6), (5, 9)], (230, 30, 40))
    body.rect(8, 13, 7, 1, (206, 170, 90)).disc(6, 13, 1.3, (120, 240, 140))
    ground = textured(PATH, 13)
    if not vulnerable:
        ground.disc(8, 7.5, 7.8, (150, 210, 250)).disc(8, 7.5, 6.8, (120, 170, 214))
    return ground.over(body.outline())


def stalagmite() -> Canvas:
    """Three points of rock."""
    points = Canvas().polygon([(1, 7), (14, 11), (14, 3)], (118, 104, 96))
    points.polygon([(6, 12), (14, 15), (14, 9)], (98, 86, 80)).polygon(
        [(7, 3), (14, 6), (14, 0)], (98, 86, 80)
    )
    points.line((3, 7), (12, 6), (160, 144, 132))
    return textured(PATH, 13).over(points.outline())


def embers() -> Canvas:
    """Scorched ground."""
    return textured(FIRE_GRASS, 51).speckle((232, 110, 40), 0.07, 53).speckle((70, 38, 30), 0.12, 54)


def snow() -> Canvas:
    """Frozen ground."""
    return textured(ICE_GRASS, 61).speckle((166, 198, 220), 0.1, 63)


def gravel() -> Canvas:
    """Small stones."""
    return textured((150, 142, 134), 23).speckle((96, 90, 86), 0.2, 24).speckle((196, 190, 182), 0.1, 25)


def shrub() -> Canvas:
    """A frozen bush."""
    twig = Canvas()
    for stop in ((4, 3), (2, 8), (4, 12), (8, 2), (8, 13)):
        twig.line((13, 7), stop, (120, 168, 206), 2).disc(*stop, 1.5, (238, 250, 255))
    return snow().over(twig.outline((70, 106, 146)))


#: Block -> the function that paints it. A block without a row would look like INVALID; a test finds it.
BLOCKS: dict[Block, Callable[[], Canvas]] = {
    Block.INVALID: lambda: Canvas((12, 11, 16)),
    Block.OUT_OF_BOUNDS: lambda: Canvas((38, 36, 46)).speckle((46, 44, 56), 0.2, 71),
    Block.GRASS: grass,
    Block.WATER: water,
    Block.STONE: stone,
    Block.TREE: lambda: tree(grass(), LEAF),
    Block.WOOD: lambda: (
        textured(WOOD, 73).rect(4, 0, 1, 16, shade(WOOD, 0.7)).rect(10, 0, 1, 16, shade(WOOD, 0.7))
    ),
    Block.PATH: lambda: textured(PATH, 13),
    Block.COAL: lambda: ore(COAL),
    Block.IRON: lambda: ore(IRON),
    Block.DIAMOND: lambda: gem(DIAMOND),
    Block.CRAFTING_TABLE: table,
    Block.FURNACE: furnace,
    Block.SAND: lambda: textured(SAND, 17).speckle((202, 178, 116), 0.08, 19),
    Block.LAVA: lava,
    Block.PLANT: lambda: sapling(False),
    Block.RIPE_PLANT: lambda: sapling(True),
    Block.WALL: lambda: wall(False),
    Block.DARKNESS: lambda: Canvas((20, 18, 26)),
    Block.WALL_MOSS: lambda: wall(True),
    Block.STALAGMITE: stalagmite,
    Block.SAPPHIRE: lambda: gem(SAPPHIRE),
    Block.RUBY: lambda: gem(RUBY),
    Block.CHEST: chest,
    Block.FOUNTAIN: fountain,
    Block.FIRE_GRASS: embers,
    Block.ICE_GRASS: snow,
    Block.GRAVEL: gravel,
    Block.FIRE_TREE: lambda: tree(embers(), (224, 84, 30), (60, 40, 36)),
    Block.ICE_SHRUB: shrub,
    Block.ENCHANTMENT_TABLE_FIRE: lambda: enchanter((250, 110, 40)),
    Block.ENCHANTMENT_TABLE_ICE: lambda: enchanter((100, 200, 250)),
    Block.NECROMANCER: lambda: necromancer(False),
    Block.GRAVE: lambda: grave(0),
    Block.GRAVE2: lambda: grave(1),
    Block.GRAVE3: lambda: grave(2),
    Block.NECROMANCER_VULNERABLE: lambda: necromancer(True),
}


def torch() -> Canvas:
    """A burning torch."""
    return (
        Canvas()
        .rect(7, 7, 7, 2, WOOD)
        .disc(5, 7.5, 2.6, FLAME)
        .disc(5.5, 7.5, 1.3, (255, 236, 130))
        .outline()
    )


def ladder(up: bool) -> Canvas:
    """A hatch with a ladder going down, or a ladder going up into light."""
    rail: Colour = (196, 144, 84)
    canvas = Canvas().rect(1, 3, 14, 10, (246, 238, 196) if up else (20, 18, 24))
    canvas.rect(1, 5, 14, 1, rail).rect(1, 10, 14, 1, rail)
    for row in (3, 6, 9, 12):
        canvas.rect(row, 5, 1, 6, rail)
    return canvas.outline(shade(rail, 0.5))


FIXTURES: dict[Fixture, Callable[[], Canvas]] = {
    Fixture.NONE: Canvas,
    Fixture.TORCH: torch,
    Fixture.LADDER_DOWN: lambda: ladder(False),
    Fixture.LADDER_UP: lambda: ladder(True),
    Fixture.LADDER_DOWN_BLOCKED: lambda: ladder(False).line((2, 3), (13, 12), (190, 40, 40), 2),
}
