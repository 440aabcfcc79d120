"""The drawings of creatures, projectiles and players, one row each."""

from collections.abc import Callable

from openworld.art.paint import INK, Canvas, Colour, Length, shade
from openworld.content.ids import Direction, Kind, Projectile

BONE: Colour = (232, 228, 212)
STEEL: Colour = (172, 178, 192)
WOOD: Colour = (134, 92, 52)
EYE: Colour = (250, 250, 250)
RED: Colour = (226, 40, 40)
SKIN: Colour = (238, 190, 148)


def person(skin: Colour, clothes: Colour, legs: Colour, *, tall: int = 14) -> Canvas:
    """A figure seen from the front, its feet on the lower edge."""
    top = 15 - tall
    canvas = Canvas().rect(12, 5, 3, 2, legs).rect(12, 9, 3, 2, legs)
    canvas.rect(top + 5, 4, 12 - top - 5, 8, clothes).rect(top + 6, 3, 4, 1, skin).rect(
        top + 6, 12, 4, 1, skin
    )
    canvas.rect(top, 5, 5, 6, skin).dots([(top + 2, 6), (top + 2, 9)], INK)
    return canvas


def sword(canvas: Canvas, blade: Colour = STEEL) -> Canvas:
    """Put a blade into a figure's hand."""
    return canvas.rect(3, 13, 7, 1, blade).rect(9, 12, 1, 3, WOOD).rect(10, 13, 2, 1, WOOD)


def bow(canvas: Canvas, wood: Colour = WOOD) -> Canvas:
    """Put a bow into a figure's hand."""
    canvas.dots([(4, 12), (5, 13), (6, 14), (7, 14), (8, 14), (9, 14), (10, 13), (11, 12)], wood)
    return canvas.line((5, 12), (10, 12), EYE)


def cow() -> Canvas:
    """White with brown patches."""
    hide: Colour = (240, 236, 226)
    body = Canvas().rect(5, 3, 6, 11, hide).rect(11, 4, 3, 2, hide).rect(11, 11, 3, 2, hide)
    body.rect(5, 7, 3, 4, (118, 74, 46)).rect(8, 11, 3, 3, (118, 74, 46)).rect(3, 1, 5, 4, hide)
    body.rect(6, 1, 2, 4, (240, 170, 170)).dots([(4, 2)], INK).dots([(2, 1), (2, 4)], (200, 190, 150))
    return body.rect(10, 8, 2, 2, (240, 170, 170)).outline()


def bat() -> Canvas:
    """Wings and ears."""
    fur: Colour = (92, 74, 112)
    body = Canvas().polygon([(4, 0), (9, 7), (11, 3), (8, 0)], fur)
    body.polygon([(4, 16), (9, 8), (11, 12), (8, 15)], fur)
    body.ellipse(8, 7.5, 3, 2.4, shade(fur, 1.25)).dots([(4, 6), (4, 9), (5, 6), (5, 9)], fur)
    return body.dots([(7, 6), (7, 9)], (250, 220, 60)).dots([(9, 7), (9, 8)], EYE).outline()


def snail() -> Canvas:
    """A coiled shell."""
    body = Canvas().rect(11, 1, 3, 13, (226, 206, 150)).rect(6, 1, 6, 2, (226, 206, 150))
    body.disc(8, 9, 4.6, (178, 98, 70)).disc(8, 9, 3, (222, 150, 110)).disc(8, 9, 1.5, (140, 70, 50))
    return body.dots([(5, 0), (5, 3), (4, 0), (4, 3)], (250, 240, 200)).outline()


def zombie() -> Canvas:
    """Green, arms out."""
    skin: Colour = (152, 190, 122)
    body = person(skin, (56, 88, 150), (58, 58, 100)).rect(7, 1, 2, 3, skin).rect(7, 12, 2, 3, skin)
    return body.dots([(3, 6), (3, 9)], RED).rect(1, 5, 1, 6, shade(skin, 0.6)).outline()


