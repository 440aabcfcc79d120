"""Play the first episode of each world and record it.

An `Agent` plays on the host. A `JaxPolicy` plays on the device, many steps in one loop.

All worlds of a batch play side by side. A world whose episode is over waits until the last one is, so that
long episodes count as much as short ones. From then on its record is frozen.

An agent's random numbers are derived from its seed and the number of the episode. So an episode is the same
whatever plays beside it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32, Key, Shaped, UInt8, UInt32

from openworld.content.rulesets import Ruleset
from openworld.core.random import key_words
from openworld.engine.programs import KEPT, shared
from openworld.environment import Environment
from openworld.judging.agents import TEXT, AgentError, CheckedAgent, RecordedAgent, check_form, check_range
from openworld.judging.record import Episodes, Record, after_step, frozen, new_record
from openworld.judging.trace import Progress, Report, Stopwatch, Trace
from openworld.observe.forms import FORMS

#: Steps that a JAX policy plays between two looks at how many episodes have ended.
STEPS_BETWEEN_LOOKS = 100


def play(
    env: Any,
    seeds: UInt32[np.ndarray, "episodes 2"],
    agent: Any,
    *,
    at_once: int | None = None,
    agent_seed: int = 0,
    max_steps: int | None = None,
    keep_steps: bool = True,
    report: Report = lambda share, text: None,
) -> Episodes:
    """Play the first episode of each seed's world.

    Args:
        env: an `Environment` of one player that emits tokens, or a `PeerGame` of `openworld.judging.peer`.
            A `JaxPolicy` plays whatever has its `reset_seeds` and `advance`, and a `ruleset` or
            `achievement_names`.
        agent: a `CheckedAgent`, played on the host, or a `JaxPolicy`, played on the device.
        at_once: worlds that play side by side; None for all. No episode depends on it, unless the agent's
            random numbers do.
        agent_seed: for the agent's own random numbers.
        max_steps: episodes longer than this are stopped; None plays them to their ends.
        keep_steps: record actions and digests. Without it a `JaxPolicy` sends nothing to the host but sums.
        report: receives the progress.

    Example:
        >>> import jax.numpy as jnp
        >>> import openworld
        >>> from openworld.judging.protocols import held_out_seeds
        >>> env, seeds = openworld.make("OpenWorld-Classic-v0"), held_out_seeds(2026, 4)
        >>> idle = lambda carry, keys, tokens: (carry, jnp.zeros(len(tokens), jnp.int32))
        >>> play(env, seeds, idle, at_once=2, max_steps=10).lengths.tolist()
        [10, 10, 10, 10]
    """
    size = min(at_once or len(seeds), len(seeds))
    one = _on_host if isinstance(agent, CheckedAgent) else partial(_on_device, keep_steps=keep_steps)
    parts = []
    for batch in _batches(seeds, size):
        progress = Progress(report, len(seeds), int(batch.numbers[0]), batch.count, max_steps)
        parts.append(one(env, batch, agent, agent_seed, progress))
    return Episodes.joined(parts)


def play_again(
    env: Environment,
    seeds: UInt32[np.ndarray, "episodes 2"],
    actions: list[np.ndarray],
    *,
    at_once: int,
    report: Report = lambda share, text: None,
) -> Episodes:
    """Play recorded actions.

    An episode that does not end as recorded is stopped after the longest recorded episode of its batch.

    Args:
        actions: int[steps] of each episode.
        at_once: worlds that play side by side.
    """
    parts = []
    for batch in _batches(seeds, at_once):
        first = int(batch.numbers[0])
        part = actions[first : first + batch.count]
        padded = part + [np.zeros(0, np.uint8)] * (at_once - len(part))
        agent = CheckedAgent(lambda padded=padded: RecordedAgent(padded), "the record")
        longest = max(len(steps) for steps in part)
        progress = Progress(report, len(seeds), first, batch.count, longest)
        parts.append(_on_host(env, batch, agent, 0, progress))
    return Episodes.joined(parts)


@dataclass(frozen=True)
class _Batch:
    """Worlds that play side by side; those after the first `count` fill the batch and are over at once."""

    seeds: np.ndarray
    numbers: np.ndarray  # int64[worlds], of the episodes
    count: int

    @property
    def playing(self) -> np.ndarray:
        return np.arange(len(self.seeds)) < self.count


def _batches(seeds: np.ndarray, size: int) -> Iterator[_Batch]:
    for first in range(0, len(seeds), size):
        part = seeds[first : first + size]
        filled = np.concatenate([part, np.repeat(part[:1], size - len(part), axis=0)])
        yield _Batch(filled, first + np.arange(size), len(part))


# --- on the host: the tokens, the rewards and who still plays come from the device after each step ----------


def _on_host(env: Any, batch: _Batch, agent: CheckedAgent, agent_seed: int, progress: Progress) -> Episodes:
    """Play a batch with an agent that works with NumPy."""
    begin, turn = _host_programs(env)
    limit, playing, size = np.int32(env.time_limit), batch.playing, len(batch.seeds)
    tokens, state, record = begin(jnp.asarray(batch.seeds), jnp.asarray(~playing))
    show = host_view(agent.observation, env.ruleset)
    masks = _masks(env) if agent.action_masks else None
    trace, watch, reward = Trace(size), Stopwatch(), np.zeros(size, np.float32)
    agent.begin(batch.numbers, agent_seed)
    trace.see(np.asarray(tokens), playing)
    while playing.any() and (progress.max_steps is None or trace.steps < progress.max_steps):
        infos = {"step": trace.steps, "episode": batch.numbers, "reward": reward, "playing": playing}
        if masks is not None:
            infos["action_mask"] = np.asarray(masks(state))
        actions = agent.act(show(tokens), infos, env.num_actions)
        tokens, reward, state, record = turn(state, record, jnp.asarray(actions, jnp.int32), limit)
        trace.act(actions)
        # The last observation of an episode counts too: who played before the step sees what followed.
        trace.see(np.asarray(tokens), playing)
        reward, playing = np.asarray(reward), ~np.asarray(record.terminated | record.truncated)
        watch.look()
        watch.start(skipped=1)  # the first step may compile
        progress.at(trace.steps, batch.count - int(playing.sum()))
    return frozen(env, record, trace, watch, batch.count)


@shared
def _host_programs(env: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compile the beginning of episodes, and one step of all worlds with its record."""

    def begin(seeds: Array, over: Array) -> tuple[Array, Any, Record]:
        return *env.reset_seeds(seeds), new_record(over, env.ruleset.achievements)

    def turn(state: Any, record: Record, actions: Array, limit: Array) -> tuple[Array, Array, Any, Record]:
        after = env.advance(state, actions, time_limit=limit)
        tokens, state, reward, terminated, truncated, info = after
        reward = jnp.where(record.over, 0, reward)
        return tokens, reward, state, after_step(record, info, terminated, truncated)

    return jax.jit(begin), jax.jit(turn, donate_argnums=(0, 1))


