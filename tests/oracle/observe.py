"""What a player sees: the tokens, and (told separately, not decoded from them) the published floats."""

from collections.abc import Iterable
from math import floor, sqrt

from tests.oracle.book import ARROW2, BOSS_BLOWS, FIREBALL, FULL, ICEBALL, OPENING_KILLS, Rules
from tests.oracle.boss import vulnerable
from tests.oracle.chance import daylight
from tests.oracle.combat import POINT
from tests.oracle.light import seen
from tests.oracle.names import CLASSIC_TOOLS, COLOURS, ITEMS, KINDS, MELEE, PASSIVE, RANGED, words
from tests.oracle.world import Missile, Place, Player, World

BLOCKS, FIXTURES, TYPES = 37, 5, 8
#: Numbers of floats: a tile's, all tiles', and everything's.
TILE = BLOCKS + FIXTURES + 5 * TYPES + 1
SIZE = FULL.view[0] * FULL.view[1] * TILE + 51
CLASSIC_BLOCKS = 17
#: A tile shows nothing up to so many 30ths of light.
DARK = 1
#: Tokens keep daylight in 1/250, so it may be off by so much; other floats may not.
DAYLIGHT_ERROR = 1 / 500 + 1e-6


def tolerance(rules: Rules) -> list[float]:
    """How far each of the floats may be off."""
    daylight_at, size = (1343, 1345) if rules.floats == "classic" else (SIZE - 8, SIZE)
    return [DAYLIGHT_ERROR if i == daylight_at else 1e-6 for i in range(size)]


#: The same for the full rules.
TOLERANCE = tuple(tolerance(FULL))


