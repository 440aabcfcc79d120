"""What is true after every step of random play, on every floor."""

from functools import cache
from typing import NamedTuple

import jax
import numpy as np
import pytest

from tests.oracle import bridge, driver, scenes
from tests.oracle.book import CREATURES, FIRST_SLOT, LEVELS, PLANTS, SLOTS
from tests.oracle.guide import lead
from tests.oracle.names import ENTERS, GRAVES, KINDS, LAND, MELEE, PASSIVE, RANGED, Block, Fixture

WORLDS, STEPS = driver.PLAYED, 800
#: Every so many steps a player is led a floor down.
PAUSE = 40


class Played(NamedTuple):
    """A game as it went, steps first.

    Attributes:
        worlds: the records after each step.
        tiles: of the floor that each player is on.
        plants: of each sapling's tile on the first floor.
        disturbed: whether something changed on a floor that nobody was on before or after the step.
        dimmed: whether light was lost.
    """

    worlds: dict
    tokens: np.ndarray
    reward: np.ndarray
    tiles: np.ndarray
    plants: np.ndarray
    disturbed: np.ndarray
    dimmed: np.ndarray


@cache
def play() -> Played:
    """Random play from generated worlds, with journeys down."""
    acts = np.random.default_rng(11).integers(0, len(scenes.ACTIONS), (STEPS, WORLDS), dtype=np.int32)
    _, state = driver.environment().reset(12, WORLDS)
    worlds, seen, each = [], [], np.arange(WORLDS)
    for t in range(STEPS):
        state, action = lead(state, acts[t], (each + t) % PAUSE == 0)
        old = bridge.Arrays(state.world, jax.tree.map(np.array, state.ground))
        obs, state, reward, terminated, truncated, _ = driver.step_on(state, action)
        new = bridge.Arrays(state.world, jax.tree.map(np.array, state.ground))
        worlds.append(new.world)
        place = new.world["plants"]["position"]
        went_on = ~np.asarray(terminated | truncated)
        seen.append(
            (
                np.array(obs),
                np.asarray(reward),
                new.ground["tiles"][each, new.world["floor"]],
                new.ground["tiles"][each[:, None], 0, place[..., 0], place[..., 1]],
                went_on & disturbed(old, new),
                went_on & dimmed(old, new),
            )
        )
    together = jax.tree.map(lambda *x: np.stack(x), *worlds)
    return Played(together, *(np.stack(x) for x in zip(*seen, strict=True)))


def disturbed(old: bridge.Arrays, new: bridge.Arrays) -> np.ndarray:
    """In which worlds a floor has changed that nobody was on; saplings of the first floor may ripen."""
    floors = np.arange(len(LEVELS))[None]
    frozen = (floors != old.world["floor"][:, None]) & (floors != new.world["floor"][:, None])
    changed = old.ground["tiles"] != new.ground["tiles"]
    changed &= new.ground["tiles"] != Block.RIPE_PLANT
    moved = changed.any(axis=(-2, -1))
    for name in ("mobs", "projectiles"):
        for field, kept in old.ground[name].items():
            moved |= (kept != new.ground[name][field]).reshape(*moved.shape, -1).any(axis=-1)
    return (frozen & moved).any(axis=-1)


def dimmed(old: bridge.Arrays, new: bridge.Arrays) -> np.ndarray:
    """In which worlds a dark floor that was known has lost light."""
    dark = [i for i, level in enumerate(LEVELS) if not level.lit]
    lost = (new.ground["light"] < old.ground["light"]).any(axis=(-2, -1))
    return (lost & old.world["floors"]["visited"][:, dark]).any(axis=-1)


def under(tiles, position):
    """The tiles at positions [steps, worlds, bodies, 2]."""
    steps, worlds = np.ogrid[: len(tiles), : tiles.shape[1]]
    return tiles[steps[..., None], worlds[..., None], position[..., 0], position[..., 1]]


def test_every_floor_was_seen():
    assert set(play().worlds["floor"].ravel().tolist()) == set(range(len(LEVELS)))


