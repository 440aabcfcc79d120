"""The ids of the worlds: what `make` builds and what Gymnasium is told. Imports neither JAX nor Gymnasium."""

import difflib
from typing import TYPE_CHECKING

from openworld.content.rulesets import CLASSIC, ENDLESS, FULL, Ruleset

if TYPE_CHECKING:
    from openworld.batch import Environment

#: Id -> the rules it plays by. To add an id, add a row (and its name in adapters/discovery).
WORLDS: dict[str, Ruleset] = {
    "OpenWorld-v0": FULL,
    "OpenWorld-Classic-v0": CLASSIC,
    "OpenWorld-Endless-v0": ENDLESS,
}

#: Where Gymnasium finds the faces of every id.
ENTRY_POINT = "openworld.adapters.gymnasium:OpenWorldEnv"
VECTOR_ENTRY_POINT = "openworld.adapters.gymnasium:OpenWorldVectorEnv"

_SETTINGS = ("observation", "num_agents", "time_limit")


def make(
    id: str,
    *,
    observation: str = "tokens",
    num_agents: int = 1,
    time_limit: int | None = None,
    **unknown: object,
) -> "Environment":
    """Return the world of an id: a frozen description whose `reset` and `step` are pure and jittable.

    Args:
        observation: "tokens" (uint8, what networks should embed) or "symbolic" (float32, the published layout).
        num_agents: players in the world.
        time_limit: steps after which an episode is truncated; None takes the rules' own limit.
    """
    if unknown:
        raise TypeError(f"make() takes no {next(iter(unknown))!r}; it takes {', '.join(_SETTINGS)}")
    rules = ruleset(id)
    from openworld.batch import Environment

    limit = rules.time_limit if time_limit is None else time_limit
    return Environment(id=id, ruleset=rules, observation=observation, num_agents=num_agents, time_limit=limit)


def ruleset(id: str) -> Ruleset:
    """Return the rules of an id, or raise a ValueError that names the ids most like it."""
    if isinstance(id, str) and id in WORLDS:
        return WORLDS[id]
    close = difflib.get_close_matches(str(id), WORLDS, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known ids: {', '.join(WORLDS)}"
    raise ValueError(f"unknown world id {id!r}; {hint}")


def register_gymnasium() -> None:
    """Tell Gymnasium of every id that it does not know yet; installed packages are told at start-up."""
    from importlib import import_module

    registration = import_module("gymnasium.envs.registration")
    for name in WORLDS:
        if name not in registration.registry:
            registration.register(
                name, entry_point=ENTRY_POINT, vector_entry_point=VECTOR_ENTRY_POINT, kwargs={"id": name}
            )
