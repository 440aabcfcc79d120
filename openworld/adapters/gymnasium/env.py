"""One world as a `gymnasium.Env`."""

import copy
import struct
from collections.abc import Callable
from functools import cache as cached
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Discrete

from openworld.adapters.compiled import Shown, solo
from openworld.adapters.copying import Copyable, exclusive
from openworld.adapters.gymnasium import observation_kinds, refusals, seeds, time_limits
from openworld.adapters.gymnasium.asynchronous import choose_start_method
from openworld.adapters.gymnasium.holding import Held, held
from openworld.adapters.gymnasium.spaces import observation_space
from openworld.adapters.packing import HEAD, Packed, info_of, row_type
from openworld.registry import known_keywords, listed, make
from openworld.render.ansi import ansi
from openworld.render.event_log import EventLog, LazyEventLog
from openworld.render.human import frame
from openworld.render.picture import picture
from openworld.render.screen import Screen
from openworld.system import cache

#: Of a batch of worlds; one world can be shown in a window as well.
RENDER_MODES = ["rgb_array", "ansi"]
ONE_WORLD = ["human", *RENDER_MODES]
_KNOWN = ("observation", "time_limit", "render_mode", "render_scale", "max_episode_steps", "repeat_world")
#: The numbers before the achievements in a row, for `struct`, and where the achievements begin.
_NUMBERS = struct.Struct("=ffiII??")
_ACHIEVEMENTS = np.dtype(HEAD).itemsize


