"""A study of stagnation on two cores: a large outer step against its noise, and more worlds as the remedy.

    python -m openworld_trainers.studies.stagnation            # one or two hours; continues after an
    interruption python -m openworld_trainers.studies.stagnation --parts recipe cuts     # a part of it, one
    for each core python -m openworld_trainers.studies.stagnation --draw                  # only the pictures

Three questions, each at a fixed number of transitions (Beukman et al. 2026, arXiv 2603.06009):

* return against the number of worlds, for the recipe and for the two other scalings of `planner/scaling.py`;
* a run of few worlds whose outer step is made smaller halfway, beside the same run left alone;
* the size of the outer step and its noise against the number of worlds, from the same runs.

Every run writes its numbers to `stagnation.csv` at its end. A run that is in the file is not run again.
"""

import csv
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from openworld_trainers.planner.scaling import RULES, configure
from openworld_trainers.ppo.batched_env import BatchedEnv, achievement_names, make_env
from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.learner import Learner, init_learner, make_update, metrics_row
from openworld_trainers.studies import stagnation_pictures
from openworld_trainers.studies.stagnation_settings import COLUMNS, CUTS, MEANS, NOISE, PARTS, REFERENCE, Cut


@dataclass(frozen=True, kw_only=True)
class Study:
    """Measure return, outer step and noise against the number of worlds.

    Attributes:
        worlds: numbers of worlds.
        seeds: number of runs of each.
        transitions: transitions of each run.
        parts: parts of the study: rules of scaling, and "cuts".
        out: the folder of the numbers.
        pictures: the folder of the pictures.
        draw: only draw the pictures.
    """

    worlds: tuple[int, ...] = (8, 16, 32, 128, 512)
    seeds: int = 3
    transitions: int = 1_500_000
    parts: tuple[str, ...] = (*RULES, "cuts")
    out: Path = Path("docs/results")
    pictures: Path = Path("docs/pictures")
    draw: bool = False