def gnome(hat: Colour) -> Canvas:
    """Short, bearded, with a pointed hat."""
    body = person(SKIN, (120, 88, 60), (70, 54, 42), tall=11)
    body.polygon([(-1, 8), (5, 12), (5, 4)], hat).rect(8, 5, 3, 6, EYE).dots([(6, 6), (6, 9)], INK)
    return body


def orc(clothes: Colour) -> Canvas:
    """Broad and olive, with tusks."""
    skin: Colour = (122, 138, 62)
    body = person(skin, clothes, (70, 56, 44)).rect(2, 4, 4, 8, skin).dots([(3, 6), (3, 9)], (250, 210, 60))
    return body.dots([(5, 6), (5, 9), (4, 6), (4, 9)], BONE)


def mage() -> Canvas:
    """An orc in a robe, with a staff."""
    body = (
        orc((120, 50, 140)).rect(11, 3, 4, 10, (120, 50, 140)).rect(4, 14, 11, 1, WOOD).disc(3, 14, 1.5, RED)
    )
    return body.outline()


def lizard() -> Canvas:
    """Long, scaled, on four legs."""
    hide: Colour = (52, 148, 116)
    body = Canvas().ellipse(8, 7, 2.8, 5.2, hide).disc(6, 3, 2.6, hide)
    body.polygon([(7, 11), (10, 10), (13, 15), (12, 15)], hide)
    body.rect(10, 4, 4, 2, hide).rect(10, 9, 4, 2, hide).dots([(5, 2)], (250, 220, 60)).dots(
        [(7, 0), (7, 1)], RED
    )
    return body.dots([(5, 6), (4, 8), (5, 10), (6, 12)], shade(hide, 1.5)).outline()


def knight() -> Canvas:
    """Plate from head to foot."""
    body = person(STEEL, shade(STEEL, 0.82), shade(STEEL, 0.6)).rect(3, 5, 1, 6, INK).rect(5, 7, 1, 2, INK)
    return body.rect(0, 7, 2, 2, RED).rect(7, 7, 4, 2, RED).rect(8, 6, 2, 4, RED)


def troll(skin: Colour) -> Canvas:
    """As large as the tile, with long arms and a club."""
    body = Canvas().ellipse(8, 7.5, 5, 5.4, skin).rect(12, 4, 3, 3, skin).rect(12, 9, 3, 3, skin)
    body.disc(4, 7.5, 3.4, skin).rect(6, 1, 7, 2, skin).rect(6, 13, 7, 2, skin).dots(
        [(3, 6), (3, 9)], (250, 220, 60)
    ).rect(5, 6, 1, 4, INK)
    return body.dots([(6, 6), (6, 9)], BONE).rect(10, 5, 2, 6, (104, 76, 54)).rect(1, 14, 7, 2, WOOD)


def pigman() -> Canvas:
    """Pink, with a snout and a golden blade."""
    skin: Colour = (240, 150, 156)
    body = person(skin, (146, 84, 52), (104, 60, 40))
    body.rect(3, 6, 2, 4, shade(skin, 0.78)).dots([(4, 7), (4, 8)], INK)
    return sword(body.dots([(0, 5), (0, 10), (1, 5), (1, 10)], skin), (250, 206, 70)).outline()


def skeleton() -> Canvas:
    """Bones and a bow."""
    body = Canvas().rect(1, 5, 5, 6, BONE).dots([(3, 6), (3, 9), (5, 7), (5, 9)], INK).rect(6, 7, 6, 2, BONE)
    for row in (7, 9):
        body.rect(row, 4, 1, 8, BONE)
    return bow(body.rect(12, 5, 3, 1, BONE).rect(12, 10, 3, 1, BONE).rect(11, 5, 1, 6, BONE)).outline()


