"""Judge an agent: play a protocol's episodes, compute the statistics, and make the result."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from openworld import registry
from openworld.judging import schema
from openworld.judging.agents import AgentError, CheckedAgent, Entrant, is_jax_policy
from openworld.judging.episodes import play
from openworld.judging.protocols import Protocol
from openworld.judging.record import Episodes
from openworld.judging.result import Result
from openworld.judging.statistics import numbers
from openworld.judging.summary import summary
from openworld.judging.trace import Say, now_and_then
from openworld.system import provenance
from openworld.system.foreign_text import plain

#: Worlds that play side by side if the agent sees one at a time: each has an agent of its own.
WORLDS_OF_SINGLE_AGENTS = 100


def judge(
    entrant: Entrant,
    protocol: Protocol,
    *,
    episodes: int | None = None,
    at_once: int | None = None,
    say: Say = lambda _: None,
) -> Result:
    """Play a protocol's episodes with an agent.

    Args:
        entrant: the agent.
        protocol: the episodes and the settings of the statistics.
        episodes: how many of the protocol's episodes to play, for a trial; None for all.
        at_once: worlds that play side by side; None for all, or for 100 if the agent sees one at a time.
        say: receives a line about the progress now and then.

    Raises:
        ValueError: a number is out of its range, or a result's file cannot hold the agent's name or source.
        AgentError: it is not an agent, or does not act as one.
        ProtocolError: this version cannot play the protocol.

    Example:
        >>> from openworld.judging.protocols import protocol
        >>> import jax.numpy as jnp
        >>> idle = lambda carry, keys, tokens: (carry, jnp.zeros(len(tokens), jnp.int32))
        >>> result = judge(Entrant("idle", lambda: idle), protocol("openworld-classic-v0-2026"), episodes=2)
        >>> result.numbers["episodes"]
        2
    """
    entry = entry_of(entrant, protocol, episodes=episodes, at_once=at_once)
    played = play_entry(entry, say=say)
    return Result(
        protocol=protocol.settings(),
        agent=entry.described,
        made={**provenance.facts(), **speed(played), "worlds_at_once": entry.at_once},
        numbers=numbers(played, protocol.scale),
        seeds=entry.seeds,
        episodes=played,
    )


@dataclass(frozen=True)
class Entry:
    """An agent that is ready to play a protocol.

    Attributes:
        agent: a `CheckedAgent` or a `JaxPolicy`.
        described: its entries in the result.
        protocol: the episodes.
        seeds: uint32[episodes, 2], of the episodes that it plays.
        at_once: worlds that play side by side.
    """

    agent: Any
    described: dict[str, Any]
    protocol: Protocol
    seeds: np.ndarray
    at_once: int


def entry_of(
    entrant: Entrant, protocol: Protocol, *, episodes: int | None = None, at_once: int | None = None
) -> Entry:
    """Check all that can be checked before play, and make the agent; arguments and errors are `judge`'s."""
    protocol.check_rules()
    count = protocol.episodes if episodes is None else episodes
    if not 1 <= count <= protocol.episodes:
        raise ValueError(f"protocol {protocol.name!r} has 1 to {protocol.episodes} episodes, not {count}")
    if at_once is not None and at_once < 1:
        raise ValueError(f"at least one world plays at once, not {at_once}")
    seeds = protocol.seeds()[:count]
    agent = entrant.factory()
    if not is_jax_policy(agent):
        agent = CheckedAgent(entrant.factory, entrant.source or entrant.name, agent)
    described = _described(entrant, agent)
    size = min(at_once or (WORLDS_OF_SINGLE_AGENTS if described["one_world"] else count), count)
    return Entry(agent, described, protocol, seeds, size)


def play_entry(
    entry: Entry, *, env: Any = None, keep_steps: bool = True, say: Say = lambda _: None
) -> Episodes:
    """Play an entry's episodes.

    Args:
        env: where; None is the protocol's own environment.
        keep_steps: record actions and digests; see `episodes.play`.
        say: receives a line about the progress now and then.
    """
    protocol = entry.protocol
    if env is None:
        env = registry.make(protocol.world, observation="tokens", time_limit=protocol.time_limit)
    return play(
        env,
        entry.seeds,
        entry.agent,
        at_once=entry.at_once,
        agent_seed=protocol.agent_seed,
        keep_steps=keep_steps,
        report=now_and_then(say),
    )


def _described(entrant: Entrant, agent: Any) -> dict[str, Any]:
    """The agent's entries in the result; an error here comes before anything is played."""
    found = {
        "name": entrant.name,
        "source": entrant.source,
        "observation": str(getattr(agent, "observation", "tokens")),
        "one_world": isinstance(agent, CheckedAgent) and agent.one_world,
        "action_masks": isinstance(agent, CheckedAgent) and agent.action_masks,
    }
    try:
        return schema.of(schema.Agent, found).model_dump()
    except schema.SchemaError as error:
        raise AgentError(f"the agent's {error}") from None


def speed(played: Episodes) -> dict[str, float]:
    """Return how long the play took, and its steps per second."""
    seconds = played.seconds
    return {
        "seconds": round(seconds, 3),
        "steps_per_second": round(played.timed_steps / seconds, 1) if seconds > 0 else 0.0,
    }


def lines(result: Result) -> list[str]:
    """Return the most important numbers of a result, as lines to print."""
    name, found = plain(result.agent["name"]), result.numbers
    title = f"{name}: {found['episodes']} episodes of {plain(result.protocol['name'])}, 95 % intervals"
    steps = result.made.get("steps_per_second")
    speed = [f"{steps:,.0f} steps/s"] if isinstance(steps, int | float) else []
    return [*summary(title, {name: found}), *speed]
