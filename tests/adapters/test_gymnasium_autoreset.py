"""The three auto-reset modes: step for step what Gymnasium's own SyncVectorEnv makes of single environments."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv

LIMIT, WORLDS = 30, 3
MODES = list(AutoresetMode)
NEXT, SAME, BY_HAND = MODES
modes = pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)


def native(mode, **settings):
    return OpenWorldVectorEnv(WORLDS, observation="tokens", time_limit=LIMIT, autoreset_mode=mode, **settings)


def synced(mode):
    """Gymnasium's own vector environment of single ones."""
    each = [lambda: OpenWorldEnv(observation="tokens", time_limit=LIMIT)] * WORLDS
    return SyncVectorEnv(each, autoreset_mode=mode)


def agree(mine, theirs):
    """Whether two results are equal through and through, but for the width of floats and integers."""
    if isinstance(mine, dict):
        assert mine.keys() == theirs.keys()
        assert all(agree(mine[key], theirs[key]) for key in mine)
    elif isinstance(mine, tuple):
        assert len(mine) == len(theirs)
        assert all(agree(*pair) for pair in zip(mine, theirs, strict=True))
    elif mine.dtype == object:
        assert theirs.dtype == object
        for one, other in zip(mine, theirs, strict=True):
            assert (one is None) == (other is None)
            assert one is None or np.array_equal(one, other)
    else:
        # Of episode_return and episode_length Gymnasium makes 64-bit numbers.
        assert mine.dtype == theirs.dtype or (mine.dtype.kind == theirs.dtype.kind and mine.ndim == 1)
        assert np.array_equal(mine, theirs)
    return True


def doomed(envs, *, late=(), dead=()):
    """The worlds in hand, some a step before their time limit, some with a player about to die."""
    hand = envs.get_state()
    state = hand.state
    tick = state.world.tick.at[jnp.array(late, int)].set(LIMIT - 1)
    health = state.world.player.health.at[jnp.array(dead, int)].set(0)
    state = eqx.tree_at(lambda s: (s.world.tick, s.world.player.health), state, (tick, health))
    return dataclasses.replace(hand, state=state)


def put(envs, hand):
    """Give worlds to a vector environment of either kind."""
    if isinstance(envs, OpenWorldVectorEnv):
        envs.set_state(hand)
    else:
        for i, env in enumerate(envs.envs):
            env.set_state(hand[i])


@modes
def test_every_mode_is_gymnasiums_own(mode):
    """Worlds end at different times, by death and by the limit, some twice, one just after the other."""
    mine, theirs = native(mode), synced(mode)
    assert mine.metadata["autoreset_mode"] is theirs.metadata["autoreset_mode"] is mode
    assert agree(mine.reset(seed=11), theirs.reset(seed=11))
    ends = np.zeros((2, WORLDS), int)
    random = np.random.default_rng(0)
    for step in range(LIMIT + 8):
        if step in (2, 3, 6):
            hand = doomed(mine, late=[step % 3], dead=[1] * (step == 2))
            for envs in (mine, theirs):
                put(envs, hand)
        actions = random.integers(43, size=WORLDS)
        got = mine.step(actions)
        assert agree(got, theirs.step(actions)), step
        _, _, terminated, truncated, infos = got
        ends += [terminated, truncated]
        ended = terminated | truncated
        assert ("final_obs" in infos) == (mode is SAME and ended.any())
        if mode is BY_HAND and ended.any() and step % 2:
            options = {"reset_mask": ended}
            assert agree(mine.reset(options=options), theirs.reset(options=dict(options)))
        elif mode is BY_HAND and ended.any():
            options = {"reset_mask": ended}
            seeds = [7, None, 9]
            got = mine.reset(seed=seeds, options=options)
            assert agree(got, theirs.reset(seed=seeds, options=dict(options)))
    assert ends[0, 1] == 1
    assert (ends.sum(axis=0) >= 2).all()
    assert agree(mine.reset(), theirs.reset())
    assert agree(mine.reset(seed=[3, None, 5]), theirs.reset(seed=[3, None, 5]))


def test_the_default_is_gymnasiums_own_and_values_are_names():
    single = [lambda: OpenWorldEnv(observation="tokens", time_limit=LIMIT)]
    assert OpenWorldVectorEnv(2).autoreset_mode is SyncVectorEnv(single).metadata["autoreset_mode"] is NEXT
    for mode in MODES:
        assert OpenWorldVectorEnv(2, autoreset_mode=mode.value).metadata["autoreset_mode"] is mode
    assert OpenWorldVectorEnv.metadata["autoreset_mode"] is NEXT


