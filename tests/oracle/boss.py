"""The necromancer and his waves (rules 5.7)."""

from tests.oracle.book import BOSS_BLOWS, WAVE
from tests.oracle.names import PASSIVE, Achievement, Action, Block, Fixture
from tests.oracle.world import World


def vulnerable(world: World) -> bool:
    """Whether he can be struck: his wave is over and no monster of this floor is left."""
    monsters = [mob for kind, _, mob in world.creatures() if kind != PASSIVE]
    return world.level.boss and world.boss_wave <= 0 and world.boss_progress < BOSS_BLOWS and not monsters


def confront(world: World, actions: list[Action]) -> None:
    """Let a blow tell, and the wave run down: a blow calls the next one. Those of one step count as one."""
    if not world.level.boss:
        return
    strikers = [
        player
        for player in world.order
        if actions[player.number] == Action.DO and world.block(player.target) == Block.NECROMANCER
    ]
    if strikers and vulnerable(world):
        world.boss_progress += 1
        world.boss_wave = WAVE
        for world.player in strikers:
            world.player.achievements.add(Achievement.DAMAGE_NECROMANCER)
            if world.boss_progress == BOSS_BLOWS:
                world.player.achievements.add(Achievement.DEFEAT_NECROMANCER)
                if world.rules.endless:
                    leave_a_way(world)
    world.boss_wave = max(world.boss_wave - 1, 0)


def leave_a_way(world: World) -> None:
    """In an endless world there is a ladder down where he stood."""
    place = world.player.target
    world.set_block(place, Block.PATH)
    world.set_fixture(place, Fixture.LADDER_DOWN)
    world.here.ladders = place, world.here.ladders[1]
