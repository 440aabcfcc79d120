"""What a player does with its hands: crafting, digging, striking, placing, shooting, learning (rules 5)."""

from fractions import Fraction

from tests.oracle import chance
from tests.oracle.chance import Dice
from tests.oracle.names import (
    ARMOUR,
    ARROW2,
    BLOWS,
    BUILDING,
    BURN,
    CHILL,
    DIGGING,
    FIRE,
    GOODS,
    HEALTH,
    ICE,
    LIMIT,
    MELEE,
    PASSIVE,
    PHYSICAL,
    PROJECTILES,
    RANGED,
    SOLID,
    TOOLS,
    TORCHABLE,
    Achievement,
    Action,
    Block,
    Fixture,
)
from tests.oracle.world import Missile, Place, Plant, Player, World

#: The overworld's creatures shrug nothing off.
DEFENCE = {kind: (Fraction(0), Fraction(0), Fraction(0)) for kind in HEALTH}
SLAYING = {MELEE: Achievement.DEFEAT_ZOMBIE, RANGED: Achievement.DEFEAT_SKELETON}
DAMAGE = tuple[Fraction, Fraction, Fraction]


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


def craft(world: World, action: int) -> None:
    """Rule 5.1: the station near, the cost in the bag, and of use to whoever makes it."""
    player = world.player
    at_table, at_furnace = near(world, Block.CRAFTING_TABLE), near(world, Block.FURNACE)
    if action in TOOLS:
        tool, level, cost, furnace = TOOLS[action]
        if at_table and (at_furnace or not furnace) and has(player, cost) and player.bag[tool] < level:
            pay(player, cost)
            player.bag[tool] = level
    elif action in GOODS:
        item, number, cost = GOODS[action]
        if at_table and has(player, cost) and player.bag[item] < LIMIT:
            pay(player, cost)
            player.bag[item] += number
    elif action in ARMOUR:
        level, cost, furnace = ARMOUR[action]
        lower = [slot for slot in range(4) if player.armour[slot] < level]
        if at_table and (at_furnace or not furnace) and has(player, cost) and lower:
            pay(player, cost)
            player.armour[lower[0]] = level
            player.achievements.add(
                Achievement.MAKE_IRON_ARMOUR if level == 1 else Achievement.MAKE_DIAMOND_ARMOUR
            )


def blow(player: Player) -> DAMAGE:
    """The damage of a sword: its force grows with strength, its enchantment with intelligence."""
    base = Fraction(BLOWS[player.bag["sword"]])
    spell = base / 2 * (1 + Fraction(player.intelligence - 1, 20))
    return (
        base * (1 + Fraction(player.strength - 1, 4)),
        spell if player.sword_enchantment == FIRE else Fraction(0),
        spell if player.sword_enchantment == ICE else Fraction(0),
    )


def arrow(player: Player) -> DAMAGE:
    """The damage of an arrow from the player's bow when it hits."""
    force = PROJECTILES[ARROW2][PHYSICAL] * (1 + Fraction(player.dexterity - 1, 5))
    spell = force / 2
    return (
        force,
        spell if player.bow_enchantment == FIRE else Fraction(0),
        spell if player.bow_enchantment == ICE else Fraction(0),
    )


def ball(player: Player, type_: int) -> DAMAGE:
    """The damage of a fireball or an iceball when it hits."""
    wit = 1 + Fraction(player.intelligence - 1, 2)
    damage = [part * wit for part in PROJECTILES[type_]]
    return damage[PHYSICAL], damage[BURN], damage[CHILL]


def strike(world: World, kind: str, slot: int, damage: DAMAGE) -> bool:
    """Hurt a creature; when that kills it, count it and free its slot. Tell whether it died."""
    mob = world.mobs[kind][slot]
    mob.health -= sum(part * (1 - shrug) for part, shrug in zip(damage, DEFENCE[kind], strict=True))
    if mob.health > 0:
        return False
    world.mobs[kind][slot] = None
    if kind != PASSIVE:
        world.kills += 1
        world.player.achievements.add(SLAYING[kind])
    return True


def do(world: World, dice: Dice) -> None:
    """Use the faced tile, or strike who stands there."""
    player, place = world.player, world.player.target
    victim = world.creature_at(place)
    if victim:
        if strike(world, *victim, blow(player)) and victim[0] == PASSIVE:
            player.food += 6
            player.hunger = Fraction(0)
            player.achievements.add(Achievement.EAT_COW)
        return
    block = world.block(place)
    if block in DIGGING and player.bag["pickaxe"] >= DIGGING[block][0]:
        _, gives, becomes = DIGGING[block]
        if gives:
            player.bag[gives] += 1
        world.set_block(place, becomes)
    elif block == Block.GRASS and dice.happens(chance.FORAGE, 0, chance.chance(0.1)):
        player.bag["sapling"] += 1
    elif block in (Block.WATER, Block.FOUNTAIN):
        player.drink += 1
        player.thirst = Fraction(0)
        player.achievements.add(Achievement.COLLECT_DRINK)
    elif block == Block.RIPE_PLANT:
        player.food += 4
        player.hunger = Fraction(0)
        player.achievements.add(Achievement.EAT_PLANT)
        world.set_block(place, Block.PLANT)
        sow(world, place)


def sow(world: World, place: Place) -> None:
    """Tend a sapling, if one of the ten slots is free; else it stands but never ripens."""
    free = [slot for slot, plant in enumerate(world.plants) if plant is None]
    if free:
        world.plants[free[0]] = Plant(place)


def put(world: World, action: int) -> None:
    """Set something down on the faced tile: inside, nobody there, no fixture, and of the right kind."""
    player, place = world.player, world.player.target
    if not world.inside(place) or world.creature_at(place) or world.fixture(place) != Fixture.NONE:
        return
    block = world.block(place)
    if action in BUILDING and block not in SOLID and has(player, BUILDING[action][1]):
        pay(player, BUILDING[action][1])
        world.set_block(place, BUILDING[action][0])
        player.achievements.add(Achievement[Action(action).name])
    elif action == Action.PLACE_PLANT and block == Block.GRASS and player.bag["sapling"]:
        player.bag["sapling"] -= 1
        world.set_block(place, Block.PLANT)
        player.achievements.add(Achievement.PLACE_PLANT)
        sow(world, place)
    elif action == Action.PLACE_TORCH and block in TORCHABLE and player.bag["torch"]:
        player.bag["torch"] -= 1
        world.fixtures[place[0]][place[1]] = int(Fixture.TORCH)
        player.achievements.add(Achievement.PLACE_TORCH)


def shoot(world: World) -> None:
    """Let an arrow go from where the player stands, in the direction it faces."""
    player = world.player
    free = [slot for slot, missile in enumerate(world.player_missiles) if missile is None]
    if player.bag["bow"] and player.bag["arrow"] and free:
        player.bag["arrow"] -= 1
        world.player_missiles[free[0]] = Missile(player.place, player.facing, ARROW2)
        player.achievements.add(Achievement.FIRE_BOW)


def learn(player: Player, action: int) -> None:
    """Spend a point of experience on an attribute below five."""
    attribute = {
        Action.LEVEL_UP_DEXTERITY: "dexterity",
        Action.LEVEL_UP_STRENGTH: "strength",
        Action.LEVEL_UP_INTELLIGENCE: "intelligence",
    }[Action(action)]
    if player.experience >= 1 and getattr(player, attribute) < 5:
        player.experience -= 1
        setattr(player, attribute, getattr(player, attribute) + 1)
