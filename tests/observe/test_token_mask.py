"""Action masks from tokens: they allow all that the state's mask allows; and scenes made by hand."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import openworld
from openworld.bench.mask_agreement import count
from openworld.content.giving import GIVING
from openworld.content.ids import Action, Block, Fixture, Projectile
from openworld.content.rulesets import CLASSIC, COOP, FULL, Ruleset
from openworld.observe.layout import ASLEEP_MARK, AWAKE_MARK, FALLEN_MARK
from openworld.observe.token_mask import token_mask
from tests.observe.helpers_scenes import Scene
from tests.observe.test_mask import CASES
from tests.oracle import book, coop_scenes, driver

GIFTS = set(GIVING.values())
TURNS = {Action.RIGHT, Action.LEFT, Action.UP}  # of a player who faces down
EMPTY = {Action.NOOP, *TURNS}
ENVIRONMENTS = {
    rules.name: openworld.make(id)
    for rules, id in ((FULL, "OpenWorld-v0"), (CLASSIC, "OpenWorld-Classic-v0"), (COOP, "OpenWorld-Coop-v0"))
}


def allowed(scene: Scene) -> set[Action]:
    """What a player who sees a scene may do."""
    mask = np.asarray(ENVIRONMENTS[scene.rules.name].mask_of(scene.tokens))
    return {Action(int(number)) for number in np.flatnonzero(mask)}


def bare(rules: Ruleset = FULL, ahead: int = Block.WALL, **fields: Any) -> Scene:
    """One who lacks nothing and has nothing, on sand before a wall."""
    return Scene(rules, Block.SAND, **fields).put(-1, 0, ahead)


def pilgrim(depth: int, **fields: Any) -> Scene:
    """One who has gone so deep and has spent all experience but for `experience`."""
    attributes = [1 + min(4, max(0, depth - 4 * i)) for i in range(3)]
    vitals = [7 + 2 * attributes[0]] * 3 + [9]
    return bare(**{"floor": depth, "attributes": attributes, "vitals": vitals, "health": 13, **fields})


@pytest.mark.parametrize("rules", [FULL, CLASSIC, COOP], ids=lambda rules: rules.name)
def test_one_before_a_wall_can_turn(rules):
    assert allowed(bare(rules)) == EMPTY


@pytest.mark.parametrize("how", ["asleep", "resting"])
def test_who_sleeps_or_rests_can_do_nothing(how):
    awake: dict[str, Any] = {how: 1}
    assert allowed(Scene(health=3, **awake).carry(WOOD=9, SAPLING=9, BOOK=1)) == {Action.NOOP}


def test_walking():
    for block, open in ((Block.GRASS, True), (Block.WATER, False), (Block.LAVA, False), (Block.TREE, False)):
        assert (Action.DOWN in allowed(bare(ahead=block))) == open
    assert Action.DOWN in allowed(bare(CLASSIC, ahead=Block.LAVA))
    assert Action.DOWN not in allowed(bare(ahead=Block.SAND).put(-1, 0, creature="cow"))
    assert Action.DOWN not in allowed(bare(ahead=Block.OUT_OF_BOUNDS))
    assert Action.DOWN in allowed(bare(ahead=0))  # in the dark


@pytest.mark.parametrize(
    ("block", "carried", "useful"),
    [
        (Block.GRASS, {}, True),
        (Block.GRASS, {"SAPLING": 99}, False),
        (Block.SAND, {}, False),
        (Block.TREE, {}, True),
        (Block.STONE, {}, False),
        (Block.STONE, {"PICKAXE": 1}, True),
        (Block.DIAMOND, {"PICKAXE": 2}, False),
        (Block.DIAMOND, {"PICKAXE": 3}, True),
        (Block.WATER, {}, True),
        (Block.FOUNTAIN, {}, True),
        (Block.PLANT, {}, False),
        (Block.RIPE_PLANT, {}, True),
        (Block.CHEST, {}, True),
        (Block.OUT_OF_BOUNDS, {}, False),
        (Block.NECROMANCER, {}, False),
        (0, {}, True),
    ],
)
def test_doing(block, carried, useful):
    assert (Action.DO in allowed(bare(ahead=block).carry(**carried))) == useful


def test_doing_something_to_creatures_and_the_necromancer():
    assert Action.DO in allowed(bare(ahead=Block.SAND).put(-1, 0, creature="zombie"))
    assert Action.DO in allowed(bare(ahead=Block.NECROMANCER, floor=8, experience=8, boss_vulnerable=1))


def test_tools_of_the_classic_rules():
    assert Action.DO not in allowed(bare(CLASSIC, Block.STONE).carry(STONE_PICKAXE=1))
    assert Action.DO in allowed(bare(CLASSIC, Block.STONE).carry(WOOD_PICKAXE=1))
    assert Action.DO not in allowed(bare(CLASSIC, Block.CRAFTING_TABLE))


def test_sleep_and_rest():
    assert Action.SLEEP in allowed(bare(vitals=[9, 9, 8, 9]))
    assert Action.REST in allowed(bare(health=8))
    assert Action.REST in allowed(bare(health=8, health_fraction=39))
    assert Action.REST not in allowed(bare(health=8, vitals=[9, 0, 9, 9]))
    for creature, near in (("zombie", True), ("skeleton", True), ("cow", False)):
        assert (Action.REST in allowed(bare().put(0, 1, creature=creature))) == near
    assert Action.REST not in allowed(bare().put(1, 1, creature="zombie"))
    assert Action.REST in allowed(bare().put(1, 0, missile=Projectile.ARROW))
    assert Action.REST in allowed(bare().put(0, 0, missile=Projectile.ARROW))
    assert Action.REST in allowed(bare().put(0, -1, 0, light=0))
    assert Action.REST not in allowed(bare().put(1, 1, 0, light=0))


def test_ladders():
    down, up = (Block.PATH + 64 * fixture for fixture in (Fixture.LADDER_DOWN, Fixture.LADDER_UP))
    assert Action.DESCEND not in allowed(bare().put(0, 0, down))
    assert Action.DESCEND in allowed(bare(ladder_open=1).put(0, 0, down))
    assert Action.DESCEND not in allowed(bare(ladder_open=1))
    assert Action.ASCEND in allowed(pilgrim(3).put(0, 0, up))
    assert Action.ASCEND not in allowed(pilgrim(3).put(0, 0, down))
    assert Action.DESCEND not in allowed(pilgrim(8, ladder_open=1).put(0, 0, 0, light=0))
    assert {Action.ASCEND, Action.DESCEND} <= allowed(pilgrim(3, ladder_open=1).put(0, 0, 0, light=0))


def test_every_recipe_needs_all_that_its_row_says():
    for rules in (FULL, CLASSIC):
        for row in (*rules.recipes, *rules.armour_recipes):
            scene = bare(rules).carry(**{item.name: number for item, number in row.uses})
            assert row.action not in allowed(scene)
            for corner, station in zip((-1, 1), row.near, strict=False):
                scene.put(1, corner, station)
            assert row.action in allowed(scene)
            for item, number in row.uses:
                assert row.action not in allowed(scene.carry(**{item.name: number - 1}))
                scene.carry(**{item.name: number})
            if getattr(row, "level", 0):
                scene.set(armour=2).carry(PICKAXE=4, SWORD=4)
                assert row.action not in allowed(scene)
    assert Action.MAKE_WOOD_PICKAXE in allowed(bare().carry(WOOD=1).put(-1, -1, 0, light=0))
    assert Action.MAKE_ARROW not in allowed(
        bare().put(1, 1, Block.CRAFTING_TABLE).carry(WOOD=1, STONE=1, ARROW=99)
    )


def test_every_placement_needs_its_cost_and_a_bare_tile_that_takes_it():
    for rules in (FULL, CLASSIC):
        for row in rules.placements:
            onto = row.onto[0] if row.onto else Block.SAND
            scene = bare(rules, onto)
            assert row.action not in allowed(scene)
            scene.carry(**{item.name: number for item, number in row.uses})
            assert row.action in allowed(scene)
            assert row.action in allowed(scene.put(-1, 0, 0, light=0))
            assert row.action not in allowed(scene.put(-1, 0, Block.WALL, light=30))
            assert row.action not in allowed(scene.put(-1, 0, Block.OUT_OF_BOUNDS, light=0))
            assert row.action not in allowed(scene.put(-1, 0, onto, light=30, creature="cow"))
    torch = Block.SAND + 64 * Fixture.TORCH
    assert Action.PLACE_STONE not in allowed(bare(ahead=torch).carry(STONE=1))


def test_shots_need_a_free_slot_as_far_as_is_seen():
    shots = {Action.SHOOT_ARROW, Action.CAST_FIREBALL, Action.CAST_ICEBALL}
    scene = bare(spells=1).carry(BOW=1, ARROW=1)
    assert shots <= allowed(scene)
    assert shots <= allowed(scene.put(4, 5, light=30 + 32).put(3, 5, light=30 + 64))
    assert not shots & allowed(scene.put(-4, -5, light=30 + 128))
    assert not shots & allowed(bare(spells=[1, 1], vitals=[9, 9, 9, 1]).carry(BOW=1))
    assert shots & allowed(bare(spells=[0, 1])) == {Action.CAST_ICEBALL}


def test_potions_and_books():
    assert allowed(bare().carry(POTION_BLUE=1)) == EMPTY | {Action.DRINK_POTION_BLUE}
    assert allowed(bare().carry(BOOK=1)) == EMPTY | {Action.READ_BOOK}


def test_enchantments():
    every = {Action.ENCHANT_SWORD, Action.ENCHANT_BOW, Action.ENCHANT_ARMOUR}
    for table, gem, element in (
        (Block.ENCHANTMENT_TABLE_FIRE, "RUBY", 1),
        (Block.ENCHANTMENT_TABLE_ICE, "SAPPHIRE", 2),
    ):
        scene = bare(ahead=table, armour=[0, 0, 1, 0]).carry(SWORD=1, BOW=1)
        assert not every & allowed(scene)
        assert every <= allowed(scene.carry(**{gem: 1}))
        assert every <= allowed(scene.put(-1, 0, 0, light=0))
        assert not every & allowed(scene.put(-1, 0, table, light=30).set(vitals=[9, 9, 9, 8]))
        scene.set(vitals=9, sword_enchantment=element, bow_enchantment=element, armour_enchantment=element)
        assert not every & allowed(scene)


def test_experience_is_spent_as_soon_as_a_floor_is_reached():
    rises = {Action.LEVEL_UP_DEXTERITY, Action.LEVEL_UP_STRENGTH, Action.LEVEL_UP_INTELLIGENCE}
    assert rises <= allowed(bare(experience=1))
    assert rises & allowed(pilgrim(2)) == set()
    assert rises <= allowed(bare(floor=1))  # its point comes in this step
    assert rises & allowed(pilgrim(8, experience=1)) == {Action.LEVEL_UP_INTELLIGENCE}


def company(row: int, col: int, state: int = 1, mark: int = AWAKE_MARK + 4, **fields: Any) -> Scene:
    """Player 0 on the first floor with player 1, so many rows below and columns to the right of it."""
    scene = Scene(COOP, Block.SAND, **fields)
    scene.set(player_row=[64, 64 + row, *[0] * 6], player_col=[64, 64 + col, *[0] * 6])
    scene.set(player_state=[1, state, *[0] * 6], player_health=[9, 9 * (state < 3), *[0] * 6])
    return scene.put(-row, col, creature=mark) if abs(row) < 5 and abs(col) < 6 else scene


def test_gifts_need_one_who_stands_ahead():
    asleep, fallen = ASLEEP_MARK + 1, FALLEN_MARK + 1
    things = {item.name: 1 for item in GIVING}
    assert allowed(company(1, 0).carry(WOOD=1)) >= {Action.GIVE_WOOD, Action.DOWN}
    assert allowed(company(1, 0).carry(**things)) >= GIFTS
    assert allowed(company(1, 0, 2, asleep).carry(WOOD=1)) & (GIFTS | {Action.DOWN}) == {Action.GIVE_WOOD}
    assert not allowed(company(1, 0, 3, fallen).carry(**things)) & (GIFTS | {Action.DOWN})
    assert not allowed(company(0, 1).carry(**things)) & GIFTS
    assert Action.DO in allowed(company(1, 0, 3, fallen))


def test_others_may_clear_the_tile_ahead_or_take_all_along():
    assert Action.DOWN not in allowed(company(0, 3).put(-1, 0, Block.WALL))
    assert Action.DOWN in allowed(company(2, 0).put(-1, 0, Block.WALL))
    ladder = Block.PATH + 64 * Fixture.LADDER_DOWN
    assert not allowed(company(0, 3).put(0, 3, ladder)) & {Action.PLACE_STONE, Action.MAKE_ARROW}
    along = allowed(company(0, 3, ladder_open=1).put(0, 3, ladder))
    assert {Action.PLACE_STONE, Action.MAKE_ARROW, Action.GIVE_WOOD} <= along
    assert Action.READ_BOOK not in along
    assert Action.MAKE_ARROW in allowed(company(0, 20, ladder_open=1))  # it may stand on the ladder there
    in_the_dark = company(0, 3, ladder_open=1).put(0, 3, 0, light=0).set(creature=0)
    assert Action.MAKE_ARROW in allowed(in_the_dark)


def test_the_fallen_can_do_nothing():
    assert allowed(company(1, 0, fallen=1).carry(WOOD=1)) == {Action.NOOP}


def test_any_axes_may_lead():
    env = ENVIRONMENTS["classic"]
    scenes = [bare(CLASSIC), bare(CLASSIC, Block.TREE), bare(CLASSIC, asleep=1)]
    tokens = jnp.stack([jnp.asarray(scene.tokens) for scene in scenes])
    mask = np.asarray(env.mask_of(tokens))
    assert mask.shape == (3, 17)
    deep = jax.jit(env.mask_of)(jnp.broadcast_to(tokens[None, :, None], (2, 3, 1, tokens.shape[1])))
    np.testing.assert_array_equal(deep, np.broadcast_to(mask[None, :, None], (2, 3, 1, 17)))
    np.testing.assert_array_equal(token_mask(tokens, CLASSIC), mask)
    assert env.mask_of(tokens[:0]).shape == (0, 17)


@pytest.fixture
def unchecked():
    """Annotations as a user has them: not checked."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_other_tokens_are_refused(unchecked):
    env: Any = ENVIRONMENTS["classic"]
    with pytest.raises(ValueError, match=r"tokens must be uint8\[307\], not uint8\[445\]"):
        env.mask_of(np.zeros(445, np.uint8))
    with pytest.raises(ValueError, match=r"not float32\[2, 307\]"):
        env.mask_of(np.zeros((2, 307), np.float32))
    with pytest.raises(TypeError, match="tokens must be an array"):
        env.mask_of([0] * 307)


