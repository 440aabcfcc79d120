"""Ladders: where they lead, what a floor is like that nobody has seen, who is greeted there (rules 3.3, 7)."""

from collections.abc import Callable

from tests.oracle import chance
from tests.oracle.book import BOSS_BLOWS, OPENING_KILLS
from tests.oracle.chance import Dice
from tests.oracle.light import first_light
from tests.oracle.names import Action, Block, Fixture
from tests.oracle.world import Floor, Place, Player, World, after

#: Floors below the last are like one of these.
FIRST_THEME, THEMES = 1, 7
#: Those who come along are set down so many steps from a ladder at most, in a square of so many tiles.
FARTHEST, WITHIN = 10, 11
#: What generation made: the tiles of a floor, and its ladders (down, up).
Land = tuple[bytes, tuple[Place | None, Place | None]]
#: Tells what was made as a floor of the world.
Maker = Callable[[int], Land]


class UnfitError(AssertionError):
    """A floor that was entered is not as the rules want it."""


def travel(world: World, actions: list[Action], made: Maker) -> None:
    """Take a ladder, if a player stands on one that is open; the others come along."""
    last = len(world.rules.levels) - 1
    down, up = (
        [p for p in world.standing if actions[p.number] == action and world.fixture(p.place) == fixture]
        for action, fixture in ((Action.DESCEND, Fixture.LADDER_DOWN), (Action.ASCEND, Fixture.LADDER_UP))
    )
    if down and open_below(world):
        head, world.depth, arrival = down[0], world.depth + 1, 1
    elif up and 0 < world.depth <= last:
        head, world.depth, arrival = up[0], world.depth - 1, 0
    else:
        return
    world.floor = min(world.depth, last)
    world.theme = theme_of(world, world.depth)
    if world.depth > last or not world.here.visited:
        discover(world, made)
    spread(world, head, ladder(world, arrival))


def spread(world: World, head: Player, place: Place) -> None:
    """Set the head of the players on a place, the others by turns on the nearest free tiles that it leads to."""
    steps, reached = {place: 0}, [place]
    for here in reached:
        for direction in range(4):
            there = after(here, direction)
            close = steps[here] < FARTHEST and near(there, place, world.rules.size)
            if close and there not in steps and world.enters(world.rules.gait, there):
                steps[there] = steps[here] + 1
                reached.append(there)
    taken = {mob.place for _, _, mob in world.creatures()}
    free = sorted((steps[spot], spot) for spot in reached if spot != place and spot not in taken)
    head.place = place
    others = [player for player in world.order if player is not head]
    for i, player in enumerate(others):
        player.place = free[i][1] if i < len(free) else place


def near(place: Place, middle: Place, size: int) -> bool:
    """Whether a place lies in the square about another, which is moved to lie inside the map."""
    first = [min(max(at - WITHIN // 2, 0), size - WITHIN) for at in middle]
    return all(low <= at < low + WITHIN for at, low in zip(place, first, strict=True))


def open_below(world: World) -> bool:
    """Whether one may go down here: enough is slain, or the necromancer is, where there is more below."""
    if world.depth >= len(world.rules.levels) - 1 and not world.rules.endless:
        return False
    return world.here.kills >= OPENING_KILLS or (world.level.boss and world.boss_progress >= BOSS_BLOWS)


def ladder(world: World, which: int) -> Place:
    """Where a ladder of this floor stands: 0 the one down, 1 the one up."""
    place = world.here.ladders[which]
    if place is None:
        raise UnfitError(f"floor {world.floor} has no ladder {which} to arrive at")
    return place


def theme_of(world: World, depth: int) -> int:
    """Which of the floors a depth is like: its own number, below the last floor one by hash."""
    if depth < len(world.rules.levels):
        return depth
    return FIRST_THEME + (Dice(world.seed, -1 - depth).bits(chance.THEME) >> 16) % THEMES


def discover(world: World, made: Maker) -> None:
    """Put what generation made in the place of a floor that nobody has seen; nobody is there yet."""
    tiles, ladders = made(world.floor)
    floor = Floor(bytearray(tiles), world.here.light, ladders)
    world.floors[world.floor] = floor
    examine(world)
    if not world.level.lit:
        floor.light = first_light(tiles, world.rules.size, ladder(world, 1))


def examine(world: World) -> None:
    """Complain of a new floor that is not what the rules say of it (rules 3.1 to 3.3)."""
    floor, level, size = world.here, world.level, world.rules.size
    strange = {tile & 63 for tile in floor.tiles} - level.found
    if level.boss:
        strange -= {Block.STONE}  # the original's one rewritten tile; it does no harm
    if strange:
        raise UnfitError(f"floor {world.floor}, theme {world.theme}, has blocks {sorted(strange)}")
    wanted = (not level.boss and len(world.rules.levels) > 1, not level.boss and world.depth > 0)
    for which, fixture in enumerate((Fixture.LADDER_DOWN, Fixture.LADDER_UP)):
        found = [divmod(i, size) for i, tile in enumerate(floor.tiles) if tile >> 6 == fixture]
        if found != ([floor.ladders[which]] if wanted[which] else []):
            raise UnfitError(f"floor {world.floor} has ladders {found}, but {floor.ladders} are known")
    for place in floor.ladders:
        if place is not None and world.block(place) != level.ladders:
            raise UnfitError(f"floor {world.floor} has a ladder on block {world.block(place)}")
    middle = (size // 2, size // 2)
    if level.boss and world.block(middle) != Block.NECROMANCER:
        raise UnfitError(f"no necromancer stands at {middle}")


def greet(world: World) -> int:
    """Welcome who is on a floor for the first time; tell how many floors below the last were reached."""
    if world.here.visited:
        return 0
    world.here.visited = True
    for player in world.present:
        player.experience += 1
    if world.depth >= len(world.rules.levels):
        return 1
    if world.level.enter is not None:
        for player in world.present:
            player.achievements.add(world.level.enter)
    return 0