class OpenWorldEnv(  # type: ignore[reportIncompatibleVariableOverride]
    Copyable, time_limits.Limited, gymnasium.Env[Any, np.int64]
):
    """One world, one player. The default observation is "symbolic"; `observation=` chooses another.

    `reset(seed=...)` always makes the same world. Without a seed the next world follows from the last one's,
    as in a vector environment; the very first is drawn from `np_random`. `reset(options=...)` takes
    `held_out=True` (a world set aside for evaluation, and so are those that follow it) and
    `world_seed=(a, b)` (exactly the world whose seed an earlier `info` named).

    `info` holds the same fields after every reset and every step: `episode_return` (float), `episode_length`
    (int) and `achievements` (bool, for each that the world's rules have, in the order of
    `openworld.content.ids.Achievement`) of the episode so far, `action_mask` (int8[actions], which actions
    would do something in the next step) and `world_seed` (int64[2], the two 32-bit words of the world's
    seed).

    It pickles and copies at any time. A copy continues as the original would; neither changes the other. One
    thread at a time may use it.

    Example:
        >>> env = OpenWorldEnv("OpenWorld-Classic-v0", observation="tokens")
        >>> obs, info = env.reset(seed=0)
        >>> obs, reward, terminated, truncated, info = env.step(0)
        >>> obs.shape, info["episode_length"]
        ((307,), 1)
    """

    metadata: dict[str, Any] = {"render_modes": ONE_WORLD, "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        id: str = "OpenWorld-v0",
        *,
        observation: str | None = None,
        time_limit: int | None = None,
        render_mode: str | None = None,
        render_scale: int = 3,
        repeat_world: bool = False,
        max_episode_steps: int | None = None,
        env_id: str | None = None,
        **unknown: object,
    ) -> None:
        """Describe the environment; nothing is compiled and no device touched before the first reset.

        Args:
            id: the environment's id, as in `openworld.make`.
            observation: "symbolic" (float32, the published layout), "tokens" (uint8, a twentieth of the
                size), "pixels" (uint8, a small picture) or "text" (words); None takes the id's own.
            time_limit: steps after which an episode is truncated; None takes the rules' own limit.
            repeat_world: whether every episode is in the same map, instead of a new one each time.
            render_mode: None, "rgb_array" (a frame with achievements and the last events), "human" (the same
                in a window, after every reset and step; needs pygame-ce) or "ansi".
            render_scale: screen pixels for each pixel of a tile.
            max_episode_steps: Gymnasium's name for `time_limit`; of both the smaller one holds.
            env_id: another name of `id`, as `gymnasium.make` has a parameter `id` itself.
        """
        id = id if env_id is None else env_id
        known_keywords("OpenWorldEnv.__init__", unknown, _KNOWN)
        refusals.one_of("render_mode", render_mode, (None, *ONE_WORLD))
        self._form = observation_kinds.chosen(id, observation)
        cache.enable()
        choose_start_method()
        limit = time_limits.of_one(listed(id).rules.time_limit, time_limit, max_episode_steps)
        self.jax_env = make(id, observation="tokens", time_limit=limit, repeat_world=repeat_world)
        self.render_mode = render_mode
        self.render_scale = refusals.render_scale(render_scale)
        self.action_space = Discrete(self.jax_env.num_actions)
        self.observation_space = observation_space(self.jax_env.ruleset, self._form)
        self._mask_at = _ACHIEVEMENTS + self.jax_env.ruleset.achievements
        self._state: Packed | None = None
        self._shown: Shown | None = None
        self._over = self._closed = False
        self._seed: np.ndarray | None = None
        self._event_log: LazyEventLog | None = None
        self._screen = Screen(f"OpenWorld: {id}", needed=False) if render_mode == "human" else None
        self._build()

    _BUILT = (*Copyable._BUILT, "_actions")

    def _build(self) -> None:
        super()._build()
        self._programs = solo(self.jax_env, observation_kinds.fetched_form(self._form))
        self._actions: list[jax.Array] = []

    def _held(self) -> dict[str, Any]:
        if self._state is None:
            return super()._held()
        return dict(zip(("_shown", "_state"), self._programs.hold(self._state), strict=True))

    @exclusive
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        refusals.is_open(self._closed, "reset()")
        held_out, words = refusals.reset_options(options, (2,))
        super().reset(seed=seed)
        if words is None:
            after = seeds.after(self._seed, self.jax_env.repeat_world)
            words = refusals.marked(seeds.one(seed, after, self.np_random), held_out)
        self._shown, self._state = self._programs.reset(words[None])
        return self._begun()

    @exclusive
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one step."""
        refusals.is_open(self._closed, "step()")
        number = refusals.action_number(action, self.jax_env.num_actions)
        refusals.is_running(None if self._over else self._state, "step()")
        if not self._actions:
            self._actions = on_device(self.jax_env.num_actions)
        shown, self._state = self._programs.step(self._state, self._actions[number], self._limit)
        self._shown = shown
        row = np.asarray(shown.rows)
        reward, episode_return, length, *seed, terminated, truncated = _NUMBERS.unpack_from(row.data)
        self._over = terminated or truncated
        info = {
            "episode_return": episode_return,
            "episode_length": length,
            "achievements": row[0, _ACHIEVEMENTS : self._mask_at].astype(bool),
            "action_mask": row[0, self._mask_at :].astype(np.int8),
            "world_seed": np.array(seed, np.int64),
        }
        if self._event_log is not None:
            end = "terminated" if terminated else "truncated" if truncated else ""
            self._event_log.add(number, np.asarray(shown.tokens)[0], info["achievements"], end)
            self._refresh()
        return self._seen(shown), reward, terminated, truncated, info

    @exclusive
    def action_masks(self) -> np.ndarray:
        """Return bool[actions]: the actions that would do something now. sb3-contrib calls this."""
        refusals.in_play(self._closed, self._shown, "action_masks()")
        assert self._shown is not None
        return np.asarray(self._shown.rows)[0, self._mask_at :].astype(bool)

    @exclusive
    def get_state(self) -> Held:
        """Return a copy of the world, for `set_state` of any environment of the same rules.

        `bytes(...)` of it is what a file can keep.

        It holds all that decides what comes, the worlds of later episodes included, but not `np_random`.
        """
        refusals.in_play(self._closed, self._state, "get_state()")
        _, copied = self._programs.hold(self._state)
        return Held(self.jax_env, copied, np.array([self._over]))

    @exclusive
    def set_state(self, value: Any) -> tuple[Any, dict[str, Any]]:
        """Go on from what `get_state` returned, or its bytes.

        Returns observation and info as `reset` does.
        """
        refusals.is_open(self._closed, "set_state()")
        value = held(self.jax_env, value, 1)
        packed = value.state if isinstance(value.state, Packed) else self._programs.pack(value.state)
        self._shown, self._state = self._programs.hold(packed)
        return self._begun(bool(value.over[0]))

    def clone(self) -> "OpenWorldEnv":
        """Return another environment with the same future, which neither changes in the other."""
        refusals.is_open(self._closed, "clone()")
        return copy.deepcopy(self)

    @exclusive
    def render(self) -> np.ndarray | str | None:  # type: ignore[override]
        """Show what the player perceives, as `render_mode` says."""
        refusals.is_open(self._closed, "render()")
        if self.render_mode is None:
            return None
        refusals.is_running(self._shown, "render()")
        assert self._shown is not None
        if self._event_log is None:
            return ansi(np.asarray(self._shown.tokens)[0], rules=self.jax_env.ruleset)
        if self._screen is None:
            return frame(self._event_log.current(), self.render_scale)
        self._refresh()
        return None

    def close(self) -> None:
        """Let go of the world, and close the window."""
        self._closed = True
        if self._screen is not None:
            self._screen.close()
        self._state = self._shown = None

    def _begun(self, over: bool = False) -> tuple[Any, dict[str, Any]]:
        """Return observation and info of a world that no step has led to."""
        assert self._shown is not None
        self._over = over
        row = np.asarray(self._shown.rows).view(row_type(self.jax_env.ruleset))[0, 0]
        self._seed = row["world_seed"].copy()
        info = info_of(row)
        if self.render_mode in ("human", "rgb_array"):
            tokens = np.asarray(self._shown.tokens)[0]
            self._event_log = LazyEventLog(EventLog.begin(tokens, info["achievements"], self.jax_env.ruleset))
            self._refresh()
        return self._seen(self._shown), info

    def _refresh(self) -> None:
        """Show the moment in the window, if there is one."""
        if self._screen is not None and self._event_log is not None:
            self._screen.show(
                frame(self._event_log.current(), self.render_scale), self.metadata["render_fps"]
            )

    def _seen(self, shown: Shown) -> Any:
        """Return the observation, the caller's own."""
        return observation_kinds.fetched(shown.obs, self._form, self.jax_env.ruleset)[0]


@cached
def on_device(actions: int) -> list[jax.Array]:
    """Return each action as an array that a program takes at no cost: int32[1]."""
    return list(jnp.arange(actions, dtype=jnp.int32)[:, None])


def painter(env: Any) -> Callable[[np.ndarray], Any]:
    """Return how a batch shows the tokens of a world, as its `render_mode` says."""
    if env.render_mode == "ansi":
        return lambda tokens: ansi(tokens, rules=env.jax_env.ruleset)
    return lambda tokens: picture(tokens, env.render_scale, env.jax_env.ruleset)
