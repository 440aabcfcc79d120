"""A player who gets around: it walks to random things, uses them, and makes and places what it can."""

from collections import deque

import numpy as np

from tests.oracle.names import ARMOUR, BUILDING, GOODS, TOOLS, Action, Block
from tests.oracle.scenes import ABOVE
from tests.oracle.world import World, after

GOALS = [
    *(Block.TREE, Block.TREE, Block.STONE, Block.STONE, Block.COAL, Block.IRON, Block.DIAMOND, Block.WATER),
    *(Block.GRASS, Block.CRAFTING_TABLE, Block.RIPE_PLANT, "melee", "passive", "passive", "ranged"),
]
USING = [
    *TOOLS,
    *GOODS,
    *ARMOUR,
    *BUILDING,
    *(Action.PLACE_PLANT, Action.PLACE_TORCH, Action.SLEEP, Action.REST, Action.SHOOT_ARROW),
    *(Action.LEVEL_UP_DEXTERITY, Action.LEVEL_UP_STRENGTH, Action.LEVEL_UP_INTELLIGENCE),
]


class Bot:
    """One player's mind: a plan of actions, made anew when it is done."""

    def __init__(self, rng: np.random.Generator):
        self.rng, self.plan = rng, deque[int]()

    def act(self, world: World) -> int:
        """The next action."""
        if not self.plan:
            luck = self.rng.random()
            if luck < 0.15:
                self.plan.append(int(self.rng.choice(ABOVE)))
            elif luck < 0.6:
                self.plan.extend(int(a) for a in self.rng.choice(USING, 3))
            else:
                self.plan.extend(self.way(world, GOALS[self.rng.integers(len(GOALS))]))
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
                if there not in came and world.open_to_walkers(there):
                    came[there] = here, direction
                    queue.append(there)
        return [int(self.rng.integers(Action.LEFT, Action.DOWN + 1))] * int(self.rng.integers(1, 5))
