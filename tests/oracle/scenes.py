"""Random worlds to put a rule to the test: every field anywhere in its range, and at its edges more often.

A scene is the arrays of a batch of worlds, as NumPy, to be edited in place before it is played.
"""

from typing import Any

import numpy as np

from tests.oracle.book import BOSS_BLOWS, FULL, Rules
from tests.oracle.combat import POINT
from tests.oracle.inhabitants import scramble_frozen, scramble_missiles, scramble_mobs, scramble_plants
from tests.oracle.names import COLOURS, ITEMS, SOLID, STEPS, Achievement, Action, Block, Fixture

Rng = np.random.Generator

COMMON = [
    *(Block.GRASS, Block.WATER, Block.STONE, Block.TREE, Block.PATH, Block.COAL, Block.IRON, Block.DIAMOND),
    *(Block.CRAFTING_TABLE, Block.FURNACE, Block.SAND, Block.LAVA, Block.PLANT, Block.RIPE_PLANT),
]
EXOTIC = [
    *(Block.WOOD, Block.WALL, Block.DARKNESS, Block.WALL_MOSS, Block.STALAGMITE, Block.SAPPHIRE, Block.RUBY),
    *(Block.FOUNTAIN, Block.FIRE_GRASS, Block.ICE_GRASS, Block.GRAVEL, Block.FIRE_TREE, Block.ICE_SHRUB),
    *(Block.CHEST, Block.ENCHANTMENT_TABLE_FIRE, Block.ENCHANTMENT_TABLE_ICE),
    *(Block.GRAVE, Block.GRAVE2, Block.GRAVE3),
]
LAND = [Block.GRASS, Block.PATH, Block.SAND]
#: Every action of the full rules.
ACTIONS = np.array(Action, np.int32)
COUNT, MANA_COUNT = 16, 1 << 16
ROWS = COLS = FULL.size
#: Maps that the floors of a batch are dealt from.
POOL = 48


def scramble(
    state: Any,
    rng: Rng,
    *,
    rules: Rules = FULL,
    themes: Any = None,
    depths: Any = None,
    crowd: float = 0.6,
    reach: int = 6,
    wild: float = 0.5,
) -> Any:
    """Edit a batch (arrays of NumPy, in place) to random worlds.

    Args:
        themes: the floor that each world is on, or the one that it is like; None: any.
        depths: how deep each world is; None: as deep as its theme says.
        crowd: how likely each slot of creatures, missiles and saplings is used.
        reach: how far from the player creatures stand at most.
        wild: share of tiles that are anything but open land.
    """
    world, n = state.world, len(state.world.tick)
    last = len(rules.levels) - 1
    world.seed[:] = rng.integers(0, 1 << 32, (n, 2), dtype=np.uint32)
    late = rules.time_limit - 1
    world.tick[:] = np.where(rng.random(n) < 0.1, late, rng.integers(0, late, n))
    world.theme[:] = rng.integers(0, last + 1, n) if themes is None else themes
    world.depth[:] = world.theme if depths is None else depths
    world.floor[:] = np.minimum(world.depth, last)
    world.floors.visited[:] = rng.random(world.floors.visited.shape) < 0.5
    world.floors.visited[:, 0] = True
    world.floors.visited[np.arange(n), world.floor] |= rng.random(n) < 0.9
    known = world.floors.visited.copy()
    known[np.arange(n), world.floor] = True
    world.floors.kills[:] = known * rng.integers(0, 20, known.shape)
    world.floors.chests[:] = known * np.where(
        rng.random(known.shape) < 0.5, 0, rng.integers(1, 9, known.shape)
    )
    world.potions[:] = rng.permuted(np.tile(np.arange(6, dtype=np.uint8), (n, 1)), axis=1)
    scramble_boss(world, rng, rules)
    scramble_ground(state.ground, rng, wild, rules)
    scramble_player(world.player, rng, rules)
    for i, (row, col) in enumerate(world.player.position[:, 0]):
        ground(state, i)[row, col] = rng.choice(LAND)
    if last:
        scramble_ladders(state, rng, rules)
    scramble_mobs(state, rng, crowd, reach, rules)
    scramble_missiles(state, rng, crowd, rules)
    scramble_frozen(state, rng, rules)
    scramble_plants(state, rng, crowd)
    return state


