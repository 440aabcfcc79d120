"""The tokens' layout, and the 8268 floats decoded from them against the oracle's own."""

import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.registry import ENVIRONMENTS
from tests.oracle import bridge, driver, observe, scenes
from tests.oracle.book import CLASSIC
from tests.oracle.names import Action


def test_layouts(golden):
    layouts = {id: openworld.make(id).layout for id, row in ENVIRONMENTS.items() if row.observation is None}
    golden(
        "tokens",
        {
            f"{id} {name}": [row.offset, row.size, row.high]
            for id, rows in layouts.items()
            for name, row in rows.items()
        },
    )
    assert [rows.size for rows in layouts.values()] == [445, 307, 445, 479]
    assert driver.environment().observation_shape == (445,)


@pytest.mark.parametrize("seed", [0, 1])
def test_floats_are_those_of_the_rules(seed):
    rng = np.random.default_rng(seed)
    state = scenes.scramble(driver.blank(), rng, crowd=0.8, reach=5)
    tokens, after, *_ = driver.play(state, np.full(driver.WORLDS, Action.NOOP, np.int32))
    floats = np.asarray(driver.decoder()(jnp.asarray(tokens)))
    arrays = bridge.Arrays(after.world, after.ground)
    assert floats.dtype == np.float32
    for i in range(driver.WORLDS):
        off = np.abs(floats[i] - observe.symbolic(bridge.read(arrays, i))) > observe.TOLERANCE
        assert not off.any(), (i, np.flatnonzero(off))


def test_first_observations():
    obs, state = driver.environment().reset(1, driver.PLAYED)
    arrays = bridge.Arrays(state.world, state.ground)
    floats, _ = openworld.make("OpenWorld-v0", observation="symbolic").reset(1, driver.PLAYED)
    assert floats.shape == (driver.PLAYED, observe.SIZE)
    for i in range(driver.PLAYED):
        world = bridge.read(arrays, i)
        assert observe.tokens(world) == obs[i].tolist()
        assert (np.abs(np.asarray(floats[i]) - observe.symbolic(world)) <= observe.TOLERANCE).all()


@pytest.mark.slow
def test_symbolic_steps_show_what_token_steps_show():
    # Of the classic world, whose step is compiled soonest; what is shown is decoded after it, by one function.
    assert openworld.make("OpenWorld-v0", observation="symbolic").observation_shape == (8268,)
    symbolic = openworld.make("OpenWorld-Classic-v0", observation="symbolic")
    _, state = driver.environment(CLASSIC).reset(4, driver.PLAYED)
    action = jnp.arange(driver.PLAYED, dtype=jnp.int32)
    obs, _, reward, *_, info = driver.step_on(state, action, CLASSIC)
    floats, _, same_reward, *_, same_info = symbolic.step(state, action)
    np.testing.assert_array_equal(reward, same_reward)
    for shown, told in ((floats, obs), (same_info.final_obs, info.final_obs)):
        assert shown.shape == (driver.PLAYED, *symbolic.observation_shape)
        np.testing.assert_allclose(shown, driver.decoder(CLASSIC)(told), atol=1e-6)
