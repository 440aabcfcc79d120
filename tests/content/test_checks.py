"""Rows that do not fit together are refused, in one line that names the row."""

import re
from dataclasses import replace

import numpy as np
import pytest

from openworld.content import achievements, checks, creatures, loot, reach, tables
from openworld.content.achievements import WAYS, Holding
from openworld.content.blocks import UNDIGGABLE, BlockRow
from openworld.content.checks import check
from openworld.content.floors import FLOORS, Ore, Rooms, Smooth, SpawnChances
from openworld.content.ids import Achievement, Action, Block, Fixture, Floor, Item, Kind, Projectile
from openworld.content.rulesets import CLASSIC, ENDLESS, FULL
from openworld.content.units import POINT
from openworld.core.state import ACHIEVEMENT_WORDS, Floors, Mobs, Player, World, stored_dtype
from openworld.generate.draws import PASS_STRIDE
from openworld.observe.tokens import NOWHERE


def swap(rows, number, /, **changes):
    """The rows with one of them changed."""
    return (*rows[:number], replace(rows[number], **changes), *rows[number + 1 :])


def place(rows, **wanted):
    """Where the row stands whose field has a value."""
    ((name, value),) = wanted.items()
    return next(i for i, row in enumerate(rows) if getattr(row, name) == value)


def full(rows, **changes):
    """The full rules with the one row changed that `field=value` names: full("blocks", of=("block", X), ...)."""
    name, value = changes.pop("of")
    old = getattr(FULL, rows)
    return replace(FULL, **{rows: swap(old, place(old, **{name: value}), **changes)})


def without(rules, rows, name, value):
    """A ruleset without the row that has a value."""
    return replace(rules, **{rows: tuple(row for row in getattr(rules, rows) if getattr(row, name) != value)})


def floor(number, **changes):
    """The full rules with one floor's row changed."""
    return replace(FULL, floors=swap(FLOORS, number, **changes))


def ground(number, **changes):
    """The full rules with one floor's ground changed."""
    return floor(number, ground=replace(FLOORS[number].ground, **changes))


def refused(what, rules=FULL):
    """Assert that the rules are refused in one short line that says what."""
    with pytest.raises(ValueError, match=re.escape(what)) as refusal:
        check(rules)
    message = str(refusal.value)
    assert message.startswith(f"ruleset {rules.name!r}: ")
    assert "\n" not in message
    assert len(message) < 160


COW, TABLE, ARROWS = ("name", "cow"), ("action", Action.PLACE_TABLE), ("action", Action.MAKE_ARROW)


@pytest.mark.parametrize("rules", [FULL, CLASSIC, ENDLESS], ids=lambda rules: rules.name)
def test_the_games_there_are_pass(rules):
    check(rules)


SIZES = {
    "rows is 80; it must be 16 to 64": {"rows": 80, "cols": 80},
    "a floor is 48 x 32 tiles; it must be a square of a multiple of 16": {"cols": 32},
    "a floor is 40 x 40 tiles": {"rows": 40, "cols": 40},
    "the view is 8 x 11; a player in its middle needs odd numbers": {"view_rows": 8},
    "the view is 17 x 17; it must have at most 255 tiles": {"view_rows": 17, "view_cols": 17},
    "melee is 0; it must be at least 1": {"melee": 0},
    "player_projectiles is -1; it must be at least 0": {"player_projectiles": -1},
    "inventory_limit is 256; it must be 1 to 255": {"inventory_limit": 256},
    "time_limit is 0; it must be 1 to 2147483646": {"time_limit": 0},
    "day_length is 0; it must be at least 1": {"day_length": 0},
    "items is 19; it must be 20 to 26": {"items": 19},
    "achievements is 68; it must be 1 to 67": {"achievements": 68},
    "actions is 61; it must be 1 to 60": {"actions": 61},
    "there are 0 floors; there must be 1 to 127": {"floors": ()},
}