def test_counts_stay_in_range():
    worlds = play().worlds
    player = worlds["player"]
    dexterity, strength, intelligence = np.moveaxis(player["attributes"].astype(int), -1, 0)
    assert ((player["attributes"] >= 1) & (player["attributes"] <= 5)).all()
    assert (player["inventory"] <= 99).all()
    most = np.stack([7 + 2 * dexterity] * 3 + [6 + 3 * intelligence], axis=-1)
    assert ((player["vitals"] >= 0) & (player["vitals"] <= most)).all()
    assert ((player["health"] >= 0) & (player["health"] <= 40 * (8 + strength))).all()
    for name, low, high in (
        ("hunger", 0, 25),
        ("thirst", 0, 20),
        ("fatigue", -10, 30),
        ("recovery", -15, 25),
    ):
        assert ((player[name] >= 16 * low) & (player[name] <= 16 * high)).all(), name
    assert ((player["focus"] >= 0) & (player["focus"] <= 30 << 16)).all()
    assert ((worlds["boss_wave"] >= 0) & (worlds["boss_wave"] <= 7)).all()
    assert ((worlds["boss_progress"] >= 0) & (worlds["boss_progress"] <= 8)).all()
    assert (np.sort(worlds["potions"], axis=-1) == np.arange(6)).all()


