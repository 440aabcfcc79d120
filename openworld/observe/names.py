"""Names of creatures, floors and items in plain English."""

from functools import cache

from openworld.content.creatures import CREATURES
from openworld.content.ids import Enchantment, Item, Kind
from openworld.observe.seen import Seen

#: Levels of tools; armour begins at iron.
LEVELS = ("none", "wood", "stone", "iron", "diamond")
#: Pieces of armour.
PIECES = ("helmet", "breastplate", "leggings", "boots")


@cache
def creatures() -> dict[tuple[Kind, int], str]:
    """Return the creatures' names by class and type.

    Example:
        >>> "zombie" in creatures().values()
        True
    """
    return {(row.kind, row.number): row.name for row in CREATURES}


def floor_name(seen: Seen) -> str:
    """Return the name of the floor; those below the last of an endless world have numbers."""
    floor = seen.value("floor")
    if floor >= len(seen.rules.floors):
        return f"floor {floor}"
    return seen.rules.floors[floor].floor.name.lower().replace("_", " ")


def carried(seen: Seen) -> list[str]:
    """Return what the player carries, wears and knows."""
    bound = {Item.SWORD: seen.value("sword_enchantment"), Item.BOW: seen.value("bow_enchantment")}
    things = []
    for item, count in seen.inventory().items():
        if not count:
            continue
        name = item.name.lower().replace("_", " ")
        element = f" of {Enchantment(bound[item]).name.lower()}" if bound.get(item) else ""
        if item in (Item.PICKAXE, Item.SWORD):
            things.append(f"{LEVELS[min(count, 4)]} {name}{element}")
        else:
            things.append(f"{name}{element}" if item == Item.BOW else f"{count} {name}")
    worn = zip(PIECES, seen.values("armour"), seen.values("armour_enchantment"), strict=True)
    for name, level, enchantment in worn:
        if level:
            element = f" of {Enchantment(enchantment).name.lower()}" if enchantment else ""
            things.append(f"{LEVELS[level + 2]} {name}{element}")
    spells = zip(("fireball", "iceball"), seen.values("spells"), strict=True)
    return things + [f"the {name} spell" for name, known in spells if known]