BLOCKS = {
    "block SAND has 0 rows; it must have one": without(FULL, "blocks", "block", Block.SAND),
    "block SAND has 2 rows; it must have one": replace(
        FULL, blocks=(*FULL.blocks, BlockRow(block=Block.SAND))
    ),
    "block IRON takes -1 PICKAXE; nobody can carry": full("blocks", of=("block", Block.IRON), pickaxe=-1),
    "block STONE names IRON_SWORD, item 25; the ruleset has items below 20": full(
        "blocks", of=("block", Block.STONE), gives=Item.IRON_SWORD
    ),
    "block STONE names WOOD_PICKAXE, item 20": full(
        "blocks", of=("block", Block.STONE), tool=Item.WOOD_PICKAXE
    ),
}

CREATURES = {
    "floor OVERWORLD names passive creature 0, which has no row": without(FULL, "creatures", *COW),
    "creature 'bat' has the class and number of creature 'cow'; each": full(
        "creatures", of=("name", "bat"), number=0
    ),
    "creature 'cow' has number 8; it must be 0 to 7": full("creatures", of=COW, number=8),
    "creature 'cow' is of class MOB_PROJECTILE; it must be MELEE": full(
        "creatures", of=COW, kind=Kind.MOB_PROJECTILE
    ),
    "creature 'cow' has health 820; it must be 1 to 819": full("creatures", of=COW, health=820),
    "creature 'zombie' needs damage of at least 0": full(
        "creatures", of=("name", "zombie"), damage=(-1, 0, 0)
    ),
    "creature 'knight' needs damage of at least 0 and a defence of 0 to 10 tenths": full(
        "creatures", of=("name", "knight"), defence=(11, 0, 0)
    ),
    "creature 'cow' has no home": full("creatures", of=COW, home=()),
    "creature 'snail' unlocks EAT_SNAIL, number 51; they are below 51": replace(
        FULL, achievements=51, holdings=FULL.holdings[:5]
    ),
}

FLOOR_ROWS = {
    "floor DUNGEON names melee creature 9, which has no row in creatures": floor(1, melee=9),
    "floor DUNGEON is number 1 and stands in place 0; floors go in order": replace(
        FULL, floors=(replace(FLOORS[2], floor=Floor.DUNGEON), *FLOORS[1:])
    ),
    "floor OVERWORLD is made of rooms; the first one must be Smooth": floor(0, ground=Rooms()),
    "floor DUNGEON has a chance of melee 1.5; it must be 0 to 1": floor(1, chances=SpawnChances(melee=1.5)),
    "floor SEWERS has flooded -0.1; it must be 0 to 1": ground(3, flooded=-0.1),
    "floor ICE_REALM has tree_draw 2.0; it must be 0 to 1": ground(7, tree_draw=2.0),
    "floor OVERWORLD has a chance of COAL of 3.0; it must be 0 to 1": ground(
        0, ores=(Ore(Block.STONE, Block.COAL, 3.0),)
    ),
    "floor OVERWORLD has 6 ores; there may be 5": ground(0, ores=(Ore(Block.STONE, Block.COAL, 0.1),) * 6),
    "floor FIRE_REALM has sea_slope 0.0; it must be more than 0": ground(6, sea_slope=0.0),
    "floor OVERWORLD has ladders on WATER, which nobody can enter": ground(0, ladder_on=Block.WATER),
    "floor OVERWORLD starts on STONE, which nobody can stand on": ground(0, start=Block.STONE),
    "floor VAULTS has kills_at_start 40000; it must be 0 to 32767": floor(4, kills_at_start=40_000),
    "floor GRAVEYARD has spawn_within 0; it must be at least 1": floor(8, spawn_within=0),
    "floor OVERWORLD is a boss's, whose monsters are those of 8 floors": replace(
        CLASSIC, floors=(replace(CLASSIC.floors[0], boss=True),)
    ),
    "floor OVERWORLD is the last; it must be Smooth, without a ladder down": replace(FULL, floors=FLOORS[:1]),
    "floor DUNGEON is the last; it must be Smooth, without a ladder down": replace(FULL, floors=FLOORS[:2]),
    "floor OVERWORLD is the last; it must be a boss's, as the game goes on": replace(
        CLASSIC, ends_at_boss=False
    ),
    "floor TROLL_MINES cannot be entered; VAULTS needs a ladder down that monsters open": floor(
        4, chances=SpawnChances(melee=0.0, ranged=0.0)
    ),
    "floor DUNGEON cannot be entered; OVERWORLD needs a ladder down": ground(0, ladder_down=False),
}

