"""Tokens from the published symbolic observation: the inverse of `symbolic`, as far as its floats tell.

With it an agent that reads tokens can play wherever the published floats are shown. A token that the floats
do not tell gets a value that is always the same; `UNTOLD` lists these.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32, UInt8

from openworld.content.encoding import (
    CREATURE_MARKS,
    PLAYER_PROJECTILES,
    TYPE_ROOM,
    creature_mark,
    projectile_bit,
    tile_of,
)
from openworld.content.ids import Attribute, Block, Direction, Fixture, Item, Kind, Projectile, Vital
from openworld.content.rulesets import FULL, Ruleset
from openworld.content.units import DAYLIGHT_LEVELS, LIGHT_LEVELS, POINT
from openworld.observe import classic_symbolic as classic
from openworld.observe.layout import layout_of
from openworld.observe.symbolic import CHANNELS, SCALARS, symbolic_size


@dataclass(frozen=True)
class Untold:
    """Something in the tokens that the floats do not tell.

    Attributes:
        rules: the published layout, "full" or "classic".
        field: of the tokens.
        what: the part of the field.
        value: the token that stands there instead.
    """

    rules: str
    field: str
    what: str
    value: str


#: All that the floats do not tell. Tests compare it with docs/guides/evaluate.md.
UNTOLD: tuple[Untold, ...] = (
    Untold("full", "light", "how light a seen tile is", f"{LIGHT_LEVELS}, full light"),
    Untold("full", "light", "how dark an unseen tile is", "0"),
    Untold("full", "tile", "whether an unseen tile is outside the map", "0, as in the dark"),
)
#: Tokens of the classic rules that are no floats, as they are the same in every state.
_CLASSIC_MANA, _CLASSIC_ATTRIBUTE, _CLASSIC_LADDER = 9, 1, 1

_Field = dict[str, Int32[Array, "*batch n"]]


def tokens_of(floats: Float[Array, "*batch floats"], rules: Ruleset = FULL) -> UInt8[Array, "*batch tokens"]:
    """Return the tokens of which these are the symbolic observation; jittable.

    Args:
        floats: the symbolic observation, OpenWorld's or the published package's, of any precision in which
            tenths differ.
        rules: those of one player.

    Raises:
        ValueError: the rules are for several players, or have another number of floats.

    Example:
        >>> from openworld.content.rulesets import CLASSIC
        >>> from openworld.observe.symbolic import symbolic
        >>> tokens = jnp.zeros(layout_of(CLASSIC).size, jnp.uint8).at[layout_of(CLASSIC)["health"].offset].set(7)
        >>> again = tokens_of(symbolic(tokens, CLASSIC), CLASSIC)
        >>> int(again[layout_of(CLASSIC)["health"].offset])
        7
    """
    if rules.coop:
        raise ValueError("tokens of coop cannot be made from floats; rules of one player can")
    if floats.shape[-1] != symbolic_size(rules):
        raise ValueError(f"there are {symbolic_size(rules)} floats, not {floats.shape[-1]}")
    is_classic, batch = rules.symbolic == "classic", floats.shape[:-1]
    channels, scalars = (classic.CHANNELS, classic.SCALARS) if is_classic else (CHANNELS, SCALARS)
    view = rules.view_rows * rules.view_cols
    tiles = floats[..., : view * channels].reshape(*batch, view, channels) > 0
    numbers = _Numbers(floats[..., -scalars:].astype(jnp.float32))
    with jax.named_scope("tokens_of"):
        field = _classic(tiles, numbers) if is_classic else _full(tiles, numbers)
        empty = jnp.zeros((*batch, 1), jnp.int32)
        parts = [
            jnp.broadcast_to(field.get(name, empty), (*batch, row.size))
            for name, row in layout_of(rules).items()
        ]
        return jnp.concatenate(parts, axis=-1).astype(jnp.uint8)


class _Numbers:
    """The floats after the tiles, read one run after the other."""

    def __init__(self, floats: Float[Array, "*batch scalars"]) -> None:
        self._floats, self._at = floats, 0

    def next(self, size: int = 1, scale: float | int = 1, *, root: bool = False) -> Int32[Array, "*batch n"]:
        """Return the next whole numbers; `scale` is what one float is multiplied with, `root` of a root."""
        found = self._floats[..., self._at : self._at + size] * jnp.float32(scale)
        self._at += size
        return jnp.round(found * found if root else found).astype(jnp.int32)

    def one_hot(self, size: int) -> Int32[Array, "*batch 1"]:
        """Return the number of the next one-hot vector."""
        return jnp.argmax(self.next(size), axis=-1, keepdims=True).astype(jnp.int32)


def _full(tiles: Bool[Array, "*batch view channels"], numbers: _Numbers) -> _Field:
    """Read the full rules' floats."""
    at = [len(Block), len(Fixture), CREATURE_MARKS - 1, TYPE_ROOM, TYPE_ROOM, 1]
    ends = [sum(at[: i + 1]) for i in range(len(at) - 1)]
    block, fixture, body, missile, own, seen = jnp.split(tiles, ends, axis=-1)
    seen = seen[..., 0]
    bits = jnp.int32(1) << jnp.arange(TYPE_ROOM, dtype=jnp.int32)
    flying = [
        jnp.where(own[..., kind], jnp.int32(projectile_bit(i)), jnp.int32(0))
        for i, kind in enumerate(PLAYER_PROJECTILES)
    ]
    planes = {
        "tile": jnp.where(seen, tile_of(_which(block), _which(fixture)), jnp.int32(0)),
        "creature": jnp.where(body.any(axis=-1), 1 + _which(body), jnp.int32(0)),
        "missile": _weighed(missile, bits),
        "light": jnp.where(seen, jnp.int32(LIGHT_LEVELS), jnp.int32(0)) + sum(flying),
    }
    many = numbers.next(Item.ARROW + 1, 10, root=True)
    book, pickaxe, sword = (numbers.next(scale=scale) for scale in (2, 4, 4))
    enchantments = {name: numbers.next() for name in ("sword_enchantment", "bow_enchantment")}
    bow, potions = numbers.next(), numbers.next(Item.POTION_YELLOW + 1 - Item.POTION_RED, 10, root=True)
    return {
        **planes,
        "inventory": jnp.concatenate([many, book, pickaxe, sword, bow, potions], axis=-1),
        **enchantments,
        **_health(numbers),
        "vitals": numbers.next(len(Vital), 10),
        "experience": numbers.next(scale=10),
        "attributes": numbers.next(len(Attribute), 10),
        "facing": numbers.one_hot(len(Direction)),
        "armour": numbers.next(4, 2),
        "armour_enchantment": numbers.next(4),
        "daylight": numbers.next(scale=DAYLIGHT_LEVELS),
        "asleep": numbers.next(),
        "resting": numbers.next(),
        "spells": numbers.next(2),
        "floor": numbers.next(scale=10),
        "ladder_open": numbers.next(),
        "boss_vulnerable": numbers.next(),
    }


