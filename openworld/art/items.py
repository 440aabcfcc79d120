"""The icons of items, vitals, attributes and armour, one row each."""

from collections.abc import Callable

from openworld.art.figures import arrow
from openworld.art.paint import INK, Canvas, Colour, shade
from openworld.art.terrain import DIAMOND, FLAME, IRON, RUBY, SAPPHIRE, STONE, WOOD, torch
from openworld.content.ids import Attribute, Item, Vital

#: Colours of the four levels of tools.
LEVELS: tuple[Colour, ...] = ((164, 112, 62), (150, 150, 156), (226, 180, 140), (120, 232, 236))


def log() -> Canvas:
    """A log with its rings."""
    wood = Canvas().rect(5, 2, 7, 10, WOOD).ellipse(8.5, 12, 3.6, 2.2, (206, 164, 108)).disc(8.5, 12, 1, WOOD)
    return wood.line((7, 3), (7, 8), shade(WOOD, 0.75)).line((10, 4), (10, 9), shade(WOOD, 0.75)).outline()


def lump(colour: Colour) -> Canvas:
    """A rough piece of rock or ore."""
    piece = Canvas().polygon([(3, 5), (2, 10), (6, 14), (12, 13), (13, 5), (8, 1)], colour)
    return piece.polygon([(3, 5), (2, 10), (6, 9), (7, 4)], shade(colour, 1.3)).outline()


def jewel(colour: Colour) -> Canvas:
    """A cut stone."""
    stone = Canvas().polygon([(3, 4), (3, 12), (6, 15), (14, 8), (6, 1)], colour)
    stone.polygon([(3, 4), (3, 8), (6, 8), (6, 1)], shade(colour, 1.4)).line(
        (6, 2), (6, 13), shade(colour, 0.75)
    )
    return stone.outline()


def sprout() -> Canvas:
    """A sapling to be planted."""
    leaf: Colour = (126, 196, 70)
    plant = Canvas().line((13, 8), (6, 8), (86, 130, 48)).ellipse(6, 5, 2, 3, leaf).ellipse(4, 11, 2, 3, leaf)
    return plant.outline((30, 66, 30))


def book() -> Canvas:
    """A closed book with a clasp."""
    cover = Canvas().rect(2, 3, 12, 10, (128, 58, 150)).rect(2, 3, 12, 2, (92, 40, 110))
    return cover.rect(12, 4, 2, 9, (240, 232, 206)).disc(7, 8.5, 1.8, (250, 214, 80)).outline()


def pickaxe(level: int) -> Canvas:
    """A pickaxe of a level from 1 to 4."""
    head = LEVELS[level - 1]
    tool = (
        Canvas()
        .line((13, 3), (5, 9), WOOD, 2)
        .line((2, 4), (4, 10), head, 2)
        .line((4, 10), (11, 12), head, 2)
    )
    return tool.dots([(2, 3), (12, 13)], head).outline()


def blade(level: int) -> Canvas:
    """A sword of a level from 1 to 4."""
    steel = LEVELS[level - 1]
    tool = Canvas().line((2, 12), (9, 5), steel, 2).line((3, 13), (9, 7), shade(steel, 0.8))
    return tool.line((7, 3), (12, 8), (92, 66, 44)).line((10, 4), (13, 1), WOOD, 2).outline()


def longbow() -> Canvas:
    """A strung bow."""
    wood = (
        Canvas()
        .line((2, 4), (3, 10), WOOD, 2)
        .line((3, 10), (6, 12), WOOD, 2)
        .line((6, 12), (12, 13), WOOD, 2)
    )
    return wood.line((3, 4), (12, 12), (240, 240, 240)).outline()


def potion(colour: Colour) -> Canvas:
    """A flask."""
    glass: Colour = (214, 232, 240)
    flask = Canvas().rect(1, 6, 2, 4, WOOD).rect(3, 6, 4, 4, glass).disc(10, 7.5, 4.6, glass)
    return flask.disc(10.5, 7.5, 3.7, colour).dots([(8, 5), (9, 5), (8, 6)], (255, 255, 255)).outline()


