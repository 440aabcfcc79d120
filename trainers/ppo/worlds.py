"""What the trainer asks of a world, so that small test worlds can stand in for the real one."""

from typing import Any, Protocol, runtime_checkable

from trainers.ppo.config import World


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


def make(settings: World) -> Worlds:
    """Make the world a run is about."""
    import openworld

    return openworld.make(settings.id, time_limit=settings.time_limit)


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
