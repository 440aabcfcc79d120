"""The keys, once, for the window, the terminal, the help and the guide. Imports neither JAX nor pygame.

A key's name is its letter (a capital with Shift), or one of `NAMED`. Two names with a blank between them are
two keys, pressed one after the other.
"""

from dataclasses import dataclass

from openworld.content.ids import Action
from openworld.content.rulesets import Ruleset

#: Keys that are not letters.
NAMED = ("left", "right", "up", "down", "space", "enter", "escape")
#: The first of the two keys of giving, in coop games.
GIVE = "y"

HELP, LEAVE, AGAIN, BACK = "help", "leave", "again", "back"


@dataclass(frozen=True)
class Key:
    """A row of the help.

    Attributes:
        does: an action of the game, or HELP, LEAVE, AGAIN or BACK.
        keys: any of these keys does it.
        group: its heading.
        text: a few words.
    """

    does: Action | str
    keys: tuple[str, ...]
    group: str
    text: str


_A = Action
_MOVE, _HANDS, _PLACE, _MAKE = "Move", "Hands", "Place", "Make"
_FIGHT, _MAGIC, _GIVE, _GAME = "Fight", "Drink, read, enchant, learn", "Give", "Game"

KEYS: tuple[Key, ...] = (
    Key(_A.LEFT, ("left", "a"), _MOVE, "walk left, or turn there"),
    Key(_A.RIGHT, ("right", "d"), _MOVE, "walk right, or turn there"),
    Key(_A.UP, ("up", "w"), _MOVE, "walk up, or turn there"),
    Key(_A.DOWN, ("down", "s"), _MOVE, "walk down, or turn there"),
    Key(_A.DESCEND, (">",), _MOVE, "take the ladder down"),
    Key(_A.ASCEND, ("<",), _MOVE, "take the ladder up"),
    Key(_A.DO, ("space", "e"), _HANDS, "collect, hit, eat, drink"),
    Key(_A.NOOP, (".",), _HANDS, "wait"),
    Key(_A.SLEEP, ("z",), _HANDS, "sleep"),
    Key(_A.REST, ("x",), _HANDS, "rest until well"),
    Key(_A.PLACE_TABLE, ("t",), _PLACE, "table"),
    Key(_A.PLACE_STONE, ("r",), _PLACE, "stone"),
    Key(_A.PLACE_FURNACE, ("f",), _PLACE, "furnace"),
    Key(_A.PLACE_PLANT, ("p",), _PLACE, "sapling"),
    Key(_A.PLACE_TORCH, ("g",), _PLACE, "torch"),
    Key(_A.MAKE_WOOD_PICKAXE, ("1",), _MAKE, "wood pickaxe"),
    Key(_A.MAKE_STONE_PICKAXE, ("2",), _MAKE, "stone pickaxe"),
    Key(_A.MAKE_IRON_PICKAXE, ("3",), _MAKE, "iron pickaxe"),
    Key(_A.MAKE_DIAMOND_PICKAXE, ("4",), _MAKE, "diamond pickaxe"),
    Key(_A.MAKE_WOOD_SWORD, ("5",), _MAKE, "wood sword"),
    Key(_A.MAKE_STONE_SWORD, ("6",), _MAKE, "stone sword"),
    Key(_A.MAKE_IRON_SWORD, ("7",), _MAKE, "iron sword"),
    Key(_A.MAKE_DIAMOND_SWORD, ("8",), _MAKE, "diamond sword"),
    Key(_A.MAKE_IRON_ARMOUR, ("9",), _MAKE, "iron armour"),
    Key(_A.MAKE_DIAMOND_ARMOUR, ("0",), _MAKE, "diamond armour"),
    Key(_A.MAKE_ARROW, ("-",), _MAKE, "2 arrows"),
    Key(_A.MAKE_TORCH, ("=",), _MAKE, "4 torches"),
    Key(_A.SHOOT_ARROW, ("v",), _FIGHT, "shoot an arrow"),
    Key(_A.CAST_FIREBALL, ("b",), _FIGHT, "cast a fireball"),
    Key(_A.CAST_ICEBALL, ("n",), _FIGHT, "cast an iceball"),
    Key(_A.DRINK_POTION_RED, ("R",), _MAGIC, "drink the red potion"),
    Key(_A.DRINK_POTION_GREEN, ("G",), _MAGIC, "drink the green potion"),
    Key(_A.DRINK_POTION_BLUE, ("B",), _MAGIC, "drink the blue potion"),
    Key(_A.DRINK_POTION_PINK, ("P",), _MAGIC, "drink the pink potion"),
    Key(_A.DRINK_POTION_CYAN, ("C",), _MAGIC, "drink the cyan potion"),
    Key(_A.DRINK_POTION_YELLOW, ("Y",), _MAGIC, "drink the yellow potion"),
    Key(_A.READ_BOOK, ("c",), _MAGIC, "read a book"),
    Key(_A.ENCHANT_SWORD, ("j",), _MAGIC, "enchant the sword"),
    Key(_A.ENCHANT_BOW, ("k",), _MAGIC, "enchant the bow"),
    Key(_A.ENCHANT_ARMOUR, ("l",), _MAGIC, "enchant a piece of armour"),
    Key(_A.LEVEL_UP_DEXTERITY, ("u",), _MAGIC, "raise dexterity"),
    Key(_A.LEVEL_UP_STRENGTH, ("i",), _MAGIC, "raise strength"),
    Key(_A.LEVEL_UP_INTELLIGENCE, ("o",), _MAGIC, "raise intelligence"),
    Key(_A.GIVE_WOOD, (f"{GIVE} w",), _GIVE, "give wood"),
    Key(_A.GIVE_STONE, (f"{GIVE} s",), _GIVE, "give a stone"),
    Key(_A.GIVE_COAL, (f"{GIVE} c",), _GIVE, "give coal"),
    Key(_A.GIVE_IRON, (f"{GIVE} i",), _GIVE, "give iron"),
    Key(_A.GIVE_DIAMOND, (f"{GIVE} d",), _GIVE, "give a diamond"),
    Key(_A.GIVE_SAPPHIRE, (f"{GIVE} a",), _GIVE, "give a sapphire"),
    Key(_A.GIVE_RUBY, (f"{GIVE} r",), _GIVE, "give a ruby"),
    Key(_A.GIVE_SAPLING, (f"{GIVE} p",), _GIVE, "give a sapling"),
    Key(_A.GIVE_TORCH, (f"{GIVE} g",), _GIVE, "give a torch"),
    Key(_A.GIVE_ARROW, (f"{GIVE} v",), _GIVE, "give an arrow"),
    Key(_A.GIVE_BOOK, (f"{GIVE} b",), _GIVE, "give a book"),
    Key(_A.GIVE_POTION_RED, (f"{GIVE} R",), _GIVE, "give a red potion"),
    Key(_A.GIVE_POTION_GREEN, (f"{GIVE} G",), _GIVE, "give a green potion"),
    Key(_A.GIVE_POTION_BLUE, (f"{GIVE} B",), _GIVE, "give a blue potion"),
    Key(_A.GIVE_POTION_PINK, (f"{GIVE} P",), _GIVE, "give a pink potion"),
    Key(_A.GIVE_POTION_CYAN, (f"{GIVE} C",), _GIVE, "give a cyan potion"),
    Key(_A.GIVE_POTION_YELLOW, (f"{GIVE} Y",), _GIVE, "give a yellow potion"),
    Key(HELP, ("h", "?"), _GAME, "help"),
    Key(AGAIN, ("enter",), _GAME, "new world when this one ends"),
    Key(BACK, ("escape",), _GAME, "close help, or cancel a gift"),
    Key(LEAVE, ("Q",), _GAME, "leave; press it twice"),
)
_SHOWN = {"space": "Space", "enter": "Enter", "escape": "Esc"}