def held_by(state: Any, rules: book.Rules) -> np.ndarray:
    """Assert that the mask of a state's tokens allows what the state's mask allows; return both."""
    world = state.world
    here = np.arange(len(world.tick)), world.floor
    spent = world.player.attributes.astype(int).sum(axis=-1) - 3
    # Each floor below the first has brought a point, and all players have been on all of them.
    known = (world.player.experience + spent >= np.minimum(world.depth, 255)[:, None]).any(axis=1)
    world.floors.visited[here] |= known
    env, state = driver.environment(rules), jax.tree.map(jnp.asarray, state)
    exact, seen = np.asarray(env.action_mask(state)), np.asarray(env.mask_of(env.observe(state)))
    wrong = np.argwhere(exact & ~seen)
    assert not len(wrong), [(int(each[0]), Action(each[-1]).name) for each in wrong[:10]]
    assert seen[..., Action.NOOP].all()
    return np.stack([exact, seen])


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_what_the_state_allows_the_tokens_allow(name):
    make, rules = CASES[name]
    exact, seen = held_by(make(11, rules), rules)
    assert (seen & ~exact).mean() < 0.1
    assert not seen[:, 1:].all()


@pytest.mark.slow
@pytest.mark.parametrize("players", [2, 3])
def test_what_a_state_of_several_allows_the_tokens_allow(players):
    rules = replace(book.COOP, players=players)
    rng = np.random.default_rng([players, 43])
    state = coop_scenes.scramble(driver.blank(rules), rng, rules, crowd=0.5, reach=3, wild=0.3)
    exact, seen = held_by(state, rules)
    assert exact.shape == (driver.WORLDS, players, rules.actions)
    assert not seen[..., 1:].all()


@pytest.mark.parametrize(
    ("id", "players"),
    [("OpenWorld-v0", 1), ("OpenWorld-Classic-v0", 1), ("OpenWorld-Endless-v0", 1)]
    + [("OpenWorld-Coop-v0", players) for players in (1, 2, 3, 8)],
)
def test_it_never_forbids_what_is_of_use_in_long_play(id, players, lenient):
    found = count(openworld.make(id, num_agents=players), 100_000, worlds=256 // players)
    assert found["forbidden_though_of_use"] == 0
    assert all(found["states_by_floor"])
    assert found["allowed_more"] < (0.03 if players == 1 else 1)
