"""An environment over the devices of a mesh: each plays its own share of the worlds, and nothing is sent."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax
from jax.sharding import NamedSharding, PartitionSpec

from openworld.core.random import key_words, world_seeds
from openworld.core.xla import spread
from openworld.engine import arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from openworld.environment import Environment


class Sharded:
    """The functions of an environment over all axes of a mesh, whatever its axis types.

    Every array leads with the worlds, a number of them that the devices can share alike; world i is the same
    as without a mesh, bit for bit. The functions are jitted, and may be called under a caller's jit.

    Attributes:
        sharding: how every array lies: cut along its first axis.
    """

    def __init__(self, env: "Environment", mesh: jax.sharding.Mesh) -> None:
        if not isinstance(mesh, jax.sharding.Mesh):
            raise TypeError(f"the mesh must be a jax.sharding.Mesh, not {arguments.described(mesh)}")
        self.env, self.mesh = env, mesh
        self.sharding = NamedSharding(mesh, PartitionSpec(mesh.axis_names))

    def reset(self, key: Any, num_worlds: int, *, held_out: bool = False) -> Any:
        """Make new worlds, as `Environment.reset` does, each on the device that will play it."""
        worlds = arguments.whole("num_worlds", num_worlds, 1, arguments.MOST_WORLDS)
        return self.reset_seeds(world_seeds(key_words(arguments.key(key)), worlds, held_out=held_out))

    def reset_seeds(self, seeds: Any) -> Any:
        """Make the worlds of these seeds."""
        seeds = arguments.seeds(seeds)
        if seeds.shape[0] % self.mesh.size:
            raise ValueError(
                f"{seeds.shape[0]} worlds cannot be shared alike by {self.mesh.size} devices: take a multiple"
            )
        return self._functions["reset_seeds"](jax.device_put(seeds, self.sharding))

    def step(self, state: Any, action: Any) -> Any:
        """Play one step with auto-reset, as `Environment.step` does."""
        return self._played("step", state, action)

    def advance(self, state: Any, action: Any) -> Any:
        """Play one step without auto-reset, as `Environment.advance` does."""
        return self._played("advance", state, action)

    def renew(self, obs: Any, state: Any, mask: Any) -> Any:
        """Begin the next episode in the worlds of the mask, as `Environment.renew` does."""
        return self._functions["renew"](obs, state, jax.device_put(mask, self.sharding))

    def action_mask(self, state: Any) -> Any:
        """Return which actions would do something, as `Environment.action_mask` does."""
        return self._functions["action_mask"](state)

    def _played(self, how: str, state: Any, action: Any) -> Any:
        action, _ = arguments.played(self.env, f"{how}()", state, action)
        return self._functions[how](state, jax.device_put(action, self.sharding))

    @cached_property
    def _functions(self) -> "dict[str, Callable[..., Any]]":
        names = ("reset_seeds", "step", "advance", "renew", "action_mask")
        return {
            name: jax.jit(spread(getattr(self.env, name), self.mesh, self.mesh.axis_names)) for name in names
        }
