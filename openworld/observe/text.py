"""Text: an observation in words, for people and language models, made on the host from tokens.

Places are given from the player, "2 up 1 left"; lists begin with the nearest. There is one line each for the
place of the player and the tiles around, creatures, projectiles, other tiles in view, light, vitals, items,
and the rest. Things that a ruleset does not have are left out.
"""

import string

import numpy as np

from openworld.content.encoding import PLAYER_PROJECTILES, projectile_flies
from openworld.content.ids import DIRECTION_STEPS, Attribute, Block, Direction, Fixture, Floor, Projectile
from openworld.content.rulesets import FULL, Ruleset
from openworld.content.units import DAYLIGHT_LEVELS
from openworld.observe import names
from openworld.observe.layout import SAME_PLACE
from openworld.observe.seen import Seen, block_shown, fixture_shown

#: No text is longer, and none has other characters.
LONGEST = 4096
CHARACTERS = string.ascii_letters + string.digits + " \n,.:;()%'"

#: The most places that are listed for a thing; of more, only the nearest is.
_LISTED = 2
_UNSEEN = "darkness"
#: Blocks whose ids say too little.
_CALLED = {
    Block.OUT_OF_BOUNDS: "edge of the world",
    Block.DARKNESS: "void",
    Block.PLANT: "unripe plant",
    Block.ENCHANTMENT_TABLE_FIRE: "enchantment table of fire",
    Block.ENCHANTMENT_TABLE_ICE: "enchantment table of ice",
    Block.GRAVE2: "grave",
    Block.GRAVE3: "grave",
    Block.NECROMANCER: "necromancer (shielded)",
    Block.NECROMANCER_VULNERABLE: "necromancer (can be hurt)",
}
_FIXTURES = {
    Fixture.TORCH: "torch",
    Fixture.LADDER_DOWN: "open ladder down",
    Fixture.LADDER_UP: "ladder up",
    Fixture.LADDER_DOWN_BLOCKED: "closed ladder down",
}
_STATES = ("awake", "asleep or resting", "fallen")


def text(tokens: np.ndarray, rules: Ruleset = FULL) -> str:
    """Return what a player perceives, in a few lines.

    Args:
        tokens: uint8[tokens] of one player.
        rules: the ruleset the tokens come from.

    Example:
        >>> from openworld.observe.layout import layout_of
        >>> text(np.zeros(layout_of(FULL).size, np.uint8)).splitlines() != []
        True
    """
    seen = Seen(np.asarray(tokens), rules)
    bodies = _bodies(seen)
    lines = [_standing(seen, bodies), _creatures(seen, bodies), _missiles(seen), _view(seen), _light(seen)]
    lines += [_vitals(seen), f"You carry {', '.join(names.carried(seen)) or 'nothing'}."]
    lines += [_learning(seen), _way_down(seen), _other_players(seen)]
    return "\n".join(line for line in lines if line) + "\n"


def _bodies(seen: Seen) -> list[tuple[int, int, str]]:
    """Return the creatures and other players in view as (row, column, name), nearest first."""
    found = [
        (row, col, names.creatures().get((kind, number), "unknown creature"))
        for row, col, kind, number in seen.creatures()
    ]
    for other in seen.other_players():
        state = "fallen" if other.fallen else "asleep" if other.facing is None else "awake"
        found.append((other.row, other.col, f"player {other.number} ({state})"))
    return sorted(found, key=lambda body: (_distance(seen, *body[:2]), body))


def _standing(seen: Seen, bodies: list[tuple[int, int, str]]) -> str:
    """Describe where the player stands, and what is on the four tiles around."""
    there = {(row, col): name for row, col, name in bodies}
    facing = Direction(seen.value("facing"))

    def beside(way: Direction) -> str:
        row, col = (m + d for m, d in zip(seen.middle, DIRECTION_STEPS[way], strict=True))
        body = f"{there[row, col]} on " if (row, col) in there else ""
        return f"{way.name.lower()} {body}{_tile(seen, row, col)}{' (faced)' * (way == facing)}"

    where = f" in the {names.floor_name(seen)}" if seen.has("floor") else ""
    if seen.value("floor") >= len(seen.rules.floors):
        where = f" on {names.floor_name(seen)}"
    around = ", ".join(beside(way) for way in (Direction.UP, Direction.RIGHT, Direction.DOWN, Direction.LEFT))
    return f"You stand{where} on {_tile(seen, *seen.middle)}. Around you: {around}."


def _creatures(seen: Seen, bodies: list[tuple[int, int, str]]) -> str:
    parts = ", ".join(f"{name} {_way(seen, row, col)}" for row, col, name in bodies)
    return f"Creatures: {parts}." if parts else "No creatures in view."


