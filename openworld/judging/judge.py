"""Judge an agent: play a protocol's episodes, sum them up, and make the result."""

from typing import Any

from openworld import registry
from openworld.bench import machine
from openworld.judging import schema
from openworld.judging.agents import AgentError, Entrant, Seat
from openworld.judging.numbers import numbers
from openworld.judging.play import Episodes, Say, play
from openworld.judging.protocols import Protocol
from openworld.judging.result import Result
from openworld.system.foreign_text import plain

#: Worlds that agents which see one at a time play together: each has an agent of its own.
ONE_BY_ONE = 100


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
        episodes: how many of the protocol's to play, for a trial; its result is not one of the protocol.
        at_once: worlds that play together (default: all, or 100 for agents that see one at a time).
        say: told now and then how far it is.

    Raises:
        ValueError: where a number is out of its range, or the agent's name or source is none that a file can have.
    """
    protocol.check_rules()
    count = protocol.episodes if episodes is None else episodes
    if not 1 <= count <= protocol.episodes:
        raise ValueError(f"protocol {protocol.name!r} has 1 to {protocol.episodes} episodes, not {count}")
    if at_once is not None and at_once < 1:
        raise ValueError(f"at least one world plays at once, not {at_once}")
    seeds = protocol.seeds()[:count]
    seat = Seat(entrant.factory, entrant.source or entrant.name)
    agent = _described(entrant, seat)
    size = min(at_once or (ONE_BY_ONE if seat.one_world else count), count)
    world = registry.make(protocol.world, observation="tokens", time_limit=protocol.time_limit)
    played = play(world, seeds, seat, at_once=size, agent_seed=protocol.agent_seed, say=say)
    return Result(
        protocol=protocol.settings(),
        agent=agent,
        made={**machine.facts(), **_speed(played), "worlds_at_once": size},
        numbers=numbers(played, protocol),
        seeds=seeds,
        episodes=played,
    )


def _described(entrant: Entrant, seat: Seat) -> dict[str, Any]:
    """What the result says of the agent; refused before anything is played where it could not be kept."""
    found = {
        "name": entrant.name,
        "source": entrant.source,
        "observation": seat.observation,
        "one_world": seat.one_world,
        "action_masks": seat.action_masks,
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


def told(result: Result) -> list[str]:
    """The most important numbers, in lines."""
    found, protocol = result.numbers, result.protocol
    steps = result.made.get("steps_per_second")
    lines = [
        f"{plain(result.agent['name'])}: {found['episodes']} episodes of {plain(protocol['name'])}, 95 % intervals",
        f"return       {shown(found['return']['mean'])}, {shown(found['share']['mean'], 100.0)} % of the most",
        f"middle half  {shown(found['return']['iqm'])}, {shown(found['share']['iqm'], 100.0)} % (interquartile)",
        f"score        {shown(found['score'])} (geometric mean of the rates in percent)",
        f"length       {shown(found['length'], digits=0)}; {found['ended']['truncated']} cut by the limit",
        f"speed        {steps:,.0f} steps/s" if isinstance(steps, int | float) else "",
    ]
    rates = sorted(found["achievements"].items(), key=lambda item: -item[1]["value"])
    lines += [
        f"  {100 * rate['value']:5.1f} %  {plain(name.replace('_', ' '))}"
        for name, rate in rates
        if rate["value"]
    ]
    return [line for line in lines if line]


def shown(estimate: dict[str, float], scale: float = 1.0, digits: int = 2) -> str:
    """An estimate as "value (low to high)"."""
    value, low, high = (scale * estimate[name] for name in ("value", "low", "high"))
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
