"""Shuffled minibatches that do not depend on the number of devices, gathered without a copy of the rollout.

The worlds are divided into lanes (`Config.lanes`). In each epoch every lane is shuffled with a key of its
own, and a minibatch takes an equal share of every lane. A device holds whole lanes, so no gather leaves it.

Transitions are shuffled; for a recurrent network, whole sequences: each world's steps in their order.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32, Key

from openworld_trainers.ppo.config import Config
from openworld_trainers.ppo.devices import SINGLE_DEVICE, Devices
from openworld_trainers.ppo.losses import Batch
from openworld_trainers.ppo.recurrent import Sequence

#: Transitions that the diagnostics are computed on.
SAMPLE = 4096


@dataclass(frozen=True)
class Lanes:
    """The division of one device's worlds into lanes.

    Attributes:
        lanes: the number of lanes on this device.
        worlds: worlds in a lane.
        steps: steps of a rollout.
        share: units that a minibatch takes from a lane. A unit is a transition, or a sequence if recurrent.
        recurrent: the network is recurrent.
    """

    lanes: int
    worlds: int
    steps: int
    share: int
    recurrent: bool

    @staticmethod
    def of(config: Config, devices: Devices = SINGLE_DEVICE) -> "Lanes":
        """Return the lanes of a run's settings."""
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
        """The number of units in a lane."""
        return self.worlds * (1 if self.recurrent else self.steps)

    @property
    def minibatches(self) -> int:
        """The number of minibatches in an epoch."""
        return self.size // self.share

    def shuffled(
        self, key: Key[Array, ""], devices: Devices, last: Bool[Array, "T B"] | None = None
    ) -> Int32[Array, "{self.minibatches} {self.lanes} {self.share}"]:
        """Return the minibatches of an epoch: for each lane, the numbers of its units, for `take`.

        Args:
            key: of the shuffle.
            devices: which share the worlds.
            last: transitions that come after all others of their lane; None: no such.
        """
        lane_number = devices.offset(self.lanes) + jnp.arange(self.lanes, dtype=jnp.uint32)
        keys = jax.vmap(jax.random.fold_in, (None, 0))(key, lane_number)
        bits = jax.vmap(lambda key: jax.random.bits(key, (self.size,), jnp.uint32))(keys)
        if last is not None:
            lanes_first = jnp.swapaxes(last.reshape(self.steps, self.lanes, self.worlds), 0, 1)
            bits = bits >> np.uint32(1) | lanes_first.reshape(self.lanes, -1).astype(jnp.uint32) << np.uint32(
                31
            )
        order = jnp.argsort(bits, axis=1).astype(jnp.int32)
        return jnp.swapaxes(order.reshape(self.lanes, -1, self.share), 0, 1)

    def worthwhile(self, forced: Bool[Array, "T B"], devices: Devices) -> Int32[Array, ""]:
        """Return the number of minibatches that hold the transitions that are not forced, at least one.

        Lanes have different numbers of those. This is the number for their mean, rounded up.
        """
        share = devices.mean(jnp.mean((~forced).astype(jnp.float32)))
        return jnp.clip(jnp.ceil(share * self.minibatches).astype(jnp.int32), 1, self.minibatches)

    def sampled(self, devices: Devices, most: int = SAMPLE) -> Int32[Array, "{self.lanes} few"]:
        """Return at most `most` transitions, spread evenly over steps and worlds; the same in each update."""
        unit = self.lanes * devices.count * (self.steps if self.recurrent else 1)
        count = max(1, min(self.size, most // unit))
        stride = self.size // count
        number = jnp.arange(count, dtype=jnp.int32)
        # Without the remainder, a stride of a whole step would select the same world every time.
        return jnp.broadcast_to((number * stride + number % stride)[None], (self.lanes, count))

    def take(self, batch: Batch, index: Int32[Array, "lanes n"], first_lane: Array | int = 0) -> Batch:
        """Return the units of these numbers as one axis of transitions.

        Args:
            batch: the device's transitions, [T, B].
            index: the numbers of units in each lane.
            first_lane: the lane of the first row of `index`.
        """
        lane = first_lane + jnp.arange(index.shape[0], dtype=jnp.int32)[:, None]
        step, world = index // self.worlds, lane * self.worlds + index % self.worlds
        if self.recurrent:
            return take_sequences(batch, world.reshape(-1))
        position = (step * (self.lanes * self.worlds) + world).reshape(-1)
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[position], batch)


def take_sequences(batch: Batch, world: Int32[Array, " n"]) -> Batch:
    """Return all steps of some worlds: observations as a `Sequence`, the rest as one axis of transitions."""
    observation = batch.observation
    assert isinstance(observation, Sequence)
    rest = eqx.tree_at(lambda b: b.observation, batch, None)
    flat = jax.tree.map(lambda x: x[:, world].reshape(-1), rest)
    chosen = Sequence(
        observation.observation[:, world], observation.episode_start[:, world], observation.memory[world]
    )
    return eqx.tree_at(lambda b: b.observation, flat, chosen, is_leaf=lambda x: x is None)
