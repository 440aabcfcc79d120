"""gymnax: one world with that package's signatures, so that JAX trainers written for it play ours.

`GymnaxEnv` has those of gymnax 1.0 (`terminated` and `truncated` apart), `OlderGymnaxEnv` those before it
(one `done`). Neither needs gymnax to be installed. `jax.vmap(env.step)` is not a step of one world mapped
over many but the batched step of `openworld.make`, with its cheap rare work and auto-reset; maps within maps
are one batch.

The key given to `step` is not used: chance is a function of a world's seed, which comes from the key of
`reset`, and the next episode's seed follows from it.
"""

from typing import Any

from openworld.adapters.gymnax.gymnax_env import GymnaxEnv, OlderGymnaxEnv
from openworld.adapters.gymnax.params import EnvParams, EnvState

__all__ = ["EnvParams", "EnvState", "GymnaxEnv", "OlderGymnaxEnv", "make"]


def make(id: str = "OpenWorld-v0", *, older: bool = False, **settings: Any) -> tuple[GymnaxEnv, EnvParams]:
    """Return an environment and its params, as `gymnax.make` does.

    Args:
        id: as in `openworld.make`.
        older: whether signatures are those before gymnax 1.0.
        settings: of `GymnaxEnv`. The default observation is "symbolic"; `observation=` chooses another.

    Example:
        >>> import jax
        >>> env, params = make("OpenWorld-Classic-v0", observation="tokens")
        >>> keys = jax.random.split(jax.random.key(0), 2)
        >>> obs, states = jax.vmap(env.reset, (0, None))(keys, params)
        >>> obs.shape
        (2, 307)
    """
    env = (OlderGymnaxEnv if older else GymnaxEnv)(id, **settings)
    return env, env.default_params
