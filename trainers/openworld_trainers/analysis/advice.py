"""Advice for a run that has stopped learning: the changes to make, with amounts.

The model is that of Beukman et al. 2026 (arXiv 2603.06009). An update is one step of stochastic optimisation.
Its batch B is the transitions between two updates; its step size is the distance that the policy moves. A run
stalls when the step is too large for the noise. The amounts below are our own formulas, based on the noise
model of McCandlish et al. 2018 (arXiv 1812.06162).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: The smallest and the largest factor that is advised at once.
LEAST, MOST = 2, 16
#: The fewest estimates for a noise scale, and the standard errors by which the signal must differ from 0.
ESTIMATES, STANDS_OUT = 8, 2.0
#: Dead units above this share, and explained variance below this one, are signs of other problems.
MANY_DEAD, POOR_VALUE = 0.5, 0.2


@dataclass(frozen=True)
class Noise:
    """The noise scale over several updates.

    Attributes:
        scale: in transitions.
        bound: `scale` is only a lower bound.
    """

    scale: float
    bound: bool


@dataclass(frozen=True)
class Advice:
    """The changes to make.

    Attributes:
        factor: k of `factor_for`.
        reason: the measurements, in one line.
        ways: changes, of which one is enough, each in one line.
        signs: other possible problems, each in one line.
    """

    factor: int
    reason: str
    ways: tuple[str, ...]
    signs: tuple[str, ...] = ()


def measured_noise(rows: Sequence[Mapping[str, Any]]) -> Noise | None:
    """Return B_noise = mean tr Σ / mean |G|² of some updates; None with fewer than `ESTIMATES` estimates.

    If the mean signal is less than `STANDS_OUT` standard errors above 0, the upper end of its interval gives
    a lower bound of the noise scale.

    Example:
        >>> measured_noise([{"gradient_signal": 2.0, "gradient_noise": 500.0}] * 8)
        Noise(scale=250.0, bound=False)
    """
    pairs = [(row.get("gradient_signal"), row.get("gradient_noise")) for row in rows]
    known = np.array([pair for pair in pairs if None not in pair], float).reshape(-1, 2)
    known = known[np.isfinite(known).all(axis=1)]
    if len(known) < ESTIMATES:
        return None
    signal, noise = known.mean(axis=0)
    error = float(known[:, 0].std(ddof=1)) / math.sqrt(len(known))
    if noise <= 0:
        return None
    bound = signal <= STANDS_OUT * error
    highest = signal + STANDS_OUT * error if bound else signal
    return Noise(float(noise / highest) if highest > 0 else math.inf, bool(bound))


def factor_for(ratio: int | float) -> int:
    """Return our factor k: the ratio r = B_noise / B, limited to 2 to 16 and rounded up to a power of two.

    * k times the worlds make B equal to B_noise. Signal and noise are then equal, and a step gains half of
      what it would gain without noise: 1 / (1 + B_noise / B) = 1/2 (McCandlish et al. 2018, section 2.2).
    * 1/k of the outer step has the same effect where the run stalls: the distance from the optimum is
      proportional to step / B (Smith & Le 2018, arXiv 1710.06451).
    * At least 2: a step that gains nothing is twice the best step for its noise, because the gain is a
      parabola in the step (same section). At most 16: measure again before a larger change.

    Example:
        >>> factor_for(5), factor_for(0.1), factor_for(1000)
        (8, 2, 16)
    """
    return 2 ** math.ceil(math.log2(min(max(ratio, LEAST), MOST)))


def anchored(age: int | float, factor: int) -> float:
    """Return our β for PPO-EWMA: the proximal policy becomes k times as old, β / (1 − β) = k · age.

    The clip lets the policy move by about ε within the age of the proximal policy, so k times the age means
    1/k of the speed (Hilton et al. 2022, arXiv 2110.00641). In plain PPO the mean age is (M − 1) / 2 gradient
    steps, with M gradient steps in an update. With EWMA it is β / (1 − β).

    Example:
        >>> anchored(age=1.5, factor=2)
        0.75
    """
    older = factor * max(age, 0.5)
    return older / (1 + older)


def advise(rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> Advice:
    """Return the advice of the model on rows of a run that has stalled.

    Args:
        rows: the metrics of the updates.
        settings: the run's configuration as nested dictionaries; parts may be missing.

    Example:
        >>> rows = [{"transitions": 128 * n, "gradient_signal": 1.0, "gradient_noise": 1000.0} for n in range(8)]
        >>> settings = {"rollout": {"worlds": 8, "steps": 16}, "learning": {"learning_rate": 0.001}}
        >>> advise(rows, settings).ways[0]
        'more worlds: 8 -> 64, minibatch_size and learning_rate as they are'
    """
    rollout, learning = settings.get("rollout", {}), settings.get("learning", {})
    worlds, steps = rollout.get("worlds"), rollout.get("steps")
    batch = worlds * steps if worlds and steps else between(rows)
    noise = measured_noise(rows)
    ratio = noise.scale / batch if noise and batch else math.nan
    noisy = not (ratio < 1) or (noise is not None and noise.bound)
    factor = factor_for(ratio if ratio >= LEAST else LEAST)
    ways = smaller_step(learning, batch, factor)
    if noisy:
        ways = (more_worlds(worlds, factor), *ways)
    return Advice(
        factor, reason_for(noise, batch, rows), ways, (*signs_of(rows), *decayed(learning, len(rows)))
    )


def between(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return the transitions of an update, as in the rows; 0 with fewer than two rows."""
    return int(rows[-1]["transitions"] - rows[-2]["transitions"]) if len(rows) > 1 else 0


