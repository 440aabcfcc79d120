"""One world with its players as a `pettingzoo.ParallelEnv`."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Box, Discrete, Space
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv

from openworld.adapters.compiled import Shown, coop
from openworld.adapters.copying import Copyable, exclusive
from openworld.adapters.gymnasium import observation_kinds, refusals, seeds, time_limits
from openworld.adapters.gymnasium.spaces import observation_space
from openworld.adapters.packing import info_of, row_type
from openworld.engine.arguments import COOP_ID
from openworld.environment import State
from openworld.registry import known_keywords, make
from openworld.render.ansi import ansi
from openworld.render.picture import picture
from openworld.system import cache

#: "human" prints what "ansi" returns.
RENDER_MODES = ["human", "ansi", "rgb_array"]
#: Players' pictures that stand side by side.
ABREAST = 4
_SETTINGS = ("time_limit", "sharing", "revival", "repeat_world")
_KNOWN = ("num_agents", "observation", "render_mode", "render_scale", "max_cycles", *_SETTINGS)


class CoopEnv(Copyable, ParallelEnv[str, Any, int]):
    """One to eight players, `player_0` and on, in one world of `OpenWorld-Coop-v0` (docs/reference/coop.md).

    The default observation is "symbolic"; `observation=` chooses another.

    All players stay until the episode ends, also those who have fallen. With `revival=False` a player who
    falls is out: terminated.
    `reset(seed=...)` always makes the same world; without a seed the next world follows from the last one's.
    `reset(options=...)` takes `held_out` and `world_seed` as `OpenWorldEnv` does; other options are left
    alone.

    Each player's `info` holds the same fields after every reset and every step: `episode_return` (float),
    `episode_length` (int) and `achievements` (bool) of its episode so far, `action_mask` (int8[actions],
    which actions may do something in the next step), `fallen` (bool) and `world_seed` (int64[2], the two
    32-bit words of the world's seed). `state()` returns all players' tokens.

    Example:
        >>> env = CoopEnv(num_agents=2, observation="tokens")
        >>> observations, infos = env.reset(seed=0)
        >>> actions = {agent: 0 for agent in env.agents}
        >>> observations, rewards, terminations, truncations, infos = env.step(actions)
        >>> sorted(rewards)
        ['player_0', 'player_1']
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "name": "openworld_coop_v0",
        "render_modes": RENDER_MODES,
        "render_fps": 10,
        "is_parallelizable": True,
    }

    def __init__(
        self,
        num_agents: int = 2,
        *,
        observation: str = "symbolic",
        render_mode: str | None = None,
        render_scale: int = 3,
        max_cycles: int | None = None,
        **settings: Any,
    ) -> None:
        """Describe the environment; nothing is compiled and no device touched before the first reset.

        Args:
            observation: "symbolic" (float32), "tokens" (uint8), "pixels" (uint8) or "text".
            render_mode: None, "rgb_array", "ansi" or "human".
            render_scale: screen pixels for each pixel of a tile.
            max_cycles: PettingZoo's name for `time_limit`; of both the smaller one holds.
            settings: `time_limit`, `sharing`, `revival` and `repeat_world`, as `openworld.make` takes them.
        """
        known_keywords("CoopEnv.__init__", [name for name in settings if name not in _SETTINGS], _KNOWN)
        refusals.one_of("render_mode", render_mode, (None, *RENDER_MODES))
        refusals.one_of("observation", observation, observation_kinds.OBSERVATIONS)
        cache.enable()
        players = refusals.positive("num_agents", num_agents)
        settings["time_limit"] = time_limits.smaller(settings.get("time_limit"), max_cycles, "max_cycles")
        self.jax_env = make(COOP_ID, observation="tokens", num_agents=players, **settings)
        self.max_cycles = self.jax_env.time_limit
        self.render_mode, self.render_scale = render_mode, refusals.render_scale(render_scale)
        self.possible_agents = [f"player_{i}" for i in range(players)]
        self.agents: list[str] = []
        rules, self._form = self.jax_env.ruleset, observation
        spaces = {name: observation_space(rules, observation) for name in self.possible_agents}
        self.observation_spaces: dict[str, Space] = dict(spaces)
        self.action_spaces: dict[str, Space] = {
            name: Discrete(self.jax_env.num_actions) for name in self.possible_agents
        }
        self.state_space = Box(0, 255, (players, self.jax_env.layout.size), np.uint8)
        self._random: np.random.Generator | None = None
        self._seed: np.ndarray | None = None
        self._state: State | None = None
        self._shown: Shown | None = None
        self._closed = False
        self._build()

    def _build(self) -> None:
        super()._build()
        self._programs = coop(self.jax_env, observation_kinds.fetched_form(self._form))

    def observation_space(self, agent: str) -> Space:
        """Return the space of a player's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space:
        """Return the space of a player's actions."""
        return self.action_spaces[agent]

    @exclusive
    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Begin an episode."""
        refusals.is_open(self._closed, "reset()")
        known = {name: value for name, value in (options or {}).items() if name in refusals.OPTIONS}
        held_out, words = refusals.reset_options(known, (2,))
        if seed is not None or self._random is None:
            self._random = seeding.np_random(seed)[0]
        if words is None:
            after = seeds.after(self._seed, self.jax_env.repeat_world)
            words = refusals.marked(seeds.one(seed, after, self._random), held_out)
        self._seed, self.agents = words, list(self.possible_agents)
        self._shown, self._state = self._programs.reset(jnp.asarray(words[None]))
        return self._seen()

    @exclusive
    def step(
        self, actions: Any
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play one step: `actions` is a dictionary with one of each of `agents`."""
        refusals.is_open(self._closed, "step()")
        refusals.is_running(self._state if self.agents else None, "step()")
        chosen = self._checked(actions)
        shown, self._state = self._programs.step(self._state, jnp.asarray(chosen[None]), self._limit)
        self._shown = shown
        rows = self._rows()
        terminated, truncated = bool(rows["terminated"][0]), bool(rows["truncated"][0])
        out = self._fallen() & (not self.jax_env.ruleset.revival)
        obs, infos = self._seen()
        at = {name: self.possible_agents.index(name) for name in self.agents}
        ended = {name: bool(terminated or out[i]) for name, i in at.items()}
        cut = {name: truncated and not ended[name] for name in at}
        self.agents = [name for name in at if not (ended[name] or cut[name])]
        return obs, {name: float(rows["reward"][i]) for name, i in at.items()}, ended, cut, infos

    @exclusive
    def state(self) -> np.ndarray:
        """Return what all players perceive, uint8[players, tokens]."""
        refusals.is_running(self._shown, "state()")
        return np.array(self._shown.tokens)  # type: ignore[union-attr]

    def render(self) -> np.ndarray | str | None:
        """Show what each player perceives, as `render_mode` says: pictures side by side, or texts."""
        refusals.is_open(self._closed, "render()")
        if self.render_mode is None:
            return None
        seen, rules = self.state(), self.jax_env.ruleset
        if self.render_mode == "rgb_array":
            frames = [picture(tokens, self.render_scale, rules) for tokens in seen]
            frames += [np.zeros_like(frames[0])] * (-len(frames) % min(len(frames), ABREAST))
            rows = [frames[i : i + ABREAST] for i in range(0, len(frames), ABREAST)]
            return np.concatenate([np.concatenate(row, axis=1) for row in rows])
        parts = (f"{n}\n{ansi(t, rules=rules)}" for n, t in zip(self.possible_agents, seen, strict=True))
        text = "\n".join(parts)
        if self.render_mode == "ansi":
            return text
        print(text)
        return None

    def close(self) -> None:
        """Let go of the world."""
        self._closed, self._state, self._shown, self.agents = True, None, None, []

    def _checked(self, actions: Any) -> np.ndarray:
        """Return int32[players] of a dictionary of actions; who is out does nothing."""
        if not isinstance(actions, Mapping):
            raise ValueError(f"actions must be a dictionary by player, not {type(actions).__name__}")
        for name in actions:
            if name not in self.agents:
                known = "has left" if name in self.possible_agents else "is not a player"
                raise ValueError(f"{name!r} {known}; the players are {', '.join(self.agents)}")
        chosen = np.zeros(len(self.possible_agents), np.int32)
        for name in self.agents:
            if name not in actions:
                raise ValueError(f"no action of {name}: each of {', '.join(self.agents)} needs one")
            try:
                number = refusals.action_number(actions[name], self.jax_env.num_actions)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            chosen[self.possible_agents.index(name)] = number
        return chosen

    def _rows(self) -> np.ndarray:
        """Return the numbers of each player: [players] of `row_type`."""
        assert self._shown is not None
        return np.asarray(self._shown.rows).view(row_type(self.jax_env.ruleset))[:, 0]

    def _fallen(self) -> np.ndarray:
        """Return bool[players]: which players have fallen."""
        assert self._shown is not None
        return np.asarray(self._shown.tokens)[:, self.jax_env.layout["fallen"].offset] > 0

    def _seen(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Return observations and infos of those who play."""
        assert self._shown is not None
        rows, fallen = self._rows(), self._fallen()
        seen = observation_kinds.fetched(self._shown.obs, self._form, self.jax_env.ruleset)
        obs, infos = {}, {}
        for name in self.agents:
            i = self.possible_agents.index(name)
            obs[name] = seen[i]
            infos[name] = {**info_of(rows[i]), "fallen": bool(fallen[i])}
        return obs, infos
