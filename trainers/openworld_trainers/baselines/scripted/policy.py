"""The scripted agent: wood, table, tools of stone and iron, water, meat, a burrow to sleep in.

It reads tokens, plays any number of worlds at once, and remembers the map in a `Chart`. It does not learn.
A trained agent should be better.
"""

from typing import Any

import numpy as np
from jaxtyping import Bool, Int, UInt8

from openworld.content.ids import Action
from openworld.content.rulesets import Ruleset
from openworld_trainers.baselines.scripted import burrow
from openworld_trainers.baselines.scripted.chart import Board, Chart, Kind, spread_round
from openworld_trainers.baselines.scripted.sight import Sight, Sights

#: Vitals below which the agent drinks, eats or sleeps, and those at which it stops.
LOW, ENOUGH = 4, 8
#: Steps after which it leaves a floor even if its work is not finished.
PATIENCE = 2500

Mask = Bool[np.ndarray, " worlds"]


class Choice:
    """The actions chosen so far; -1 where none is. A chosen action is final.

    Example:
        >>> choose = Choice(worlds=2)
        >>> choose(np.array([True, False]), Action.LEFT)
        >>> choose.open.tolist()
        [False, True]
    """

    def __init__(self, worlds: int) -> None:
        self.actions = np.full(worlds, -1)

    def __call__(self, mask: Mask, action: Int[np.ndarray, " worlds"] | int) -> None:
        """Choose an action in the worlds of the mask that have none."""
        self.actions = np.where((self.actions < 0) & mask, action, self.actions)

    @property
    def open(self) -> Mask:
        """The worlds without an action."""
        return self.actions < 0


