"""What a player does with its hands: crafting, digging, placing, opening chests, learning (rules 5)."""

from fractions import Fraction

from tests.oracle import chance
from tests.oracle.book import ARMOUR, BUILDING, GIFTS, LOOT
from tests.oracle.chance import Dice
from tests.oracle.combat import blow, strike
from tests.oracle.light import light_torch
from tests.oracle.names import DRINKABLE, LAND, PASSIVE, TORCHABLE, Achievement, Action, Block, Fixture
from tests.oracle.world import Place, Plant, Player, World

#: Draws of loot, of which each player has so many.
ROLLS = 16


def near(world: World, block: int) -> bool:
    """Whether a block is one of the player's eight neighbours."""
    row, col = world.player.place
    ring = [(row + dr, col + dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1) if (dr, dc) != (0, 0)]
    return any(world.block(place) == block for place in ring)


def has(player: Player, cost: dict[str, int]) -> bool:
    return all(player.bag[item] >= number for item, number in cost.items())


def pay(player: Player, cost: dict[str, int]) -> None:
    for item, number in cost.items():
        player.bag[item] -= number


def achieve(world: World, deed: str) -> None:
    """Unlock an achievement of collecting or making where it is given at the act."""
    if not world.rules.proven:
        world.player.achievements.add(Achievement[deed])


def craft(world: World, action: Action) -> None:
    """Rule 5.1: the station near, the cost in the bag, and of use to whoever makes it."""
    player, rules = world.player, world.rules
    at_table, at_furnace = near(world, Block.CRAFTING_TABLE), near(world, Block.FURNACE)
    if action in rules.tools:
        tool, level, cost, furnace = rules.tools[action]
        if at_table and (at_furnace or not furnace) and has(player, cost) and player.bag[tool] < level:
            pay(player, cost)
            player.bag[tool] = level
    elif action in rules.goods:
        item, number, cost, furnace = rules.goods[action]
        full = rules.stack is not None and player.bag[item] >= rules.stack
        if at_table and (at_furnace or not furnace) and has(player, cost) and not full:
            pay(player, cost)
            player.bag[item] += number
            achieve(world, action.name)
    elif action in ARMOUR:
        level, cost, furnace = ARMOUR[action]
        lower = [slot for slot in range(4) if player.armour[slot] < level]
        if at_table and (at_furnace or not furnace) and has(player, cost) and lower:
            pay(player, cost)
            player.armour[lower[0]] = level
            player.achievements.add(Achievement[action.name])


def do(world: World, dice: Dice, turn: int, victim: tuple[str, int] | None, block: int) -> None:
    """Use the faced tile, or strike who stands there, as it was before anybody did anything.

    Args:
        turn: how many players had theirs before.
    """
    player, place = world.player, world.player.target
    if victim:
        kind, slot = victim
        if world.mobs[kind][slot] is None:
            return
        deed = world.creature(kind, world.mobs[kind][slot].type).deed
        if strike(world, kind, slot, blow(world)) and kind == PASSIVE:
            player.food += 6
            player.hunger = Fraction(0)
            player.achievements.add(deed)
        return
    if world.player_at(place):
        help_up(world, place)
        return
    digging = world.rules.digging
    if place in world.changed and (block in digging or block in (Block.CHEST, Block.RIPE_PLANT)):
        return
    if block in digging and player.bag[digging[block][0]] >= digging[block][1]:
        _, _, gives, becomes = digging[block]
        if gives:
            player.bag[gives] += 1
            achieve(world, f"COLLECT_{gives.upper()}")
        world.change(place, becomes)
    elif block == Block.CHEST:
        world.change(place, Block.PATH)
        open_chest(world, dice, turn)
    elif block == Block.GRASS and dice.happens(chance.FORAGE, turn, chance.chance("0.1")):
        player.bag["sapling"] += 1
        achieve(world, "COLLECT_SAPLING")
    elif block in DRINKABLE:
        player.drink += 1
        player.thirst = Fraction(0)
        player.achievements.add(Achievement.COLLECT_DRINK)
    elif block == Block.RIPE_PLANT:
        player.food += 4
        player.hunger = Fraction(0)
        player.achievements.add(Achievement.EAT_PLANT)
        world.change(place, Block.PLANT)
        sow(world, place)