ACTIONS = {
    "action MAKE_ARROW has no row; a recipe or a placement must say": without(FULL, "recipes", *ARROWS),
    "action PLACE_TABLE has no row": without(FULL, "placements", *TABLE),
    "recipe MAKE_DIAMOND_PICKAXE is of action 20; the ruleset has actions below 20": replace(
        FULL, actions=20
    ),
    "recipe MAKE_ARROW is one of 2 rows of its action": replace(
        FULL, recipes=(*FULL.recipes, FULL.recipes[-2])
    ),
    "recipe MAKE_ARROW must have either an amount or a level": full("recipes", of=ARROWS, amount=0),
    "recipe MAKE_ARROW uses 0 WOOD; it must be 1 to 99": full("recipes", of=ARROWS, uses=((Item.WOOD, 0),)),
    "recipe MAKE_ARROW is made beside TREE; a station is CRAFTING_TABLE or FURNACE": full(
        "recipes", of=ARROWS, near=(Block.TREE,)
    ),
    "recipe MAKE_ARROW names STONE_SWORD, item 24": full("recipes", of=ARROWS, makes=Item.STONE_SWORD),
    "armour recipe MAKE_IRON_ARMOUR makes armour of level 3": full(
        "armour_recipes", of=("action", Action.MAKE_IRON_ARMOUR), level=3
    ),
    "placement PLACE_TABLE must set down either a block or a fixture": full(
        "placements", of=TABLE, fixture=Fixture.TORCH
    ),
    "placement PLACE_TORCH sets down LADDER_DOWN_BLOCKED": full(
        "placements", of=("action", Action.PLACE_TORCH), fixture=Fixture.LADDER_DOWN_BLOCKED
    ),
    "holding COLLECT_WOOD takes 100 WOOD; it must be 1 to 99": replace(
        FULL, holdings=(Holding(Achievement.COLLECT_WOOD, Item.WOOD, 100),)
    ),
    "a blade names IRON_SWORD, item 25": replace(FULL, blades=((Item.IRON_SWORD, 5),)),
}

#: A game in which iron cannot be dug.
NO_IRON = replace(
    CLASSIC, blocks=swap(CLASSIC.blocks, place(CLASSIC.blocks, block=Block.IRON), pickaxe=UNDIGGABLE)
)
NO_FURNACE = swap(
    CLASSIC.placements, place(CLASSIC.placements, action=Action.PLACE_FURNACE), block=Block.SAND
)

UNREACHABLE = {
    "recipe MAKE_IRON_PICKAXE uses 1 IRON, which nothing gives": NO_IRON,
    "recipe MAKE_IRON_PICKAXE is made beside FURNACE, which can neither be built nor found": replace(
        CLASSIC, placements=NO_FURNACE
    ),
    "placement PLACE_PLANT goes onto GRAVEL, none of which occurs": full(
        "placements", of=("action", Action.PLACE_PLANT), onto=(Block.GRAVEL,)
    ),
    "achievement COLLECT_DRINK can never be unlocked": replace(
        FULL, blocks=tuple(replace(row, drinkable=False) for row in FULL.blocks)
    ),
    "achievement FIND_BOW can never be unlocked": without(
        FULL, "holdings", "achievement", Achievement.FIND_BOW
    ),
    "achievement FIRE_BOW can never be unlocked": replace(FULL, player_projectiles=0),
    "achievement EAT_BAT can never be unlocked": replace(
        FULL,
        floors=tuple(replace(row, passive=2) if row.passive == 1 else row for row in FLOORS),
    ),
    "achievement EAT_SNAIL can never be unlocked": full(
        "creatures", of=("name", "snail"), home=(Block.GRAVEL,)
    ),
    "achievement ENTER_VAULT can never be unlocked": floor(4, enter=None),
    "achievement ENCHANT_ARMOUR can never be unlocked": replace(
        FULL,
        floors=tuple(
            replace(row, ground=replace(row.ground, special=Block.PATH))
            if isinstance(row.ground, Rooms)
            else row
            for row in FLOORS
        ),
        holdings=(*FULL.holdings, Holding(Achievement.ENCHANT_SWORD, Item.SWORD)),
    ),
    "achievement DAMAGE_NECROMANCER can never be unlocked": ground(8, start=Block.PATH),
}


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        *((line, replace(FULL, **changes)) for line, changes in SIZES.items()),
        *BLOCKS.items(),
        *CREATURES.items(),
        *FLOOR_ROWS.items(),
        *ACTIONS.items(),
        *UNREACHABLE.items(),
    ],
    ids=lambda value: value.partition(";")[0] if isinstance(value, str) else "",
)
def test_what_is_refused(line, rules):
    refused(line, rules)


