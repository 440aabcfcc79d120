"""The scripted agent's reading of tokens: one array for each fact that it uses."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, UInt8

from openworld.content import ids
from openworld.content.encoding import block_of, creature_of
from openworld.content.ids import DIRECTION_STEPS, Block, Item
from openworld.content.rulesets import Ruleset
from openworld.observe.layout import layout_of
from openworld_trainers.baselines.scripted.chart import Kind, kinds_of

Whole = Int[np.ndarray, " worlds"]
Mask = Bool[np.ndarray, " worlds"]


@dataclass
class Sight:
    """The facts that tokens show, of many worlds.

    Attributes:
        kinds: int[worlds, rows, cols], bits of `Kind`.
        nothing: bool, like the following ones: the tile is dark or outside the map.
        passive: a passive creature is on the tile.
        hostile: a hostile creature is on the tile.
        occupied: any creature is on the tile.
        free: bool[4, worlds]: the tile in each direction can be stepped on.
        deadly: bool[4, worlds]: the tile in each direction kills.
        hostile_beside: bool[4, worlds]: a hostile creature is in each direction.
        near: a crafting table, or a furnace, is next to the player.
        pickaxe: its level, 0 without one.
        sword: its level, 0 without one.
    """

    kinds: np.ndarray
    nothing: np.ndarray
    passive: np.ndarray
    hostile: np.ndarray
    occupied: np.ndarray
    free: np.ndarray
    deadly: np.ndarray
    hostile_beside: np.ndarray
    near: dict[Kind, np.ndarray]
    facing: np.ndarray
    asleep: np.ndarray
    health: np.ndarray
    food: np.ndarray
    drink: np.ndarray
    energy: np.ndarray
    floor: np.ndarray
    ladder_open: np.ndarray
    on_ladder: np.ndarray
    experience: np.ndarray
    wood: np.ndarray
    stone: np.ndarray
    coal: np.ndarray
    iron: np.ndarray
    diamond: np.ndarray
    sapling: np.ndarray
    torches: np.ndarray
    arrows: np.ndarray
    bow: np.ndarray
    potions: np.ndarray
    armour: np.ndarray
    pickaxe: np.ndarray
    sword: np.ndarray
    _ahead: np.ndarray

    @property
    def ahead_free(self) -> Mask:
        """The tile ahead can be stepped on."""
        return self.free[self.facing, np.arange(len(self.facing))]

    def ahead(self, kind: Kind) -> Mask:
        """Return whether the tile ahead is of a kind."""
        return (self._ahead >> kind) & 1 != 0


class Sights:
    """Reads the tokens of a ruleset."""

    def __init__(self, rules: Ruleset) -> None:
        self._rules, self._layout, self._kinds = rules, layout_of(rules), kinds_of(rules)
        self._deadly = np.isin(block_of(np.arange(256)), [int(block) for block in rules.deadly])

    def of(self, tokens: UInt8[np.ndarray, "worlds tokens"]) -> Sight:
        """Return the facts that tokens show."""
        tile, creature = (self._plane(tokens, name) for name in ("tile", "creature"))
        kinds, group = self._kinds[tile], np.where(creature > 0, creature_of(creature.astype(int))[0], -1)
        hostile, passive = np.isin(group, (ids.Kind.MELEE, ids.Kind.RANGED)), group == ids.Kind.PASSIVE
        beside = [self._beside(plane) for plane in (kinds, creature, hostile, self._deadly[tile])]
        free = ((beside[0] >> Kind.OPEN) & 1 != 0) & (beside[1] == 0)
        facing, vitals = self._one(tokens, "facing"), self._all(tokens, "vitals")
        middle = kinds[:, kinds.shape[1] // 2, kinds.shape[2] // 2]
        armour, bag = self._all(tokens, "armour"), self._all(tokens, "inventory")
        pickaxe, sword = self._levels(bag)
        return Sight(
            kinds=kinds,
            nothing=(tile == Block.INVALID) | (tile == Block.OUT_OF_BOUNDS),
            passive=passive,
            hostile=hostile,
            occupied=creature > 0,
            free=free,
            deadly=beside[3],
            hostile_beside=beside[2],
            near={kind: self._near(kinds, kind) for kind in (Kind.TABLE, Kind.FURNACE)},
            facing=facing,
            asleep=(self._one(tokens, "asleep") + self._one(tokens, "resting")) > 0,
            health=self._one(tokens, "health"),
            food=vitals[:, ids.Vital.FOOD],
            drink=vitals[:, ids.Vital.DRINK],
            energy=vitals[:, ids.Vital.ENERGY],
            floor=self._one(tokens, "floor"),
            ladder_open=self._one(tokens, "ladder_open") > 0,
            on_ladder=(middle >> Kind.LADDER) & 1 != 0,
            experience=self._one(tokens, "experience"),
            wood=bag[:, Item.WOOD],
            stone=bag[:, Item.STONE],
            coal=bag[:, Item.COAL],
            iron=bag[:, Item.IRON],
            diamond=bag[:, Item.DIAMOND],
            sapling=bag[:, Item.SAPLING],
            torches=bag[:, Item.TORCH],
            arrows=bag[:, Item.ARROW],
            bow=bag[:, Item.BOW],
            potions=bag[:, Item.POTION_RED : Item.POTION_YELLOW + 1],
            armour=armour.sum(axis=1),
            pickaxe=pickaxe,
            sword=sword,
            _ahead=beside[0][facing, np.arange(len(facing))],
        )

    def _levels(self, bag: Int[np.ndarray, "worlds items"]) -> tuple[Whole, Whole]:
        """Return the levels of pickaxe and sword; the classic rules count each kind of tool."""
        if self._rules.items <= Item.WOOD_PICKAXE:
            return bag[:, Item.PICKAXE], bag[:, Item.SWORD]
        kinds = (
            (Item.WOOD_PICKAXE, Item.STONE_PICKAXE, Item.IRON_PICKAXE),
            (Item.WOOD_SWORD, Item.STONE_SWORD, Item.IRON_SWORD),
        )
        levels = [((bag[:, of] > 0) * np.arange(1, 4)).max(axis=1) for of in map(list, kinds)]
        return levels[0], levels[1]

    def _all(self, tokens: UInt8[np.ndarray, "worlds tokens"], name: str) -> Int[np.ndarray, "worlds size"]:
        return tokens[:, self._layout[name].slice].astype(np.int64)

    def _one(self, tokens: UInt8[np.ndarray, "worlds tokens"], name: str) -> Whole:
        return self._all(tokens, name)[:, 0]

    def _plane(
        self, tokens: UInt8[np.ndarray, "worlds tokens"], name: str
    ) -> Int[np.ndarray, "worlds rows cols"]:
        return self._all(tokens, name).reshape(-1, self._rules.view_rows, self._rules.view_cols)

    def _beside(self, plane: np.ndarray) -> np.ndarray:
        """Return the values of the tiles in each direction, [4, worlds]."""
        row, col = plane.shape[1] // 2, plane.shape[2] // 2
        return np.stack([plane[:, row + down, col + right] for down, right in DIRECTION_STEPS])

    def _near(self, kinds: Int[np.ndarray, "worlds rows cols"], kind: Kind) -> Mask:
        row, col = kinds.shape[1] // 2, kinds.shape[2] // 2
        about = kinds[:, row - 1 : row + 2, col - 1 : col + 2]
        return ((about >> kind) & 1 != 0).any(axis=(1, 2))
