"""Attributes and methods of single worlds, which Stable-Baselines3 asks for: here all worlds share them."""

import copy
import warnings
from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv

from openworld.adapters.discovery import register_gymnasium
from openworld.environment import Environment

#: Methods of a world that `env_method` can call.
METHODS = ("action_masks", "render", "get_wrapper_attr", "has_wrapper_attr", "set_wrapper_attr")
#: Attributes that `set_attr` changes for all worlds at once.
_SETTABLE = ("metadata", "render_mode", "render_scale", "spec")

Indices = int | np.integer | Iterable[int] | None


class Shared(VecEnv):
    """A VecEnv of worlds that are alike, and no objects of their own."""

    @cached_property
    def _attributes(self) -> dict[str, dict[int, Any]]:
        """The values that `set_attr` has set: name -> world -> value."""
        return {}

    def _call(self, method: str, world: int) -> Any:
        """Call "action_masks" or "render" of one world."""
        raise NotImplementedError

    def _checked(self, name: str, value: Any) -> Any:
        """Return a value that all worlds can share, or refuse it."""
        raise NotImplementedError

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Return a picture of every world, as uint8[h, w, 3]."""
        if self.render_mode != "rgb_array":
            warnings.warn(f"render_mode is {self.render_mode!r}: only 'rgb_array' has images", stacklevel=2)
            return [None] * self.num_envs
        return self.env_method("render")

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """Return what was set for each world, or else the attribute that all worlds share."""
        where = self._where(indices)
        if attr_name in self._attributes:
            values = self._attributes[attr_name]
            if missing := [i for i in where if i not in values]:
                raise AttributeError(f"{attr_name!r} was set for other worlds than {missing[0]}")
            return [values[i] for i in where]
        if attr_name in METHODS:
            return [partial(self._call, attr_name, i) for i in where]
        if attr_name.startswith("_"):
            raise AttributeError(f"the worlds have no public attribute {attr_name!r}")
        return [getattr(self, attr_name)] * len(where)

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Keep a value of the caller's own for each world; how worlds are rendered is set for all at once."""
        if attr_name in _SETTABLE:
            if len(set(self._where(indices))) < self.num_envs:
                raise ValueError(f"{attr_name!r} is the same for all worlds: set it without indices")
            setattr(self, attr_name, self._checked(attr_name, value))
            return
        if hasattr(self, attr_name):
            raise AttributeError(f"{attr_name!r} is the same for all worlds: give it to make_vec_env")
        self._attributes.setdefault(attr_name, {}).update(dict.fromkeys(self._where(indices), value))

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of each world: "action_masks" (bool[actions]), "render" or one of `METHODS`."""
        if method_name not in METHODS:
            raise AttributeError(f"the worlds have no method {method_name!r}; they have {', '.join(METHODS)}")
        call = {
            "get_wrapper_attr": lambda i, name: self.get_attr(name, i)[0],
            "has_wrapper_attr": lambda i, name: self._has(name, i),
            "set_wrapper_attr": lambda i, name, value: self.set_attr(name, value, i),
        }.get(method_name, partial(self._call, method_name))
        return [call(i, *method_args, **method_kwargs) for i in self._where(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Indices = None) -> list[bool]:
        """Tell whether the worlds do what a wrapper does: that of a `Monitor` is built in."""
        return [issubclass(Monitor, wrapper_class)] * len(self._where(indices))

    def _where(self, indices: Indices) -> list[int]:
        if indices is None:
            return list(range(self.num_envs))
        where = [int(i) for i in ([indices] if isinstance(indices, int | np.integer) else indices)]
        for i in where:
            if not -self.num_envs <= i < self.num_envs:
                raise IndexError(f"there is no world {i}: they are 0 to {self.num_envs - 1}")
        return [i % self.num_envs for i in where]

    def _has(self, name: str, world: int) -> bool:
        try:
            self.get_attr(name, world)
        except AttributeError:
            return False
        return True


def spec_of(env: Environment, observation: str, rendering: tuple[str | None, int]) -> EnvSpec | None:
    """Return the spec with which `gymnasium.make` makes one such environment.

    None where Gymnasium has no id.
    """
    register_gymnasium()
    if env.id not in gymnasium.registry:
        return None
    spec = copy.deepcopy(gymnasium.registry[env.id])
    render_mode, render_scale = rendering
    spec.kwargs |= {"observation": observation, "render_mode": render_mode, "render_scale": render_scale}
    spec.max_episode_steps = env.time_limit
    return spec
