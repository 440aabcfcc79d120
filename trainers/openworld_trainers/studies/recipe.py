"""Ablations of the trainer's settings: one change at a time, beside the settings as they are.

    python -m openworld_trainers.studies.recipe                       # the missing runs, most valuable first
    python -m openworld_trainers.studies.recipe --budget-hours 1      # the same, for an hour
    python -m openworld_trainers.studies.recipe --variants base gru   # some of them

Each run is a run of `openworld train` in its own folder, so an interrupted one continues where it stopped. A
finished run adds its lines to `recipe.csv`. First comes one seed of every variant, then the next seed.
"""

import csv
import dataclasses
import os
import signal
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openworld_trainers.errors import StoppedError
from openworld_trainers.ppo.config import Config
from openworld_trainers.run.folder import RunFolder
from openworld_trainers.run.train import train
from openworld_trainers.studies.recipe_variants import BASE, VARIANTS

#: Lines of a run, each of an equal part of its updates.
PARTS = 40
#: Means over the updates of a part.
MEANS = ("length", "entropy", "kl_old_new", "explained_variance")
#: Achievements whose rates are kept.
RATES = (
    "make_stone_pickaxe",
    "collect_iron",
    "make_iron_pickaxe",
    "enter_dungeon",
    "eat_snail",
    "open_chest",
    "collect_diamond",
    "enter_gnomish_mines",
)
COLUMNS: tuple[str, ...] = (
    "variant",
    "seed",
    "part",
    "transitions",
    "seconds",
    "return",
    "episodes",
    *MEANS,
    *RATES,
)


@dataclass(frozen=True, kw_only=True)
class Study:
    """Train the variants.

    Attributes:
        variants: names of `VARIANTS`.
        seeds: runs of each.
        transitions: of each run.
        budget_hours: hours after which the study stops; None: when every run is finished.
        runs: the folder of the runs.
        out: the folder of the numbers.
    """

    variants: tuple[str, ...] = tuple(VARIANTS)
    seeds: int = 2
    transitions: int = 10_000_000
    budget_hours: float | None = None
    runs: Path = Path("runs/recipe")
    out: Path = Path("docs/results")


def config_of(study: Study, variant: str, seed: int) -> Config:
    """Return the settings of a run."""
    config = BASE
    for group, changes in VARIANTS[variant].items():
        config = dataclasses.replace(
            config, **{group: dataclasses.replace(getattr(config, group), **changes)}
        )
    run = dataclasses.replace(
        config.run, seed=seed, transitions=study.transitions, time_budget_s=None, film=False, keep=1
    )
    return dataclasses.replace(config, run=run)


def lines(variant: str, seed: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines of a finished run: means over equal parts of its updates."""
    found = []
    for part in range(PARTS):
        some = rows[part * len(rows) // PARTS : (part + 1) * len(rows) // PARTS]
        ended = [row for row in some if row["episodes"]]
        episodes = sum(row["episodes"] for row in ended)

        def over_episodes(value: Any, ended: Any = ended, episodes: Any = episodes) -> float:
            return sum(value(row) * row["episodes"] for row in ended) / episodes if episodes else float("nan")

        means = {
            name: over_episodes(lambda row, name=name: row[name])
            if name == "length"
            else _mean(row.get(name) for row in some)
            for name in MEANS
        }
        rates = {
            name: over_episodes(lambda row, name=name: row["achievements"].get(name, 0.0)) for name in RATES
        }
        found.append(
            {
                "variant": variant,
                "seed": seed,
                "part": part,
                "transitions": some[-1]["transitions"],
                "seconds": some[-1]["seconds"],
                "return": over_episodes(lambda row: row["return"]),
                "episodes": episodes,
                **means,
                **rates,
            }
        )
    return found


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")


def finished(path: Path) -> set[tuple[str, int]]:
    """Return the variants and seeds that have lines in the file."""
    if not path.exists():
        return set()
    with path.open(newline="") as file:
        return {(row["variant"], int(row["seed"])) for row in csv.DictReader(file)}


def append(path: Path, rows: list[dict[str, Any]]) -> None:
    """Add the lines of a run to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()})


def main(study: Study) -> None:
    """Train the missing runs."""
    path = study.out / "recipe.csv"
    if study.budget_hours is not None:
        # The signal lets the run finish and save its update.
        timer = threading.Timer(study.budget_hours * 3600, os.kill, (os.getpid(), signal.SIGTERM))
        timer.daemon = True
        timer.start()
    for seed in range(study.seeds):
        for variant in study.variants:
            if (variant, seed) in finished(path):
                continue
            folder = study.runs / f"{variant}-{seed}"
            try:
                train(config_of(study, variant, seed), folder, resume=folder.exists())
            except StoppedError as stopped:
                print(stopped)
                return
            append(path, lines(variant, seed, list(RunFolder(folder).metrics())))


if __name__ == "__main__":
    import tyro

    from openworld.system import numbers

    main(tyro.cli(Study, registry=numbers.registry()))
