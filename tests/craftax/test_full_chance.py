"""What chance decides in the full rules, OpenWorld's and the package's, against the rules' own numbers.

One step is played over and over from the same worlds (`arena`). Each count is held against the chances that the
rules give it by Pearson's X²; the bounds are such that all comparisons together raise a false alarm once in 10,000
times.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from openworld.content.ids import Enchantment, Item
from openworld.content.rulesets import FULL
from tests.craftax.after import FIRST, KIND, MINE, THEIRS, After, Tally, fresh_in, over_and_over, theirs_after
from tests.craftax.arena import (
    BOOK,
    CENTRE,
    CHARM,
    CHEST,
    GRASS,
    MELEE,
    RANGED,
    TIMES,
    Arena,
    arena,
    pens,
    turn,
)
from tests.craftax.bridge import CLASSES
from tests.craftax.chances import Comparison, compared, disagreements
from tests.craftax.creatures import BARRIERS, FLOORS, FOUND, KINDS, SIZE, SLOTS
from tests.craftax.peer import Peer, States, full_peer
from tests.craftax.play import WORLDS
from tests.craftax.scene import base_worlds, daylight

pytestmark = pytest.mark.slow

STEPS, PEN_STEPS = 240, 64
#: Steps of a creature before the scene is turned: stays, left, right, up, down.
STAYS, LEFT, RIGHT, UP, DOWN = range(5)
OUTCOMES = np.array([(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)])


@pytest.fixture(scope="module")
def peer() -> Peer:
    return full_peer(WORLDS)


@pytest.fixture(scope="module")
def base(peer) -> States:
    return base_worlds(peer, range(32))


@pytest.fixture(scope="module")
def shown(base) -> Arena:
    return arena(base, WORLDS)


@pytest.fixture(scope="module")
def tallies(peer, shown) -> dict[str, Tally]:
    return over_and_over(peer, shown.states, shown.action, STEPS, 1)


@pytest.fixture(scope="module")
def comparisons(shown, tallies) -> list[Comparison]:
    """Everything that is compared, so that the bounds know how much it is."""
    return [
        comparison
        for who, tally in tallies.items()
        for part in (appearing, steps_taken, shots, chests, finds_in_grass, books, charms)
        for comparison in part(shown, tally, who)
    ]


def fresh(tally: Tally) -> np.ndarray:
    """The same after every step."""
    return fresh_in(After(**{name: tally[name] for name in tally.seen}))


def rate(time: int, name: str) -> float:
    """The chance that a creature of a class appears in a step (rule 4)."""
    floor, kills, hour = TIMES[time]
    if floor == FLOORS - 1:
        return 0.0 if name == "passive_mobs" else 1.0
    if name == "passive_mobs":
        return 0.0 if floor == 7 else 0.1
    hurry = 3 if kills < 8 else 1
    if name == "ranged_mobs":
        return 0.05 * hurry
    night = 0.1 * (1 - float(daylight(np.array(hour)))) ** 2
    return (0.02 + night if floor == 0 else 0.06) * hurry


def appearing(shown: Arena, tally: Tally, who: str) -> Iterator[Comparison]:
    """How often creatures appear, by floor, time and class; and where, by quarter and by distance."""
    new = fresh(tally)
    for time, (floor, kills, hour) in enumerate(TIMES):
        worlds = np.flatnonzero(shown.time == time)
        for name in CLASSES:
            slots = slice(FIRST[name], FIRST[name] + SLOTS[name])
            came = new[:, worlds, slots]
            assert came.sum(axis=2).max() <= 1, f"{who}: more than one of {name} in a step"
            chance = rate(time, name)
            what = f"{who}: {name} on floor {floor}, {kills} slain, hour {hour}"
            counts = (came.any(axis=2).sum(), (~came.any(axis=2)).sum())
            yield compared(f"{what}, appear", counts, (chance, 1 - chance))
            if chance:
                places = tally["position"][:, worlds, slots]
                yield where_they_appear(shown.eligible[worlds, KINDS[name]], places, came, what)


def where_they_appear(eligible: np.ndarray, places: np.ndarray, came: np.ndarray, what: str) -> Comparison:
    """Uniformly over the eligible tiles: counted by quarter about the player, near half and far half."""
    grid = np.indices((SIZE, SIZE)) - CENTRE[:, None, None]
    squared = (grid**2).sum(axis=0)
    halfway = np.median(squared[eligible.any(axis=0)])
    bins = (grid[0] + grid[1] > 0) * 1 + (grid[0] > grid[1]) * 2 + (squared > halfway) * 4
    _, world, _ = np.nonzero(came)
    row, col = places[came].T
    counted = eligible[world, row, col]
    counts = np.bincount(bins[row, col][counted], minlength=8)
    share = np.stack([(eligible & (bins == b)).sum(axis=(1, 2)) for b in range(8)], axis=1)
    share = share / share.sum(axis=1, keepdims=True)
    return compared(f"{what}, places", counts, share[world[counted]].mean(axis=0))


@pytest.mark.parametrize("who", [MINE, THEIRS])
def test_creatures_appear_only_where_they_may(shown, tallies, who):
    new, place = fresh(tallies[who]), tallies[who]["position"]
    floor = shown.states["player_level"]
    for name in CLASSES:
        for slot in range(FIRST[name], FIRST[name] + SLOTS[name]):
            step, world = np.nonzero(new[:, :, slot])
            row, col = place[step, world, slot].T
            ground = shown.states["map"][world, floor[world], row, col]
            trodden = ~shown.eligible[world, :, row, col].any(axis=1)
            assert (shown.eligible[world, KINDS[name], row, col] | trodden).all(), (name, np.unique(ground))


def steps_taken(shown: Arena, tally: Tally, who: str) -> Iterator[Comparison]:
    """Where free creatures step to, by class and by what drives them."""
    last = shown.states["player_level"] == FLOORS - 1

    def cell(name: str, what: str, worlds: np.ndarray, chances: dict[int, float]) -> Comparison:
        slot = FIRST[name]
        was = shown.states[f"{name}.position"][np.arange(WORLDS), shown.states["player_level"], 0]
        step = turn(tally["position"][:, worlds, slot] - was[worlds], -shown.turned[worlds])
        assert tally["alive"][:, worlds, slot].all()
        outcome = (step[..., None, :] == OUTCOMES).all(axis=-1)
        assert outcome.any(axis=-1).all()
        return compared(
            f"{who}: {name} {what}", outcome.sum(axis=(0, 1)), [chances.get(k, 0.0) for k in range(5)]
        )

    def driven(*toward: int, share: float, rest: float) -> dict[int, float]:
        return {k: rest + share / len(toward) * (k in toward) for k in (LEFT, RIGHT, UP, DOWN)}

    everywhere = np.ones(WORLDS, bool)
    yield cell("passive_mobs", "ambles", everywhere, {STAYS: 0.5, **driven(LEFT, share=0, rest=0.125)})
    hunt = driven(DOWN, share=0.75, rest=0.0625)
    for number, what in enumerate(MELEE):
        worlds = shown.melee == number
        if what == "strays":
            yield cell("melee_mobs", what, worlds & ~last, driven(DOWN, share=0, rest=0.25))
            yield cell("melee_mobs", "hunts from afar on the last floor", worlds & last, hunt)
        else:
            tie = driven(DOWN, RIGHT, share=0.75, rest=0.0625)
            yield cell("melee_mobs", what, worlds, tie if "tie" in what else hunt)
    wants = {
        "comes": driven(UP, share=0.15, rest=0.2125),
        "comes, tie": driven(UP, LEFT, share=0.15, rest=0.2125),
        "strays": driven(UP, share=0, rest=0.25),
        "flees": driven(DOWN, share=0.15, rest=0.2125),
        "shoots, tie": {STAYS: 1.0},
    }
    for number, what in enumerate(RANGED):
        yield cell("ranged_mobs", what, shown.ranged == number, wants[what])


def shots(shown: Arena, tally: Tally, who: str) -> Iterator[Comparison]:
    """Which way a shot goes at a player who is as far off along rows as along columns."""
    worlds = shown.ranged == list(RANGED).index("shoots, tie")
    aim = turn(tally["aim"][:, worlds], -shown.turned[worlds])
    outcome = (aim[..., None, :] == OUTCOMES).all(axis=-1)
    yield compared(f"{who}: a shot, tie", outcome.sum(axis=(0, 1)), (0, 0.5, 0, 0.5, 0))


@pytest.mark.parametrize("who", [MINE, THEIRS])
def test_a_creature_vanishes_at_14_tiles_and_not_at_13(shown, tallies, who):
    slot = FIRST["passive_mobs"] + 1
    stays = tallies[who]["alive"][:, :, slot] & ~fresh(tallies[who])[:, :, slot]
    assert not stays[:, shown.far].any()
    assert stays[:, ~shown.far].all()


def chests(shown: Arena, tally: Tally, who: str) -> Iterator[Comparison]:
    """What chests hold (rule 5.2), roll by roll, and which rolls come together."""
    worlds = shown.hand == CHEST
    found = tally["items"][:, worlds].reshape(-1, FULL.items)

    def number(item: Item, most: int) -> list[int]:
        return [int((found[:, item] == k).sum()) for k in range(1, most + 1)]

    def roll(what: str, chance: float, cells: list[tuple[int, float]]) -> Comparison:
        counts = [count for count, _ in cells]
        none = len(found) - sum(counts)
        chances = [1 - chance, *(chance * share for _, share in cells)]
        return compared(f"{who}: {what}", [none, *counts], chances)

    def even(item: Item, most: int, share: float, least: int = 1) -> list[tuple[int, float]]:
        return [(n, share / (most - least + 1)) for n in number(item, most)[least - 1 :]]

    ores = [*even(Item.COAL, 3, 0.3), *even(Item.IRON, 2, 0.3), *even(Item.DIAMOND, 1, 0.15)]
    ores += [*even(Item.SAPPHIRE, 1, 0.125), *even(Item.RUBY, 1, 0.125)]
    potions = range(Item.POTION_RED, Item.POTION_YELLOW + 1)
    levels = (0.4, 0.3, 0.2, 0.1)
    tools = [
        (n, share / 2)
        for item in (Item.PICKAXE, Item.SWORD)
        for n, share in zip(number(item, 4), levels, strict=True)
    ]
    yield roll("torches in a chest", 0.6, even(Item.TORCH, 7, 1, least=4))
    yield roll("ore in a chest", 0.6, ores)
    yield roll("potions in a chest", 0.5, [cell for item in potions for cell in even(item, 2, 1 / 6)])
    yield roll("arrows in a chest", 0.25, even(Item.ARROW, 4, 1))
    yield roll("tools in a chest", 0.2, tools)
    kinds = (
        (0.6, [Item.TORCH]),
        (0.6, range(Item.COAL, Item.RUBY + 1)),
        (0.5, potions),
        (0.25, [Item.ARROW]),
        (0.2, [Item.PICKAXE, Item.SWORD]),
    )
    joint, chances = np.zeros(len(found), int), np.ones(32)
    for bit, (chance, members) in enumerate(kinds):
        joint += (found[:, list(members)] > 0).any(axis=1) << bit
        chances *= np.where(np.arange(32) >> bit & 1, chance, 1 - chance)
    yield compared(f"{who}: rolls of a chest together", np.bincount(joint, minlength=32), chances)


@pytest.mark.parametrize("who", [MINE, THEIRS])
def test_the_first_chest_of_a_floor_holds_a_gift_besides(shown, tallies, who):
    opening, floor = shown.hand == CHEST, shown.states["player_level"]
    first = opening & ~shown.states["chests_opened"][np.arange(WORLDS), floor]
    for item, floors in ((Item.BOW, (1,)), (Item.BOOK, (3, 4))):
        given = tallies[who]["items"][:, opening, item]
        assert (given == (first & np.isin(floor, floors))[opening]).all()


def finds_in_grass(shown: Arena, tally: Tally, who: str) -> Iterator[Comparison]:
    found = tally["items"][:, shown.hand == GRASS, Item.SAPLING]
    yield compared(f"{who}: a sapling in grass", [(found == k).sum() for k in (0, 1)], (0.9, 0.1))


def books(shown: Arena, tally: Tally, who: str) -> Iterator[Comparison]:
    spells = tally["spells"][:, shown.hand == BOOK].reshape(-1, 2).astype(int)
    counts = np.bincount(spells[:, 0] + 2 * spells[:, 1], minlength=4)
    yield compared(f"{who}: what a book teaches", counts, (0, 0.5, 0.5, 0))


def charms(shown: Arena, tally: Tally, who: str) -> Iterator[Comparison]:
    """Which piece of armour is enchanted: a bare one, else one of the other element."""
    for was in np.unique(shown.states["armour_enchantments"][shown.hand == CHARM], axis=0):
        worlds = (shown.hand == CHARM) & (shown.states["armour_enchantments"] == was).all(axis=1)
        now = tally["charms"][:, worlds].reshape(-1, 4)
        open_ = was == Enchantment.NONE if (was == Enchantment.NONE).any() else was == Enchantment.ICE
        assert ((now != was).sum(axis=1) == 1).all()
        assert (now[now != np.broadcast_to(was, now.shape)] == Enchantment.FIRE).all()
        yield compared(f"{who}: a piece of {was.tolist()}", (now != was).sum(axis=0), open_ / open_.sum())


def test_chance_follows_the_rules(comparisons):
    assert len(comparisons) > 150
    assert disagreements(comparisons) == []


def test_each_creature_enters_its_own_ground_and_no_other(peer, base):
    states, types, blocks = pens(base, WORLDS)
    was = theirs_after(states).position
    noop = np.zeros(WORLDS, int)
    tried = np.zeros((3, 8, 64), int)
    np.add.at(tried, (KIND[None], types, blocks), PEN_STEPS)
    for creature in FULL.creatures:
        assert tried[creature.kind, creature.number, FOUND].min() >= 100
    for who, tally in over_and_over(peer, states, noop, PEN_STEPS, 2).items():
        left = ((tally["position"] != was).any(axis=-1) & tally["alive"]).any(axis=0)
        entered = np.zeros((3, 8, 64), bool)
        entered[np.broadcast_to(KIND, types.shape)[left], types[left], blocks[left]] = True
        wrong = (entered != ~BARRIERS) & (tried > 0)
        assert not wrong.any(), (who, np.argwhere(wrong).tolist())