def test_damage_and_weights_that_are_missing_are_refused(monkeypatch):
    monkeypatch.delitem(achievements.WEIGHTS, Achievement.EAT_COW)
    refused("achievement EAT_COW has no weight; WEIGHTS must have it")
    monkeypatch.delitem(creatures.PROJECTILE_DAMAGE, Projectile.DAGGER)
    refused("projectile DAGGER has no damage; PROJECTILE_DAMAGE must have it")


def test_chests_that_cannot_be_are_refused(monkeypatch):
    def holding(chance=0.5, **find):
        rolls = (loot.ROLLS[0], loot.Roll(chance=chance, finds=(loot.Find(**{"item": Item.COAL} | find),)))
        monkeypatch.setattr(loot, "ROLLS", rolls)

    holding(chance=1.2)
    refused("loot roll 1 has chance 1.2 and shares of 1; both must be 0 to 1")
    holding(share=1.5)
    refused("loot roll 1 has chance 0.5 and shares of 1.5")
    holding(item=Item.IRON_SWORD)
    refused("a chest holds IRON_SWORD, item 25; items are below 20")
    holding(least=3, most=2)
    refused("a chest holds 3 to 2 COAL; it must hold 1 or more")
    check(CLASSIC)  # without chests nobody minds


def test_a_ruleset_is_checked_before_it_is_compiled():
    with pytest.raises(ValueError, match="melee is 0"):
        tables.compile_tables(replace(FULL, melee=0))


def test_limits_are_those_of_what_is_stored():
    def most(record, name):
        return np.iinfo(stored_dtype(record, name)).max

    side = checks.SIZES["rows"][1]
    assert checks.SIZES["cols"][1] == side
    assert side * side <= PASS_STRIDE
    assert side - 1 <= min(most(Player, "position"), most(Mobs, "position"), most(Floors, "ladders"))
    assert checks.SIZES["inventory_limit"][1] <= most(Player, "inventory") < UNDIGGABLE
    assert checks.SIZES["achievements"][1] <= 32 * ACHIEVEMENT_WORDS
    assert most(Mobs, "type") >= checks.TYPES - 1
    assert min(most(Player, "health"), most(Mobs, "health")) >= checks.MOST_HEALTH * POINT
    assert most(Floors, "kills") >= checks.MOST_KILLS
    assert min(most(World, "floor"), most(World, "theme")) >= checks.MOST_FLOORS
    assert checks.MOST_VIEW <= NOWHERE


def test_everything_of_the_full_game_can_be_had():
    found = reach.reachable(FULL)
    assert list(found.blocks) == list(Floor)
    assert found.items == dict.fromkeys(range(FULL.items), 99) | {Item.PICKAXE: 4, Item.SWORD: 4, Item.BOW: 1}
    assert found.armour == 2
    assert reach.achievements(FULL, found) == set(Achievement)
    never = {Block.INVALID, Block.OUT_OF_BOUNDS, Block.WOOD, Block.GRAVEL, Block.NECROMANCER_VULNERABLE}
    assert found.all_blocks == set(Block) - never


def test_deeds_are_what_no_other_row_unlocks():
    rows = (*FULL.holdings, *FULL.creatures, *FULL.armour_recipes, *FULL.placements)
    others = {row.achievement for row in rows} | {row.enter for row in FULL.floors}
    assert others.isdisjoint(WAYS)
    assert others | set(WAYS) == {*Achievement, None}


def test_what_a_floor_of_noise_is_made_of():
    ground = FLOORS[0].ground
    assert isinstance(ground, Smooth)
    row = replace(FLOORS[0], ground=replace(ground, tree_on=Block.SAND, coast=Block.GRASS, ores=()))
    made = {Block.GRASS, Block.WATER, Block.PATH, Block.STONE, Block.LAVA}
    assert reach.generated(row) == made  # no tree without sand, no ore without a pass
