"""The spaces: bounds are the largest values that the rules allow, not a round number."""

import numpy as np
from gymnasium.spaces import Box

from openworld.content.ids import Item
from openworld.content.rulesets import Ruleset
from openworld.observe.layout import layout_of
from openworld.observe.symbolic import CHANNELS

#: The most a player can ever have of some items: tools by level, one bow, two books.
MOST = {Item.PICKAXE: 4, Item.SWORD: 4, Item.BOW: 1, Item.BOOK: 2}
#: Food, drink, energy and mana with every attribute at 5 (rule 5).
VITALS = (17, 17, 17, 21)


def highest_tokens(rules: Ruleset) -> np.ndarray:
    """Return uint8[tokens]: the largest value of each token."""
    layout = layout_of(rules)
    high = np.concatenate([np.full(field.size, field.high) for field in layout.values()])
    inventory = layout["inventory"].offset
    for item, most in MOST.items():
        high[inventory + item] = most
    high[layout["vitals"].slice] = VITALS
    # A point of experience for every floor first entered below the first.
    high[layout["experience"].slice] = high[layout["floor"].slice] = len(rules.floors) - 1
    return high.astype(np.uint8)


def highest_symbolic(rules: Ruleset) -> np.ndarray:
    """Return float32[floats]: the largest value of each float of the published layout (rule 7.1).

    A bound that is no whole number is the next float above the real number: devices round differently.
    """
    layout, high = layout_of(rules), highest_tokens(rules).astype(np.float64)

    def of(name: str, scale: int = 1) -> np.ndarray:
        return high[layout[name].slice] / scale

    items = of("inventory")
    bounds = np.concatenate(
        [
            np.ones(rules.view_rows * rules.view_cols * CHANNELS),
            np.sqrt(items[Item.WOOD : Item.ARROW + 1]) / 10,
            items[[Item.BOOK, Item.PICKAXE, Item.SWORD]] / np.array([2, 4, 4]),
            *(of("sword_enchantment"), of("bow_enchantment"), items[[Item.BOW]]),
            np.sqrt(items[Item.POTION_RED : Item.POTION_YELLOW + 1]) / 10,
            *(of("health", 10), of("vitals", 10), of("experience", 10), of("attributes", 10)),
            np.ones(4),
            *(of("armour", 2), of("armour_enchantment")),
            np.ones(5),
            of("floor", 10),
            np.ones(2),
        ]
    )
    rounded = bounds.astype(np.float32)
    return np.where(bounds % 1 == 0, rounded, np.nextafter(rounded, np.float32(np.inf)))


def observation_space(rules: Ruleset, observation: str) -> Box:
    """Return the space of one player's observation."""
    if observation == "tokens":
        return Box(np.uint8(0), highest_tokens(rules), dtype=np.uint8)
    return Box(np.float32(0), highest_symbolic(rules), dtype=np.float32)


def batched(space: Box, count: int) -> Box:
    """Return the space of `count` observations. Its bounds are views, where `batch_space` would copy them.

    At 4096 symbolic observations the copies would take 340 MB.
    """
    batch = Box(space.low[None], space.high[None], dtype=space.dtype.type)
    batch._shape = (count, *space.shape)
    for name in ("low", "high", "bounded_below", "bounded_above"):
        setattr(batch, name, np.broadcast_to(getattr(batch, name), batch._shape))
    return batch
