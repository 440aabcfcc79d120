"""Refuses a state that no play brings about, in one line that names the field, the world and what is allowed.

The rules trust the state that they are given. One that was made by hand, read from a file or carried over
from elsewhere is checked here before it is played.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from openworld.content.encoding import BLOCK_ROOM, PLAYER_PROJECTILES
from openworld.content.floors import BOSS_BLOWS, BOSS_WAVE
from openworld.content.ids import Enchantment, Item, Kind, Projectile
from openworld.content.rulesets import Ruleset
from openworld.content.tables import Tables, compile_tables
from openworld.content.tools import SWORD_DAMAGE
from openworld.content.units import GLOW_LEVELS
from openworld.core.state import Mobs, Plants, Player, Projectiles, World, changed
from openworld.environment import Environment, State
from openworld.rules import combat, creature_actions, growth, vitals
from openworld.rules.coop import OWNER
from openworld.rules.levelling import MAX_ATTRIBUTE
from openworld.rules.travel import FIRST_THEME, THEMES

#: A field's numbers, as NumPy's or JAX's array.
Numbers = Any
#: The highest level of tools, of a bow, and of a piece of armour.
TOOL_LEVEL, BOW_LEVEL, ARMOUR_LEVEL = len(SWORD_DAMAGE) - 1, 1, 2
#: Types of a class of bodies, directions, and achievements of a word.
TYPES, DIRECTIONS, WORD = 8, 4, 32
#: The position of a ladder that a floor lacks.
NO_LADDER = -1


class Field(NamedTuple):
    """Numbers to be checked: the name that a complaint gives them, and which of them are allowed.

    Attributes:
        values: worlds first.
        allowed: a mask that broadcasts against the values.
        wanted: what a value must be, as words; or its least and most, which broadcast against the values.
    """

    name: str
    values: Numbers
    allowed: Numbers
    wanted: str | tuple[Numbers, Numbers]


def check_state(state: State, rules: Ruleset) -> None:
    """Refuse a state that no play of these rules brings about.

    Args:
        state: a batch of worlds.
        rules: the ruleset.

    Raises:
        ValueError: it names the first field that is wrong.

    Example:
        >>> import openworld
        >>> env = openworld.make("OpenWorld-Classic-v0")
        >>> check_state(env.reset(0, num_worlds=2)[1], env.ruleset)
    """
    state = jax.tree.map(np.asarray, state)
    _check_form(state, rules)
    tables, world, ground = compile_tables(rules), state.world, state.ground
    for fields in (
        _place(world, rules),
        _body(world.player, rules),
        _belongings(world.player, rules),
        _mobs("world.mobs", world.mobs, world.depth[:, None], rules, tables),
        _projectiles("world.projectiles", world.projectiles, rules, world.player.facing.shape[1]),
        _plants(world.plants, rules),
        _floors(world, rules),
        _ground(state, rules),
        _mobs("ground.mobs", ground.mobs, world.depth[:, None, None], rules, tables),
        _projectiles("ground.projectiles", ground.projectiles, rules, world.player.facing.shape[1]),
    ):
        for field in fields:
            _complain(field)


def _check_form(state: State, rules: Ruleset) -> None:
    """Compare dtypes and shapes with those of a state that these rules make."""
    worlds, agents = state.world.player.facing.shape[:2] if state.world.player.facing.ndim == 2 else (0, 1)
    if not worlds:
        raise ValueError("world.player.facing must have two axes, worlds and agents, and at least one world")
    form, found = _named(_form(rules, worlds, agents)), _named(jax.tree_util.tree_leaves_with_path(state))
    for name, wanted in form.items():
        leaf = found.get(name)
        is_now = "missing" if leaf is None else f"{leaf.dtype}{list(leaf.shape)}"
        if leaf is None or (leaf.dtype, leaf.shape) != (wanted.dtype, wanted.shape):
            raise ValueError(f"{name} is {is_now}; it must be {wanted.dtype}{list(wanted.shape)}")
    for name in found.keys() - form.keys():
        raise ValueError(f"{name} is not a field of a state of these rules")


def _named(leaves: list[tuple[tuple, Any]]) -> dict[str, Any]:
    """Return the leaves of a state by name."""
    return {jax.tree_util.keystr(path).lstrip("."): leaf for path, leaf in leaves}


@lru_cache(maxsize=8)
def _form(rules: Ruleset, worlds: int, agents: int) -> list[tuple[tuple, jax.ShapeDtypeStruct]]:
    """Return the path, dtype and shape of every field, as these rules make them."""
    made = Environment(id=rules.name, ruleset=rules, time_limit=rules.time_limit, num_agents=agents)
    return jax.tree_util.tree_leaves_with_path(made.state_shape(worlds))


def _complain(field: Field) -> None:
    """Raise a ValueError about the first value that is not allowed."""
    bad = ~np.broadcast_to(field.allowed, field.values.shape)
    if not bad.any():
        return
    world, *rest = where = tuple(np.argwhere(bad)[0].tolist())
    wanted = field.wanted
    if not isinstance(wanted, str):
        low, high = (int(np.broadcast_to(bound, field.values.shape)[where]) for bound in wanted)
        wanted = f"{low} to {high}" if low < high else f"{low}"
    place = str(rest) if rest else ""
    raise ValueError(
        f"{field.name}{place} of world {world} is {int(field.values[where])}; it must be {wanted}"
    )


def _within(name: str, values: Numbers, low: Numbers, high: Numbers, used: Numbers = True) -> Field:
    """Return a field whose values, where they are used, lie between two bounds."""
    return Field(name, values, ((values >= low) & (values <= high)) | ~np.asarray(used), (low, high))


def _on_map(name: str, position: Numbers, rules: Ruleset, used: Numbers = True) -> Field:
    last = np.array([rules.rows - 1, rules.cols - 1])
    return _within(name, position, 0, last, np.asarray(used)[..., None])


def _place(world: World, rules: Ruleset) -> Iterator[Field]:
    """Time, the floor in play, and the necromancer."""
    last, depth = len(rules.floors) - 1, world.depth
    deeper = depth > last
    yield _within("world.tick", world.tick, 0, 2**31 - 2)
    yield _within("world.depth", depth, 0, last if rules.ends_at_boss else 2**15 - 1)
    yield _within("world.floor", world.floor, np.minimum(depth, last), np.minimum(depth, last))
    low, high = np.where(deeper, FIRST_THEME, depth), np.where(deeper, FIRST_THEME + THEMES - 1, depth)
    yield _within("world.theme", world.theme, low, high)
    yield _within("world.boss_progress", world.boss_progress, 0, BOSS_BLOWS)
    yield _within("world.boss_wave", world.boss_wave, 0, BOSS_WAVE)
    if world.ahead is not None:
        yield _within("world.ahead", world.ahead, 0, rules.day_length - 1)
    effects = np.arange(world.potions.shape[1])
    shuffled = (np.sort(world.potions, axis=1) == effects[None]).all(axis=1)[:, None]
    yield Field("world.potions", world.potions, shuffled, "one of six different effects, 0 to 5")


def _body(player: Player, rules: Ruleset) -> Iterator[Field]:
    yield _on_map("world.player.position", player.position, rules)
    yield _within("world.player.facing", player.facing, 0, DIRECTIONS - 1)
    yield _within("world.player.attributes", player.attributes, 1, MAX_ATTRIBUTE)
    wide = changed(player, attributes=jnp.asarray(player.attributes, jnp.int32))
    most = jax.vmap(lambda p: (vitals.max_health(p), vitals.max_vitals(p)))(wide)
    yield _within("world.player.health", player.health, 0, np.asarray(most[0]))
    yield _within("world.player.vitals", player.vitals, 0, np.asarray(most[1]))
    yield _within("world.player.hunger", player.hunger, 0, vitals.HUNGER_LIMIT)
    yield _within("world.player.thirst", player.thirst, 0, vitals.THIRST_LIMIT)
    yield _within("world.player.fatigue", player.fatigue, vitals.RESTED_LIMIT, vitals.FATIGUE_LIMIT)
    yield _within("world.player.recovery", player.recovery, vitals.HARMED_LIMIT, vitals.HEALED_LIMIT)
    yield _within("world.player.focus", player.focus, 0, vitals.FOCUS_LIMIT)
    yield _within("world.player.experience", player.experience, 0, 2**15 - 1)


def _belongings(player: Player, rules: Ruleset) -> Iterator[Field]:
    most = np.full(rules.items, rules.inventory_limit)
    most[[Item.PICKAXE, Item.SWORD]], most[Item.BOW] = TOOL_LEVEL, BOW_LEVEL
    yield _within("world.player.inventory", player.inventory, 0, most)
    for name in ("sword_enchantment", "bow_enchantment", "armour_enchantment"):
        yield _within(f"world.player.{name}", getattr(player, name), 0, len(Enchantment) - 1)
    yield _within("world.player.armour", player.armour, 0, ARMOUR_LEVEL)
    numbers = np.arange(player.achievements.shape[-1] * WORD).reshape(-1, WORD)
    known = np.sum((numbers < rules.achievements) << np.arange(WORD, dtype=np.uint64), axis=1)
    words = player.achievements.astype(np.uint64)
    wanted = f"without bits beyond achievement {rules.achievements - 1}"
    yield Field("world.player.achievements", words, (words & ~known.astype(np.uint64)) == 0, wanted)


def _mobs(name: str, mobs: Mobs, depth: Numbers, rules: Ruleset, tables: Tables) -> Iterator[Field]:
    """Creatures, whose arrays end with an axis of slots."""
    used, kind = mobs.alive, tables.creatures.slot_kind
    yield _within(f"{name}.type", mobs.type, 0, TYPES - 1)
    known = np.zeros((len((Kind.MELEE, Kind.PASSIVE, Kind.RANGED)), TYPES), bool)
    for row in rules.creatures:
        known[row.kind, row.number] = True
    yield Field(f"{name}.type", mobs.type, known[kind, mobs.type] | ~used, "a creature of its slot's class")
    yield _on_map(f"{name}.position", mobs.position, rules, used)
    deeper = np.clip(depth.astype(int) - (len(rules.floors) - 1), 0, combat.MOST_DEEPER)
    health = tables.creatures.health[kind, mobs.type] * (combat.MIGHT + deeper) // combat.MIGHT
    yield _within(f"{name}.health", mobs.health, 1, health, used)
    slowest = max(creature_actions.BLOW_COOLDOWN, creature_actions.SHOT_COOLDOWN)
    yield _within(f"{name}.cooldown", mobs.cooldown, 0, slowest)


def _projectiles(name: str, flying: Projectiles, rules: Ruleset, agents: int) -> Iterator[Field]:
    """Projectiles, whose arrays end with an axis of slots."""
    used, types = flying.alive, flying.type
    if rules.coop:
        yield _within(f"{name}.type", types, 0, OWNER * agents - 1)
        theirs = np.arange(used.shape[-1]) < rules.mob_projectiles
        flying = changed(flying, type=np.where(theirs, types, types % OWNER))
    yield _within(f"{name}.type", flying.type, 0, len(Projectile) - 1)
    yield _within(f"{name}.direction", flying.direction, 0, DIRECTIONS - 1)
    yield _on_map(f"{name}.position", flying.position, rules, used)
    theirs = np.arange(used.shape[-1]) < rules.mob_projectiles
    players = np.isin(flying.type, PLAYER_PROJECTILES)
    kinds = " or ".join(str(int(kind)) for kind in sorted(PLAYER_PROJECTILES))
    yield Field(f"{name}.type", flying.type, theirs | players | ~used, f"{kinds} in a player's slot")


def _plants(plants: Plants, rules: Ruleset) -> Iterator[Field]:
    yield _on_map("world.plants.position", plants.position, rules, plants.alive)
    yield _within("world.plants.age", plants.age, 0, growth.RIPE_AGE - 1, plants.alive)


def _floors(world: World, rules: Ruleset) -> Iterator[Field]:
    floors = world.floors
    yield _within("world.floors.kills", floors.kills, 0, 2**15 - 1)
    inside = (floors.ladders >= 0) & (floors.ladders < np.array([rules.rows, rules.cols]))
    there = inside.all(axis=-1) | (floors.ladders == NO_LADDER).all(axis=-1)
    yield Field("world.floors.ladders", floors.ladders, there[..., None], f"on the map, or {NO_LADDER} twice")


def _ground(state: State, rules: Ruleset) -> Iterator[Field]:
    known = np.zeros(256, bool)
    for row in rules.blocks:
        known[row.block :: BLOCK_ROOM] = True
    tiles = state.ground.tiles
    below = 1 + max(row.block for row in rules.blocks)
    wanted = f"the number of a block, below {below}, plus {BLOCK_ROOM} times a fixture's"
    yield Field("ground.tiles", tiles, known[tiles], wanted)
    if state.ground.light is not None:
        yield _within("ground.light", state.ground.light, 0, GLOW_LEVELS)
