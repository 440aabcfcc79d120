"""Many worlds as one natively batched Stable-Baselines3 `VecEnv`."""

import time
from typing import Any

import numpy as np
from gymnasium.error import AlreadyPendingCallError, NoAsyncCallError
from gymnasium.spaces import Box, Discrete
from gymnasium.utils import seeding
from jaxtyping import Array

from openworld.adapters.compiled import Shown, learning
from openworld.adapters.copying import Copyable, exclusive
from openworld.adapters.gymnasium import observation_kinds, refusals, seeds
from openworld.adapters.gymnasium.env import OpenWorldEnv, painter
from openworld.adapters.gymnasium.spaces import observation_space
from openworld.adapters.packing import row_type
from openworld.adapters.sb3.decoding import decoder, on_host, rows_of
from openworld.adapters.sb3.shared import Shared, spec_of
from openworld.engine import arguments
from openworld.environment import Environment, State
from openworld.observe.forms import FORMS, OBSERVATIONS
from openworld.registry import known_keywords, make
from openworld.system import cache

#: "human" is not among them: Stable-Baselines3 shows the "rgb_array" itself.
RENDER_MODES = (None, "rgb_array", "ansi")
_KNOWN = (
    *("n_envs", "observation", "seed", "time_limit", "render_mode", "render_scale", "channels_first"),
    "repeat_world",
)


def make_vec_env(  # noqa: PLR0913 (settings are keywords)
    id: str = "OpenWorld-v0",
    n_envs: int = 1,
    *,
    observation: str | None = None,
    seed: int | None = None,
    time_limit: int | None = None,
    render_mode: str | None = None,
    render_scale: int = 3,
    channels_first: bool = True,
    repeat_world: bool = False,
    **unknown: object,
) -> "OpenWorldVecEnv":
    """Return `n_envs` worlds that step together; nothing is compiled before the first reset.

    The default observation is "symbolic"; `observation=` chooses another.

    Args:
        id: the environment's id, as in `openworld.make`.
        observation: "symbolic" (float32, the published layout), "tokens" (uint8, a twentieth of the size; see
            `TokenExtractor`) or "pixels" (uint8); None takes the id's own, "symbolic" where it has none.
        seed: world i begins as `OpenWorldEnv.reset(seed=seed + i)` does; None leaves it to chance.
        time_limit: steps after which an episode is truncated; None takes the rules' own limit.
        render_mode: None, "rgb_array" or "ansi".
        render_scale: screen pixels for each pixel of a tile.
        channels_first: pictures as [3, h, w], which a CnnPolicy reads; otherwise Stable-Baselines3 turns each
            batch of [h, w, 3] round on the host.
        repeat_world: whether every episode of a world is in the same map, instead of a new one each time.
        unknown: refused.

    Example:
        >>> envs = make_vec_env("OpenWorld-Classic-v0", 2, observation="tokens", seed=0)
        >>> envs.reset().shape
        (2, 307)
        >>> obs, rewards, dones, infos = envs.step([0, 1])
        >>> infos[1]["episode_length"]
        1
    """
    known_keywords("make_vec_env", unknown, _KNOWN)
    observation = observation_kinds.chosen(id, observation, OBSERVATIONS)
    env = make(id, observation="tokens", time_limit=time_limit, repeat_world=repeat_world)
    envs = OpenWorldVecEnv(
        env, n_envs, observation, (render_mode, render_scale), channels_first and observation == "pixels"
    )
    if seed is not None:
        envs.seed(seed)
    return envs


