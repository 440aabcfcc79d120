"""No value that play brings about lies outside its space."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.adapters.gymnasium.spaces import highest_symbolic, highest_tokens
from openworld.observe.symbolic import symbolic

WORLDS, STEPS = 1024, 1000


def extremes(world):
    """The largest tokens of a million steps, and the largest floats and the smallest of every eighth of them."""
    rules = world.ruleset

    def widen(floats, least, *seen):
        for decoded in (symbolic(tokens, rules) for tokens in seen):
            floats, least = (
                jnp.maximum(floats, jnp.max(decoded, axis=0)),
                jnp.minimum(least, jnp.min(decoded)),
            )
        return floats, least

    def step(carry, at):
        state, tokens, *extreme = carry
        number, key = at
        action = jax.random.randint(key, (WORLDS,), 0, world.num_actions)
        obs, state, *_, info = world.step(state, action)
        for seen in (obs, info.final_obs):
            tokens = jnp.maximum(tokens, jnp.max(seen, axis=0))
        # Floats are made of tokens, one by one, and cost most: now and then will do.
        few = (*extreme, obs, info.final_obs)
        return (state, tokens, *jax.lax.cond(number % 8 == 0, widen, lambda *x: x[:2], *few)), None

    def play(seed):
        obs, state = world.reset(seed, WORLDS)
        floats = jnp.zeros(highest_symbolic(rules).shape)
        begin = (state, jnp.max(obs, axis=0), floats, jnp.float32(0))
        steps = (jnp.arange(STEPS), jax.random.split(jax.random.key(1), STEPS))
        return jax.lax.scan(step, begin, steps)[0][1:]

    return [np.asarray(value) for value in jax.jit(play)(jnp.uint32([0, 7]))]


@pytest.mark.slow
@pytest.mark.parametrize("id", ["OpenWorld-v0", "OpenWorld-Classic-v0"])
def test_a_million_random_steps_stay_within_the_spaces(id):
    # So short that many worlds are seen.
    world = openworld.make(id, time_limit=200)
    tokens, floats, least = extremes(world)
    assert (tokens <= highest_tokens(world.ruleset)).all()
    assert (floats <= highest_symbolic(world.ruleset)).all()
    assert least >= 0
    assert np.count_nonzero(tokens) > 0.6 * tokens.size