def scramble_boss(world: Any, rng: Rng, rules: Rules) -> None:
    """Some wounds and some of a wave to come; below the last floor he has fallen."""
    n = len(world.tick)
    world.boss_progress[:] = rng.integers(0, BOSS_BLOWS, n)
    world.boss_wave[:] = np.where(rng.random(n) < 0.5, 0, rng.integers(0, 8, n))
    world.boss_progress[world.depth >= len(rules.levels)] = BOSS_BLOWS


def scramble_ground(ground: Any, rng: Rng, wild: float, rules: Rules) -> None:
    """Random tiles, and here and there a torch on open land; light of all levels, much of it none."""
    n, floors = ground.tiles.shape[:2]
    shape = (POOL, rules.size, rules.size)
    land = rng.choice(LAND, (POOL, 1, 1), p=[0.4, 0.5, 0.1]) * np.ones(shape, int)
    mixed = rng.choice(LAND, shape)
    known = [block for block in EXOTIC if floors > 1 or block == Block.WOOD]
    common, exotic = rng.choice(COMMON, shape), rng.choice(known, shape)
    blocks = np.where(rng.random(shape) < 0.3, mixed, land)
    blocks = np.where(rng.random(shape) < wild, np.where(rng.random(shape) < 0.6, common, exotic), blocks)
    torches = Fixture.TORCH * (rng.random(shape) < (0.04 if floors > 1 else 0)) * np.isin(blocks, LAND)
    pool = (blocks + 64 * torches).astype(np.uint8)
    for floor in range(floors):
        ground.tiles[:, floor] = pool[rng.integers(0, POOL, n)]
    dim = np.where(
        rng.random(shape) < 0.5, rng.choice([0, 5, 12, 13, 239], shape), rng.integers(0, 241, shape)
    )
    for slot in range(0 if ground.light is None else ground.light.shape[1]):
        ground.light[:, slot] = dim.astype(np.uint8)[rng.integers(0, POOL, n)]


def scramble_ladders(state: Any, rng: Rng, rules: Rules) -> None:
    """Ladders on every floor that has some; where nobody has been none are known. Many players stand on one."""
    world, n, last = state.world, len(state.world.tick), len(rules.levels) - 1
    ladders = rng.integers(0, rules.size, (n, last + 1, 2, 2))
    here = world.player.position[:, 0]
    for i in range(n):
        if rng.random() < 0.4 and world.floors.visited[i, world.floor[i]]:
            ladders[i, world.floor[i], rng.integers(0, 2)] = here[i]
        for floor in range(last + 1):
            known = world.floors.visited[i, floor] or floor == world.floor[i]
            level = rules.levels[world.theme[i] if floor == world.floor[i] else floor]
            beaten = rules.endless and world.boss_progress[i] >= BOSS_BLOWS
            if (ladders[i, floor, 0] == ladders[i, floor, 1]).all():
                ladders[i, floor, 1] = (ladders[i, floor, 1] + 1) % rules.size
            for which, fixture in enumerate((Fixture.LADDER_DOWN, Fixture.LADDER_UP)):
                stands = (floor > 0 or which == 0) and (not level.boss or (which == 0 and beaten))
                if not known or not (stands or (level.boss and which == 1)):
                    ladders[i, floor, which] = -1
                elif stands:
                    row, col = ladders[i, floor, which]
                    state.ground.tiles[i, floor, row, col] = rng.choice(LAND) | 64 * fixture
    world.floors.ladders[:] = ladders


def edged(rng: Rng, low: int, high: int, shape: Any) -> np.ndarray:
    """Integers from low to high, each end and its neighbour often."""
    edges = rng.choice([low, low, min(low + 1, high), max(high - 1, low), high], shape)
    return np.where(rng.random(shape) < 0.5, edges, rng.integers(low, high + 1, shape))


