"""Agents: their two kinds, loading one by its name, and checking its actions.

An `Agent` has `begin` and `act`; NumPy arrays go in and come out, so that it may be
written with any framework. A `JaxPolicy` is a pure function; it is compiled together with the environment and
stays on the device.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import equinox as eqx
import numpy as np
from jaxtyping import Int64, Shaped

#: The observation that is a list of strings, beside the forms of `openworld.make`.
TEXT = "text"
GUIDE = "docs/guides/evaluate.md"


class AgentError(ValueError):
    """An agent that cannot be loaded, or that does not act as an agent should."""


class Agent(Protocol):
    """The methods of an agent that works with NumPy; the three attributes may be left out.

    Attributes:
        observation: "tokens" (the default), "symbolic", "pixels" or "text".
        one_world: the agent sees a single world at a time; then every world has an agent of its own.
        action_masks: `act` needs `infos["action_mask"]`.

    Example:
        >>> import numpy as np
        >>> class Walker:
        ...     def begin(self, num_worlds, seed):
        ...         self.seed = seed
        ...
        ...     def act(self, observations, infos):
        ...         return np.full(len(observations), 1)
        >>> CheckedAgent(Walker).observation
        'tokens'
    """

    def begin(self, num_worlds: int, seed: int) -> None:
        """Begin new episodes, and forget the earlier ones.

        Args:
            num_worlds: how many episodes play side by side.
            seed: for the agent's own random numbers. It is the same however many worlds play side by side. Of
                a `one_world` agent it is already the episode's own.
        """
        ...

    def act(self, observations: Any, infos: dict[str, Any]) -> Any:
        """Choose the next actions.

        An agent that draws random numbers should draw those of a world from (seed, `infos["episode"]`), for
        example with `np.random.default_rng((seed, episode))`. Then its result does not depend on how many
        worlds play side by side.

        Args:
            observations: [worlds, ...], read-only; of text a list of strings.
            infos: "step" (int, steps played so far), "episode" (int64[worlds], the number of each world's
                episode), "reward" (float32[worlds], of the last step), "playing" (bool[worlds], False once a
                world's episode is over) and, if asked for, "action_mask" (bool[worlds, actions], actions with
                an effect).

        Returns:
            Whole numbers [worlds].

        For a `one_world` agent all arrays lack the first axis, there is no "playing", and it returns one
        number.
        """
        ...


class JaxPolicy(Protocol):
    """A pure function that JAX can compile; best an `equinox.Module`, whose arrays are then arguments.

    Attributes:
        observation: "tokens" (the default), "symbolic" or "pixels". May be left out.

    It may have `begin(num_worlds) -> carry`; without it, the carry is None and stays None.
    """

    def __call__(self, carry: Any, keys: Any, observations: Any) -> tuple[Any, Any]:
        """Choose the next actions.

        Args:
            carry: the policy's own memory, a tree of arrays with the worlds first.
            keys: Key[worlds], one JAX key a world. It depends on the agent's seed, the number of the episode
                and the step.
            observations: [worlds, ...].

        Returns:
            The carry and the actions, int[worlds].
        """
        ...


Factory = Callable[[], Any]


@dataclass(frozen=True)
class Entrant:
    """An agent to be judged.

    Attributes:
        name: its name in the result.
        factory: returns a new `Agent` or `JaxPolicy`. It is called once for each world if the agent sees one
            world at a time.
        source: where the agent came from, for the result.
    """

    name: str
    factory: Factory
    source: str = ""


def load(source: str) -> Factory:
    """Return the factory of the agents that `package.module:name` stands for.

    The current folder is searched too.

    Args:
        source: the name of a class or a function that is called without arguments, or of an agent itself.

    Raises:
        AgentError: there is no such module or name.

    Example:
        >>> load("no_such_module:Agent")
        Traceback (most recent call last):
        openworld.judging.agents.AgentError: 'no_such_module:Agent': there is no module 'no_such_module'
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
    return found if callable(found) and not _is_instance(found) else lambda: found


def _is_instance(found: Any) -> bool:
    """True for an agent itself, False for its class or its factory."""
    return not isinstance(found, type) and (_has(found, "act") or isinstance(found, eqx.Module))


def is_jax_policy(agent: Any) -> bool:
    """Return whether an agent is a `JaxPolicy`: something callable without a method `act`.

    Example:
        >>> is_jax_policy(lambda carry, keys, observations: (carry, observations[:, 0]))
        True
    """
    return callable(agent) and not _has(agent, "act")


