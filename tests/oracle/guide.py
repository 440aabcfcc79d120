"""A hand from above: edits the engine's worlds and the oracle's alike, so that players get to see every floor."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.oracle.book import BOSS_BLOWS, FIRST_SLOT, OPENING_KILLS, SLOTS
from tests.oracle.combat import POINT
from tests.oracle.names import LAND, MELEE, RANGED, Action, Block
from tests.oracle.world import Place, World, after


class Guide:
    """Edits world i of a batch: `arrays` is the engine's record of all worlds, as NumPy."""

    def __init__(self, arrays: Any, i: int, world: World):
        self.arrays, self.i, self.world = arrays, i, world

    def put(self, place: Place, facing: int) -> None:
        """Set the player down, awake."""
        player, theirs, i = self.world.player, self.arrays.player, self.i
        player.place, player.facing, player.asleep, player.resting = place, facing, False, False
        theirs.position[i, 0], theirs.facing[i, 0] = place, facing
        theirs.asleep[i, 0] = theirs.resting[i, 0] = False

    def heal(self) -> None:
        """Make the player whole."""
        player, theirs, i = self.world.player, self.arrays.player, self.i
        player.health += player.most_health - player.health
        theirs.health[i, 0] = POINT * player.most_health
        player.food = player.drink = player.energy = player.most_stamina
        player.mana = player.most_mana
        theirs.vitals[i, 0] = [player.most_stamina] * 3 + [player.most_mana]

    def banish(self) -> None:
        """Let the monsters of this floor be gone."""
        for kind in (MELEE, RANGED):
            self.world.mobs[kind][:] = [None] * SLOTS[kind]
            self.arrays.mobs.alive[self.i, FIRST_SLOT[kind] : FIRST_SLOT[kind] + SLOTS[kind]] = False

    def travel(self, rng: np.random.Generator) -> Action:
        """Lead to a ladder, which opens if need be; more often down than up."""
        down, up = self.world.here.ladders
        if up and not self.world.level.boss and (down is None or rng.random() < 0.25):
            self.put(up, self.world.player.facing)
            return Action.ASCEND
        if down:
            self.put(down, self.world.player.facing)
            if rng.random() < 0.9:
                self.world.here.kills = max(self.world.here.kills, OPENING_KILLS)
                self.arrays.floors.kills[self.i, self.world.floor] = self.world.here.kills
            return Action.DESCEND
        return self.duel()

    def duel(self) -> Action:
        """Lead to the necromancer, who is alone and has no wave to send."""
        size = self.world.rules.size
        middle = (size // 2, size // 2)
        beside = [(after(middle, way), way ^ 1) for way in range(4)]
        free = [(place, facing) for place, facing in beside if self.world.block(place) in LAND]
        if (
            not free
            or self.world.block(middle) != Block.NECROMANCER
            or self.world.boss_progress >= BOSS_BLOWS
        ):
            return Action.NOOP
        self.banish()
        self.put(*free[0])
        self.world.boss_wave = self.arrays.boss_wave[self.i] = 0
        return Action.DO


def lead(state: Any, action: Any, who: np.ndarray) -> tuple[Any, Any]:
    """Set some players, hale and awake, on the ladder down, which is open, and let them take it.

    The engine's worlds alone, for tests that compare it with itself. Returns the state and the actions.
    """
    world, worlds = jax.tree.map(np.array, state.world), np.arange(len(who))
    floor = world.floor.astype(int)
    place = world.floors.ladders[worlds, floor, 0]
    led = who & (place[:, 0] >= 0)
    world.player.position[led, 0] = place[led]
    world.player.asleep[led] = world.player.resting[led] = False
    world.player.health[led], world.player.vitals[led] = 9 * POINT, 9
    world.floors.kills[worlds[led], floor[led]] = OPENING_KILLS
    state = type(state)(jax.tree.map(jnp.asarray, world), state.ground, state.episode_return)
    return state, jnp.where(jnp.asarray(led), jnp.int32(Action.DESCEND), jnp.asarray(action, jnp.int32))
