"""Judge an agent: play a protocol's episodes, compute the statistics, and make the result."""

from typing import Any

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
        AgentError: it is no agent, or does not act as one.
        ProtocolError: this version cannot play the protocol.

    Example:
        >>> from openworld.judging.protocols import protocol
        >>> import jax.numpy as jnp
        >>> idle = lambda carry, keys, tokens: (carry, jnp.zeros(len(tokens), jnp.int32))
        >>> result = judge(Entrant("idle", lambda: idle), protocol("openworld-classic-v0-2026"), episodes=2)
        >>> result.numbers["episodes"]
        2
    """
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
    env = registry.make(protocol.world, observation="tokens", time_limit=protocol.time_limit)
    report = now_and_then(say)
    played = play(env, seeds, agent, at_once=size, agent_seed=protocol.agent_seed, report=report)
    return Result(
        protocol=protocol.settings(),
        agent=described,
        made={**provenance.facts(), **_speed(played), "worlds_at_once": size},
        numbers=numbers(played, protocol.scale),
        seeds=seeds,
        episodes=played,
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


def _speed(played: Episodes) -> dict[str, float]:
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