@lru_cache(maxsize=KEPT)
def host_view(observation: str, rules: Ruleset) -> Callable[[Array], Any]:
    """Return the function from tokens to an agent's observations in NumPy."""
    if observation == "tokens":
        return np.asarray
    if observation == TEXT:
        from openworld.observe.text import text

        return lambda tokens: [text(row, rules) for row in np.asarray(tokens)]
    decode = jax.jit(device_view(observation, rules, (*FORMS, TEXT)))
    return lambda tokens: np.asarray(decode(tokens))


@shared
def _masks(env: Environment) -> Callable[[Any], Array]:
    return jax.jit(env.action_mask)


# --- on the device: many steps in one loop, with the policy in it -------------------------------------------


class _Play(eqx.Module):
    """A batch of worlds in play."""

    tokens: Shaped[Array, "worlds *shape"]
    state: Any
    record: Record
    keys: Key[Array, " worlds"]  # of each episode's random numbers
    carry: Any  # of the policy


class _Steps(eqx.Module):
    """The steps of one loop, as far as they are kept: the actions, and the tokens after each."""

    actions: Int32[Array, "steps worlds"]
    tokens: UInt8[Array, "steps worlds tokens"]


def _on_device(
    env: Any, batch: _Batch, policy: Any, agent_seed: int, progress: Progress, *, keep_steps: bool
) -> Episodes:
    """Play a batch with a JAX policy."""
    size, watch, trace = len(batch.seeds), Stopwatch(), Trace(len(batch.seeds)) if keep_steps else None
    look, most, name = STEPS_BETWEEN_LOOKS, progress.max_steps, "the policy"
    begin, loop = _device_programs(env, getattr(policy, "observation", "tokens"), look if keep_steps else 0)
    carry = policy.begin(size) if hasattr(policy, "begin") else None
    # A function is a constant of the program; the arrays of a module are its arguments.
    policy = policy if isinstance(policy, eqx.Module) else jax.tree_util.Partial(policy)
    progress.report(progress.before / progress.total, "compiling")
    words = np.asarray(key_words(agent_seed))
    now = begin(batch.seeds, ~batch.playing, batch.numbers.astype(np.uint32), words, carry)
    if trace:
        trace.see(np.asarray(now.tokens), batch.playing)
    now, _ = loop(policy, now, np.int32(0), np.int32(0))  # plays nothing, but compiles
    watch.start()
    step, playing = 0, batch.playing
    while playing.any() and (most is None or step < most):
        first, step = step, step + look if most is None else min(step + look, most)
        now, steps = loop(policy, now, np.int32(first), np.int32(step))
        playing = ~np.array(now.record.over)
        if trace and steps is not None:
            lengths, count = np.array(now.record.lengths), step - first
            actions = np.asarray(steps.actions)[:count]
            check_range(actions[np.arange(first, step)[:, None] < lengths], env.num_actions, name)
            trace.add(actions, np.asarray(steps.tokens)[:count], lengths)
        watch.look()
        progress.at(step, batch.count - int(playing.sum()))
    return frozen(env, now.record, trace, watch, batch.count)