def view(world: World) -> list[Place]:
    """The tiles in view, row by row, the player in the middle."""
    (row, col), (rows, cols) = world.player.place, world.rules.view
    return [(row + r - rows // 2, col + c - cols // 2) for r in range(rows) for c in range(cols)]


def tokens(world: World) -> list[int]:
    """The bytes of the observation, by the layout that the parts agreed on."""
    player, tiles = world.player, view(world)
    light = [seen(world, place) for place in tiles]
    where = {place: i for i, place in enumerate(tiles) if light[i] > DARK}
    tile, creature, missile = ([0] * len(tiles) for _ in range(3))
    for i, place in enumerate(tiles):
        tile[i] = world.tile(place) if place in where or not world.inside(place) else 0
    for kind, _, mob in world.creatures():
        if mob.place in where:
            creature[where[mob.place]] = 1 + 8 * KINDS[kind] + mob.type
    for shot in world.mob_missiles:
        if shot and shot.place in where:
            missile[where[shot.place]] |= 1 << shot.type
    for shot in world.player_missiles:
        if shot and shot.place in where:
            light[where[shot.place]] |= {ARROW2: 32, FIREBALL: 64, ICEBALL: 128}[shot.type]
    others = world.present if len(world.players) > 1 else []
    for fellow in others:
        if fellow is not player and fellow.place in where:
            creature[where[fellow.place]] = max(creature[where[fellow.place]], mark(fellow))
    health = floor(player.health)
    return [
        *tile,
        *creature,
        *missile,
        *light,
        *(player.bag[item] for item in world.rules.items),
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
        min(player.experience, 255),
        player.dexterity,
        player.strength,
        player.intelligence,
        player.facing,
        round(250 * daylight(world.hour)),
        int(player.asleep),
        int(player.resting),
        *(int(known) for known in player.spells),
        min(world.depth, 255),
        int(ladder_open(world)),
        int(vulnerable(world)),
        *(other_players(world) if world.rules.coop else []),
    ]


def mark(fellow: Player) -> int:
    """How another player looks: after the 24 creatures the awake, then the sleepers, then the fallen."""
    if fellow.fallen:
        return 25 + 32 + 8 + fellow.number
    return 25 + 32 + fellow.number if fellow.asleep else 25 + 4 * fellow.number + fellow.facing


def other_players(world: World) -> list[int]:
    """Who one is, and of all eight that there may be: rows and columns away, health, and what each does."""
    player, runs = world.player, []
    for fellow in world.players:
        away = [64 + there - here for there, here in zip(fellow.place, player.place, strict=True)]
        state = 3 if fellow.fallen else 2 if fellow.asleep or fellow.resting else 1
        runs.append([*away, floor(fellow.health), state])
    runs += [[0, 0, 0, 0]] * (8 - len(runs))
    return [player.number, int(player.fallen), *(run[k] for k in range(4) for run in runs)]


def one_hot(number: int, size: int) -> list[float]:
    return [float(i == number) for i in range(size)]


def bits(types: Iterable[int]) -> list[float]:
    there = set(types)
    return [float(type_ in there) for type_ in range(TYPES)]


def flying(shots: list[Missile | None], place: Place) -> list[int]:
    return [shot.type for shot in shots if shot and shot.place == place]


def standing(world: World, kind: str, place: Place) -> list[int]:
    return [mob.type for mob in world.mobs[kind] if mob and mob.place == place]


def tile(world: World, place: Place) -> list[float]:
    """The 83 floats of one tile: all zero beyond the map and in the dark."""
    if seen(world, place) <= DARK:
        return [0.0] * TILE
    return [
        *one_hot(world.block(place), BLOCKS),
        *one_hot(world.fixture(place), FIXTURES),
        *(bit for kind in KINDS for bit in bits(standing(world, kind, place))),
        *bits(flying(world.mob_missiles, place)),
        *bits(flying(world.player_missiles, place)),
        1.0,
    ]


def symbolic(world: World) -> list[float]:
    """The observation of the published benchmark."""
    if world.rules.floats == "classic":
        return classic(world)
    player, bag = world.player, world.player.bag
    floats = [value for place in view(world) for value in tile(world, place)]
    counted = ITEMS[: ITEMS.index("book")]
    floats += [sqrt(bag[item]) / 10 for item in counted]
    floats += [bag["book"] / 2, bag["pickaxe"] / 4, bag["sword"] / 4]
    floats += [float(player.sword_enchantment), float(player.bow_enchantment), float(bag["bow"])]
    floats += [sqrt(bag[colour]) / 10 for colour in COLOURS]
    floats += [float(player.health) / 10]
    floats += [n / 10 for n in (player.food, player.drink, player.energy, player.mana, player.experience)]
    floats += [n / 10 for n in (player.dexterity, player.strength, player.intelligence)]
    floats += one_hot(player.facing, 4)
    floats += [level / 2 for level in player.armour]
    floats += [float(charm) for charm in player.armour_enchantment]
    floats += [daylight(world.hour), float(player.asleep), float(player.resting)]
    floats += [float(known) for known in player.spells]
    return [
        *floats,
        min(world.depth, 255) / 10,
        float(ladder_open(world)),
        float(vulnerable(world)),
    ]


def classic(world: World) -> list[float]:
    """The observation of the classic benchmark (rules 1.11)."""
    player, floats = world.player, []
    for place in view(world):
        floats += one_hot(world.block(place), CLASSIC_BLOCKS)
        floats += [float(bool(standing(world, kind, place))) for kind in (MELEE, PASSIVE, RANGED)]
        floats += [float(bool(flying(world.mob_missiles, place)))]
    carried = (*words("wood stone coal iron diamond sapling"), *CLASSIC_TOOLS)
    floats += [player.bag[item] / 10 for item in carried]
    floats += [float(player.health) / 10, player.food / 10, player.drink / 10, player.energy / 10]
    floats += one_hot(player.facing, 4)
    return [*floats, daylight(world.hour), float(player.asleep)]


def ladder_open(world: World) -> bool:
    """Whether the flag says that one may go down; where the necromancer ends the game, only the slain count."""
    won = world.rules.endless and world.level.boss and world.boss_progress >= BOSS_BLOWS
    return won or world.here.kills >= OPENING_KILLS
