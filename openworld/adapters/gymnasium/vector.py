"""Many worlds as one natively batched `gymnasium.vector.VectorEnv`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from openworld import cache
from openworld.adapters.gymnasium import checks
from openworld.adapters.gymnasium.env import RENDER_MODES
from openworld.adapters.gymnasium.programs import batch, row_type
from openworld.adapters.gymnasium.spaces import batched, observation_space
from openworld.batch import OBSERVATIONS, State
from openworld.registry import make
from openworld.render.picture import picture
from openworld.render.terminal import ansi

_KNOWN = ("observation", "time_limit", "render_mode", "render_scale", "max_episode_steps")
#: What `info` tells of every world's episode.
_TOLD = ("episode_return", "episode_length", "achievements")


class OpenWorldVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """`num_envs` worlds that step together.

    Auto-reset is SAME_STEP: a world that ends begins its next episode in the same step. `infos["final_obs"]` and
    `infos["final_info"]` then hold what it last saw and how the episode went, where `infos["_final_obs"]` is set.
    World i of `reset(seed=s)` is the world of `OpenWorldEnv.reset(seed=s + i)`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": RENDER_MODES,
        "render_fps": 10,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(  # noqa: PLR0913 (Gymnasium's way of settings: keywords)
        self,
        num_envs: int = 1,
        id: str = "OpenWorld-v0",
        *,
        observation: str = "symbolic",
        time_limit: int | None = None,
        render_mode: str | None = None,
        render_scale: int = 3,
        max_episode_steps: int | None = None,
        **unknown: object,
    ) -> None:
        """Describe the environments; nothing is compiled before the first reset.

        Args:
            num_envs: how many worlds, at least 1.
            id: which world, as in `openworld.make`.
            observation: "symbolic" (float32, the published layout) or "tokens" (uint8, a twentieth of the size).
            time_limit: steps after which an episode is truncated; None takes the rules' own limit.
            render_mode: None, "rgb_array" or "ansi".
            render_scale: screen pixels for each pixel of a tile.
            max_episode_steps: Gymnasium's name for `time_limit`.
        """
        checks.known_keywords(id, unknown, _KNOWN)
        checks.one_of("render_mode", render_mode, (None, *RENDER_MODES))
        checks.one_of("observation", observation, OBSERVATIONS)
        cache.enable()
        self.num_envs = checks.positive("num_envs", num_envs)
        limit = max_episode_steps if time_limit is None else time_limit
        self.world = make(id, observation="tokens", time_limit=limit)
        self.render_mode = render_mode
        self.render_scale = checks.positive("render_scale", render_scale)
        self.single_action_space = Discrete(self.world.num_actions)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.single_observation_space = observation_space(self.world.ruleset, observation)
        self.observation_space = batched(self.single_observation_space, self.num_envs)
        self._programs = batch(self.world, observation)
        self._row = row_type(self.world.ruleset)
        self._state: State | None = None
        self._tokens: Any = None

    def reset(  # type: ignore[override]
        self,
        *,
        seed: int | Sequence[int | None] | np.ndarray | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode in every world.

        Args:
            seed: one number (world i gets seed + i), one for each world, or None to draw from `np_random`.
            options: as of `OpenWorldEnv.reset`; `world_seed` is one pair for each world.
        """
        held_out, words = checks.reset_options(options, (self.num_envs, 2))
        if words is None:
            words = np.stack([checks.draw_words(random, held_out) for random in self._generators(seed)])
        obs, self._tokens, self._state = self._programs.reset(words)
        told = {
            "episode_return": np.zeros(self.num_envs, np.float32),
            "episode_length": np.zeros(self.num_envs, np.int32),
            "achievements": np.zeros((self.num_envs, self.world.ruleset.achievements), bool),
            "world_seed": words,
        }
        return np.array(obs), _masked(told, np.ones(self.num_envs, bool))

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Play one step in every world."""
        chosen = checks.action_array(actions, self.num_envs, self.world.num_actions)
        if self._state is None:
            raise ResetNeeded("call reset() before step(): no episode is running")
        shown, self._state = self._programs.step(self._state, chosen)
        self._tokens = shown.tokens
        rows = np.asarray(shown.rows).view(self._row)[:, 0]
        terminated, truncated = rows["terminated"].copy(), rows["truncated"].copy()
        told = {name: rows[name].copy() for name in _TOLD}
        ended = terminated | truncated
        infos: dict[str, Any] = {}
        if ended.any():
            infos = self._ended(ended, told, shown.final)
            infos |= _masked(
                {"world_seed": np.where(ended[:, None], rows["world_seed"], np.uint32(0))}, ended
            )
            for values in told.values():
                values[ended] = 0
        infos |= _masked(told, np.ones(self.num_envs, bool))
        return np.array(shown.obs), rows["reward"].copy(), terminated, truncated, infos

    def render(self) -> tuple[np.ndarray | str, ...] | None:  # type: ignore[override]
        """Show every world, as `render_mode` says."""
        if self.render_mode is None:
            return None
        if self._tokens is None:
            raise ResetNeeded("call reset() before render(): there is nothing to show yet")
        rules, tokens = self.world.ruleset, np.asarray(self._tokens)
        if self.render_mode == "ansi":
            return tuple(ansi(row, rules=rules) for row in tokens)
        return tuple(picture(row, self.render_scale, rules) for row in tokens)

    def close_extras(self, **_: Any) -> None:
        """Let go of the worlds."""
        self._state = self._tokens = None

    def _generators(self, seed: int | Sequence[int | None] | np.ndarray | None) -> list[np.random.Generator]:
        """Return what each world's seed is drawn from."""
        if seed is None:
            return [self.np_random] * self.num_envs
        if isinstance(seed, int | np.integer):
            super().reset(seed=int(seed))
            seed = [int(seed) + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"{len(seed)} seeds for {self.num_envs} worlds: give one, or one for each")
        return [self.np_random if s is None else seeding.np_random(int(s))[0] for s in seed]

    def _ended(self, ended: np.ndarray, told: dict[str, np.ndarray], final: Any) -> dict[str, Any]:
        """Tell of the worlds whose episode has ended, in Gymnasium's form."""
        where = np.flatnonzero(ended)
        # Decoded in batches of a power of two, so that few shapes are compiled.
        size = 1 << (len(where) - 1).bit_length()
        last = np.asarray(self._programs.decode(np.asarray(final)[np.resize(where, size)]))[: len(where)]
        final_obs = np.full(self.num_envs, None, object)
        for i, obs in zip(where, last, strict=True):
            final_obs[i] = obs.copy()
        final_info = {name: values.copy() for name, values in told.items()}
        for values in final_info.values():
            values[~ended] = 0
        return _masked({"final_obs": final_obs, "final_info": _masked(final_info, ended)}, ended)


def _masked(values: dict[str, Any], mask: np.ndarray) -> dict[str, Any]:
    """Return values with Gymnasium's `_name` masks beside them."""
    return {**values, **{f"_{name}": mask.copy() for name in values}}
