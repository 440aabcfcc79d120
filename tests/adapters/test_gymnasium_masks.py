"""Action masks in the faces' infos, as Gymnasium samples by them and as sb3-contrib asks for them."""

import jax
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv

LIMIT, WORLDS = 30, 3


@pytest.fixture(scope="module")
def env():
    return OpenWorldEnv(observation="tokens", time_limit=LIMIT)


@pytest.fixture(scope="module")
def envs():
    return OpenWorldVectorEnv(WORLDS, observation="tokens", time_limit=LIMIT, autoreset_mode="SameStep")


def mask_of(face):
    """The mask of the state in hand, asked of the world itself."""
    state = face.get_state().whole
    return np.asarray(face.jax_env.action_mask(state)).astype(np.int8)


def test_it_is_of_the_state_in_which_the_next_action_is_taken(env):
    _, info = env.reset(seed=2)
    for action in np.random.default_rng(0).integers(43, size=LIMIT):
        mask = info["action_mask"]
        assert (mask.dtype, mask.shape) == (np.int8, (43,))
        assert np.array_equal(mask, mask_of(env)[0])
        assert np.array_equal(env.action_masks(), mask.astype(bool))
        assert env.action_masks().dtype == bool
        chosen = env.action_space.sample(mask)
        assert mask[chosen] == 1
        *_, info = env.step(action)
    assert info["action_mask"].any()


def test_an_action_that_is_masked_does_what_noop_does(env):
    env.reset(seed=2)
    for action in np.random.default_rng(1).integers(43, size=12):
        hand = env.get_state()
        masked = np.flatnonzero(~env.action_masks())
        env.step(0)
        idle = env.get_state().state
        for other in masked[:: 1 + len(masked) // 4]:
            env.set_state(hand)
            env.step(int(other))
            after = env.get_state().state
            assert all(map(np.array_equal, jax.tree.leaves(after), jax.tree.leaves(idle)))
        env.set_state(hand)
        env.step(action)


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.name)
def test_many_worlds_have_theirs_after_any_reset(mode):
    envs = OpenWorldVectorEnv(WORLDS, observation="tokens", time_limit=LIMIT, autoreset_mode=mode)
    _, infos = envs.reset(seed=2)
    for step in range(LIMIT + 2):
        mask = infos["action_mask"]
        assert (mask.dtype, mask.shape) == (np.int8, (WORLDS, 43))
        assert infos["_action_mask"].all()
        assert np.array_equal(mask, mask_of(envs))
        assert np.array_equal(envs.action_masks(), mask.astype(bool))
        for given in (mask, tuple(mask), envs.action_masks()):
            drawn = envs.action_space.sample(mask=given)
            assert drawn in envs.action_space
            assert mask[np.arange(WORLDS), drawn].all()
        *_, truncated, infos = envs.step([step % 5] * WORLDS)
        if mode is AutoresetMode.DISABLED and truncated.any():
            _, infos = envs.reset(options={"reset_mask": truncated})


def test_the_last_state_has_one_too(env, envs):
    """Whoever bootstraps from a truncated episode's last observation needs its mask."""
    _, infos = envs.reset(seed=2)
    for _ in range(LIMIT):
        *_, infos = envs.step([3] * WORLDS)
    assert infos["_final_info"].all()
    for i in range(WORLDS):
        env.reset(seed=2 + i)
        for _ in range(LIMIT):
            *_, info = env.step(3)
        assert np.array_equal(infos["final_info"]["action_mask"][i], info["action_mask"])


def test_masks_are_the_callers_own(env, envs):
    for face, action in ((env, 0), (envs, [0] * WORLDS)):
        _, info = face.reset(seed=2)
        kept = info["action_mask"].copy()
        info["action_mask"][:] = 9
        face.action_masks()[:] = False
        assert np.array_equal(face.action_masks(), kept.astype(bool))
        *_, info = face.step(action)
        info["action_mask"][:] = 9
        assert face.action_masks().max() == 1
