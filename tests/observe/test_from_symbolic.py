"""Tokens made from floats: the floats' own tokens but for what no float tells, and the same floats again."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.content.encoding import LIGHT_MASK
from openworld.content.ids import Block
from openworld.content.rulesets import CLASSIC as CLASSIC_RULES
from openworld.content.rulesets import COOP
from openworld.observe.from_symbolic import UNTOLD, tokens_of
from openworld.observe.layout import layout_of
from openworld.observe.symbolic import symbolic_size
from tests.observe import helpers_scenes
from tests.oracle import driver, scenes
from tests.oracle.book import CLASSIC, ENDLESS, FULL
from tests.oracle.names import Action

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "evaluate.md"
ALL = pytest.mark.parametrize("rules", [FULL, CLASSIC, ENDLESS], ids=lambda rules: rules.id)


def any_states(seed, rules):
    """Tokens of worlds in any state, on any floor."""
    rng = np.random.default_rng(seed)
    deep = rng.integers(1, 9, driver.WORLDS)
    below = {"themes": deep, "depths": np.where(deep == 8, 8, rng.choice([9, 10, 300], driver.WORLDS))}
    state = scenes.scramble(
        driver.blank(rules), rng, rules=rules, crowd=0.8, reach=5, **(below if rules is ENDLESS else {})
    )
    if rules is CLASSIC:  # no classic world has other mana, or a closed ladder
        state.world.player.vitals[:, 0, 3], state.world.floors.kills[:] = 9, 10
    return driver.play(state, np.full(driver.WORLDS, Action.NOOP, np.int32), rules)[0]


def there_and_back(tokens, rules):
    """The tokens made from the floats of tokens, and both floats."""
    floats = driver.decoder(rules)(jnp.asarray(tokens))
    again = jax.jit(lambda x: tokens_of(x, driver.environment(rules).ruleset))(floats)
    return np.asarray(again), np.asarray(floats), np.asarray(driver.decoder(rules)(again))


def as_told(tokens, rules):
    """The tokens with the values of `UNTOLD` in place of what no float tells."""
    layout, told = layout_of(rules), np.array(tokens)
    if rules.symbolic == "classic":
        return told
    light, tile = told[..., layout["light"].slice], told[..., layout["tile"].slice]
    seen = (light & LIGHT_MASK) > 1
    tile[~seen] = Block.INVALID
    light[:] = np.where(seen, 30, 0) + (light & ~np.uint8(LIGHT_MASK))
    return told


@ALL
@pytest.mark.parametrize("seed", [0, 1])
def test_they_are_the_same_tokens_but_for_what_is_listed(seed, rules):
    tokens = any_states(seed, rules)
    again, floats, same = there_and_back(tokens, rules)
    made = driver.environment(rules).ruleset
    np.testing.assert_array_equal(again, as_told(tokens, made))
    np.testing.assert_array_equal(floats, same)
    changed = {name for name, row in layout_of(made).items() if (again != tokens)[:, row.slice].any()}
    assert changed == {row.field for row in UNTOLD if row.rules == made.symbolic}
    if rules is FULL:
        assert set(again[:, layout_of(made)["floor"].offset].tolist()) == set(range(9))


@pytest.mark.parametrize("name", [name for name in helpers_scenes.every() if "coop" not in name])
def test_scenes_made_by_hand(name):
    scene = helpers_scenes.every()[name]
    if scene.rules is CLASSIC_RULES:
        scene.set(ladder_open=1, light=np.where(scene.plane("tile") == Block.OUT_OF_BOUNDS, 0, 30))
        scene.tokens[scene.layout["vitals"].slice.stop - 1] = 9
    rules = CLASSIC if scene.rules is CLASSIC_RULES else FULL
    again, floats, same = there_and_back(scene.tokens[None], rules)
    np.testing.assert_array_equal(again, as_told(scene.tokens[None], scene.rules))
    np.testing.assert_array_equal(floats, same)


def test_half_precision_is_enough_for_the_classic_tenths():
    tokens = any_states(2, CLASSIC)
    floats = driver.decoder(CLASSIC)(jnp.asarray(tokens))
    rough = jnp.concatenate(
        [floats[:, :1335], floats[:, 1335:1339].astype(jnp.float16).astype(jnp.float32), floats[:, 1339:]],
        axis=1,
    )
    np.testing.assert_array_equal(np.asarray(tokens_of(rough, CLASSIC_RULES)), tokens)


@pytest.mark.parametrize(
    ("floats", "rules", "message"),
    [
        (8268, CLASSIC_RULES, "there are 1345 floats, not 8268"),
        (symbolic_size(COOP), COOP, "tokens of coop cannot"),
    ],
)
def test_other_floats_are_refused(floats, rules, message):
    with pytest.raises(ValueError, match=message):
        tokens_of(jnp.zeros(floats), rules)


def test_the_guide_lists_what_the_floats_do_not_tell():
    rows = re.findall(r"^\| (full|classic) \| `(\w+)` \| (.*?) \| (.*?) \|$", GUIDE.read_text(), re.M)
    assert rows == [(row.rules, row.field, row.what, row.value) for row in UNTOLD]
