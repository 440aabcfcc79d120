"""Many worlds as one natively batched `gymnasium.vector.VectorEnv`."""

import copy
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, VectorEnv

from openworld.adapters.compiled import Shown, batch
from openworld.adapters.copying import Copyable, exclusive
from openworld.adapters.gymnasium import autoreset, observation_kinds, refusals, seeds, time_limits
from openworld.adapters.gymnasium.env import RENDER_MODES, painter
from openworld.adapters.gymnasium.holding import Held, held
from openworld.adapters.gymnasium.spaces import batched, batched_actions, observation_space
from openworld.adapters.packing import row_type
from openworld.environment import State
from openworld.registry import known_keywords, listed, make
from openworld.system import cache

_KNOWN = (
    *("observation", "autoreset_mode", "time_limit", "render_mode", "render_scale", "max_episode_steps"),
    "repeat_world",
)


class OpenWorldVectorEnv(  # type: ignore[reportIncompatibleVariableOverride]
    Copyable, time_limits.Limited, VectorEnv[Any, np.ndarray, np.ndarray]
):
    """`num_envs` worlds that step together.

    The default observation is "symbolic"; `observation=` chooses another.

    `autoreset_mode` says when a world that ended begins its next episode: in the next step, whose action it
    ignores (NEXT_STEP, the default, as Gymnasium's own), in the same step (SAME_STEP; `infos["final_obs"]`
    and `infos["final_info"]` then hold its last observation and info, where `infos["_final_obs"]` is set), or
    when `reset(options={"reset_mask": ...})` asks for it (DISABLED). The fields of `infos` are those of
    `OpenWorldEnv`, after every reset and every step. World i of `reset(seed=s)` is the world of
    `OpenWorldEnv.reset(seed=s + i)`, and so are all worlds that follow it.

    Example:
        >>> envs = OpenWorldVectorEnv(2, "OpenWorld-Classic-v0", observation="tokens")
        >>> obs, infos = envs.reset(seed=0)
        >>> obs, rewards, terminated, truncated, infos = envs.step([0, 1])
        >>> obs.shape, infos["action_mask"].shape
        ((2, 307), (2, 17))
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": RENDER_MODES,
        "render_fps": 10,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(  # noqa: PLR0913 (Gymnasium's way of settings: keywords)
        self,
        num_envs: int = 1,
        id: str = "OpenWorld-v0",
        *,
        observation: str | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        time_limit: int | None = None,
        render_mode: str | None = None,
        render_scale: int = 3,
        max_episode_steps: int | None = None,
        repeat_world: bool = False,
        env_id: str | None = None,
        **unknown: object,
    ) -> None:
        """Describe the environments; nothing is compiled and no device touched before the first reset.

        Args:
            num_envs: how many worlds, at least 1.
            id: the environment's id, as in `openworld.make`.
            observation: as of `OpenWorldEnv`.
            autoreset_mode: Gymnasium's, or its value: "SameStep", "NextStep" or "Disabled".
            time_limit: steps after which an episode is truncated; None takes the rules' own limit.
            repeat_world: whether every episode is in the same map, instead of a new one each time.
            render_mode: None, "rgb_array" or "ansi".
            render_scale: screen pixels for each pixel of a tile.
            max_episode_steps: Gymnasium's name for `time_limit`; of both the smaller one holds.
            env_id: another name of `id`, as `gymnasium.make_vec` has a parameter `id` itself.
        """
        id = id if env_id is None else env_id
        known_keywords("OpenWorldVectorEnv.__init__", unknown, _KNOWN)
        refusals.one_of("render_mode", render_mode, (None, *RENDER_MODES))
        self._form = observation_kinds.chosen(id, observation)
        self.autoreset_mode = autoreset.mode_of(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        cache.enable()
        self.num_envs = refusals.positive("num_envs", num_envs)
        limit = time_limits.of_many(listed(id).rules.time_limit, time_limit, max_episode_steps)
        self.jax_env = make(id, observation="tokens", time_limit=limit, repeat_world=repeat_world)
        self.render_mode = render_mode
        self.render_scale = refusals.render_scale(render_scale)
        self.single_action_space = Discrete(self.jax_env.num_actions)
        self.action_space = batched_actions(self.single_action_space, self.num_envs)
        self.single_observation_space = observation_space(self.jax_env.ruleset, self._form)
        self.observation_space = batched(self.single_observation_space, self.num_envs)
        self._row = row_type(self.jax_env.ruleset)
        self._state: State | None = None
        self._tokens: Any = None
        self._over = np.zeros(self.num_envs, bool)
        self._seeds: np.ndarray | None = None
        self._masks = np.zeros((self.num_envs, self.jax_env.num_actions), np.int8)
        self._build()

    _ON_DEVICE = ("_state", "_tokens")

    def _build(self) -> None:
        super()._build()
        self._programs = batch(self.jax_env, observation_kinds.fetched_form(self._form))

    def _settings(self) -> dict[str, Any]:
        # A batch's bounds are views of one world's (`batched`); copied they would fill the memory.
        kept = super()._settings()
        return kept | {"observation_space": kept["observation_space"]._np_random}

    def __setstate__(self, state: dict[str, Any]) -> None:
        space = batched(state["single_observation_space"], state["num_envs"])
        space._np_random = state["observation_space"]
        super().__setstate__(state | {"observation_space": space})

    def _held(self) -> dict[str, Any]:
        if self._state is None:
            return super()._held()
        shown, state = self._programs.hold(self._state)
        return {"_state": state, "_tokens": shown.tokens}

    @exclusive
    def reset(  # type: ignore[override]
        self, *, seed: seeds.Asked = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every world.

        Args:
            seed: one number (world i gets seed + i), one for each world, or None for the worlds that follow.
            options: as of `OpenWorldEnv.reset`; `world_seed` is one pair for each world. Without auto-reset
                `reset_mask` (bool, one for each world) names the worlds to reset; the others stay as
                they are.
        """
        refusals.is_open(self.closed, "reset()")
        mask = autoreset.reset_mask(options, self.num_envs, self.autoreset_mode)
        held_out, words = refusals.reset_options(options, (self.num_envs, 2), more=("reset_mask",))
        if mask is not None:
            refusals.is_running(self._state, "reset() with a reset_mask")
            if seed is None and words is None and held_out is None:
                shown, self._state = self._programs.begin(self._tokens, self._state, mask, self._again)
                return self._begun(shown, self._over & ~mask, mask)
        if words is None:
            if isinstance(seed, int | np.integer):
                super().reset(seed=int(seed))
            then = seeds.after(self._seeds, self.jax_env.repeat_world)
            words = refusals.marked(seeds.each(seed, then, self.num_envs, self.np_random), held_out)
        shown, state = self._programs.reset(words)
        if mask is not None:
            shown, state = self._programs.hold(self._programs.choose(mask, state, self._state))
        self._state = state
        return self._begun(shown, self._over & (False if mask is None else ~mask), mask)

    @exclusive
    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Play one step in every world."""
        refusals.in_play(self.closed, self._state, "step()")
        chosen = refusals.action_array(actions, self.num_envs, self.jax_env.num_actions)
        if self.autoreset_mode is AutoresetMode.DISABLED:
            refusals.none_over(self._over)
        same_step, pending = self.autoreset_mode is AutoresetMode.SAME_STEP, self._over
        shown, self._state = self._programs.step(
            self._state, chosen, pending, np.bool_(same_step), self._limit, self._again
        )
        before = self._seeds
        rows = self._fetch(shown)
        terminated, truncated = rows["terminated"].copy(), rows["truncated"].copy()
        ended = terminated | truncated
        infos: dict[str, Any] = {}
        if same_step:
            pending = ended
            if ended.any():
                last = self._seen(autoreset.decoded(self._programs.decode, shown.final, ended))
                masks = np.asarray(shown.final_mask).astype(np.int8)
                assert before is not None
                infos = autoreset.final(rows, ended, last, masks, before)
        else:
            self._over = ended
        infos |= autoreset.stepped(rows, pending)
        return self._seen(shown.obs), rows["reward"].copy(), terminated, truncated, infos

    @exclusive
    def action_masks(self) -> np.ndarray:
        """Return bool[worlds, actions]: which actions would do something in the next step."""
        refusals.in_play(self.closed, self._state, "action_masks()")
        return self._masks.astype(bool)

    @exclusive
    def get_state(self) -> Held:
        """Return the worlds in hand; see `OpenWorldEnv.get_state`. `held[i]` is world i."""
        refusals.in_play(self.closed, self._state, "get_state()")
        _, copied = self._programs.hold(self._state)
        return Held(self.jax_env, copied, self._over.copy())

    @exclusive
    def set_state(self, value: Any) -> tuple[Any, dict[str, Any]]:
        """Go on from what `get_state` returned, its bytes, or one of either for each world.

        Returns observations and infos as `reset` does.
        """
        refusals.is_open(self.closed, "set_state()")
        value = held(self.jax_env, value, self.num_envs)
        autoreset.can_hold(value.over, self.autoreset_mode)
        shown, self._state = self._programs.hold(value.whole)
        return self._begun(shown, value.over.copy(), None)

    def clone(self) -> "OpenWorldVectorEnv":
        """Return another environment with the same future, which neither changes in the other."""
        refusals.is_open(self.closed, "clone()")
        return copy.deepcopy(self)

    @exclusive
    def render(self) -> tuple[Any, ...] | None:  # type: ignore[override]
        """Show every world, as `render_mode` says."""
        refusals.is_open(self.closed, "render()")
        if self.render_mode is None:
            return None
        refusals.is_running(self._state, "render()")
        return tuple(map(painter(self), np.asarray(self._tokens)))

    def close_extras(self, **_: Any) -> None:
        """Let go of the worlds."""
        self._state = self._tokens = None

    def _fetch(self, shown: Shown) -> np.ndarray:
        """Return each world's row, and keep what the next call needs of it."""
        rows = np.asarray(shown.rows).view(self._row)[:, 0]
        self._tokens, self._seeds, self._masks = shown.tokens, rows["world_seed"], rows["action_mask"]
        return rows

    def _begun(self, shown: Shown, over: np.ndarray, mask: np.ndarray | None) -> tuple[Any, dict[str, Any]]:
        """Return observations and infos of worlds that no step has led to."""
        self._over = over
        return self._seen(shown.obs), autoreset.begun(self._fetch(shown), mask)

    def _seen(self, obs: Any) -> Any:
        """Return observations, the caller's own."""
        return observation_kinds.fetched(obs, self._form, self.jax_env.ruleset)
