"""The encoder against the tokens' layout, and the network's beginnings."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.content.ids import Block, Fixture
from openworld.content.reach import reachable
from openworld.core import tuning
from openworld.registry import ENVIRONMENTS
from openworld_trainers.ppo.config import Network
from openworld_trainers.ppo.encoders import FlatEncoder, TokenEncoder, make_encoder
from openworld_trainers.ppo.features import kind_of, one_hot, reach
from openworld_trainers.ppo.networks import count_parameters, make_network, resolve_precision
from tests.trainers import probes

#: Ids whose worlds show tokens.
IDS = [id for id, row in ENVIRONMENTS.items() if row.observation is None]
WORLD = openworld.make("OpenWorld-v0")
LAYOUT = WORLD.layout
F32 = np.dtype(np.float32)


@functools.cache
def encoding(id):
    """An encoder of a world's tokens, compiled, and as it is."""
    encoder = make_encoder(openworld.make(id), Network(embedding=3), jax.random.key(0))
    assert isinstance(encoder, TokenEncoder)
    return jax.jit(lambda tokens: encoder(tokens, F32)), encoder


@pytest.fixture
def encode():
    return encoding("OpenWorld-v0")


def tokens(layout=LAYOUT, **fields):
    row = np.zeros((1, layout.size), np.uint8)
    for name, value in fields.items():
        row[0, layout[name].slice] = value
    return jnp.asarray(row)


def any_tokens(count, layout=LAYOUT):
    high = np.concatenate([np.full(field.size, field.high) for field in layout.values()])
    return jnp.asarray(np.random.default_rng(0).integers(0, high + 1, (count, layout.size)).astype(np.uint8))


@pytest.mark.parametrize("id", IDS)
def test_features_are_as_many_as_it_says_and_of_ordinary_size(id):
    run, encoder = encoding(id)
    found = run(any_tokens(64, openworld.make(id).layout))
    assert found.shape == (64, encoder.features)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 6


@pytest.mark.parametrize("id", IDS)
def test_every_field_is_seen_and_what_the_rules_lack_is_not(id):
    run, _ = encoding(id)
    world = openworld.make(id)
    layout, items = world.layout, reachable(world.ruleset).items
    dark = not all(floor.lit for floor in world.ruleset.floors)
    for name in (name for name in layout if name != "light" or dark):
        places = np.eye(layout[name].size, dtype=np.uint8)
        rows = jnp.concatenate([tokens(layout, **{name: place}) for place in places])
        seen = (run(rows) != run(tokens(layout))).any(axis=1).tolist()
        had = [item in items for item in range(len(places))] if name == "inventory" else layout[name].high > 0
        assert seen == (had if name == "inventory" else [had] * len(places)), name


def test_vocabularies_are_as_large_as_the_layout_says():
    sizes = {id: (encoding(id)[1].tile.shape[0], encoding(id)[1].creature.shape[0]) for id in IDS}
    assert sizes["OpenWorld-v0"] == sizes["OpenWorld-Endless-v0"] == (Block.GRAVE3 + 1 + 3, 25)
    assert sizes["OpenWorld-Classic-v0"] == (Block.RIPE_PLANT + 1, 18)
    assert encoding("OpenWorld-Classic-v0")[1].features < 0.7 * encoding("OpenWorld-v0")[1].features


def test_depths_of_an_endless_world_are_told_apart():
    run, _ = encoding("OpenWorld-Endless-v0")
    layout = openworld.make("OpenWorld-Endless-v0").layout
    rows = np.asarray(run(jnp.concatenate([tokens(layout, floor=depth) for depth in (0, 8, 9, 20, 255)])))
    assert len({row.tobytes() for row in rows}) == 5


@pytest.mark.parametrize(("facing", "step"), list(enumerate([(0, -1), (0, 1), (-1, 0), (1, 0)])))
def test_the_tile_in_front_is_spelled_out(encode, facing, step):
    _, encoder = encode
    view = np.zeros((9, 11), np.uint8)
    view[4 + step[0], 5 + step[1]] = Block.IRON
    creature = np.zeros((9, 11), np.uint8)
    creature[4 + step[0], 5 + step[1]] = 9
    seen = tokens(tile=view.reshape(-1), creature=creature.reshape(-1), facing=facing)
    front = encoder._front({field.name: seen[:, field.slice] for field in LAYOUT.values()})
    assert np.flatnonzero(front[0]).tolist() == [Block.IRON, len(encoder.tile) + 9]


def test_kinds_of_tiles():
    tiles = [Block.GRASS, Block.GRAVE3, Block.PATH + 64 * Fixture.TORCH]
    tiles += [Block.PATH + 64 * Fixture.LADDER_DOWN, Block.GRASS + 64 * Fixture.LADDER_UP]
    found = kind_of(jnp.array([tiles], jnp.uint8), 36)
    np.testing.assert_array_equal(found, [[Block.GRASS, Block.GRAVE3, 36, 37, 38]])