def _has(agent: Any, method: str) -> bool:
    return callable(getattr(agent, method, None))


class CheckedAgent:
    """An `Agent` whose methods and actions are checked; it hides whether the agent sees one world or many.

    Attributes:
        observation, one_world, action_masks: those of the agent.
    """

    def __init__(self, factory: Factory, name: str = "the agent", first: Any = None) -> None:
        """Make the first agent and check that it has the methods.

        Args:
            name: for error messages.
            first: an agent that the factory has made already.

        Raises:
            AgentError: it lacks a method.
        """
        self.name = name
        self._factory = factory
        self._agents = [factory() if first is None else first]
        agent = self._agents[0]
        for method in ("begin", "act"):
            if not _has(agent, method):
                raise AgentError(
                    f"{name} has no method {method!r}; an agent has begin(num_worlds, seed) and "
                    f"act(observations, infos), see {GUIDE}"
                )
        self.observation = str(getattr(agent, "observation", "tokens"))
        self.one_world = bool(getattr(agent, "one_world", False))
        self.action_masks = bool(getattr(agent, "action_masks", False))

    def begin(self, numbers: Int64[np.ndarray, " worlds"], seed: int) -> None:
        """Begin the episodes of these numbers."""
        if not self.one_world:
            self._agents[0].begin(len(numbers), seed)
            return
        while len(self._agents) < len(numbers):
            made = self._factory()
            if any(made is other for other in self._agents):
                raise AgentError(f"{self.name} sees one world at a time: name its class, not a single agent")
            self._agents.append(made)
        for agent, number in zip(self._agents, numbers, strict=False):
            agent.begin(1, seed + int(number))

    def act(self, observations: Any, infos: dict[str, Any], num_actions: int) -> Int64[np.ndarray, " worlds"]:
        """Return the agent's actions; 0 where `infos["playing"]` is False.

        Raises:
            AgentError: they are not whole numbers of the right shape and range.
        """
        playing = infos["playing"]
        if not self.one_world:
            chosen = self._agents[0].act(observations, infos)
            return np.where(playing, self._checked(chosen, playing, num_actions), 0)
        actions = np.zeros(playing.shape, np.int64)
        for i in np.flatnonzero(playing):
            own = {k: v if np.ndim(v) == 0 else v[i] for k, v in infos.items() if k != "playing"}
            chosen = self._agents[i].act(observations[i], own)
            actions[i] = self._checked(chosen, np.bool_(True), num_actions)
        return actions

    def _checked(
        self, chosen: Any, playing: np.ndarray | np.bool_, num_actions: int
    ) -> Shaped[np.ndarray, "..."]:
        found = np.asarray(chosen)
        check_form(found, playing.shape, self.name)
        check_range(found[playing], num_actions, self.name)
        return found.astype(np.int64)


def check_form(actions: Any, shape: tuple[int, ...], name: str) -> None:
    """Raise an `AgentError` unless actions are whole numbers of a shape.

    Args:
        actions: an array of NumPy or JAX, traced ones too.
    """
    if np.dtype(actions.dtype).kind not in "iu":
        raise AgentError(f"{name} chose actions of dtype {actions.dtype}; they should be whole numbers")
    if actions.shape != shape:
        raise AgentError(f"{name} chose actions of shape {actions.shape}; it should be {shape}")


def check_range(actions: Shaped[np.ndarray, "..."], num_actions: int, name: str) -> None:
    """Raise an `AgentError` unless all actions are 0 to `num_actions` - 1."""
    for wrong in actions[(actions < 0) | (actions >= num_actions)][:1]:
        raise AgentError(f"{name} chose action {wrong}; the actions are 0 to {num_actions - 1}")


class RecordedAgent:
    """An agent that repeats recorded actions, and does nothing after them."""

    def __init__(self, actions: list[np.ndarray]) -> None:
        """Keep the actions, int[steps] of each world."""
        longest = max((len(steps) for steps in actions), default=0)
        self._table = np.zeros((longest, len(actions)), np.int64)
        for i, steps in enumerate(actions):
            self._table[: len(steps), i] = steps

    def begin(self, num_worlds: int, seed: int) -> None:
        """Do nothing: there is nothing to forget."""

    def act(self, observations: Any, infos: dict[str, Any]) -> Int64[np.ndarray, " worlds"]:
        """Return the recorded actions of a step."""
        step = infos["step"]
        return self._table[step] if step < len(self._table) else np.zeros(self._table.shape[1], np.int64)