#: Item -> its icon; tools are drawn by level with `tool`.
ITEMS: dict[Item, Callable[[], Canvas]] = {
    Item.WOOD: log,
    Item.STONE: lambda: lump(STONE),
    Item.COAL: lambda: lump((60, 58, 66)).dots([(6, 6), (9, 9)], (130, 130, 140)),
    Item.IRON: lambda: lump(IRON),
    Item.DIAMOND: lambda: jewel(DIAMOND),
    Item.SAPPHIRE: lambda: jewel(SAPPHIRE),
    Item.RUBY: lambda: jewel(RUBY),
    Item.SAPLING: sprout,
    Item.TORCH: torch,
    Item.ARROW: lambda: arrow((172, 178, 192)),
    Item.BOOK: book,
    Item.PICKAXE: lambda: pickaxe(1),
    Item.SWORD: lambda: blade(1),
    Item.BOW: longbow,
    Item.POTION_RED: lambda: potion((226, 50, 50)),
    Item.POTION_GREEN: lambda: potion((70, 180, 70)),
    Item.POTION_BLUE: lambda: potion((60, 90, 220)),
    Item.POTION_PINK: lambda: potion((244, 130, 190)),
    Item.POTION_CYAN: lambda: potion((80, 220, 224)),
    Item.POTION_YELLOW: lambda: potion((246, 220, 70)),
    Item.WOOD_PICKAXE: lambda: pickaxe(1),
    Item.STONE_PICKAXE: lambda: pickaxe(2),
    Item.IRON_PICKAXE: lambda: pickaxe(3),
    Item.WOOD_SWORD: lambda: blade(1),
    Item.STONE_SWORD: lambda: blade(2),
    Item.IRON_SWORD: lambda: blade(3),
}

#: Items whose count is a level.
TOOLS: dict[Item, Callable[[int], Canvas]] = {Item.PICKAXE: pickaxe, Item.SWORD: blade}


def heart() -> Canvas:
    """Health."""
    red: Colour = (228, 48, 66)
    shape = (
        Canvas().disc(5.5, 5, 3.4, red).disc(5.5, 10, 3.4, red).polygon([(6, 1.4), (14, 7.5), (6, 13.6)], red)
    )
    return shape.dots([(4, 4), (4, 5), (5, 4)], (255, 180, 190)).outline()


def drumstick() -> Canvas:
    """Food."""
    meat = Canvas().line((12, 3), (8, 7), (240, 232, 214), 2).disc(13, 3, 1.5, (240, 232, 214))
    return meat.disc(6, 9.5, 4.2, (178, 100, 50)).disc(5, 8.5, 1.8, (214, 140, 84)).outline()


def drop() -> Canvas:
    """Drink."""
    blue: Colour = (72, 150, 232)
    shape = Canvas().polygon([(0, 7.5), (9, 12), (9, 3)], blue).disc(9.5, 7.5, 4.4, blue)
    return shape.dots([(8, 5), (9, 5), (10, 6)], (214, 236, 255)).outline()


def bolt() -> Canvas:
    """Energy."""
    return (
        Canvas()
        .polygon([(1, 9), (8, 3), (8, 7), (15, 6), (6, 13), (6, 9), (1, 12)], (250, 214, 60))
        .outline()
    )


def orb() -> Canvas:
    """Mana."""
    violet: Colour = (142, 84, 214)
    ball = Canvas().disc(7.5, 7.5, 5.6, violet).disc(6, 6, 2.6, shade(violet, 1.5))
    return ball.dots([(5, 5)], (255, 255, 255)).outline()


VITALS: dict[Vital, Callable[[], Canvas]] = {
    Vital.FOOD: drumstick,
    Vital.DRINK: drop,
    Vital.ENERGY: bolt,
    Vital.MANA: orb,
}


def star() -> Canvas:
    """Experience."""
    points = [
        (1, 7.5),
        (5, 9.4),
        (6, 14),
        (9, 10.8),
        (14, 12),
        (11, 7.5),
        (14, 3),
        (9, 4.2),
        (6, 1),
        (5, 5.6),
    ]
    return Canvas().polygon(points, (250, 206, 70)).outline()


def boot() -> Canvas:
    """Dexterity."""
    green: Colour = (96, 150, 90)
    return Canvas().rect(2, 4, 8, 5, green).rect(9, 4, 4, 9, green).rect(13, 4, 1, 9, WOOD).outline()


def fist() -> Canvas:
    """Strength."""
    skin: Colour = (232, 178, 136)
    hand = Canvas().rect(3, 4, 7, 9, skin).rect(10, 5, 4, 6, skin).rect(13, 5, 2, 6, (200, 60, 60))
    return hand.line((3, 6), (6, 6), INK).line((3, 8), (6, 8), INK).line((3, 10), (6, 10), INK).outline()


