"""Checks that the rows of a game fit together.

An error is one line: the row, and the values that are allowed. `check` is called before a ruleset is
compiled. First the rows are read one by one. Then `reach` finds all that can be had, and every row that
cannot be used is refused.
"""

from collections import Counter
from collections.abc import Iterator

from openworld.content import creatures, loot
from openworld.content.achievements import WEIGHTS
from openworld.content.blocks import UNDIGGABLE
from openworld.content.floors import BOSS_BLOWS, FloorRow, Rooms, Smooth
from openworld.content.ids import Achievement, Action, Block, Fixture, Item, Kind, Projectile
from openworld.content.reach import Reach, achievements, lacks, reachable, takes
from openworld.content.recipes import STATIONS, ArmourRecipe, Placement, Recipe
from openworld.content.rulesets import Ruleset
from openworld.content.smooth_tables import ORE_PASSES
from openworld.content.units import POINT

#: The least and the most of each size (None: as much as fits). What limits the most is how it is stored
#: (`core.state`), that a tile's number has 12 bits, and that achievements are kept in 96 bits.
SIZES: dict[str, tuple[int, int | None]] = {
    "actions": (1, len(Action)),
    "achievements": (1, min(len(Achievement), 96)),
    # The rules know the items up to the potions by name.
    "items": (Item.POTION_YELLOW + 1, len(Item)),
    "rows": (16, 64),
    "cols": (16, 64),
    "view_rows": (1, 64),
    "view_cols": (1, 64),
    "melee": (1, None),
    "passive": (1, None),
    "ranged": (1, None),
    "mob_projectiles": (1, None),
    "player_projectiles": (0, None),
    "plants": (1, None),
    "day_length": (1, None),
    "time_limit": (1, 2**31 - 2),
    "inventory_limit": (1, 255),
    "stack_limit": (1, 255),
    "approach_distance": (1, None),
}
#: Rows and columns are whole cells of the broadest noise.
CELL = 16
#: Tiles in view have numbers of a byte, one of which says "out of view".
MOST_VIEW = 255
#: Places for blocks, and for types of each class of body.
BLOCK_IDS, TYPES = 64, 8
#: Floors have numbers of a byte with a sign; health and slain monsters are kept in 16 bits with one.
MOST_FLOORS, MOST_HEALTH, MOST_KILLS = 127, (2**15 - 1) // POINT, 2**15 - 1
#: A tile keeps a fixture in two bits.
FIXTURES = 4

_Making = Recipe | ArmourRecipe | Placement


def check(rules: Ruleset) -> None:
    """Raise a ValueError that names the first row of a ruleset that cannot be right."""
    for complaints in (_sizes, _blocks, _creatures, _floors, _actions, _items, _loot, _achievements, _reach):
        for complaint in complaints(rules):
            raise ValueError(f"ruleset {rules.name!r}: {complaint}")


def _sizes(rules: Ruleset) -> Iterator[str]:
    for name, (least, most) in SIZES.items():
        size = getattr(rules, name)
        if size < least or (most is not None and size > most):
            yield f"{name} is {size}; it must be {f'at least {least}' if most is None else f'{least} to {most}'}"
    if rules.rows != rules.cols or rules.rows % CELL:
        yield f"a floor is {rules.rows} x {rules.cols} tiles; it must be a square of a multiple of {CELL}"
    if rules.view_rows % 2 == 0 or rules.view_cols % 2 == 0:
        yield f"the view is {rules.view_rows} x {rules.view_cols}; a player in its middle needs odd numbers"
    if rules.view_rows * rules.view_cols > MOST_VIEW:
        yield f"the view is {rules.view_rows} x {rules.view_cols}; it must have at most {MOST_VIEW} tiles"


def _blocks(rules: Ruleset) -> Iterator[str]:
    rows = Counter(row.block for row in rules.blocks)
    for block in Block:
        if rows[block] != 1:
            yield f"block {block.name} has {rows[block]} rows; it must have one"
        if block >= BLOCK_IDS:
            yield f"block {block.name} has number {int(block)}; a tile keeps numbers below {BLOCK_IDS}"
    for row in rules.blocks:
        if row.pickaxe != UNDIGGABLE and not 0 <= row.pickaxe <= rules.inventory_limit:
            yield f"block {row.block.name} takes {row.pickaxe} {row.tool.name}; nobody can carry as many"


def _creatures(rules: Ruleset) -> Iterator[str]:
    for projectile in Projectile:
        if projectile not in creatures.PROJECTILE_DAMAGE:
            yield f"projectile {projectile.name} has no damage; PROJECTILE_DAMAGE must have it"
    places: dict[tuple[Kind, int], str] = {}
    for row in rules.creatures:
        place, who = (row.kind, row.number), f"creature {row.name!r}"
        if row.kind not in (Kind.MELEE, Kind.PASSIVE, Kind.RANGED):
            yield f"{who} is of class {row.kind.name}; it must be MELEE, PASSIVE or RANGED"
        if not 0 <= row.number < TYPES:
            yield f"{who} has number {row.number}; it must be 0 to {TYPES - 1}"
        if place in places:
            yield f"{who} has the class and number of creature {places[place]!r}; each needs its own"
        places[place] = row.name
        if not 1 <= row.health <= MOST_HEALTH:
            yield f"{who} has health {row.health}; it must be 1 to {MOST_HEALTH}"
        if min(row.damage) < 0 or not all(0 <= tenths <= 10 for tenths in row.defence):
            yield f"{who} needs damage of at least 0 and a defence of 0 to 10 tenths"
        if not row.home:
            yield f"{who} has no home; it must name the blocks that it appears on"