def keys_of(rules: Ruleset) -> tuple[Key, ...]:
    """Return the rows that a ruleset needs."""
    return tuple(row for row in KEYS if not isinstance(row.does, Action) or rules.has(row.does))


def by_key(rules: Ruleset) -> dict[str, Action | str]:
    """Return key, or pair of keys -> its action or command, under a ruleset."""
    return {key: row.does for row in keys_of(rules) for key in row.keys}


def label(key: str) -> str:
    """Return a key as it is shown.

    Example:
        >>> label("space"), label("left"), label("y w")
        ('Space', 'Left', 'y w')
    """
    return " ".join(_SHOWN.get(part, part.capitalize() if part in NAMED else part) for part in key.split(" "))


def key_for(action: Action) -> str:
    """Return the first key of an action, as it is shown."""
    return label(next(row for row in KEYS if row.does == action).keys[0])


def table(rules: Ruleset) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the help: headings, each with its rows of (keys, what they do)."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for row in keys_of(rules):
        groups.setdefault(row.group, []).append((" or ".join(map(label, row.keys)), row.text))
    return list(groups.items())


def markdown() -> str:
    """Return the guide's table of all keys."""
    lines = ["| | keys | what | action |", "| --- | --- | --- | --- |"]
    group = ""
    for row in KEYS:
        named = f"`{row.does.name}`" if isinstance(row.does, Action) else ""
        keys = " or ".join(f"`{label(key)}`" for key in row.keys)
        lines.append(f"| {row.group if row.group != group else ''} | {keys} | {row.text} | {named} |")
        group = row.group
    return "\n".join(lines) + "\n"
