"""What creatures do, what flies, and who appears (rules 4), one mob after another."""

from collections.abc import Callable
from fractions import Fraction

from tests.oracle import chance
from tests.oracle.chance import Dice
from tests.oracle.hands import arrow, ball, strike
from tests.oracle.names import (
    ARROW,
    ARROW2,
    DESPAWN,
    DOWN,
    FIRE,
    FIRST_SLOT,
    HEALTH,
    ICE,
    KINDS,
    LEFT,
    MELEE,
    PASSIVE,
    PROJECTILES,
    RANGED,
    RIGHT,
    SLEEPER,
    SPAWNABLE,
    UP,
    ZOMBIE_DAMAGE,
    Achievement,
    Block,
)
from tests.oracle.world import Missile, Mob, Place, Player, World, after, manhattan, square_distance

#: 1 - L counts in this many parts when a zombie's chance is made.
DARKNESS_PARTS = 4096
#: Draws set aside for the tiles of a map.
TILES = 4096


def hurt(player: Player, damage: tuple[int, int, int], factor: Fraction = Fraction(1)) -> None:
    """Take what armour and charms let through; whoever is hurt sleeps and rests no more."""
    armour = (
        Fraction(sum(player.armour), 10),
        Fraction(player.armour_enchantment.count(FIRE), 5),
        Fraction(player.armour_enchantment.count(ICE), 5),
    )
    player.health -= factor * sum(part * (1 - shrug) for part, shrug in zip(damage, armour, strict=True))
    player.asleep = player.resting = False


def towards(a: Place, b: Place, columns_on_tie: bool) -> int:
    """The direction from a to b along the longer way."""
    rows, cols = b[0] - a[0], b[1] - a[1]
    along_columns = abs(cols) > abs(rows) or (abs(cols) == abs(rows) and columns_on_tie)
    if along_columns:
        return RIGHT if cols > 0 else LEFT
    return DOWN if rows > 0 else UP


def opposite(direction: int) -> int:
    return {LEFT: RIGHT, RIGHT: LEFT, UP: DOWN, DOWN: UP}[direction]


def free_for_creature(world: World, place: Place) -> bool:
    """Land, and neither the player nor a creature there."""
    return world.open_to_walkers(place) and place != world.player.place and not world.creature_at(place)


def step_melee(world: World, mob: Mob, bits: int, happens: Callable[[float], bool]) -> int | None:
    """A zombie: strike whoever stands beside it, else chase or wander."""
    player = world.player
    distance = manhattan(mob.place, player.place)
    if distance == 1 and mob.cooldown <= 0:
        if player.asleep:
            player.achievements.add(Achievement.WAKE_UP)
        hurt(player, (ZOMBIE_DAMAGE, 0, 0), SLEEPER if player.asleep else Fraction(1))
        mob.cooldown = 5
        return None
    mob.cooldown = max(mob.cooldown - 1, 0)
    if distance < 10 and happens(0.75):
        return towards(mob.place, player.place, bool(bits >> 2 & 1))
    return bits & 3


def step_passive(world: World, mob: Mob, bits: int, happens: Callable[[float], bool]) -> int | None:
    """A cow: every other step, somewhere."""
    return bits & 3 if bits >> 3 & 1 else None


def step_ranged(world: World, mob: Mob, bits: int, happens: Callable[[float], bool]) -> int | None:
    """A skeleton: shoot from afar or when cornered, else approach, retreat or wander."""
    distance = manhattan(mob.place, world.player.place)
    aim = towards(mob.place, world.player.place, bool(bits >> 2 & 1))
    way = bits & 3
    if happens(0.15):
        way = aim if distance >= 6 else opposite(aim) if distance <= 3 else way
    cornered = distance <= 3 and not free_for_creature(world, after(mob.place, way))
    if mob.cooldown <= 0 and (4 <= distance <= 5 or cornered):
        mob.cooldown = 4
        free = [slot for slot, missile in enumerate(world.mob_missiles) if missile is None]
        if free:  # else the shot is lost
            world.mob_missiles[free[0]] = Missile(mob.place, aim, ARROW)
        return None
    mob.cooldown = max(mob.cooldown - 1, 0)
    return way


