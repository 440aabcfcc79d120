"""The published symbolic observations, decoded from tokens: the full rules' (rule 7.1), else `classic`.

Per tile in view: 37 block bits, 5 fixture bits, 5 x 8 body bits (melee, passive, ranged, creatures' projectiles,
players' projectiles), 1 visible bit; then 51 scalars. 9 x 11 x 83 + 51 = 8268 floats. A company's game has its own
floats after them (`company.floats`).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, UInt8

from openworld.content.ids import Block, Fixture, Item
from openworld.content.rulesets import FULL, Ruleset
from openworld.content.units import DAYLIGHT_LEVELS, POINT
from openworld.observe import classic
from openworld.observe import players as company
from openworld.observe.layout import PLAYER_PROJECTILES, layout_of
from openworld.observe.tokens import DARK

#: Channels per tile, and scalars after the tiles.
CHANNELS, SCALARS = len(Block) + len(Fixture) + 40 + 1, 51


def symbolic_size(rules: Ruleset = FULL) -> int:
    """Return how many floats the observation has."""
    channels, scalars = (
        (classic.CHANNELS, classic.SCALARS) if rules.symbolic == "classic" else (CHANNELS, SCALARS)
    )
    if rules.company:
        channels, scalars = channels + company.CHANNELS, scalars + company.SCALARS
    return rules.view_rows * rules.view_cols * channels + scalars


def symbolic(tokens: UInt8[Array, "*batch tokens"], rules: Ruleset = FULL) -> Float32[Array, "*batch floats"]:
    """Decode tokens to the symbolic observation."""
    layout = layout_of(rules)
    field = {name: tokens[..., f.slice].astype(jnp.int32) for name, f in layout.items()}
    tiles, scalars = (classic.tiles, classic.scalars) if rules.symbolic == "classic" else (_tiles, _scalars)
    with jax.named_scope("symbolic"):
        parts = [tiles(field).reshape(*tokens.shape[:-1], -1), *scalars(field)]
        parts += company.floats(field) if rules.company else []
        return jnp.concatenate(parts, axis=-1)


def _tiles(field: dict[str, Array]) -> Float32[Array, "*batch view channels"]:
    light = field["light"] & 31
    seen = (light > DARK)[..., None]
    block = _one_hot(field["tile"] & 63, len(Block)) & seen
    fixture = _one_hot(field["tile"] >> 6, len(Fixture)) & seen
    body = _one_hot(field["creature"] - 1, 24)
    kinds = jax.lax.broadcasted_iota(jnp.int32, (*light.shape, 8), light.ndim)
    missile = (field["missile"][..., None] >> kinds) & 1 == 1
    own = jnp.zeros_like(missile)
    for i, kind in enumerate(PLAYER_PROJECTILES):
        flying = field["light"][..., None] & (32 << i) > 0
        own = own | (flying & (kinds == kind))
    return jnp.concatenate([block, fixture, body, missile, own, seen], axis=-1).astype(jnp.float32)


def _one_hot(values: Array, width: int) -> Array:
    return values[..., None] == jax.lax.broadcasted_iota(jnp.int32, (*values.shape, width), values.ndim)


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
        _one_hot(field["facing"][..., 0], 4).astype(jnp.float32),
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
