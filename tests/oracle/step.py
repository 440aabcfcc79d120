"""One step of one world, in the order of rules 7."""

from dataclasses import dataclass

from tests.oracle import hands, magic
from tests.oracle.body import clip, live
from tests.oracle.book import BOSS_BLOWS, DEEPER_WEIGHT, RIPENING
from tests.oracle.boss import confront
from tests.oracle.chance import Dice
from tests.oracle.creatures import fly_mob_missiles, fly_player_missiles, move_creatures, spawn
from tests.oracle.names import Achievement, Action, Block, weight
from tests.oracle.travel import Land, Maker, greet, travel
from tests.oracle.world import World, after

A = Achievement

#: What the bag proves at the end of a step: (achievement, item, how many).
PROOFS = (
    (A.COLLECT_WOOD, "wood", 1),
    (A.COLLECT_STONE, "stone", 1),
    (A.COLLECT_COAL, "coal", 1),
    (A.COLLECT_IRON, "iron", 1),
    (A.COLLECT_DIAMOND, "diamond", 1),
    (A.COLLECT_SAPPHIRE, "sapphire", 1),
    (A.COLLECT_RUBY, "ruby", 1),
    (A.COLLECT_SAPLING, "sapling", 1),
    (A.MAKE_ARROW, "arrow", 1),
    (A.MAKE_TORCH, "torch", 1),
    (A.FIND_BOW, "bow", 1),
    (A.MAKE_WOOD_PICKAXE, "pickaxe", 1),
    (A.MAKE_STONE_PICKAXE, "pickaxe", 2),
    (A.MAKE_IRON_PICKAXE, "pickaxe", 3),
    (A.MAKE_DIAMOND_PICKAXE, "pickaxe", 4),
    (A.MAKE_WOOD_SWORD, "sword", 1),
    (A.MAKE_STONE_SWORD, "sword", 2),
    (A.MAKE_IRON_SWORD, "sword", 3),
    (A.MAKE_DIAMOND_SWORD, "sword", 4),
)


@dataclass(frozen=True)
class Outcome:
    """What a step brought."""

    reward: float
    terminated: bool
    truncated: bool


def unknown(floor: int) -> Land:
    """Refuse to tell what was made as a floor."""
    raise NotImplementedError(f"nobody said what floor {floor} is like")


def step(world: World, action: int, time_limit: int | None = None, made: Maker = unknown) -> Outcome:
    """Play one step; the world is changed in place. `made` tells of a floor that is entered for the first time."""
    player, rules = world.player, world.rules
    dice = Dice(world.seed, world.tick)
    health, unlocked = player.health, set(player.achievements)
    if player.asleep or player.resting or not 0 <= action < rules.actions:
        action = Action.NOOP
    action = Action(action)
    travel(world, action, made)
    deeper = greet(world)
    act(world, action, dice)
    move_creatures(world, dice)
    fly_mob_missiles(world)
    fly_player_missiles(world)
    spawn(world, dice)
    grow(world)
    live(world, action)
    clip(world)
    if rules.gait == "walks into lava" and world.block(player.place) == Block.LAVA:
        player.health *= 0
    if rules.proven:
        player.achievements |= {proof for proof, item, least in PROOFS if player.bag[item] >= least}
    gained = sum(weight(a) for a in player.achievements - unlocked) + DEEPER_WEIGHT * deeper
    world.tick += 1
    won = world.boss_progress >= BOSS_BLOWS and not rules.endless
    terminated = won or player.health <= 0
    return Outcome(
        reward=float(gained + (player.health - health) / 10),
        terminated=terminated,
        truncated=not terminated and world.tick >= (rules.time_limit if time_limit is None else time_limit),
    )


def act(world: World, action: Action, dice: Dice) -> None:
    """Do what the player wants to do."""
    hands.craft(world, action)
    if action == Action.DO:
        hands.do(world, dice)
    hands.put(world, action)
    if action == Action.SHOOT_ARROW:
        magic.shoot(world)
    if action in magic.SPELLS:
        magic.cast(world, action)
    if Action.DRINK_POTION_RED <= action <= Action.DRINK_POTION_YELLOW:
        magic.drink(world, action)
    if action == Action.READ_BOOK:
        magic.read(world.player, dice)
    if action in (Action.ENCHANT_SWORD, Action.ENCHANT_ARMOUR, Action.ENCHANT_BOW):
        magic.enchant(world, action, dice)
    confront(world, action)
    if Action.LEVEL_UP_DEXTERITY <= action <= Action.LEVEL_UP_INTELLIGENCE:
        hands.learn(world.player, action)
    if Action.LEFT <= action <= Action.DOWN:
        walk(world, action - Action.LEFT)


def walk(world: World, direction: int) -> None:
    """Turn, and go if the way is free."""
    player = world.player
    player.facing = direction
    place = after(player.place, direction)
    if world.enters(world.rules.gait, place) and not world.creature_at(place):
        player.place = place


def grow(world: World) -> None:
    """Saplings of the first floor age, wherever the player is; ripe ones need their slot no more."""
    for slot, plant in enumerate(world.plants):
        if plant is not None:
            plant.age += 1
            if plant.age >= RIPENING:
                world.set_block(plant.place, Block.RIPE_PLANT, floor=0)
                world.plants[slot] = None