def _floors(rules: Ruleset) -> Iterator[str]:
    if not 1 <= len(rules.floors) <= MOST_FLOORS:
        yield f"there are {len(rules.floors)} floors; there must be 1 to {MOST_FLOORS}"
        return
    if not isinstance(rules.floors[0].ground, Smooth):
        yield f"floor {rules.floors[0].floor.name} is made of rooms; the first one must be Smooth"
    last = rules.floors[-1]
    if isinstance(last.ground, Rooms) or last.ground.ladder_down:
        yield f"floor {last.floor.name} is the last; it must be Smooth, without a ladder down"
    if not last.boss and not rules.ends_at_boss:
        yield f"floor {last.floor.name} is the last; it must be a boss's, as the game goes on below"
    for number, row in enumerate(rules.floors):
        where = f"floor {row.floor.name}"
        if row.floor != number:
            yield f"{where} is number {int(row.floor)} and stands in place {number}; floors go in order from 0"
        for complaints in (_inhabitants(rules, row), _floor(row), _ground(rules, row)):
            yield from (f"{where} {complaint}" for complaint in complaints)


def _inhabitants(rules: Ruleset, row: FloorRow) -> Iterator[str]:
    rows = {(creature.kind, creature.number) for creature in rules.creatures}
    for kind in (Kind.PASSIVE, Kind.MELEE, Kind.RANGED):
        lives = getattr(row, kind.name.lower())
        if (kind, lives) not in rows:
            yield f"names {kind.name.lower()} creature {lives}, which has no row in creatures"
    if row.boss and len(rules.floors) < BOSS_BLOWS:
        yield f"is a boss's, whose monsters are those of {BOSS_BLOWS} floors; there must be as many"


def _floor(row: FloorRow) -> Iterator[str]:
    if not 0 <= row.kills_at_start <= MOST_KILLS:
        yield f"has kills_at_start {row.kills_at_start}; it must be 0 to {MOST_KILLS}"
    if row.spawn_within is not None and row.spawn_within < 1:
        yield f"has spawn_within {row.spawn_within}; it must be at least 1"
    for name, chance in _chances(row):
        if not 0 <= chance <= 1:
            yield f"has {name} {chance}; it must be 0 to 1"


def _chances(row: FloorRow) -> Iterator[tuple[str, float]]:
    """Yield every chance of a floor, with its name."""
    yield from ((f"a chance of {name}", chance) for name, chance in row.chances._asdict().items())
    if isinstance(row.ground, Rooms):
        yield "flooded", row.ground.flooded
        yield "mossy", row.ground.mossy
    else:
        yield "tree_draw", row.ground.tree_draw
        yield from ((f"a chance of {ore.block.name} of", ore.chance) for ore in row.ground.ores)


def _ground(rules: Ruleset, row: FloorRow) -> Iterator[str]:
    ground, closed = row.ground, {r.block for r in rules.blocks if r.solid or r.liquid}
    if isinstance(ground, Rooms):
        return
    if len(ground.ores) > ORE_PASSES:
        yield f"has {len(ground.ores)} ores; there may be {ORE_PASSES}"
    for name in ("sea_slope", "mountain_slope"):
        if getattr(ground, name) <= 0:
            yield f"has {name} {getattr(ground, name)}; it must be more than 0"
    if ground.ladder_on in closed:
        yield f"has ladders on {ground.ladder_on.name}, which nobody can enter"
    if row.floor == 0 and ground.start in closed:
        yield f"starts on {ground.start.name}, which nobody can stand on"


def _makings(rules: Ruleset) -> Iterator[tuple[str, _Making]]:
    """Yield every row of an action, with its name."""
    yield from ((f"recipe {row.action.name}", row) for row in rules.recipes)
    yield from ((f"armour recipe {row.action.name}", row) for row in rules.armour_recipes)
    yield from ((f"placement {row.action.name}", row) for row in rules.placements)


def _actions(rules: Ruleset) -> Iterator[str]:
    rows = Counter(row.action for _, row in _makings(rules))
    for action in Action:
        if rules.has(action) and action.name.startswith(("MAKE_", "PLACE_")) and not rows[action]:
            yield f"action {action.name} has no row; a recipe or a placement must say what it does"
    for name, row in _makings(rules):
        if not rules.has(row.action):
            yield f"{name} is of action {int(row.action)}; the ruleset has actions below {rules.actions}"
        if rows[row.action] > 1:
            yield f"{name} is one of {rows[row.action]} rows of its action; there must be one"
        for item, number in row.uses:
            if not 1 <= number <= rules.inventory_limit:
                yield f"{name} uses {number} {item.name}; it must be 1 to {rules.inventory_limit}"
        complaints = _placement(row) if isinstance(row, Placement) else _recipe(row)
        yield from (f"{name} {complaint}" for complaint in complaints)


