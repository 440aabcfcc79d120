"""Observations taken apart for the action mask: the player, the tiles about it, and the other players.

It reads the tiles about a player alone, and in coop the plane of creatures, where the others are marked.
"""

import dataclasses
from functools import partial, reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32, UInt8

from openworld.content.encoding import block_of, cell_of, fixture_of
from openworld.content.ids import DIRECTION_STEPS, Fixture, Item
from openworld.content.rulesets import Ruleset
from openworld.content.tables import BlockSet, Tables, compile_tables
from openworld.content.units import POINT
from openworld.core.state import Player, new_player
from openworld.observe.layout import AWAKE_MARK, SAME_PLACE, layout_of
from openworld.observe.players import AWAKE, DOWN
from openworld.rules.turn import choose, in_set, steps_of

Flags = Bool[Array, " n"]


class Spot(NamedTuple):
    """A tile about each player, as it is seen; 0 in all of them if it is dark."""

    tile: Int32[Array, " n"]
    creature: Int32[Array, " n"]
    missile: Int32[Array, " n"]

    @property
    def dark(self) -> Flags:
        """True if nothing is seen of it. A tile outside the map is seen as such."""
        return self.tile == 0

    def may_be(self, blocks: BlockSet) -> Flags:
        """Return whether it may have one of the blocks of a set (`content.units.block_set`)."""
        return in_set(block_of(self.tile), jnp.asarray(blocks)) | self.dark


class Others(NamedTuple):
    """The other players about each one, where they matter for what it can do."""

    ahead: Flags  # one is on the faced tile, and in the way there
    still: Flags  # such a one sleeps, rests or has fallen
    taker: Flags  # one who stands is there
    fallen: Flags  # one who can be revived is there
    helper: Flags  # one who can act is beside the faced tile, and may clear it first
    leaver: Flags  # one may take a ladder, and all come along
    several: Flags


class Sight(NamedTuple):
    """The observations of some players, taken apart."""

    tokens: UInt8[Array, "n tokens"]
    rules: Ruleset
    tables: Tables  # NumPy's
    player: Player  # of each; what the tokens do not tell is as an episode begins
    around: dict[tuple[int, int], Spot]  # (rows down, columns to the right) -> the tile there
    ahead: Spot  # the tile that each player faces
    others: Others | None

    def field(self, name: str) -> Int32[Array, "n size"]:
        """Return the tokens of a field."""
        return _field(self.tokens, self.rules, name)

    def flag(self, name: str) -> Flags:
        """Return a field of one token as a flag."""
        return self.field(name)[:, 0] > 0

    def held(self, item: Item) -> Int32[Array, " n"]:
        """Return how many of an item each player has."""
        return self.player.inventory[:, item]

    @property
    def taken(self) -> Flags:
        """True if a creature is seen on the faced tile."""
        mark = self.ahead.creature
        return (mark > 0) & (mark < AWAKE_MARK)


def _field(tokens: UInt8[Array, "n tokens"], rules: Ruleset, name: str) -> Int32[Array, "n size"]:
    return tokens[:, layout_of(rules)[name].slice].astype(jnp.int32)


def look(tokens: UInt8[Array, "n tokens"], rules: Ruleset) -> Sight:
    """Take observations apart."""
    layout = layout_of(rules)
    every = partial(_field, tokens, rules)

    def one(name: str) -> Int32[Array, " n"]:
        return every(name)[:, 0]

    player = dataclasses.replace(
        new_player(rules, tokens.shape[0]),
        facing=one("facing"),
        health=one("health") * POINT + one("health_fraction"),
        vitals=every("vitals"),
        inventory=every("inventory"),
        sword_enchantment=one("sword_enchantment"),
        bow_enchantment=one("bow_enchantment"),
        armour=every("armour"),
        armour_enchantment=every("armour_enchantment"),
        experience=one("experience"),
        attributes=every("attributes"),
        asleep=one("asleep") > 0,
        resting=one("resting") > 0,
        spells=every("spells") > 0,
    )

    def spot(down: int, right: int) -> Spot:
        cell = cell_of(rules.view_rows // 2 + down, rules.view_cols // 2 + right, rules.view_cols)
        planes = (tokens[:, layout[name].offset + cell] for name in ("tile", "creature", "missile"))
        return Spot(*(plane.astype(jnp.int32) for plane in planes))

    around = {(down, right): spot(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)}
    sides = [around[step] for step in DIRECTION_STEPS]
    ahead = Spot(*(choose(jnp.stack(plane, axis=-1), player.facing) for plane in zip(*sides, strict=True)))
    sight = Sight(tokens, rules, compile_tables(rules), player, around, ahead, None)
    return sight._replace(others=_others(sight)) if rules.coop else sight


def _others(sight: Sight) -> Others:
    """Return what the other players may do to what each one does."""
    state, number = sight.field("player_state"), sight.field("player")
    down, right = (sight.field(f"player_{axis}") - SAME_PLACE for axis in ("row", "col"))
    other = (state > 0) & (jax.lax.broadcasted_iota(jnp.int32, state.shape, 1) != number)
    present, awake = other & ((state != DOWN) | sight.rules.revival), other & (state == AWAKE)
    target = steps_of(sight.player.facing)
    apart = jnp.abs(down - target[:, :1]) + jnp.abs(right - target[:, 1:])
    there = present & (apart == 0)

    rows, cols = sight.rules.view_rows // 2, sight.rules.view_cols // 2
    near = (jnp.abs(down) <= rows) & (jnp.abs(right) <= cols)
    marked = sight.field("creature") >= AWAKE_MARK
    # A player in view whose mark is missing is in the dark, or under another's.
    missing = _count(present & near) > _count(marked)
    unseen = jnp.any(awake & ~near, axis=-1) | (missing & jnp.any(awake & near, axis=-1))
    sinks, rises = ways(sight)
    fixture = fixture_of(sight.field("tile"))
    ladder = (fixture == Fixture.LADDER_DOWN) & sinks[:, None]
    ladder = ladder | ((fixture == Fixture.LADDER_UP) & rises[:, None])
    return Others(
        ahead=jnp.any(there, axis=-1),
        still=jnp.any(there & ~awake, axis=-1),
        taker=jnp.any(there & (state != DOWN), axis=-1),
        fallen=jnp.any(there & (state == DOWN), axis=-1) & sight.rules.revival,
        helper=jnp.any(awake & (apart == 1), axis=-1),
        leaver=jnp.any(marked & ladder, axis=-1) | (unseen & (sinks | rises)),
        several=jnp.any(other, axis=-1),
    )


def _count(flags: Bool[Array, "n k"]) -> Int32[Array, " n"]:
    return jnp.sum(flags, axis=-1, dtype=jnp.int32)


def ways(sight: Sight) -> tuple[Flags, Flags]:
    """Return whether ladders lead down, and up, from the floor; one down must also be open."""
    floor = sight.field("floor")[:, 0]
    leads = [_one_of(floor, np.flatnonzero(has)) for has in sight.tables.floors.ladders.T]
    return sight.flag("ladder_open") & (leads[0] | ~jnp.bool_(sight.rules.ends_at_boss)), leads[1]


def _one_of(values: Int32[Array, " n"], numbers: np.ndarray) -> Flags:
    flags = [values == int(number) for number in numbers]
    return reduce(jnp.logical_or, flags, jnp.zeros(values.shape, bool))
