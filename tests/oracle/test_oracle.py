"""The oracle itself, on cases worked out by hand."""

from fractions import Fraction

import pytest

from tests.oracle import chance, observe
from tests.oracle.creatures import towards
from tests.oracle.names import LEFT, RIGHT, UP, Achievement, Action, Block, Fixture, weight
from tests.oracle.step import step
from tests.oracle.world import Missile, Mob, Plant, Player, World

HERE = (24, 24)


def meadow(**fields: object) -> World:
    """Endless grass, a player in the middle, and no luck: few things happen by chance on tick 0 of this seed."""
    player = Player(HERE, **fields)
    return World((3, 5), [[int(Block.GRASS)] * 48 for _ in range(48)], [[0] * 48 for _ in range(48)], player)


def test_weights_sum_to_226():
    assert sum(weight(a) for a in Achievement) == 226


def test_tree_gives_wood_and_its_achievement():
    world = meadow()
    world.set_block((23, 24), Block.TREE)
    outcome = step(world, Action.DO)
    assert world.block((23, 24)) == Block.GRASS
    assert world.player.bag["wood"] == 1
    assert outcome.reward == 1


def test_stone_needs_a_pickaxe():
    world = meadow()
    world.set_block((23, 24), Block.STONE)
    assert step(world, Action.DO).reward == 0
    world.player.bag["pickaxe"] = 1
    # Holding a pickaxe proves the making of it.
    assert step(world, Action.DO).reward == 2
    assert world.block((23, 24)) == Block.PATH


def test_walking_turns_and_is_blocked_by_water():
    world = meadow()
    world.set_block((24, 25), Block.WATER)
    step(world, Action.RIGHT)
    assert (world.player.place, world.player.facing) == (HERE, RIGHT)
    step(world, Action.LEFT)
    assert (world.player.place, world.player.facing) == ((24, 23), LEFT)


