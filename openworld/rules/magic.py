"""Books, spells and enchantments (rules 5.4 and 5.6)."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int32

from openworld.content.encoding import block_of
from openworld.content.ids import (
    Achievement,
    Action,
    Block,
    Enchantment,
    Item,
    Kind,
    Projectile,
    Stream,
    Vital,
)
from openworld.core.random import below
from openworld.core.state import Player, World, changed
from openworld.rules.coop import signed
from openworld.rules.grid import faced
from openworld.rules.projectiles import Launch, launch_from
from openworld.rules.turn import Flags, Numbers, Turn, add_to, first

SPELL_MANA, CHARM_MANA = 2, 9
#: Draws of `Stream.CHARM` set aside for each player.
PIECES = 8
#: In the order of `Player.spells`.
_LEARNING = (Achievement.LEARN_FIREBALL, Achievement.LEARN_ICEBALL)
_CASTING = (Achievement.CAST_FIREBALL, Achievement.CAST_ICEBALL)


def read(world: World, turn: Turn) -> tuple[World, Turn]:
    """Use up a book and learn one of the spells not yet known, if there is one."""
    player = world.player
    opened = (turn.action == Action.READ_BOOK) & (player.inventory[:, Item.BOOK] > 0)
    agents = jnp.arange(opened.shape[0], dtype=jnp.uint32)
    drawn = below(turn.dice.bits(Stream.STUDY, agents), 2)[:, None] == jnp.arange(2, dtype=jnp.int32)[None]
    learned = opened[:, None] & ~player.spells & (drawn | player.spells[:, ::-1])
    inventory = add_to(player.inventory, Item.BOOK, -opened.astype(jnp.int32))
    world = changed(world, player=dict(inventory=inventory, spells=player.spells | learned))
    return world, turn.earn(learned, jnp.array(_LEARNING, jnp.int32)[None])


def castable(player: Player) -> Bool[Array, "agents 2"]:
    """Return whether each player knows each spell, and has the mana for one."""
    return player.spells & (player.vitals[:, Vital.MANA] >= SPELL_MANA)[:, None]


def cast(world: World, turn: Turn) -> tuple[World, Turn]:
    """Cast a known spell where the player faces, given the mana and a free slot."""
    player = world.player
    chosen = turn.action[:, None] == jnp.array([Action.CAST_FIREBALL, Action.CAST_ICEBALL], jnp.int32)[None]
    able = jnp.any(chosen & castable(player), axis=-1)
    ball = jnp.where(chosen[:, 0], jnp.int32(Projectile.FIREBALL), jnp.int32(Projectile.ICEBALL))
    _, ahead = faced(world, turn)
    gone = []
    for agent in range(able.shape[0]):
        launch = Launch(player.position[agent], player.facing[agent], signed(turn, ball[agent], agent))
        world, turn, launched = launch_from(
            world, turn, launch, ahead[agent], Kind.PLAYER_PROJECTILE, able[agent]
        )
        gone.append(launched)
    spent = jnp.stack(gone)
    vitals = add_to(player.vitals, Vital.MANA, jnp.where(spent, jnp.int32(-SPELL_MANA), 0))
    world = changed(world, player=dict(vitals=vitals))
    return world, turn.earn(chosen & spent[:, None], jnp.array(_CASTING, jnp.int32)[None])


def enchant(world: World, turn: Turn) -> tuple[World, Turn]:
    """Bind the element of the faced table to what the action names, for mana and a gem.

    Nothing is spent if nothing would change (departure 11): if the thing is not carried, or has that element
    already.
    """
    player = world.player
    ready = charmable(world, turn)
    element = ready.element
    sword = (turn.action == Action.ENCHANT_SWORD) & ready.sword
    bow = (turn.action == Action.ENCHANT_BOW) & ready.bow
    armour = (turn.action == Action.ENCHANT_ARMOUR) & ready.armour
    pieces = armour[:, None] & _piece(player.armour_enchantment, element, turn)

    spent = sword | bow | armour
    gem = jnp.where(element == Enchantment.FIRE, jnp.int32(Item.RUBY), jnp.int32(Item.SAPPHIRE))
    items = jnp.arange(player.inventory.shape[1], dtype=jnp.int32)[None]
    paid = spent[:, None] & (items == gem[:, None])
    charmed = changed(
        player,
        sword_enchantment=jnp.where(sword, element, player.sword_enchantment),
        bow_enchantment=jnp.where(bow, element, player.bow_enchantment),
        armour_enchantment=jnp.where(pieces, element[:, None], player.armour_enchantment),
        inventory=player.inventory - paid.astype(jnp.int32),
        vitals=add_to(player.vitals, Vital.MANA, jnp.where(spent, jnp.int32(-CHARM_MANA), 0)),
    )
    turn = turn.earn(
        jnp.stack([sword, armour], axis=-1),
        jnp.array([Achievement.ENCHANT_SWORD, Achievement.ENCHANT_ARMOUR], jnp.int32)[None],
    )
    return changed(world, player=charmed), turn


class Charmable(NamedTuple):
    """The things that each player could enchant at the table that it faces."""

    element: Int32[Array, " agents"]  # the Enchantment of the table
    sword: Bool[Array, " agents"]
    bow: Bool[Array, " agents"]
    armour: Bool[Array, " agents"]


def charmable(world: World, turn: Turn) -> Charmable:
    """Return the element that each player faces, and which of its things could be enchanted with it."""
    player = world.player
    element, ready = _table(world, turn)
    sword = ready & (player.inventory[:, Item.SWORD] > 0) & (player.sword_enchantment != element)
    bow = ready & (player.inventory[:, Item.BOW] > 0) & (player.bow_enchantment != element)
    uncharmed = jnp.any(player.armour_enchantment != element[:, None], axis=-1)
    return Charmable(element, sword, bow, ready & jnp.any(player.armour > 0, axis=-1) & uncharmed)


def _table(world: World, turn: Turn) -> tuple[Numbers, Flags]:
    """Return the Enchantment of the table that each player faces, and whether it can pay for one there."""
    player = world.player
    block = block_of(faced(world, turn)[1])
    fire, ice = block == Block.ENCHANTMENT_TABLE_FIRE, block == Block.ENCHANTMENT_TABLE_ICE
    element = jnp.where(fire, jnp.int32(Enchantment.FIRE), jnp.int32(Enchantment.ICE))
    gem = (fire & (player.inventory[:, Item.RUBY] > 0)) | (ice & (player.inventory[:, Item.SAPPHIRE] > 0))
    return element, gem & (player.vitals[:, Vital.MANA] >= CHARM_MANA)


def _piece(charms: Int32[Array, "agents 4"], element: Numbers, turn: Turn) -> Bool[Array, "agents 4"]:
    """Draw a piece of armour without an enchantment, or else one with the other element.

    There may be none. Empty places count as pieces: their enchantment serves a player who wears any armour at
    all.
    """
    bare, other = charms == Enchantment.NONE, charms != element[:, None]
    eligible = jnp.where(jnp.any(bare, axis=-1, keepdims=True), bare, other)
    number = jnp.arange(charms.shape[1], dtype=jnp.uint32)[None]
    number = PIECES * jnp.arange(charms.shape[0], dtype=jnp.uint32)[:, None] + number
    draw = jnp.where(eligible, turn.dice.bits(Stream.CHARM, number) | jnp.uint32(1), 0)
    return eligible & first(draw == jnp.max(draw, axis=-1, keepdims=True))
