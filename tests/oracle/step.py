"""One step of one world, in the order of rules 7; of several players in that of docs/reference/coop.md."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle import hands, magic
from tests.oracle.body import clip, live
from tests.oracle.book import BOSS_BLOWS, DAY, DEEPER_WEIGHT, NIGHT_PACE, RIPENING
from tests.oracle.boss import confront
from tests.oracle.chance import Dice
from tests.oracle.creatures import fly_mob_missiles, fly_player_missiles, move_creatures, spawn
from tests.oracle.names import Achievement, Action, Block, weight
from tests.oracle.travel import Land, Maker, greet, travel
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
    """What a step brought: rewards by the players' numbers."""

    rewards: tuple[float, ...]
    terminated: bool
    truncated: bool

    @property
    def reward(self) -> float:
        """That of the one player."""
        return self.rewards[0]


def unknown(floor: int) -> Land:
    """Refuse to tell what was made as a floor."""
    raise NotImplementedError(f"nobody said what floor {floor} is like")


def step(
    world: World, action: int | Sequence[int], time_limit: int | None = None, made: Maker = unknown
) -> Outcome:
    """Play one step; the world is changed in place.

    Args:
        action: of each player, by their numbers.
        made: tells of a floor that is entered for the first time.
    """
    players, rules = world.players, world.rules
    several = len(players) > 1
    dice = Dice(world.seed, world.tick)
    before = [(player.health, set(player.achievements)) for player in players]
    world.up = [not several or not player.fallen for player in players]
    world.changed = set()
    sleepers = [player.asleep for player in players if not player.fallen]
    if rules.coop and sleepers and all(sleepers):
        world.ahead = (world.ahead + NIGHT_PACE - 1) % DAY
    chosen = [action] if isinstance(action, int) else list(action)
    actions = [effective(world, player, a) for player, a in zip(players, chosen, strict=True)]
    depth = world.depth
    travel(world, actions, made)
    if several and world.depth != depth:
        actions = [Action.NOOP] * len(players)
    deeper = greet(world)
    act(world, actions, dice)
    move_creatures(world, dice)
    fly_mob_missiles(world)
    fly_player_missiles(world)
    for player in world.standing:
        world.player = player
        live(world, actions[player.number])
    for player in players:
        world.player = player
        finish(world)
    spawn(world, dice)
    grow(world)
    rewards = []
    for player, (health, unlocked) in zip(players, before, strict=True):
        gained = sum(weight(a) for a in player.achievements - unlocked) + DEEPER_WEIGHT * deeper
        rewards.append(gained + (player.health - health) / 10)
    shared = Fraction(round(100 * rules.sharing), 100)
    mean = sum(rewards, Fraction(0)) / len(rewards)
    world.tick += 1
    won = world.boss_progress >= BOSS_BLOWS and not rules.endless
    terminated = won or all(player.fallen for player in players)
    return Outcome(
        rewards=tuple(float((1 - shared) * own + shared * mean) for own in rewards),
        terminated=terminated,
        truncated=not terminated and world.tick >= (rules.time_limit if time_limit is None else time_limit),
    )


def effective(world: World, player: Player, action: int) -> Action:
    """What comes of an action: sleepers, resters and the fallen do nothing."""
    still = player.asleep or player.resting or not world.up[player.number]
    return Action.NOOP if still or not 0 <= action < world.rules.actions else Action(action)


def finish(world: World) -> None:
    """Sum up the step of the player whose turn it is."""
    player, rules = world.player, world.rules
    clip(world)
    if rules.gait == "walks into lava" and world.block(player.place) == Block.LAVA:
        player.health *= 0
    if rules.proven:
        player.achievements |= {proof for proof, item, least in PROOFS if player.bag[item] >= least}
    if player.fallen and len(world.players) > 1:
        player.asleep = player.resting = False


def act(world: World, actions: list[Action], dice: Dice) -> None:
    """Do what the players want to do: one thing after another, and each thing in the order of their turns."""

    def everybody(do: Callable[[Action, int], None], *which: int) -> None:
        for turn, player in enumerate(world.order):
            world.player, action = player, actions[player.number]
            if not which or action in which:
                do(action, turn)

    everybody(lambda a, _: hands.craft(world, a))
    ahead = [(world.creature_at(p.target), world.block(p.target)) for p in world.order]
    everybody(lambda _, turn: hands.do(world, dice, turn, *ahead[turn]), Action.DO)
    everybody(lambda a, _: hands.put(world, a))
    everybody(lambda *_: magic.shoot(world), Action.SHOOT_ARROW)
    everybody(lambda a, _: magic.cast(world, a), *magic.SPELLS)
    everybody(
        lambda a, _: magic.drink(world, a), *range(Action.DRINK_POTION_RED, Action.DRINK_POTION_YELLOW + 1)
    )
    everybody(lambda _, turn: magic.read(world.player, dice, turn), Action.READ_BOOK)
    charms = (Action.ENCHANT_SWORD, Action.ENCHANT_ARMOUR, Action.ENCHANT_BOW)
    everybody(lambda a, turn: magic.enchant(world, a, dice, turn), *charms)
    confront(world, actions)
    levels = range(Action.LEVEL_UP_DEXTERITY, Action.LEVEL_UP_INTELLIGENCE + 1)
    everybody(lambda a, _: hands.learn(world.player, a), *levels)
    had = [dict(player.bag) for player in world.players]
    everybody(lambda a, _: hands.give(world, a, had), *range(Action.GIVE_WOOD, len(Action)))
    everybody(lambda a, _: walk(world, a - Action.LEFT), *range(Action.LEFT, Action.DOWN + 1))


def walk(world: World, direction: int) -> None:
    """Turn, and go if the way is free."""
    player = world.player
    player.facing = direction
    place = after(player.place, direction)
    if world.enters(world.rules.gait, place) and not world.creature_at(place) and not world.player_at(place):
        player.place = place


def grow(world: World) -> None:
    """Saplings of the first floor age, wherever the player is; ripe ones need their slot no more."""
    for slot, plant in enumerate(world.plants):
        if plant is not None:
            plant.age += 1
            if plant.age >= RIPENING:
                world.set_block(plant.place, Block.RIPE_PLANT, floor=0)
                world.plants[slot] = None
