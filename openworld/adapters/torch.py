"""PyTorch: batches of worlds whose tensors are JAX's own arrays, handed over by DLPack without a copy.

* A tensor that is handed out stays as it is: the worlds are updated in place, but never what a step has
  returned. Writing to such a tensor is allowed, too; the worlds do not read it.
* Actions of type int32 are read where they lie. Those of other integer types, with gaps between them, or (on
  a CPU) not on a boundary of 64 bytes, are copied first: four bytes a world. A step on a CPU returns when it
  has been played, on a GPU the current stream of PyTorch waits for it, so that actions may be written over at
  once.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jaxtyping import Array

from openworld.adapters.copying import Copyable, exclusive
from openworld.core.random import key_words, world_seeds
from openworld.engine.programs import shared
from openworld.environment import REWARD_PARTS, Environment, State
from openworld.registry import SETTINGS, known_keywords, make
from openworld.system.cache import enable

#: The fields that `info` can hold, and those that it holds unless asked otherwise. Others are not computed.
USUAL = ("final_obs", "episode_return", "episode_length", "achievements")
KNOWN = (*USUAL, "reward_parts", "action_mask", "world_seed")

Fields = dict[str, torch.Tensor]
#: Observation, reward, terminated, truncated and info, as PyTorch has them.
Stepped = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, Fields]


class Programs(NamedTuple):
    """Compiled functions: worlds made by their seeds, and a step with auto-reset.

    `step` uses up the state that it is given: it must not be used again.
    """

    reset: Callable[..., tuple[Array, dict[str, Array], State]]
    step: Callable[..., tuple[tuple[Array, ...], dict[str, Array], State]]


@shared
def programs(env: Environment, names: tuple[str, ...]) -> Programs:
    """Return the functions of an environment.

    Time limit and repetition are arguments of `step`, so that no time limit compiles a new program.

    Args:
        env: the environment.
        names: the fields of `info`.
    """

    def of_state(state: State) -> dict[str, Array]:
        fields = {"world_seed": _wide(state.world.seed)} if "world_seed" in names else {}
        return fields | ({"action_mask": env.action_mask(state)} if "action_mask" in names else {})

    def reset(seeds: Array) -> tuple[Array, dict[str, Array], State]:
        obs, state = env.reset_seeds(seeds)
        worlds = seeds.shape[0]
        shape = (worlds,) if env.num_agents == 1 else (worlds, env.num_agents)
        fields = {
            "final_obs": jnp.copy(obs),
            "episode_return": jnp.zeros(shape, jnp.float32),
            "episode_length": jnp.zeros(worlds, jnp.int32),
            "achievements": jnp.zeros((*shape, env.ruleset.achievements), bool),
            "reward_parts": jnp.zeros((*shape, len(REWARD_PARTS)), jnp.float32),
        }
        return obs, {name: fields[name] for name in names if name in fields} | of_state(state), state

    def step(state: State, action: Array, limit: Array, again: Array) -> tuple[Any, dict[str, Array], State]:
        after = env.step(state, action, time_limit=limit, repeat_world=again)
        obs, state, reward, terminated, truncated, info = after
        fields = {name: getattr(info, name) for name in names if hasattr(info, name)}
        return (obs, reward, terminated, truncated), fields | of_state(state), state

    return Programs(jax.jit(reset), jax.jit(step, donate_argnums=0))


class TorchWorlds(Copyable):
    """`num_envs` worlds that step together on JAX's default device; `device` is its name in PyTorch.

    The default observation is "tokens", as of `openworld.make`; `observation=` chooses another.

    Auto-reset is in the same step: where `terminated | truncated`, `obs` (and `action_mask`) are of the next
    episode, `info["final_obs"]` is what the player last saw, and `episode_return`, `episode_length` and
    `achievements` are of the episode that ended. In the other worlds `final_obs` equals `obs`. `info` has the same
    fields, shapes and dtypes after every reset and every step; `world_seed` is int64[worlds, 2], of 32-bit
    words.

    With several players, rewards and actions are [worlds, players], and so are the observations' first axes.

    Example:
        >>> worlds = TorchWorlds(2, "OpenWorld-Classic-v0")
        >>> obs, info = worlds.reset(seed=0)
        >>> obs, reward, terminated, truncated, info = worlds.step(torch.zeros(2, dtype=torch.int32))
        >>> obs.shape, reward.dtype
        (torch.Size([2, 307]), torch.float32)
    """

    def __init__(
        self,
        num_envs: int,
        id: str = "OpenWorld-v0",
        *,
        observation: str | None = None,
        time_limit: int | None = None,
        info: Sequence[str] = USUAL,
        **settings: Any,
    ) -> None:
        """Keep the settings; nothing is compiled and no device is used before the first reset.

        Args:
            num_envs: how many worlds, at least 1.
            id: the environment's id, as in `openworld.make`.
            observation: one that `openworld.make` knows; None takes the id's own, "tokens" where it has none.
            time_limit: steps after which an episode is truncated; None takes the rules' own limit.
            info: which fields `info` holds, of `KNOWN`; parts of the reward, an action mask and the worlds'
                seeds only if named here.
            settings: further settings of `openworld.make`, such as `num_agents`.
        """
        if isinstance(num_envs, bool) or not isinstance(num_envs, int | np.integer) or num_envs < 1:
            raise ValueError(f"num_envs must be a whole number of at least 1, not {num_envs!r}")
        known_keywords("TorchWorlds.__init__", settings, (*SETTINGS, "info"))
        self._names = (info,) if isinstance(info, str) else tuple(info)
        for name in self._names:
            if name not in KNOWN:
                raise ValueError(f"info holds {', '.join(KNOWN)}, not {name!r}")
        enable()
        self.num_envs = int(num_envs)
        self.jax_env = make(id, observation=observation, time_limit=time_limit, **settings)
        self.num_actions = self.jax_env.num_actions
        self.observation_shape = self.jax_env.observation_shape
        self._shape = (self.num_envs, *(() if self.jax_env.num_agents == 1 else (self.jax_env.num_agents,)))
        self._state: State | None = None
        self._closed = False
        self._build()

    #: A copy in another process finds its own device.
    _BUILT = (*Copyable._BUILT, "device")

    def _build(self) -> None:
        super()._build()
        self._programs = programs(self.jax_env, self._names)

    @exclusive
    def reset(
        self, seed: int | None = None, *, held_out: bool = False, world_seed: Any = None
    ) -> tuple[torch.Tensor, Fields]:
        """Begin an episode in every world.

        Args:
            seed: as `openworld.make(...).reset(seed, num_envs)`; None draws one from PyTorch's generator.
            held_out: draw from the worlds set aside for evaluation.
            world_seed: exactly the worlds of these seeds, 32-bit words [worlds, 2], in place of the above.

        Returns:
            obs: [worlds, ...].
            info: the fields that were asked for, of an episode that has just begun.
        """
        self._still_open()
        if world_seed is None:
            drawn = int(torch.randint(2**62, ())) if seed is None else int(seed)
            seeds = world_seeds(key_words(drawn), self.num_envs, held_out=held_out)
        else:
            seeds = self._words(world_seed)
        obs, fields, self._state = self._programs.reset(seeds)
        return _tensor(obs), _fields(fields)

    @exclusive
    def step(self, actions: Any) -> Stepped:
        """Play one step in every world.

        Args:
            actions: a tensor of integers [worlds] (or [worlds, players]) on `device`. On a CPU one that is
                out of range is an error; on a GPU it does nothing, as looking for it would wait for the
                device.

        Returns:
            obs, reward (float32), terminated, truncated (bool) and info; see the class.
        """
        self._still_open()
        if self._state is None:
            raise RuntimeError("call reset() before step(): no episode is running")
        out, fields, self._state = self._programs.step(
            self._state, self._taken(actions), self._limit, self._again
        )
        obs, reward, terminated, truncated = map(_tensor, out)
        return obs, reward, terminated, truncated, _fields(fields)

    @cached_property
    def device(self) -> torch.device:
        """The device on which the tensors lie."""
        return _tensor(jnp.zeros(1, jnp.float32)).device

    def close(self) -> None:
        """Let go of the worlds; what was handed out stays."""
        self._state, self._closed = None, True

    def _still_open(self) -> None:
        if self._closed:
            raise RuntimeError("these worlds are closed; make new ones")

    def _taken(self, actions: Any) -> Array:
        """Return the actions as JAX's array, or refuse them."""
        if not isinstance(actions, torch.Tensor):
            raise TypeError(f"actions must be a torch.Tensor of integers, not a {type(actions).__name__}")
        last = self.num_actions - 1
        if actions.is_floating_point() or actions.is_complex() or actions.dtype == torch.bool:
            raise ValueError(f"actions must be integers from 0 to {last}, not {actions.dtype}")
        if tuple(actions.shape) != self._shape:
            raise ValueError(f"actions must have shape {self._shape}, not {tuple(actions.shape)}")
        if actions.device != self.device:
            raise ValueError(
                f"the actions are on {actions.device}, the worlds on {self.device}; move them there"
            )
        if actions.device.type == "cpu":
            low, high = actions.min().item(), actions.max().item()
            if low < 0 or high > last:
                raise ValueError(f"action {low if low < 0 else high} is out of range: they are 0 to {last}")
        return jax.dlpack.from_dlpack(actions.to(torch.int32).contiguous())

    def _words(self, seed: Any) -> np.ndarray:
        """Return given world seeds as uint32[worlds, 2], or refuse them."""
        words = np.asarray(seed.cpu() if isinstance(seed, torch.Tensor) else seed)
        right = words.shape == (self.num_envs, 2) and words.dtype.kind in "iu"
        if not right or words.min() < 0 or words.max() >= 2**32:
            found = f"{words.dtype}{list(words.shape)}"
            raise ValueError(f"world_seed must be 32-bit words of shape ({self.num_envs}, 2), not {found}")
        return words.astype(np.uint32)


def _tensor(value: Array) -> torch.Tensor:
    return torch.from_dlpack(value)


def _wide(words: Array) -> Array:
    """Return uint32[worlds, 2] as the halves of 64-bit integers, int32[worlds, 4], low half first."""
    both = jnp.stack([words, jnp.zeros_like(words)], axis=-1)
    return jax.lax.bitcast_convert_type(both, jnp.int32).reshape(words.shape[0], 4)


def _fields(fields: dict[str, Array]) -> Fields:
    """Hand the fields of an info over; a seed's halves become int64, which needs no copy."""
    tensors = {name: _tensor(value) for name, value in fields.items()}
    if "world_seed" in tensors:
        tensors["world_seed"] = tensors["world_seed"].view(torch.int64)
    return tensors