def reason_for(noise: Noise | None, batch: int, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the measurements: the noise compared with the data, and the step."""
    step = middle(rows, "kl_old_new")
    moved = f"; the policy moves by {step:.2g} nats an update" if step is not None else ""
    if noise is None or not batch:
        return f"the noise scale was not measured{moved}"
    ratio = noise.scale / batch
    least = "at least " if noise.bound else ""
    if math.isinf(ratio):
        text = f"no gradient stands out of the noise of the {batch:,} transitions of an update"
    else:
        text = f"the noise scale is {least}{ratio:.2g} times the {batch:,} transitions of an update"
    if ratio < 1 and not noise.bound:
        text += ", so noise alone does not hold the run: if a smaller step does not help, look elsewhere"
    return text + moved


def more_worlds(worlds: int | None, factor: int) -> str:
    """Return the first change: more data in each update, the same inner loop."""
    amount = f"{worlds:,} -> {worlds * factor:,}" if worlds else f"x {factor}"
    return f"more worlds: {amount}, minibatch_size and learning_rate as they are"


def smaller_step(learning: Mapping[str, Any], batch: int, factor: int) -> tuple[str, ...]:
    """Return the second change, in each of its forms."""
    ways = []
    rate, epochs, size = (learning.get(name) for name in ("learning_rate", "epochs", "minibatch_size"))
    if epochs and size and batch:
        held, steps = learning.get("ewma"), epochs * batch // size
        beta = anchored((steps - 1) / 2 if held is None else held / (1 - held), factor)
        was = "none" if held is None else f"{held:.6g}"
        ways.append(f"a slower anchor: ewma {was} -> {1 - float(f'{1 - beta:.2g}'):.8g}")
    if rate:
        ways.append(f"a smaller step: learning_rate {rate:.3g} -> {rate / factor:.3g}")
    elif not ways:
        ways.append(f"a smaller step: learning_rate / {factor}")
    if epochs and epochs > 1:
        ways.append(f"fewer steps: epochs {epochs} -> {max(1, epochs // factor)}")
    return tuple(ways)


def signs_of(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the signs of problems in the network."""
    signs = []
    dead, explained = middle(rows, "dead_units"), middle(rows, "explained_variance")
    if dead is not None and dead > MANY_DEAD:
        signs.append(f"{dead:.0%} of the hidden units are dead: the network may have lost its plasticity")
    if explained is not None and explained < POOR_VALUE:
        signs.append(
            f"the value explains {max(explained, 0):.0%} of the returns: its advantages are mostly noise"
        )
    return tuple(signs)


def decayed(learning: Mapping[str, Any], rows: int) -> tuple[str, ...]:
    """Return a note if the learning rate decreases, which makes the end of a run flat by itself."""
    rate, last = learning.get("learning_rate"), learning.get("final_learning_rate") or 0.0
    if rate and learning.get("schedule") in ("linear", "cosine") and last < rate:
        return (
            f"the learning rate falls to {last:.3g} by the end of the run, which flattens the end by itself",
        )
    return ()


def middle(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Return the median of a column; None if it is empty."""
    found = [row[name] for row in rows if isinstance(row.get(name), int | float)]
    found = [value for value in found if math.isfinite(value)]
    return float(np.median(found)) if found else None
