"""The oracle itself, on cases worked out by hand."""

from fractions import Fraction

import pytest

from tests.oracle import chance, observe
from tests.oracle.book import CLASSIC, ENDLESS, FULL, LEVELS, LOOT
from tests.oracle.combat import might
from tests.oracle.creatures import towards
from tests.oracle.light import lamp
from tests.oracle.names import LEFT, RIGHT, UP, Achievement, Action, Block, Fixture, weight
from tests.oracle.step import step
from tests.oracle.travel import UnfitError
from tests.oracle.world import Floor, Missile, Mob, Plant, Player, World

HERE = (24, 24)


def meadow(rules=FULL, floor=0, block=Block.GRASS, **fields: object) -> World:
    """One block without end, a player in the middle, and little luck on tick 0 of this seed."""
    tiles = rules.size**2
    floors = [Floor(bytearray([block] * tiles), bytearray(tiles), kills=10) for _ in rules.levels]
    floors[floor].visited = True
    player = Player(HERE, bag=dict.fromkeys(rules.items, 0), **fields)
    return World((3, 5), floors, player, rules, floor=floor, theme=floor, depth=floor)


def nobody(world: World) -> None:
    """Let nobody ever come."""
    world.here.mobs = {kind: [] for kind in world.mobs}


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
    nobody(world)
    for _ in range(598):
        step(world, Action.NOOP)
    assert world.plants[0] == Plant((23, 24), 599)
    assert world.block((23, 24)) == Block.PLANT
    step(world, Action.NOOP)
    assert world.block((23, 24)) == Block.RIPE_PLANT
    assert world.plants[0] is None


def test_vitals_fall_every_26_21_and_31_steps_and_mana_returns_every_31():
    world = meadow(mana=0)
    nobody(world)
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
        nobody(world)
        first.append(next(t for t in range(1, 99) if not step(world, Action.NOOP) or world.player.mana))
    assert first == [31, 9, 6, 5, 5]


def test_sleep_ends_the_step_after_energy_is_full():
    world = meadow(energy=8)
    nobody(world)
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
    world.set_fixture(HERE, Fixture.TORCH)
    assert len(observe.tokens(world)) == 445
    floats = observe.symbolic(world)
    assert len(floats) == 8268
    middle = floats[49 * 83 : 50 * 83]
    assert [i for i, value in enumerate(middle) if value] == [Block.GRASS, 37 + Fixture.TORCH, 82]


def test_a_ladder_opens_after_eight_kills():
    world = meadow()
    world.set_fixture(HERE, Fixture.LADDER_DOWN)
    below = bytearray([Block.PATH] * 48 * 48)
    below[5], below[7] = Block.PATH + 64 * Fixture.LADDER_DOWN, Block.PATH + 64 * Fixture.LADDER_UP
    world.here.kills = 7
    assert step(world, Action.DESCEND).reward == 0
    world.here.kills, world.here.ladders = 8, (HERE, None)
    outcome = step(world, Action.DESCEND, made=lambda floor: (bytes(below), ((0, 5), (0, 7))))
    assert (world.floor, world.depth, world.player.place, world.player.experience) == (1, 1, (0, 7), 1)
    assert outcome.reward == 3
    assert step(world, Action.ASCEND).reward == 0
    assert (world.floor, world.player.place) == (0, HERE)


def test_a_floor_that_breaks_the_rules_is_refused():
    world = meadow()
    world.set_fixture(HERE, Fixture.LADDER_DOWN)
    with pytest.raises(UnfitError, match="has blocks"):
        step(world, Action.DESCEND, made=lambda floor: (bytes([Block.LAVA] * 48 * 48), (None, (0, 7))))
    world = meadow()
    world.set_fixture(HERE, Fixture.LADDER_DOWN)
    with pytest.raises(UnfitError, match="has ladders"):
        step(world, Action.DESCEND, made=lambda floor: (bytes([Block.PATH] * 48 * 48), ((0, 1), (0, 7))))


def boss(rules=FULL, **fields: object) -> World:
    """The necromancer ahead, alone, after seven blows."""
    world = meadow(rules, 8, Block.PATH, **fields)
    world.set_block((23, 24), Block.NECROMANCER)
    world.boss_progress, world.boss_wave = 7, 0
    return world


def test_the_eighth_blow_wins():
    world = boss()
    outcome = step(world, Action.DO)
    assert outcome.terminated
    assert outcome.reward == 16
    assert (world.boss_progress, world.boss_wave) == (8, 6)


def test_or_opens_a_way_further_down():
    world = boss(ENDLESS)
    outcome = step(world, Action.DO)
    assert not outcome.terminated
    assert outcome.reward == 16
    assert world.tile((23, 24)) == Block.PATH + 64 * Fixture.LADDER_DOWN
    world.depth = 16
    assert might(world) == 2


@pytest.mark.parametrize(("wave", "monster"), [(1, None), (0, Mob((40, 40), 3, Fraction(11)))])
def test_the_necromancer_is_safe_while_a_wave_or_a_monster_lasts(wave, monster):
    world = boss()
    world.boss_wave, world.mobs["melee"][0] = wave, monster
    step(world, Action.DO)
    assert world.boss_progress == 7


def test_damage_on_the_necromancers_floor():
    # A zombie strikes a sleeper: 3.5 for sleep, 1.5 for the floor, less a tenth for a piece of armour.
    world = boss(asleep=True, energy=3, armour=[1, 0, 0, 0], strength=3, health=Fraction(10))
    world.mobs["melee"][0] = Mob((24, 25), 0, Fraction(5))
    step(world, Action.NOOP)
    assert world.player.health == Fraction(10) - Fraction(945, 100)


def test_loot_and_levels_add_up():
    assert [float(sum(p for p, _, _ in roll)) for roll in LOOT] == [0.6, 0.6, 0.5, 0.25, 0.2]
    assert [level.lit for level in LEVELS] == [True, True, False, True, True, False, True, False, False]


def test_light_of_a_torch_on_a_dark_floor():
    assert [lamp(0, c) for c in range(5)] == [240, 192, 144, 96, 48]
    world = meadow(floor=2, block=Block.PATH)
    world.player.bag["torch"] = 1
    step(world, Action.PLACE_TORCH)
    assert [observe.seen(world, (23, 24 + c)) for c in range(6)] == [30, 24, 18, 12, 6, 0]
    # It lights rows of 5, 7, 9, 9, 9, 9, 9, 7 and 5 tiles; the first of them is out of view.
    assert sum(tile > 0 for tile in observe.tokens(world)[:99]) == 7 + 5 * 9 + 7 + 5
    assert len(observe.symbolic(world)) == observe.SIZE


def test_the_classic_game():
    world = meadow(CLASSIC)
    world.set_block((23, 24), Block.IRON)
    world.player.bag["iron_pickaxe"] = 1
    assert step(world, Action.DO).reward == 0
    world.player.bag["stone_pickaxe"] = 1
    assert step(world, Action.DO).reward == 1
    world.set_block((23, 24), Block.LAVA)
    outcome = step(world, Action.UP)
    assert outcome.terminated
    assert outcome.reward == pytest.approx(-0.9)
    assert len(observe.symbolic(world)) == 1345
