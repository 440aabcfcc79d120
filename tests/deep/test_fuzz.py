"""20,000 damaged files and 10,000 damaged messages: each is refused in one line, or means what it meant before."""

import os
from pathlib import Path

import pytest

from openworld.judging.result import ResultError
from tests import helpers_results
from tests.deep.fuzzing import faults
from tests.helpers_files import SEEDS, Seed
from tests.playing.helpers_fuzz import fuzz_host, fuzz_player

#: Damaged files of each kind. The slower readers get fewer.
COUNTS = {
    "replay": 5000,
    "state": 3000,
    "result": 5000,
    "manifest": 1000,
    "arrays": 500,
    "card": 2000,
    "weights": 1000,
    "config": 2000,
    "metrics": 2000,
}
#: Another seed damages other bytes.
SEED = int(os.environ.get("OPENWORLD_FUZZ_SEED", "0"))

KINDS = {
    **SEEDS,
    "result": Seed(
        lambda folder: helpers_results.make(folder / "a.json"),
        lambda path: (helpers_results.meaning(path),),
        ResultError,
    ),
}


def test_every_kind_has_its_count() -> None:
    assert set(COUNTS) == set(KINDS)
    assert sum(COUNTS.values()) >= 20_000


@pytest.mark.parametrize("name", COUNTS)
def test_damaged_files_are_refused_or_mean_the_same(name: str, tmp_path: Path) -> None:
    found = faults(name, KINDS[name], COUNTS[name], SEED, tmp_path)
    assert not found, "\n".join([f"{len(found)} faults", *found[:20]])


def test_damaged_messages_to_a_host() -> None:
    fuzz_host(10_000, SEED)


def test_damaged_messages_to_a_guest() -> None:
    fuzz_player(10_000, SEED)