def help_up(world: World, place: Place) -> None:
    """Let those who lay fallen on a tile when the step began stand up again."""
    for player in world.players:
        if player.place == place and not world.up[player.number] and world.rules.revival:
            player.health = Fraction(2)


def open_chest(world: World, dice: Dice, turn: int) -> None:
    """Rule 5.2: a roll for each sort of find, and the gift of a floor's first chest."""
    bag = world.player.bag
    world.player.achievements.add(Achievement.OPEN_CHEST)
    for roll, finds in enumerate(LOOT):
        draw, reached = dice.bits(chance.LOOT, ROLLS * turn + roll) >> 32 - chance.CHANCE_BITS, Fraction(0)
        for probability, item, number in finds:
            reached += probability
            if draw < round(reached * 2**chance.CHANCE_BITS):
                tool = item in ("pickaxe", "sword")
                bag[item] = max(bag[item], number) if tool else bag[item] + number
                break
    gift = GIFTS.get(world.theme) if world.here.chests == 0 else None
    if gift == "bow":
        bag["bow"] = 1
    elif gift == "book":
        bag["book"] += 1
    world.here.chests += 1


def sow(world: World, place: Place) -> None:
    """Tend a sapling, if one of the ten slots is free; else it stands but never ripens."""
    free = [slot for slot, plant in enumerate(world.plants) if plant is None]
    if free:
        world.plants[free[0]] = Plant(place)


def put(world: World, action: Action) -> None:
    """Set something down on the faced tile: inside, nobody there, no fixture, and of the right kind."""
    player, place = world.player, world.player.target
    if not world.inside(place) or world.creature_at(place) or world.has_fixture(place):
        return
    if world.player_at(place) or place in world.changed:
        return
    block = world.block(place)
    if action in BUILDING:
        built, cost = BUILDING[action]
        wet = block in world.rules.wet or (built == Block.STONE and block in (Block.WATER, Block.LAVA))
        if (block in LAND or wet) and has(player, cost):
            pay(player, cost)
            world.change(place, built)
            player.achievements.add(Achievement[action.name])
    elif action == Action.PLACE_PLANT and block == Block.GRASS and player.bag["sapling"]:
        player.bag["sapling"] -= 1
        world.change(place, Block.PLANT)
        player.achievements.add(Achievement.PLACE_PLANT)
        sow(world, place)
    elif action == Action.PLACE_TORCH and block in TORCHABLE and player.bag["torch"]:
        player.bag["torch"] -= 1
        world.set_fixture(place, Fixture.TORCH)
        world.changed.add(place)
        light_torch(world, place)
        player.achievements.add(Achievement.PLACE_TORCH)


def learn(player: Player, action: Action) -> None:
    """Spend a point of experience on an attribute below five."""
    attribute = {
        Action.LEVEL_UP_DEXTERITY: "dexterity",
        Action.LEVEL_UP_STRENGTH: "strength",
        Action.LEVEL_UP_INTELLIGENCE: "intelligence",
    }[action]
    if player.experience >= 1 and getattr(player, attribute) < 5:
        player.experience -= 1
        setattr(player, attribute, getattr(player, attribute) + 1)


def give(world: World, action: Action, had: list[dict[str, int]]) -> None:
    """Hand one of something to whoever stands on the faced tile; `had`: what each had before anybody gave."""
    giver, item = world.player, action.name.removeprefix("GIVE_").removeprefix("POTION_").lower()
    takers = [p for p in world.standing if p is not giver and p.place == giver.target]
    if takers and had[giver.number][item] and takers[0].bag[item] < world.rules.limit:
        takers[0].bag[item] += 1
        giver.bag[item] -= 1
