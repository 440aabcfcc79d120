"""Who is judged: anything with `begin` and `act`, NumPy in and out, of one world or of a batch of them."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Int64, Shaped

#: What an agent may ask to see; "text" is a list of strings.
TEXT = "text"
GUIDE = "docs/guides/evaluate.md"


class AgentError(ValueError):
    """An agent that cannot be loaded, or that does not act as the protocol of agents says."""


class Agent(Protocol):
    """What an agent has; the three attributes may be left out.

    Attributes:
        observation: what it sees: "tokens" (if left out), "symbolic", "pixels" or "text".
        one_world: it sees a single world at a time; each world is then given an agent of its own.
        action_masks: it wants `infos["action_mask"]`.
    """

    def begin(self, num_worlds: int, seed: int) -> None:
        """Forget everything: new episodes begin, in as many worlds; `seed` is for its own dice."""
        ...

    def act(self, observations: Any, infos: dict[str, Any]) -> Any:
        """Choose the actions for what is seen.

        Args:
            observations: [worlds, ...], read-only; of a `one_world` agent without the first axis.
            infos: "step" (int: how many were played), "reward" (float32[worlds]: of the last step), "playing"
                (bool[worlds]: whose action matters; the others' episodes are over), and if asked for
                "action_mask" (bool[worlds, actions]: what would do something). Of a `one_world` agent without the
                first axis, and without "playing".

        Returns:
            Whole numbers [worlds]; of a `one_world` agent a single one.
        """
        ...


Factory = Callable[[], Any]


@dataclass(frozen=True)
class Entrant:
    """An agent to be judged.

    Attributes:
        name: what it is to be called.
        factory: makes it; called once for every world that plays where the agent sees one world at a time.
        source: where it came from.
    """

    name: str
    factory: Factory
    source: str = ""


def load(source: str) -> Factory:
    """Return what makes the agents of `package.module:Agent`, looked for in the current folder too.

    The name is one of a class or a function, called without arguments, or of an agent itself.
    """
    module_name, _, name = source.partition(":")
    if not name or not all(part.isidentifier() for part in module_name.split(".")):
        raise AgentError(f"{source!r} names no agent; one is named like package.module:Agent")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise AgentError(f"{source!r}: there is no module {error.name!r}") from None
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise AgentError(f"{source!r}: module {module_name!r} has no {name!r}")
        found = getattr(found, part)
    return found if callable(found) and not _is_agent(found) else lambda: found


def _is_agent(found: Any) -> bool:
    return not isinstance(found, type) and callable(getattr(found, "act", None))


class Seat:
    """Where an agent sits: it is asked through here, and what it answers is checked.

    Attributes:
        observation: what it wants to see.
        one_world: whether it sees one world at a time.
        action_masks: whether it wants masks.
    """

    def __init__(self, factory: Factory, name: str = "the agent") -> None:
        """Make the first agent and look whether it is one."""
        self.name = name
        self._factory = factory
        self._agents = [factory()]
        agent = self._agents[0]
        for method in ("begin", "act"):
            if not callable(getattr(agent, method, None)):
                raise AgentError(
                    f"{name} has no method {method!r}; an agent has begin(num_worlds, seed) and "
                    f"act(observations, infos), see {GUIDE}"
                )
        self.observation = str(getattr(agent, "observation", "tokens"))
        self.one_world = bool(getattr(agent, "one_world", False))
        self.action_masks = bool(getattr(agent, "action_masks", False))

    def begin(self, num_worlds: int, seed: int) -> None:
        """Begin episodes in as many worlds."""
        if not self.one_world:
            self._agents[0].begin(num_worlds, seed)
            return
        while len(self._agents) < num_worlds:
            made = self._factory()
            if any(made is other for other in self._agents):
                raise AgentError(f"{self.name} sees one world at a time: name its class, not a single agent")
            self._agents.append(made)
        for i, agent in enumerate(self._agents[:num_worlds]):
            agent.begin(1, seed + i)

    def act(self, observations: Any, infos: dict[str, Any], num_actions: int) -> Int64[np.ndarray, " worlds"]:
        """Ask for actions; those of worlds that no longer play are 0."""
        playing = infos["playing"]
        if not self.one_world:
            chosen = self._checked(
                self._agents[0].act(observations, infos), playing.shape, num_actions, playing
            )
            return np.where(playing, chosen, 0)
        actions = np.zeros(playing.shape, np.int64)
        for i in np.flatnonzero(playing):
            own = {k: v if np.ndim(v) == 0 else v[i] for k, v in infos.items() if k != "playing"}
            chosen = self._agents[i].act(observations[i], own)
            actions[i] = self._checked(chosen, (), num_actions, np.bool_(True))
        return actions

    def _checked(
        self, chosen: Any, shape: tuple[int, ...], num_actions: int, playing: Any
    ) -> Shaped[np.ndarray, "..."]:
        """The actions as int64; what are no actions is an `AgentError`."""
        found = np.asarray(chosen)
        if found.dtype.kind not in "iu":
            raise AgentError(
                f"{self.name} chose actions of dtype {found.dtype}; they should be whole numbers"
            )
        if found.shape != shape:
            raise AgentError(f"{self.name} chose actions of shape {found.shape}; it should be {shape}")
        wrong = found[playing & ((found < 0) | (found >= num_actions))]
        if wrong.size:
            raise AgentError(
                f"{self.name} chose action {wrong.flat[0]}; the actions are 0 to {num_actions - 1}"
            )
        return found.astype(np.int64)


class Recorded:
    """The agent that does what was done: `steps[i]` is the actions of world i; after those it does nothing."""

    def __init__(self, steps: list[np.ndarray]) -> None:
        """Lay the actions out step by step."""
        longest = max((len(actions) for actions in steps), default=0)
        self._table = np.zeros((longest, len(steps)), np.int64)
        for i, actions in enumerate(steps):
            self._table[: len(actions), i] = actions

    def begin(self, num_worlds: int, seed: int) -> None:
        """Do nothing: all is known."""

    def act(self, observations: Any, infos: dict[str, Any]) -> Int64[np.ndarray, " worlds"]:
        """The actions of a step."""
        step = infos["step"]
        return self._table[step] if step < len(self._table) else np.zeros(self._table.shape[1], np.int64)
