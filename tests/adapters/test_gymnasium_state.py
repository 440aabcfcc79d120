"""Worlds in hand: get_state, set_state and clone, for search and curricula."""

import copy

import jax
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv

LIMIT, WORLDS = 30, 3
CLASSIC = "OpenWorld-Classic-v0"
ACTIONS = np.random.default_rng(0).integers(43, size=(2 * LIMIT, WORLDS))


@pytest.fixture(scope="module")
def env():
    return OpenWorldEnv(observation="tokens", time_limit=LIMIT)


@pytest.fixture(scope="module")
def envs():
    return OpenWorldVectorEnv(WORLDS, observation="tokens", time_limit=LIMIT, autoreset_mode="SameStep")


def play(env, actions):
    """All that the steps return, episodes that follow included."""
    seen = []
    for action in actions:
        seen.append(env.step(action))
        if isinstance(env, OpenWorldEnv) and (seen[-1][2] or seen[-1][3]):
            seen.append(env.reset())
    return seen


def alike(one, other):
    """Whether two results are equal through and through."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list) or (isinstance(one, np.ndarray) and one.dtype == object):
        return len(one) == len(other) and all(map(alike, one, other))
    return np.array_equal(one, other)


@pytest.fixture(params=["one", "many"])
def face(request, env, envs):
    """An environment some steps into its episodes, and the actions to come."""
    chosen, actions = (env, ACTIONS[:, 0]) if request.param == "one" else (envs, ACTIONS)
    chosen.reset(seed=3)
    play(chosen, actions[:5])
    return chosen, actions[5:]


def test_what_is_put_back_goes_on_as_it_did(face):
    env, actions = face
    hand = env.get_state()
    first = play(env, actions)
    for _ in range(2):
        _, info = env.set_state(hand)
        assert np.array_equal(info["episode_length"], np.full(np.shape(info["episode_length"]), 5))
        assert alike(play(env, actions), first)
    env.reset(seed=8)
    assert alike(play(other_of(env), actions), play(env.clone(), actions)) is False
    env.set_state(bytes(hand))
    assert alike(play(env, actions), first)


def other_of(env):
    """An environment of the same description in another world."""
    other = env.clone()
    other.reset(seed=99)
    return other


def test_what_is_shown_when_put_back_is_what_was_shown(face):
    env, actions = face
    *_, (obs, _, _, _, info) = play(env, actions[:3])
    hand = env.get_state()
    shown, told = env.set_state(hand)
    assert np.array_equal(shown, obs)
    assert all(np.array_equal(told[name], info[name]) for name in info)
    assert np.array_equal(env.action_masks(), told["action_mask"].astype(bool))
    assert "world_seed" in told


def test_a_hand_outlives_its_environment_and_crosses_to_another(face):
    env, actions = face
    other = env.clone()
    hand, saved = other.get_state(), bytes(other.get_state())
    other.close()
    expected = play(env, actions)
    settings = {"observation": "tokens", "time_limit": LIMIT}
    fresh = (
        OpenWorldEnv(**settings)
        if isinstance(env, OpenWorldEnv)
        else OpenWorldVectorEnv(WORLDS, autoreset_mode=env.autoreset_mode, **settings)
    )
    for value in (hand, saved, bytearray(saved)):
        fresh.set_state(value)
        assert alike(play(fresh, actions), expected)


@pytest.mark.parametrize("copied", [lambda env: env.clone(), copy.deepcopy], ids=["clone", "deepcopy"])
def test_a_clone_has_the_same_future_and_disturbs_nothing(face, copied):
    env, actions = face
    env.action_space.seed(4)
    twin = copied(env)
    assert np.array_equal(twin.action_space.sample(), env.action_space.sample())
    assert np.array_equal(twin.np_random.integers(9, size=5), env.np_random.integers(9, size=5))
    play(twin, actions[:7])
    twin.close()
    third = env.clone()
    assert alike(play(third, actions), play(env, actions))


def test_a_clone_may_be_made_before_the_first_reset():
    fresh = OpenWorldEnv(observation="tokens", time_limit=LIMIT)
    fresh.np_random = np.random.default_rng(3)
    twin = fresh.clone()
    assert alike(twin.reset(), fresh.reset())


def test_states_and_bytes_are_of_one_world_or_many(env, envs):
    """Worlds of single environments make a batch, and the other way round."""
    hands = []
    for seed in range(WORLDS):
        env.reset(seed=seed)
        play(env, ACTIONS[:seed, 0])
        hands.append(env.get_state())
    obs, infos = envs.set_state([hands[0], bytes(hands[1]), hands[2]])
    assert infos["episode_length"].tolist() == [0, 1, 2]
    together = envs.get_state()
    assert len(together) == WORLDS
    batch = envs.step(ACTIONS[9])
    for i in range(WORLDS):
        for value in (together[i], hands[i]):
            alone, info = env.set_state(value)
            assert np.array_equal(alone, obs[i])
            assert np.array_equal(info["world_seed"], infos["world_seed"][i])
            assert np.array_equal(env.step(ACTIONS[9, i])[0], batch[0][i])
    assert len(together[-1]) == 1
    with pytest.raises(IndexError):
        together[WORLDS]


def test_an_episode_that_has_ended_is_kept_as_ended(env):
    env.reset(seed=3)
    for action in ACTIONS[:LIMIT, 0]:
        env.step(action)
    hand = bytes(env.get_state())
    following, _ = env.reset()
    env.set_state(hand)
    with pytest.raises(Exception, match="call reset"):
        env.step(0)
    assert np.array_equal(env.reset()[0], following)
    by_hand = OpenWorldVectorEnv(1, observation="tokens", time_limit=LIMIT, autoreset_mode="Disabled")
    by_hand.set_state(hand)
    with pytest.raises(Exception, match="world 0 has ended"):
        by_hand.step([0])
    same_step = OpenWorldVectorEnv(1, observation="tokens", time_limit=LIMIT, autoreset_mode="SameStep")
    with pytest.raises(
        ValueError, match="the episode of world 0 has ended: SAME_STEP holds only running ones"
    ):
        same_step.set_state(hand)


def test_hands_are_not_changed_by_play(envs):
    envs.reset(seed=3)
    hand = envs.get_state()
    kept = jax.tree.map(np.array, hand.state)
    envs.set_state(hand)
    play(envs, ACTIONS[:3])
    assert all(map(np.array_equal, jax.tree.leaves(kept), jax.tree.leaves(hand.state)))


def test_other_values_are_refused_and_change_nothing(env, envs):
    env.reset(seed=3)
    envs.reset(seed=3)
    one, many = env.get_state(), envs.get_state()
    classic = OpenWorldEnv(CLASSIC, observation="tokens", time_limit=LIMIT)
    classic.reset(seed=3)
    foreign = classic.get_state()
    alien = r"is of OpenWorld-Classic-v0 under rules 'classic-\d+'; OpenWorld-v0 plays by 'full-\d+'"
    for face, value, told in [
        (env, many, "the state holds 3 worlds; this environment has 1"),
        (env, bytes(many), "the state holds 3 worlds; this environment has 1"),
        (envs, one, "the state holds 1 worlds; this environment has 3"),
        (envs, bytes(one), "the state holds 1 worlds; this environment has 3"),
        (envs, [one] * 2, "2 states for 3 worlds: give one of them all, or one for each"),
        (envs, [one, many, one], "the state holds 3 worlds; this environment has 1"),
        (env, foreign, alien),
        (env, bytes(foreign), alien),
        (envs, [foreign] * 3, alien),
        (env, None, "set_state takes what get_state returned, or its bytes, not NoneType"),
        (env, "x", "set_state takes what get_state returned, or its bytes, not str"),
        (env, bytes(one)[:-1], "damaged"),
    ]:
        with pytest.raises(ValueError, match=told):
            face.set_state(value)
    assert env.step(0)[4]["episode_length"] == 1
    assert envs.step([0] * 3)[4]["episode_length"].tolist() == [1] * 3


def test_every_mode_keeps_who_waits_for_a_reset():
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED):
        envs = OpenWorldVectorEnv(WORLDS, observation="tokens", time_limit=LIMIT, autoreset_mode=mode)
        envs.reset(seed=1)
        for _ in range(LIMIT):
            envs.step([0] * WORLDS)
        hand = envs.get_state()
        assert hand.over.all()
        twin = OpenWorldVectorEnv(WORLDS, observation="tokens", time_limit=LIMIT, autoreset_mode=mode)
        twin.set_state(bytes(hand))
        if mode is AutoresetMode.NEXT_STEP:
            assert alike(twin.step([0] * WORLDS), envs.step([0] * WORLDS))
        else:
            assert alike(twin.reset(), envs.reset())
