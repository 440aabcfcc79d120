"""What a player sees: the tokens, and (told separately, not decoded from them) the 8268 floats of rules 7.1."""

from math import floor, sqrt

from tests.oracle.chance import daylight
from tests.oracle.names import ARROW2, FIREBALL, ICEBALL, ITEMS, KINDS
from tests.oracle.world import Missile, Place, World

ROWS, COLS = 9, 11
BLOCKS, FIXTURES, CLASSES, TYPES = 37, 5, 5, 8
#: Numbers of floats: a tile's, all tiles', and everything's.
TILE = BLOCKS + FIXTURES + CLASSES * TYPES + 1
SIZE = ROWS * COLS * TILE + 51
#: The first floor is fully lit.
FULL_LIGHT = 30
OPENING_KILLS = 8
#: Where the floats tell the daylight, and how far each may be off: tokens keep daylight in 1/250.
DAYLIGHT = SIZE - 8
TOLERANCE = tuple(1e-6 if i != DAYLIGHT else 1 / 500 + 1e-6 for i in range(SIZE))
POINT = 40


def view(world: World) -> list[Place]:
    """The tiles in view, row by row, the player in the middle."""
    row, col = world.player.place
    return [(row + r - ROWS // 2, col + c - COLS // 2) for r in range(ROWS) for c in range(COLS)]


def boss_vulnerable(world: World) -> bool:
    """Only on the boss's floor can the boss be struck."""
    return False


def tokens(world: World) -> list[int]:
    """The bytes of the observation, by the layout that the parts agreed on."""
    player, tiles = world.player, view(world)
    where = {place: i for i, place in enumerate(tiles)}
    creature, missile, light = [0] * len(tiles), [0] * len(tiles), [0] * len(tiles)
    for i, place in enumerate(tiles):
        light[i] = FULL_LIGHT if world.inside(place) else 0
    for kind, _, mob in world.creatures():
        if mob.place in where:
            creature[where[mob.place]] = 1 + 8 * KINDS[kind] + mob.type
    for shot in world.mob_missiles:
        if shot and shot.place in where:
            missile[where[shot.place]] |= 1 << shot.type
    for shot in world.player_missiles:
        if shot and shot.place in where:
            light[where[shot.place]] |= {ARROW2: 32, FIREBALL: 64, ICEBALL: 128}[shot.type]
    health = floor(player.health)
    return [
        *(world.block(place) + 64 * world.fixture(place) for place in tiles),
        *creature,
        *missile,
        *light,
        *(player.bag[item] for item in ITEMS),
        player.sword_enchantment,
        player.bow_enchantment,
        *player.armour,
        *player.armour_enchantment,
        health,
        int((player.health - health) * POINT),
        player.food,
        player.drink,
        player.energy,
        player.mana,
        player.experience,
        player.dexterity,
        player.strength,
        player.intelligence,
        player.facing,
        round(250 * daylight(world.tick)),
        int(player.asleep),
        int(player.resting),
        *(int(known) for known in player.spells),
        0,  # the floor
        int(world.kills >= OPENING_KILLS),
        int(boss_vulnerable(world)),
    ]


def one_hot(number: int, size: int) -> list[float]:
    return [float(i == number) for i in range(size)]


def bits(shots: list[Missile | None], place: Place) -> list[float]:
    types = {shot.type for shot in shots if shot and shot.place == place}
    return [float(type_ in types) for type_ in range(TYPES)]


def tile(world: World, place: Place) -> list[float]:
    """The 83 floats of one tile: all zero beyond the map; every tile of the first floor is lit."""
    if not world.inside(place):
        return [0.0] * TILE
    creatures: list[float] = []
    for kind in KINDS:
        types = {mob.type for mob in world.mobs[kind] if mob and mob.place == place}
        creatures += [float(type_ in types) for type_ in range(TYPES)]
    return [
        *one_hot(world.block(place), BLOCKS),
        *one_hot(world.fixture(place), FIXTURES),
        *creatures,
        *bits(world.mob_missiles, place),
        *bits(world.player_missiles, place),
        1.0,
    ]


def symbolic(world: World) -> list[float]:
    """The observation of the published benchmark."""
    player, bag = world.player, world.player.bag
    floats = [value for place in view(world) for value in tile(world, place)]
    counted = ITEMS[: ITEMS.index("book")]
    floats += [sqrt(bag[item]) / 10 for item in counted]
    floats += [bag["book"] / 2, bag["pickaxe"] / 4, bag["sword"] / 4]
    floats += [float(player.sword_enchantment), float(player.bow_enchantment), float(bag["bow"])]
    floats += [sqrt(bag[colour]) / 10 for colour in ITEMS[ITEMS.index("red") :]]
    floats += [float(player.health) / 10]
    floats += [n / 10 for n in (player.food, player.drink, player.energy, player.mana, player.experience)]
    floats += [n / 10 for n in (player.dexterity, player.strength, player.intelligence)]
    floats += one_hot(player.facing, 4)
    floats += [level / 2 for level in player.armour]
    floats += [float(charm) for charm in player.armour_enchantment]
    floats += [daylight(world.tick), float(player.asleep), float(player.resting)]
    floats += [float(known) for known in player.spells]
    floats += [0.0, float(world.kills >= OPENING_KILLS), float(boss_vulnerable(world))]
    return floats
