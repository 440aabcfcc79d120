"""The published symbolic observations, decoded from tokens: rule 7.1's, or `classic`.

Per tile in view: 37 block bits, 5 fixture bits, 5 x 8 body bits (melee, passive, ranged, creatures'
projectiles, players' projectiles), 1 visible bit; then 51 scalars. 9 x 11 x 83 + 51 = 8268 floats. In coop
the floats of the players follow (`players.player_floats`).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, UInt8

from openworld.content.encoding import (
    CREATURE_MARKS,
    PLAYER_PROJECTILES,
    TYPE_ROOM,
    block_of,
    fixture_of,
    light_of,
    projectile_bit,
)
from openworld.content.ids import Block, Direction, Fixture, Item
from openworld.content.rulesets import FULL, Ruleset
from openworld.content.units import DAYLIGHT_LEVELS, POINT
from openworld.observe import classic_symbolic, players
from openworld.observe.layout import layout_of
from openworld.observe.one_hot import one_hot
from openworld.observe.tokens import DARK

#: Channels per tile, and scalars after the tiles.
CHANNELS, SCALARS = len(Block) + len(Fixture) + 40 + 1, 51


def symbolic_size(rules: Ruleset = FULL) -> int:
    """Return how many floats the observation has.

    Example:
        >>> symbolic_size()
        8268
    """
    channels, scalars = (
        (classic_symbolic.CHANNELS, classic_symbolic.SCALARS)
        if rules.symbolic == "classic"
        else (CHANNELS, SCALARS)
    )
    if rules.coop:
        channels, scalars = channels + players.CHANNELS, scalars + players.SCALARS
    return rules.view_rows * rules.view_cols * channels + scalars


def symbolic(tokens: UInt8[Array, "*batch tokens"], rules: Ruleset = FULL) -> Float32[Array, "*batch floats"]:
    """Decode tokens to the symbolic observation.

    Example:
        >>> symbolic(jnp.zeros((2, layout_of(FULL).size), jnp.uint8)).shape == (2, symbolic_size(FULL))
        True
    """
    layout = layout_of(rules)
    field = {name: tokens[..., f.slice].astype(jnp.int32) for name, f in layout.items()}
    tiles, scalars = (
        (classic_symbolic.tiles, classic_symbolic.scalars)
        if rules.symbolic == "classic"
        else (_tiles, _scalars)
    )
    with jax.named_scope("symbolic"):
        parts = [tiles(field).reshape(*tokens.shape[:-1], -1), *scalars(field)]
        parts += players.player_floats(field) if rules.coop else []
        return jnp.concatenate(parts, axis=-1)


def _tiles(field: dict[str, Array]) -> Float32[Array, "*batch view channels"]:
    light = light_of(field["light"])
    seen = (light > DARK)[..., None]
    block = one_hot(block_of(field["tile"])[..., None], len(Block)) & seen
    fixture = one_hot(fixture_of(field["tile"])[..., None], len(Fixture)) & seen
    body = one_hot(field["creature"][..., None] - 1, CREATURE_MARKS - 1)
    projectiles = jax.lax.broadcasted_iota(jnp.int32, (*light.shape, TYPE_ROOM), light.ndim)
    missile = (field["missile"][..., None] >> projectiles) & 1 == 1
    own = jnp.zeros_like(missile)
    for i, projectile in enumerate(PLAYER_PROJECTILES):
        flying = field["light"][..., None] & projectile_bit(i) > 0
        own = own | (flying & (projectiles == projectile))
    return jnp.concatenate([block, fixture, body, missile, own, seen], axis=-1).astype(jnp.float32)


def _scalars(field: dict[str, Array]) -> list[Float32[Array, "*batch n"]]:
    """The 51 floats after the tiles, in the published order."""

    def real(name: str, scale: float | int = 1) -> Float32[Array, "*batch n"]:
        return field[name].astype(jnp.float32) / jnp.float32(scale)

    inventory = field["inventory"].astype(jnp.float32)

    def item(first: Item, last: Item | None = None) -> Float32[Array, "*batch n"]:
        return inventory[..., first : (first if last is None else last) + 1]

    health = real("health") + real("health_fraction", POINT)
    return [
        jnp.sqrt(item(Item.WOOD, Item.ARROW)) / 10,
        item(Item.BOOK) / 2,
        item(Item.PICKAXE) / 4,
        item(Item.SWORD) / 4,
        real("sword_enchantment"),
        real("bow_enchantment"),
        item(Item.BOW),
        jnp.sqrt(item(Item.POTION_RED, Item.POTION_YELLOW)) / 10,
        health / 10,
        real("vitals", 10),
        real("experience", 10),
        real("attributes", 10),
        one_hot(field["facing"], len(Direction)).astype(jnp.float32),
        real("armour", 2),
        real("armour_enchantment"),
        real("daylight", DAYLIGHT_LEVELS),
        real("asleep"),
        real("resting"),
        real("spells"),
        real("floor", 10),
        real("ladder_open"),
        real("boss_vulnerable"),
    ]
