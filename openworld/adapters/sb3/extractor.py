"""A feature extractor for the token observation."""

import torch
from gymnasium import Space
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from openworld.content.encoding import LIGHT_MASK, block_of, fixture_of
from openworld.content.ids import DIRECTION_STEPS
from openworld.content.reach import reachable
from openworld.content.units import LIGHT_LEVELS
from openworld.observe.layout import layout_of
from openworld.registry import ruleset

#: A count is encoded by whether it reaches each of these, and by its root.
ENOUGH = (1, 2, 3, 4)
#: Runs of tokens that have a form of their own; the others are scaled to at most 1.
FORMED = frozenset(["tile", "creature", "missile", "light", "inventory", "facing", "floor", "experience"])


class TokenExtractor(BaseFeaturesExtractor):
    """Tokens to numbers: every tile by a learned table, the faced tile and the player's own state in full.

    Use it with `policy_kwargs=dict(features_extractor_class=TokenExtractor)` on the observation "tokens"; of
    other worlds than OpenWorld-v0 add `features_extractor_kwargs=dict(id=...)`.

    Args:
        observation_space: of one world.
        id: the world whose tokens these are.
        embedding: numbers that stand for one tile of the view; a creature has half as many.

    Example:
        >>> from openworld.adapters.sb3 import make_vec_env
        >>> envs = make_vec_env("OpenWorld-Classic-v0", 2, observation="tokens")
        >>> extractor = TokenExtractor(envs.observation_space, id="OpenWorld-Classic-v0")
        >>> tuple(extractor(torch.zeros(2, 307)).shape) == (2, extractor.features_dim)
        True
    """

    faced: Tensor
    carried: Tensor
    enough: Tensor

    def __init__(self, observation_space: Space, id: str = "OpenWorld-v0", embedding: int = 8) -> None:
        rules = ruleset(id)
        layout = layout_of(rules)
        if observation_space.shape != (layout.size,):
            raise ValueError(
                f"TokenExtractor reads the {layout.size} tokens of {id}, not observations of shape "
                f"{observation_space.shape}: use observation='tokens', and features_extractor_kwargs=dict(id=...)"
            )
        super().__init__(observation_space, 1)  # the number of features follows below
        self.fields = {f.name: (f.offset, f.offset + f.size, 1 / f.high) for f in layout.values() if f.high}
        fixtures, last_block = fixture_of(layout["tile"].high), block_of(layout["tile"].high)
        self.blocks, self.floors = last_block + 1, len(rules.floors)
        self.dark = not all(floor.lit for floor in rules.floors)
        self.tile = nn.Embedding(self.blocks + fixtures, embedding)
        # Most tiles have no creature: their embedding is zero.
        self.creature = nn.Embedding(layout["creature"].high + 1, -(-embedding // 2), padding_idx=0)
        cols, middle = rules.view_cols, rules.view_rows * rules.view_cols // 2
        faced = [middle + cols * row + col for row, col in DIRECTION_STEPS]
        for name, values in (
            ("faced", faced),
            ("carried", sorted(reachable(rules).items)),
            ("enough", ENOUGH),
        ):
            self.register_buffer(name, torch.tensor(values), persistent=False)
        with torch.no_grad():
            self._features_dim = self(torch.zeros(1, layout.size)).shape[1]

    def forward(self, observations: Tensor) -> Tensor:
        """Turn [batch, tokens], which Stable-Baselines3 hands over as floats, to [batch, features]."""
        runs = {name: observations[:, start:stop] for name, (start, stop, _) in self.fields.items()}
        tile, creature, facing = (runs[name].long() for name in ("tile", "creature", "facing"))
        # The fixture of a tile hides its block.
        tile = torch.where(fixture_of(tile) > 0, fixture_of(tile) + self.blocks - 1, tile)
        ahead = self.faced[facing]
        parts = [
            self.tile(tile).flatten(1),
            self.creature(creature).flatten(1),
            *self._planes(runs),
            one_hot(tile.gather(1, ahead), self.tile.num_embeddings),
            one_hot(creature.gather(1, ahead), self.creature.num_embeddings),
            self._reach(runs["inventory"][:, self.carried]),
            one_hot(facing, len(self.faced)),
        ]
        if "floor" in runs:
            parts += [one_hot(runs["floor"], self.floors), runs["floor"].sqrt() / 3]
        if "experience" in runs:
            parts += [self._reach(runs["experience"])]
        parts += [runs[name] * scale for name, (_, _, scale) in self.fields.items() if name not in FORMED]
        return torch.cat(parts, dim=1)

    def _planes(self, runs: dict[str, Tensor]) -> list[Tensor]:
        """Return the projectiles on each tile, and its light if there are floors without daylight."""
        flying = (runs["missile"] > 0).float()
        if not self.dark:
            return [flying]
        # The player's own projectiles share a plane with those of creatures.
        light = runs["light"].long()
        return [flying - 0.5 * (light > LIGHT_MASK).float(), (light & LIGHT_MASK) / LIGHT_LEVELS]

    def _reach(self, count: Tensor) -> Tensor:
        """Encode counts by the marks that they reach, and by a third of their root."""
        return torch.cat(
            [(count[:, None] >= self.enough[:, None]).float().flatten(1), count.sqrt() / 3], dim=1
        )


def one_hot(index: Tensor, kinds: int) -> Tensor:
    """Return one-hot numbers of small ids, flattened; an id beyond the last kind has none."""
    return (index[:, :, None] == torch.arange(kinds, device=index.device)).float().flatten(1)