def scramble_player(player: Any, rng: Rng, rules: Rules) -> None:
    """A player somewhere, often at the map's edge, in any state of body and mind."""
    n, full, far = len(player.facing), len(rules.levels) > 1, rules.size - 1
    player.position[:, 0] = np.where(
        rng.random((n, 1)) < 0.3, edged(rng, 0, far, (n, 2)), rng.integers(0, far + 1, (n, 2))
    )
    player.facing[:, 0] = rng.integers(0, 4, n)
    player.attributes[:, 0] = np.where(rng.random((n, 3)) < 0.5, 1, rng.integers(1, 6 if full else 2, (n, 3)))
    dexterity, strength, intelligence = player.attributes[:, 0].astype(int).T
    whole = POINT * (1 + rng.integers(0, 8 + strength))
    player.health[:, 0] = np.where(
        rng.random(n) < (0.5 if full else 1), whole, rng.integers(1, POINT * (8 + strength) + 1)
    )
    for k, most in enumerate([7 + 2 * dexterity] * 3 + [6 + 3 * intelligence]):
        lots = most - np.where(rng.random(n) < 0.5, 0, rng.integers(0, 7, n))
        player.vitals[:, 0, k] = np.where(rng.random(n) < 0.4, rng.choice([0, 1], n), lots)
    for name, low, high in (
        ("hunger", 0, 25),
        ("thirst", 0, 20),
        ("fatigue", -10, 30),
        ("recovery", -15, 25),
    ):
        getattr(player, name)[:, 0] = edged(rng, COUNT * low, COUNT * high, n)
    player.focus[:, 0] = edged(rng, 0, 30 * MANA_COUNT, n)
    scramble_bag(player, rng, rules)
    player.asleep[:, 0] = rng.random(n) < 0.1
    player.resting[:, 0] = full & (rng.random(n) < 0.07)
    words = rng.integers(0, 1 << 32, (n, 3), dtype=np.uint32) & np.array(
        [0xFFFFFFFF, 0xFFFFFFFF, 7], np.uint32
    )
    player.achievements[:, 0] = np.where(rng.random((n, 1)) < 0.5, 0, words)
    if not rules.proven:
        confess(player, rules)
    elif full:
        player.experience[:, 0] = rng.integers(0, 3, n)


def scramble_bag(player: Any, rng: Rng, rules: Rules) -> None:
    """What a player carries, wears and knows."""
    n, bag = len(player.facing), player.inventory[:, 0]
    bag[:] = 0
    stacks = ITEMS.index("book")
    if len(rules.levels) == 1:
        carried = [k for k, item in enumerate(rules.items) if carriable(rules, item)]
        bag[:, carried] = rng.choice([0, 0, 1, 1, 2, 3, 8, 9], (n, len(carried)))
        return
    bag[:, :stacks] = rng.choice([0, 1, 2, 3, 4, 9, 97, 98, 99], (n, stacks))
    for item, high in (("book", 3), ("pickaxe", 5), ("sword", 5), ("bow", 2)):
        bag[:, ITEMS.index(item)] = rng.integers(0, high, n)
    potions = ITEMS.index(COLOURS[0])
    bag[:, potions : potions + len(COLOURS)] = rng.choice([0, 1, 2, 98, 99], (n, len(COLOURS)))
    for name in ("armour", "armour_enchantment"):
        worn = np.where(rng.random((n, 4)) < 0.6, 0, rng.integers(0, 3, (n, 4)))
        getattr(player, name)[:, 0] = np.where(rng.random((n, 1)) < 0.2, worn[:, :1], worn)
    for name in ("sword_enchantment", "bow_enchantment"):
        getattr(player, name)[:, 0] = np.where(rng.random(n) < 0.6, 0, rng.integers(0, 3, n))
    player.spells[:, 0] = rng.random((n, 2)) < 0.5


def carriable(rules: Rules, item: str) -> bool:
    """Whether the classic rules have an item."""
    made = {row[0] for row in rules.goods.values()} | {row[2] for row in rules.digging.values()}
    return item in made | {"sapling"}


