"""Messages about the results of a player's action, from the tokens before and after it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from openworld.content.encoding import block_of
from openworld.content.ids import (
    DIRECTION_STEPS,
    Action,
    Attribute,
    Block,
    Direction,
    Enchantment,
    Item,
    Kind,
    Vital,
)
from openworld.content.recipes import Recipe
from openworld.observe import names
from openworld.observe.seen import Seen, block_shown

#: Moods of an event: a success, a harm, a note, an unlocked achievement.
GOOD, BAD, NOTE, UNLOCKED = "good", "bad", "note", "unlocked"
_PLACES = {
    Action.PLACE_STONE: "a stone",
    Action.PLACE_TABLE: "a table",
    Action.PLACE_FURNACE: "a furnace",
    Action.PLACE_PLANT: "a sapling",
    Action.PLACE_TORCH: "a torch",
}
_SHOTS = {
    Action.SHOOT_ARROW: "You shoot an arrow",
    Action.CAST_FIREBALL: "You cast a fireball",
    Action.CAST_ICEBALL: "You cast an iceball",
}
#: Blocks that players walk on, or that are unknown.
_OPEN = (
    *(Block.GRASS, Block.SAND, Block.PATH, Block.GRAVEL, Block.FIRE_GRASS, Block.ICE_GRASS, Block.WOOD),
    *(Block.INVALID, Block.DARKNESS),
)


@dataclass(frozen=True)
class Event:
    """An event.

    Attributes:
        text: a few words.
        mood: GOOD, BAD, NOTE or UNLOCKED.
    """

    text: str
    mood: str = NOTE


#: Block -> the event of the action DO, where it neither changes the block nor gives an item.
_DONE = {
    Block.WATER: Event("You drink"),
    Block.FOUNTAIN: Event("You drink"),
    Block.RIPE_PLANT: Event("You eat the plant", GOOD),
    Block.PLANT: Event("The plant is not ripe yet"),
    Block.GRASS: Event("You search the grass and find nothing"),
}


def title(name: IntEnum) -> str:
    """Return the name of an id in words: "collect wood"."""
    return name.name.lower().replace("_", " ")


def action_messages(before: Seen, now: Seen, action: Action) -> list[Event]:
    """Return the events of an action.

    Args:
        before: the player's view before the step.
        now: its view after the step.
        action: its action.
    """
    name = action.name
    kind = next(
        (head for head in _EVENTS if name == head or (head[-1] == "_" and name.startswith(head))), None
    )
    if kind is not None:
        return _EVENTS[kind](before, now, action)
    if Action.LEFT <= action <= Action.DOWN:
        return _bumped(before, now, Direction(action - Action.LEFT))
    return []


def _done(before: Seen, now: Seen, action: Action) -> list[Event]:
    """Return the events of the action DO on the faced tile."""
    tile, name = faced(before)
    block, left, got = block_shown(tile), block_shown(faced_after(now)), gains(before, now)
    if name is not None:
        return [_struck(before, now, name)]
    if block == Block.CHEST and left != Block.CHEST:
        return [Event(f"You open the chest: {listed(got) or 'nothing new'}", GOOD)]
    if got:
        return [Event(f"You collect {listed(got)}", GOOD)]
    if block in (Block.NECROMANCER, Block.NECROMANCER_VULNERABLE):
        return [Event("You strike the necromancer", GOOD if now.flag("boss_vulnerable") else NOTE)]
    if block != left and block in (Block.CRAFTING_TABLE, Block.FURNACE):
        return [Event(f"You take the {called(block)} down")]
    return [_DONE[block] if block in _DONE else _undiggable(before, block)]


def _struck(before: Seen, now: Seen, name: str) -> Event:
    """Return the event of hitting a creature."""
    slain = gone(before, now)
    kind = next(kind for (kind, _), called in names.creatures().items() if called == name)
    if kind == Kind.PASSIVE and (slain or vital(now, Vital.FOOD) > vital(before, Vital.FOOD)):
        return Event(f"You eat the {name}", GOOD)
    return Event(f"You slay the {name}", GOOD) if slain else Event(f"You hit the {name}")


def _undiggable(seen: Seen, block: Block) -> Event:
    """Return the event of a block that cannot be collected, with the tool that it takes."""
    row = next((row for row in seen.rules.blocks if row.block == block and row.gives is not None), None)
    if row is None or row.pickaxe == 0:
        return Event("There is nothing to do here")
    tool = f"{names.LEVELS[row.pickaxe]} pickaxe" if row.tool == Item.PICKAXE else title(row.tool)
    return Event(f"{called(block).capitalize()} takes {article(tool)}")


def _shot(before: Seen, now: Seen, action: Action) -> list[Event]:
    paid = spent(before, now, Item.ARROW) > 0 or vital(before, Vital.MANA) > vital(now, Vital.MANA)
    return [Event(_SHOTS[action] if paid else "You cannot shoot that now")]


def _levelled(before: Seen, now: Seen, action: Action) -> list[Event]:
    attribute = Attribute(action - Action.LEVEL_UP_DEXTERITY)
    level, name = now.values("attributes")[attribute], attribute.name.lower()
    raised = level > before.values("attributes")[attribute]
    return [Event(f"Your {name} is now {level}", GOOD) if raised else Event(f"Your {name} stays as it is")]


def _read(before: Seen, now: Seen, action: Action) -> list[Event]:
    pairs = zip(("fireball", "iceball"), before.values("spells"), now.values("spells"), strict=True)
    learnt = [Event(f"You learn the {name} spell", GOOD) for name, old, new in pairs if new > old]
    return learnt or [Event("There is nothing to read")]


def _climbed(before: Seen, now: Seen, action: Action) -> list[Event]:
    if before.value("floor") != now.value("floor"):
        return []
    shut = action == Action.DESCEND and not before.ladder_open
    return [Event("The ladder down is still closed" if shut else "There is no ladder here")]


def _placed(before: Seen, now: Seen, action: Action) -> list[Event]:
    row = next((row for row in before.rules.placements if row.action == action), None)
    if row is None:
        return []
    if all(spent(before, now, item) >= amount for item, amount in row.uses):
        return [Event(f"You place {_PLACES[action]}", GOOD)]
    lack = lacking(before, row.uses)
    return [Event(f"To place {_PLACES[action]} you need {lack} more" if lack else "It does not go there")]


def _made(before: Seen, now: Seen, action: Action) -> list[Event]:
    thing = title(action).removeprefix("make ")
    row = next((r for r in (*before.rules.recipes, *before.rules.armour_recipes) if r.action == action), None)
    if row is None:
        return []
    if all(spent(before, now, item) >= amount for item, amount in row.uses):
        worn = zip(names.PIECES, before.values("armour"), now.values("armour"), strict=True)
        pieces = [f"{thing.split()[0]} {name}" for name, old, new in worn if new > old]
        amount = row.amount if isinstance(row, Recipe) else 0
        many = f"{amount} {thing}{'es' if thing == 'torch' else 's'}" if amount > 1 else ""
        return [Event(f"You make {many or article(pieces[0] if pieces else thing)}", GOOD)]
    if lack := lacking(before, row.uses):
        return [Event(f"For {article(thing)} you need {lack} more")]
    far = [called(block) for block in row.near if not near(before, block)]
    if far:
        return [Event(f"For {article(thing)} stand beside {' and '.join(map(article, far))}")]
    return [Event(f"You have no use for {article(thing)}")]


def lacking(seen: Seen, uses: Iterable[tuple[Item, int]]) -> str:
    """Return the missing items of a cost, as "1 wood and 2 iron", or ""."""
    have = seen.values("inventory")
    return " and ".join(f"{n - have[item]} {title(item)}" for item, n in uses if have[item] < n)


def near(seen: Seen, block: Block) -> bool:
    """Return whether a block is on one of the eight tiles around the player."""
    row, col = seen.middle
    about = block_of(seen.tile[row - 1 : row + 2, col - 1 : col + 2])
    return bool((np.delete(about.ravel(), 4) == block).any())


def _potion(before: Seen, now: Seen, action: Action) -> list[Event]:
    item = Item(Item.POTION_RED + action - Action.DRINK_POTION_RED)
    colour = item.name.removeprefix("POTION_").lower()
    if spent(before, now, item) <= 0:
        return [Event(f"You have no {colour} potion")]
    changes = {"health": now.value("health") - before.value("health")}
    for which in (Vital.MANA, Vital.ENERGY):
        changes[which.name.lower()] = vital(now, which) - vital(before, which)
    effect = ", ".join(f"{name} {change:+d}" for name, change in changes.items() if change)
    mood = BAD if any(change < 0 for change in changes.values()) else GOOD
    return [Event(f"You drink the {colour} potion: {effect or 'nothing changes'}", mood if effect else NOTE)]


def _enchanted(before: Seen, now: Seen, action: Action) -> list[Event]:
    fields = [("sword", "sword_enchantment", 0), ("bow", "bow_enchantment", 0)]
    fields += [(name, "armour_enchantment", i) for i, name in enumerate(names.PIECES)]
    for name, field, place in fields:
        bound = now.values(field)[place]
        if bound and bound != before.values(field)[place]:
            return [Event(f"Your {name} is enchanted with {Enchantment(bound).name.lower()}", GOOD)]
    return [Event("There is nothing that you could enchant here")]


def _bumped(before: Seen, now: Seen, way: Direction) -> list[Event]:
    """Return the event of an obstacle, for a player that faces it already and does not move."""
    same = before.value("facing") == way and np.array_equal(before.tile, now.tile)
    if not same or before.value("floor") != now.value("floor"):
        return []
    tile, name = faced(before)
    if name is not None:
        return [Event(f"{article(name).capitalize()} is in the way")]
    block = block_shown(tile)
    return [] if block in _OPEN else [Event(f"{called(block).capitalize()} is in the way")]


def faced(seen: Seen) -> tuple[int, str | None]:
    """Return the faced tile, and the name of the creature on it."""
    row, col = ahead(seen)
    there = {(r, c): names.creatures().get((kind, number)) for r, c, kind, number in seen.creatures()}
    return int(seen.tile[row, col]), there.get((row, col))


def faced_after(now: Seen) -> int:
    """Return the tile that the player faces now."""
    return int(now.tile[ahead(now)])


def ahead(seen: Seen) -> tuple[int, int]:
    """Return the faced tile's row and column in the view."""
    down, right = DIRECTION_STEPS[seen.value("facing")]
    return seen.middle[0] + down, seen.middle[1] + right


