"""The numbers of an observation in tokens: the parts that the encoders share.

Tokens stay bytes until they are on the device. A table turns each tile into a few numbers, the tile in front
of the player is one-hot, and counts are scaled. No token is left out.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, UInt8

from openworld.content.encoding import LIGHT_MASK
from openworld.content.units import LIGHT_LEVELS
from openworld_trainers.ppo import history
from openworld_trainers.ppo.config import Network

#: The bits of a token of the light plane that are the light; the others are the player's own projectiles.
LIGHT = np.uint8(LIGHT_MASK)
#: A count is encoded by whether it reaches each of these, and by its square root.
THRESHOLDS = (1, 2, 3, 4)

#: The tokens of a batch by field.
Runs = dict[str, UInt8[Array, "B _"]]


class TokenFeatures(eqx.Module):
    """The tables of tiles and creatures, and the numbers of every field of the tokens.

    The sizes of the vocabularies come from the layout of the tokens.

    Attributes:
        tile: the embedding of each kind of tile.
        creature: the embedding of each creature.
        learned: both tables are learned. Without it they keep their first values, and a gradient costs half.
        features: the number of features.
        fields: (name, start, stop, scale) of each range of tokens that is not always 0.
        blocks: the number of kinds of blocks; the kinds of fixtures follow.
        items: the columns of the inventory that the rules use.
        floors: the number of floors with an own one-hot entry; deeper floors have only their depth.
        faced: the index of the tile to the left, right, above and below.
        actions: the number of actions if the observation ends with the previous one (`history`), else 0.
        dark: there are floors without daylight.
    """

    tile: Float[Array, "kinds embedding"]
    creature: Float[Array, "bodies half"]
    learned: bool = eqx.field(static=True)
    features: int = eqx.field(static=True)
    fields: tuple[tuple[str, int, int, float], ...] = eqx.field(static=True)
    blocks: int = eqx.field(static=True)
    items: tuple[int, ...] = eqx.field(static=True)
    floors: int = eqx.field(static=True)
    faced: tuple[int, ...] = eqx.field(static=True)
    actions: int = eqx.field(static=True)
    dark: bool = eqx.field(static=True)

    def __init__(self, key: Key[Array, ""], settings: Network, ruleset: Any) -> None:
        from openworld.content.ids import DIRECTION_STEPS
        from openworld.content.reach import reachable
        from openworld.observe.layout import layout_of

        layout = layout_of(ruleset)
        cols, middle = ruleset.view_cols, ruleset.view_rows * ruleset.view_cols // 2
        self.fields = tuple(
            (f.name, f.offset, f.offset + f.size, 1 / f.high) for f in layout.values() if f.high
        )
        fixtures, last_block = divmod(layout["tile"].high, 64)
        self.blocks = last_block + 1
        self.items = tuple(sorted(reachable(ruleset).items))
        self.floors = len(ruleset.floors)
        self.faced = tuple(middle + cols * row + col for row, col in DIRECTION_STEPS)
        self.learned = settings.learn_embedding
        self.actions = ruleset.actions if settings.previous_action else 0
        self.dark = not all(floor.lit for floor in ruleset.floors)
        keys = jax.random.split(key, 2)
        half = -(-settings.embedding // 2)
        self.tile = jax.random.normal(keys[0], (self.blocks + fixtures, settings.embedding), jnp.float32)
        # The embedding of "no creature" is zero: most tiles have none.
        bodies = (layout["creature"].high + 1, half)
        self.creature = jax.random.normal(keys[1], bodies, jnp.float32).at[0].set(0.0)
        self.features = 0

    @staticmethod
    def blank(ruleset: Any, previous_action: bool) -> jax.ShapeDtypeStruct:
        """Return the shape of one observation."""
        from openworld.observe.layout import layout_of

        return jax.ShapeDtypeStruct((1, layout_of(ruleset).size + history.SIZE * previous_action), jnp.uint8)

    def __call__(self, observation: UInt8[Array, "B tokens"], dtype: np.dtype) -> Float[Array, "B features"]:
        """Encode a batch of tokens."""
        raise NotImplementedError

    def runs(self, observation: UInt8[Array, "B tokens"]) -> Runs:
        """Return the tokens by field, the tiles as their kinds."""
        runs = {name: observation[:, start:stop] for name, start, stop, _ in self.fields}
        return {**runs, "tile": kind_of(runs["tile"], self.blocks)}

    def scalars(self, observation: UInt8[Array, "B tokens"], runs: Runs) -> list[Float[Array, "B _"]]:
        """Return everything but the planes of the view: the faced tile, belongings and state."""
        carried = [runs["inventory"][:, item : item + 1] for item in self.items]
        parts = [
            self._front(runs),
            reach(jnp.concatenate(carried, axis=1)),
            one_hot(runs["facing"], len(self.faced)),
        ]
        if "floor" in runs:
            parts += [one_hot(runs["floor"], self.floors), root(runs["floor"])]
        if "experience" in runs:
            parts += [reach(runs["experience"])]
        if self.actions:
            previous, effect = observation[:, -2:-1], observation[:, -1:]
            parts += [one_hot(previous, self.actions + 1), effect.astype(jnp.float32)]
        encoded = ("tile", "creature", "missile", "light", "inventory", "facing", "floor", "experience")
        return parts + [
            runs[name].astype(jnp.float32) * jnp.float32(scale)
            for name, _, _, scale in self.fields
            if name not in encoded
        ]

    def planes(self, runs: Runs) -> list[Float[Array, "B view"]]:
        """Return the projectiles on each tile, and its light if the rules have floors that are dark."""
        flying = (runs["missile"] > 0).astype(jnp.float32)
        if not self.dark:
            return [flying]
        level, own = runs["light"] & LIGHT, (runs["light"] > LIGHT).astype(jnp.float32)
        # The player's own projectiles share a plane with those of creatures.
        return [flying - 0.5 * own, level.astype(jnp.float32) / LIGHT_LEVELS]

    def _front(self, runs: Runs) -> Float[Array, "B front"]:
        """Return the faced tile and the creature on it, one-hot."""
        ahead = one_hot(runs["facing"], len(self.faced)).astype(jnp.uint8)

        def pick(run: UInt8[Array, "B view"]) -> UInt8[Array, "B 1"]:
            around = jnp.stack([run[:, tile] for tile in self.faced], axis=1)
            return jnp.sum(around * ahead, axis=1, keepdims=True, dtype=jnp.uint8)

        return jnp.concatenate(
            [
                one_hot(pick(runs["tile"]), self.tile.shape[0]),
                one_hot(pick(runs["creature"]), self.creature.shape[0]),
            ],
            axis=1,
        )


def kind_of(tile: UInt8[Array, "B view"], blocks: int) -> UInt8[Array, "B view"]:
    """Return a tile's kind from its byte, block + 64 x fixture; a fixture hides its block."""
    fixture = tile // np.uint8(64)
    return jnp.where(fixture > 0, fixture + np.uint8(blocks - 1), tile)


