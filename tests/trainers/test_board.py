"""The board encoder, and the head that predicts whether an action changes what is seen."""

import dataclasses
import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.content.reach import reachable
from openworld_trainers.ppo import history
from openworld_trainers.ppo.batched_env import achievement_names
from openworld_trainers.ppo.board import BoardEncoder
from openworld_trainers.ppo.config import Learning, Network, Rollout
from openworld_trainers.ppo.learner import init_learner, make_update, metrics_row
from openworld_trainers.ppo.losses import change_loss
from openworld_trainers.ppo.networks import Outputs, make_network
from openworld_trainers.ppo.rollout import collect
from openworld_trainers.ppo.update import to_batch
from tests.trainers import probes
from tests.trainers.helpers import learn, small

IDS = ["OpenWorld-v0", "OpenWorld-Classic-v0", "OpenWorld-Coop-v0"]
SETTINGS = Network(width=16, depth=1, embedding=2, encoder="board", channels=8)
F32 = np.dtype(np.float32)
#: Rows of every batch, so that a ruleset compiles one program; no field has more tokens.
COUNT = 100


@functools.cache
def network_of(id):
    """An environment and a network that reads its board."""
    env = openworld.make(id)
    return env, jax.jit(lambda: make_network(env, SETTINGS, jax.random.key(0)))()


@jax.jit
def look(encoder, tokens):
    """The features of tokens; the board with their scalars, and with scalars of zero; the modulation."""
    on_tile, scalars = encoder._inputs(tokens)
    boards = encoder.board(on_tile, scalars), encoder.board(on_tile, 0 * scalars)
    return encoder(tokens, F32), boards, encoder.film(scalars, SETTINGS.blocks)


def tokens(layout, **fields):
    rows = np.zeros((COUNT, layout.size), np.uint8)
    for name, value in fields.items():
        rows[:, layout[name].slice] = value
    return rows


def any_tokens(layout):
    high = np.concatenate([np.full(field.size, field.high) for field in layout.values()])
    return np.random.default_rng(0).integers(0, high + 1, (COUNT, layout.size)).astype(np.uint8)


def woken(encoder):
    """The encoder with a modulation that is not the identity."""
    weight = np.random.default_rng(1).normal(0, 0.25, encoder.film.out.weight.shape).astype(np.float32)
    return eqx.tree_at(lambda e: e.film.out.weight, encoder, jnp.asarray(weight))


@pytest.mark.parametrize("id", IDS)
def test_every_token_changes_features_of_ordinary_size(id):
    env, network = network_of(id)
    assert isinstance(network.encoder, BoardEncoder)
    found = np.asarray(look(network.encoder, any_tokens(env.layout))[0])
    assert found.shape == (COUNT, network.encoder.features)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 30
    items, blank = reachable(env.ruleset).items, np.asarray(look(network.encoder, tokens(env.layout))[0])
    dark = not all(floor.lit for floor in env.ruleset.floors)
    for name, field in env.layout.items():
        if name == "light" and not dark:
            continue  # all tiles have the same light
        places = np.zeros((COUNT, field.size), np.uint8)
        places[np.arange(field.size), np.arange(field.size)] = 1
        found = look(network.encoder, tokens(env.layout, **{name: places}))[0]
        seen = (np.asarray(found) != blank).any(axis=1)[: field.size].tolist()
        assert seen == [
            field.high > 0 and (name != "inventory" or place in items) for place in range(field.size)
        ], name


def test_the_modulation_is_the_identity_at_birth_and_reads_the_scalars():
    env, network = network_of("OpenWorld-v0")
    _, (board, blind), (scales, shifts) = look(network.encoder, any_tokens(env.layout))
    assert scales.shape == shifts.shape == (SETTINGS.blocks, COUNT, SETTINGS.channels)
    assert (np.asarray(scales) == 1).all()
    assert (np.asarray(shifts) == 0).all()
    np.testing.assert_array_equal(board, blind)
    _, (board, blind), _ = look(woken(network.encoder), any_tokens(env.layout))
    assert np.abs(np.asarray(board) - np.asarray(blind)).max() > 0.1


def test_a_tile_that_moves_moves_the_board_and_the_features():
    env, network = network_of("OpenWorld-v0")
    here, there = np.zeros((2, 9, 11), np.uint8)
    here[4, 3], there[4, 4] = 5, 5
    (one, (board, _), _), (other, (moved, _), _) = (
        look(network.encoder, tokens(env.layout, tile=view.reshape(-1))) for view in (here, there)
    )
    board, moved = np.asarray(board), np.asarray(moved)
    # Two blocks see two tiles far; the edge looks different from inside.
    np.testing.assert_allclose(board[:, 2:-2, 2:6], moved[:, 2:-2, 3:7], rtol=1e-4, atol=1e-5)
    assert np.abs(board - moved).max() > 0.1
    assert np.abs(np.asarray(one) - np.asarray(other)).max() > 0.1


