"""What is true after every step of random play."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.oracle import bridge, driver, scenes
from tests.oracle.names import LIQUID, PLANTS, SOLID, Block

WORLDS, STEPS = 8, 1200


@cache
def play():
    """Random play from generated worlds: (worlds, tokens, rewards, tiles) of every step, steps first."""
    environment = driver.environment()
    acts = np.random.default_rng(11).choice(scenes.ABOVE, (STEPS, WORLDS))
    _, state = environment.reset(12, WORLDS)
    worlds, seen = [], []
    for action in jnp.asarray(acts):
        obs, state, reward, *_ = environment.step(state, action)
        worlds.append(bridge.as_numpy(state.world))
        seen.append([np.array(obs), np.asarray(reward), np.array(state.ground.tiles[:, 0])])
    together = jax.tree.map(lambda *x: np.stack(x), *worlds)
    tokens, reward, tiles = (np.stack(x) for x in zip(*seen, strict=True))
    assert not np.asarray(state.ground.tiles[:, 1:]).any()
    return together, tokens, reward, tiles


def under(tiles, position):
    """The tiles at positions [steps, worlds, bodies, 2]."""
    steps, worlds = np.ogrid[: len(tiles), : tiles.shape[1]]
    return tiles[steps[..., None], worlds[..., None], position[..., 0], position[..., 1]]


def test_counts_stay_in_range():
    worlds, *_ = play()
    player = worlds["player"]
    dexterity, strength, intelligence = np.moveaxis(player["attributes"].astype(int), -1, 0)
    assert ((player["attributes"] >= 1) & (player["attributes"] <= 5)).all()
    assert (player["inventory"] <= 99).all()
    most = np.stack([7 + 2 * dexterity] * 3 + [6 + 3 * intelligence], axis=-1)
    assert ((player["vitals"] >= 0) & (player["vitals"] <= most)).all()
    assert ((player["health"] >= 0) & (player["health"] <= 40 * (8 + strength))).all()
    assert (player["experience"] == 0).all()
    for name, low, high in (
        ("hunger", 0, 25),
        ("thirst", 0, 20),
        ("fatigue", -10, 30),
        ("recovery", -15, 25),
    ):
        assert ((player[name] >= 16 * low) & (player[name] <= 16 * high)).all(), name
    assert ((player["focus"] >= 0) & (player["focus"] <= 30 << 16)).all()
    assert (worlds["floor"] == 0).all()


def test_everybody_stands_on_a_tile_of_their_own():
    worlds, _, _, tiles = play()
    mobs, alive = worlds["mobs"]["position"].astype(int), worlds["mobs"]["alive"]
    assert (mobs[alive] >= 0).all()
    assert (mobs[alive] < 48).all()
    place = mobs[..., 0] * 48 + mobs[..., 1]
    own = worlds["player"]["position"][..., 0, :].astype(int) @ np.array([48, 1])
    bodies = np.sort(
        np.concatenate([np.where(alive, place, -1 - np.arange(8)), own[..., None]], axis=-1), axis=-1
    )
    assert (np.diff(bodies, axis=-1) > 0).all()
    closed = np.isin(under(tiles, worlds["mobs"]["position"]) & 63, list(SOLID | LIQUID))
    assert not (closed & alive).any()
    assert not np.isin(under(tiles, worlds["player"]["position"]) & 63, list(SOLID | LIQUID)).any()


def test_saplings_stand_where_they_are_remembered():
    worlds, _, _, tiles = play()
    alive = worlds["plants"]["alive"]
    assert (under(tiles, worlds["plants"]["position"])[alive] & 63 == Block.PLANT).all()
    assert (worlds["plants"]["age"][alive] < 600).all()
    assert alive.shape[-1] == PLANTS


def test_what_flies_is_inside_the_map():
    worlds, *_ = play()
    flying = worlds["projectiles"]
    inside = ((flying["position"] >= 0) & (flying["position"] < 48)).all(axis=-1)
    assert inside[flying["alive"]].all()


def test_tiles_are_valid():
    *_, tiles = play()
    assert ((tiles & 63) >= Block.GRASS).all()
    assert ((tiles & 63) <= Block.NECROMANCER_VULNERABLE).all()
    assert ((tiles >> 6) <= 3).all()
    assert ((tiles >> 6 == 2).sum(axis=(-2, -1)) == 1).all()


def test_tokens_stay_below_their_bounds():
    _, tokens, *_ = play()
    for row in driver.environment().layout.values():
        part = tokens[..., row.offset : row.offset + row.size]
        assert (part <= row.high).all(), row.name
    assert (tokens[..., 0] != 255).all()


def test_rewards_are_unlocked_weights_and_health():
    _, _, reward, _ = play()
    assert np.isfinite(reward).all()
    assert (reward >= -0.9).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_dead_slots_have_no_effect(seed):
    # Two batches that differ in nothing but what is left over in unused slots.
    rng = np.random.default_rng(seed)
    state = scenes.scramble(driver.blank(), rng, crowd=0.4)
    other = jax.tree.map(np.array, state)
    for name in ("mobs", "projectiles", "plants"):
        record = getattr(other.world, name)
        dead = ~record.alive
        record.position[dead] = rng.integers(0, 48, (dead.sum(), 2))
        for field, high in (("type", 8), ("health", 200), ("cooldown", 5), ("direction", 4), ("age", 700)):
            if hasattr(record, field):
                getattr(record, field)[dead] = rng.integers(0, high, dead.sum())
        if name == "projectiles":
            record.type[:, 3:][dead[:, 3:]] = 4
        if name == "mobs":
            record.type[dead] = 0
    action = rng.choice(scenes.ABOVE, driver.WORLDS)
    first, second = driver.play(state, action), driver.play(other, action)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[2], second[2])
    np.testing.assert_array_equal(first[1].ground.tiles, second[1].ground.tiles)
    mine, theirs = (bridge.Arrays(out[1].world, out[1].ground) for out in (first, second))
    for i in range(driver.WORLDS):
        assert bridge.read(mine, i) == bridge.read(theirs, i)
