"""Random companies on every floor, stepped by the engine and by the oracle: all must agree."""

from dataclasses import replace

import numpy as np
import pytest

from tests.oracle import coop_scenes, scenes
from tests.oracle.book import COOP, LEVELS
from tests.oracle.driver import WORLDS, agree, blank
from tests.oracle.names import Block
from tests.oracle.test_scenes import THINGS

COMPANIES = [
    replace(COOP, players=2, sharing=0.25),
    replace(COOP, players=3, revival=False, sharing=1.0),
    replace(COOP, players=8),
]


@pytest.mark.parametrize(
    "rules", COMPANIES, ids=lambda rules: f"{rules.players}{'' if rules.revival else ' out'}"
)
@pytest.mark.parametrize("seed", range(4))
def test_random_players(rules, seed):
    rng = np.random.default_rng([rules.players, seed])
    knobs = {
        "crowd": rng.choice([0.2, 0.8]),
        "reach": int(rng.choice([2, 5, 14])),
        "wild": rng.choice([0.1, 0.5]),
    }
    state = coop_scenes.scramble(blank(rules), rng, rules, **knobs)
    for k in range(rules.players):
        scene = coop_scenes.only_player(state, k)
        alone = free_ahead(state, k)
        scenes.face(scene, rng.choice(THINGS, WORLDS), where=alone & (rng.random(WORLDS) < 0.3))
    boss = np.isin(state.world.theme, [i for i, level in enumerate(LEVELS) if level.boss])
    for k in range(rules.players):
        where = free_ahead(state, k) & boss & (rng.random(WORLDS) < 0.5)
        scenes.face(coop_scenes.only_player(state, k), int(Block.NECROMANCER), where=where)
    state.world.mobs.alive[boss & (rng.random(WORLDS) < 0.4)] = False
    agree(state, coop_scenes.apt(state, rng, rules), rules)


def free_ahead(state, k):
    """Where nobody stands before player k, bool[WORLDS]."""
    ahead = scenes.faced(coop_scenes.only_player(state, k))
    crowd = state.world.player.position.astype(int)
    return ~(crowd == ahead[:, None]).all(axis=-1).any(axis=1)
