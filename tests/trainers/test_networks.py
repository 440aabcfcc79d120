"""The encoder against the tokens' layout, and the network's beginnings."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.content.ids import Block, Fixture, Floor, Item
from tests.trainers import probes
from trainers.ppo.config import Network
from trainers.ppo.encoders import FlatEncoder, TokenEncoder, kind_of, make_encoder, one_hot, reach
from trainers.ppo.networks import count_parameters, make_network

WORLD = openworld.make("OpenWorld-v0")
LAYOUT = WORLD.layout
F32 = np.dtype(np.float32)


@pytest.fixture(scope="module")
def encode():
    encoder = make_encoder(WORLD, Network(embedding=3), jax.random.key(0))
    assert isinstance(encoder, TokenEncoder)
    return jax.jit(lambda tokens: encoder(tokens, F32)), encoder


def tokens(**fields):
    row = np.zeros((1, LAYOUT.size), np.uint8)
    for name, value in fields.items():
        row[0, LAYOUT[name].slice] = value
    return jnp.asarray(row)


def any_tokens(count):
    high = np.concatenate([np.full(field.size, field.high) for field in LAYOUT.values()])
    random = np.random.default_rng(0).integers(0, high + 1, (count, LAYOUT.size))
    random[:, LAYOUT["tile"].slice] = random[:, LAYOUT["tile"].slice] % 37
    random[:, LAYOUT["floor"].slice] %= len(Floor)
    return jnp.asarray(random.astype(np.uint8))


def test_features_are_as_many_as_it_says_and_of_ordinary_size(encode):
    run, encoder = encode
    found = run(any_tokens(64))
    assert found.shape == (64, encoder.features)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 5


@pytest.mark.parametrize(
    "name", [name for name in LAYOUT if name not in ("light", "health_fraction", "missile")]
)
def test_every_field_is_seen(encode, name):
    run, _ = encode
    for place in range(LAYOUT[name].size):
        changed = np.zeros(LAYOUT[name].size, np.uint8)
        changed[place] = 1
        assert (run(tokens(**{name: changed})) != run(tokens())).any(), (name, place)


@pytest.mark.parametrize(("facing", "step"), list(enumerate([(0, -1), (0, 1), (-1, 0), (1, 0)])))
def test_the_tile_in_front_is_spelled_out(encode, facing, step):
    _, encoder = encode
    view = np.zeros((9, 11), np.uint8)
    view[4 + step[0], 5 + step[1]] = Block.IRON
    creature = np.zeros((9, 11), np.uint8)
    creature[4 + step[0], 5 + step[1]] = 9
    seen = tokens(tile=view.reshape(-1), creature=creature.reshape(-1), facing=facing)
    front = encoder._front({field.name: seen[:, field.slice] for field in LAYOUT.values()})
    assert np.flatnonzero(front[0]).tolist() == [Block.IRON, 64 + 9]


def test_kinds_of_tiles():
    tiles = [Block.GRASS, Block.NECROMANCER_VULNERABLE, Block.PATH + 64 * Fixture.TORCH]
    tiles += [Block.PATH + 64 * Fixture.LADDER_DOWN, Block.GRASS + 64 * Fixture.LADDER_UP]
    found = kind_of(jnp.array([tiles], jnp.uint8))
    np.testing.assert_array_equal(found, [[Block.GRASS, Block.NECROMANCER_VULNERABLE, 61, 62, 63]])


def test_counts_by_what_they_reach():
    found = reach(jnp.array([[0, 1, 2, 9]], jnp.uint8)).reshape(5, 4)
    np.testing.assert_allclose(found[:4], [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1]])
    np.testing.assert_allclose(found[4], np.sqrt([0, 1, 2, 9]) / 3, rtol=1e-6)


def test_one_hot_of_what_is_out_of_range_is_nothing():
    np.testing.assert_array_equal(one_hot(jnp.array([[1, 7]], jnp.uint8), 3), [[0, 1, 0, 0, 0, 0]])


def test_an_inventory_is_told_item_by_item(encode):
    run, _ = encode
    rows = [run(tokens(inventory=np.eye(len(Item), dtype=np.uint8)[item])) for item in Item]
    assert len({row.tobytes() for row in map(np.asarray, rows)}) == len(Item)


@pytest.mark.parametrize("learned", [True, False])
def test_embeddings_learn_only_when_they_may(learned):
    settings = Network(width=16, depth=1, embedding=2, learn_embedding=learned)
    network = make_network(WORLD, settings, jax.random.key(0))
    gradient = jax.jit(jax.grad(lambda n, t: jnp.sum(jnp.square(n(t)[1]))))(network, any_tokens(8))
    assert (np.abs(gradient.encoder.tile).max() > 0) == learned
    assert np.abs(gradient.trunk[0].weight).max() > 0


def test_the_embedding_gradient_is_that_of_a_lookup():
    from trainers.ppo.encoders import look_up

    table = jax.random.normal(jax.random.key(0), (64, 3))
    index = jax.random.randint(jax.random.key(1), (5, 7), 0, 64).astype(jnp.uint8)
    weight = jax.random.normal(jax.random.key(2), (5, 21))
    expected = np.zeros((64, 3))
    np.add.at(expected, np.asarray(index).reshape(-1), np.asarray(weight).reshape(-1, 3))
    found = jax.grad(lambda t: jnp.sum(look_up(t, index, True) * weight))(table)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(jax.grad(lambda t: jnp.sum(look_up(t, index, False) * weight))(table), 0)


def test_a_new_policy_is_nearly_even_and_its_layers_orthogonal():
    network = make_network(WORLD, Network(), jax.random.key(0))
    policy = jax.nn.softmax(jax.jit(lambda n, t: n(t))(network, any_tokens(32))[0])
    np.testing.assert_allclose(policy, 1 / WORLD.num_actions, rtol=0.2)
    weight = np.asarray(network.trunk[1].weight)
    np.testing.assert_allclose(weight.T @ weight, 2 * np.eye(256), atol=1e-4)
    assert len(network.trunk) == 3
    assert count_parameters(network) == sum(x.size for x in jax.tree.leaves(network))


def test_bfloat16_is_close_to_float32_and_returns_float32():
    exact = make_network(WORLD, Network(), jax.random.key(0))
    rough = dataclasses.replace(exact, precision="bfloat16")
    run = jax.jit(lambda n, t: n(t))
    for a, b in zip(run(exact, any_tokens(8)), run(rough, any_tokens(8)), strict=True):
        assert b.dtype == jnp.float32
        np.testing.assert_allclose(a, b, atol=0.1)


def test_what_is_no_token_is_flattened():
    encoder = make_encoder(probes.BOTH, Network(), jax.random.key(0))
    assert isinstance(encoder, FlatEncoder)
    np.testing.assert_array_equal(encoder(jnp.ones((3, 2, 2), jnp.uint8), F32), np.ones((3, 4)))
    symbolic = openworld.make("OpenWorld-v0", observation="symbolic")
    assert make_encoder(symbolic, Network(), jax.random.key(0)).features == 8268