class OpenWorldVecEnv(Copyable, Shared):
    """Worlds that step together, made by `make_vec_env`.

    Each info, of every reset (`reset_infos`) and every step, holds `episode_return` (float), `episode_length`
    (int), `achievements` (bool, in the order of `openworld.content.ids.Achievement`), `world_seed` (int64[2])
    and `TimeLimit.truncated` (bool). A world that ends begins its next episode in the same step; its info,
    which is of the episode that ended, then has `terminal_observation` too, and `episode`, as a `Monitor`
    would write it.
    """

    def __init__(
        self,
        env: Environment,
        n_envs: int,
        observation: str,
        rendering: tuple[str | None, int] = (None, 3),
        channels_first: bool = False,
    ) -> None:
        """Describe the environments; `env` shows tokens. No device is touched before the first reset."""
        if env.num_agents != 1:
            raise ValueError(f"{env.id} has {env.num_agents} players: Stable-Baselines3 trains one a world")
        self.render_mode, scale = rendering
        refusals.one_of("render_mode", self.render_mode, RENDER_MODES)
        self.render_scale = refusals.render_scale(scale)
        count = refusals.positive("n_envs", n_envs)
        cache.enable()
        self.jax_env = env
        space = observation_space(env.ruleset, observation)
        if channels_first:
            height, width, colours = FORMS[observation].shape(env.ruleset)
            space = Box(0, 255, (colours, height, width), np.uint8)
        super().__init__(count, space, Discrete(env.num_actions))
        self._shown_as = (observation, channels_first)
        self.metadata["render_fps"] = OpenWorldEnv.metadata["render_fps"]
        self.spec = spec_of(env, observation, rendering)
        self._began = time.time()
        self._state: State | None = None
        self._pending: tuple[Array, Shown] | None = None
        self._tokens: Array | None = None
        self._masks: np.ndarray | None = None
        self._worlds = np.zeros((count, 2), np.int64)  # the seeds of the worlds in hand
        self._closed = False
        self._build()

    _ON_DEVICE = ("_state", "_pending", "_tokens")
    _BUILT = (*Copyable._BUILT, "_decode")

    def _build(self) -> None:
        super()._build()
        self._programs = learning(self.jax_env)
        self._decode = decoder(self.jax_env.ruleset, *self._shown_as)

    @exclusive
    def reset(self) -> np.ndarray:
        """Begin an episode in every world, with the seeds of `seed` and the options of `set_options`.

        Without a seed the next world follows from the last one's; the very first is left to chance.
        """
        refusals.is_open(self._closed, "reset()")
        last = None if self._state is None else np.asarray(self._state.world.seed)
        after = seeds.after(last, self.jax_env.repeat_world)
        words = np.stack([self._words(i, after) for i in range(self.num_envs)])
        self._worlds = words.astype(np.int64)
        self.reset_infos = [self._begun(seed) for seed in self._worlds]
        self._reset_seeds()
        self._reset_options()
        self._tokens, self._state = self._programs.reset(words)
        self._pending = self._masks = None
        return on_host(self._decode(self._tokens))

    def seed(self, seed: int | None = None) -> Any:
        """Seed the next `reset`: world i gets `seed` + i; None leaves it to chance."""
        if seed is not None:
            seed = arguments.whole("seed", seed, 0, 2**32 - 1)
        return super().seed(seed)

    def set_options(self, options: Any = None) -> None:
        """Give options to the next `reset`: a dictionary for all worlds, or a list of one for each."""
        each = options if isinstance(options, list) else [options]
        if len(each) not in (1, self.num_envs) or not all(isinstance(one, dict | None) for one in each):
            wanted = f"a dictionary, or {self.num_envs} in a list, one for each world"
            raise ValueError(f"options must be {wanted}, not {arguments.described(options)}")
        for one in each:
            refusals.reset_options(one, (2,))
        super().set_options(options)

    @exclusive
    def step_async(self, actions: Any) -> None:
        """Begin a step in every world; `actions` are whole numbers, one for each."""
        refusals.is_open(self._closed, "step()")
        chosen = refusals.action_array(actions, self.num_envs, self.jax_env.num_actions)
        refusals.is_running(self._state, "step()")
        if self._pending is not None:
            raise AlreadyPendingCallError("call step_wait() first: a step is under way", "step_async")
        shown, self._state = self._programs.step(self._state, chosen, self._limit, self._again)
        self._pending, self._tokens = (self._decode(shown.tokens), shown), shown.tokens
        self._masks = None

    @exclusive
    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Wait for that step: observations, rewards, which episodes ended, and an info for each world."""
        refusals.is_open(self._closed, "step_wait()")
        if self._pending is None:
            raise NoAsyncCallError("call step_async() before step_wait(): no step is under way", "step_async")
        (obs, shown), self._pending = self._pending, None
        rows = np.asarray(shown.rows).view(row_type(self.jax_env.ruleset, with_mask=False))[:, 0]
        ended = rows["terminated"] | rows["truncated"]
        infos = self._infos(rows)
        if ended.any():
            self._worlds[ended] = rows["world_seed"][ended]
            self._end(shown.final, np.flatnonzero(ended), infos)
        return on_host(obs), rows["reward"].copy(), ended, infos

    @exclusive
    def action_masks(self) -> np.ndarray:
        """Return bool[worlds, actions]: whether an action could do something now."""
        refusals.in_play(self._closed, self._state, "action_masks()")
        if self._masks is None:
            self._masks = np.array(self._programs.action_mask(self._state))
        return self._masks

    def close(self) -> None:
        """Let go of the worlds."""
        self._state = self._pending = self._tokens = self._masks = None
        self._closed = True

    def _call(self, method: str, world: int) -> Any:
        """Call a method of one world."""
        if method == "action_masks":
            return self.action_masks()[world]
        return self._painted(world)

    @exclusive
    def _painted(self, world: int) -> Any:
        """Show one world, as `render_mode` says."""
        refusals.in_play(self._closed, self._state, "render()")
        if self.render_mode is None:
            return None
        tokens = np.asarray(self._tokens)[world]
        return painter(self)(tokens)

    def _checked(self, name: str, value: Any) -> Any:
        """Return a value that all worlds can share, or refuse it."""
        if name == "render_mode":
            refusals.one_of(name, value, RENDER_MODES)
        return refusals.render_scale(value) if name == "render_scale" else value

    def _infos(self, rows: np.ndarray) -> list[dict[str, Any]]:
        """Return the info of each world; what a caller writes into one stays in that one."""
        columns = zip(
            rows["episode_return"].tolist(),
            rows["episode_length"].tolist(),
            rows["achievements"].copy(),
            self._worlds.copy(),
            rows["truncated"].tolist(),
            strict=True,
        )
        # Written out: this is half of what the infos of many worlds cost.
        return [
            {
                "episode_return": paid,
                "episode_length": length,
                "achievements": achievements,
                "world_seed": seed,
                "TimeLimit.truncated": truncated,
            }
            for paid, length, achievements, seed, truncated in columns
        ]

    def _begun(self, seed: np.ndarray) -> dict[str, Any]:
        """Return the info of an episode that has just begun."""
        none = np.zeros(self.jax_env.ruleset.achievements, bool)
        return {
            "episode_return": 0.0,
            "episode_length": 0,
            "achievements": none,
            "world_seed": seed.copy(),
            "TimeLimit.truncated": False,
        }

    def _end(self, tokens: Array, where: np.ndarray, infos: list[dict[str, Any]]) -> None:
        """Add what Stable-Baselines3 looks for where an episode has ended, and begin the next one's info."""
        last = rows_of(self._decode, tokens, where)
        seconds = round(time.time() - self._began, 6)
        for i, obs in zip(where.tolist(), last, strict=True):
            info = infos[i]
            paid = round(info["episode_return"], 6)
            info["episode"] = {"r": paid, "l": info["episode_length"], "t": seconds}
            info["terminal_observation"] = obs
            self.reset_infos[i] = self._begun(self._worlds[i])

    def _words(self, world: int, after: np.ndarray | None) -> np.ndarray:
        """Choose a world's seed: that of its options, one drawn by its number, or the one that follows."""
        held_out, words = refusals.reset_options(self._options[world], (2,))
        if words is not None:
            return words
        number = self._seeds[world]
        if number is None and after is not None:
            return refusals.marked(after[world], held_out)
        return refusals.marked(refusals.draw_words(seeding.np_random(number)[0]), held_out)