def _placement(row: Placement) -> Iterator[str]:
    if (row.block is None) == (row.fixture == Fixture.NONE):
        yield "must set down either a block or a fixture"
    if row.fixture >= FIXTURES:
        yield f"sets down {row.fixture.name}; a tile keeps fixtures below {FIXTURES}"


def _recipe(row: Recipe | ArmourRecipe) -> Iterator[str]:
    if isinstance(row, Recipe) and (row.amount > 0) == (row.level > 0):
        yield "must have either an amount or a level, of at least 1"
    if isinstance(row, ArmourRecipe) and row.level not in (1, 2):
        yield f"makes armour of level {row.level}; it must be 1 or 2"
    for station in row.near:
        if station not in STATIONS:
            yield f"is made beside {station.name}; a station is {' or '.join(s.name for s in STATIONS)}"


def _items(rules: Ruleset) -> Iterator[str]:
    for name, item in _items_named(rules):
        if item >= rules.items:
            yield f"{name} names {item.name}, item {int(item)}; the ruleset has items below {rules.items}"
    for row in rules.holdings:
        if not 1 <= row.least <= rules.inventory_limit:
            name = f"holding {row.achievement.name}"
            yield f"{name} takes {row.least} {row.item.name}; it must be 1 to {rules.inventory_limit}"


def _items_named(rules: Ruleset) -> Iterator[tuple[str, Item]]:
    for row in rules.blocks:
        if row.pickaxe != UNDIGGABLE:
            yield f"block {row.block.name}", row.tool
        if row.gives is not None:
            yield f"block {row.block.name}", row.gives
    for name, row in _makings(rules):
        yield from ((name, item) for item, _ in row.uses)
        if isinstance(row, Recipe):
            yield name, row.makes
    yield from ((f"holding {row.achievement.name}", row.item) for row in rules.holdings)
    yield from (("a blade", item) for item, _ in rules.blades)


def _loot(rules: Ruleset) -> Iterator[str]:
    if not any(isinstance(row.ground, Rooms) for row in rules.floors):
        return
    for number, roll in enumerate(loot.ROLLS):
        share = sum(find.share for find in roll.finds)
        if not 0 <= roll.chance <= 1 or min(f.share for f in roll.finds) < 0 or share > 1 + 1e-9:
            yield f"loot roll {number} has chance {roll.chance} and shares of {share:g}; both must be 0 to 1"
    finds = [find for roll in loot.ROLLS for find in roll.finds] + [gift.find for gift in loot.GIFTS]
    for find in finds:
        if find.item >= rules.items:
            yield f"a chest holds {find.item.name}, item {int(find.item)}; items are below {rules.items}"
        if not 1 <= find.least <= find.most <= rules.inventory_limit:
            yield f"a chest holds {find.least} to {find.most} {find.item.name}; it must hold 1 or more"


def _achievements(rules: Ruleset) -> Iterator[str]:
    for achievement in Achievement:
        if achievement < rules.achievements and achievement not in WEIGHTS:
            yield f"achievement {achievement.name} has no weight; WEIGHTS must have it"
    for name, achievement in _unlocks(rules):
        if achievement >= rules.achievements:
            count = rules.achievements
            yield f"{name} unlocks {achievement.name}, number {int(achievement)}; they are below {count}"


def _unlocks(rules: Ruleset) -> Iterator[tuple[str, Achievement]]:
    yield from ((f"holding {row.achievement.name}", row.achievement) for row in rules.holdings)
    yield from ((f"creature {row.name!r}", row.achievement) for row in rules.creatures)
    yield from ((f"floor {row.floor.name}", row.enter) for row in rules.floors if row.enter is not None)
    for name, row in _makings(rules):
        if not isinstance(row, Recipe):
            yield name, row.achievement


def _reach(rules: Ruleset) -> Iterator[str]:
    found = reachable(rules)
    for row in rules.floors:
        if row.floor not in found.blocks:
            above = rules.floors[row.floor - 1].floor.name
            yield f"floor {row.floor.name} cannot be entered; {above} needs a ladder down that monsters open"
    for name, row in _makings(rules):
        yield from (f"{name} {complaint}" for complaint in _in_vain(rules, found, row))
    unlocked = achievements(rules, found)
    for achievement in Achievement:
        if achievement < rules.achievements and achievement not in unlocked:
            yield f"achievement {achievement.name} can never be unlocked; a row that can be had must unlock it"


def _in_vain(rules: Ruleset, found: Reach, row: _Making) -> Iterator[str]:
    lacking = lacks(found, row)
    if lacking is not None:
        yield lacking
    elif isinstance(row, Placement) and not takes(rules, row) & found.all_blocks:
        yield f"goes onto {', '.join(sorted(b.name for b in takes(rules, row)))}, none of which occurs"
