"""The time limit of an episode: our `time_limit`, and Gymnasium's name for the same, `max_episode_steps`.

`gymnasium.make` keeps `max_episode_steps` for its own wrapper `TimeLimit` and does not hand it to the
environment. The wrapper can only shorten an episode, so that a longer limit than the rules' own would be
lost; and saved states, pictures and the refusal of a step too many would not know of the end. So `of_one`
looks the number up in the call of `gymnasium.make` that it is part of. Where it does not find one, the
environment has its own limit.
"""

import copy
import sys
from itertools import islice
from types import FrameType
from typing import Any

import numpy as np
from gymnasium.envs.registration import EnvSpec

from openworld.adapters.gymnasium import refusals
from openworld.environment import Environment
from openworld.system.callers import callers

#: The `max_episode_steps` with which Gymnasium adds no wrapper.
NO_WRAPPER = -1
#: Frames between an environment's constructor and `gymnasium.make`, at most.
_NEAR = 6


def of_one(own: int, time_limit: int | None, max_episode_steps: int | None) -> int | None:
    """Return the limit of one environment; None is the rules' own.

    Args:
        own: the rules' own limit, which every id is registered with.
        time_limit: the setting of that name.
        max_episode_steps: likewise, where the class is called directly.
    """
    asked, registered = _of_gymnasium(sys._getframe(1))
    asked = max_episode_steps if asked is None else asked
    if asked is None and registered != own:
        asked = registered
    number = isinstance(time_limit, int | np.integer)
    if asked is None and registered and number and time_limit > registered:
        raise ValueError(
            f"time_limit={time_limit} is beyond the {registered} steps after which Gymnasium ends each episode: "
            f"give max_episode_steps={time_limit} in its place"
        )
    return smaller(time_limit, asked)


def of_many(own: int, time_limit: int | None, max_episode_steps: int | None) -> int | None:
    """Return the limit of a batch; None is the rules' own.

    Args:
        own: the rules' own limit, which `gymnasium.make_vec` gives where its caller gives none.
        time_limit: the setting of that name.
        max_episode_steps: likewise.
    """
    unasked = time_limit is not None and max_episode_steps == own
    return smaller(time_limit, None if unasked else max_episode_steps)


def stated(spec: EnvSpec | None, limit: int) -> EnvSpec | None:
    """Return a copy of a spec that states a limit."""
    if spec is None:
        return None
    spec = copy.copy(spec)
    spec.max_episode_steps = limit
    return spec


class Limited:
    """An environment whose `spec` states the time limit that holds."""

    jax_env: Environment
    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """Gymnasium's spec of this environment; its `max_episode_steps` is the time limit that holds."""
        return self._spec

    @spec.setter
    def spec(self, value: EnvSpec | None) -> None:
        self._spec = stated(value, self.jax_env.time_limit)


def smaller(time_limit: int | None, other: int | None, name: str = "max_episode_steps") -> int | None:
    """Return the smaller one of a time limit and of what another setting, called `name`, says of the same."""
    if other is None or other == NO_WRAPPER:
        return time_limit
    steps = refusals.positive(name, other)
    return steps if time_limit is None else min(refusals.positive("time_limit", time_limit), steps)


def _of_gymnasium(frame: FrameType | None) -> tuple[int | None, int | None]:
    """Return the `max_episode_steps` that `gymnasium.make` was called with, and the registered one."""
    for caller in islice(callers(frame), _NEAR):
        where = caller.f_globals.get("__name__")
        if caller.f_code.co_name == "make" and where == "gymnasium.envs.registration":
            return _asked(caller.f_locals)
    return None, None


def _asked(call: dict[str, Any]) -> tuple[int | None, int | None]:
    """Read the call of `gymnasium.make`, if it is one for an environment of ours."""
    creator, spec, steps = (call.get(name) for name in ("env_creator", "env_spec", "max_episode_steps"))
    if not getattr(creator, "__module__", "").startswith("openworld."):
        return None, None
    return steps, None if steps == NO_WRAPPER else getattr(spec, "max_episode_steps", None)