def test_next_step_ignores_the_action_of_the_step_after():
    envs = native(NEXT)
    envs.reset(seed=4)
    envs.set_state(doomed(envs, late=[1]))
    _, _, _, truncated, infos = envs.step([0] * WORLDS)
    assert truncated.tolist() == [False, True, False]
    ended = infos["world_seed"]
    hand, last = envs.get_state(), infos["episode_length"].tolist()
    assert last == [1, LIMIT, 1]
    assert hand.over.tolist() == [False, True, False]
    seen = []
    for action in (0, 5):
        envs.set_state(hand)
        obs, reward, terminated, truncated, infos = envs.step([0, action, 0])
        assert infos["_world_seed"].all()
        assert (infos["world_seed"] != ended).any(axis=1).tolist() == [False, True, False]
        assert infos["episode_length"].tolist() == [2, 0, 2]
        assert reward[1] == infos["episode_return"][1] == 0
        assert not (terminated | truncated).any()
        seen.append(obs)
    assert np.array_equal(*seen)


def test_by_hand_a_world_that_ended_waits_for_its_reset():
    envs = native(BY_HAND)
    first, _ = envs.reset(seed=4)
    envs.set_state(doomed(envs, late=[0, 2]))
    obs, _, _, truncated, _ = envs.step([0] * WORLDS)
    assert truncated.tolist() == [True, False, True]
    with pytest.raises(ResetNeeded, match=r"before step.*: world 0, 2 has ended"):
        envs.step([0] * WORLDS)
    again, infos = envs.reset(options={"reset_mask": np.array([True, False, False])})
    assert infos["_world_seed"].tolist() == infos["_episode_length"].tolist() == [True, False, False]
    assert np.array_equal(again[1:], obs[1:])
    assert not np.array_equal(again[0], obs[0])
    with pytest.raises(ResetNeeded, match=r"before step.*: world 2 has ended"):
        envs.step([0] * WORLDS)
    chosen, infos = envs.reset(seed=4, options={"reset_mask": np.array([False, False, True])})
    assert np.array_equal(chosen[2], first[2])
    assert np.array_equal(chosen[:2], again[:2])
    _, infos = envs.reset(options={"reset_mask": np.array([0, 0, 1], bool), "held_out": True})
    assert (infos["world_seed"][:, 0] >= 2**31).tolist() == [False, False, True]
    *_, infos = envs.step([0] * WORLDS)
    assert infos["episode_length"].tolist() == [1, 2, 1]
    envs.reset()
    envs.step([0] * WORLDS)


@pytest.mark.parametrize(
    ("mode", "mask", "error", "told"),
    [
        (SAME, np.ones(WORLDS, bool), ValueError, "autoreset_mode must be DISABLED, not SAME_STEP"),
        (NEXT, np.ones(WORLDS, bool), ValueError, "autoreset_mode must be DISABLED, not NEXT_STEP"),
        (
            BY_HAND,
            np.ones(2, bool),
            ValueError,
            "reset_mask must have shape (3,), one for each world, not (2,)",
        ),
        (BY_HAND, True, ValueError, "reset_mask must have shape (3,), one for each world, not ()"),
        (BY_HAND, np.ones(WORLDS, int), TypeError, "reset_mask must be an array of bool, not of int64"),
        (BY_HAND, np.zeros(WORLDS, bool), ValueError, "reset_mask must name at least one world"),
    ],
)
def test_other_masks_are_refused_and_change_nothing(mode, mask, error, told):
    envs = native(mode)
    envs.reset(seed=4)
    envs.step([0] * WORLDS)
    with pytest.raises(error, match=r"mask|autoreset") as refusal:
        envs.reset(options={"reset_mask": mask})
    assert told in str(refusal.value)
    assert envs.step([0] * WORLDS)[4]["episode_length"].tolist() == [2] * WORLDS


def test_a_mask_needs_worlds_to_choose_from():
    with pytest.raises(ResetNeeded, match=r"before reset.. with a reset_mask"):
        native(BY_HAND).reset(options={"reset_mask": np.ones(WORLDS, bool)})
