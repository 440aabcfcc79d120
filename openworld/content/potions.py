"""The effects of potions (rule 5.3). Each episode shuffles the colours (`World.potions`)."""

from dataclasses import dataclass

import numpy as np

from openworld.content.ids import Vital


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The changes that one potion brings, in points."""

    health: int = 0
    mana: int = 0
    energy: int = 0


#: The place of an effect is its number in `World.potions`.
EFFECTS = (
    Effect(health=8),
    Effect(health=-3),
    Effect(mana=8),
    Effect(mana=-3),
    Effect(energy=8),
    Effect(energy=-3),
)


def potion_effects() -> np.ndarray:
    """Return int32[effects, 1 + vitals]: what each effect adds to health, then to every Vital, in points."""
    table = np.zeros((len(EFFECTS), 1 + len(Vital)), np.int32)
    for i, row in enumerate(EFFECTS):
        table[i, 0] = row.health
        table[i, 1 + Vital.MANA] = row.mana
        table[i, 1 + Vital.ENERGY] = row.energy
    return table