def kobold() -> Canvas:
    """A small dog-like creature with a dagger."""
    fur: Colour = (172, 84, 60)
    body = person(fur, (92, 66, 52), (80, 44, 36), tall=11).polygon([(1, 4), (5, 4), (5, 7)], fur)
    body.polygon([(1, 12), (5, 12), (5, 9)], fur).dots([(6, 6), (6, 9)], (250, 230, 80)).rect(
        8, 6, 1, 4, BONE
    )
    return body.rect(6, 14, 4, 1, STEEL).rect(10, 13, 1, 3, WOOD).outline()


def deep_thing() -> Canvas:
    """One eye over the water."""
    body: Colour = (36, 66, 110)
    canvas = Canvas().ellipse(7, 7.5, 5.4, 5.6, body)
    for col in (2, 5, 8, 11):
        canvas.line((11, col + 1), (15, col), body, 2)
    canvas.disc(6.5, 7.5, 3, EYE).disc(6.5, 7.5, 1.5, (220, 60, 60)).dots([(6, 7)], INK)
    return canvas.outline((150, 190, 230))


def fire_elemental() -> Canvas:
    """A flame with eyes."""
    red: Colour = (232, 84, 30)
    flame = Canvas().polygon([(0, 8), (9, 14), (15, 8), (15, 7), (9, 1)], red).disc(10, 7.5, 5, red)
    flame.polygon([(4, 5), (9, 2), (9, 8)], (250, 150, 40)).disc(11, 7.5, 3.2, (252, 196, 70))
    return flame.rect(8, 5, 2, 2, INK).rect(8, 9, 2, 2, INK).outline((120, 30, 20))


def ice_elemental() -> Canvas:
    """A crystal with eyes."""
    ice: Colour = (150, 214, 246)
    body = (
        Canvas()
        .polygon([(0, 7.5), (6, 12.5), (15, 7.5), (6, 2.5)], ice)
        .polygon([(4, 2), (10, 4), (7, 0)], ice)
    )
    body.polygon([(4, 14), (10, 12), (7, 16)], ice).line((1, 7), (13, 7), (220, 244, 255))
    return body.rect(6, 5, 2, 2, INK).rect(6, 9, 2, 2, INK).outline((50, 90, 150))


#: (kind, type) -> the function that paints the creature.
CREATURES: dict[tuple[Kind, int], Callable[[], Canvas]] = {
    (Kind.PASSIVE, 0): cow,
    (Kind.PASSIVE, 1): bat,
    (Kind.PASSIVE, 2): snail,
    (Kind.MELEE, 0): zombie,
    (Kind.MELEE, 1): lambda: sword(gnome((200, 40, 40))).outline(),
    (Kind.MELEE, 2): lambda: sword(orc((110, 110, 118))).outline(),
    (Kind.MELEE, 3): lizard,
    (Kind.MELEE, 4): lambda: sword(knight()).outline(),
    (Kind.MELEE, 5): lambda: troll((104, 122, 92)).outline(),
    (Kind.MELEE, 6): pigman,
    (Kind.MELEE, 7): lambda: troll((164, 198, 222)).outline(),
    (Kind.RANGED, 0): skeleton,
    (Kind.RANGED, 1): lambda: bow(gnome((50, 130, 60))).outline(),
    (Kind.RANGED, 2): mage,
    (Kind.RANGED, 3): kobold,
    (Kind.RANGED, 4): lambda: bow(knight(), (220, 180, 90)).outline(),
    (Kind.RANGED, 5): deep_thing,
    (Kind.RANGED, 6): fire_elemental,
    (Kind.RANGED, 7): ice_elemental,
}


def arrow(head: Colour) -> Canvas:
    """An arrow, drawn diagonally: players do not see its direction."""
    shaft = Canvas().line((12, 3), (4, 11), (196, 150, 96)).polygon([(1, 14), (2, 9), (7, 13)], head)
    return shaft.line((13, 2), (11, 2), EYE).line((13, 2), (13, 4), EYE).outline()


def dagger() -> Canvas:
    """A thrown blade."""
    blade = Canvas().line((4, 11), (9, 6), STEEL, 2).line((8, 4), (11, 7), WOOD)
    return blade.line((11, 4), (12, 3), WOOD, 2).outline()


