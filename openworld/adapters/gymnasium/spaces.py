"""The spaces: bounds are the largest values that the rules allow, not a round number."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Discrete, MultiDiscrete, Text
from gymnasium.vector.utils import batch_space

from openworld.content import loot
from openworld.content.ids import Item
from openworld.content.reach import reachable
from openworld.content.rulesets import Ruleset
from openworld.observe import classic_symbolic, players
from openworld.observe.layout import MOST_PLAYERS, SAME_PLACE, layout_of
from openworld.observe.pixels.frames import pixels_shape
from openworld.observe.symbolic import CHANNELS
from openworld.observe.text import CHARACTERS, LONGEST


def highest_tokens(rules: Ruleset) -> np.ndarray:
    """Return uint8[tokens]: the largest value of each token."""
    layout = layout_of(rules)
    high = np.concatenate([np.full(field.size, field.high) for field in layout.values()])
    high[layout["inventory"].slice] = _most_carried(rules)
    # Food, drink, energy and mana with every attribute as high as it goes (rule 5).
    grown = layout["attributes"].high
    high[layout["vitals"].slice] = (7 + 2 * grown, 7 + 2 * grown, 7 + 2 * grown, 6 + 3 * grown)
    return high.astype(np.uint8)


def _most_carried(rules: Ruleset) -> list[int]:
    """Return the most that a player can ever have of each item; of a tool it is the best level."""
    most = dict(reachable(rules).items)
    floors = {row.floor for row in rules.floors}
    given = [gift.find for gift in loot.GIFTS if gift.floor in floors]
    rolled = {find.item for roll in loot.ROLLS for find in roll.finds}
    for item in {find.item for find in given if not find.level} - rolled:
        # Below the last floor of an endless world the same gifts lie again.
        if rules.ends_at_boss:
            most[item] = sum(find.least for find in given if find.item == item)
    return [most.get(item, 0) for item in list(Item)[: rules.items]]


def highest_symbolic(rules: Ruleset) -> np.ndarray:
    """Return float32[floats]: the largest value of each float of the published layout (rules 7.1 and 1.11).

    A bound that is not a whole number is the next float above the real number: devices round differently.
    """
    bounds = _classic(rules) if rules.symbolic == "classic" else _full(rules)
    rounded = bounds.astype(np.float32)
    return np.where(bounds % 1 == 0, rounded, np.nextafter(rounded, np.float32(np.inf)))


def _full(rules: Ruleset) -> np.ndarray:
    layout, high = layout_of(rules), highest_tokens(rules).astype(np.float64)

    def of(name: str, scale: int = 1) -> np.ndarray:
        return high[layout[name].slice] / scale

    items = of("inventory")
    return np.concatenate(
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
            *(_player_bounds(rules, of) if rules.coop else ()),
        ]
    )


def _player_bounds(rules: Ruleset, of: Callable[..., np.ndarray]) -> list[np.ndarray]:
    """Return the bounds of the floats of the players in coop (`observe.players`)."""
    places = [of(name, 2 * SAME_PLACE) for name in ("player_row", "player_col")]
    tiles = np.ones(rules.view_rows * rules.view_cols * players.CHANNELS)
    player = np.ones(2 * MOST_PLAYERS + 1)  # its number, whether it has fallen, and who is there
    return [tiles, player, *places, of("player_health", 10), np.ones(2 * MOST_PLAYERS)]


def _classic(rules: Ruleset) -> np.ndarray:
    layout, high = layout_of(rules), highest_tokens(rules).astype(np.float64)
    vitals = np.concatenate([high[layout["health"].slice], high[layout["vitals"].slice][:-1]])
    return np.concatenate(
        [
            np.ones(rules.view_rows * rules.view_cols * classic_symbolic.CHANNELS),
            high[layout["inventory"].slice][list(classic_symbolic.INVENTORY)] / 10,
            vitals / 10,
            np.ones(6),
        ]
    )


def observation_space(rules: Ruleset, observation: str) -> Box | Text:
    """Return the space of one player's observation."""
    if observation == "tokens":
        # Gymnasium warns of a bound of 0 on what a game does not have: those tokens are declared a bit wide.
        return Box(np.uint8(0), np.maximum(highest_tokens(rules), np.uint8(1)), dtype=np.uint8)
    if observation == "pixels":
        return Box(0, 255, pixels_shape(rules), np.uint8)
    if observation == "text":
        return Text(max_length=LONGEST, charset=CHARACTERS)
    return Box(np.float32(0), highest_symbolic(rules), dtype=np.float32)


def batched(space: Box | Text, count: int) -> Space:
    """Return the space of `count` observations. The bounds of a box are views; `batch_space` copies them.

    At 4096 symbolic observations the copies would take 340 MB.
    """
    if not isinstance(space, Box):
        return batch_space(space, count)
    batch = Box(space.low[None], space.high[None], dtype=space.dtype.type)
    batch._shape = (count, *space.shape)
    for name in ("low", "high", "bounded_below", "bounded_above"):
        setattr(batch, name, np.broadcast_to(getattr(batch, name), batch._shape))
    return batch


class Actions(MultiDiscrete):
    """One action for each env: a `MultiDiscrete` that also takes all masks as one array.

    Example:
        `envs.action_space.sample(mask=infos["action_mask"])`
    """

    def sample(self, mask: Any = None, probability: Any = None) -> np.ndarray:
        """Draw an action for each env.

        Args:
            mask: [envs, actions] of int8 or bool, or Gymnasium's tuple with one int8[actions] for each env.
                Only actions of a 1 are drawn; where there is none, action 0.
            probability: [envs, actions] of float64, or Gymnasium's tuple of rows; each sums to 1.
        """
        if isinstance(mask, np.ndarray):
            mask = tuple(mask.astype(np.int8) if mask.dtype == bool else mask)
        if isinstance(probability, np.ndarray):
            probability = tuple(probability)
        return super().sample(mask, probability)


def batched_actions(space: Discrete, count: int) -> Actions:
    """Return the space of one action for each of `count` envs; it equals what `batch_space` returns."""
    return Actions(np.full(count, space.n), dtype=np.int64, seed=copy.deepcopy(space.np_random))
