"""Doing something to what a player faces: striking, digging, drinking, foraging, eating (rule 5)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.encoding import block_of, fixture_of, tile_of
from openworld.content.ids import Achievement, Action, Block, Item, Kind, Stream, Vital
from openworld.content.tables import Tables
from openworld.content.units import NOTHING, chance
from openworld.core.random import happens
from openworld.core.state import Player, World, changed
from openworld.rules.chests import open_chest
from openworld.rules.combat import blow, wound_mobs
from openworld.rules.coop import first_come, help_up, on_players
from openworld.rules.grid import faced, on_mobs
from openworld.rules.growth import sow
from openworld.rules.turn import Flags, Numbers, Turn, add_to, in_set

#: Food and drink that a killed creature, a ripe plant and a draught bring.
MEAT, FRUIT, DRAUGHT = 6, 4, 1
SAPLING_CHANCE = chance(0.1)


def interact(world: World, turn: Turn) -> tuple[World, Turn]:
    """Strike the creature on the faced tile; without one help up the player there, or use the tile."""
    target, tile = faced(world, turn)
    doing = turn.action == Action.DO
    struck = doing[:, None] & on_mobs(world, target)
    world, turn = _strike(world, turn, struck)
    using = doing & ~jnp.any(struck, axis=-1)
    if turn.coop is not None:
        world = help_up(world, turn, using)
        using = using & ~jnp.any(on_players(world, turn, target), axis=-1)
    world, turn = _dig(world, turn, tile, using)
    world, turn = _drink(world, turn, tile, using)
    return _eat(world, turn, target, tile, using)


def _strike(world: World, turn: Turn, struck: Bool[Array, "agents mobs"]) -> tuple[World, Turn]:
    types = world.mobs.type
    world, turn, slain = wound_mobs(world, turn, blow(world.player, turn.tables)[:, None], struck)
    eaten = slain & (turn.tables.creatures.slot_kind == Kind.PASSIVE)[None]
    turn = turn.earn(eaten, turn.tables.creatures.achievement[Kind.PASSIVE][types][None])
    return _sate(world, jnp.any(eaten, axis=-1), Vital.FOOD, MEAT, "hunger"), turn


def _sate(world: World, who: Flags, vital: Vital, amount: int, counter: str) -> World:
    """Add to a vital of some players, and set its counter of decay to 0."""
    vitals = add_to(world.player.vitals, vital, jnp.where(who, jnp.int32(amount), 0))
    count = jnp.where(who, 0, getattr(world.player, counter))
    return changed(world, player={"vitals": vitals, counter: count})


def diggable(player: Player, block: Numbers, tables: Tables) -> Flags:
    """Return whether each player carries the tool that digs a block."""
    items = jnp.arange(player.inventory.shape[1], dtype=jnp.int32)[None]
    tool = items == tables.blocks.dig_tool[block][:, None]
    held = jnp.sum(jnp.where(tool, player.inventory, 0), axis=-1, dtype=jnp.int32)
    return held >= tables.blocks.dig_level[block]


def _dig(world: World, turn: Turn, tile: Numbers, using: Flags) -> tuple[World, Turn]:
    """Dig with the pickaxe at hand; grass is only combed for saplings and stays."""
    tables, inventory, block = turn.tables, world.player.inventory, block_of(tile)
    dug = first_come(turn, using & diggable(world.player, block, tables))
    agents = jnp.arange(block.shape[0], dtype=jnp.uint32)
    found = happens(turn.dice.bits(Stream.FORAGE, agents), SAPLING_CHANCE)
    foraged = using & (block == Block.GRASS) & found

    item = jnp.where(foraged, Item.SAPLING, jnp.where(dug, tables.blocks.dig_item[block], NOTHING))
    gained = jnp.arange(inventory.shape[1], dtype=jnp.int32)[None] == item[:, None]
    world = changed(world, player=dict(inventory=inventory + gained.astype(jnp.int32)))
    left = tile_of(tables.blocks.dig_block[block], fixture_of(tile))
    turn = turn.rewrite_faced(left, dug)
    if not turn.rules.has_chests:
        return world, turn
    return open_chest(world, turn, dug & (block == Block.CHEST))


def _drink(world: World, turn: Turn, tile: Numbers, using: Flags) -> tuple[World, Turn]:
    drunk = using & in_set(block_of(tile), turn.tables.blocks.drinkable)
    world = _sate(world, drunk, Vital.DRINK, DRAUGHT, "thirst")
    return world, turn.earn(drunk, Achievement.COLLECT_DRINK)


def _eat(
    world: World, turn: Turn, target: Int32[Array, "agents 2"], tile: Numbers, using: Flags
) -> tuple[World, Turn]:
    """Eat a ripe plant, and leave a sapling that grows again."""
    eaten = first_come(turn, using & (block_of(tile) == Block.RIPE_PLANT))
    world = _sate(world, eaten, Vital.FOOD, FRUIT, "hunger")
    plants = world.plants
    for agent in range(eaten.shape[0]):
        plants = sow(plants, target[agent], eaten[agent])
    world = changed(world, plants=plants)
    sapling = jnp.full(tile.shape, int(Block.PLANT), jnp.int32)
    return world, turn.rewrite_faced(sapling, eaten).earn(eaten, Achievement.EAT_PLANT)
