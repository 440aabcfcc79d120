"""`check_state`: what play brings about passes, and what cannot be is refused by name."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.content.ids import Block, Item
from openworld.environment import Environment, State
from openworld.storage.validity import check_state
from tests.oracle import driver
from tests.oracle.book import CLASSIC, ENDLESS, FULL, Rules

WORLDS = driver.PLAYED


def played(rules: Rules, steps: int) -> State:
    """Worlds after some steps of random play, as NumPy arrays."""
    _, state = driver.environment(rules).reset(5, WORLDS)
    dice = np.random.default_rng(0)
    for _ in range(steps):
        action = jnp.asarray(dice.integers(0, rules.actions, WORLDS, np.int32))
        _, state, *_ = driver.step_on(state, action, rules)
    return jax.tree.map(np.array, state)


@pytest.fixture(scope="module")
def full() -> tuple[Environment, State]:
    return driver.environment(), played(FULL, steps=0)


@pytest.mark.slow
@pytest.mark.parametrize("rules", [FULL, CLASSIC, ENDLESS], ids=["full", "classic", "endless"])
def test_play_brings_about_what_is_allowed(rules):
    check_state(played(rules, steps=40), driver.environment(rules).ruleset)


def test_jax_arrays_are_checked_too(full):
    world, _ = full
    check_state(world.reset(3, 2)[1], world.ruleset)


def put(where: Callable[[State], Any], place: tuple[int, ...], value: int) -> Callable[[State], State]:
    """An edit that sets one number of a field."""

    def edit(state: State) -> State:
        changed = where(state).copy()
        changed[place] = value
        return eqx.tree_at(where, state, changed)

    return edit


def both(*edits: Callable[[State], State]) -> Callable[[State], State]:
    def edit(state: State) -> State:
        for one in edits:
            state = one(state)
        return state

    return edit


def alive(place: tuple[int, int] = (1, 0)) -> Callable[[State], State]:
    """A zombie of full health in a melee slot of the floor in play."""
    return both(
        put(lambda s: s.world.mobs.alive, place, True),
        put(lambda s: s.world.mobs.type, place, 0),
        put(lambda s: s.world.mobs.health, place, 200),
        put(lambda s: s.world.mobs.cooldown, place, 0),
        put(lambda s: s.world.mobs.position, (*place, slice(None)), 5),
    )


def flying(slot: int) -> Callable[[State], State]:
    return both(
        put(lambda s: s.world.projectiles.alive, (1, slot), True),
        put(lambda s: s.world.projectiles.type, (1, slot), 2),
        put(lambda s: s.world.projectiles.direction, (1, slot), 0),
        put(lambda s: s.world.projectiles.position, (1, slot, slice(None)), 5),
    )


REFUSED = {
    "world.tick of world 2 is -1; it must be 0 to": put(lambda s: s.world.tick, (2,), -1),
    "world.depth of world 1 is 9; it must be 0 to 8": put(lambda s: s.world.depth, (1,), 9),
    "world.floor of world 1 is 3; it must be 0": put(lambda s: s.world.floor, (1,), 3),
    "world.theme of world 0 is 1; it must be 0": put(lambda s: s.world.theme, (0,), 1),
    "world.boss_progress of world 3 is 9; it must be 0 to 8": put(lambda s: s.world.boss_progress, (3,), 9),
    "world.boss_wave of world 3 is -1; it must be 0 to 7": put(lambda s: s.world.boss_wave, (3,), -1),
    "world.potions[0] of world 2 is 6; it must be one of six different effects": put(
        lambda s: s.world.potions, (2, slice(None)), 6
    ),
    "world.player.position[0, 1] of world 1 is 48; it must be 0 to 47": put(
        lambda s: s.world.player.position, (1, 0, 1), 48
    ),
    "world.player.facing[0] of world 1 is 4; it must be 0 to 3": put(
        lambda s: s.world.player.facing, (1, 0), 4
    ),
    "world.player.health[0] of world 1 is 361; it must be 0 to 360": put(
        lambda s: s.world.player.health, (1, 0), 361
    ),
    "world.player.vitals[0, 3] of world 1 is 10; it must be 0 to 9": put(
        lambda s: s.world.player.vitals, (1, 0, 3), 10
    ),
    "world.player.hunger[0] of world 1 is 401; it must be 0 to 400": put(
        lambda s: s.world.player.hunger, (1, 0), 401
    ),
    "world.player.thirst[0] of world 1 is -1; it must be 0 to 320": put(
        lambda s: s.world.player.thirst, (1, 0), -1
    ),
    "world.player.fatigue[0] of world 1 is -161; it must be -160 to 480": put(
        lambda s: s.world.player.fatigue, (1, 0), -161
    ),
    "world.player.recovery[0] of world 1 is 401; it must be -240 to 400": put(
        lambda s: s.world.player.recovery, (1, 0), 401
    ),
    "world.player.focus[0] of world 1 is -1; it must be 0 to 1966080": put(
        lambda s: s.world.player.focus, (1, 0), -1
    ),
    "world.player.inventory[0, 0] of world 1 is 100; it must be 0 to 99": put(
        lambda s: s.world.player.inventory, (1, 0, Item.WOOD), 100
    ),
    "world.player.inventory[0, 12] of world 1 is 5; it must be 0 to 4": put(
        lambda s: s.world.player.inventory, (1, 0, Item.SWORD), 5
    ),
    "world.player.sword_enchantment[0] of world 1 is 3; it must be 0 to 2": put(
        lambda s: s.world.player.sword_enchantment, (1, 0), 3
    ),
    "world.player.bow_enchantment[0] of world 1 is 3; it must be 0 to 2": put(
        lambda s: s.world.player.bow_enchantment, (1, 0), 3
    ),
    "world.player.armour[0, 2] of world 1 is 3; it must be 0 to 2": put(
        lambda s: s.world.player.armour, (1, 0, 2), 3
    ),
    "world.player.armour_enchantment[0, 2] of world 1 is 3; it must be 0 to 2": put(
        lambda s: s.world.player.armour_enchantment, (1, 0, 2), 3
    ),
    "world.player.experience[0] of world 1 is -1; it must be 0 to": put(
        lambda s: s.world.player.experience, (1, 0), -1
    ),
    "world.player.attributes[0, 1] of world 1 is 0; it must be 1 to 5": put(
        lambda s: s.world.player.attributes, (1, 0, 1), 0
    ),
    "world.player.achievements[0, 2] of world 1 is 8; it must be without bits beyond achievement 66": put(
        lambda s: s.world.player.achievements, (1, 0, 2), 8
    ),
    "world.mobs.type[7] of world 1 is 8; it must be 0 to 7": put(lambda s: s.world.mobs.type, (1, 7), 8),
    "world.mobs.type[3] of world 1 is 5; it must be a creature of its slot's class": both(
        alive((1, 3)), put(lambda s: s.world.mobs.type, (1, 3), 5)
    ),
    "world.mobs.position[0, 0] of world 1 is -1; it must be 0 to 47": both(
        alive(), put(lambda s: s.world.mobs.position, (1, 0, 0), -1)
    ),
    "world.mobs.health[0] of world 1 is 201; it must be 1 to 200": both(
        alive(), put(lambda s: s.world.mobs.health, (1, 0), 201)
    ),
    "world.mobs.cooldown[0] of world 1 is 6; it must be 0 to 5": put(
        lambda s: s.world.mobs.cooldown, (1, 0), 6
    ),
    "ground.mobs.cooldown[8, 0] of world 1 is 6; it must be 0 to 5": put(
        lambda s: s.ground.mobs.cooldown, (1, 8, 0), 6
    ),
    "world.projectiles.type[4] of world 1 is 8; it must be 0 to 7": put(
        lambda s: s.world.projectiles.type, (1, 4), 8
    ),
    "world.projectiles.direction[4] of world 1 is 4; it must be 0 to 3": put(
        lambda s: s.world.projectiles.direction, (1, 4), 4
    ),
    "world.projectiles.position[0, 1] of world 1 is 48; it must be 0 to 47": both(
        flying(0), put(lambda s: s.world.projectiles.position, (1, 0, 1), 48)
    ),
    "world.projectiles.type[4] of world 1 is 5; it must be 2 or 3 or 4 in a player's slot": both(
        flying(4), put(lambda s: s.world.projectiles.type, (1, 4), 5)
    ),
    "ground.projectiles.direction[3, 0] of world 0 is -1; it must be 0 to 3": put(
        lambda s: s.ground.projectiles.direction, (0, 3, 0), -1
    ),
    "world.plants.age[2] of world 1 is 600; it must be 0 to 599": both(
        put(lambda s: s.world.plants.alive, (1, 2), True), put(lambda s: s.world.plants.age, (1, 2), 600)
    ),
    "world.plants.position[2, 1] of world 1 is 48; it must be 0 to 47": both(
        put(lambda s: s.world.plants.alive, (1, 2), True),
        put(lambda s: s.world.plants.position, (1, 2, 1), 48),
    ),
    "world.floors.kills[4] of world 1 is -1; it must be 0 to": put(
        lambda s: s.world.floors.kills, (1, 4), -1
    ),
    "world.floors.ladders[2, 0, 0] of world 1 is -1; it must be on the map, or -1 twice": put(
        lambda s: s.world.floors.ladders, (1, 2, 0, slice(None)), np.array([-1, 4])
    ),
    "ground.tiles[0, 7, 9] of world 1 is 37; it must be the number of a block, below 37": put(
        lambda s: s.ground.tiles, (1, 0, 7, 9), len(Block)
    ),
    "ground.light[3, 7, 9] of world 1 is 241; it must be 0 to 240": put(
        lambda s: s.ground.light, (1, 3, 7, 9), 241
    ),
}


@pytest.mark.parametrize("complaint", REFUSED)
def test_what_cannot_be_is_refused_by_name(full, complaint):
    world, state = full
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refusal:
        check_state(REFUSED[complaint](state), world.ruleset)
    assert str(refusal.value).startswith(complaint)


def test_another_dtype_is_refused(full):
    world, state = full
    wider = eqx.tree_at(lambda s: s.world.player.health, state, state.world.player.health.astype(np.int32))
    message = r"world\.player\.health is int32\[8, 1\]; it must be int16\[8, 1\]"
    with pytest.raises(ValueError, match=message):
        check_state(wider, world.ruleset)


def test_another_shape_is_refused(full):
    world, state = full
    fewer = eqx.tree_at(lambda s: s.ground.tiles, state, state.ground.tiles[:, :5])
    with pytest.raises(ValueError, match=r"ground\.tiles is uint8\[8, 5, 48, 48\]; it must be"):
        check_state(fewer, world.ruleset)


def test_a_single_world_without_its_axis_is_refused(full):
    world, state = full
    with pytest.raises(ValueError, match="must have two axes, worlds and agents"):
        check_state(jax.tree.map(lambda x: x[0], state), world.ruleset)


def test_a_state_of_other_rules_is_refused(full):
    _, state = full
    with pytest.raises(ValueError, match="it must be"):
        check_state(state, driver.environment(CLASSIC).ruleset)


def test_light_is_a_field_where_a_floor_is_dark_and_only_there(full):
    world, state = full
    lit = eqx.tree_at(lambda s: s.ground.light, state, None)
    with pytest.raises(ValueError, match=r"^ground\.light is missing; it must be uint8\[8, \d, 48, 48\]$"):
        check_state(lit, world.ruleset)
    classic = driver.environment(CLASSIC)
    form = classic.state_shape(1)
    dark = eqx.tree_at(
        lambda s: s.ground.light, form, np.zeros((1, 1, 64, 64), np.uint8), is_leaf=lambda x: x is None
    )
    blank = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), dark)
    with pytest.raises(ValueError, match=r"^ground\.light is not a field of a state of these rules$"):
        check_state(blank, classic.ruleset)


def test_what_dead_slots_hold_is_of_no_account(full):
    world, state = full
    edit = put(lambda s: s.world.mobs.health, (1, 0), -77)
    check_state(edit(put(lambda s: s.world.mobs.alive, (1, 0), False)(state)), world.ruleset)


def test_a_deeper_floor_of_an_endless_world_has_a_theme_of_its_own():
    world = driver.environment(ENDLESS)
    state = played(ENDLESS, steps=0)
    deep = both(
        put(lambda s: s.world.depth, (0,), 300),
        put(lambda s: s.world.floor, (0,), 8),
        put(lambda s: s.world.theme, (0,), 7),
    )(state)
    check_state(deep, world.ruleset)
    message = "world.theme of world 0 is 8; it must be 1 to 7"
    with pytest.raises(ValueError, match=message):
        check_state(put(lambda s: s.world.theme, (0,), 8)(deep), world.ruleset)
