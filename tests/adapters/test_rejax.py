"""Published trainers and wrappers play through gymnax's face; run by `make test-matrix`, which installs them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.adapters import gymnax as face

rejax = pytest.importorskip("rejax")
gymnax = pytest.importorskip("gymnax")

CLASSIC, LIMIT = "OpenWorld-Classic-v0", 32


def test_spaces_are_gymnaxs_own():
    from gymnax.environments import spaces

    env, params = face.make(CLASSIC)
    assert isinstance(env.action_space(params), spaces.Discrete)
    assert isinstance(env.observation_space(params), spaces.Box)


@pytest.mark.slow
def test_rejaxs_ppo_trains(lenient):
    env, params = face.make(CLASSIC, older=True, time_limit=LIMIT)
    algorithm = rejax.get_algo("ppo").create(
        env=env,
        env_params=params,
        num_envs=8,
        num_steps=16,
        num_minibatches=2,
        num_epochs=1,
        total_timesteps=8 * 16 * 4,
        eval_freq=8 * 16 * 2,
    )
    trained, (lengths, returns) = jax.jit(algorithm.train)(jax.random.PRNGKey(0))
    assert int(trained.global_step) == 8 * 16 * 4
    assert np.isfinite(returns).all()
    assert returns.shape == lengths.shape
    assert (lengths <= LIMIT).all()
    assert returns.max() > 0


@pytest.mark.slow
def test_gymnaxs_log_wrapper_counts_episodes(lenient):
    from gymnax.wrappers import LogWrapper

    env, params = face.make(CLASSIC, observation="tokens", time_limit=LIMIT)
    env = LogWrapper(env)
    keys = jax.random.split(jax.random.key(0), 4)
    _, state = jax.jit(jax.vmap(env.reset, (0, None)))(keys, params)
    step = jax.jit(jax.vmap(env.step, (0, 0, 0, None)))
    for _ in range(LIMIT):
        _, state, _, _, truncated, told = step(keys, state, jnp.zeros(4, jnp.int32), params)
    assert truncated.all()
    assert told["returned_episode_lengths"].tolist() == [LIMIT] * 4
