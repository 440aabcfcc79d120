"""The previous action in the observation, and the mask inside the policy."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.content.ids import Action
from openworld_trainers.ppo import history
from openworld_trainers.ppo.config import Learning, Network, Rollout
from openworld_trainers.ppo.learner import init_learner, make_update
from openworld_trainers.ppo.network_policy import Policy, choose, start_memory
from openworld_trainers.ppo.networks import EXCLUDED, make_network
from openworld_trainers.ppo.rollout import collect
from tests.trainers import probes
from tests.trainers.helpers import small

ENV = openworld.make("OpenWorld-Classic-v0", time_limit=6)
LAYOUT, RULES = ENV.layout, ENV.ruleset
SEEING = Network(width=16, depth=1, embedding=2, previous_action=True)


def tokens(**fields):
    row = np.zeros((1, LAYOUT.size), np.uint8)
    for name, value in fields.items():
        row[0, LAYOUT[name].slice] = value
    return jnp.asarray(row)


@pytest.fixture(scope="module")
def played():
    """Twelve steps of four worlds whose episodes end after six."""
    learning = Learning(minibatch_size=16)
    config = small(network=SEEING, rollout=Rollout(worlds=4, steps=12), learning=learning)
    learner = jax.jit(lambda: init_learner(ENV, config))()
    words = jnp.array([1, 2], jnp.uint32)
    program = jax.jit(lambda state: collect(ENV, learner.network, state, 12, words, jnp.uint32(0)))
    return learner.network, program(learner.rollout_state)[1]


def test_an_observation_ends_with_the_action_before_and_its_effect(played):
    _, experience = played
    seen, action = np.asarray(experience.observation), np.asarray(experience.action)
    assert seen.shape == (12, 4, LAYOUT.size + history.SIZE)
    ended = np.asarray(experience.terminated | experience.truncated)
    assert ended[5].all()
    assert (seen[0, :, -2:] == 0).all()
    expected = np.where(ended[:-1], 0, action[:-1] + 1)
    np.testing.assert_array_equal(seen[1:, :, -2], expected)
    mine = history.own_fields(RULES)
    effect = (seen[1:, :, :-2] != seen[:-1, :, :-2])[..., mine].any(axis=-1) & ~ended[:-1]
    np.testing.assert_array_equal(seen[1:, :, -1], effect)
    assert 0 < effect.mean() < 1


def test_who_plays_sees_what_who_learned_saw(played):
    network, experience = played
    memory, seen = start_memory(network, 4), np.asarray(experience.observation)
    for step in range(6):
        memory, _ = choose(
            network,
            memory,
            jnp.asarray(seen[step, :, :-2]),
            lambda logits, step=step: experience.action[step],
        )
        kept = memory[:, network.initial_memory(0).shape[1] :]
        recalled = history.recalled(kept, jnp.asarray(seen[step + 1, :, :-2]), RULES)
        if step < 5:
            np.testing.assert_array_equal(recalled, seen[step + 1])
    # Zeros are the start of an episode.
    fresh = history.recalled(0 * kept, jnp.asarray(seen[0, :, :-2]), RULES)
    np.testing.assert_array_equal(fresh, seen[0])


@pytest.mark.parametrize(
    ("name", "seen"),
    [("facing", 1), ("inventory", 1), ("tile", 1), ("daylight", 0), ("creature", 0), ("vitals", 0)],
)
def test_only_what_an_action_can_change_counts(name, seen):
    assert int(history.changed(tokens(), tokens(**{name: 1}), RULES)[0]) == seen


def test_a_network_cannot_see_actions_where_there_are_no_tokens():
    with pytest.raises(ValueError, match=r"previous_action needs .* tokens"):
        make_network(
            probes.BOTH, dataclasses.replace(small().network, previous_action=True), jax.random.key(0)
        )


def test_the_mask_excludes_actions_from_every_use_of_a_policy(played):
    network, experience = played
    asleep = jnp.concatenate([tokens(asleep=1), tokens()])
    network = make_network(ENV, dataclasses.replace(SEEING, previous_action=False), jax.random.key(0))
    logits = network(asleep).logits
    assert jnp.flatnonzero(logits[0] > EXCLUDED / 2).tolist() == [Action.NOOP]
    assert int(jnp.sum(logits[1] > EXCLUDED / 2)) > 1
    for temperature in (0.0, 1.0):
        policy, keys = Policy(network, jnp.float32(temperature)), jax.random.split(jax.random.key(0), 64)
        assert set(policy(None, keys, jnp.repeat(asleep[:1], 64, axis=0))[1].tolist()) == {Action.NOOP}
    free = make_network(ENV, Network(width=16, depth=1, embedding=2, mask=False), jax.random.key(0))
    assert float(free(asleep).logits.min()) > EXCLUDED / 2
    assert not experience.forced.all()


@pytest.mark.slow
def test_an_update_skips_what_was_forced(played):
    learning = Learning(minibatch_size=16, epochs=1.5, skip_forced=True)
    config = small(network=SEEING, rollout=Rollout(worlds=4, steps=12), learning=learning)
    learner = jax.jit(lambda: init_learner(ENV, config))()
    after, metrics = jax.jit(make_update(ENV, config))(learner, jnp.float32(1e-3))
    assert metrics.finite
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), learner.network.actor, after.network.actor)
    assert moved.weight