def confess(player: Any, rules: Rules) -> None:
    """Where deeds are rewarded at the act, let nobody hold what was never collected or made."""
    for k, item in enumerate(rules.items):
        if carriable(rules, item):
            made = item.endswith(("pickaxe", "sword"))
            deed = Achievement[f"{'MAKE' if made else 'COLLECT'}_{item.upper()}"]
            held = player.inventory[:, 0, k] > 0
            player.achievements[held, 0, deed // 32] |= np.uint32(1 << deed % 32)
    player.achievements[:, 0, 1:] = 0
    player.achievements[:, 0, 0] &= np.uint32((1 << rules.achievements) - 1)


def ground(state: Any, i: int) -> np.ndarray:
    """The tiles of the floor that world i is on, to be edited in place."""
    return state.ground.tiles[i, state.world.floor[i]]


def clear(state: Any, *what: str) -> None:
    """Empty all slots of "mobs", "projectiles" or "plants"."""
    for name in what:
        getattr(state.world, name).alive[:] = False


def awake(state: Any) -> None:
    """Let nobody sleep or rest, so that every action counts."""
    state.world.player.asleep[:] = False
    state.world.player.resting[:] = False


def open_blocks() -> list[int]:
    """The blocks a missile can fly over."""
    return [block for block in COMMON + EXOTIC if block not in SOLID]


def beyond(state: Any, steps: int = 1) -> np.ndarray:
    """The tile so many steps in front of each player, int[worlds, 2]; it may lie outside the map."""
    player = state.world.player
    return player.position[:, 0].astype(int) + steps * np.array(STEPS)[player.facing[:, 0]]


def faced(state: Any) -> np.ndarray:
    """The tile in front of each player, int[worlds, 2]; it may lie outside the map."""
    return beyond(state)


def inside(state: Any, spot: Any) -> bool:
    """Whether a place lies inside the map."""
    size = state.ground.tiles.shape[-1]
    return bool((np.asarray(spot) >= 0).all() and (np.asarray(spot) < size).all())


def face(state: Any, blocks: Any, fixtures: Any = 0, *, where: Any = True) -> None:
    """Put blocks and fixtures in front of the players, where that is inside the map and is no ladder."""
    spots = faced(state)
    blocks, fixtures, where = (np.broadcast_to(x, len(spots)) for x in (blocks, fixtures, where))
    for i, (row, col) in enumerate(spots):
        if where[i] and inside(state, (row, col)) and ground(state, i)[row, col] >> 6 < Fixture.LADDER_DOWN:
            ground(state, i)[row, col] = blocks[i] + 64 * fixtures[i]


def stand(state: Any, worlds: Any, slot: int, spots: np.ndarray) -> None:
    """Let creature `slot` of some worlds stand on spots inside the map, alone and on grass."""
    mobs = state.world.mobs
    for i in np.flatnonzero(np.broadcast_to(worlds, len(spots))):
        row, col = spots[i]
        if not inside(state, spots[i]):
            continue
        mobs.alive[i] &= (mobs.position[i] != spots[i]).any(axis=-1)
        mobs.position[i, slot] = spots[i]
        mobs.alive[i, slot] = True
        if ground(state, i)[row, col] >> 6 < Fixture.LADDER_DOWN:
            ground(state, i)[row, col] = Block.GRASS


def apt(state: Any, rng: Rng, rules: Rules = FULL) -> np.ndarray:
    """Any action, but often the one that has to do with what is underfoot or in front."""
    n = len(state.world.tick)
    action = np.where(rng.random(n) < 0.2, Action.DO, rng.integers(0, rules.actions, n)).astype(np.int32)
    here, ahead = state.world.player.position[:, 0], faced(state)
    usual = {Block.CHEST: [Action.DO], Block.NECROMANCER: [Action.DO]}
    table = [Action.ENCHANT_SWORD, Action.ENCHANT_ARMOUR, Action.ENCHANT_BOW]
    usual |= dict.fromkeys((Block.ENCHANTMENT_TABLE_FIRE, Block.ENCHANTMENT_TABLE_ICE), table)
    for i in np.flatnonzero(rng.random(n) < 0.7):
        under = ground(state, i)[tuple(here[i])] >> 6
        front = ground(state, i)[tuple(ahead[i])] & 63 if inside(state, ahead[i]) else Block.INVALID
        if under >= Fixture.LADDER_DOWN:
            action[i] = Action.DESCEND + under - Fixture.LADDER_DOWN
        elif front in usual:
            action[i] = rng.choice(usual[front])
    return action
