"""What creatures do, what flies, and who appears (rules 4), one mob after another."""

from collections.abc import Callable, Iterator
from fractions import Fraction

from tests.oracle import chance
from tests.oracle.book import DESPAWN, FIRST_SLOT, OPENING_KILLS, PROJECTILES
from tests.oracle.chance import Dice
from tests.oracle.combat import hurt, might, shot, strike
from tests.oracle.names import (
    DOWN,
    GRAVES,
    KINDS,
    LEFT,
    MELEE,
    PASSIVE,
    RANGED,
    RIGHT,
    UP,
    Achievement,
    Block,
)
from tests.oracle.world import Missile, Mob, Place, Player, World, after, manhattan, square_distance

#: 1 - L counts in this many parts when a zombie's chance is made.
DARKNESS_PARTS = 4096
#: Draws set aside for the tiles of a map.
TILES = 4096
#: Distances beyond which creatures appear; on the necromancer's floor they do so within reach of him.
NEAREST = {PASSIVE: 3, MELEE: 9, RANGED: 9}
GRAVES_WITHIN = 6

#: Tells whether a creature's draw falls below a probability.
Luck = Callable[[str], bool]


def towards(a: Place, b: Place, columns_on_tie: bool) -> int:
    """The direction from a to b along the longer way."""
    rows, cols = b[0] - a[0], b[1] - a[1]
    along_columns = abs(cols) > abs(rows) or (abs(cols) == abs(rows) and columns_on_tie)
    if along_columns:
        return RIGHT if cols > 0 else LEFT
    return DOWN if rows > 0 else UP


def opposite(direction: int) -> int:
    return {LEFT: RIGHT, RIGHT: LEFT, UP: DOWN, DOWN: UP}[direction]


def free_for(world: World, gait: str, place: Place) -> bool:
    """Ground that suits, and neither a player nor a creature there."""
    crowd = {player.place for player in world.present}
    return world.enters(gait, place) and place not in crowd and not world.creature_at(place)


def prey(world: World, place: Place) -> Player:
    """The nearest player on its feet; of several as near the first in the order of turns."""
    return min(world.standing, key=lambda player: manhattan(place, player.place), default=world.order[0])


def step_melee(world: World, mob: Mob, bits: int, happens: Luck) -> int | None:
    """Strike whoever stands beside it, else chase or wander; near the necromancer they chase from anywhere."""
    player = world.player = prey(world, mob.place)
    distance = manhattan(mob.place, player.place)
    if distance == 1 and mob.cooldown <= 0:
        if player.asleep:
            player.achievements.add(Achievement.WAKE_UP)
        hurt(world, world.creature(MELEE, mob.type).damage, in_bed=player.asleep)
        mob.cooldown = 5
        return None
    mob.cooldown = max(mob.cooldown - 1, 0)
    if (distance < 10 or world.level.boss) and happens("0.75"):
        return towards(mob.place, player.place, bool(bits >> 2 & 1))
    return bits & 3


def step_passive(world: World, mob: Mob, bits: int, happens: Luck) -> int | None:
    """Every other step, somewhere."""
    return bits & 3 if bits >> 3 & 1 else None


def step_ranged(world: World, mob: Mob, bits: int, happens: Luck) -> int | None:
    """Shoot from afar or when cornered, else approach, retreat or wander."""
    creature, player = world.creature(RANGED, mob.type), prey(world, mob.place)
    distance = manhattan(mob.place, player.place)
    aim = towards(mob.place, player.place, bool(bits >> 2 & 1))
    way = bits & 3
    if happens("0.15"):
        way = aim if distance >= world.rules.approach else opposite(aim) if distance <= 3 else way
    cornered = distance <= 3 and not free_for(world, creature.gait, after(mob.place, way))
    if mob.cooldown <= 0 and (4 <= distance <= 5 or cornered):
        mob.cooldown = 4
        free = [slot for slot, missile in enumerate(world.mob_missiles) if missile is None]
        if free:  # else the shot is lost
            world.mob_missiles[free[0]] = Missile(mob.place, aim, creature.shoots)
        return None
    mob.cooldown = max(mob.cooldown - 1, 0)
    return way


def move_creatures(world: World, dice: Dice) -> None:
    """Every creature vanishes if far from all players, else acts: class by class and slot by slot.

    The necromancer's monsters never vanish.
    """
    for kind, act in ((MELEE, step_melee), (PASSIVE, step_passive), (RANGED, step_ranged)):
        for slot, mob in enumerate(world.mobs[kind]):
            if mob is None:
                continue
            stays = world.level.boss and kind != PASSIVE
            if manhattan(mob.place, prey(world, mob.place).place) >= DESPAWN and not stays:
                world.mobs[kind][slot] = None
                continue
            number = FIRST_SLOT[kind] + slot
            way = act(
                world,
                mob,
                dice.bits(chance.WANDER, number),
                lambda p, n=number: dice.happens(chance.WANDER, n, chance.chance(p)),
            )
            if way is not None and free_for(
                world, world.creature(kind, mob.type).gait, after(mob.place, way)
            ):
                mob.place = after(mob.place, way)