def _missiles(seen: Seen) -> str:
    own = "a player's" if seen.rules.coop else "your"
    bits = {
        (f"{own} ", projectile): projectile_flies(seen.plane("light"), i)
        for i, projectile in enumerate(PLAYER_PROJECTILES)
    }
    bits |= {("", projectile): seen.plane("missile") >> projectile & 1 for projectile in Projectile}
    flying = sorted(
        (_distance(seen, row, col), row, col, whose + projectile.name.lower().rstrip("2"))
        for (whose, projectile), there in bits.items()
        for row, col in np.argwhere(there).tolist()
    )
    parts = ", ".join(f"{name} {_way(seen, row, col)}" for _, row, col, name in flying)
    return f"In flight: {parts}." if parts else ""


def _view(seen: Seen) -> str:
    """Describe each kind of tile in view: where, or how many and where the nearest is."""
    places: dict[str, list[tuple[int, int, int]]] = {}
    for row, col in np.ndindex(*seen.shape):
        if (row, col) != seen.middle and seen.tile[row, col] > 0:
            places.setdefault(_tile(seen, row, col), []).append((_distance(seen, row, col), row, col))
    parts: list[tuple[tuple[int, int, int], str]] = []
    for name, spots in places.items():
        spots.sort()
        ways = [_way(seen, row, col) for _, row, col in spots]
        few = f"{name} {' and '.join(ways)}"
        parts.append((spots[0], few if len(spots) <= _LISTED else f"{len(spots)} {name}, nearest {ways[0]}"))
    view = f"{seen.shape[0]} rows of {seen.shape[1]}"
    return f"In view ({view} tiles): {'; '.join(what for _, what in sorted(parts)) or 'nothing'}."


def _light(seen: Seen) -> str:
    """Describe the hour where there is a sky, and how much is too dark to be seen."""
    parts: list[str] = []
    if seen.value("floor") == Floor.OVERWORLD:
        day = round(100 * seen.value("daylight") / DAYLIGHT_LEVELS)
        parts.append(f"{'Night' if day < 30 else 'Dusk' if day < 70 else 'Day'}: daylight {day}%.")
    dark = int((seen.tile == 0).sum())
    if dark:
        parts.append(f"{dark} {'tile is' if dark == 1 else 'tiles are'} too dark to see.")
    return " ".join(parts)


def _vitals(seen: Seen) -> str:
    """Describe what the player lives on, and whether it sleeps."""
    part = f".{seen.value('health_fraction') * 100 // 40:02d}".rstrip("0").rstrip(".")
    vitals = ", ".join(f"{vital.name.lower()} {n}" for vital, n in seen.vitals().items())
    state = "fallen, waiting to be revived" if seen.fallen else ""
    state = state or "asleep" * seen.flag("asleep") or "resting" * seen.flag("resting") or "awake"
    return f"Health {seen.value('health')}{part}, {vitals}. You are {state}."


def _learning(seen: Seen) -> str:
    if not seen.has("experience"):
        return ""
    levels = zip(Attribute, seen.values("attributes"), strict=True)
    parts = ", ".join(f"{attribute.name.lower()} {level}" for attribute, level in levels)
    return f"Experience to spend {seen.value('experience')}; {parts}."


def _way_down(seen: Seen) -> str:
    if not seen.has("floor"):
        return ""
    floor = seen.value("floor")
    if floor < len(seen.rules.floors) and seen.rules.floors[floor].boss:
        return f"The necromancer {'can' if seen.flag('boss_vulnerable') else 'cannot'} be hurt now."
    return f"The ladder down is {'open' if seen.ladder_open else 'closed: too few monsters slain here'}."


def _other_players(seen: Seen) -> str:
    """Describe each of the other players, near or far."""
    if not seen.rules.coop:
        return ""
    runs = [seen.values(name) for name in ("player_row", "player_col", "player_health", "player_state")]
    parts = [
        f"player {number} {_steps(row - SAME_PLACE, col - SAME_PLACE)}, health {health}, {_STATES[state - 1]}"
        for number, (row, col, health, state) in enumerate(zip(*runs, strict=True))
        if state and number != seen.number
    ]
    return f"You are player {seen.number}. Other players: {'; '.join(parts) or 'nobody'}."


def _tile(seen: Seen, row: int, col: int) -> str:
    """Name a tile: its block, and what is fixed on it."""
    tile = int(seen.tile[row, col])
    if not tile:
        return _UNSEEN
    block, fixture = block_shown(tile), fixture_shown(tile)
    name = _CALLED.get(block, block.name.lower().replace("_", " "))
    return f"{_FIXTURES[fixture]} on {name}" if fixture in _FIXTURES else name


def _distance(seen: Seen, row: int, col: int) -> int:
    return abs(row - seen.middle[0]) + abs(col - seen.middle[1])


def _way(seen: Seen, row: int, col: int) -> str:
    return _steps(row - seen.middle[0], col - seen.middle[1])


def _steps(down: int, right: int) -> str:
    """Describe a place by the steps to it."""
    parts = [f"{abs(down)} {'down' if down > 0 else 'up'}"] * (down != 0)
    parts += [f"{abs(right)} {'right' if right > 0 else 'left'}"] * (right != 0)
    return " ".join(parts) or "here"
