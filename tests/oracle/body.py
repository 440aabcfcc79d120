"""Sleep, rest, and the counters of body and mind (rules 1.7 and 5)."""

from fractions import Fraction

from tests.oracle.names import Achievement, Action
from tests.oracle.world import Player, World


def live(world: World, action: Action) -> None:
    """Let a step pass; on the necromancer's floor nobody starves, thirsts or tires."""
    player, spared = world.player, world.level.boss
    lie_down_or_rise(player, action)
    wear(player, spared)
    recover(player, spared)
    player.focus = (player.focus + (2 if player.asleep else 1)) * (1 + Fraction(player.intelligence - 1, 4))
    if player.focus > 30:
        player.mana, player.focus = player.mana + 1, Fraction(0)


def lie_down_or_rise(player: Player, action: Action) -> None:
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


def wear(player: Player, spared: bool) -> None:
    """Food, drink and energy fall, more slowly for the dexterous; sleep brings energy back."""
    thrift = 1 - Fraction(player.dexterity - 1, 8)
    pace = thrift * (Fraction(1, 2) if player.asleep else 1)
    loss = 0 if spared else 1
    player.hunger += pace
    if player.hunger > 25:
        player.food, player.hunger = player.food - loss, Fraction(0)
    player.thirst += pace
    if player.thirst > 20:
        player.drink, player.thirst = player.drink - loss, Fraction(0)
    player.fatigue = min(player.fatigue - 1, Fraction(0)) if player.asleep else player.fatigue + thrift
    if player.fatigue > 30:
        player.energy, player.fatigue = player.energy - loss, Fraction(0)
    elif player.fatigue < -10:
        player.energy, player.fatigue = player.energy + 1, Fraction(0)


def recover(player: Player, spared: bool) -> None:
    """Health comes back while nothing lacks, and goes while something does."""
    if player.food > 0 and player.drink > 0 and (player.energy > 0 or player.asleep):
        player.recovery += 2 if player.asleep else 1
    elif not spared:
        player.recovery -= Fraction(1, 2) if player.asleep else 1
    if player.recovery > 25:
        player.health, player.recovery = player.health + 1, Fraction(0)
    elif player.recovery < -15:
        player.health, player.recovery = player.health - 1, Fraction(0)


def clip(world: World) -> None:
    """Keep everything of the player whose turn it is within its bounds."""
    player = world.player
    for item in world.rules.items:
        player.bag[item] = min(player.bag[item], world.rules.limit)
    player.health = min(max(player.health, Fraction(0)), Fraction(player.most_health))
    player.food = min(max(player.food, 0), player.most_stamina)
    player.drink = min(max(player.drink, 0), player.most_stamina)
    player.energy = min(max(player.energy, 0), player.most_stamina)
    player.mana = min(max(player.mana, 0), player.most_mana)
