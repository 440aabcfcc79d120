"""What the trainer asks of a world, so that small test worlds can stand in for the real one."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp

from openworld_trainers.ppo.config import World


@runtime_checkable
class Worlds(Protocol):
    """A batch of worlds as pure functions; `openworld.make` returns one.

    Every array leads with the batch axis. A step resets the worlds that ended: `observation` is the next
    episode's first, `info.final_obs` the ended one's last. `info.episode_return`, `info.episode_length` and
    `info.achievements` tell of the episode that the step belongs to.
    """

    @property
    def id(self) -> str:
        """A registered id."""
        ...

    @property
    def num_actions(self) -> int:
        """How many actions there are."""
        ...

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of one observation."""
        ...

    def reset(self, key: Any, num_worlds: int, *, held_out: bool = False) -> tuple[Any, Any]:
        """First observations and states; held-out worlds are never trained on."""
        ...

    def reset_seeds(self, seeds: Any) -> tuple[Any, Any]:
        """The worlds of these seeds, uint32[B, 2]."""
        ...

    def renew(self, obs: Any, state: Any, mask: Any) -> tuple[Any, Any]:
        """Begin the next episode in the worlds of the mask."""
        ...

    def step(self, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """`(observation, state, reward, terminated, truncated, info)`, ended worlds begun anew."""
        ...

    def advance(self, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """The same without beginning anew."""
        ...


@dataclass(frozen=True)
class Seats:
    """Worlds of several players, in which every player of every world is one seat of the batch.

    Seat i is player i modulo `players` of world i // `players`; to the trainer it is a world of its own, and all
    share one policy. A fallen player keeps its seat: whatever it does, nothing comes of it, so its gradient is zero
    on average, and its advantages lead on to the reward after it is helped up.
    """

    world: Any  # openworld.environment.Environment

    @property
    def players(self) -> int:
        """Seats of one world."""
        return self.world.num_agents

    @property
    def id(self) -> str:
        """The world's id."""
        return self.world.id

    @property
    def ruleset(self) -> Any:
        """The world's rules."""
        return self.world.ruleset

    @property
    def observation(self) -> str:
        """The form of an observation."""
        return self.world.observation

    @property
    def num_actions(self) -> int:
        """How many actions there are."""
        return self.world.num_actions

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of what one seat sees."""
        return self.world.observation_shape[1:]

    def reset(self, key: Any, num_worlds: int, *, held_out: bool = False) -> tuple[Any, Any]:
        """First observations of so many seats, and the states of their worlds."""
        obs, state = self.world.reset(key, self._worlds(num_worlds), held_out=held_out)
        return self._apart(obs), state

    def reset_seeds(self, seeds: Any) -> tuple[Any, Any]:
        """The worlds of the seeds of each one's first seat, uint32[B, 2]."""
        self._worlds(seeds.shape[0])
        obs, state = self.world.reset_seeds(seeds[:: self.players])
        return self._apart(obs), state

    def renew(self, obs: Any, state: Any, mask: Any) -> tuple[Any, Any]:
        """Begin the next episode in the worlds whose first seats are of the mask."""
        obs, state = self.world.renew(self._together(obs), state, mask[:: self.players])
        return self._apart(obs), state

    def step(self, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """`Worlds.step`, seat by seat."""
        return self._seated(self.world.step(state, self._together(action)))

    def advance(self, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """`Worlds.advance`, seat by seat."""
        return self._seated(self.world.advance(state, self._together(action)))

    def _worlds(self, seats: int) -> int:
        if seats % self.players:
            raise ValueError(f"{seats} seats do not divide into worlds of {self.players} players")
        return seats // self.players

    def _apart(self, x: Any) -> Any:
        """[worlds, players, ...] to [seats, ...]."""
        return x.reshape(-1, *x.shape[2:])

    def _together(self, x: Any) -> Any:
        """[seats, ...] to [worlds, players, ...]."""
        return x.reshape(-1, self.players, *x.shape[1:])

    def _seated(self, after: tuple[Any, Any, Any, Any, Any, Any]) -> tuple[Any, Any, Any, Any, Any, Any]:
        obs, state, reward, terminated, truncated, info = after
        each = partial(jnp.repeat, repeats=self.players, axis=0)
        info = dataclasses.replace(
            info,
            final_obs=self._apart(info.final_obs),
            episode_return=self._apart(info.episode_return),
            episode_length=each(info.episode_length),
            achievements=self._apart(info.achievements),
        )
        return self._apart(obs), state, self._apart(reward), each(terminated), each(truncated), info


def make(settings: World) -> Worlds:
    """Make the world a run is about; of several players, as seats."""
    import openworld
    from openworld.registry import listed

    company = listed(settings.id).rules.coop
    shared = {"sharing": settings.sharing, "revival": settings.revival} if company else {}
    world = openworld.make(settings.id, time_limit=settings.time_limit, num_agents=settings.players, **shared)
    return world if world.num_agents == 1 else Seats(world)


def achievement_names(world: Worlds) -> tuple[str, ...]:
    """What each column of `info.achievements` is called, in lower case."""
    rules = getattr(world, "ruleset", None)
    if rules is None:
        return tuple(getattr(world, "achievement_names"))  # noqa: B009 (test worlds bring their own)
    from openworld.content.ids import Achievement

    return tuple(achievement.name.lower() for achievement in list(Achievement)[: rules.achievements])


def identity(world: Worlds) -> dict[str, Any]:
    """What a checkpoint must agree on with the world it continues in."""
    rules = getattr(world, "ruleset", None)
    return {
        "world": world.id,
        "ruleset": [rules.name, rules.version] if rules is not None else [],
        "observation_shape": list(world.observation_shape),
        "num_actions": world.num_actions,
    }