def test_counts_by_what_they_reach():
    found = reach(jnp.array([[0, 1, 2, 9]], jnp.uint8)).reshape(5, 4)
    np.testing.assert_allclose(found[:4], [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1]])
    np.testing.assert_allclose(found[4], np.sqrt([0, 1, 2, 9]) / 3, rtol=1e-6)


def test_one_hot_of_what_is_out_of_range_is_nothing():
    np.testing.assert_array_equal(one_hot(jnp.array([[1, 7]], jnp.uint8), 3), [[0, 1, 0, 0, 0, 0]])


@pytest.mark.parametrize(("id", "items"), [("OpenWorld-v0", 20), ("OpenWorld-Classic-v0", 12)])
def test_an_inventory_is_told_item_by_item(id, items):
    run, _ = encoding(id)
    layout = openworld.make(id).layout
    places = np.eye(layout["inventory"].size, dtype=np.uint8)
    rows = np.asarray(run(jnp.concatenate([tokens(layout, inventory=place) for place in places])))
    blank = np.asarray(run(tokens(layout)))[0].tobytes()
    assert len({row.tobytes() for row in rows} - {blank}) == items


@pytest.mark.parametrize("learned", [True, False])
def test_embeddings_learn_only_when_they_may(learned):
    settings = Network(width=16, depth=1, embedding=2, learn_embedding=learned)
    network = make_network(WORLD, settings, jax.random.key(0))
    gradient = jax.jit(jax.grad(lambda n, t: jnp.sum(jnp.square(n(t)[1]))))(network, any_tokens(8))
    assert (np.abs(gradient.encoder.tile).max() > 0) == learned
    assert np.abs(gradient.trunk[0].weight).max() > 0


def test_the_embedding_gradient_is_that_of_a_lookup():
    from openworld_trainers.ppo.features import look_up

    table = jax.random.normal(jax.random.key(0), (64, 3))
    index = jax.random.randint(jax.random.key(1), (5, 7), 0, 64).astype(jnp.uint8)
    weight = jax.random.normal(jax.random.key(2), (5, 21))
    expected = np.zeros((64, 3))
    np.add.at(expected, np.asarray(index).reshape(-1), np.asarray(weight).reshape(-1, 3))
    found = jax.grad(lambda t: jnp.sum(look_up(t, index, True) * weight))(table)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(jax.grad(lambda t: jnp.sum(look_up(t, index, False) * weight))(table), 0)


def test_a_new_policy_is_nearly_even_and_its_layers_orthogonal():
    network, seen = make_network(WORLD, Network(), jax.random.key(0)), any_tokens(32)
    policy, allowed = jax.nn.softmax(network(seen).logits), np.asarray(network.allowed(seen), np.float32)
    np.testing.assert_allclose(policy, allowed / allowed.sum(axis=1, keepdims=True), rtol=0.2)
    weight = np.asarray(network.trunk[1].weight)
    np.testing.assert_allclose(weight.T @ weight, 2 * np.eye(256), atol=1e-4)
    assert len(network.trunk) == 3
    assert count_parameters(network) == sum(x.size for x in jax.tree.leaves(network))


def test_bfloat16_is_close_to_float32_and_returns_float32():
    exact = make_network(WORLD, Network(), jax.random.key(0))
    rough = dataclasses.replace(exact, precision="bfloat16")
    run = jax.jit(lambda n, t: n(t))
    for a, b in zip(run(exact, any_tokens(8))[:2], run(rough, any_tokens(8))[:2], strict=True):
        assert b.dtype == jnp.float32
        np.testing.assert_allclose(a, b, atol=0.1)


def test_precision_is_what_suits_the_machine_unless_it_is_told():
    assert make_network(probes.BOTH, Network(), jax.random.key(0)).precision == "float32"
    with tuning.as_if("gpu"):
        assert resolve_precision("auto") == "bfloat16"
        assert resolve_precision("float32") == "float32"


def test_what_is_no_token_is_flattened():
    encoder = make_encoder(probes.BOTH, Network(), jax.random.key(0))
    assert isinstance(encoder, FlatEncoder)
    np.testing.assert_array_equal(encoder(jnp.ones((3, 2, 2), jnp.uint8), F32), np.ones((3, 4)))
    for id, floats in (("OpenWorld-v0", 8268), ("OpenWorld-Classic-v0", 1345)):
        symbolic = openworld.make(id, observation="symbolic")
        assert make_encoder(symbolic, Network(), jax.random.key(0)).features == floats


@pytest.mark.parametrize("id", IDS)
def test_a_policy_has_as_many_actions_as_its_world(id):
    world = openworld.make(id)
    network = jax.eval_shape(lambda: make_network(world, Network(), jax.random.key(0)))
    seen = jax.ShapeDtypeStruct((5, world.layout.size), jnp.uint8)
    logits, value = jax.eval_shape(lambda n, t: n(t), network, seen)[:2]
    assert (logits.shape, value.shape) == ((5, world.num_actions), (5,))
