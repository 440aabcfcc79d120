"""Recording an episode, and playing a recorded one again, frame by frame."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from openworld.storage.replay.file import MOST_STEPS, Replay, ReplayError, in_shape
from openworld.system import forking

if TYPE_CHECKING:
    from openworld.environment import Environment

#: (carry, key, observations[1, ...]) -> (carry, actions[1]), as `Environment.rollout` has it.
Policy = Callable[[Any, Any, Any], tuple[Any, Any]]


def record(
    env: "Environment",
    policy: Policy,
    seed: int | tuple[int, int] | np.ndarray,
    max_steps: int | None = None,
    *,
    carry: Any = None,
    held_out: bool = False,
) -> Replay:
    """Play one episode and return it.

    Args:
        env: what `openworld.make` returned.
        policy: as for `Environment.rollout`, called once a step; a module is compiled, a function called as
            it is. Of several players it sees observations[1, players, ...] and chooses actions[1, players].
        seed: two words of a world's seed, or a number: then the world of `env.reset(seed, 1)`.
        max_steps: stop there even if the episode goes on; None plays to its end, or to `MOST_STEPS`.
        carry: what the policy is first called with.
        held_out: take a numbered world from those set aside for evaluation.

    Raises:
        ValueError: a setting, or an action that the policy chose, is out of range.

    Example:
        >>> import numpy as np, openworld
        >>> env = openworld.make("OpenWorld-Classic-v0")
        >>> replay = record(env, lambda carry, key, obs: (carry, np.zeros(1, np.int32)), seed=0, max_steps=3)
        >>> replay.actions.tolist(), len(list(frames(replay)))
        ([0, 0, 0], 4)
    """
    most = _most(max_steps)
    plain, ask = _programs(env)
    choose = _compiled(policy)
    tokens, state = _begin(plain, seed, held_out)
    words = np.asarray(state.world.seed)[0]
    digest = hashlib.blake2b(np.asarray(tokens).tobytes(), digest_size=16)
    actions: list[np.ndarray] = []
    total, ended = 0.0, ""
    while not ended and len(actions) < most:
        obs, key = ask(tokens, words, np.int32(len(actions)))
        carry, action = choose(carry, key, obs)
        actions.append(_checked(env, action))
        tokens, state, _, terminated, truncated, info = plain.advance(state, _device(actions[-1], np.int32))
        digest.update(np.asarray(tokens).tobytes())
        total = float(np.mean(info.episode_return[0]))
        ended = "terminated" if terminated[0] else "truncated" if truncated[0] else ""
    return Replay.of(env, words, actions, digest.hexdigest(), total, ended)


@dataclass(frozen=True)
class Moment:
    """One moment of an episode; `players` is 1 in an environment for one player.

    Attributes:
        tokens: uint8[players, tokens].
        places: int[players, 2], row and column on the floor.
        rewards: float32[players], of the step that led here.
        unlocked: bool[players, achievements], so far.
    """

    tokens: np.ndarray
    places: np.ndarray
    rewards: np.ndarray
    unlocked: np.ndarray


def moments(replay: Replay) -> Iterator[Moment]:
    """Play a replay again: yields what was before the first step, and after each.

    After the last the digest, the return and the end are compared; where they differ, a `ReplayError` is
    raised.
    """
    forking.refuse()
    env = replay.env()
    wrong = replay.actions[replay.actions >= env.num_actions]
    if wrong.size:
        raise ReplayError(f"the replay has action {wrong[0]}; the actions are 0 to {env.num_actions - 1}")
    plain, _ = _programs(env)
    tokens, state = plain.reset_seeds(_device([replay.seed], np.uint32))
    digest = hashlib.blake2b(digest_size=16)
    rewards = np.zeros(replay.players, np.float32)
    unlocked = np.zeros((replay.players, env.ruleset.achievements), bool)
    total, ended = 0.0, ""
    for step in range(len(replay.actions) + 1):
        seen = np.array(tokens)
        digest.update(seen.tobytes())
        places = np.array(state.world.player.position[0])
        yield Moment(seen.reshape(replay.players, -1), places, rewards, unlocked)
        if step < len(replay.actions):
            action = _device(replay.actions[step : step + 1], np.int32)
            tokens, state, reward, terminated, truncated, info = plain.advance(state, action)
            rewards = np.array(reward).reshape(replay.players)
            unlocked = np.array(info.achievements).reshape(unlocked.shape)
            total = float(np.mean(info.episode_return[0]))
            ended = "terminated" if terminated[0] else "truncated" if truncated[0] else ""
    same = abs(total - replay.episode_return) < 1e-3 and ended == replay.ended
    if digest.hexdigest() != replay.digest or not same:
        raise ReplayError("the replay does not play as it was recorded: the file or the rules have changed")


def frames(replay: Replay) -> Iterator[np.ndarray]:
    """Play a replay again; yields the tokens of each observation, uint8[tokens] or [players, tokens]."""
    for moment in moments(replay):
        yield moment.tokens[0] if replay.players == 1 else moment.tokens


def _most(max_steps: int | None) -> int:
    """Return the steps after which recording stops."""
    if max_steps is not None and max_steps < 0:
        raise ValueError(f"max_steps must be at least 0, not {max_steps}")
    return MOST_STEPS if max_steps is None else min(max_steps, MOST_STEPS)


def _begin(env: "Environment", seed: int | tuple[int, int] | np.ndarray, held_out: bool) -> tuple[Any, Any]:
    """Make the one world of a seed."""
    if isinstance(seed, int | np.integer):
        return env.reset(int(seed), 1, held_out=held_out)
    words = np.asarray(seed)
    if words.shape != (2,) or words.dtype.kind not in "iu" or words.min() < 0 or words.max() >= 2**32:
        raise ValueError(f"a world's seed is a number or two 32-bit words, not {seed!r}")
    return env.reset_seeds(_device(words[None], np.uint32))


def _checked(env: "Environment", chosen: Any) -> np.ndarray:
    """Return the actions that a policy chose as a replay has those of one step, or refuse them."""
    action = np.asarray(chosen).reshape(env.num_agents)
    for wrong in action[(action < 0) | (action >= env.num_actions)].tolist():
        raise ValueError(f"the policy chose action {wrong}; the actions are 0 to {env.num_actions - 1}")
    return in_shape(action, env.num_agents)


def _compiled(policy: Any) -> Policy:
    import equinox as eqx

    if not isinstance(policy, eqx.Module):
        return policy
    compiled: Any = eqx.filter_jit
    return compiled(policy)


def _device(values: Any, dtype: type) -> Any:
    import jax.numpy as jnp

    return jnp.asarray(np.asarray(values, dtype))


def _programs(env: "Environment") -> tuple["Environment", Callable[..., Any]]:
    """Return the same environment with tokens, and the function that makes a policy's arguments."""
    return replace(env, observation="tokens"), _policy_arguments(env.canonical)


@lru_cache(maxsize=16)
def _policy_arguments(env: "Environment") -> Callable[..., Any]:
    """Return the compiled function of tokens, seed and step to observation and key."""
    import jax

    def arguments(tokens: Any, words: Any, step: Any) -> tuple[Any, Any]:
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(0), words[0]), words[1])
        return env.decode(tokens), jax.random.fold_in(key, step)

    return jax.jit(arguments)
