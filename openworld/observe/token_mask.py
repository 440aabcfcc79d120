"""Action masks from what is seen: which actions could do something, as a function of the tokens alone.

It answers the questions of `observe.mask`, and whatever the tokens do not tell counts as possible: a tile in
the dark, another player's facing, a creature's cooldown, a projectile's direction, thirst that has no point
yet. So it never forbids an action that `mask.action_mask` allows, and it gives away nothing hidden.

Only the tiles about the player are read, except for the player's own projectiles and, in coop, the other players.
All answers of an observation are packed into words of bits: the work is integer logic on whole columns.
"""

from functools import partial, reduce

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, UInt8

from openworld.content.encoding import (
    LIGHT_BITS,
    PLAYER_PROJECTILES,
    TYPE_ROOM,
    block_of,
    fixture_of,
)
from openworld.content.giving import GIVING
from openworld.content.ids import (
    DIRECTION_STEPS,
    Action,
    Attribute,
    Block,
    Direction,
    Enchantment,
    Fixture,
    Item,
    Kind,
    Vital,
)
from openworld.content.recipes import STATIONS
from openworld.content.rulesets import Ruleset
from openworld.content.units import NOTHING
from openworld.observe.layout import AWAKE_MARK, layout_of
from openworld.observe.mask import ELSEWHERE
from openworld.observe.token_sight import Flags, Sight, look, ways
from openworld.rules import interact, levelling, magic, projectiles, vitals
from openworld.rules.turn import in_set

#: Bits of a word of answers.
WORD = 32

Answers = dict[Action, Flags]


def token_mask(tokens: UInt8[Array, "*batch tokens"], rules: Ruleset) -> Bool[Array, "*batch actions"]:
    """Return which actions could do something in the next step, as far as the tokens tell.

    Args:
        tokens: of these rules; any axes may lead.
        rules: the rules.

    Returns:
        [*batch, actions]; NOOP is always True.

    Example:
        >>> from openworld.content.rulesets import CLASSIC
        >>> asleep = jnp.zeros(307, jnp.uint8).at[layout_of(CLASSIC)["asleep"].offset].set(1)
        >>> token_mask(asleep, CLASSIC).nonzero()[0].tolist()
        [0]
    """
    ask = partial(_ask, rules=rules)
    for _ in range(tokens.ndim - 2):
        ask = jax.vmap(ask)
    with jax.named_scope("token_mask"):
        return ask(tokens) if tokens.ndim > 1 else ask(tokens[None])[0]


def _ask(tokens: UInt8[Array, "n tokens"], rules: Ruleset) -> Bool[Array, "n actions"]:
    """Put every question, and pack the answers."""
    sight = look(tokens, rules)
    answers: Answers = {}
    for question in QUESTIONS:
        answers |= question(sight)
    free = _free(sight)
    words = []
    for first in range(0, rules.actions, WORD):
        word = jnp.zeros(tokens.shape[0], jnp.uint32)
        for action in (Action(number) for number in range(first, min(first + WORD, rules.actions))):
            useful = answers.get(action, free)
            if sight.others is not None and action in ELSEWHERE:
                useful = useful | sight.others.leaver
            word = word | (useful.astype(jnp.uint32) << jnp.uint32(action - first))
        words.append(jnp.where(free, word, jnp.uint32(0)))
    words[0] = words[0] | jnp.uint32(1 << Action.NOOP)
    place = jax.lax.broadcasted_iota(jnp.uint32, (tokens.shape[0], rules.actions), 1)
    shown = words[0][:, None]
    for number, word in enumerate(words[1:], 1):
        shown = jnp.where(place >= WORD * number, word[:, None], shown)
    return (shown >> (place & (WORD - 1))) & jnp.uint32(1) > 0


def _free(sight: Sight) -> Flags:
    """Return whether each player's actions count."""
    action = jnp.full_like(sight.player.facing, Action.DO)
    free = vitals.hold_still(sight.player, action) == Action.DO
    return free & ~sight.flag("fallen") if sight.rules.coop else free


