"""The random stream: the same bits everywhere, and good ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from openworld.content.ids import Stream
from openworld.content.units import chance
from openworld.core.random import HELD_OUT, Dice, below, happens, next_seed, world_seeds
from tests.oracle import chance as plain

DRAWS = 10_000_000
#: Chance that a good stream fails a test below once.
ALPHA = 1e-6


@jax.jit
def by_index(seed: jax.Array, tick: jax.Array, index: jax.Array) -> jax.Array:
    return Dice.of(seed, tick).bits(Stream.WANDER, index)


@pytest.fixture(scope="module")
def draws() -> np.ndarray:
    """1e7 draws as play makes them: 200 worlds of one batch x 500 ticks x 100 indices."""
    seeds = world_seeds(jnp.array([1, 2], jnp.uint32), 200)

    @jax.jit
    def all_of(seeds: jax.Array) -> jax.Array:
        ticks = jnp.arange(500, dtype=jnp.int32)
        index = jnp.arange(100, dtype=jnp.uint32)
        each = jax.vmap(
            jax.vmap(lambda s, t: Dice.of(s, t).bits(Stream.SPAWN_TILE, index), (None, 0)), (0, None)
        )
        return each(seeds, ticks)

    drawn = np.asarray(all_of(seeds))
    assert drawn.size == DRAWS
    return drawn


def uniform(counts: np.ndarray) -> None:
    assert stats.chisquare(counts).pvalue > ALPHA


@pytest.mark.parametrize("shift", [0, 4, 8, 12, 16, 20])
def test_every_stretch_of_bits_is_uniform(draws, shift):
    uniform(np.bincount((draws.ravel() >> np.uint32(shift)) & np.uint32(4095), minlength=4096))


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["worlds", "ticks", "indices"])
def test_neighbours_are_independent(draws, axis):
    # Serial correlation of the values, and chi-square of pairs of high and of low bits.
    first = np.take(draws, np.arange(draws.shape[axis] - 1), axis).ravel()
    second = np.take(draws, np.arange(1, draws.shape[axis]), axis).ravel()
    correlation = np.corrcoef(first / 2**32, second / 2**32)[0, 1]
    assert abs(correlation) < 5 / np.sqrt(first.size)
    for shift in (0, 26):
        a, b = ((x >> np.uint32(shift)) & np.uint32(63) for x in (first, second))
        uniform(np.bincount(a * np.uint32(64) + b, minlength=4096))


def test_streams_are_independent():
    index = jnp.arange(100_000, dtype=jnp.uint32)
    dice = Dice.of(jnp.array([11, 12], jnp.uint32), jnp.int32(5))
    streams = np.stack([np.asarray(dice.bits(stream, index)) for stream in Stream]) / 2**32
    off = np.corrcoef(streams) - np.eye(len(Stream))
    assert np.abs(off).max() < 5 / np.sqrt(index.size)
    assert len(np.unique(streams)) > 0.999 * streams.size


def test_every_input_bit_moves_every_output_bit():
    # Flip one bit of a seed word, of the tick or of the index: each of the 32 output bits flips half the time.
    rng = np.random.default_rng(0)
    n = 20_000
    seed = rng.integers(0, 1 << 32, (n, 2), dtype=np.uint32)
    tick = rng.integers(0, 100_000, n, dtype=np.int32)
    index = rng.integers(0, 1 << 14, n, dtype=np.uint32)
    draw = jax.jit(jax.vmap(lambda s, t, i: Dice.of(s, t).bits(Stream.WANDER, i)))
    base = np.asarray(draw(seed, tick, index))
    flipped = []
    for bit in range(32):
        for word in range(2):
            other = seed.copy()
            other[:, word] ^= np.uint32(1 << bit)
            flipped.append(draw(other, tick, index))
    flipped += [draw(seed, tick ^ np.int32(1 << bit), index) for bit in range(17)]
    flipped += [draw(seed, tick, index ^ np.uint32(1 << bit)) for bit in range(14)]
    changes = base[None] ^ np.stack([np.asarray(x) for x in flipped])
    share = np.stack([((changes >> np.uint32(bit)) & 1).mean(axis=1) for bit in range(32)])
    assert np.abs(share - 0.5).max() < 6 * 0.5 / np.sqrt(n)


def test_chances_are_kept(draws):
    bits = jnp.asarray(draws.reshape(-1))
    for probability in (0.02, 0.1, 0.15, 0.75):
        share = float(jnp.mean(happens(bits, chance(probability)).astype(jnp.float32)))
        assert share == pytest.approx(probability, abs=5 * np.sqrt(0.25 / DRAWS))
    uniform(np.bincount(np.asarray(below(bits, 4)), minlength=4))


def test_a_chance_does_not_lean_on_the_low_bits(draws):
    # Creatures take their direction from the low bits of the draw whose high bits decide whether they chase.
    chasing = np.asarray(happens(jnp.asarray(draws.reshape(-1)), chance(0.75)))
    table = np.stack(
        [np.bincount((draws.ravel() & 15)[chasing == side], minlength=16) for side in (True, False)]
    )
    assert stats.chi2_contingency(table).pvalue > ALPHA


def test_bits_are_those_of_plain_integers():
    rng = np.random.default_rng(1)
    for seed, tick, index in zip(
        rng.integers(0, 1 << 32, (200, 2), dtype=np.uint32),
        [-1, 0, *rng.integers(0, 100_000, 198)],
        rng.integers(0, 1 << 32, 200, dtype=np.uint32),
        strict=True,
    ):
        dice, again = (
            Dice.of(jnp.asarray(seed), jnp.int32(tick)),
            plain.Dice((int(seed[0]), int(seed[1])), int(tick)),
        )
        for stream in (min(Stream), Stream.FORAGE, Stream.ACTION):
            assert int(dice.bits(stream, jnp.uint32(index))) == again.bits(stream, int(index))
        assert tuple(map(int, next_seed(jnp.asarray(seed)))) == plain.next_seed((int(seed[0]), int(seed[1])))


def test_golden_bits(golden):
    dice = Dice.of(jnp.array([0x12345678, 0x9ABCDEF0], jnp.uint32), jnp.int32(42))
    bits = {
        stream.name: np.asarray(dice.bits(stream, jnp.arange(4, dtype=jnp.uint32))).tolist()
        for stream in Stream
    }
    seeds = np.asarray(world_seeds(jnp.array([0, 7], jnp.uint32), 3)).tolist()
    golden("random", {**bits, "world_seeds": seeds})


def test_a_new_stream_disturbs_no_other():
    # A draw's bits depend on its stream's own number alone, so a number nobody has used is free to take.
    seed, index = (3, 4), 5
    dice = Dice.of(jnp.array(seed, jnp.uint32), jnp.int32(9))
    before = [int(dice.bits(stream, index)) for stream in Stream]
    weather = plain.Dice(seed, 9).bits(max(Stream) + 1, index)
    assert [int(dice.bits(stream, index)) for stream in Stream] == before
    assert weather not in before


def test_jit_draws_the_same_bits():
    seed, tick, index = jnp.array([8, 9], jnp.uint32), jnp.int32(77), jnp.arange(1000, dtype=jnp.uint32)
    with jax.disable_jit():
        eager = Dice.of(seed, tick).bits(Stream.WANDER, index)
    np.testing.assert_array_equal(by_index(seed, tick, index), eager)


def test_held_out_seeds_are_disjoint_from_training_ones():
    words = jnp.array([5, 6], jnp.uint32)
    training, held_out = world_seeds(words, 4096), world_seeds(words, 4096, held_out=True)
    for _ in range(20):
        assert not np.any(np.asarray(training)[:, 0] & HELD_OUT)
        assert np.all(np.asarray(held_out)[:, 0] & HELD_OUT)
        training, held_out = next_seed(training), next_seed(held_out)


def test_world_seeds_do_not_depend_on_their_number():
    words = jnp.array([1, 2], jnp.uint32)
    np.testing.assert_array_equal(world_seeds(words, 4096)[:100], world_seeds(words, 100))
    np.testing.assert_array_equal(jax.jit(lambda w: world_seeds(w, 100))(words), world_seeds(words, 100))


def test_seeds_of_batches_and_of_following_episodes_do_not_repeat():
    batches = [world_seeds(jnp.array([0, key], jnp.uint32), 4096) for key in range(16)]
    seeds = jnp.concatenate(batches)
    chain = [seeds]
    for _ in range(4):
        chain.append(next_seed(chain[-1]))
    pairs = np.asarray(jnp.concatenate(chain)).astype(np.uint64)
    assert len(np.unique(pairs[:, 0] << np.uint64(32) | pairs[:, 1])) == len(pairs)
