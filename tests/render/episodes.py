"""Episodes made by hand, of everything a picture can show, without playing any."""

import numpy as np

from openworld.content.ids import Achievement, Block, Direction, Fixture, Item
from openworld.content.rulesets import CLASSIC, COOP, FULL, Ruleset
from openworld.observe.layout import ASLEEP_MARK, AWAKE_MARK, FALLEN_MARK, layout_of
from openworld.render.episode import Episode
from openworld.storage.replay import Replay

IDS = {"full": "OpenWorld-v0", "classic": "OpenWorld-Classic-v0", "coop": "OpenWorld-Coop-v0"}


def scene(rules: Ruleset = FULL, **fields: object) -> np.ndarray:
    """A player on a meadow by day, with some fields set to other values."""
    layout = layout_of(rules)
    tokens = np.zeros(layout.size, np.uint8)
    usual = {
        "tile": Block.GRASS,
        "light": 30,
        "health": 9,
        "vitals": 9,
        "facing": Direction.DOWN,
        "daylight": 250,
    }
    for name, value in {**usual, **fields}.items():
        tokens[layout[name].slice] = np.ravel(value)
    return tokens


def view(rules: Ruleset, fill: int, **spots: tuple[int, int, int]) -> np.ndarray:
    """A plane of the view: one value, and others at some spots (row, column, value)."""
    plane = np.full((rules.view_rows, rules.view_cols), fill)
    for row, col, value in spots.values():
        plane[row, col] = value
    return plane


def inventory(rules: Ruleset, **counts: int) -> np.ndarray:
    held = np.zeros(rules.items)
    for name, count in counts.items():
        held[Item[name]] = count
    return held


def scenes() -> list[np.ndarray]:
    """Of the full rules: day, night, sleep, darkness, creatures and missiles, ladders, the necromancer, riches."""
    creatures = view(FULL, 0, cow=(5, 5, 1 + 8), zombie=(3, 3, 1), archer=(1, 1, 1 + 16))
    missiles = view(FULL, 0, arrow=(1, 3, 1), two=(2, 2, 0b110))
    dim = np.linspace(0, 30, 99).astype(int)
    ladder = Block.PATH | Fixture.LADDER_DOWN << 6
    dark = {"tile": np.where(dim > 4, Block.PATH, 0), "light": dim, "floor": 1, "daylight": 20}
    dark["tile"][np.flatnonzero(dim > 20)[:2]] = ladder
    return [
        scene(),
        scene(creature=creatures, missile=missiles, inventory=inventory(FULL, WOOD=5, PICKAXE=2, ARROW=99)),
        scene(daylight=0, creature=creatures, facing=Direction.LEFT, health=6, health_fraction=20),
        scene(daylight=60, asleep=1, vitals=[3, 2, 1, 9]),
        scene(**dark, facing=Direction.RIGHT),
        scene(**dark, ladder_open=1, facing=Direction.UP, inventory=inventory(FULL, SWORD=4, BOW=1, RUBY=3)),
        scene(
            tile=Block.NECROMANCER,
            floor=8,
            boss_vulnerable=1,
            light=view(FULL, 30, own=(1, 1, 30 + 32 + 128)),
        ),
        scene(
            armour=[2, 1, 0, 2], armour_enchantment=[1, 2, 0, 0], sword_enchantment=1, spells=1, experience=7
        ),
    ]


def episode(
    frames: list[np.ndarray], rules: Ruleset = FULL, name: str = "by hand", players: int = 1
) -> Episode:
    """An episode of these frames, walking to and fro, in which two achievements are unlocked."""
    steps = len(frames) // players - 1
    tokens = np.stack(frames).reshape(steps + 1, players, -1)
    unlocked = np.zeros((players, rules.achievements), np.int32)
    unlocked[0, Achievement.COLLECT_WOOD], unlocked[0, Achievement.PLACE_TABLE] = min(2, steps), min(5, steps)
    rewards = np.zeros((steps + 1, players), np.float32)
    rewards[min(2, steps)], rewards[steps] = 1, -0.1
    places = np.full((steps + 1, players, 2), 20, np.uint8)
    places[:, :, 1] += (np.arange(steps + 1) % 7).astype(np.uint8)[:, None]
    actions = (np.arange(steps * players) % 17).astype(np.uint8)
    replay = Replay(
        id=IDS[rules.name],
        ruleset=f"{rules.name}-{rules.version}",
        time_limit=100,
        seed=(3, 4),
        actions=actions if players == 1 else actions.reshape(steps, players),
        digest="",
        episode_return=0.9,
        ended="terminated",
        players=players,
    )
    return Episode(name, replay, rules, tokens, places, rewards, unlocked)


def shown() -> list[Episode]:
    """Of the full rules, of the classic ones, and of a company of two."""
    classic = [scene(CLASSIC, daylight=day, facing=day % 4) for day in range(0, 250, 20)]
    bodies = view(
        COOP,
        0,
        up=(3, 3, AWAKE_MARK + 4 + 2),
        sleeper=(4, 3, ASLEEP_MARK + 2),
        fallen=(5, 3, FALLEN_MARK + 3),
    )
    company = [scene(COOP, player=n % 2, creature=bodies, fallen=int(n > 9), attributes=1) for n in range(16)]
    return [
        episode(scenes()),
        episode(classic, CLASSIC, "classic"),
        episode(company, COOP, "company", players=2),
    ]
