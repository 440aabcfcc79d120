"""A game without JAX: a meadow of the classic rules, on which doing something gives wood."""

from types import SimpleNamespace

import numpy as np

from openworld import registry
from openworld.content.ids import Achievement, Action, Block, Direction, Item
from openworld.observe.layout import layout_of
from openworld.playing.session import Moment, Session


class FakeSession(Session):
    ready = True
    ended = property(lambda self: self.moments[0].ended if self.moments else "")
    places = property(lambda self: np.array([[24, 20 + len(self.played)]] * self.players))
    seed = 0

    def __init__(self, id="OpenWorld-Classic-v0", players=1, limit=50):
        rules = registry.ruleset(id)
        self.env = SimpleNamespace(ruleset=rules, id=id, num_actions=rules.actions)
        self.players, self.limit = players, limit
        self.played, self.saved, self.moments, self.worlds = [], [], [], 0

    def begin(self):
        self.wood, self.facing, self.worlds = (
            [0] * self.players,
            [Direction.DOWN] * self.players,
            self.worlds + 1,
        )
        self.played = []
        return self._moments([0] * self.players)

    def prepare_aside(self):
        pass

    def prepare_as(self, other):
        pass

    def save(self):
        pass

    def play(self, actions):
        for i, action in enumerate(actions):
            self.wood[i] += action == Action.DO
            if Action.LEFT <= action <= Action.DOWN:
                self.facing[i] = Direction(action - 1)
        self.played.append(list(actions))
        return self._moments(actions)

    def _moments(self, actions):
        self.moments = [self._moment(i, a) for i, a in enumerate(actions)]
        return self.moments

    def _moment(self, player, action):
        rules = self.env.ruleset
        layout = layout_of(rules)
        tokens = np.zeros(layout.size, np.uint8)
        tile = np.full((rules.view_rows, rules.view_cols), Block.GRASS)
        tile[0, :3] = Block.TREE
        inventory = np.zeros(rules.items)
        inventory[Item.WOOD] = self.wood[player]
        fields = {"tile": tile, "light": 30, "health": 9, "vitals": 9, "daylight": 250}
        for name, value in {**fields, "inventory": inventory, "facing": self.facing[player]}.items():
            tokens[layout[name].slice] = np.ravel(value)
        mask = np.zeros(rules.actions, bool)
        mask[[Action.NOOP, *range(1, 6)]] = True
        mask[Action.PLACE_TABLE] = self.wood[player] >= 2
        achievements = np.zeros(rules.achievements, bool)
        achievements[Achievement.COLLECT_WOOD] = self.wood[player] > 0
        step = len(self.played)
        ended = "truncated" if step >= self.limit else ""
        return Moment(tokens, mask, achievements, float(self.wood[player] > 0), int(action), step, ended)
