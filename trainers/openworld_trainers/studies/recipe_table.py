"""The table of the study of the recipe, from its numbers.

    python -m openworld_trainers.studies.recipe_table                                # print it
    python -m openworld_trainers.studies.recipe_table --update docs/explanation/recipe.md

A page has the place for it between `<!-- table: changes -->` and `<!-- end -->`.
"""

import csv
import statistics
from dataclasses import dataclass
from pathlib import Path

from openworld.bench import markdown

#: The parts at the end of a run, of the 40, over which its numbers are means.
LAST = 4
HEAD = (
    "change",
    "seeds",
    "return",
    "less the base",
    "length",
    "stone pickaxe, %",
    "iron, %",
    "dungeon, %",
)

Numbers = dict[str, float]


def ends(path: Path) -> dict[str, dict[int, Numbers]]:
    """Return variant -> seed -> means over the episodes at the end of the run."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    runs: dict[tuple[str, int], list[dict[str, str]]] = {}
    for row in rows:
        runs.setdefault((row["variant"], int(row["seed"])), []).append(row)
    found: dict[str, dict[int, Numbers]] = {}
    for (variant, seed), lines in runs.items():
        last = lines[-LAST:]
        episodes = sum(int(line["episodes"]) for line in last)
        names = ("return", "length", "make_stone_pickaxe", "collect_iron", "enter_dungeon")
        found.setdefault(variant, {})[seed] = {
            name: sum(float(line[name]) * int(line["episodes"]) for line in last) / episodes for name in names
        }
    return found


def differences(runs: dict[int, Numbers], base: dict[int, Numbers]) -> list[float]:
    """Return the return less that of the base, for each seed that both have."""
    return [runs[seed]["return"] - base[seed]["return"] for seed in sorted(runs.keys() & base.keys())]


def row_of(variant: str, runs: dict[int, Numbers], base: dict[int, Numbers]) -> list[str]:
    """Return a row: means over the seeds, and the differences to the base with the same seeds."""

    def mean(name: str) -> float:
        return statistics.fmean(run[name] for run in runs.values())

    return [
        variant,
        str(len(runs)),
        f"{mean('return'):.1f}",
        "" if runs is base else " ".join(f"{d:+.1f}" for d in differences(runs, base)),
        f"{mean('length'):.0f}",
        *(f"{100 * mean(name):.0f}" for name in ("make_stone_pickaxe", "collect_iron")),
        f"{100 * mean('enter_dungeon'):.1f}",
    ]


def table(path: Path) -> str:
    """Return the table in Markdown: the base, and then the changes, the highest mean difference first."""
    runs = ends(path)
    base = runs.pop("base")

    def gain(variant: str) -> float:
        gains = differences(runs[variant], base)
        return statistics.fmean(gains) if gains else 0.0

    names = sorted(runs, key=gain, reverse=True)
    return markdown.table(
        HEAD, [row_of("base", base, base), *(row_of(name, runs[name], base) for name in names)]
    )


@dataclass(frozen=True, kw_only=True)
class Options:
    """Print the table.

    Attributes:
        numbers: the file that `openworld_trainers.studies.recipe` wrote.
        update: a page to write the table into; None: print only.
    """

    numbers: Path = Path("docs/results/recipe.csv")
    update: Path | None = None


def main(options: Options) -> None:
    """Print the table, and write it into the page."""
    text = table(options.numbers)
    print(text)
    if options.update is not None:
        markdown.update(options.update, {"changes": text})


if __name__ == "__main__":
    import tyro

    main(tyro.cli(Options))
