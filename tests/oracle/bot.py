"""A player who gets around: it walks to random things, uses them, and makes and places what it can."""

from collections import deque

import numpy as np

from tests.oracle.book import ARMOUR, BUILDING, CLASSIC_GOODS, GOODS, TOOLS
from tests.oracle.names import MELEE, PASSIVE, RANGED, Action, Block
from tests.oracle.world import World, after

GOALS = [
    *(Block.TREE, Block.TREE, Block.STONE, Block.STONE, Block.COAL, Block.IRON, Block.DIAMOND, Block.WATER),
    *(Block.GRASS, Block.CRAFTING_TABLE, Block.RIPE_PLANT, MELEE, PASSIVE, PASSIVE, RANGED),
]
BELOW = [
    *(Block.CHEST, Block.CHEST, Block.ENCHANTMENT_TABLE_FIRE, Block.ENCHANTMENT_TABLE_ICE, Block.FOUNTAIN),
    *(
        Block.STALAGMITE,
        Block.RUBY,
        Block.SAPPHIRE,
        Block.FIRE_TREE,
        Block.ICE_SHRUB,
        Block.STONE,
        Block.COAL,
    ),
    *(Block.IRON, Block.DIAMOND, MELEE, MELEE, RANGED, RANGED, PASSIVE),
]
USING = [
    *(TOOLS | GOODS | ARMOUR | BUILDING),
    *(
        Action.PLACE_PLANT,
        Action.PLACE_TORCH,
        Action.SLEEP,
        Action.REST,
        Action.SHOOT_ARROW,
        Action.READ_BOOK,
    ),
    *range(Action.DRINK_POTION_RED, Action.READ_BOOK),
    *(
        Action.ENCHANT_SWORD,
        Action.ENCHANT_ARMOUR,
        Action.ENCHANT_BOW,
        Action.CAST_FIREBALL,
        Action.CAST_ICEBALL,
    ),
    *range(Action.LEVEL_UP_DEXTERITY, Action.ENCHANT_BOW),
]
USING_CLASSIC = [*CLASSIC_GOODS, *BUILDING, Action.PLACE_PLANT, Action.SLEEP]


class Bot:
    """One player's mind: a plan of actions, made anew when it is done."""

    def __init__(self, rng: np.random.Generator):
        self.rng, self.plan = rng, deque[int]()

    def act(self, world: World) -> int:
        """The next action."""
        if not self.plan:
            luck = self.rng.random()
            if luck < 0.15:
                self.plan.append(int(self.rng.integers(world.rules.actions)))
            elif luck < 0.6:
                using = USING if len(world.rules.levels) > 1 else USING_CLASSIC
                self.plan.extend(int(a) for a in self.rng.choice(using, 3))
            else:
                goals = BELOW if world.floor else GOALS
                self.plan.extend(self.way(world, goals[self.rng.integers(len(goals))]))
        return self.plan.popleft()

    def way(self, world: World, goal: object) -> list[int]:
        """Steps to the nearest thing of a kind, and blows at it; somewhere at random if there is none near."""
        targets = {mob.place for kind, _, mob in world.creatures() if kind == goal}
        start = world.player.place
        queue, came = deque([start]), {start: (start, 0)}
        while queue and len(came) < 600:
            here = queue.popleft()
            for direction in self.rng.permutation(4).tolist():
                there = after(here, direction)
                if there in targets or (there != start and world.block(there) == goal):
                    steps = [Action.LEFT + direction]
                    while here != start:
                        here, taken = came[here]
                        steps.insert(0, Action.LEFT + taken)
                    return [int(a) for a in steps] + [int(Action.DO)] * int(self.rng.integers(1, 7))
                if there not in came and world.enters("walks", there):
                    came[there] = here, direction
                    queue.append(there)
        return [int(self.rng.integers(Action.LEFT, Action.DOWN + 1))] * int(self.rng.integers(1, 5))