def gone(before: Seen, now: Seen) -> bool:
    """Return whether the creature that was hit is gone; a step moves it by at most one tile."""
    row, col = ahead(before)
    kinds = {(r, c): (kind, number) for r, c, kind, number in before.creatures()}
    struck = kinds.get((row, col))
    return not any(
        (kind, number) == struck and abs(r - row) + abs(c - col) <= 1
        for r, c, kind, number in now.creatures()
    )


def gains(before: Seen, now: Seen) -> dict[Item, int]:
    """Return item -> how many more there are."""
    old, new = before.inventory(), now.inventory()
    return {item: new[item] - old[item] for item in new if new[item] > old[item]}


def spent(before: Seen, now: Seen, item: Item) -> int:
    """Return how many fewer of an item there are."""
    return before.values("inventory")[item] - now.values("inventory")[item]


def vital(seen: Seen, which: Vital) -> int:
    """Return the value of a vital."""
    return seen.values("vitals")[which]


def listed(gains: dict[Item, int]) -> str:
    """Return gained items in words; the count of a tool is its level, and is not shown."""
    names = []
    for item, count in gains.items():
        tool = item in (Item.PICKAXE, Item.SWORD, Item.BOW)
        names.append(article(title(item)) if tool else f"{count} {title(item)}")
    return ", ".join(names)


def called(block: Block) -> str:
    """Return the name of a block in words."""
    names = {Block.CRAFTING_TABLE: "table", Block.OUT_OF_BOUNDS: "the edge of the world"}
    return names.get(block, title(block))


def article(name: str) -> str:
    """Return a name with its article."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}" if not name.endswith("armour") else name


#: An action's name, or its beginning -> the function that returns its events.
_EVENTS: dict[str, Callable[[Seen, Seen, Action], list[Event]]] = {
    "DO": _done,
    "PLACE_": _placed,
    "MAKE_": _made,
    "SHOOT_": _shot,
    "CAST_": _shot,
    "DRINK_": _potion,
    "READ_": _read,
    "ENCHANT_": _enchanted,
    "LEVEL_UP_": _levelled,
    "DESCEND": _climbed,
    "ASCEND": _climbed,
}
