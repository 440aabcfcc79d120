"""The study of the recipe at a size of seconds: what it runs, writes, goes on from, and its table."""

import csv
import dataclasses
import math
from pathlib import Path

import pytest

from openworld.bench import markdown
from openworld_trainers.ppo.config import Learning, Rollout
from openworld_trainers.ppo.presets import ON_CPU
from openworld_trainers.studies import recipe, recipe_table
from openworld_trainers.studies.recipe import PARTS, Study
from openworld_trainers.studies.recipe_variants import BASE, VARIANTS
from tests.trainers.helpers import small

DOCS = Path(__file__).parents[2] / "docs"
SMALL = small(
    env=dataclasses.replace(BASE.env, id="OpenWorld-Classic-v0", time_limit=20),
    rollout=Rollout(worlds=16, steps=8),
    learning=Learning(minibatch_size=64, epochs=1),
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A study of two variants."""
    folder = tmp_path_factory.mktemp("study")
    study = Study(
        variants=("base", "lambda-0.95"), seeds=1, transitions=128 * PARTS, runs=folder / "runs", out=folder
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "BASE", SMALL)
        recipe.main(study)
    return study


def test_every_variant_and_seed_is_run_once_and_whole(ran):
    with (ran.out / "recipe.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["variant"], r["seed"]) for r in rows[::PARTS]] == [("base", "0"), ("lambda-0.95", "0")]
    assert len(rows) == 2 * PARTS
    assert [int(r["transitions"]) for r in rows[:PARTS]] == [128 * (part + 1) for part in range(PARTS)]
    assert all(math.isfinite(float(r["return"])) or r["episodes"] == "0" for r in rows)


def test_a_run_that_is_there_is_not_run_again(ran, monkeypatch):
    before = (ran.out / "recipe.csv").read_bytes()
    monkeypatch.setattr(recipe, "train", None)
    recipe.main(ran)
    assert (ran.out / "recipe.csv").read_bytes() == before


def test_the_table_compares_runs_of_the_same_seed(tmp_path):
    path = tmp_path / "recipe.csv"
    names = ("return", "length", "make_stone_pickaxe", "collect_iron", "enter_dungeon", "episodes")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["variant", "seed", *names])
        for variant, seed, score in (
            ("base", 0, 10),
            ("base", 1, 14),
            ("worse", 0, 9),
            ("better", 0, 11),
            ("better", 1, 16),
        ):
            writer.writerow([variant, seed, score, 400, 0.5, 0.25, 0.125, 7])
    assert recipe_table.table(path).splitlines()[2:] == [
        "| base | 2 | 12.0 |  | 400 | 50 | 25 | 12.5 |",
        "| better | 2 | 13.5 | +1.0 +2.0 | 400 | 50 | 25 | 12.5 |",
        "| worse | 1 | 9.0 | -1.0 | 400 | 50 | 25 | 12.5 |",
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_one_change(variant):
    """Except that a memory has longer sequences, and another minibatch or optimiser another learning rate."""
    groups = {"network", "rollout", "learning", "advantage", "reward"}
    assert set(VARIANTS[variant]) <= groups
    assert recipe.config_of(Study(), variant, 3).run.seed == 3
    if variant not in {"cpu", "mingru", "minibatch-1024", "muon", "entropy-0.02-annealed"}:
        assert sum(len(changes) for changes in VARIANTS[variant].values()) == (variant != "base")


def test_the_presets_for_cpus_are_a_variant():
    config = recipe.config_of(Study(), "cpu", 0)
    assert dataclasses.replace(config, run=ON_CPU.run) == ON_CPU


def test_the_page_has_the_table_of_the_numbers():
    page = (DOCS / "explanation" / "recipe.md").read_text()
    table = recipe_table.table(DOCS / "results" / "recipe.csv")
    assert markdown.filled(page, {"changes": table}) == page
