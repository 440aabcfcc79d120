"""gymnax's face: one world by itself, and the batched programs under vmap."""

import functools
import re

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import openworld
from openworld.adapters import gymnax
from openworld.adapters.gymnax import fallback_spaces
from openworld.core.random import world_seeds
from tests.properties.test_hlo import kernels, optimised

WORLDS, LIMIT, ID = 4, 20, "OpenWorld-Classic-v0"
STEPS = LIMIT + 4
ACTIONS = np.random.default_rng(0).integers(17, size=(STEPS, WORLDS), dtype=np.int32)
KEYS = jax.random.split(jax.random.key(7), WORLDS)
TOLD = ("final_obs", "episode_return", "episode_length", "achievements")


@functools.cache
def face(older: bool = False):
    return gymnax.make(ID, observation="tokens", time_limit=LIMIT, older=older, action_mask=True)


@functools.cache
def world():
    return openworld.make(ID, time_limit=LIMIT)


@functools.cache
def mapped(older: bool = False):
    """reset and step of many worlds, compiled."""
    env, params = face(older)
    reset = jax.jit(lambda keys: jax.vmap(env.reset, (0, None))(keys, params))
    return reset, jax.jit(jax.vmap(lambda key, state, action: env.step(key, state, action, params)))


@functools.cache
def expected():
    """What the functional face makes of the same worlds and actions."""
    seeds = jnp.concatenate([world_seeds(jax.random.key_data(key), 1) for key in KEYS])
    obs, state = world().reset_seeds(seeds)
    steps = []
    for action in ACTIONS:
        after, state, *ends, info = world().step(state, jnp.asarray(action))
        told = {name: getattr(info, name) for name in TOLD} | {"action_mask": world().action_mask(state)}
        steps.append(jax.tree.map(np.asarray, (after, *ends, told)))
    return np.asarray(obs), steps


def agree(out, theirs, older=False):
    obs, reward, terminated, truncated, told = theirs
    if older:
        seen, _, gained, done, info = out
        assert np.array_equal(done, terminated | truncated)
    else:
        seen, _, gained, *ends, info = out
        assert np.array_equal(ends[0], terminated)
        assert np.array_equal(ends[1], truncated)
    assert np.array_equal(seen, obs)
    assert np.array_equal(gained, reward)
    assert np.array_equal(info["terminated"], terminated)
    assert np.array_equal(info["truncated"], truncated)
    assert np.array_equal(info["discount"], np.where(terminated, 0, 1))
    assert np.array_equal(info["final_observation"], told["final_obs"])
    for name in ("episode_return", "episode_length", "achievements", "action_mask"):
        assert np.array_equal(info[name], told[name])


@pytest.mark.parametrize("older", [False, True])
def test_a_vmap_plays_as_the_functional_face_does(older):
    reset, step = mapped(older)
    first, steps = expected()
    obs, state = reset(KEYS)
    assert np.array_equal(obs, first)
    ended = 0
    for action, theirs in zip(ACTIONS, steps, strict=True):
        out = step(KEYS, state, jnp.asarray(action))
        agree(out, theirs, older)
        state, ended = out[1], ended + int((theirs[2] | theirs[3]).sum())
    assert ended >= WORLDS


def test_one_world_plays_as_it_does_among_many():
    env, params = face()
    first, steps = expected()
    obs, state = jax.jit(env.reset)(KEYS[1], params)
    assert np.array_equal(obs, first[1])
    step = jax.jit(env.step)
    for action, theirs in zip(ACTIONS[:, 1], steps, strict=True):
        out = step(KEYS[0], state, action, params)
        agree(out, jax.tree.map(lambda x: x[1], theirs))
        state = out[1]


@pytest.mark.slow
def test_maps_within_maps_scans_and_shared_arguments_are_one_batch():
    """Two agents of two worlds each, whose time is a scan; all start alike, as the state is not mapped."""
    env, params = face()
    _, state = jax.jit(env.reset)(KEYS[0], params)
    half = STEPS // 2

    def episode(state, actions):
        def body(state, action):
            out = env.step(KEYS[0], state, action, params)
            return out[1], out[:1] + out[2:]

        return jax.lax.scan(body, state, actions)[1]

    actions = jnp.asarray(ACTIONS[:half].reshape(half, 2, 2))
    nested = jax.vmap(jax.vmap(episode, (None, 1), 1), (None, 1), 1)
    obs, reward, *_, info = jax.jit(nested)(state, actions)
    assert obs.shape[:3] == (half, 2, 2)
    flat = jax.tree.map(lambda x: jnp.broadcast_to(x, (WORLDS, *x.shape)), state)
    for t in range(half):
        out = mapped()[1](KEYS, flat, jnp.asarray(ACTIONS[t]))
        assert np.array_equal(obs[t].reshape(WORLDS, -1), out[0])
        assert np.array_equal(reward[t].reshape(-1), out[2])
        assert np.array_equal(info["episode_length"][t].reshape(-1), out[-1]["episode_length"])
        flat = out[1]


