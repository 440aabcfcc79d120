"""What is looked at after a step, the same of the package's states and of OpenWorld's."""

from dataclasses import dataclass, field

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from openworld.environment import State
from tests.craftax.bridge import CLASSES, carry, items
from tests.craftax.creatures import HEALTH, KINDS, SLOTS, STEPS
from tests.craftax.peer import Peer, States
from tests.craftax.play import WORLDS, environment

MINE, THEIRS = "OpenWorld", "the package"
#: The first slot of each class of creatures, and the class of each slot.
FIRST = dict(zip(CLASSES, np.cumsum([0, *(SLOTS[name] for name in CLASSES)])[:3].tolist(), strict=True))
KIND = np.repeat([KINDS[name] for name in CLASSES], [SLOTS[name] for name in CLASSES])


@dataclass
class After:
    """What is looked at after a step, worlds first."""

    position: np.ndarray
    health: np.ndarray
    type: np.ndarray
    alive: np.ndarray
    aim: np.ndarray  # where the first projectile flies
    items: np.ndarray
    spells: np.ndarray
    charms: np.ndarray


@dataclass
class Tally:
    """Everything that was seen after each step, stacked: [steps, worlds, ...]."""

    seen: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def add(self, after: After) -> None:
        for name, x in vars(after).items():
            self.seen.setdefault(name, []).append(x)

    def __getitem__(self, name: str) -> np.ndarray:
        return np.stack(self.seen[name])


def theirs_after(states: States) -> After:
    n, floor = np.arange(len(states["player_level"])), states["player_level"]
    mobs = {
        name: np.concatenate([states[f"{kind}.{name}"][n, floor] for kind in CLASSES], axis=1)
        for name in ("position", "health", "type_id", "mask")
    }
    return After(
        position=mobs["position"],
        health=mobs["health"],
        type=mobs["type_id"],
        alive=mobs["mask"],
        aim=states["mob_projectile_directions"][n, floor, 0],
        items=items(states),
        spells=states["learned_spells"],
        charms=states["armour_enchantments"],
    )


def mine_after(state: State) -> After:
    world = state.world
    player = world.player
    return After(
        position=np.asarray(world.mobs.position, int),
        health=np.asarray(world.mobs.health) / 40,
        type=np.asarray(world.mobs.type),
        alive=np.asarray(world.mobs.alive),
        aim=STEPS[np.asarray(world.projectiles.direction)[:, 0]],
        items=np.asarray(player.inventory, int)[:, 0],
        spells=np.asarray(player.spells)[:, 0],
        charms=np.asarray(player.armour_enchantment)[:, 0],
    )


def over_and_over(peer: Peer, states: States, action: np.ndarray, steps: int, seed: int) -> dict[str, Tally]:
    """Play one step of the same worlds many times in both, each time with other draws."""
    dice = np.random.default_rng(seed)
    before = carry(states, np.zeros((WORLDS, 2), np.uint32))
    tallies = {MINE: Tally(), THEIRS: Tally()}
    for step in range(steps):
        seeds = jnp.asarray(dice.integers(0, 2**32, (WORLDS, 2), dtype=np.uint32))
        fresh = eqx.tree_at(lambda s: s.world.seed, before, seeds)
        _, after, *_ = environment().advance(fresh, jnp.asarray(action, jnp.int32))
        tallies[MINE].add(mine_after(after))
        tallies[THEIRS].add(theirs_after(peer.step(states, action, 10_000 * seed + step).states))
    return tallies


def fresh_in(after: After) -> np.ndarray:
    """Which slots hold a creature that has just appeared: the others are scratched."""
    return after.alive & (after.health > HEALTH[KIND, after.type] - 0.01)