def ball(colour: Colour, radius: Length) -> Canvas:
    """A glowing ball."""
    core = Canvas().disc(7.5, 7.5, radius, colour).disc(7, 7, radius * 0.6, shade(colour, 1.35))
    return core.disc(6.5, 6.5, radius * 0.28, (255, 255, 240)).outline(shade(colour, 0.4))


_FIRE: Colour = (240, 110, 30)
_ICE: Colour = (110, 190, 246)

PROJECTILES: dict[Projectile, Callable[[], Canvas]] = {
    Projectile.ARROW: lambda: arrow(STEEL),
    Projectile.DAGGER: dagger,
    Projectile.FIREBALL: lambda: ball(_FIRE, 3.4),
    Projectile.ICEBALL: lambda: ball(_ICE, 3.4),
    Projectile.ARROW2: lambda: arrow((250, 206, 70)),
    Projectile.SLIMEBALL: lambda: ball((112, 196, 60), 4),
    Projectile.FIREBALL2: lambda: ball((250, 70, 30), 5),
    Projectile.ICEBALL2: lambda: ball((60, 120, 240), 5),
}

#: Coats by the players' numbers.
COATS: tuple[Colour, ...] = (
    (222, 60, 92),
    (62, 116, 226),
    (240, 196, 50),
    (150, 76, 200),
    (64, 176, 170),
    (240, 132, 40),
    (236, 236, 240),
    (110, 74, 50),
)
_TROUSERS: Colour = (58, 62, 96)
_HAIR: Colour = (92, 54, 34)


def player(facing: Direction, coat: Colour = COATS[0]) -> Canvas:
    """A player with a coat and brown hair."""
    body = person(SKIN, coat, _TROUSERS).rect(6, 3, 3, 1, coat).rect(6, 12, 3, 1, coat)
    body.rect(10, 4, 1, 8, (250, 210, 90)).rect(0, 4, 2, 8, _HAIR)
    if facing == Direction.UP:
        body.rect(1, 4, 5, 8, _HAIR)
    elif facing == Direction.DOWN:
        body.dots([(4, 7), (4, 8)], (190, 90, 80)).dots([(2, 4), (2, 11), (3, 4), (3, 11)], _HAIR)
    else:  # to the right; mirrored below for left
        body.rect(1, 3, 5, 5, _HAIR).rect(2, 7, 4, 5, SKIN).dots([(3, 10)], INK).dots([(2, 9), (3, 9)], SKIN)
        body.dots([(4, 12)], SKIN).rect(6, 3, 5, 1, coat).rect(6, 12, 2, 3, coat).rect(6, 14, 2, 2, SKIN)
    return (body.mirror() if facing == Direction.LEFT else body).outline()


def sleeper(coat: Colour = COATS[0]) -> Canvas:
    """A player lying under a blanket."""
    body = (
        Canvas().rect(6, 1, 6, 5, SKIN).rect(5, 1, 3, 4, _HAIR).rect(6, 6, 7, 9, coat).rect(6, 6, 7, 1, EYE)
    )
    body.dots([(9, 3), (9, 4)], INK).outline()
    z = [
        (1, 9),
        (1, 10),
        (1, 11),
        (2, 10),
        (3, 9),
        (3, 10),
        (3, 11),
        (0, 13),
        (0, 14),
        (1, 14),
        (2, 13),
        (2, 14),
    ]
    return body.dots(z, EYE)


def fallen(coat: Colour) -> Canvas:
    """A player on its back."""
    body = Canvas().rect(7, 1, 5, 4, SKIN).rect(6, 1, 2, 4, _HAIR).rect(7, 5, 5, 6, coat)
    body.rect(7, 11, 2, 4, _TROUSERS).rect(10, 11, 2, 4, _TROUSERS).rect(5, 6, 2, 2, coat).rect(
        4, 6, 1, 2, SKIN
    )
    return body.dots([(9, 2), (10, 3), (9, 3), (10, 2)], INK).outline()
