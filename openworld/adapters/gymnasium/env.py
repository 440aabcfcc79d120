"""One world as a `gymnasium.Env`."""

import struct
from typing import Any

import gymnasium
import jax.numpy as jnp
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete

from openworld import cache
from openworld.adapters.gymnasium import checks
from openworld.adapters.gymnasium.programs import HEAD, Packed, solo
from openworld.adapters.gymnasium.spaces import observation_space
from openworld.batch import OBSERVATIONS
from openworld.registry import make
from openworld.render.picture import picture
from openworld.render.terminal import ansi

RENDER_MODES = ["rgb_array", "ansi"]
_KNOWN = ("observation", "time_limit", "render_mode", "render_scale")
#: The numbers before the achievements in a row, for `struct`, and where the achievements begin.
_NUMBERS = struct.Struct("=ffi8x??")
_ACHIEVEMENTS = np.dtype(HEAD).itemsize


class OpenWorldEnv(gymnasium.Env[np.ndarray, np.int64]):
    """One world, one player.

    `reset(seed=...)` always makes the same world; without a seed the next world is drawn from `np_random`.
    `reset(options=...)` takes `held_out=True` (a world set aside for evaluation) and `world_seed=(a, b)` (exactly
    the world whose seed an earlier `info` named).

    `info` holds `episode_return`, `episode_length` and `achievements` (bool, for each that the world's rules have,
    in the order of `openworld.content.ids.Achievement`) of the episode so far, and after `reset` the `world_seed`.
    """

    metadata: dict[str, Any] = {"render_modes": RENDER_MODES, "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        id: str = "OpenWorld-v0",
        *,
        observation: str = "symbolic",
        time_limit: int | None = None,
        render_mode: str | None = None,
        render_scale: int = 3,
        **unknown: object,
    ) -> None:
        """Describe the environment; nothing is compiled before the first reset.

        Args:
            id: which world, as in `openworld.make`.
            observation: "symbolic" (float32, the published layout) or "tokens" (uint8, a twentieth of the size).
            time_limit: steps after which an episode is truncated; None takes the rules' own limit.
            render_mode: None, "rgb_array" or "ansi".
            render_scale: screen pixels for each pixel of a tile.
        """
        checks.known_keywords(id, unknown, _KNOWN)
        checks.one_of("render_mode", render_mode, (None, *RENDER_MODES))
        checks.one_of("observation", observation, OBSERVATIONS)
        cache.enable()
        self.world = make(id, observation="tokens", time_limit=time_limit)
        self.render_mode = render_mode
        self.render_scale = checks.positive("render_scale", render_scale)
        self.action_space = Discrete(self.world.num_actions)
        self.observation_space = observation_space(self.world.ruleset, observation)
        self._programs = solo(self.world, observation)
        self._actions = list(jnp.arange(self.world.num_actions, dtype=jnp.int32)[:, None])
        self._state: Packed | None = None
        self._tokens: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        held_out, words = checks.reset_options(options, (2,))
        if words is None:
            words = checks.draw_words(self.np_random, held_out)
        obs, self._tokens, self._state = self._programs.reset(words[None])
        nothing = np.zeros(self.world.ruleset.achievements, bool)
        info = {"episode_return": 0.0, "episode_length": 0, "achievements": nothing, "world_seed": words}
        return np.array(obs)[0], info

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Play one step."""
        number = checks.action_number(action, len(self._actions))
        if self._state is None:
            raise ResetNeeded("call reset() before step(): no episode is running")
        shown, self._state = self._programs.step(self._state, self._actions[number])
        self._tokens = shown.tokens
        row = np.asarray(shown.rows)
        reward, episode_return, length, terminated, truncated = _NUMBERS.unpack_from(row.data)
        if terminated or truncated:
            self._state = None
        info = {
            "episode_return": episode_return,
            "episode_length": length,
            "achievements": row[0, _ACHIEVEMENTS:].astype(bool),
        }
        return np.array(shown.obs)[0], reward, terminated, truncated, info

    def render(self) -> np.ndarray | str | None:  # type: ignore[override]
        """Show what the player perceives, as `render_mode` says."""
        if self.render_mode is None:
            return None
        if self._tokens is None:
            raise ResetNeeded("call reset() before render(): there is nothing to show yet")
        tokens = np.asarray(self._tokens)[0]
        if self.render_mode == "ansi":
            return ansi(tokens, rules=self.world.ruleset)
        return picture(tokens, self.render_scale, self.world.ruleset)

    def close(self) -> None:
        """Let go of the world."""
        self._state = self._tokens = None
