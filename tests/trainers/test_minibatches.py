"""Shuffling in lanes, chance by counters, staggered starts: none of it knows how many devices there are."""

import dataclasses
import math
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld_trainers.ppo.chance import uniforms
from openworld_trainers.ppo.config import Learning, Network, Rollout
from openworld_trainers.ppo.devices import SINGLE_DEVICE, Devices
from openworld_trainers.ppo.learner import init_learner
from openworld_trainers.ppo.losses import Batch
from openworld_trainers.ppo.minibatches import Lanes
from openworld_trainers.ppo.recurrent import Sequence
from openworld_trainers.ppo.rollout import sample
from tests.trainers import probes
from tests.trainers.helpers import small

WORDS = jnp.array([1, 2], jnp.uint32)


@dataclasses.dataclass(frozen=True)
class One(Devices):
    """One of several devices, seen from outside."""

    number: int = 0
    of: int = 1

    @property
    def count(self):
        return self.of

    def offset(self, share):
        return jnp.uint32(self.number * share)


def sized(worlds, steps, minibatch, recurrent=False):
    return small(
        rollout=Rollout(worlds=worlds, steps=steps),
        learning=Learning(minibatch_size=minibatch),
        network=Network(width=8, depth=1, memory="gru" if recurrent else "none"),
    )


def names(worlds, steps, first, recurrent):
    """Transitions [T, B] that are told apart by (step, world's number)."""
    name = (jnp.arange(steps)[:, None] * 10_000 + first + jnp.arange(worlds)[None]).astype(jnp.int32)
    zero = jnp.zeros(name.shape, jnp.float32)
    seen = Sequence(name, name < 0, jnp.zeros((worlds, 1), jnp.float32)) if recurrent else name
    return Batch(seen, name, zero, zero, zero, zero)


def minibatches(config, count, key):
    """The transitions of each minibatch of an epoch, as `count` devices find them together."""
    rollout, recurrent = config.rollout, config.network.recurrent
    found = []
    for number in range(count):
        device = One(number=number, of=count)
        lanes = Lanes.of(config, device)
        worlds = rollout.worlds // count
        batch = names(worlds, rollout.steps, number * worlds, recurrent)
        found.append([np.asarray(lanes.take(batch, i).action) for i in lanes.shuffled(key, device)])
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_minibatch_is_the_same_set_on_any_number_of_devices(recurrent):
    config = sized(16, 4, 32, recurrent)
    one, four = (minibatches(config, count, jax.random.key(3)) for count in (1, 4))
    assert [sorted(x.tolist()) for x in one] == [sorted(x.tolist()) for x in four]
    assert [len(x) for x in one] == [32, 32]
    everything = [10_000 * t + b for t in range(4) for b in range(16)]
    assert sorted(np.concatenate(one).tolist()) == everything
    others = minibatches(config, 1, jax.random.key(4))
    assert sorted(others[0].tolist()) != sorted(one[0].tolist())


def test_skipped_transitions_come_last():
    lanes, everything = Lanes.of(sized(16, 4, 32), SINGLE_DEVICE), names(16, 4, 0, False)
    forced = jnp.zeros((4, 16), bool).at[::2].set(True)
    assert int(lanes.worthwhile(forced, SINGLE_DEVICE)) == 1
    first, second = lanes.shuffled(jax.random.key(0), SINGLE_DEVICE, forced)
    decided = np.asarray(everything.action)[~np.asarray(forced)]
    assert sorted(np.asarray(lanes.take(everything, first).action)) == sorted(decided)
    assert not set(np.asarray(lanes.take(everything, second).action)) & set(decided.tolist())


@pytest.mark.parametrize(("share", "count"), [(0.0, 1), (0.5, 2), (0.6, 3), (1.0, 4)])
def test_as_many_minibatches_as_hold_what_is_decided(share, count):
    lanes = Lanes.of(sized(10, 8, 20), SINGLE_DEVICE)
    forced = jnp.asarray(np.arange(80).reshape(8, 10) >= 80 * share)
    assert int(lanes.worthwhile(forced, SINGLE_DEVICE)) == count


