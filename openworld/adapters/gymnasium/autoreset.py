"""Gymnasium's three autoreset modes: the step in which the next episode begins, and the fields of `infos`.

NEXT_STEP: in the step after the one that ends an episode; its action is ignored. SAME_STEP: in the step that
ends an episode; its last observation and info are in `final_obs` and `final_info`. DISABLED: when `reset` is
called with `options={"reset_mask": ...}`.

`infos` holds the same fields after every reset and every step. `final_obs` and `final_info` come on top where
an episode has ended, as Gymnasium's own vector environments have it.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

#: Fields of the episode so far: zeros where it has just begun.
EPISODE = ("episode_return", "episode_length", "achievements")
#: All fields of `infos`.
FIELDS = (*EPISODE, "action_mask", "world_seed")


def mode_of(mode: str | AutoresetMode) -> AutoresetMode:
    """Return a mode by its value."""
    try:
        return AutoresetMode(mode)
    except ValueError:
        known = ", ".join(repr(one.value) for one in AutoresetMode)
        raise ValueError(f"autoreset_mode must be an AutoresetMode or one of {known}, not {mode!r}") from None


def reset_mask(options: Mapping[str, Any] | None, worlds: int, mode: AutoresetMode) -> np.ndarray | None:
    """Return which worlds `reset(options={"reset_mask": ...})` asks for, or None for all."""
    if options is None or "reset_mask" not in options:
        return None
    if mode is not AutoresetMode.DISABLED:
        raise ValueError(
            f"reset_mask is for worlds that are reset by hand: autoreset_mode must be DISABLED, not {mode.name}"
        )
    mask = np.asarray(options["reset_mask"])
    if mask.dtype != bool:
        raise TypeError(f"reset_mask must be an array of bool, not of {mask.dtype}")
    if mask.shape != (worlds,):
        raise ValueError(f"reset_mask must have shape ({worlds},), one for each world, not {mask.shape}")
    if not mask.any():
        raise ValueError("reset_mask must name at least one world")
    return mask.copy()


def can_hold(over: np.ndarray, mode: AutoresetMode) -> None:
    """Refuse worlds whose episode has ended where every world goes on at once."""
    if mode is AutoresetMode.SAME_STEP and over.any():
        where = int(np.argmax(over))
        raise ValueError(f"the episode of world {where} has ended: SAME_STEP holds only running ones")


def begun(rows: np.ndarray, mask: np.ndarray | None = None) -> dict[str, Any]:
    """Return the infos of a reset: of all worlds, or of those of a mask.

    Args:
        rows: of each world, as `rows.row_type` has it.
    """
    mask = np.ones(len(rows), bool) if mask is None else mask
    return masked({name: _where(mask, field(rows, name)) for name in FIELDS}, mask)


def stepped(rows: np.ndarray, begun: np.ndarray) -> dict[str, Any]:
    """Return the infos of a step in which some worlds have begun again; zeros of an episode not yet played."""
    infos = {name: field(rows, name) for name in FIELDS}
    for name in EPISODE:
        infos[name][begun] = 0
    return masked(infos, np.ones(len(rows), bool))


def field(rows: np.ndarray, name: str) -> np.ndarray:
    """Return a copy of a field of each row; seeds as int64, as PyTorch has little for uint32."""
    return rows[name].astype(np.int64) if name == "world_seed" else rows[name].copy()


def decoded(decode: Callable[..., Any], tokens: Any, ended: np.ndarray) -> Any:
    """Decode the tokens of the worlds that ended.

    As many again may follow, so that few shapes are compiled.
    """
    where = np.flatnonzero(ended)
    return decode(np.asarray(tokens)[np.resize(where, 1 << (len(where) - 1).bit_length())])


def final(
    rows: np.ndarray, ended: np.ndarray, last: Any, masks: np.ndarray, seeds: np.ndarray
) -> dict[str, Any]:
    """Return what infos hold of worlds that have begun again in the step that ended their episode.

    Args:
        last: the observation of each ended world, in order; what follows is not looked at.
        masks: int8[worlds, actions], the action masks before the reset.
        seeds: uint32[worlds, 2], the worlds' seeds before the reset.
    """
    final_obs = np.full(len(rows), None, object)
    for i, obs in zip(np.flatnonzero(ended), last, strict=False):
        final_obs[i] = copy.copy(obs)
    info = {name: _where(ended, rows[name]) for name in EPISODE}
    info |= {"action_mask": _where(ended, masks), "world_seed": _where(ended, seeds.astype(np.int64))}
    return masked({"final_obs": final_obs, "final_info": masked(info, ended)}, ended)


def masked(values: dict[str, Any], mask: np.ndarray) -> dict[str, Any]:
    """Return values with Gymnasium's `_name` masks beside them."""
    return {**values, **{f"_{name}": mask.copy() for name in values}}


def _where(mask: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return a copy with zeros beyond the mask."""
    return np.where(mask.reshape(-1, *(1,) * (values.ndim - 1)), values, values.dtype.type(0))
