"""The floors, blocks, items and achievements that can be reached in a game, found from its rows alone.

An item that can be had at all counts as unlimited. That is enough to find rows that cannot be used.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from openworld.content import loot
from openworld.content.achievements import WAYS, Way
from openworld.content.creatures import Creature
from openworld.content.floors import BOSS_BLOWS, KILLS_TO_DESCEND, FloorRow, Rooms, Smooth
from openworld.content.ids import Achievement, Block, Floor, Item, Kind
from openworld.content.recipes import ArmourRecipe, Placement, Recipe
from openworld.content.rulesets import Ruleset


@dataclass
class Reach:
    """The blocks, items and armour that can be had.

    Attributes:
        blocks: the blocks that may come to stand on each floor that can be entered.
        items: the most that can be carried of each item; of a tool that counts levels, its level.
        armour: the best level of a piece of armour.
    """

    blocks: dict[Floor, set[Block]] = field(default_factory=dict)
    items: dict[Item, int] = field(default_factory=dict)
    armour: int = 0

    @property
    def all_blocks(self) -> set[Block]:
        """The blocks of all floors together."""
        return set[Block]().union(*self.blocks.values())

    def gain(self, item: Item, number: int) -> None:
        """Know that so many of an item can be had."""
        self.items[item] = max(number, self.items.get(item, 0))


def reachable(rules: Ruleset) -> Reach:
    """Return what can be had: start on the first floor, and do all that can be done until nothing new comes.

    Example:
        >>> from openworld.content.rulesets import FULL
        >>> reachable(FULL).items[Item.PICKAXE]
        4
    """
    found = Reach(blocks={rules.floors[0].floor: generated(rules.floors[0])})
    while True:
        before = deepcopy(found)
        for gather in (_dig, _forage, _loot, _make, _place, _ripen, _descend):
            gather(rules, found)
        if found == before:
            return found


def generated(row: FloorRow) -> set[Block]:
    """Return the blocks that a floor is made of (rules 3.1 and 3.2)."""
    return _of_rooms(row.ground) if isinstance(row.ground, Rooms) else _of_noise(row.ground)


def _of_rooms(ground: Rooms) -> set[Block]:
    blocks = {Block.WALL, Block.DARKNESS, Block.PATH, Block.CHEST, ground.fountain, ground.special}
    if ground.flooded > 0:
        blocks.add(Block.WATER)
    if ground.mossy > 0:
        blocks.add(Block.WALL_MOSS)
    return blocks


def _of_noise(g: Smooth) -> set[Block]:
    blocks = {g.default, g.sea, g.coast, g.mountain, g.tunnel, g.cave, g.start, g.ladder_on}
    if g.tree_on in blocks:
        blocks.add(g.tree)
    for ore in g.ores:
        if ore.replaced in blocks and ore.chance > 0:
            blocks.add(ore.block)
    blocks.add(g.lava)
    if g.treasure is not None and g.treasure[0] in blocks:
        blocks.add(g.treasure[1])
    return blocks


def _dig(rules: Ruleset, found: Reach) -> None:
    for blocks in found.blocks.values():
        for row in rules.blocks:
            if row.block in blocks and row.pickaxe <= found.items.get(row.tool, 0):
                blocks.add(row.becomes)
                if row.gives is not None:
                    found.gain(row.gives, rules.inventory_limit)


def _forage(rules: Ruleset, found: Reach) -> None:
    if Block.GRASS in found.all_blocks:
        found.gain(Item.SAPLING, rules.inventory_limit)


def _loot(rules: Ruleset, found: Reach) -> None:
    chests = [floor for floor, blocks in found.blocks.items() if Block.CHEST in blocks]
    finds = [gift.find for gift in loot.GIFTS if gift.floor in chests]
    if chests:
        finds += [find for roll in loot.ROLLS if roll.chance > 0 for find in roll.finds if find.share > 0]
    for find in finds:
        found.gain(find.item, find.level or rules.inventory_limit)


def _make(rules: Ruleset, found: Reach) -> None:
    for row in rules.recipes:
        if lacks(found, row) is None:
            found.gain(row.makes, rules.inventory_limit if row.amount else row.level)
    for row in rules.armour_recipes:
        if lacks(found, row) is None:
            found.armour = max(found.armour, row.level)


def _place(rules: Ruleset, found: Reach) -> None:
    for row in rules.placements:
        if row.block is not None and lacks(found, row) is None:
            for blocks in found.blocks.values():
                if takes(rules, row) & blocks:
                    blocks.add(row.block)


def takes(rules: Ruleset, row: Placement) -> set[Block]:
    """Return the blocks onto which something can be set down."""
    return {r.block for r in rules.blocks if not r.solid} if row.onto is None else set(row.onto)


def _ripen(rules: Ruleset, found: Reach) -> None:
    garden = found.blocks[rules.floors[0].floor]
    if Block.PLANT in garden:
        garden.add(Block.RIPE_PLANT)


def _descend(rules: Ruleset, found: Reach) -> None:
    for above, below in zip(rules.floors, rules.floors[1:], strict=False):
        if above.floor in found.blocks and below.floor not in found.blocks and _opens(rules, found, above):
            found.blocks[below.floor] = generated(below)


def _opens(rules: Ruleset, found: Reach, row: FloorRow) -> bool:
    """Return whether a floor has a ladder down that opens, at once or once enough monsters are slain."""
    monsters = any(creature.kind != Kind.PASSIVE for creature in inhabitants(rules, found, row))
    ladder = isinstance(row.ground, Rooms) or row.ground.ladder_down
    return ladder and (monsters or row.kills_at_start >= KILLS_TO_DESCEND)


def lacks(found: Reach, row: Recipe | ArmourRecipe | Placement) -> str | None:
    """Return what a row needs that cannot be had, or None."""
    for item, number in row.uses:
        if found.items.get(item, 0) < number:
            return f"uses {number} {item.name}, which nothing gives"
    for station in () if isinstance(row, Placement) else row.near:
        if station not in found.all_blocks:
            return f"is made beside {station.name}, which can neither be built nor found"
    return None


def inhabitants(rules: Ruleset, found: Reach, row: FloorRow) -> Iterator[Creature]:
    """Yield the creatures that can appear on a floor: their chance is above 0, and their ground is there."""
    chances = {
        Kind.PASSIVE: row.chances.passive,
        Kind.MELEE: row.chances.melee + row.chances.night,
        Kind.RANGED: row.chances.ranged,
    }
    for creature in rules.creatures:
        home = creature.home if row.spawn_on is None else row.spawn_on
        at_home = not found.blocks.get(row.floor, set()).isdisjoint(home)
        if chances[creature.kind] > 0 and at_home and _named(rules, row, creature):
            yield creature


def _named(rules: Ruleset, row: FloorRow, creature: Creature) -> bool:
    """Return whether a floor names a creature. The boss calls the monsters of the first floors."""
    if creature.kind == Kind.PASSIVE:
        return creature.number == row.passive and not row.boss
    floors = rules.floors[:BOSS_BLOWS] if row.boss else (row,)
    named = ((r.melee if creature.kind == Kind.MELEE else r.ranged) for r in floors)
    return creature.number in named


def achievements(rules: Ruleset, found: Reach) -> set[Achievement]:
    """Return what can be unlocked."""
    unlocked = {row.achievement for row in rules.holdings if found.items.get(row.item, 0) >= row.least}
    unlocked |= {row.achievement for row in rules.armour_recipes if lacks(found, row) is None}
    unlocked |= {
        row.achievement
        for row in rules.placements
        if lacks(found, row) is None and takes(rules, row) & found.all_blocks
    }
    for row in rules.floors:
        if row.floor in found.blocks:
            unlocked |= {creature.achievement for creature in inhabitants(rules, found, row)}
            unlocked |= set() if row.enter is None else {row.enter}
    return unlocked | {
        achievement for achievement, ways in WAYS.items() if any(_open_to(rules, found, w) for w in ways)
    }


def _open_to(rules: Ruleset, found: Reach, way: Way) -> bool:
    drinkable = {row.block for row in rules.blocks if row.drinkable}
    return (
        rules.has(way.action)
        and (way.facing is None or way.facing in found.all_blocks)
        and not (way.drinks and drinkable.isdisjoint(found.all_blocks))
        and all(found.items.get(item, 0) for item in way.having)
        and not (way.clad and not found.armour)
        and not (way.shoots and not rules.player_projectiles)
    )
