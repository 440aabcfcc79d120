"""The list beside the view: useful actions, and what is missing for the others. Pure, from tokens."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from openworld.content.ids import Achievement, Action, Block, Item, Kind
from openworld.content.recipes import Cost
from openworld.observe import names
from openworld.observe.seen import Seen, block_shown
from openworld.playing.keys import KEYS, key_for
from openworld.render.messages import ahead, called, lacking, near, title

_A = Achievement
#: Hints for the first steps of a game, in order; each is shown until its achievement is unlocked.
_STEPS: tuple[tuple[Achievement, str], ...] = (
    (_A.COLLECT_WOOD, "walk up to a tree and press Space"),
    (_A.PLACE_TABLE, "with 2 wood, press t to place a table"),
    (_A.MAKE_WOOD_PICKAXE, "stand beside the table, press 1"),
    (_A.MAKE_WOOD_SWORD, "stand beside the table, press 5"),
    (_A.COLLECT_STONE, "dig grey stone with Space"),
    (_A.MAKE_STONE_PICKAXE, "with wood and stone, beside a table: 2"),
    (_A.MAKE_STONE_SWORD, "with wood and stone, beside a table: 6"),
    (_A.COLLECT_DRINK, "face water and press Space"),
    (_A.EAT_COW, "face a cow and press Space until you eat"),
    (_A.PLACE_FURNACE, "press f beside your table"),
    (_A.COLLECT_COAL, "dig black coal"),
    (_A.COLLECT_IRON, "dig iron, orange dots in stone"),
    (_A.MAKE_IRON_PICKAXE, "beside table and furnace: 3"),
    (_A.WAKE_UP, "wall yourself in, press z to sleep"),
    (_A.COLLECT_DIAMOND, "find white diamonds, dig them"),
    (_A.ENTER_DUNGEON, "slay 8 monsters, then > on a ladder"),
)


@dataclass(frozen=True)
class Choice:
    """An action in the list.

    Attributes:
        action: the action.
        key: its key, as shown.
        name: a few words.
        cost: the items that it takes, in words.
        lacks: what is missing for it, in words, or "".
        useful: whether it would change something now.
    """

    action: Action
    key: str
    name: str
    cost: str = ""
    lacks: str = ""
    useful: bool = True


def now(seen: Seen, mask: np.ndarray) -> list[Choice]:
    """Return the useful actions, without walking, making and placing.

    Args:
        seen: the player's view.
        mask: bool[actions], the actions that would change something.
    """
    listed = {choice.action for choice in crafts(seen, mask)}
    idle = (Action.NOOP, Action.LEFT, Action.RIGHT, Action.UP, Action.DOWN)
    useful = [row for row in KEYS if isinstance(row.does, Action) and seen.rules.has(row.does)]
    found = []
    for row in useful:
        action = Action(row.does)
        if mask[action] and action not in listed and action not in idle:
            text = doing(seen) if action == Action.DO else row.text
            found.append(Choice(action, key_for(action), text))
    return found


def crafts(seen: Seen, mask: np.ndarray) -> list[Choice]:
    """Return all actions that make or place something, in the order of the keys."""
    rules = seen.rules
    costs: dict[Action, tuple[Cost, tuple[Block, ...]]] = {
        row.action: (row.uses, ()) for row in rules.placements
    }
    costs |= {row.action: (row.uses, row.near) for row in (*rules.recipes, *rules.armour_recipes)}
    found = []
    for row in KEYS:
        if not isinstance(row.does, Action) or row.does not in costs:
            continue
        uses, stations = costs[row.does]
        verb = "place " if row.does.name.startswith("PLACE_") else ""
        cost = ", ".join(f"{n} {title(item)}" for item, n in uses)
        useful = bool(mask[row.does])
        lacks = "" if useful else _lacks(seen, uses, stations)
        found.append(Choice(row.does, key_for(row.does), f"{verb}{row.text}", cost, lacks, useful))
    return found


def _lacks(seen: Seen, uses: Iterable[tuple[Item, int]], stations: Iterable[Block]) -> str:
    """Return in a few words why something cannot be made or placed now."""
    far = [called(block) for block in stations if not near(seen, block)]
    lack = lacking(seen, uses)
    if lack:
        return f"need {lack.replace(' and ', ', ')} more"
    return f"go to {' and '.join(far)}" if far else "not here" if not stations else "have it"


def doing(seen: Seen) -> str:
    """Return in a few words what the action DO would do to the faced tile."""
    row, col = ahead(seen)
    for r, c, kind, number in seen.creatures():
        if (r, c) == (row, col):
            name = names.creatures().get((kind, number), "creature")
            return f"{'hunt' if kind == Kind.PASSIVE else 'hit'} the {name}"
    for other in seen.other_players():
        if (other.row, other.col) == (row, col):
            return f"help player {other.number} up"
    block = block_shown(int(seen.tile[row, col]))
    gives = next((row.gives for row in seen.rules.blocks if row.block == block), None)
    plain = {
        Block.WATER: "drink",
        Block.FOUNTAIN: "drink",
        Block.GRASS: "search the grass for a sapling",
        Block.RIPE_PLANT: "eat the plant",
        Block.CHEST: "open the chest",
    }
    if block in plain:
        return plain[block]
    return f"collect {title(gives)}" if gives is not None else f"strike the {called(block)}"


def hint(achievements: np.ndarray, rules_achievements: int) -> str:
    """Return the next hint for a new player, or "" after the last one."""
    for achievement, text in _STEPS:
        if achievement < rules_achievements and not achievements[achievement]:
            return text
    return ""