def one_hot(index: UInt8[Array, "B n"], kinds: int) -> Float[Array, "B n_kinds"]:
    """Return the one-hot encoding of small ids, flattened."""
    hot = index[:, :, None] == jnp.arange(kinds, dtype=index.dtype)[None, None, :]
    return hot.reshape(index.shape[0], -1).astype(jnp.float32)


def reach(count: UInt8[Array, "B n"]) -> Float[Array, "B n_marks"]:
    """Return whether counts reach each of `THRESHOLDS`, and a third of their square root."""
    marks = [(count >= np.uint8(mark)).astype(jnp.float32) for mark in THRESHOLDS]
    return jnp.concatenate([*marks, root(count)], axis=1)


def root(count: UInt8[Array, "B n"]) -> Float[Array, "B n"]:
    """Return a third of the square root of counts."""
    return jnp.sqrt(count.astype(jnp.float32)) / 3


def look_up(
    table: Float[Array, "kinds width"], index: UInt8[Array, "B n"], learned: bool
) -> Float[Array, "B n_width"]:
    """Return rows of a table, side by side; gradients reach the table only if `learned`."""
    rows = _embed(table, index) if learned else jax.lax.stop_gradient(table)[index]
    return rows.reshape(index.shape[0], -1)


@jax.custom_vjp
def _embed(table: Array, index: Array) -> Array:
    return table[index]


def _embed_forward(table: Array, index: Array) -> tuple[Array, tuple[Array, Array]]:
    return table[index], (table, index)


def _embed_backward(kept: tuple[Array, Array], gradient: Array) -> tuple[Array, None]:
    """Sum the gradients of each row: by a scatter on a CPU, by a matrix product on accelerators."""
    table, index = kept
    index, gradient = index.reshape(-1), gradient.reshape(-1, table.shape[1])

    def scatter(index: Array, gradient: Array) -> Array:
        return jnp.zeros_like(table).at[index].add(gradient)

    def product(index: Array, gradient: Array) -> Array:
        return jax.nn.one_hot(index, table.shape[0], dtype=gradient.dtype).T @ gradient

    return jax.lax.platform_dependent(index, gradient, cpu=scatter, default=product), None


_embed.defvjp(_embed_forward, _embed_backward)