def test_depth_experience_and_visits_tell_the_same():
    worlds = play().worlds
    assert (worlds["floor"] == worlds["depth"]).all()
    assert (worlds["floor"] == worlds["theme"]).all()
    visited = worlds["floors"]["visited"]
    assert np.take_along_axis(visited, worlds["floor"][..., None].astype(int), -1).all()
    entered = visited[..., 1:].sum(axis=-1)
    spent = worlds["player"]["attributes"][..., 0, :].astype(int).sum(axis=-1) - 3
    np.testing.assert_array_equal(worlds["player"]["experience"][..., 0], entered - spent)
    words = worlds["player"]["achievements"][..., 0, :]
    for floor, level in enumerate(LEVELS[1:], start=1):
        unlocked = words[..., level.enter // 32] >> np.uint32(level.enter % 32) & 1 == 1
        np.testing.assert_array_equal(unlocked, visited[..., floor])


def test_everybody_stands_on_a_tile_of_their_own():
    worlds, tiles = play().worlds, play().tiles
    mobs, alive = worlds["mobs"]["position"].astype(int), worlds["mobs"]["alive"]
    assert (mobs[alive] >= 0).all()
    assert (mobs[alive] < 48).all()
    place = np.where(alive, mobs[..., 0] * 48 + mobs[..., 1], -1 - np.arange(8))
    assert (np.diff(np.sort(place, axis=-1), axis=-1) > 0).all()
    # Whoever arrives by a ladder may find it taken.
    own = worlds["player"]["position"][..., 0, :]
    shared = (place == (own.astype(int) @ np.array([48, 1]))[..., None]).any(axis=-1)
    steps, each = np.ogrid[:STEPS, :WORLDS]
    ladders = worlds["floors"]["ladders"][steps, each, worlds["floor"]]
    assert (ladders == own[:, :, None]).all(axis=-1).any(axis=-1)[shared].all()
    assert np.isin(under(tiles, worlds["player"]["position"]) & 63, list(LAND)).all()


def test_creatures_are_where_they_can_be():
    worlds, tiles = play().worlds, play().tiles
    block = under(tiles, worlds["mobs"]["position"]) & 63
    for kind, first in FIRST_SLOT.items():
        for slot in range(first, first + SLOTS[kind]):
            type_, alive = worlds["mobs"]["type"][..., slot], worlds["mobs"]["alive"][..., slot]
            assert (type_[alive] < len(CREATURES[kind])).all()
            for number, creature in enumerate(CREATURES[kind]):
                stood = block[..., slot][alive & (type_ == number)]
                assert np.isin(stood, list(ENTERS[creature.gait] | GRAVES)).all(), (kind, number)


def test_only_natives_appear():
    worlds = play().worlds
    for kind, name in ((MELEE, "melee"), (PASSIVE, "passive"), (RANGED, "ranged")):
        slots = slice(FIRST_SLOT[kind], FIRST_SLOT[kind] + SLOTS[kind])
        native = np.array([getattr(level, name) for level in LEVELS])[worlds["floor"]]
        alive = worlds["mobs"]["alive"][..., slots] & (worlds["floor"] < len(LEVELS) - 1)[..., None]
        assert (worlds["mobs"]["type"][..., slots] == native[..., None])[alive].all(), kind
    assert set(KINDS) == {MELEE, PASSIVE, RANGED}


def test_saplings_stand_where_they_are_remembered():
    plants = play().worlds["plants"]
    assert (play().plants[plants["alive"]] & 63 == Block.PLANT).all()
    assert (plants["age"][plants["alive"]] < 600).all()
    assert plants["alive"].shape[-1] == PLANTS


def test_what_flies_is_inside_the_map():
    flying = play().worlds["projectiles"]
    inside = ((flying["position"] >= 0) & (flying["position"] < 48)).all(axis=-1)
    assert inside[flying["alive"]].all()


def test_tiles_are_valid():
    tiles, worlds = play().tiles, play().worlds
    assert ((tiles & 63) >= Block.GRASS).all()
    assert ((tiles & 63) <= Block.NECROMANCER_VULNERABLE).all()
    for which, fixture in enumerate((Fixture.LADDER_DOWN, Fixture.LADDER_UP)):
        wanted = (worlds["floor"] < len(LEVELS) - 1) & (worlds["floor"] >= which)
        np.testing.assert_array_equal((tiles >> 6 == fixture).sum(axis=(-2, -1)), wanted)


def test_nothing_happens_where_nobody_is():
    assert not play().disturbed.any()


def test_light_is_never_lost():
    assert not play().dimmed.any()


def test_tokens_stay_below_their_bounds():
    tokens = play().tokens
    for row in driver.environment().layout.values():
        part = tokens[..., row.offset : row.offset + row.size]
        assert (part <= row.high).all(), row.name
    assert (tokens[..., 0] != 255).all()


def test_rewards_are_unlocked_weights_and_health():
    assert np.isfinite(play().reward).all()
    assert (play().reward >= -1.3).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_dead_slots_have_no_effect(seed):
    # Two batches that differ in nothing but what is left over in unused slots.
    rng = np.random.default_rng(seed)
    state = scenes.scramble(driver.blank(), rng, crowd=0.4)
    other = jax.tree.map(np.array, state)
    for part, name in ((other.world, "mobs"), (other.world, "projectiles"), (other.world, "plants")):
        litter(getattr(part, name), rng, name)
    for name in ("mobs", "projectiles"):
        litter(getattr(other.ground, name), rng, name)
    action = scenes.apt(state, rng)
    first, second = driver.play(state, action), driver.play(other, action)
    for k in (0, 2, 3, 4):
        np.testing.assert_array_equal(first[k], second[k])
    np.testing.assert_array_equal(first[1].ground.light, second[1].ground.light)
    mine, theirs = (bridge.Arrays(out[1].world, out[1].ground) for out in (first, second))
    for i in range(driver.WORLDS):
        assert bridge.read(mine, i) == bridge.read(theirs, i)


def litter(record, rng, name):
    """Leave anything in the slots of a record that are not used."""
    dead = ~record.alive
    record.position[dead] = rng.integers(0, 48, (dead.sum(), 2))
    for field, high in (("type", 8), ("health", 200), ("cooldown", 5), ("direction", 4), ("age", 700)):
        if hasattr(record, field):
            getattr(record, field)[dead] = rng.integers(0, high, dead.sum())
    if name == "projectiles":
        record.type[..., 3:][dead[..., 3:]] = 4
    if name == "mobs":
        record.type[dead] = 0