class Numbers:
    """The CSV file of the study."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        if path.exists():
            with path.open(newline="") as file:
                self.rows = [_read(row) for row in csv.DictReader(file)]

    def has(self, **wanted: Any) -> bool:
        """Return whether the file has a complete run of that rule, number of worlds and seed."""
        return any(row["part"] == PARTS - 1 and wanted.items() <= row.items() for row in self.rows)

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Append the lines of a run."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerows({name: _format(row[name]) for name in COLUMNS} for row in rows)
        self.rows += rows


def _read(row: dict[str, str]) -> dict[str, Any]:
    whole = ("worlds", "seed", "part", "transitions", "episodes")
    return {
        name: value if name == "rule" else int(value) if name in whole else float(value)
        for name, value in row.items()
    }


def _format(value: Any) -> Any:
    return f"{value:.5g}" if isinstance(value, float) else value


class Programs:
    """The compiled programs of one configuration, for every seed."""

    def __init__(self, env: BatchedEnv, config: Config) -> None:
        self.config, self._names = config, achievement_names(env)
        self._begin = jax.jit(lambda key: init_learner(env, config, key=key))
        self._update = jax.jit(make_update(env, config), donate_argnums=0)

    def begin(self, seed: int) -> Learner:
        """Return a new learner of that seed."""
        return self._begin(jax.random.key(seed))

    def play(self, learner: Learner, transitions: int, rate: float) -> tuple[Learner, list[dict[str, Any]]]:
        """Learn from a number of transitions; return the learner, and a row for every update."""
        rows = []
        for _ in range(-(-transitions // self.config.rollout.batch)):
            learner, metrics = self._update(learner, jnp.float32(rate))
            rows.append(metrics_row(metrics, self._names))
        return learner, rows


def parts_of(rows: list[dict[str, Any]], parts: int) -> Iterator[dict[str, Any]]:
    """Yield means over equal parts of the updates; returns are weighted by their episodes."""
    for part, index in enumerate(np.array_split(np.arange(len(rows)), parts)):
        # With fewer updates than parts, an empty part repeats the update it lies in.
        some = [rows[i] for i in index] or [rows[part * len(rows) // parts]]
        episodes = sum(row["episodes"] for row in some)
        total = sum(row["return"] * row["episodes"] for row in some if row["episodes"])
        means = {name: float(np.mean([row[name] for row in some])) for name in (*MEANS, *NOISE)}
        yield {
            "part": part,
            "return": total / episodes if episodes else float("nan"),
            "episodes": episodes,
            **means,
        }


def scalings(study: Study, env: BatchedEnv, numbers: Numbers) -> None:
    """Run every rule at every number of worlds."""
    for worlds in study.worlds:
        for rule in RULES:
            if rule not in study.parts:
                continue
            if rule != "recipe" and worlds == REFERENCE.config.rollout.worlds:
                continue  # all rules are equal there
            seeds = [s for s in range(study.seeds) if not numbers.has(rule=rule, worlds=worlds, seed=s)]
            if not seeds:
                continue
            config = configure(worlds, reference=REFERENCE, rule=rule).config
            programs, rate = Programs(env, config), config.learning.learning_rate
            for seed in seeds:
                _, rows = programs.play(programs.begin(seed), study.transitions, rate)
                head = {"rule": rule, "worlds": worlds, "seed": seed, "learning_rate": rate}
                numbers.add(_lines(head, rows, len(rows) * config.rollout.batch))
                _say(numbers.rows[-1])


def cuts(study: Study, env: BatchedEnv, numbers: Numbers) -> None:
    """Run few worlds for all transitions, then for as many again: unchanged, and with each change."""
    few = study.worlds[0]
    config = configure(few, reference=REFERENCE).config
    rate = config.learning.learning_rate
    wanted = {
        seed: [rule for rule in CUTS if not numbers.has(rule=rule, worlds=few, seed=seed)]
        for seed in range(study.seeds)
    }
    if not any(wanted.values()):
        return
    programs = {cut: Programs(env, _after(config, cut)) for cut in CUTS.values()}
    first = programs[Cut()]
    for seed, missing in wanted.items():
        learner, before = first.play(first.begin(seed), study.transitions, rate)
        for rule in missing:
            cut = CUTS[rule]
            # An update reuses the memory of its argument, so each run continues from a copy.
            copy = eqx.combine(jax.tree.map(jnp.copy, eqx.filter(learner, eqx.is_array)), learner)
            if cut.worlds > 1:
                copy = Learner(copy.train_state, programs[cut].begin(seed).rollout_state, copy.key)
            _, after = programs[cut].play(copy, study.transitions, rate * cut.rate)
            head = {"rule": rule, "worlds": few, "seed": seed, "learning_rate": rate * cut.rate}
            half = PARTS // 2
            lines = _lines(head, before, study.transitions, 0, half)
            numbers.add(lines + _lines(head, after, study.transitions, half, half))
            _say(numbers.rows[-1])


def _after(config: Config, cut: Cut) -> Config:
    """Return the settings after a change; the learning rate is an argument of the program."""
    learning = dataclasses.replace(config.learning, epochs=cut.epochs or config.learning.epochs)
    rollout = dataclasses.replace(config.rollout, worlds=config.rollout.worlds * cut.worlds)
    return dataclasses.replace(config, learning=learning, rollout=rollout)


def _lines(
    head: dict[str, Any], rows: list[dict[str, Any]], played: int, first: int = 0, parts: int = PARTS
) -> list[dict[str, Any]]:
    """Return the lines of a run, or of some of its parts.

    Args:
        head: the columns that are equal in all lines.
        rows: one for each update.
        played: transitions at the end.
        first: the first part.
        parts: number of parts.
    """
    lines = []
    for line in parts_of(rows, parts):
        part = first + line["part"]
        lines.append({**head, **line, "part": part, "transitions": round((part + 1) * played / parts)})
    return lines


def _say(row: dict[str, Any]) -> None:
    print(
        f"{row['rule']:<18} {row['worlds']:>6} worlds, seed {row['seed']}: return {row['return']:.2f}",
        flush=True,
    )


def main(study: Study) -> None:
    """Run the missing runs, then draw the pictures.

    Example:
        >>> main(Study(worlds=(8, 16), seeds=1))  # doctest: +SKIP
    """
    numbers = Numbers(study.out / "stagnation.csv")
    if not study.draw:
        env = make_env(REFERENCE.config.env)
        scalings(study, env, numbers)
        if "cuts" in study.parts:
            cuts(study, env, numbers)
    for path in stagnation_pictures.draw(numbers.rows, study.pictures):
        print(path)


if __name__ == "__main__":
    import tyro

    from openworld.system import numbers

    main(tyro.cli(Study, registry=numbers.registry()))