class Scripted:
    """The scripted agent for `openworld evaluate`.

    Example:
        >>> from openworld.content.rulesets import FULL
        >>> from openworld.observe.layout import layout_of
        >>> agent = Scripted(FULL)
        >>> agent.begin(num_worlds=2, seed=0)
        >>> seen = np.zeros((2, layout_of(FULL).size), np.uint8)
        >>> infos = {"episode": np.arange(2), "playing": np.ones(2, bool), "step": 0}
        >>> agent.act(seen, infos).shape
        (2,)
    """

    def __init__(self, rules: Ruleset) -> None:
        self._sights, self._rules = Sights(rules), rules
        self.begin(0, 0)

    def begin(self, num_worlds: int, seed: int) -> None:
        """Start new episodes."""
        self._now = 0
        self._seed: int = seed
        self._generators: list[np.random.Generator] = []  # one for each episode
        self._worlds, self._ids, self._chart = num_worlds, np.arange(num_worlds), Chart(num_worlds)
        flags = ("thirsty", "hungry", "tired", "planted", "laid", "torched", "shot")
        self._is = {name: np.zeros(num_worlds, bool) for name in flags}
        self._floor, self._arrived = np.zeros(num_worlds, np.int64), np.zeros(num_worlds, np.int64)

    def act(
        self, observations: UInt8[np.ndarray, "worlds tokens"], infos: dict[str, Any]
    ) -> Int[np.ndarray, " worlds"]:
        """Return the action of each world; 0 where the episode has ended."""
        if not self._generators:
            self._generators = [np.random.default_rng((self._seed, number)) for number in infos["episode"]]
        self._keep(infos["playing"])
        sight = self._sights.of(observations[self._ids])
        self._now = infos["step"]
        self._remember(sight)
        choose = Choice(len(self._ids))
        self._fight(sight, choose)
        self._make(sight, choose)
        self._place(sight, choose)
        self._sleep(sight, choose)
        self._go(sight, choose)
        moves = (choose.actions >= Action.LEFT) & (choose.actions <= Action.DOWN)
        direction = np.where(moves, choose.actions - Action.LEFT, 0)
        self._chart.move(direction, moves & sight.free[direction, np.arange(len(direction))])
        actions = np.zeros(self._worlds, np.int64)
        actions[self._ids] = choose.actions
        return actions

    def _keep(self, playing: Mask) -> None:
        """Drop the worlds whose episode has ended."""
        left = np.flatnonzero(playing[self._ids])
        if len(left) < 0.9 * len(self._ids):
            self._ids = self._ids[left]
            self._chart.keep(left)
            self._is = {name: flag[left] for name, flag in self._is.items()}
            self._floor, self._arrived = self._floor[left], self._arrived[left]

    def _remember(self, sight: Sight) -> None:
        changed = sight.floor != self._floor
        if changed.any():
            self._chart.forget(changed)
            self._floor, self._arrived = sight.floor, np.where(changed, self._now, self._arrived)
        self._chart.look(sight.kinds, sight.nothing)
        for name, value in (("thirsty", sight.drink), ("hungry", sight.food), ("tired", sight.energy)):
            enough = ENOUGH if name != "hungry" else LOW + 2
            self._is[name] = (value < LOW) | (self._is[name] & (value < enough))

    def _fight(self, sight: Sight, choose: Choice) -> None:
        """Wait while asleep, and attack hostile creatures beside the player."""
        choose(sight.asleep, Action.NOOP)
        self._face(sight, choose, sight.hostile_beside)
        choose(sight.experience > 0, Action.LEVEL_UP_STRENGTH)

    def _face(self, sight: Sight, choose: Choice, where: Bool[np.ndarray, "4 worlds"]) -> None:
        """Turn to a neighbouring tile and act on it."""
        any_, faced = np.asarray(where.any(axis=0)), where[sight.facing, np.arange(len(sight.facing))]
        choose(any_ & faced, Action.DO)
        choose(any_, Action.LEFT + where.argmax(axis=0))

    def _make(self, sight: Sight, choose: Choice) -> None:
        """Craft tools that are better than the carried ones."""
        table, both = sight.near[Kind.TABLE], sight.near[Kind.TABLE] & sight.near[Kind.FURNACE]
        wood, stone, ore = sight.wood >= 1, sight.stone >= 1, (sight.coal >= 1) & (sight.iron >= 1)
        ways = (
            (both & wood & stone & ore, 3, Action.MAKE_IRON_PICKAXE, Action.MAKE_IRON_SWORD),
            (table & wood & stone, 2, Action.MAKE_STONE_PICKAXE, Action.MAKE_STONE_SWORD),
            (table & wood, 1, Action.MAKE_WOOD_PICKAXE, Action.MAKE_WOOD_SWORD),
        )
        for able, level, pickaxe, sword in ways:
            # Each level is an achievement, so none is skipped.
            choose(able & (sight.pickaxe == level - 1), pickaxe)
            choose(able & (sight.sword == level - 1), sword)
        if not self._rules.has(Action.MAKE_ARROW):
            return
        choose(
            table & (sight.wood >= 1) & (sight.diamond >= 3) & (sight.pickaxe == 3),
            Action.MAKE_DIAMOND_PICKAXE,
        )
        armed = (sight.pickaxe >= 3) & (sight.sword >= 3)
        choose(
            both & armed & (sight.iron >= 3) & (sight.coal >= 3) & (sight.armour < 4), Action.MAKE_IRON_ARMOUR
        )
        spare: Mask = table & (sight.wood >= 2) & (sight.pickaxe >= 2) & (sight.sword >= 2)
        choose(spare & (sight.stone >= 3) & (sight.arrows == 0), Action.MAKE_ARROW)
        choose(spare & (sight.coal >= 3) & (sight.torches == 0) & ~self._is["torched"], Action.MAKE_TORCH)

    def _place(self, sight: Sight, choose: Choice) -> None:
        """Place items on the tile ahead."""
        bare = sight.ahead_free & ~self._is["tired"]
        grass = bare & sight.ahead(Kind.GRASS)
        plant = choose.open & grass & (sight.sapling >= 1)
        choose(plant, Action.PLACE_PLANT)
        self._is["planted"] |= plant
        choose(grass & ~self._is["planted"] & ~self._is["thirsty"] & ~self._is["hungry"], Action.DO)
        choose(
            bare & sight.near[Kind.TABLE] & ~sight.near[Kind.FURNACE] & (sight.stone >= 2),
            Action.PLACE_FURNACE,
        )
        laid = choose.open & bare & (sight.stone >= 3) & ~self._is["laid"]
        choose(laid, Action.PLACE_STONE)
        self._is["laid"] |= laid
        choose(self._wants_table(sight) & bare, Action.PLACE_TABLE)
        if not self._rules.has(Action.PLACE_TORCH):
            return
        torched = choose.open & bare & (sight.torches >= 1) & ~self._is["torched"]
        choose(torched, Action.PLACE_TORCH)
        self._is["torched"] |= torched
        shot = choose.open & (sight.bow > 0) & (sight.arrows > 0) & ~self._is["shot"]
        choose(shot, Action.SHOOT_ARROW)
        self._is["shot"] |= shot
        for number in range(sight.potions.shape[1]):
            choose((sight.potions[:, number] > 0) & (sight.health > 3), Action.DRINK_POTION_RED + number)
        ready = (sight.floor > 0) | self._finished(sight)
        choose(ready & sight.on_ladder & sight.ladder_open, Action.DESCEND)

    def _wants_table(self, sight: Sight) -> Mask:
        known = self._chart.boards[Kind.TABLE].any(axis=1)
        return ~known & (sight.wood >= 2 + self._tools(sight)) & (sight.sword < 3) & (sight.floor == 0)

    def _tools(self, sight: Sight) -> Int[np.ndarray, " worlds"]:
        """Return the number of tools to make next: those of the lowest level that is not reached."""
        level = np.minimum(sight.pickaxe, sight.sword)
        return (sight.pickaxe == level).astype(np.int64) + (sight.sword == level)

    def _finished(self, sight: Sight) -> Mask:
        """Return whether the work on the first floor is finished."""
        tools = (sight.pickaxe >= 3) & (sight.sword >= 3)
        return tools | (self._arrived + PATIENCE < self._now)

    def _sleep(self, sight: Sight, choose: Choice) -> None:
        """Dig a burrow and sleep where the player is tired."""
        tired = choose.open & self._is["tired"] & (sight.drink > 1) & (sight.food > 1)
        of = np.flatnonzero(tired)
        if len(of):
            choose.actions[of] = burrow.dig_in(self._chart, sight, of)
        choose(tired & (sight.energy <= 1), Action.SLEEP)

    def _go(self, sight: Sight, choose: Choice) -> None:
        """Go to the next goal, or search for it."""
        of = np.flatnonzero(choose.open)
        if not len(of):
            return
        chart, boards = self._chart, self._chart.boards[:, of]
        occupied = chart.board_of(sight.occupied)[of]
        stone = np.where((sight.pickaxe[of] > 0)[:, None], boards[Kind.STONE], np.uint64(0))
        through = (boards[Kind.OPEN] | stone) & ~occupied
        part = burrow.part(chart, of)
        facing = sight.facing[of]
        direction = part.way(self._goal(sight)[of], through, facing)
        lost = np.flatnonzero(direction < 0)
        if len(lost):
            far = burrow.part(part, lost)
            direction[lost] = far.way(~boards[Kind.SEEN][lost], through[lost], facing[lost])
        generators = [self._generators[i] for i in self._ids[of]]
        drawn = np.array([generator.integers(100 * 4 * 4) for generator in generators])
        lost = (direction < 0) | (drawn % 100 < 2)
        direction = np.where(direction < 0, drawn // 100 % 4, direction)
        wander = drawn // 400
        safe = sight.free[wander, of]
        direction = np.where(lost & safe, wander, direction)
        free = sight.free[direction, of]
        use = ~free & (facing == direction)
        # DO digs, drinks, cuts or attacks the tile ahead. The agent never turns to a deadly tile.
        move = np.where(sight.deadly[direction, of], Action.NOOP, Action.LEFT + direction)
        choose.actions[of] = np.where(use, Action.DO, move)

    def _goal(self, sight: Sight) -> Board:
        """Return the tiles that each world's player should reach next."""
        boards, has = self._chart.boards, self._is
        known = np.asarray(boards.any(axis=2))
        table = spread_round(boards[Kind.TABLE])
        both = table & spread_round(boards[Kind.FURNACE])
        level: np.ndarray = np.minimum(sight.pickaxe, sight.sword)
        tools = self._tools(sight)
        meat = self._chart.board_of(sight.passive)
        meat = np.where(np.asarray(meat.any(axis=1))[:, None], meat, boards[Kind.RIPE])
        first: Mask = sight.floor == 0
        at_work: Mask = first & ~self._finished(sight)
        nothing = np.zeros_like(table)
        wants: list[tuple[Mask, Board]] = [
            (has["thirsty"], boards[Kind.WATER]),
            (has["hungry"], meat),
            (has["tired"] & (sight.stone + sight.pickaxe > 0), nothing),
            (known[Kind.RIPE], boards[Kind.RIPE]),
            (~first & known[Kind.CHEST], boards[Kind.CHEST]),
            (at_work & (sight.wood < 2 * ~known[Kind.TABLE] + tools), boards[Kind.TREE]),
            (at_work & (level == 0), table & boards[Kind.OPEN]),
            (at_work & (sight.stone < tools + 3 - level), boards[Kind.STONE]),
            (at_work & (level == 1), table & boards[Kind.OPEN]),
            (at_work & (sight.coal < tools), boards[Kind.COAL]),
            (at_work & (sight.iron < tools), boards[Kind.IRON]),
            (at_work & known[Kind.FURNACE], both & boards[Kind.OPEN]),
            (at_work, table & boards[Kind.OPEN]),
            ((sight.pickaxe >= 3) & known[Kind.DIAMOND], boards[Kind.DIAMOND]),
            (first & known[Kind.PLANT] & (len(self._rules.floors) == 1), boards[Kind.PLANT]),
            (sight.ladder_open, boards[Kind.LADDER]),
            (np.ones(len(level), bool), self._chart.board_of(sight.hostile)),
        ]
        goal = nothing
        for mask, board in reversed(wants):
            goal = np.where(mask[:, None], board, goal)
        return goal
