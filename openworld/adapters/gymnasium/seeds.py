"""The seeds of worlds: drawn from what Gymnasium is seeded with, or those that follow the last ones."""

from collections.abc import Sequence
from typing import SupportsInt

import numpy as np
from gymnasium.utils import seeding

from openworld.adapters.compiled import following
from openworld.adapters.gymnasium import refusals

#: The seeds that `VectorEnv.reset(seed=...)` takes.
Asked = int | Sequence[int | None] | np.ndarray | None


def after(seed: np.ndarray | None, repeat_world: bool) -> np.ndarray | None:
    """Return the seeds of the worlds that follow those of these seeds, uint32[..., 2]; None has none."""
    if seed is None or repeat_world:
        return seed
    return np.asarray(following(seed))


def one(asked: SupportsInt | None, after: np.ndarray | None, random: np.random.Generator) -> np.ndarray:
    """Return the seed of a world, uint32[2].

    Args:
        asked: Gymnasium's seed, or None for the world that follows.
        after: the seed that follows from the last world's, or None where there was none.
        random: what the very first world is drawn from.
    """
    if asked is not None:
        return refusals.draw_words(seeding.np_random(int(asked))[0])
    return refusals.draw_words(random) if after is None else after


def each(asked: Asked, then: np.ndarray | None, worlds: int, random: np.random.Generator) -> np.ndarray:
    """Return the seed of each of many worlds, uint32[worlds, 2].

    `then` are those that come after the last ones.
    """
    if isinstance(asked, int | np.integer):
        asked = [int(asked) + i for i in range(worlds)]
    wanted = [None] * worlds if asked is None else list(asked)
    if len(wanted) != worlds:
        raise ValueError(f"{len(wanted)} seeds for {worlds} worlds: give one, or one for each")
    following_each = [None] * worlds if then is None else then
    return np.stack([one(*pair, random) for pair in zip(wanted, following_each, strict=True)])