def _walking(sight: Sight) -> Answers:
    """A step to the side always turns. A step ahead needs a tile that may be free."""
    blocks = sight.tables.blocks
    free = ~in_set(block_of(sight.ahead.tile), jnp.asarray(blocks.barrier[blocks.walks_on]))
    free = (free & ~sight.taken) | sight.ahead.dark
    if (others := sight.others) is not None:
        free = (free | others.helper) & ~others.still
    return {Action(Action.LEFT + way): (sight.player.facing != way) | free for way in Direction}


def _doing(sight: Sight) -> Answers:
    """Water is of use to a player whose thirst shows, or may not show yet."""
    block, blocks = block_of(sight.ahead.tile), jax.tree.map(jnp.asarray, sight.tables.blocks)
    tables = sight.tables._replace(blocks=blocks)
    useful = interact.diggable(sight.player, block, tables) | (block == Block.RIPE_PLANT)
    room = sight.held(Item.SAPLING) < sight.rules.inventory_limit
    useful = useful | ((block == Block.GRASS) & room) | sight.ahead.may_be(blocks.drinkable)
    at_him, bared = block == Block.NECROMANCER, sight.flag("boss_vulnerable")
    if (others := sight.others) is None:
        return {Action.DO: sight.taken | useful | (at_him & bared)}
    useful = (useful & ~others.ahead) | (at_him & (bared | others.several)) | others.fallen
    # In the dark, and under a player, there may be a creature.
    return {Action.DO: sight.taken | useful | sight.ahead.dark | (sight.ahead.creature >= AWAKE_MARK)}