def _classic(tiles: Bool[Array, "*batch view channels"], numbers: _Numbers) -> _Field:
    """Read the classic rules' floats."""
    last = classic.CHANNELS - 4
    block, arrow = _which(tiles[..., :last]), tiles[..., -1]
    kinds = (Kind.MELEE, Kind.PASSIVE, Kind.RANGED)
    marks = jnp.array([creature_mark(kind, 0) for kind in kinds], jnp.int32)
    bag = numbers.next(len(classic.INVENTORY), 10)
    held = {item: bag[..., i : i + 1] for i, item in enumerate(classic.INVENTORY)}
    none = jnp.zeros_like(held[Item.WOOD])
    health, vitals = _health(numbers), numbers.next(Vital.ENERGY + 1, 10)
    return {
        "tile": block,
        "creature": _weighed(tiles[..., last:-1], marks),
        "missile": jnp.where(arrow, jnp.int32(1 << Projectile.ARROW), jnp.int32(0)),
        "light": jnp.where(block == Block.OUT_OF_BOUNDS, jnp.int32(0), jnp.int32(LIGHT_LEVELS)),
        "inventory": jnp.concatenate([held.get(item, none) for item in Item], axis=-1),
        **health,
        "vitals": jnp.concatenate([vitals, jnp.full_like(none, _CLASSIC_MANA)], axis=-1),
        "attributes": jnp.full_like(none, _CLASSIC_ATTRIBUTE),
        "facing": numbers.one_hot(len(Direction)),
        "daylight": numbers.next(scale=DAYLIGHT_LEVELS),
        "asleep": numbers.next(),
        "ladder_open": jnp.full_like(none, _CLASSIC_LADDER),
    }


def _health(numbers: _Numbers) -> _Field:
    """Read the health, in fortieths."""
    units = numbers.next(scale=10 * POINT)
    return {"health": units // POINT, "health_fraction": units % POINT}


def _which(bits: Bool[Array, "*batch n"]) -> Int32[Array, "*batch"]:
    """Return the number of the first bit that is set, or 0."""
    return jnp.argmax(bits, axis=-1).astype(jnp.int32)


def _weighed(bits: Bool[Array, "*batch n"], weights: Int32[Array, " n"]) -> Int32[Array, "*batch"]:
    """Return the sum of the weights whose bits are set."""
    shown = weights.reshape((1,) * (bits.ndim - 1) + weights.shape)
    return jnp.sum(jnp.where(bits, shown, jnp.int32(0)), axis=-1, dtype=jnp.int32)