@pytest.mark.parametrize(
    ("asleep", "armour", "left"), [(False, 0, 7), (True, 0, 2), (False, 8, Fraction(43, 5))]
)
def test_zombie_strikes_once_in_six_steps(asleep, armour, left):
    world = meadow(asleep=asleep, energy=3, armour=[armour // 4] * 4)
    world.mobs["melee"][0] = Mob((24, 25), 0, Fraction(5))
    outcome = step(world, Action.NOOP)
    assert world.player.health == left
    assert not world.player.asleep
    assert (Achievement.WAKE_UP in world.player.achievements) == asleep
    assert outcome.reward == pytest.approx(asleep + (left - 9) / 10)
    assert world.mobs["melee"][0].cooldown == 5


def test_arrow_flies_one_tile_and_hits_the_next_one():
    world = meadow()
    world.mob_missiles[0] = Missile((24, 27), LEFT, 0)
    step(world, Action.NOOP)
    assert world.mob_missiles[0].place == (24, 26)
    step(world, Action.NOOP)
    assert world.mob_missiles[0].place == (24, 25)
    step(world, Action.NOOP)
    assert world.mob_missiles[0] is None
    assert world.player.health == 7


def test_arrow_breaks_a_table():
    world = meadow()
    world.set_block((10, 9), Block.CRAFTING_TABLE)
    world.mob_missiles[1] = Missile((10, 10), LEFT, 0)
    step(world, Action.NOOP)
    assert world.block((10, 9)) == Block.PATH
    assert world.mob_missiles[1] is None


def test_bow_hits_who_stands_beside():
    world = meadow()
    world.player.bag |= {"bow": 1, "arrow": 3}
    world.mobs["passive"][0] = Mob((23, 24), 0, Fraction(3))
    world.player.hunger = Fraction(4)
    while world.mobs["passive"][0] and world.mobs["passive"][0].place == (23, 24):
        step(world, Action.SHOOT_ARROW)
    assert Achievement.FIRE_BOW in world.player.achievements
    assert Achievement.EAT_COW not in world.player.achievements


def test_sapling_ripens_in_its_six_hundredth_step():
    world = meadow()
    world.player.bag["sapling"] = 1
    assert step(world, Action.PLACE_PLANT).reward == 1
    world.mobs = {kind: [] for kind in world.mobs}  # nobody disturbs
    for _ in range(598):
        step(world, Action.NOOP)
    assert world.plants[0] == Plant((23, 24), 599)
    assert world.block((23, 24)) == Block.PLANT
    step(world, Action.NOOP)
    assert world.block((23, 24)) == Block.RIPE_PLANT
    assert world.plants[0] is None


def test_vitals_fall_every_26_21_and_31_steps_and_mana_returns_every_31():
    world = meadow(mana=0)
    world.mobs = {kind: [] for kind in world.mobs}
    seen = []
    for _ in range(62):
        step(world, Action.NOOP)
        player = world.player
        seen.append((player.food, player.drink, player.energy, player.mana))
    assert [next(t + 1 for t, s in enumerate(seen) if s[k] == 8) for k in range(3)] == [26, 21, 31]
    assert [s[3] for s in seen].index(1) == 30
    assert seen[-1] == (7, 7, 7, 2)


def test_mana_by_intelligence():
    first = []
    for intelligence in range(1, 6):
        world = meadow(mana=0, intelligence=intelligence)
        world.mobs = {kind: [] for kind in world.mobs}
        first.append(next(t for t in range(1, 99) if not step(world, Action.NOOP) or world.player.mana))
    assert first == [31, 9, 6, 5, 5]


def test_sleep_ends_the_step_after_energy_is_full():
    world = meadow(energy=8)
    world.mobs = {kind: [] for kind in world.mobs}
    step(world, Action.SLEEP)
    steps = 1
    while world.player.asleep:
        assert step(world, Action.LEFT).terminated is False
        steps += 1
    # 11 steps bring the point of energy, the twelfth wakes; nobody walks asleep.
    assert (steps, world.player.place, world.player.facing) == (12, HERE, UP)
    assert Achievement.WAKE_UP in world.player.achievements


def test_crafting_spends_and_is_refused_when_useless():
    world = meadow()
    world.set_block((25, 25), Block.CRAFTING_TABLE)
    world.player.bag |= {"wood": 2, "coal": 1, "torch": 97}
    assert step(world, Action.MAKE_TORCH).reward == 2  # a log and torches are in the bag; the coal is gone
    assert (world.player.bag["torch"], world.player.bag["coal"]) == (99, 0)
    world.player.bag["coal"] = 1
    step(world, Action.MAKE_TORCH)
    assert (world.player.bag["torch"], world.player.bag["coal"]) == (99, 1)


def test_spawn_candidates_lie_in_the_ring():
    spots = []
    for tick in range(2000):
        world = meadow()
        world.tick = tick
        step(world, Action.NOOP)
        spots += [(kind, mob.place) for kind, _, mob in world.creatures()]
    assert {kind for kind, _ in spots} == {"passive", "melee", "ranged"}
    for kind, (row, col) in spots:
        square = (row - 24) ** 2 + (col - 24) ** 2
        assert (9 if kind == "passive" else 81) < square < 196


def test_towards_takes_the_longer_way():
    assert towards((0, 0), (5, 3), True) == 3
    assert towards((0, 0), (-3, 3), True) == RIGHT
    assert towards((0, 0), (-3, 3), False) == UP


def test_next_seed_keeps_its_side():
    assert chance.next_seed((1 << 31 | 5, 9))[0] >> 31 == 1
    assert chance.next_seed((5, 9))[0] >> 31 == 0


def test_observation_sizes():
    world = meadow()
    world.fixtures[24][24] = int(Fixture.TORCH)
    assert len(observe.tokens(world)) == 445
    floats = observe.symbolic(world)
    assert len(floats) == 8268
    middle = floats[49 * 83 : 50 * 83]
    assert [i for i, value in enumerate(middle) if value] == [Block.GRASS, 37 + Fixture.TORCH, 82]
