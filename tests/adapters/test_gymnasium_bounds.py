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
    """The largest tokens and floats, and the smallest float, of a million steps: reduced on the device."""
    rules = world.ruleset

    def widen(seen, shown):
        tokens, floats, least = seen
        decoded = symbolic(shown, rules)
        tokens = jnp.maximum(tokens, jnp.max(shown, axis=0))
        return tokens, jnp.maximum(floats, jnp.max(decoded, axis=0)), jnp.minimum(least, jnp.min(decoded))

    def step(carry, at):
        state, *seen = carry
        number, key = at
        action = jax.random.randint(key, (WORLDS,), 0, world.num_actions)
        obs, state, *_, info = world.step(state, action)
        # What came before a reset is in most worlds the same; now and then will do.
        seen = jax.lax.cond(number % 16 == 0, lambda s: widen(s, info.final_obs), lambda s: s, tuple(seen))
        return (state, *widen(seen, obs)), None

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
