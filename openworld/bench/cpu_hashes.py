"""Trajectories of a CPU, as committed hashes, with which another device is compared without a CPU's work.

`python -m openworld.bench.cpu_hashes` plays the sample of `equality` on the CPU and writes the file again. It
has to be written again when a rule, a floor or the sample changes; a test compares it with the code.
"""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from openworld.bench import equality
from openworld.bench.plans import SAMPLE
from openworld.system.files import replacing

#: The committed file, and the ids in it.
FILE = Path(__file__).with_name("cpu_hashes.json")
IDS = ("OpenWorld-v0", "OpenWorld-Classic-v0")


def of(states: np.ndarray, outputs: np.ndarray) -> dict[str, Any]:
    """Return the hashes of a trajectory.

    Args:
        states: fingerprints of `equality.trajectory`, [steps, worlds].
        outputs: those of the other outputs.

    Returns:
        Under "states" and "outputs" a hash of each step, over all worlds; under "worlds" a hash of each
        world, over all steps; under "checked" each world's fingerprint at step `equality.CHECKED_AT`.
    """
    both = np.concatenate([states, outputs])
    checked = states[equality.CHECKED_AT - 1 : equality.CHECKED_AT]
    return {
        "states": _each(states),
        "outputs": _each(outputs),
        "worlds": _each(both.T),
        "checked": [f"{word:08x}" for row in checked for word in row.tolist()],
    }


def _each(rows: np.ndarray) -> list[str]:
    return [equality.digest(row)[:8] for row in rows]


def committed() -> dict[str, dict[str, Any]]:
    """Return the committed hashes by id."""
    return json.loads(FILE.read_text())


def compare(states: np.ndarray, outputs: np.ndarray, expected: dict[str, Any]) -> dict[str, Any]:
    """Compare a trajectory, or the first steps of one, with a CPU's hashes.

    Returns:
        "same"; of "states" and "outputs" the first step that differs, from 0, or None; and, of a whole
        trajectory, how many worlds differ.
    """
    ours, steps = of(states, outputs), len(states)
    first = {}
    for name in ("states", "outputs"):
        differs = [a != b for a, b in zip(ours[name], expected[name][:steps], strict=True)]
        first[name] = differs.index(True) if any(differs) else None
    whole = steps == len(expected["states"])
    wrong = sum(a != b for a, b in zip(ours["worlds"], expected["worlds"], strict=True)) if whole else None
    return {
        "same": first["states"] is None and first["outputs"] is None,
        "first_step_that_differs": first,
        "worlds_that_differ": wrong,
        "steps": steps,
        "worlds": states.shape[1],
    }


def check(row: dict[str, Any], expected: dict[str, Any]) -> None:
    """Fill in the check of a large batch (`equality.seen`) from a CPU's hashes."""
    found = row.get("check")
    if found:
        words = np.array([int(word, 16) for word in expected["checked"][: found["worlds"]]], np.uint32)
        found["same"] = equality.digest(words) == found["digest"]


def main() -> None:
    """Play the sample on the CPU and write the file."""
    jax.config.update("jax_platforms", "cpu")
    hashes = {id: of(*equality.played(id)) for id in IDS}
    with replacing(FILE) as aside:
        aside.write_text(json.dumps(hashes) + "\n")
    print(f"{len(SAMPLE)} worlds, {equality.STEPS} steps: written to {FILE.name}")


if __name__ == "__main__":
    main()