@pytest.mark.slow
def test_a_vmap_compiles_to_the_batched_step():
    """As many kernels: the maps are not mapped over, and what only few worlds need is done for few."""
    env, params = gymnax.make(ID, observation="tokens", time_limit=LIMIT)
    worlds = 64
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), worlds))
    state = jax.eval_shape(lambda k: jax.vmap(env.reset, (0, None))(k, params)[1], keys)
    action = jax.ShapeDtypeStruct((worlds,), jnp.int32)

    def through_the_face(state, action, keys):
        return jax.vmap(env.step, (0, 0, 0, None))(keys, state, action, params)[:5]

    theirs = kernels(optimised(through_the_face, state, action, keys))
    ours = kernels(optimised(lambda s, a: world().step(s, a)[:5], state.batch, action))
    assert 100 < theirs <= ours + 5


def test_step_env_does_not_reset():
    env, params = face()
    older = face(True)[0]
    params = params.replace(max_steps_in_episode=1)
    _, state = jax.jit(env.reset)(KEYS[0], params)
    obs, after, _, terminated, info = jax.jit(env.step_env)(KEYS[0], state, 0, params)
    assert (bool(terminated), bool(info["truncated"]), int(after.time)) == (False, True, 1)
    assert np.array_equal(obs, info["final_observation"])
    assert np.array_equal(obs, jax.jit(env.get_obs)(after, params))
    assert bool(env.is_truncated(after, params))
    assert not env.is_terminal(after, params)
    assert older.is_terminal(after, params)
    assert float(env.discount(after, params)) == 1


def test_names_params_and_spaces():
    env, params = face()
    assert (env.name, env.num_actions, params.max_steps_in_episode) == (ID, 17, LIMIT)
    assert params == env.default_params
    assert jax.tree.leaves(params) == [LIMIT]  # an argument of programs, not a part of them
    actions, seen = env.action_space(params), env.observation_space(params)
    assert (actions.n, actions.shape, seen.shape, seen.dtype) == (17, (), (307,), np.uint8)
    key = jax.random.key(0)
    assert actions.contains(actions.sample(key))
    obs, _ = mapped()[0](KEYS)
    assert seen.contains(obs[0])
    assert not seen.contains(jnp.full(307, 255, jnp.uint8))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_spaces_where_gymnax_is_missing(dtype):
    box = fallback_spaces.Box(jnp.zeros(3, dtype), jnp.asarray([0, 1, 9], dtype), (3,), dtype)
    drawn = jax.vmap(box.sample)(jax.random.split(jax.random.key(0), 200))
    assert drawn.dtype == dtype
    assert np.asarray(jax.vmap(box.contains)(drawn)).all()
    assert (np.asarray(drawn).max(0) > np.array([-1, 0.9, 8])).all()
    many = jax.vmap(fallback_spaces.Discrete(4).sample)(jax.random.split(jax.random.key(0), 100))
    assert sorted(set(many.tolist())) == [0, 1, 2, 3]
    assert not fallback_spaces.Discrete(4).contains(4)


@pytest.fixture
def unchecked():
    """Annotations as a user has them: not checked, so that our own refusals are heard."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_refusals(unchecked):
    env, params = face()
    state = jax.eval_shape(env.reset, KEYS[0], params)[1]
    many = jax.eval_shape(mapped()[0], KEYS)[1]
    foreign = jax.eval_shape(gymnax.make("OpenWorld-v0")[0].reset, KEYS[0])[1]
    for args, kind, told in (
        ((state, 1.0, params), TypeError, "the action must be a whole number from 0 to 16, not 1.0"),
        ((state, ACTIONS[0], params), ValueError, "use jax.vmap(env.step) to play many"),
        ((many, 0, params), ValueError, "use jax.vmap(env.step) to play many"),
        ((state.batch, 0, params), TypeError, "must be an EnvState that reset() returned, not a State"),
        ((foreign, 0, params), ValueError, "the state is of another world than OpenWorld-Classic-v0"),
        ((state, 0, {"max": 1}), TypeError, "params must be default_params or what its replace() returns"),
    ):
        with pytest.raises(kind, match=re.escape(told)) as refusal:
            jax.eval_shape(lambda s, args=args: env.step(KEYS[0], s, *args[1:]), args[0])
        assert "\n" not in str(refusal.value)
    with pytest.raises(ValueError, match="gymnax knows one: num_agents=1"):
        gymnax.make("OpenWorld-Coop-v0", num_agents=2)
    with pytest.raises(ValueError, match="unknown environment id"):
        gymnax.make("CartPole-v1")
