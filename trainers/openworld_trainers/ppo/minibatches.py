"""Shuffled minibatches that do not depend on the number of devices, gathered without a copy of the rollout.

The worlds are cut into lanes (`Config.lanes`). In each epoch every lane shuffles what it has with a key of its own,
and a minibatch is an equal share of every lane. A device holds whole lanes, so no gather ever leaves it.

What is shuffled are transitions; of a recurrent network, whole sequences, each world's steps in their order.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, Key

from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.devices import ALONE, Devices
from openworld_trainers.ppo.losses import Batch
from openworld_trainers.ppo.recurrent import Sequence

#: Transitions on which diagnostics are made.
SAMPLE = 4096


@dataclass(frozen=True)
class Lanes:
    """How the worlds of one device are cut into lanes.

    Attributes:
        lanes: lanes of this device.
        worlds: of one lane.
        steps: of a rollout.
        share: what a minibatch takes of one lane: transitions, or sequences.
        recurrent: whether it takes sequences.
    """

    lanes: int
    worlds: int
    steps: int
    share: int
    recurrent: bool

    @staticmethod
    def of(config: Config, devices: Devices = ALONE) -> "Lanes":
        """Lanes as the settings have them."""
        rollout, recurrent = config.rollout, config.network.recurrent
        units = config.learning.minibatch_size // (rollout.steps if recurrent else 1)
        return Lanes(
            lanes=config.lanes // devices.count,
            worlds=rollout.worlds // config.lanes,
            steps=rollout.steps,
            share=units // config.lanes,
            recurrent=recurrent,
        )

    @property
    def size(self) -> int:
        """What a lane has to give: transitions, or sequences."""
        return self.worlds * (1 if self.recurrent else self.steps)

    def shuffled(
        self, key: Key[Array, ""], devices: Devices
    ) -> Int32[Array, "minibatches {self.lanes} {self.share}"]:
        """The minibatches of an epoch, as numbers for `take`."""
        number = devices.first(self.lanes) + jnp.arange(self.lanes, dtype=jnp.uint32)
        keys = jax.vmap(jax.random.fold_in, (None, 0))(key, number)
        order = jax.vmap(lambda key: jnp.argsort(jax.random.bits(key, (self.size,), jnp.uint32)))(
            keys
        ).astype(jnp.int32)
        dealt = order.reshape(self.lanes, -1, self.share)
        return jnp.swapaxes(dealt, 0, 1)

    def sampled(self, devices: Devices, most: int = SAMPLE) -> Int32[Array, "{self.lanes} few"]:
        """At most `most` transitions spread evenly over steps and worlds, the same ones in each update."""
        each = self.lanes * devices.count * (self.steps if self.recurrent else 1)
        count = max(1, min(self.size, most // each))
        stride = self.size // count
        number = jnp.arange(count, dtype=jnp.int32)
        # The remainder moves each a little further, lest a stride of whole steps see one world alone.
        return jnp.broadcast_to((number * stride + number % stride)[None], (self.lanes, count))

    def take(self, batch: Batch, index: Int32[Array, "lanes n"], first: Array | int = 0) -> Batch:
        """The transitions of these numbers, from lane `first` on, in one row."""
        lane = first + jnp.arange(index.shape[0], dtype=jnp.int32)[:, None]
        step, world = index // self.worlds, lane * self.worlds + index % self.worlds
        if self.recurrent:
            return take_sequences(batch, world.reshape(-1))
        place = (step * (self.lanes * self.worlds) + world).reshape(-1)
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[place], batch)


def take_sequences(batch: Batch, world: Int32[Array, " n"]) -> Batch:
    """Whole sequences of some worlds; the network reads them as such, the rest of the loss in one row."""
    seen = batch.observation
    assert isinstance(seen, Sequence)
    rest = eqx.tree_at(lambda b: b.observation, batch, None)
    flat = jax.tree.map(lambda x: x[:, world].reshape(-1), rest)
    picked = Sequence(seen.observation[:, world], seen.begun[:, world], seen.memory[world])
    return eqx.tree_at(lambda b: b.observation, flat, picked, is_leaf=lambda x: x is None)
