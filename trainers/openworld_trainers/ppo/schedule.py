"""The learning rate during a run."""

import math

from jaxtyping import Array, Float

from openworld_trainers.ppo.config import Learning


def rate_at(settings: Learning, progress: float, transitions: int) -> float:
    """Return the learning rate of an update.

    Args:
        settings: the schedule.
        progress: the finished share of the run before the update, 0 to 1.
        transitions: of the run at the end of the update, for the warm-up; the first update has some already.

    Example:
        >>> halfway = Learning(learning_rate=1e-3, schedule="linear", warm_up=400)
        >>> rate_at(halfway, 0.5, 1000), rate_at(halfway, 0.0, 100)
        (0.0005, 0.00025)
    """
    first = last = settings.learning_rate
    if settings.schedule != "constant":
        last = settings.final_learning_rate or 0.0
    passed = (1 - math.cos(math.pi * progress)) / 2 if settings.schedule == "cosine" else progress
    rate = first + (last - first) * passed
    return rate * min(1.0, transitions / settings.warm_up) if settings.warm_up else rate


def entropy_at(settings: Learning, learning_rate: float | Float[Array, ""]) -> float | Float[Array, ""]:
    """Return the weight of the entropy in an update with that learning rate.

    Example:
        >>> falling = Learning(learning_rate=1e-3, schedule="linear", entropy_coefficient=0.03, anneal_entropy=True)
        >>> round(entropy_at(falling, 5e-4), 4), entropy_at(Learning(), 5e-4)
        (0.015, 0.01)
    """
    if not settings.anneal_entropy:
        return settings.entropy_coefficient
    return settings.entropy_coefficient / settings.learning_rate * learning_rate
