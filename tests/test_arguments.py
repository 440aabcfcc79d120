"""What an environment and its functions are given: refused in one line, or played by one program."""

import copy
import json
import pickle
import struct

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import openworld
from openworld import registry
from openworld.engine import arguments, programs
from openworld.engine import step as single
from openworld.storage import saving
from openworld.storage.saving import load_state, save_state
from tests.test_saving import rewritten

CLASSIC, COOP = "OpenWorld-Classic-v0", "OpenWorld-Coop-v0"
WORLDS = 3


@pytest.fixture(autouse=True)
def unchecked():
    """Annotations as a user has them: not checked, so that our own refusals are heard."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def blank(env):
    """A first observation and a state of zeros, which no program has made."""
    form = jax.eval_shape(env.reset_seeds, jax.ShapeDtypeStruct((WORLDS, 2), jnp.uint32))
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), form)


@pytest.fixture(scope="module")
def env():
    return openworld.make(CLASSIC)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"time_limit": 0}, "time_limit must be 1 to 2147483646, got 0"),
        ({"time_limit": 2**31}, "time_limit must be 1 to 2147483646, got 2147483648"),
        ({"time_limit": 1.5}, "time_limit must be a whole number from 1 to 2147483646, not 1.5"),
        ({"time_limit": True}, "time_limit must be a whole number from 1 to 2147483646, not True"),
        ({"time_limit": "10"}, "time_limit must be a whole number from 1 to 2147483646, not '10'"),
        (
            {"time_limit": np.float64(3)},
            "time_limit must be a whole number from 1 to 2147483646, not np.float",
        ),
        ({"num_agents": 9}, "num_agents must be 1 to 8, got 9"),
        ({"num_agents": 2.0}, "num_agents must be a whole number from 1 to 8, not 2.0"),
        ({"num_agents": True}, "num_agents must be a whole number from 1 to 8, not True"),
        ({"sharing": float("nan")}, "sharing must be a multiple of 0.01 from 0 to 1, not nan"),
        ({"sharing": float("inf")}, "sharing must be a multiple of 0.01 from 0 to 1, not inf"),
        ({"sharing": "0.5"}, "sharing must be a multiple of 0.01 from 0 to 1, not '0.5'"),
        ({"sharing": 0.123}, "sharing must be a multiple of 0.01 from 0 to 1, not 0.123"),
        ({"sharing": True}, "sharing must be a multiple of 0.01 from 0 to 1, not True"),
        ({"repeat_world": 1}, "repeat_world must be True or False, not 1"),
        ({"revival": "no"}, "revival must be True or False, not 'no'"),
        ({"revival": 0}, "revival must be True or False, not 0"),
        ({"observation": ""}, "observation '' is not one of tokens, symbolic, pixels"),
        ({"observation": 0}, "observation 0 is not one of tokens, symbolic, pixels"),
    ],
)
def test_settings_that_cannot_be_played(settings, told):
    with pytest.raises(ValueError, match=r"must be|is not one of") as refusal:
        openworld.make(COOP, **settings)
    assert str(refusal.value).startswith(told)
    assert "\n" not in str(refusal.value)


def test_numbers_of_numpy_are_kept_as_pythons():
    made = openworld.make(COOP, time_limit=np.int64(7), num_agents=np.uint8(3), sharing=np.float32(0.5))
    assert made == openworld.make(COOP, time_limit=7, num_agents=3, sharing=0.5)
    assert (type(made.time_limit), type(made.num_agents), type(made.sharing)) == (int, int, float)


ACTIONS = {
    "floats of NumPy": (np.zeros(WORLDS), TypeError, "not float64[3]"),
    "floats of JAX": (jnp.zeros(WORLDS), TypeError, "not float32[3]"),
    "floats in a list": ([0.0] * WORLDS, TypeError, "not [0.0, 0.0, 0.0]"),
    "truth": (np.zeros(WORLDS, bool), TypeError, "not bool[3]"),
    "truth of JAX": (jnp.zeros(WORLDS, bool), TypeError, "not bool[3]"),
    "a word": ("noop", TypeError, "not 'noop'"),
    "nothing": (None, TypeError, "not None"),
    "huge numbers": ([10**30] * WORLDS, TypeError, "not a list"),
    "rows of different lengths": ([[1], [1, 2], []], TypeError, "not a list"),
    "a key": (jax.random.key(0), TypeError, "not key<fry>[]"),
    "too few": ([1, 2], ValueError, "action must have shape (3,), one for each world, not (2,)"),
    "a scalar": (1, ValueError, "action must have shape (3,), one for each world, not ()"),
    "a column": (np.zeros((WORLDS, 1), int), ValueError, "one for each world, not (3, 1)"),
}


@pytest.mark.parametrize("what", ACTIONS)
@pytest.mark.parametrize("how", ["step", "advance", "a caller's jit"])
def test_what_is_no_action_is_refused(env, what, how):
    action, kind, told = ACTIONS[what]
    _, state = blank(env)
    call = env.step if how == "a caller's jit" else getattr(env, how)
    if how == "a caller's jit":
        if not isinstance(action, jax.Array):
            pytest.skip("only arrays are an argument of jit")
        call = jax.jit(call)
    with pytest.raises(kind, match="the action must") as refusal:
        call(state, action)
    message = str(refusal.value)
    assert told in message
    if kind is TypeError:
        assert "the action must be whole numbers from 0 to 16, not" in message
    assert "\n" not in message


def test_players_have_an_axis_of_their_own():
    env = openworld.make(COOP, num_agents=2)
    with pytest.raises(ValueError, match=r"shape \(3, 2\), worlds and players, not \(3,\)"):
        env.step(blank(env)[1], [0] * WORLDS)


CALLS = {
    "swapped": (lambda env, obs, state: env.step([0] * WORLDS, state), "step(): the state must be a State"),
    "an observation": (
        lambda env, obs, state: env.action_mask(obs),
        "action_mask(): the state must be a State",
    ),
    "a tuple": (lambda env, obs, state: env.fallen((obs, state)), "fallen(): the state must be a State"),
    "mapped": (
        lambda env, obs, state: jax.vmap(env.step)(state, jnp.zeros(WORLDS, jnp.int32)),
        "step(): the state must have one axis of worlds, not 0; call it without jax.vmap",
    ),
    "other rules": (
        lambda env, obs, state: openworld.make("OpenWorld-v0").advance(state, [0] * WORLDS),
        "advance(): the state is of other worlds than OpenWorld-v0: its maps are [1, 64, 64], not [9, 48, 48]",
    ),
    "renewed by a state": (
        lambda env, obs, state: env.renew(state, state, np.ones(WORLDS, bool)),
        "obs must be an array, uint8[3, 307], not a State",
    ),
    "renewed in the wrong order": (
        lambda env, obs, state: env.renew(state, obs, np.ones(WORLDS, bool)),
        "renew(): the state must be a State",
    ),
    "a mask of numbers": (
        lambda env, obs, state: env.renew(obs, state, np.ones(WORLDS, np.int32)),
        "mask must be bool[3], not int32[3]",
    ),
    "a mask of others": (
        lambda env, obs, state: env.renew(obs, state, np.ones(2, bool)),
        "mask must be bool[3], not bool[2]",
    ),
    "reset swapped": (
        lambda env, obs, state: env.reset(4, jax.random.key(0)),
        "num_worlds must be a whole number from 1 to 2147483647, not key<fry>[]",
    ),
    "half a world": (
        lambda env, obs, state: env.reset(0, 1.5),
        "num_worlds must be a whole number from 1 to 2147483647, not 1.5",
    ),
    "a word for a key": (
        lambda env, obs, state: env.reset("a", 2),
        "key must be a JAX key or a whole number",
    ),
    "a float for a key": (
        lambda env, obs, state: env.reset(0.5, 2),
        "key must be a JAX key or a whole number",
    ),
    "several keys": (
        lambda env, obs, state: env.reset(jax.random.split(jax.random.key(0), 3), 2),
        "the key must be one JAX key, not key<fry>[3]",
    ),
    "three words for a key": (
        lambda env, obs, state: env.reset(jnp.array([1, 2, 3], jnp.uint32), 2),
        "the key must be one JAX key, not uint32[3]",
    ),
    "steps below 0": (
        lambda env, obs, state: env.rollout(None, 0, obs, state, num_steps=-1, key=jax.random.key(0)),
        "num_steps must be 0 to 2147483646, got -1",
    ),
    "half a step": (
        lambda env, obs, state: env.rollout(None, 0, obs, state, num_steps=1.5, key=jax.random.key(0)),
        "num_steps must be a whole number from 0 to 2147483646, not 1.5",
    ),
    "times for actions": (
        lambda env, obs, state: env.step(state, np.zeros(WORLDS, "timedelta64[s]")),
        "the action must be whole numbers from 0 to 16, not timedelta64[s][3]",
    ),
    "one seed": (
        lambda env, obs, state: env.reset_seeds(np.zeros(2, np.uint32)),
        "seeds must be 32-bit words of shape (worlds, 2), not uint32[2]",
    ),
    "seeds of floats": (
        lambda env, obs, state: env.reset_seeds(np.zeros((1, 2))),
        "seeds must be 32-bit words of shape (worlds, 2), not float64[1, 2]",
    ),
    "seeds below 0": (
        lambda env, obs, state: env.reset_seeds([[-1, 0]]),
        "seeds must be 32-bit words, 0 to 4294967295",
    ),
    "a limit of floats": (
        lambda env, obs, state: env.step(state, [0] * WORLDS, time_limit=jnp.ones(WORLDS)),
        "time_limit must be whole numbers, not float32[3]",
    ),
    "a limit of 0": (
        lambda env, obs, state: env.step(state, [0] * WORLDS, time_limit=0),
        "time_limit must be 1 to 2147483646, got 0",
    ),
    "too many limits": (
        lambda env, obs, state: env.advance(state, [0] * WORLDS, time_limit=np.ones(2, int)),
        "time_limit must be one number, or 3, one for each world, not (2,)",
    ),
    "limits beyond 32 bits": (
        lambda env, obs, state: env.step(state, [0] * WORLDS, time_limit=np.array([5, 2**31, 2**40])),
        "time_limit must be 1 to 2147483646, got 2147483648",
    ),
    "limits below 1": (
        lambda env, obs, state: env.advance(state, [0] * WORLDS, time_limit=np.array([5, 0, -5])),
        "time_limit must be 1 to 2147483646, got 0",
    ),
    "a limit of all ones": (
        lambda env, obs, state: env.step(state, [0] * WORLDS, time_limit=np.uint32(2**32 - 1)),
        "time_limit must be 1 to 2147483646, got 4294967295",
    ),
    "repeated by number": (
        lambda env, obs, state: env.step(state, [0] * WORLDS, repeat_world=1),
        "repeat_world must be True or False, not 1",
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_other_wrong_calls_are_refused(env, what):
    call, told = CALLS[what]
    with pytest.raises((TypeError, ValueError)) as refusal:
        call(env, *blank(env))
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("id", registry.ENVIRONMENTS)
def test_no_array_of_a_state_is_empty(id):
    state = openworld.make(id).state_shape(WORLDS)
    assert all(leaf.size for leaf in jax.tree.leaves(state))


@pytest.fixture
def traced(monkeypatch):
    """How often a step was made into a program so far, from no programs on."""
    count, advance = [0], single.advance

    def counted(*args, **settings):
        count[0] += 1
        return advance(*args, **settings)

    monkeypatch.setattr(single, "advance", counted)
    programs.programs.cache_clear()
    yield lambda: count[0]
    programs.programs.cache_clear()


def test_all_that_means_the_same_plays_one_program(traced):
    """Actions of every width, limits, and environments that differ in those: one program, and right results."""
    env = openworld.make(CLASSIC)
    first, state = env.reset(5, WORLDS)
    expected = env.step(state, jnp.array([1, 2, 3], jnp.int32))
    once = traced()
    numbers = [1, 2, 3]
    for kind in (np.int8, np.uint8, np.int16, np.int64, np.uint64):
        same(env.step(state, np.array(numbers, kind)), expected)
    for action in (numbers, tuple(numbers), jnp.array(numbers, jnp.uint8), jnp.array(numbers, jnp.uint32)):
        same(env.step(state, action), expected)
    weak = jnp.broadcast_to(jnp.asarray(2), WORLDS)
    assert weak.weak_type
    same(env.step(state, weak), env.step(state, [2, 2, 2]))
    # A number beyond int32 does nothing, as every number out of range does; none is cut to a small one.
    same(env.step(state, [2**32 + 1, 99, -1]), env.step(state, [0, 0, 0]))

    for limit in range(1, 7):
        limited = openworld.make(CLASSIC, time_limit=limit, repeat_world=limit % 2 == 0)
        _, at = limited.reset(5, WORLDS)
        ends = []
        for _ in range(limit):
            seen, at, _, _, truncated, _ = limited.step(at, [0] * WORLDS)
            ends.append(np.asarray(truncated))
        assert np.array_equal(ends, np.arange(1, limit + 1)[:, None] == np.full(WORLDS, limit))
        assert np.array_equal(seen, first) == limited.repeat_world
    _, _, _, _, truncated, _ = env.step(state, [0] * WORLDS, time_limit=np.array([1, 2, 1]))
    assert truncated.tolist() == [True, False, True]
    assert traced() == once + 1  # a limit for each world is another shape


def same(one, other):
    for mine, theirs in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert np.array_equal(mine, theirs)


def test_descriptions_pickle_and_copy_after_use(env):
    blank(env)
    assert copy.copy(env) is env
    assert copy.deepcopy(env) is env
    other = pickle.loads(pickle.dumps(env))
    assert other == env
    # What is compiled stays behind.
    settings = {"id", "ruleset", "observation", "time_limit", "num_agents", "sharing", "repeat_world"}
    assert set(vars(other)) == settings


def test_a_state_written_with_an_empty_field_is_read(env):
    """As versions before wrote those of worlds without dark floors."""
    state = env.reset(5, WORLDS)[1]
    data = save_state(env, state)
    length, _ = struct.unpack_from("<II", data, len(saving.MAGIC))
    begin = len(saving.MAGIC) + 8
    fields = json.loads(data[begin : begin + length])["fields"]
    at = 1 + next(i for i, field in enumerate(fields) if field[0] == "ground.tiles")
    before = [*fields[:at], ["ground.light", "uint8", [0, 64, 64]], *fields[at:]]
    same(load_state(env, rewritten(data, fields=before)), state)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_orbax_keeps_a_state(env, tmp_path):
    checkpoint = pytest.importorskip("orbax.checkpoint")
    state = env.reset(5, WORLDS)[1]
    with checkpoint.StandardCheckpointer() as kept:
        kept.save(tmp_path / "state", state)
        kept.wait_until_finished()
        back = kept.restore(tmp_path / "state", jax.tree.map(jnp.zeros_like, state))
    same(back, state)


def test_a_traced_limit_beyond_32_bits_is_the_longest():
    found = jax.jit(lambda limit: arguments.limit(limit, 2))(np.array([7, 2**32 - 1], np.uint32))
    assert (found.dtype, found.tolist()) == (np.int32, [7, arguments.MOST_STEPS])