def fly_mob_missiles(world: World) -> None:
    """Mobs' missiles move on: they hit a player, or end at what is solid or at a creature."""
    for slot, missile in enumerate(world.mob_missiles):
        if missile is None:
            continue
        ahead = after(missile.place, missile.direction)
        near = [p for p in world.standing if world.rules.near_miss and p.place == missile.place]
        struck = near or [p for p in world.standing if p.place == ahead]
        hit = bool(struck)
        for player in struck:
            world.player = player
            hurt(world, PROJECTILES[missile.type])
        if world.block(ahead) in (Block.CRAFTING_TABLE, Block.FURNACE):
            world.set_block(ahead, Block.PATH)
            hit = True
        if hit or not world.open_to_missiles(ahead) or world.creature_at(ahead):
            world.mob_missiles[slot] = None
        missile.place = ahead


def fly_player_missiles(world: World) -> None:
    """Players' missiles move on: they hit a creature where they are, else one where they get.

    A player in their way stops them, and is not hurt.
    """
    for slot, missile in enumerate(world.player_missiles):
        if missile is None:
            continue
        ahead = after(missile.place, missile.direction)
        victim = world.creature_at(missile.place) or world.creature_at(ahead)
        world.player = world.players[missile.owner]
        if victim:
            strike(world, *victim, shot(world.player, missile.type))
        shield = any(p is not world.player and p.place == ahead for p in world.standing)
        if victim or shield or not world.open_to_missiles(ahead):
            world.player_missiles[slot] = None
        missile.place = ahead


def spawn_threshold(world: World, kind: str) -> int:
    """How likely one more of a class appears this step, as a threshold for a draw."""
    if world.level.boss:
        return 0 if kind == PASSIVE or world.boss_wave <= 0 else chance.chance("1")
    passive, melee, ranged, night = (chance.chance(p) for p in world.level.chances)
    if kind == PASSIVE:
        return passive
    dark = round(DARKNESS_PARTS * (1 - chance.daylight(world.hour)) ** 2)
    base = melee + night * dark // DARKNESS_PARTS if kind == MELEE else ranged
    return base * (1 if world.here.kills >= OPENING_KILLS else 3)


def newcomer(world: World, kind: str) -> int:
    """The type that appears; the necromancer calls upon the floor whose number is that of his wounds."""
    level = world.rules.levels[world.boss_progress] if world.level.boss else world.level
    return {PASSIVE: level.passive, MELEE: level.melee, RANGED: level.ranged}[kind]


def spots(world: World, kind: str) -> Iterator[Place]:
    """The free places at the right distance, of ground that suits who is to appear."""
    alive = [player for player in world.players if len(world.players) == 1 or not player.fallen]
    if not alive:
        return
    centre = next(player for player in world.order if player in alive)
    row, col = centre.place
    if len(world.players) > 1:
        # The square about one is searched, moved to lie inside the map, so that others may be nearer.
        row, col = (min(max(at, DESPAWN), world.rules.size - 1 - DESPAWN) for at in (row, col))
    taken = {mob.place for _, _, mob in world.creatures()}
    if len(world.players) > 1:
        taken |= {player.place for player in world.players}
    home = GRAVES if world.level.boss else world.creature(kind, newcomer(world, kind)).home
    for r in range(row - DESPAWN, row + DESPAWN + 1):
        for c in range(col - DESPAWN, col + DESPAWN + 1):
            place = (r, c)
            away = min(square_distance(place, player.place) for player in alive)
            if world.rules.manhattan:
                away = min(manhattan(place, player.place) for player in alive) ** 2
            ring = away <= GRAVES_WITHIN**2 if world.level.boss else NEAREST[kind] ** 2 < away < DESPAWN**2
            if ring and world.inside(place) and world.block(place) in home and place not in taken:
                yield place


def spawn(world: World, dice: Dice) -> None:
    """Each class in turn may gain one creature, on a random one of the tiles that suit it."""
    for kind in (PASSIVE, MELEE, RANGED):
        free = [slot for slot, mob in enumerate(world.mobs[kind]) if mob is None]
        if not free or not dice.happens(chance.SPAWN, KINDS[kind], spawn_threshold(world, kind)):
            continue

        def bid(place: Place, kind: str = kind) -> int:
            # A draw's high bits decide; of equal ones the first tile of the map.
            tile = world.number(place)
            draw = dice.bits(chance.SPAWN_TILE, TILES * KINDS[kind] + tile)
            return draw // TILES * TILES + TILES - 1 - tile

        place = max(spots(world, kind), key=bid, default=None)
        if place is not None:
            type_ = newcomer(world, kind)
            health = Fraction(world.creature(kind, type_).health) * might(world)
            world.mobs[kind][free[0]] = Mob(place, type_, health)
