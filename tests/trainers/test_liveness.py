"""Programs whose memory can be counted by hand."""

import jax
import jax.numpy as jnp
import pytest

from openworld_trainers.planner.liveness import moments, peak, size_of

N = 1024
WIDE, LONG = jax.ShapeDtypeStruct((N, N), jnp.float32), jax.ShapeDtypeStruct((N,), jnp.float32)
SQUARE = 4 * N * N  # bytes of a matrix


def matrices(program, *given, platform="gpu"):
    """The most a program holds beyond what it is given, in matrices."""
    return peak(jax.make_jaxpr(program)(*given), platform) / SQUARE


def test_size_of_counts_bytes():
    assert (
        size_of({"a": WIDE, "b": jax.ShapeDtypeStruct((3,), jnp.uint8), "c": None, "d": "text"}) == SQUARE + 3
    )


def test_arithmetic_is_fused_into_who_needs_it():
    assert matrices(lambda x: jnp.sum(jnp.exp(x) * 2 + 1), WIDE) < 0.01


def test_products_lie_in_memory_as_long_as_they_are_read():
    assert matrices(lambda x: jnp.sum(x @ x), WIDE) == pytest.approx(1, abs=0.01)
    assert matrices(lambda x: jnp.sum((x @ x) @ x), WIDE) == pytest.approx(2, abs=0.01)
    # The first two are dead when the third is made.
    assert matrices(lambda x: jnp.sum(((x @ x) @ x) @ x), WIDE) == pytest.approx(2, abs=0.01)


def test_what_is_needed_later_stays():
    def program(x):
        early = x @ x
        return jnp.sum(((x @ x.T) @ x) @ early)

    assert matrices(program, WIDE) == pytest.approx(3, abs=0.01)


def test_operations_run_one_by_one_as_early_or_as_late_as_they_can():
    def program(x):
        return sum(jnp.sum(x @ (x + jnp.float32(i))) for i in range(4))

    def most(platform):
        traced = jax.make_jaxpr(program)(WIDE)
        return [round(max(now.bytes for now in held) / SQUARE, 2) for held in moments(traced, platform)]

    # A sum and its product; or all four sums, and then the products.
    assert most("gpu") == [2, 8]
    assert most("cpu") == [8, 8]


def test_a_loop_writes_over_what_it_was_given():
    def program(x):
        return jax.lax.scan(lambda x, i: (x.at[i].set(0.0), None), x, jnp.arange(8))[0]

    assert matrices(program, WIDE) < 0.01


def test_what_a_loop_may_not_write_over_is_copied():
    def program(x):
        y = jax.lax.scan(lambda x, i: (x.at[i].set(0.0), None), x, jnp.arange(8))[0]
        return y, jnp.sum(x @ y)

    assert 2 - 0.01 < matrices(program, WIDE) < 2.01  # the copy and the product


def test_what_a_loop_stacks_is_counted_and_so_is_its_body():
    def program(x):
        step = lambda sum, row: (sum + jnp.sum(x @ x) * row[0], row * 2)  # noqa: E731
        return jax.lax.scan(step, jnp.float32(0), x)[1], jnp.sum(x)

    assert matrices(program, WIDE) == pytest.approx(2, abs=0.01)


def test_calls_are_part_of_the_program():
    inner = jax.jit(jnp.exp)
    assert matrices(lambda x: jnp.sum(jax.nn.relu(inner(x))), WIDE) < 0.01


def test_a_branch_counts_where_it_is_the_platforms():
    def program(x):
        return jax.lax.platform_dependent(x, cpu=jnp.sum, default=lambda x: jnp.sum(x @ x))

    assert matrices(program, WIDE, platform="cpu") < 0.01
    assert matrices(program, WIDE, platform="gpu") == pytest.approx(1, abs=0.01)
    assert matrices(lambda x: jax.lax.cond(x[0, 0] > 0, lambda: jnp.sum(x @ x), lambda: 0.0), WIDE) > 0.99


def test_views_take_nothing():
    assert matrices(lambda x: jnp.sum(x.reshape(-1)[jnp.arange(3)]), WIDE) < 0.01


def test_gradients_of_weights_may_come_last():
    def loss(weights, x):
        for weight in weights:
            x = jnp.tanh(x @ weight)
        return jnp.sum(x)

    weights = [WIDE] * 4
    held = matrices(jax.grad(loss), weights, WIDE)
    # What each layer gave forward and back, and the gradients.
    assert 8 <= held <= 16