def eye() -> Canvas:
    """Intelligence."""
    white = Canvas().ellipse(7.5, 7.5, 4.2, 6.6, (246, 246, 240)).disc(7.5, 7.5, 2.8, (72, 130, 214))
    return white.disc(7.5, 7.5, 1.3, INK).outline()


ATTRIBUTES: dict[Attribute, Callable[[], Canvas]] = {
    Attribute.DEXTERITY: boot,
    Attribute.STRENGTH: fist,
    Attribute.INTELLIGENCE: eye,
}


def armour(piece: int, level: int) -> Canvas:
    """One of the four pieces, of iron (1) or diamond (2)."""
    metal = (206, 206, 214) if level == 1 else (120, 232, 236)
    dark = shade(metal, 0.75)
    if piece == 0:
        shape = Canvas().rect(3, 4, 8, 8, metal).rect(2, 5, 1, 6, metal).rect(7, 6, 4, 4, INK)
        shape.rect(3, 7, 4, 2, dark)
    elif piece == 1:
        shape = Canvas().rect(3, 4, 11, 8, metal).rect(3, 2, 4, 3, metal).rect(3, 11, 4, 3, metal)
        shape.rect(3, 6, 2, 4, INK).rect(8, 7, 5, 2, dark)
    elif piece == 2:
        shape = Canvas().rect(3, 4, 3, 8, metal).rect(6, 4, 8, 3, metal).rect(6, 9, 8, 3, metal)
        shape.rect(3, 4, 1, 8, dark)
    else:
        shape = Canvas().rect(5, 3, 8, 3, metal).rect(10, 1, 3, 5, metal)
        shape.rect(5, 10, 8, 3, metal).rect(10, 10, 3, 5, metal)
    return shape.outline()


def flame() -> Canvas:
    """A spell of fire, or an enchantment with it."""
    shape = Canvas().polygon([(0, 8), (9, 13), (9, 2)], (232, 84, 30)).disc(10, 7.5, 4.8, (232, 84, 30))
    return shape.disc(11, 7.5, 2.8, FLAME).disc(12, 7.5, 1.4, (255, 236, 130)).outline()


def snowflake() -> Canvas:
    """A spell of ice, or an enchantment with it."""
    ice: Colour = (170, 226, 252)
    shape = Canvas().line((1, 7), (14, 7), ice, 2).line((7, 1), (7, 14), ice, 2)
    return shape.line((3, 3), (12, 12), ice).line((3, 12), (12, 3), ice).outline((40, 84, 140))


def skull() -> Canvas:
    """The necromancer while it is vulnerable."""
    bone: Colour = (232, 226, 210)
    head = Canvas().disc(6, 7.5, 5.4, bone).rect(9, 5, 5, 6, bone)
    head.rect(5, 4, 3, 3, (230, 30, 40)).rect(5, 9, 3, 3, (230, 30, 40)).rect(9, 7, 1, 2, INK)
    return head.dots([(12, 6), (12, 9), (13, 6), (13, 9), (12, 7), (12, 8)], INK).outline()


def moon() -> Canvas:
    """Asleep."""
    shape = Canvas().disc(7.5, 7.5, 6, (250, 236, 170))
    shape.pixels[Canvas().disc(6, 10, 5, INK).pixels[..., 3] > 0] = 0
    return shape.outline()


def cup() -> Canvas:
    """Resting."""
    mug = Canvas().rect(6, 3, 8, 8, (226, 226, 230)).rect(8, 11, 4, 3, (226, 226, 230)).rect(9, 11, 2, 1, INK)
    steam = [(2, 5), (3, 6), (4, 5), (2, 8), (3, 9), (4, 8)]
    return mug.rect(6, 4, 2, 6, (120, 74, 44)).dots(steam, (200, 200, 206)).outline()


def sun() -> Canvas:
    """Day."""
    yellow: Colour = (252, 214, 70)
    rays = Canvas().line((0, 7), (15, 7), yellow, 2).line((7, 0), (7, 15), yellow, 2)
    rays.line((2, 2), (13, 13), yellow).line((2, 13), (13, 2), yellow).disc(7.5, 7.5, 4, (255, 236, 130))
    return rays.outline((170, 120, 30))
