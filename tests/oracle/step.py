"""One step of one world on its first floor, in the order of rules 7."""

from dataclasses import dataclass
from fractions import Fraction

from tests.oracle import hands
from tests.oracle.chance import Dice
from tests.oracle.creatures import fly_mob_missiles, fly_player_missiles, move_creatures, spawn
from tests.oracle.names import ITEMS, LIMIT, RIPENING, TIME_LIMIT, Achievement, Action, Block, Fixture, weight
from tests.oracle.world import Player, World, after

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


def step(world: World, action: int, time_limit: int = TIME_LIMIT) -> Outcome:
    """Play one step; the world is changed in place."""
    player = world.player
    dice = Dice(world.seed, world.tick)
    health, unlocked = player.health, set(player.achievements)
    if player.asleep or player.resting or not 0 <= action < len(Action):
        action = Action.NOOP
    action = Action(action)
    if action == Action.DESCEND and world.fixture(player.place) == Fixture.LADDER_DOWN:
        raise NotImplementedError("this telling knows the first floor alone")
    hands.craft(world, action)
    if action == Action.DO:
        hands.do(world, dice)
    hands.put(world, action)
    if action == Action.SHOOT_ARROW:
        hands.shoot(world)
    if Action.LEVEL_UP_DEXTERITY <= action <= Action.LEVEL_UP_INTELLIGENCE:
        hands.learn(player, action)
    if Action.LEFT <= action <= Action.DOWN:
        walk(world, action - Action.LEFT)
    move_creatures(world, dice)
    fly_mob_missiles(world)
    fly_player_missiles(world)
    spawn(world, dice)
    grow(world)
    live(player, action)
    clip(player)
    player.achievements |= {proof for proof, item, least in PROOFS if player.bag[item] >= least}
    gained = sum(weight(a) for a in player.achievements - unlocked)
    world.tick += 1
    return Outcome(
        reward=float(gained + (player.health - health) / 10),
        terminated=player.health <= 0,
        truncated=player.health > 0 and world.tick >= time_limit,
    )


def walk(world: World, direction: int) -> None:
    """Turn, and go if the way is free."""
    player = world.player
    player.facing = direction
    place = after(player.place, direction)
    if world.open_to_walkers(place) and not world.creature_at(place):
        player.place = place


def grow(world: World) -> None:
    """Saplings age; ripe ones need their slot no more."""
    for slot, plant in enumerate(world.plants):
        if plant is not None:
            plant.age += 1
            if plant.age >= RIPENING:
                world.set_block(plant.place, Block.RIPE_PLANT)
                world.plants[slot] = None


def live(player: Player, action: int) -> None:
    """Sleep, rest, and the counters of decay."""
    lie_down_or_rise(player, action)
    wear(player)
    recover(player)
    player.focus = (player.focus + (2 if player.asleep else 1)) * (1 + Fraction(player.intelligence - 1, 4))
    if player.focus > 30:
        player.mana, player.focus = player.mana + 1, Fraction(0)


def lie_down_or_rise(player: Player, action: int) -> None:
    """Fall asleep or rest when asked and in need of it; wake when that need is met."""
    if action == Action.SLEEP and player.energy < player.most_stamina:
        player.asleep = True
    if player.asleep and player.energy >= player.most_stamina:
        player.asleep = False
        player.achievements.add(Achievement.WAKE_UP)
    if action == Action.REST and player.health < player.most_health:
        player.resting = True
    if player.resting and (player.health >= player.most_health or player.food <= 0 or player.drink <= 0):
        player.resting = False


def wear(player: Player) -> None:
    """Food, drink and energy fall, more slowly for the dexterous; sleep brings energy back."""
    thrift = 1 - Fraction(player.dexterity - 1, 8)
    pace = thrift * (Fraction(1, 2) if player.asleep else 1)
    player.hunger += pace
    if player.hunger > 25:
        player.food, player.hunger = player.food - 1, Fraction(0)
    player.thirst += pace
    if player.thirst > 20:
        player.drink, player.thirst = player.drink - 1, Fraction(0)
    player.fatigue = min(player.fatigue - 1, Fraction(0)) if player.asleep else player.fatigue + thrift
    if player.fatigue > 30:
        player.energy, player.fatigue = player.energy - 1, Fraction(0)
    elif player.fatigue < -10:
        player.energy, player.fatigue = player.energy + 1, Fraction(0)


def recover(player: Player) -> None:
    """Health comes back while nothing lacks, and goes while something does."""
    if player.food > 0 and player.drink > 0 and (player.energy > 0 or player.asleep):
        player.recovery += 2 if player.asleep else 1
    else:
        player.recovery -= Fraction(1, 2) if player.asleep else 1
    if player.recovery > 25:
        player.health, player.recovery = player.health + 1, Fraction(0)
    elif player.recovery < -15:
        player.health, player.recovery = player.health - 1, Fraction(0)


def clip(player: Player) -> None:
    """Keep everything within its bounds."""
    for item in ITEMS:
        player.bag[item] = min(player.bag[item], LIMIT)
    player.health = min(max(player.health, Fraction(0)), Fraction(player.most_health))
    player.food = min(max(player.food, 0), player.most_stamina)
    player.drink = min(max(player.drink, 0), player.most_stamina)
    player.energy = min(max(player.energy, 0), player.most_stamina)
    player.mana = min(max(player.mana, 0), player.most_mana)
