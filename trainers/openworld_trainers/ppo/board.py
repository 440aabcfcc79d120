"""The board encoder: the view as a board of tiles, through residual convolutions that the scalars modulate.

Each tile of the view is a vector of `channels` numbers: its embedding, the creature on it, its projectiles and its
light. Blocks mix neighbouring tiles. The status of the player scales and shifts their channels (FiLM: Perez et al.
2018, arXiv 1709.07871), so that the same board can be read in different ways. Then the board is pooled at several
scales.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, UInt8

from openworld_trainers.ppo.config import Network
from openworld_trainers.ppo.features import Runs, TokenFeatures, look_up
from openworld_trainers.ppo.layers import Dense

#: The board is divided into this number of regions along each side, and each has a maximum of its own.
REGIONS = 3
#: Rows and columns of a convolution, and of the tiles around the player that are features themselves.
SIDE = 3


class Block(eqx.Module):
    """A residual block, x + W relu(γ · depthwise(x) + β) + b, with γ and β from the scalars.

    Attributes:
        kernel: the weights of the nine tiles, for each channel apart.
        mix: from channels to channels, for each tile apart: W and b.
    """

    kernel: Float[Array, "3 3 channels"]
    mix: Dense

    def __init__(self, key: Key[Array, ""], channels: int, blocks: int) -> None:
        keys = jax.random.split(key, 2)
        self.kernel = jax.random.normal(keys[0], (SIDE, SIDE, channels), jnp.float32) / SIDE
        # The sum of all blocks is as large as what they begin from, however many there are.
        self.mix = Dense(keys[1], channels, channels, (2 / blocks) ** 0.5)

    def __call__(
        self,
        board: Float[Array, "B rows cols channels"],
        scale: Float[Array, "B channels"],
        shift: Float[Array, "B channels"],
    ) -> Float[Array, "B rows cols channels"]:
        """Apply the block in the dtype of `board`; tiles outside of the board are zero."""
        around = depthwise(board, self.kernel.astype(board.dtype))
        active = jax.nn.relu(around * scale[:, None, None, :] + shift[:, None, None, :])
        return board + self.mix(active.reshape(-1, board.shape[3])).reshape(board.shape)


class Film(eqx.Module):
    """From the scalars to the scale and the shift of every channel of every block.

    Attributes:
        hidden: from the scalars to one hidden layer.
        out: from there to all scales less one, then all shifts; zero at birth, so that nothing is changed.
    """

    hidden: Dense
    out: Dense

    def __init__(self, key: Key[Array, ""], scalars: int, channels: int, blocks: int) -> None:
        keys = jax.random.split(key, 2)
        self.hidden = Dense(keys[0], scalars, channels, 2**0.5)
        self.out = Dense(keys[1], channels, 2 * blocks * channels, 0.0)

    def __call__(
        self, scalars: Float[Array, "B scalars"], blocks: int
    ) -> tuple[Float[Array, "blocks B channels"], Float[Array, "blocks B channels"]]:
        """Return the scales and the shifts of each block."""
        found = self.out(jax.nn.relu(self.hidden(scalars)))
        found = jnp.moveaxis(found.reshape(scalars.shape[0], 2, blocks, -1), 0, 2)
        return 1 + found[0], found[1]


class BoardEncoder(TokenFeatures):
    """Encodes tokens: the view by convolutions, the faced tile and the player's own state in full.

    The features are the mean and the maximum of the board, the maximum of each of 3 x 3 regions, the 3 x 3 tiles
    around the player, and the scalars.

    Attributes:
        stem: from what is on a tile to its channels.
        place: added to the channels of each tile, so that tiles know where they are; zero at birth.
        film: modulates the blocks.
        convolutions: the blocks.
        shape: rows and columns of the view.
    """

    stem: Dense
    place: Float[Array, "tiles channels"]
    film: Film
    convolutions: tuple[Block, ...]
    shape: tuple[int, int] = eqx.field(static=True)

    def __init__(self, key: Key[Array, ""], settings: Network, ruleset: Any) -> None:
        keys = jax.random.split(key, settings.blocks + 3)
        super().__init__(keys[0], settings, ruleset)
        self.shape = (ruleset.view_rows, ruleset.view_cols)
        channels, tiles = settings.channels, ruleset.view_rows * ruleset.view_cols
        blank = self.blank(ruleset, settings.previous_action)
        # A function, as an unfinished module has no hash.
        on_tile, scalars = jax.eval_shape(lambda tokens: self._inputs(tokens), blank)  # noqa: PLW0108
        self.stem = Dense(keys[1], on_tile.shape[2], channels, 2**0.5)
        self.place = jnp.zeros((tiles, channels), jnp.float32)
        self.film = Film(keys[2], scalars.shape[1], channels, settings.blocks)
        self.convolutions = tuple(Block(k, channels, settings.blocks) for k in keys[3:])
        self.features = (2 + REGIONS**2 + SIDE**2) * channels + scalars.shape[1]

    def __call__(self, observation: UInt8[Array, "B tokens"], dtype: np.dtype) -> Float[Array, "B features"]:
        """Encode a batch of tokens."""
        on_tile, scalars = self._inputs(observation)
        scalars = scalars.astype(dtype)
        return jnp.concatenate([*pooled(self.board(on_tile.astype(dtype), scalars)), scalars], axis=1)

    def board(
        self, on_tile: Float[Array, "B tiles inputs"], scalars: Float[Array, "B scalars"]
    ) -> Float[Array, "B rows cols channels"]:
        """Return the board after all blocks."""
        count, tiles, inputs = on_tile.shape
        board = self.stem(on_tile.reshape(-1, inputs)).reshape(count, tiles, -1)
        board = (board + self.place.astype(board.dtype)[None]).reshape(count, *self.shape, -1)
        scales, shifts = self.film(scalars, len(self.convolutions))
        for block, scale, shift in zip(self.convolutions, scales, shifts, strict=True):
            board = block(board, scale, shift)
        return board

    def _inputs(
        self, observation: UInt8[Array, "B tokens"]
    ) -> tuple[Float[Array, "B tiles inputs"], Float[Array, "B scalars"]]:
        """Return what is on each tile, and the scalars."""
        runs: Runs = self.runs(observation)
        count, tiles = runs["tile"].shape
        on_tile = [
            look_up(self.tile, runs["tile"], self.learned).reshape(count, tiles, -1),
            look_up(self.creature, runs["creature"], self.learned).reshape(count, tiles, -1),
            *(plane[:, :, None] for plane in self.planes(runs)),
        ]
        return jnp.concatenate(on_tile, axis=2), jnp.concatenate(self.scalars(observation, runs), axis=1)


def depthwise(
    board: Float[Array, "B rows cols channels"], kernel: Float[Array, "3 3 channels"]
) -> Float[Array, "B rows cols channels"]:
    """Return the convolution of each channel with its own 3 x 3 kernel; zeros lie around the board.

    Example:
        >>> board = jnp.zeros((1, 3, 3, 1)).at[0, 0, 1, 0].set(1.0)
        >>> kernel = jnp.arange(9.0).reshape(3, 3, 1)
        >>> depthwise(board, kernel)[0, :, :, 0].tolist()
        [[5.0, 4.0, 3.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    return jax.lax.conv_general_dilated(
        board,
        kernel[:, :, None, :],
        window_strides=(1, 1),
        padding="SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=kernel.shape[2],
    )


def pooled(board: Float[Array, "B rows cols channels"]) -> list[Float[Array, "B _"]]:
    """Return a board's mean and maximum, the maximum of each region, and the tiles around the player."""
    count, rows, cols = board.shape[:3]
    regions = [jnp.max(part, axis=(1, 2)) for band in split(board, 1) for part in split(band, 2)]
    top, left = (rows - SIDE) // 2, (cols - SIDE) // 2
    centre = board[:, top : top + SIDE, left : left + SIDE]
    whole = [jnp.mean(board, axis=(1, 2)), jnp.max(jnp.stack(regions), axis=0)]
    return [*whole, *regions, centre.reshape(count, -1)]


def split(board: Float[Array, "B rows cols channels"], axis: int) -> list[Float[Array, "B _ _ channels"]]:
    """Return a board in `REGIONS` parts along an axis, as equal as they can be."""
    return jnp.array_split(board, REGIONS, axis=axis)