def _lying_down(sight: Sight) -> Answers:
    """Sleep needs less than full energy; rest needs a wound, or one that may be about to come."""
    player = sight.player
    tired = player.vitals[:, Vital.ENERGY] < vitals.max_vitals(player)[:, Vital.ENERGY]
    hurt = player.health < vitals.max_health(player)
    here = sight.around[0, 0]
    danger = (here.missile > 0) & sight.rules.point_blank
    for side in [here, *(sight.around[step] for step in DIRECTION_STEPS)]:
        hostile = (side.creature > 0) & ((side.creature - 1) // TYPE_ROOM != Kind.PASSIVE)
        danger = danger | hostile | side.dark
        danger = danger | (side.missile > 0) if side is not here else danger
    return {Action.SLEEP: tired, Action.REST: (hurt | danger) & vitals.nourished(player)}


def _travelling(sight: Sight) -> Answers:
    here, (down, up) = sight.around[0, 0], ways(sight)
    fixture = fixture_of(here.tile)
    return {
        Action.DESCEND: down & ((fixture == Fixture.LADDER_DOWN) | here.dark),
        Action.ASCEND: up & ((fixture == Fixture.LADDER_UP) | here.dark),
    }


def _making(sight: Sight) -> Answers:
    """A recipe needs its cost, a result of use, and its stations, of which one may stand in the dark."""
    table, player = sight.tables.actions, sight.player
    spots = [spot for place, spot in sight.around.items() if place != (0, 0)]
    dark = reduce(jnp.logical_or, (spot.dark for spot in spots))
    near = [
        reduce(jnp.logical_or, (block_of(spot.tile) == station for spot in spots)) | dark
        for station in STATIONS
    ]
    answers = {}
    for row in (*sight.rules.recipes, *sight.rules.armour_recipes):
        makes, level = int(table.makes[row.action]), int(table.level[row.action])
        able = _affordable(sight, row.action)
        for stands in (near[i] for i in np.flatnonzero(table.stations[row.action])):
            able = able & stands
        if makes == NOTHING:
            answers[row.action] = able & jnp.any(player.armour < level, axis=-1)
        else:
            most = sight.rules.stack_limit if table.amount[row.action] > 0 else level
            answers[row.action] = able & (sight.held(Item(makes)) < most)
    return answers


def _affordable(sight: Sight, action: Action) -> Flags:
    """Return whether each player has what an action uses up."""
    cost = sight.tables.actions.cost[action]
    have = [sight.held(Item(item)) >= int(cost[item]) for item in np.flatnonzero(cost)]
    return reduce(jnp.logical_and, have, jnp.ones(sight.player.facing.shape, bool))


def _placing(sight: Sight) -> Answers:
    """Only a bare tile takes anything."""
    bare, taken = fixture_of(sight.ahead.tile) == Fixture.NONE, sight.taken
    bare = bare & (block_of(sight.ahead.tile) != Block.OUT_OF_BOUNDS)
    if (others := sight.others) is not None:
        taken, bare = taken & ~others.helper, bare & ~others.ahead
    return {
        row.action: sight.ahead.may_be(sight.tables.actions.onto[row.action])
        & bare
        & ~taken
        & _affordable(sight, row.action)
        for row in sight.rules.placements
    }


def _shooting(sight: Sight) -> Answers:
    """Projectiles out of sight may have landed, and of two of a type on one tile one shows."""
    flying = sight.tokens[:, layout_of(sight.rules)["light"].slice] >> LIGHT_BITS
    shown = sum(flying >> number & 1 for number in range(len(PLAYER_PROJECTILES)))
    slot = jnp.sum(shown, axis=-1, dtype=jnp.int32) < sight.rules.player_projectiles
    fire, ice = (magic.castable(sight.player) & slot[:, None]).T
    return {
        Action.SHOOT_ARROW: projectiles.armed(sight.player) & slot,
        Action.CAST_FIREBALL: fire,
        Action.CAST_ICEBALL: ice,
    }


def _using(sight: Sight) -> Answers:
    colours = range(Item.POTION_YELLOW - Item.POTION_RED + 1)
    drunk = {Action(Action.DRINK_POTION_RED + i): sight.held(Item(Item.POTION_RED + i)) > 0 for i in colours}
    return {**drunk, Action.READ_BOOK: sight.held(Item.BOOK) > 0}


def _binding(sight: Sight) -> Answers:
    """In the dark there may be a table of either element."""
    player, no = sight.player, jnp.zeros(sight.player.facing.shape, bool)
    armed = jnp.any(player.armour > 0, axis=-1)
    answers = {Action.ENCHANT_SWORD: no, Action.ENCHANT_BOW: no, Action.ENCHANT_ARMOUR: no}
    for element, table, gem in (
        (Enchantment.FIRE, Block.ENCHANTMENT_TABLE_FIRE, Item.RUBY),
        (Enchantment.ICE, Block.ENCHANTMENT_TABLE_ICE, Item.SAPPHIRE),
    ):
        ready = ((block_of(sight.ahead.tile) == table) | sight.ahead.dark) & (sight.held(gem) > 0)
        ready = ready & (player.vitals[:, Vital.MANA] >= magic.CHARM_MANA)
        other = jnp.any(player.armour_enchantment != element, axis=-1)
        answers[Action.ENCHANT_SWORD] |= (
            ready & (sight.held(Item.SWORD) > 0) & (player.sword_enchantment != element)
        )
        answers[Action.ENCHANT_BOW] |= (
            ready & (sight.held(Item.BOW) > 0) & (player.bow_enchantment != element)
        )
        answers[Action.ENCHANT_ARMOUR] |= ready & armed & other
    return answers


def _levelling(sight: Sight) -> Answers:
    """The point of experience for a new floor comes before it is spent.

    Each floor below the first has brought one, but for a floor that is new: the attributes tell what was spent.
    """
    player = sight.player
    spent = jnp.sum(player.attributes, axis=-1, dtype=jnp.int32) - len(Attribute)
    new = player.experience + spent < sight.field("floor")[:, 0]
    raised = levelling.raisable(player) & ((player.experience > 0) | new)[:, None]
    return {Action(Action.LEVEL_UP_DEXTERITY + i): raised[:, i] for i in Attribute}


def _giving(sight: Sight) -> Answers:
    """A gift needs a standing player ahead."""
    if (others := sight.others) is None:
        return {}
    return {action: others.taker & (sight.held(item) > 0) for item, action in GIVING.items()}


#: To answer for an action, add a question here, as in `observe.mask`.
QUESTIONS = (
    _walking,
    _doing,
    _lying_down,
    _travelling,
    _making,
    _placing,
    _shooting,
    _using,
    _binding,
    _levelling,
    _giving,
)
