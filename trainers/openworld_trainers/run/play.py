"""Play whole episodes, each world's first, with a policy that does not learn."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int32, Key, Shaped

from openworld_trainers.ppo.env import BatchedEnv
from openworld_trainers.ppo.networks import ActorCritic

#: Steps that share a key, and steps between two looks at whether anybody still plays.
STEPS_PER_KEY, LOOK = 500, 100

#: Is told how far something is: a share from 0 to 1, and a few words.
Tell = Callable[[float, str], Any]


class Episodes(eqx.Module):
    """The first episode of each world; where it did not `end`, the sums so far."""

    returns: Float[Array, " episodes"]
    lengths: Int32[Array, " episodes"]
    unlocked: Bool[Array, "episodes achievements"]
    ended: Bool[Array, " episodes"]


class Policy(eqx.Module):
    """A network as `rollout` wants it: `(carry, key, observation) -> (carry, action)`.

    The carry is the memory of a recurrent network; None stands for the beginning of episodes.
    `inverse_temperature` multiplies the logits: 1 plays as in training, 0 draws all actions alike.
    """

    network: ActorCritic
    inverse_temperature: Float[Array, ""]

    def __call__(
        self, carry: Any, key: Key[Array, ""], observation: Shaped[Array, "B *shape"]
    ) -> tuple[Any, Int32[Array, " B"]]:
        """Draw an action of each world."""
        memory = self.begin(observation.shape[0]) if carry is None else carry
        memory, logits, _ = self.network.step(memory, observation)
        return memory, jax.random.categorical(key, self.inverse_temperature * logits).astype(jnp.int32)

    def begin(self, worlds: int) -> Float32[Array, "B memory"]:
        """The carry at the beginning of episodes."""
        return self.network.initial_memory(worlds)


@dataclass(frozen=True)
class Evaluator:
    """The held-out worlds that policies are measured in: the same ones for each policy.

    A policy is a tree of arrays that can be called; those of one form share a compiled program.

    Attributes:
        episodes: one in each of as many worlds.
        max_steps: none is played longer.
    """

    env: BatchedEnv
    episodes: int
    max_steps: int
    seed: int = 20_000

    def play(self, policy: Callable, tell: Tell | None = None) -> Episodes:
        """Play one episode in each world.

        An episode counts once it has begun, however long it takes, so that short ones are not favoured.

        Args:
            tell: is told now and then how far it is.
        """
        tell = tell or (lambda share, text: None)
        key = jax.random.key(self.seed)
        tell(0.0, "compiling")
        observation, state = self._reset(key)
        begun = policy.begin(self.episodes) if isinstance(policy, Policy) else None
        carry = observation, state, self._blank(state), begun
        for begin in range(0, self.max_steps, LOOK):
            steps = min(begin + LOOK, self.max_steps) - begin
            first = begin % STEPS_PER_KEY
            segment_key = jax.random.fold_in(key, begin - first)
            carry = self._segment(policy, carry, segment_key, jnp.int32(first), jnp.int32(first + steps))
            ended = int(jnp.sum(carry[2].ended))
            share = max(ended / self.episodes, (begin + steps) / self.max_steps)
            tell(share, f"{ended:,} of {self.episodes:,} episodes have ended, step {begin + steps:,}")
            if ended == self.episodes:
                break
        return jax.tree.map(np.asarray, carry[2])

    def _blank(self, state: Any) -> Episodes:
        shapes = jax.eval_shape(self.env.advance, state, jnp.zeros(self.episodes, jnp.int32))
        return Episodes(
            returns=jnp.zeros(self.episodes, jnp.float32),
            lengths=jnp.zeros(self.episodes, jnp.int32),
            unlocked=jnp.zeros(shapes[5].achievements.shape, bool),
            ended=jnp.zeros(self.episodes, bool),
        )

    @cached_property
    def _reset(self) -> Callable:
        return jax.jit(lambda key: self.env.reset(key, self.episodes, held_out=True))

    @cached_property
    def _segment(self) -> Callable:
        """The program that plays on from step `first` up to `steps`, or until every episode has ended."""

        def program(policy: Callable, carry: tuple, key: Array, first: Array, steps: Array) -> tuple:
            def body(at: tuple[Array, tuple]) -> tuple[Array, tuple]:
                done, (observation, state, book, memory) = at
                memory, action = policy(memory, jax.random.fold_in(key, done), observation)
                observation, state, _, terminated, truncated, info = self.env.advance(state, action)
                return done + 1, (observation, state, keep(book, info, terminated | truncated), memory)

            def unfinished(at: tuple[Array, tuple]) -> Array:
                return (at[0] < steps) & ~jnp.all(at[1][2].ended)

            return jax.lax.while_loop(unfinished, body, (first, carry))[1]

        return jax.jit(program, donate_argnums=1)


def keep(book: Episodes, info: Any, ended: Bool[Array, " episodes"]) -> Episodes:
    """Write a step into the book, but for the worlds whose first episode is over."""
    over = book.ended
    return Episodes(
        returns=jnp.where(over, book.returns, info.episode_return),
        lengths=jnp.where(over, book.lengths, info.episode_length),
        unlocked=jnp.where(over[:, None], book.unlocked, info.achievements),
        ended=over | ended,
    )
