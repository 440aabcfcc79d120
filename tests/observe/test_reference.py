"""The observation's reference page is today's: its tokens are the layouts', its floats what the decoders make."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.content.creatures import CREATURES
from openworld.content.encoding import PLAYER_PROJECTILES
from openworld.content.ids import Block, Fixture, Item, Kind, Vital
from openworld.content.rulesets import CLASSIC, ENDLESS, FULL
from openworld.observe.layout import layout_of
from openworld.observe.symbolic import symbolic, symbolic_size
from openworld.registry import ENVIRONMENTS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "observation.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
FLOATS = {
    FULL: SECTIONS["Floats of OpenWorld-v0 and OpenWorld-Endless-v0"],
    CLASSIC: SECTIONS["Floats of OpenWorld-Classic-v0"],
}
#: What the page calls a float's value -> that value of a token.
VALUES = {
    "n": lambda n: n,
    "n / 2": lambda n: n / 2,
    "n / 4": lambda n: n / 4,
    "n / 10": lambda n: n / 10,
    "n / 250": lambda n: n / 250,
    "√n / 10": lambda n: np.sqrt(n) / 10,
    "one-hot": lambda n: np.eye(4)[int(n[0])],
}


def rows(text):
    """The cells of the rows of the tables in a text, heads left out."""
    table = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [row for row in table if row[0] not in ("field", "first", "id", "---")]


def any_tokens(rules):
    """Tokens with every value that the layout allows."""
    layout = layout_of(rules)
    high = np.concatenate([np.full(field.size, field.high) for field in layout.values()])
    return np.random.default_rng(3).integers(0, high + 1).astype(np.uint8), layout


def decoded(tokens, rules):
    return np.asarray(jax.jit(lambda t: symbolic(t, rules))(jnp.asarray(tokens)[None]))[0]


def sizes(rules):
    return layout_of(rules).size, symbolic_size(rules)


def test_the_sizes_are_those_of_the_ids():
    told = {row[0].strip("`"): row[1:] for row in rows(PAGE.split("\n## ")[0])}
    assert told == {
        id: [f"{row.rules.view_rows} x {row.rules.view_cols}", *map(str, sizes(row.rules))]
        for id, row in ENVIRONMENTS.items()
        if row.observation is None
    }


@pytest.mark.parametrize(("id", "rules"), [("OpenWorld-v0", FULL), ("OpenWorld-Classic-v0", CLASSIC)])
def test_every_token_stands_in_the_page(id, rules):
    fields = [
        [str(v) for v in (f.name, f.offset, f.size, f.high, f.meaning)] for f in layout_of(rules).values()
    ]
    assert rows(SECTIONS[f"Tokens of {id}"]) == fields


def test_the_endless_layout_differs_as_the_page_says():
    full, endless = layout_of(FULL), layout_of(ENDLESS)
    assert {name for name in full if full[name] != endless[name]} == {"experience", "floor"}
    assert endless["experience"].high == endless["floor"].high == 255


@pytest.mark.parametrize("rules", FLOATS, ids=lambda rules: rules.name)
def test_every_scalar_is_what_the_page_says(rules):
    tokens, layout = any_tokens(rules)
    floats = decoded(tokens, rules)
    scalars = [row for row in rows(FLOATS[rules]) if len(row) == 4]
    for first, size, names, value in scalars:
        n = np.concatenate([values_of(tokens, layout, name) for name in names.split(", ")])
        span = slice(int(first), int(first) + int(size))
        np.testing.assert_allclose(floats[span], VALUES[value](n), rtol=1e-6, err_msg=names)
    told = [i for first, size, *_ in scalars for i in range(int(first), int(first) + int(size))]
    assert told == list(range(told[0], len(floats)))


def values_of(tokens, layout, name):
    """The numbers that the page calls by a name: an item's, a vital's, or a field's."""
    if name.upper() in Item.__members__:
        return tokens[layout["inventory"].slice][[Item[name.upper()]]].astype(float)
    if name.upper() in Vital.__members__:
        return tokens[layout["vitals"].slice][[Vital[name.upper()]]].astype(float)
    values = tokens[layout[name].slice].astype(float)
    return values + tokens[layout["health_fraction"].slice] / 40 if name == "health" else values


@pytest.mark.parametrize("rules", FLOATS, ids=lambda rules: rules.name)
def test_every_channel_is_what_the_page_says(rules):
    """One thing after another on a tile of its own: it lights the channel that the page gives it, and no other."""
    told = [(int(row[0]), int(row[1]), row[2]) for row in rows(FLOATS[rules]) if len(row) == 3]
    things = [thing for first, size, what in told for thing in shown(first, size, what)]
    layout, channels = layout_of(rules), told[-1][0] + told[-1][1]
    # No block and no fixture are blocks and fixtures too, and all of it is seen.
    always = {first for first, _, what in told if what in ("block", "fixture", "visible")}
    view = rules.view_rows * rules.view_cols
    for start in range(0, len(things), view):
        tokens = np.zeros(layout.size, np.uint8)
        tokens[layout["light"].slice] = 30
        for tile, (_, field, value) in enumerate(things[start : start + view]):
            tokens[layout[field].offset + tile] = value
        floats = decoded(tokens, rules)[: view * channels].reshape(view, channels)
        for tile, (channel, _, _) in enumerate(things[start : start + view]):
            lit = set(np.flatnonzero(floats[tile]).tolist())
            assert channel in lit
            assert lit <= {channel, *always}


def shown(first, size, what):
    """(channel, field, token) of the things that a row of channels tells apart."""
    kinds = {"melee": Kind.MELEE, "passive": Kind.PASSIVE, "ranged": Kind.RANGED}
    named = {row.name: row for row in CREATURES}
    if what in ("block", "fixture"):
        enum, shift = (Block, 0) if what == "block" else (Fixture, 6)
        return [(first + i, "tile", i << shift) for i in enum if i < size and i << shift < 256]
    if what in kinds:
        return [(first + i, "creature", 1 + 8 * kinds[what] + i) for i in range(size)]
    if what in named:
        return [(first, "creature", 1 + 8 * named[what].kind + named[what].number)]
    if what == "players' projectile":
        return [(first + p, "light", 30 + (32 << i)) for i, p in enumerate(PLAYER_PROJECTILES)]
    if what == "visible":
        return [(first, "light", 30)]
    return [(first + i, "missile", 1 << i) for i in range(size)]
