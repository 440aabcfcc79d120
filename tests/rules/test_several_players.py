"""Single systems of the rules with several players in a world: draws of their own, and what happens at once."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from openworld.content.ids import Action, Block, Direction, Enchantment, Floor, Item, Kind
from openworld.content.units import POINT
from openworld.core.random import Dice
from openworld.rules.arrival import SPAN, center, spread
from openworld.rules.boss import confront
from openworld.rules.coop import give
from openworld.rules.creature_actions import think
from openworld.rules.growth import RIPE_AGE, grow
from openworld.rules.interact import interact
from openworld.rules.magic import enchant, read
from openworld.rules.spawning import corner, spawn
from openworld.rules.turn import CoopPlayers
from tests.rules.helpers_systems import bag, compiled, roll, seeds, tables, turn, world

DRAWS = 4096
#: Chance that fair draws fail a test below once.
ALPHA = 1e-6
LEFT, RIGHT, UP, DOWN = Direction


def together(here, action, block=Block.PATH):
    """A turn of several players, in the order of their numbers."""
    up = here.player.health > 0
    several = CoopPlayers(jnp.arange(len(up), dtype=jnp.int32), up, jnp.ones_like(up))
    return dataclasses.replace(turn(here, action, block), coop=several)


def many(system, here, wanted):
    """The players after one system, with the dice of as many worlds as DRAWS."""
    played = jax.jit(jax.vmap(lambda seed: system(*roll(here, wanted, seed))[0].player))(seeds(DRAWS))
    return jax.tree.map(np.asarray, played)


def independent(one, other):
    """Whether two draws of each world have nothing to do with each other."""
    return stats.chi2_contingency(stats.contingency.crosstab(one, other).count).pvalue > ALPHA


# --- draws ---


def test_each_player_learns_by_a_draw_of_its_own():
    here = world(agents=2, player__inventory=bag(book=1))
    spells = many(read, here, together(here, Action.READ_BOOK)).spells
    assert independent(spells[:, 0, 0], spells[:, 1, 0])


def test_each_player_finds_saplings_by_a_draw_of_its_own():
    here = world(agents=2, player__position=[[5, 5], [9, 9]])
    found = many(interact, here, together(here, Action.DO, Block.GRASS)).inventory[:, :, Item.SAPLING]
    assert (found.sum(axis=0) > 0).all()
    assert independent(found[:, 0], found[:, 1])


def test_each_player_enchants_a_piece_by_a_draw_of_its_own():
    here = world(
        agents=2,
        player__inventory=bag(ruby=1),
        player__vitals=9,
        player__armour=1,
        player__position=[[5, 5], [9, 9]],
    )
    wanted = together(here, Action.ENCHANT_ARMOUR, Block.ENCHANTMENT_TABLE_FIRE)
    charmed = many(enchant, here, wanted).armour_enchantment == Enchantment.FIRE
    assert (charmed.sum(axis=2) == 1).all()
    assert independent(*charmed.argmax(axis=2).T)


# --- at once ---


def test_two_givers_fill_the_last_place_once():
    # The first and the second face the third, who has room for one more.
    here = world(
        agents=3,
        player__position=[[5, 5], [5, 7], [5, 6]],
        player__facing=[RIGHT, LEFT, UP],
        player__inventory=np.stack([bag(wood=3), bag(wood=3), bag(wood=98)]),
    )
    wanted = together(here, [Action.GIVE_WOOD, Action.GIVE_WOOD, Action.NOOP])
    after, _ = compiled(give)(here, wanted)
    np.testing.assert_array_equal(after.player.inventory[:, Item.WOOD], [2, 3, 99])


def test_two_blows_at_once_are_one_wound():
    here = world(
        agents=2, floor=Floor.GRAVEYARD, theme=Floor.GRAVEYARD, depth=8, boss_wave=0, boss_progress=3
    )
    after, _ = compiled(confront)(here, together(here, Action.DO, Block.NECROMANCER))
    assert after.boss_progress == 4


def test_saplings_of_two_players_ripen_in_one_step():
    here = world(agents=2)
    places = jnp.zeros_like(here.plants.position).at[:3].set(jnp.array([[3, 4], [5, 6], [7, 8]]))
    age = jnp.zeros_like(here.plants.age).at[:3].set(jnp.array([RIPE_AGE - 1, RIPE_AGE - 2, RIPE_AGE - 1]))
    here = dataclasses.replace(
        here, plants=dataclasses.replace(here.plants, position=places, age=age, alive=age > 0)
    )
    after, happened = compiled(grow)(here, together(here, Action.NOOP))
    np.testing.assert_array_equal(after.plants.alive[:3], [False, True, False])
    ripened = [tuple(edit.position[0].tolist()) for edit in happened.edits if edit.wanted[0]]
    assert ripened == [(3, 4), (7, 8)]


# --- nearest, first, around ---


def test_of_equally_near_players_the_first_in_turn_is_hunted():
    here = world(agents=3, player__position=[[10, 10], [10, 14], [10, 14]], mobs__alive=True)
    places = jnp.broadcast_to(jnp.array([10, 12]), here.mobs.position.shape).at[0].set(jnp.array([10, 13]))
    here = dataclasses.replace(here, mobs=dataclasses.replace(here.mobs, position=places))
    plan = compiled(think)(here, together(here, Action.NOOP))[1].plan
    np.testing.assert_array_equal(plan.prey, [1] + [0] * (len(places) - 1))
    np.testing.assert_array_equal(plan.distance, [1] + [2] * (len(places) - 1))


def test_creatures_appear_around_the_first_who_stands_of_the_last_step():
    places = [[1, 1], [2, 2], [3, 3]]
    for tick, health, expected in ((1, 40, 0), (2, 40, 1), (3, 40, 2), (2, [40, 0, 40], 2), (2, 0, 1)):
        here = world(agents=3, player__position=places, player__health=health, tick=tick)
        np.testing.assert_array_equal(center(here), places[expected])


def test_nobody_appears_about_the_fallen():
    # A cow appears more than 2 tiles and less than 14 from who stands; the other one lies 10 tiles away.
    places = np.array([[24, 20], [24, 30]])
    here = world(agents=2, tick=1, player__position=places, player__health=[9 * POINT, 0])
    tiles = jnp.full((29, 29), int(Block.GRASS), jnp.uint8)

    def one(seed):
        mobs = spawn(here, Kind.PASSIVE, tiles, Dice.of(seed, here.tick), tables(), (48, 48))
        return mobs.position[mobs.alive.argmax()]

    found = np.asarray(jax.jit(jax.vmap(one))(seeds(DRAWS)))
    start = np.asarray(corner(here, 48, 48))
    row, col = (np.arange(29) + first for first in start)
    squared = [(row[:, None] - r) ** 2 + (col[None] - c) ** 2 for r, c in places]
    near, far = int(tables().spawn.near[0, Kind.PASSIVE]), int(tables().spawn.far[0])
    open_ = (squared[0] > near) & (squared[0] < far) & (squared[1] > 0)
    wanted = {(int(start[0] + r), int(start[1] + c)) for r, c in np.argwhere(open_)}
    assert set(map(tuple, found.tolist())) <= wanted
    beside = np.abs(found - places[1]).sum(axis=1) <= 2
    assert beside.any()


def test_who_arrives_is_set_down_up_to_ten_steps_away():
    # One way leads along the upper edge and then down; creatures stand on its first eight tiles.
    way = [(0, col) for col in range(SPAN)] + [(1, SPAN - 1)]
    tiles = np.full((SPAN, SPAN), Block.WALL, np.uint8)
    tiles[tuple(np.array(way).T)] = Block.PATH
    here = world(agents=4, tick=0, player__position=[0, 0], mobs__alive=True)
    assert len(here.mobs.alive) == 8
    crowd = dataclasses.replace(here.mobs, position=jnp.array(way[1:9], jnp.int32))
    here = dataclasses.replace(here, mobs=crowd)
    start, head = jnp.zeros(2, jnp.int32), jnp.int32(0)
    after = spread(here, jnp.asarray(tiles), start, tables(), head)
    np.testing.assert_array_equal(after.player.position, [(0, 0), (0, 9), (0, 10), (0, 0)])
