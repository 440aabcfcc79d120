"""A new creature and a new recipe are a row each: they are played as they are told, and no rule knows them."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.content.creatures import Creature
from openworld.content.ids import Achievement, Action, Block, Direction, Item, Kind, Vital
from openworld.content.recipes import Recipe, cost
from openworld.content.rulesets import FULL
from openworld.content.tables import compile_tables
from openworld.content.units import POINT
from openworld.environment import Environment

pytestmark = pytest.mark.slow

#: A beast of the beach, where the cow stood: nothing else has this class and number.
GOAT = Creature(
    name="goat",
    kind=Kind.PASSIVE,
    number=3,
    health=2,
    home=(Block.GRASS, Block.SAND),
    achievement=Achievement.EAT_COW,
)
#: Something new to make, by an action that makes nothing in the full rules.
BOW = Recipe(
    action=Action.DESCEND,
    makes=Item.BOW,
    level=1,
    uses=cost(sapling=1, wood=3),
    near=(Block.CRAFTING_TABLE, Block.FURNACE),
)
RULES = replace(
    FULL,
    name="goats",
    creatures=(*FULL.creatures, GOAT),
    floors=(replace(FULL.floors[0], passive=GOAT.number), *FULL.floors[1:]),
    recipes=(*FULL.recipes, BOW),
)
WORLDS, STEPS, ROW, COL = 64, 60, 20, 30


@cache
def environment():
    return Environment(id="Goats", ruleset=RULES, time_limit=1000)


def play(state, *actions):
    """Play the same actions in every world: the last state and info."""
    for action in actions:
        _, state, _, _, _, info = environment().step(state, jnp.full(WORLDS, int(action), jnp.int32))
    return state, info


@cache
def watched():
    """Sixty quiet steps: the last state; of the passive slots tile, position, type, health and life."""
    _, state = environment().reset(5, WORLDS)
    seen = []
    for _ in range(STEPS):
        state, _ = play(state, Action.NOOP)
        mobs, tiles = state.world.mobs, np.asarray(state.ground.tiles[:, 0])
        position = np.asarray(mobs.position)
        under = tiles[np.arange(WORLDS)[:, None], position[..., 0], position[..., 1]]
        seen.append([under, position, *(np.asarray(x) for x in (mobs.type, mobs.health, mobs.alive))])
    passive = compile_tables(RULES).creatures.slot_kind == Kind.PASSIVE
    return state, *(np.stack(each)[:, :, passive] for each in zip(*seen, strict=True))


def blank():
    """Fresh worlds, with one bare meadow, that may be edited: the player in its middle faces down."""
    state = jax.tree.map(np.array, environment().reset(6, WORLDS)[1])
    state.ground.tiles[:, 0] = Block.GRASS
    state.world.player.position[:] = ROW, COL
    state.world.player.facing[:] = Direction.DOWN
    return state


def test_it_appears_at_home_with_its_health():
    _, under, _, kind, health, alive = watched()
    assert alive.any(axis=(0, 2)).mean() > 0.9  # a tenth of the steps bring one, given the room
    assert set(kind[alive]) == {GOAT.number}
    assert set(health[alive]) == {GOAT.health * POINT}
    new = alive[1:] & ~alive[:-1]
    assert set(under[1:][new]) == set(GOAT.home)


def test_it_moves_as_its_class_does():
    _, _, position, _, _, alive = watched()
    stays = alive[1:] & alive[:-1]
    far = np.abs(np.diff(position.astype(int), axis=0)).sum(axis=-1)[stays]
    # Half the time it would take a step, and sometimes something is in the way. (A slot may be emptied and
    # filled again in one step: that is no step.)
    assert 0.3 < np.mean(far == 1) < 0.55
    assert np.mean(far > 1) < 0.02


def test_it_is_seen():
    state, *_ = watched()
    tokens = np.asarray(environment().step(state, jnp.zeros(WORLDS, jnp.int32))[0])
    row = environment().layout["creature"]
    goat = 1 + 8 * Kind.PASSIVE + GOAT.number
    assert set(tokens[:, row.slice].ravel()) & set(range(1, 25)) >= {goat}
    assert not (tokens[:, row.slice] == 1 + 8 * Kind.PASSIVE).any()  # no cow is left


def test_it_is_slain_with_its_achievement():
    state = blank()
    slot = list(compile_tables(RULES).creatures.slot_kind).index(Kind.PASSIVE)
    mobs, player = state.world.mobs, state.world.player
    player.vitals[:, 0, Vital.FOOD] = 2
    # Boxed in, so that it stays for the second blow.
    for down, right in ((2, 0), (1, -1), (1, 1)):
        state.ground.tiles[:, 0, ROW + down, COL + right] = Block.STONE
    for name, value in (("position", (ROW + 1, COL)), ("type", GOAT.number), ("health", 2 * POINT)):
        getattr(mobs, name)[:, slot] = value
    mobs.alive[:, slot] = True

    state, info = play(jax.tree.map(jnp.asarray, state), Action.DO)
    assert (state.world.mobs.health[:, slot] == POINT).all()
    assert not info.achievements[:, GOAT.achievement].any()
    state, info = play(state, Action.DO)
    assert info.achievements[:, GOAT.achievement].all()
    assert (state.world.player.vitals[:, 0, Vital.FOOD] == 8).all()


@pytest.mark.parametrize("short", [None, Block.CRAFTING_TABLE, Block.FURNACE, Item.WOOD, Item.SAPLING])
def test_it_is_made_of_what_it_costs(short):
    state = blank()
    player = state.world.player
    for item, number in BOW.uses:
        player.inventory[:, 0, item] = number - (short is item)
    for station, place in zip(BOW.near, ((ROW - 1, COL - 1), (ROW, COL + 1)), strict=True):
        if short is not station:
            state.ground.tiles[:, 0, *place] = station
    before = player.inventory.copy()

    state, info = play(jax.tree.map(jnp.asarray, state), BOW.action)
    after = np.asarray(state.world.player.inventory)
    unlocked = np.asarray(info.achievements[:, Achievement.FIND_BOW])
    if short is None:
        assert after[:, 0, Item.BOW].tolist() == [1] * WORLDS
        assert after.sum() == WORLDS
        assert unlocked.all()
    else:
        np.testing.assert_array_equal(after, before)
        assert not unlocked.any()


def test_a_changed_row_changes_what_is_made():
    arrows = replace(FULL.recipes[8], amount=7, uses=cost(iron=2), near=())
    assert arrows.action == Action.MAKE_ARROW
    tables = compile_tables(
        replace(FULL, name="fletcher", recipes=(*FULL.recipes[:8], arrows, *FULL.recipes[9:]))
    )
    assert tables.actions.amount[Action.MAKE_ARROW] == 7
    assert tables.actions.cost[Action.MAKE_ARROW].tolist() == [
        2 * (item == Item.IRON) for item in range(FULL.items)
    ]
    assert not tables.actions.stations[Action.MAKE_ARROW].any()
