"""Random worlds on every floor of every game, stepped by the engine and by the oracle: all must agree."""

import numpy as np
import pytest

from tests.oracle import scenes
from tests.oracle.book import CLASSIC, ENDLESS, FULL, LEVELS
from tests.oracle.driver import WORLDS, agree, blank
from tests.oracle.names import Block

#: What may stand in front of somebody who is about to do something with it.
THINGS = [
    *(Block.CHEST, Block.ENCHANTMENT_TABLE_FIRE, Block.ENCHANTMENT_TABLE_ICE, Block.NECROMANCER, Block.GRASS),
    *scenes.COMMON,
    *scenes.EXOTIC,
]


def scene(rng, rules, **where):
    """A batch of worlds, each of them about to do something that may well succeed."""
    knobs = {
        "crowd": rng.choice([0.2, 0.8]),
        "reach": int(rng.choice([2, 5, 14])),
        "wild": rng.choice([0.1, 0.5]),
    }
    state = scenes.scramble(blank(rules), rng, rules=rules, **where, **knobs)
    things = THINGS if len(rules.levels) > 1 else scenes.COMMON
    scenes.face(state, rng.choice(things, WORLDS), where=rng.random(WORLDS) < 0.4)
    if len(rules.levels) > 1:
        boss = np.isin(state.world.theme, [i for i, level in enumerate(LEVELS) if level.boss])
        standing = boss & (state.world.boss_progress < 8)
        scenes.face(state, int(Block.NECROMANCER), where=standing & (rng.random(WORLDS) < 0.5))
        state.world.mobs.alive[boss & (rng.random(WORLDS) < 0.4)] = False
    return state


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("theme", range(len(LEVELS)))
def test_every_floor(theme, seed):
    rng = np.random.default_rng([theme, seed])
    state = scene(rng, FULL, themes=theme)
    agree(state, scenes.apt(state, rng))


@pytest.mark.parametrize("theme", range(1, len(LEVELS)))
def test_every_depth(theme):
    rng = np.random.default_rng([theme, 7])
    boss = LEVELS[theme].boss
    depths = theme if boss else rng.choice([9, 10, 17, 100, 247, 248, 249, 1000], WORLDS)
    state = scene(rng, ENDLESS, themes=theme, depths=depths)
    agree(state, scenes.apt(state, rng), ENDLESS)


@pytest.mark.parametrize("seed", range(4))
def test_classic(seed):
    rng = np.random.default_rng(seed)
    state = scene(rng, CLASSIC)
    agree(state, scenes.apt(state, rng, CLASSIC), CLASSIC)
