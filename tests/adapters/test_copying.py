"""Environments of every interface pickle and copy, fresh and in mid-episode; two threads at once are refused."""

import copy
import multiprocessing
import pickle
import threading

import cloudpickle
import gymnasium
import jax
import numpy as np
import pytest

import openworld
from openworld import registry
from openworld.adapters import gymnax
from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv

CLASSIC, LIMIT = "OpenWorld-Classic-v0", 30
SETTINGS = {"observation": "tokens", "time_limit": LIMIT}
#: For as many worlds or players as any environment below has, through the end of an episode.
ACTIONS = np.random.default_rng(0).integers(17, size=(45, 4))

WAYS = {
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "old pickle": lambda x: pickle.loads(pickle.dumps(x, protocol=2)),
    "cloudpickle": lambda x: pickle.loads(cloudpickle.dumps(x)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
ways = pytest.mark.parametrize("twin_of", WAYS.values(), ids=WAYS)


# Each is what another file compiles as well: of one world, of three, of four, of three players.


def one():
    return gymnasium.make(CLASSIC, **SETTINGS)


def many():
    return gymnasium.make_vec("OpenWorld-v0", num_envs=3, **SETTINGS)


def stable():
    sb3 = pytest.importorskip("openworld.adapters.sb3")
    return sb3.make_vec_env(n_envs=4, seed=5, observation="tokens", time_limit=6)


def coop():
    adapter = pytest.importorskip("openworld.adapters.pettingzoo")
    return adapter.parallel_env(num_agents=3, observation="pixels", time_limit=40, sharing=0.5)


def tensors():
    torch = pytest.importorskip("openworld.adapters.torch")
    return torch.TorchWorlds(3, CLASSIC, time_limit=20, info=torch.KNOWN)


def begin(env):
    """Start an episode by seed 3, as each interface has it."""
    return env.reset() if hasattr(env, "step_async") else env.reset(seed=3)


def play(env, steps):
    """All that steps return; an episode that has ended is followed by the next."""
    seen = []
    for row in steps:
        if hasattr(env, "possible_agents"):
            seen.append(env.step(dict(zip(env.agents, map(int, row), strict=False))))
            if not env.agents:
                seen.append(env.reset())
        elif hasattr(env, "device") and not hasattr(env, "metadata"):
            import torch

            seen.append(env.step(torch.tensor(row[: env.num_envs], dtype=torch.int32)))
        else:
            single = not hasattr(env, "num_envs")
            seen.append(env.step(int(row[0]) if single else row[: env.num_envs]))
            if single and (seen[-1][2] or seen[-1][3]):
                seen.append(env.reset())
    return seen


def alike(a, b):
    """Whether two results are equal through and through."""
    if isinstance(a, dict):
        a, b = ({k: v for k, v in x.items() if k != "episode"} for x in (a, b))  # it holds the time of day
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list) or (isinstance(a, np.ndarray) and a.dtype == object):
        return len(a) == len(b) and all(map(alike, a, b))
    return np.array_equal(np.asarray(a), np.asarray(b))


KINDS = {"one": one, "many": many, "stable": stable, "coop": coop, "torch": tensors}


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def made(request):
    """An environment of each kind, one for all tests: each begins anew."""
    return request.param()


@pytest.mark.slow
@pytest.mark.usefixtures("lenient")
@ways
def test_a_twin_goes_on_alike_and_apart(made, twin_of):
    if twin_of is copy.copy and isinstance(made, gymnasium.Wrapper):
        made = made.unwrapped  # a wrapper's copy.copy is Gymnasium's, and shares what it wraps
    begin(made)
    play(made, ACTIONS[:4])
    twin, third = twin_of(made), twin_of(made)
    play(third, ACTIONS[7:17])  # what one does is nothing to the others
    first = play(made, ACTIONS[4:])  # on through the end of the episode
    assert alike(play(twin, ACTIONS[4:]), first)
    again = twin_of(twin_of(third))
    assert alike(play(again, ACTIONS[:3]), play(third, ACTIONS[:3]))


@ways
def test_what_is_fresh_has_a_fresh_twin(twin_of):
    for name, make in KINDS.items():
        try:
            env = make()
        except pytest.skip.Exception:
            continue
        twin = twin_of(env)
        space, its = (x.observation_space for x in (env, twin)) if name != "torch" else (0, 0)
        assert callable(space) or space == its
        assert type(twin) is type(env)


@pytest.mark.slow
@pytest.mark.usefixtures("lenient")
def test_a_pickle_carries_neither_device_memory_nor_programs(made):
    begin(made)
    state = getattr(made, "unwrapped", made).__getstate__()
    assert not [x for x in jax.tree.leaves(state) if isinstance(x, jax.Array)]
    data = pickle.dumps(made)
    assert b"PjitFunction" not in data
    assert b"jaxlib" not in data
    # A batch's spaces are those of one world, however many there are.
    assert len(data) < 2_000_000


def test_large_batches_have_small_pickles():
    envs = OpenWorldVectorEnv(4096, CLASSIC)
    assert len(pickle.dumps(envs)) < 200_000
    envs.observation_space.seed(3)
    twin = pickle.loads(pickle.dumps(envs))
    assert twin.observation_space.shape == (4096, 1345)
    assert twin.observation_space.np_random.integers(99) == envs.observation_space.np_random.integers(99)


def observed(env):
    """What a spawned process makes of an environment."""
    return play(env, ACTIONS[4:8])


@pytest.mark.slow
def test_a_twin_crosses_to_a_spawned_process():
    env = OpenWorldEnv(CLASSIC, **SETTINGS)
    env.reset(seed=3)
    play(env, ACTIONS[:4])
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        (theirs,) = pool.map(observed, [env])
    assert alike(theirs, play(env, ACTIONS[4:8]))


@ways
def test_descriptions_and_rows_have_twins(twin_of):
    env = openworld.make(CLASSIC, time_limit=LIMIT)
    env.state_shape(1)  # what is traced and compiled is no part of it
    twin = twin_of(env)
    assert twin == env
    assert hash(twin) == hash(env)
    row = registry.ENVIRONMENTS[CLASSIC]
    assert twin_of(row) == row
    face, params = gymnax.make(CLASSIC, time_limit=LIMIT)
    assert twin_of(face)._env == face._env
    assert twin_of(params) == params
    assert twin_of(gymnasium.spec(CLASSIC)) == gymnasium.spec(CLASSIC)


@pytest.mark.slow
@ways
def test_states_have_twins(twin_of):
    env = OpenWorldEnv(CLASSIC, **SETTINGS)
    env.reset(seed=3)
    held = env.get_state()
    assert bytes(twin_of(held)) == bytes(held)
    state, again = held.whole, twin_of(held.whole)
    assert jax.tree.structure(state) == jax.tree.structure(again)
    assert all(map(np.array_equal, jax.tree.leaves(state), jax.tree.leaves(again)))


def test_a_closed_environment_has_a_closed_twin():
    env = OpenWorldEnv(CLASSIC, **SETTINGS)
    env.close()
    for twin_of in WAYS.values():
        with pytest.raises(gymnasium.error.ClosedEnvironmentError):
            twin_of(env).reset()


def test_a_twin_opens_a_window_of_its_own(monkeypatch):
    pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = OpenWorldEnv(CLASSIC, render_mode="human", **SETTINGS)
    env._screen.show(np.zeros((8, 8, 3), np.uint8))
    for twin_of in WAYS.values():
        twin = twin_of(env)
        assert twin._screen is not env._screen
        assert twin._screen._surface is None
        assert twin._screen.title == env._screen.title
    env.close()


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_two_threads_at_once_are_refused(make):
    """While a thread is inside, another gets one line at once, and the first is not disturbed."""
    env = make()
    inner = env.unwrapped if isinstance(env, gymnasium.Env | gymnasium.vector.VectorEnv) else env
    told = []

    def other():
        calls = [begin, pickle.dumps, copy.deepcopy, lambda env: env.step(np.zeros(4, int))]
        for call in calls:
            try:
                call(inner)
            except RuntimeError as error:
                told.append(str(error))

    with inner._guard:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(60)
    assert len(told) == 4
    assert {line.split(":")[0] for line in told} == {"two threads use this environment at the same time"}
    pickle.dumps(inner)  # whoever comes afterwards is welcome


@pytest.mark.slow
def test_threads_may_take_turns():
    env = OpenWorldEnv(CLASSIC, **SETTINGS)
    env.reset(seed=3)
    expected = play(env.clone(), ACTIONS[:6])
    seen = []
    for row in ACTIONS[:6]:
        thread = threading.Thread(target=lambda row=row: seen.extend(play(env, [row])))
        thread.start()
        thread.join()
    assert alike(seen, expected)


def test_an_error_inside_lets_the_next_call_in():
    env = OpenWorldEnv(CLASSIC, **SETTINGS)
    for _ in range(2):
        with pytest.raises(gymnasium.error.ResetNeeded):
            env.step(0)