@lru_cache(maxsize=KEPT)
def _device_programs(
    env: Any, observation: str, kept: int
) -> tuple[Callable[..., _Play], Callable[..., tuple[_Play, _Steps | None]]]:
    """Compile the beginning of episodes, and a loop of steps.

    Args:
        observation: what the policy sees.
        kept: the most steps of a loop, of which each is kept; 0 keeps none.
    """
    show = device_view(observation, getattr(env, "ruleset", None), tuple(FORMS))
    names = getattr(env, "achievement_names", None)
    achievements = len(names) if names is not None else env.ruleset.achievements

    def begin(seeds: Array, over: Array, numbers: Array, words: Array, carry: Any) -> _Play:
        tokens, state = env.reset_seeds(seeds)
        key = jax.random.wrap_key_data(words, impl="threefry2x32")
        keys = jax.vmap(jax.random.fold_in, (None, 0))(key, numbers)
        return _Play(tokens, state, new_record(over, achievements), keys, carry)

    def play_steps(policy: Any, now: _Play, first: Array, last: Array) -> tuple[_Play, _Steps | None]:
        worlds = now.record.lengths.shape[0]
        steps = None
        if kept:
            shown = jnp.zeros((kept, *now.tokens.shape), now.tokens.dtype)
            steps = _Steps(jnp.zeros((kept, worlds), jnp.int32), shown)

        def body(at: tuple[Array, _Play, _Steps | None]) -> tuple[Array, _Play, _Steps | None]:
            step, now, steps = at
            keys = jax.vmap(jax.random.fold_in, (0, None))(now.keys, step)
            carry, actions = policy(now.carry, keys, show(now.tokens))
            check_form(actions, (worlds,), "the policy")
            tokens, state, _, terminated, truncated, info = env.advance(now.state, actions)
            if steps is not None:
                row = step - first
                actions = actions.astype(jnp.int32)
                steps = _Steps(steps.actions.at[row].set(actions), steps.tokens.at[row].set(tokens))
            record = after_step(now.record, info, terminated, truncated)
            return step + 1, _Play(tokens, state, record, now.keys, carry), steps

        def unfinished(at: tuple[Array, _Play, _Steps | None]) -> Array:
            return (at[0] < last) & ~jnp.all(at[1].record.over)

        return jax.lax.while_loop(unfinished, body, (first, now, steps))[1:]

    return jax.jit(begin), jax.jit(play_steps, donate_argnums=1)


def device_view(
    observation: str, rules: Ruleset | None, known: tuple[str, ...] = tuple(FORMS)
) -> Callable[[Array], Array]:
    """Return the function from tokens to a form of observation; jittable."""
    if observation == "tokens":
        return lambda tokens: tokens
    if observation not in FORMS or rules is None:
        raise AgentError(f"observation {observation!r} is not one of {', '.join(known)}")
    return lambda tokens: FORMS[observation].decode(tokens, rules)