def test_bfloat16_is_close_and_gradients_are_finite():
    env, network = network_of("OpenWorld-Classic-v0")
    network = eqx.tree_at(lambda n: n.encoder, network, woken(network.encoder))
    seen = jnp.asarray(any_tokens(env.layout))

    def squares(network):
        value = network(seen).value
        return jnp.sum(value**2), value

    run, values = jax.jit(jax.value_and_grad(squares, has_aux=True)), []
    for precision in ("float32", "bfloat16"):
        (_, value), gradient = run(dataclasses.replace(network, precision=precision))
        assert value.dtype == jnp.float32
        values.append(np.asarray(value))
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
        assert np.abs(gradient.encoder.film.hidden.weight).max() > 0
        assert np.abs(gradient.encoder.place).max() > 0
    np.testing.assert_allclose(*values, atol=0.1)


def test_a_board_needs_tokens():
    with pytest.raises(ValueError, match=r'encoder="board" needs .* tokens'):
        make_network(probes.BOTH, SETTINGS, jax.random.key(0))


@dataclasses.dataclass(frozen=True)
class Tally(probes.Probe):
    """What is seen is the return, so that action 1 changes it and action 0 does not."""

    def observe(self, state):
        return state.episode_return[:, None]


TALLY = Tally("tally", see=probes.nothing, pay=lambda clue, age, action: action, length=3, num_actions=2)
PREDICTS = dataclasses.replace(small().network, predict_change=True)


def played(config):
    """Eight steps of a tally, and what is learned from."""

    @jax.jit
    def play():
        learner, words = init_learner(TALLY, config), jnp.array([1, 2], jnp.uint32)
        state = learner.rollout_state
        _, experience, _ = collect(TALLY, learner.network, state, 8, words, jnp.uint32(0))
        return experience, to_batch(
            experience, state.memory, Outputs(jnp.zeros((32, 2)), jnp.zeros(32)), config.advantage
        )

    return play()


def test_the_target_is_what_the_action_changed_also_at_the_end():
    """An episode's end is judged by its final observation: what follows it is always 0."""
    experience, batch = played(small(network=PREDICTS))
    np.testing.assert_array_equal(experience.change, experience.action == 1)
    np.testing.assert_array_equal(batch.change, experience.change)
    assert (experience.terminated & ~experience.change & (experience.observation[:, :, 0] > 0)).any()


def test_in_a_world_only_what_an_action_can_change_counts():
    env = openworld.make("OpenWorld-Classic-v0")
    seen = [jnp.asarray(tokens(env.layout, facing=1, **{name: 1})) for name in ("asleep", "daylight", "tile")]
    before = history.first(jnp.asarray(tokens(env.layout, facing=1)))
    found = [bool(history.effect(before, each, env.ruleset)[0]) for each in seen]
    assert found == [True, False, True]


def test_the_head_learns_what_changes_and_its_loss_is_a_metric():
    config = small(network=PREDICTS)
    learner = learn(TALLY, dataclasses.replace(config, learning=FAST), 40)
    sure = jax.nn.sigmoid(learner.network(jnp.array([[0.0], [1.0]])).change)
    np.testing.assert_allclose(sure, [[0, 1], [0, 1]], atol=0.1)
    metrics = jax.jit(make_update(TALLY, config))(learner, jnp.float32(0))[1]
    assert 0 < metrics_row(metrics, TALLY.achievement_names)["change_loss"] < 0.1


FAST = Learning(
    minibatch_size=64, epochs=4, learning_rate=1e-2, entropy_coefficient=0.05, change_coefficient=1.0
)


def test_without_the_head_there_is_no_target_and_no_metric():
    config = small()
    experience, batch = played(config)
    assert experience.change is batch.change is None
    learner = jax.eval_shape(lambda: init_learner(TALLY, config))
    assert learner.network.change is None
    shapes = jax.eval_shape(make_update(TALLY, config), learner, jnp.float32(0))[1]
    assert shapes.loss_metrics.terms.change_loss is None


def test_the_loss_of_a_prediction_is_that_of_its_formula():
    logits, action = jnp.array([[2.0, -1.0], [0.5, 3.0]]), jnp.array([0, 1])
    p = 1 / (1 + np.exp(-np.array([2.0, 3.0])))
    found = change_loss(logits, action, jnp.array([True, False]))
    assert float(found) == pytest.approx(-(np.log(p[0]) + np.log(1 - p[1])) / 2, rel=1e-5)


def test_a_board_and_a_head_learn_in_a_world():
    env = openworld.make("OpenWorld-Classic-v0", time_limit=6)
    network = dataclasses.replace(SETTINGS, predict_change=True, previous_action=True, channels=4)
    config = small(network=network, rollout=Rollout(worlds=8, steps=8), learning=Learning(minibatch_size=32))
    learner = jax.jit(lambda: init_learner(env, config))()
    after, metrics = jax.jit(make_update(env, config))(learner, jnp.float32(1e-3))
    assert metrics.finite
    row = metrics_row(metrics, achievement_names(env))
    assert 0.3 < row["change_loss"] < 1
    assert 0 <= row["dead_units"] < 1
    assert (after.network.encoder.stem.weight != learner.network.encoder.stem.weight).any()
