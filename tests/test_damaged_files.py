"""Files that came to harm are refused by one error of one line, or mean what they meant."""

import random

import pytest

from tests.helpers_files import SEEDS, check, damaged

TIMES = 60


@pytest.mark.parametrize("name", SEEDS)
def test_damage_is_refused_or_changes_nothing(name, tmp_path):
    seed, chance = SEEDS[name], random.Random(name)
    path = seed.make(tmp_path)
    data, before = path.read_bytes(), seed.read(path)
    read = sum(check(seed, path, damaged(data, chance), before) for _ in range(TIMES))
    assert check(seed, path, data, before)
    assert name == "metrics" or read < TIMES / 2
