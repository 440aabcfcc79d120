"""Pixels: a small picture of an observation, decoded from tokens (rules 7.1 and 1.11).

The view has 9 x 11 tiles of 10 x 10 pixels (classic: 7 x 9 of 7 x 7). Below it are 4 (2) rows of places for
vitals, items and states. Each tile and each place is one patch of a table. Darkness, night and sleep dim the
view. All numbers are whole, so the picture is the same on every device.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.layout import Layout, with_layout_constraint
from jaxtyping import Array, Int32, UInt8, UInt16

from openworld.content.encoding import PLAYER_PROJECTILES, light_of, projectile_flies, shown_tiles
from openworld.content.ids import Floor
from openworld.content.rulesets import FULL, Ruleset
from openworld.content.units import DAYLIGHT_LEVELS, LIGHT_LEVELS
from openworld.core.xla import opaque_true, stage_of
from openworld.observe.layout import AWAKE_MARK, MOST_PLAYERS, layout_of
from openworld.observe.pixels.patches import SIZES, Patches, patches_of

#: Brightness by light, in 128ths: a tile that is lit, and one that has no light.
LIT, UNLIT = 128, 32
#: Brightness of red, green and blue by the hour, in 256ths: by day, at midnight, and what sleep leaves of it.
DAY, NIGHT, SLEEP = 256, (77, 92, 158), 115
#: Rows of places.
PLACE_ROWS = {"full": 4, "classic": 2}


def pixels_shape(rules: Ruleset = FULL) -> tuple[int, int, int]:
    """Return height, width and colours of the picture.

    Example:
        >>> pixels_shape()
        (130, 110, 3)
    """
    size = SIZES[rules.symbolic]
    return (rules.view_rows + PLACE_ROWS[rules.symbolic]) * size, rules.view_cols * size, 3


def pixels(
    tokens: UInt8[Array, "*batch tokens"], rules: Ruleset = FULL
) -> UInt8[Array, "*batch height width 3"]:
    """Decode tokens to the picture."""
    flat = tokens.reshape(-1, tokens.shape[-1])
    with jax.named_scope("pixels"):
        # What is chosen for a tile must lie in memory before its bytes are laid, and these before the picture is
        # taken for one of another shape.
        stage = stage_of(opaque_true(flat[:, 0]))
        chosen = stage(partial(_chosen, rules=rules), flat)
        image = stage(partial(_laid, patches=patches_of(rules)), *chosen)
    return image.reshape(*tokens.shape[:-1], *pixels_shape(rules))


def _chosen(
    flat: UInt8[Array, "n tokens"], rules: Ruleset
) -> tuple[Int32[Array, "n rows cols"], UInt16[Array, "n rows cols"], UInt16[Array, "n rows width"]]:
    """Return the patch of each tile and place, and how bright it is: the product of two factors.

    Returns:
        patch: [n, rows, cols].
        light: [n, rows, cols], in 128ths.
        day: [n, rows, bytes of a patch's row], in 256ths.
    """
    patches, layout = patches_of(rules), layout_of(rules)
    wide = flat.astype(jnp.int32)
    field = {name: wide[:, f.slice] for name, f in layout.items()}
    shape = (flat.shape[0], rules.view_rows, rules.view_cols)
    light = UNLIT + light_of(field["light"]) * (LIT - UNLIT) // LIGHT_LEVELS
    middle = jax.lax.broadcasted_iota(jnp.int32, light.shape, 1) == light.shape[1] // 2
    # Who is awake sees itself whatever the light.
    light = jnp.where(middle & (field["asleep"] == 0), LIT, light).reshape(shape)
    body = jnp.where(middle, _own(field, rules), field["creature"])
    tile = _tile(_shown(field, rules), body, _missile(field, patches), patches).reshape(shape)
    place = _places(wide, patches)
    light = jnp.concatenate([light, jnp.full(place.shape, LIT, jnp.int32)], axis=1)
    return jnp.concatenate([tile, place], axis=1), light.astype(jnp.uint16), _day(field, rules, patches)


def _tile(
    shown: Int32[Array, "n view"],
    body: Int32[Array, "n view"],
    missile: Int32[Array, "n view"],
    patches: Patches,
) -> Int32[Array, "n view"]:
    """Return the patch of each tile: bare, or with what stands there."""
    standing = jnp.asarray(patches.standing)[body] + jnp.where(body < AWAKE_MARK, missile, 0)
    footing = jnp.asarray(patches.footing)[shown]
    return jnp.where(standing > 0, patches.occupied + footing * patches.bodies + standing - 1, shown)


def _shown(field: dict[str, Array], rules: Ruleset) -> Int32[Array, "n view"]:
    """Return each tile as it is shown: see `encoding.shown_tiles`."""
    tile = field["tile"]
    if len(rules.floors) == 1:
        return tile
    at_boss = jnp.zeros_like(field["floor"], bool)
    for floor, row in enumerate(rules.floors):
        at_boss = at_boss | ((field["floor"] == floor) & row.boss)
    closed, bared = ~at_boss & (field["ladder_open"] == 0), field["boss_vulnerable"] > 0
    return shown_tiles(tile, ladder_closed=closed, boss_vulnerable=bared)


def _own(field: dict[str, Array], rules: Ruleset) -> Int32[Array, "n 1"]:
    """Return the player's own body: the mark that other players see."""
    players = MOST_PLAYERS if rules.coop else 1
    who = field["player"] if rules.coop else jnp.zeros_like(field["facing"])
    body = jnp.where(field["asleep"] > 0, 4 * players + who, 4 * who + field["facing"])
    if rules.coop:
        body = jnp.where(field["fallen"] > 0, 5 * players + who, body)
    return AWAKE_MARK + body


def _missile(field: dict[str, Array], patches: Patches) -> Int32[Array, "n view"]:
    """Return 0, or 1 + the number of the projectile that is seen on each tile."""
    bits = field["missile"]
    for i, projectile in enumerate(PLAYER_PROJECTILES):
        bits = bits | (projectile_flies(field["light"], i) << projectile)
    highest = jnp.zeros_like(bits)
    for projectile in range(patches.missiles):
        highest = highest + (bits >= 1 << projectile).astype(jnp.int32)
    return highest


def _places(wide: Int32[Array, "n tokens"], patches: Patches) -> Int32[Array, "n rows cols"]:
    """Return the patch of each place."""
    token, shift, second, weight, first, last = np.moveaxis(patches.place[None], -1, 0)
    value = (wide[:, token[0]] >> shift) + wide[:, second[0]] * weight
    return jnp.minimum(first + value, last)


def _day(field: dict[str, Array], rules: Ruleset, patches: Patches) -> UInt16[Array, "n rows width"]:
    """Return how bright each row's colours are by the hour and by sleep, the places always as bright."""
    night = jnp.array(np.tile(NIGHT, patches.size), jnp.int32)[None]
    sky = field["floor"] == Floor.OVERWORLD
    day = jnp.where(sky, night + (DAY - night) * field["daylight"] // DAYLIGHT_LEVELS, DAY)
    day = jnp.where(field["asleep"] > 0, day * SLEEP // DAY, day).astype(jnp.uint16)
    rows = rules.view_rows + patches.place.shape[0]
    view = jax.lax.broadcasted_iota(jnp.int32, (day.shape[0], rows, day.shape[1]), 1) < rules.view_rows
    return jnp.where(view, day[:, None], jnp.uint16(DAY))


def _laid(
    patch: Int32[Array, "n rows cols"],
    light: UInt16[Array, "n rows cols"],
    day: UInt16[Array, "n rows width"],
    patches: Patches,
) -> UInt8[Array, "n rows size cols width"]:
    """Lay the patches side by side, row of pixels by row of pixels."""
    places = jax.lax.GatherDimensionNumbers(
        offset_dims=(2, 4), collapsed_slice_dims=(0,), start_index_map=(0,)
    )
    shape = (1, *patches.table.shape[1:])
    colour = jax.lax.gather(jnp.asarray(patches.table), patch[..., None], places, shape, mode="clip")
    bright = light[:, :, None, :, None] * day[:, :, None, None, :] // LIT
    image = ((colour.astype(jnp.uint16) * bright + DAY // 2) // DAY).astype(jnp.uint8)
    return with_layout_constraint(image, Layout(tuple(range(image.ndim))))