def move_creatures(world: World, dice: Dice) -> None:
    """Every creature vanishes if far from the player, else acts: class by class and slot by slot."""
    for kind, act in ((MELEE, step_melee), (PASSIVE, step_passive), (RANGED, step_ranged)):
        for slot, mob in enumerate(world.mobs[kind]):
            if mob is None:
                continue
            if manhattan(mob.place, world.player.place) >= DESPAWN:
                world.mobs[kind][slot] = None
                continue
            number = FIRST_SLOT[kind] + slot
            way = act(
                world,
                mob,
                dice.bits(chance.WANDER, number),
                lambda p, n=number: dice.happens(chance.WANDER, n, chance.chance(p)),
            )
            if way is not None and free_for_creature(world, after(mob.place, way)):
                mob.place = after(mob.place, way)


def fly_mob_missiles(world: World) -> None:
    """Mobs' missiles move on: they hit the player, or end at what is solid or at a creature."""
    for slot, missile in enumerate(world.mob_missiles):
        if missile is None:
            continue
        ahead = after(missile.place, missile.direction)
        hit = world.player.place in (missile.place, ahead)
        if hit:
            hurt(world.player, PROJECTILES[missile.type])
        if world.block(ahead) in (Block.CRAFTING_TABLE, Block.FURNACE):
            world.set_block(ahead, Block.PATH)
            hit = True
        if hit or not world.open_to_missiles(ahead) or world.creature_at(ahead):
            world.mob_missiles[slot] = None
        missile.place = ahead


def fly_player_missiles(world: World) -> None:
    """The player's missiles move on: they hit a creature where they are, else one where they get."""
    for slot, missile in enumerate(world.player_missiles):
        if missile is None:
            continue
        ahead = after(missile.place, missile.direction)
        victim = world.creature_at(missile.place) or world.creature_at(ahead)
        if victim:
            player = world.player
            strike(world, *victim, arrow(player) if missile.type == ARROW2 else ball(player, missile.type))
        if victim or not world.open_to_missiles(ahead):
            world.player_missiles[slot] = None
        missile.place = ahead


def spawn_threshold(world: World, kind: str) -> int:
    """How likely one more of a class appears this step, as a threshold for a draw."""
    if kind == PASSIVE:
        return chance.chance(0.1)
    dark = round(DARKNESS_PARTS * (1 - chance.daylight(world.tick)) ** 2)
    base = (
        chance.chance(0.02) + (chance.chance(0.1) * dark // DARKNESS_PARTS)
        if kind == MELEE
        else chance.chance(0.05)
    )
    return base * (1 if world.kills >= 8 else 3)


def ring(middle: Place) -> list[Place]:
    """All places that may be near enough."""
    reach = range(-DESPAWN, DESPAWN + 1)
    return [(middle[0] + row, middle[1] + col) for row in reach for col in reach]


def spawn(world: World, dice: Dice) -> None:
    """Each class in turn may gain one creature, on a random one of the tiles that suit it."""
    player = world.player
    for kind in (PASSIVE, MELEE, RANGED):
        free = [slot for slot, mob in enumerate(world.mobs[kind]) if mob is None]
        if not free or not dice.happens(chance.SPAWN, KINDS[kind], spawn_threshold(world, kind)):
            continue
        least = 3 if kind == PASSIVE else 9
        taken = {mob.place for _, _, mob in world.creatures()}
        best: tuple[int, Place] | None = None
        for place in ring(player.place):
            if not least**2 < square_distance(place, player.place) < DESPAWN**2:
                continue
            if world.block(place) not in SPAWNABLE or place in taken:
                continue
            # A draw's high bits decide; of equal ones the first tile of the map.
            tile = place[0] * world.cols + place[1]
            draw = (
                dice.bits(chance.SPAWN_TILE, TILES * KINDS[kind] + tile) // TILES * TILES + TILES - 1 - tile
            )
            if best is None or draw > best[0]:
                best = draw, place
        if best:
            world.mobs[kind][free[0]] = Mob(best[1], 0, Fraction(HEALTH[kind]))