def test_a_minibatch_has_an_equal_share_of_every_lane():
    config = sized(64, 4, 64)
    assert config.lanes == 64
    config = sized(24, 4, 32)
    assert config.lanes == 8
    for found in minibatches(config, 2, jax.random.key(0)):
        assert set(Counter(found % 10_000 // 3).values()) == {4}


@pytest.mark.parametrize(
    ("worlds", "steps", "minibatch", "recurrent", "lanes"),
    [
        (1024, 16, 256, False, 64),
        (16, 16, 64, False, 16),
        (30, 8, 80, False, 2),
        (2**20, 16, 8192, False, 64),
        (1024, 16, 256, True, 16),
        (7, 4, 28, False, 1),
    ],
)
def test_lanes_follow_from_the_settings(worlds, steps, minibatch, recurrent, lanes):
    config = sized(worlds, steps, minibatch, recurrent)
    assert config.lanes == config.derived()["lanes"] == lanes


def test_a_sequence_keeps_the_order_of_its_steps():
    config = sized(16, 4, 32, recurrent=True)
    lanes = Lanes.of(config, SINGLE_DEVICE)
    index = lanes.shuffled(jax.random.key(0), SINGLE_DEVICE)[0]
    picked = lanes.take(names(16, 4, 0, True), index)
    steps = np.asarray(picked.observation.observation)
    assert (steps // 10_000 == np.arange(4)[:, None]).all()
    assert (steps % 10_000 == steps[0] % 10_000).all()
    assert picked.action.tolist() == steps.reshape(-1).tolist()


@pytest.mark.parametrize(("worlds", "steps", "seen"), [(16, 4, 4), (4096, 16, 16), (512, 128, 64)])
def test_a_sample_is_spread_over_steps_and_worlds(worlds, steps, seen):
    config = sized(worlds, steps, worlds)
    lanes = Lanes.of(config, SINGLE_DEVICE)
    found = np.asarray(lanes.take(names(worlds, steps, 0, False), lanes.sampled(SINGLE_DEVICE)).action)
    assert len(set(found.tolist())) == len(found) == min(4096, worlds * steps)
    assert len(set((found // 10_000).tolist())) == seen
    assert len(set((found % 10_000).tolist())) >= min(256, worlds)


def test_uniform_numbers_are_those_of_the_world_wherever_it_is():
    numbers = jnp.arange(4096, dtype=jnp.uint32)
    whole = uniforms(WORDS, jnp.uint32(5), numbers)
    np.testing.assert_array_equal(whole[1000:], uniforms(WORDS, jnp.uint32(5), numbers[1000:]))
    steps = jnp.stack([uniforms(WORDS, jnp.uint32(t), numbers) for t in range(16)])
    assert float(steps.min()) >= 0
    assert float(steps.max()) < 1
    counts = np.histogram(steps, 64, (0, 1))[0]
    expected = steps.size / 64
    assert np.sum((counts - expected) ** 2) / expected < 63 + 4 * math.sqrt(2 * 63)
    flat = np.asarray(steps)
    for a, b in ((flat[1:], flat[:-1]), (flat[:, 1:], flat[:, :-1])):
        assert abs(np.corrcoef(a.reshape(-1), b.reshape(-1))[0, 1]) < 4 / math.sqrt(a.size)


def test_actions_are_drawn_as_often_as_the_policy_says():
    odds = np.array([0.0, 0.5, 0.2, 0.0, 0.3])
    with np.errstate(divide="ignore"):
        logits = jnp.broadcast_to(jnp.asarray(np.log(odds), jnp.float32) + 7, (40_000, 5))
    uniform = uniforms(WORDS, jnp.uint32(0), jnp.arange(40_000, dtype=jnp.uint32))
    action, log_probability = sample(uniform, logits)
    found = np.bincount(action, minlength=5) / 40_000
    assert (found[[0, 3]] == 0).all()
    assert np.abs(found - odds).max() < 4 * math.sqrt(0.25 / 40_000)
    np.testing.assert_allclose(np.exp(log_probability), odds[np.asarray(action)], rtol=1e-5)


@pytest.mark.parametrize(("uniform", "action"), [(0.0, 0), (1 - 2**-24, 16)])
def test_every_uniform_number_is_an_action(uniform, action):
    logits = jax.random.normal(jax.random.key(0), (1, 17))
    assert int(sample(jnp.array([uniform], jnp.float32), logits)[0][0]) == action


def test_staggered_worlds_are_of_all_ages():
    config = dataclasses.replace(small(), rollout=Rollout(worlds=64, steps=8, stagger=16))
    world = probes.AGE
    rollout_state = jax.jit(lambda: init_learner(world, config))().rollout_state
    ages = np.asarray(rollout_state.state.age)
    assert ages.min() >= 0
    assert ages.max() < 16
    assert len(set(ages.tolist())) > 10
    np.testing.assert_array_equal(rollout_state.observation[:, 0], ages)
