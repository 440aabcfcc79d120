"""Worlds so small that the right values and actions are known: each can fail for one reason only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from openworld.core.random import world_seeds


class State(eqx.Module):
    chance: jax.Array  # uint32[B, 2], words of a key
    clue: jax.Array  # float32[B], -1 or 1, drawn anew for each episode
    age: jax.Array  # int32[B]
    episode_return: jax.Array  # float32[B]


class Info(eqx.Module):
    final_obs: jax.Array
    episode_return: jax.Array
    episode_length: jax.Array
    achievements: jax.Array  # bool[B, 2]: "paid" once the return is above 0, "lived" after the first step


@dataclass(frozen=True)
class Probe:
    """A world whose episode is told by three functions of (clue, age): what is seen, paid, and when it is over."""

    id: str
    see: Callable[[Any, Any], Any]
    pay: Callable[[Any, Any, Any], Any]  # of (clue, age before the step, action)
    length: int
    num_actions: int = 1
    limit: int = 1_000_000  # age at which an episode is truncated
    achievement_names = ("paid", "lived")
    observation_shape = (1,)

    def reset(self, key, num_worlds, *, held_out=False):
        return self.reset_seeds(world_seeds(jax.random.key_data(key), num_worlds, held_out=held_out))

    def reset_seeds(self, seeds):
        nothing = jnp.zeros(seeds.shape[0], jnp.float32)
        state = State(seeds, nothing, nothing.astype(jnp.int32), nothing)
        return self.renew(nothing[:, None], state, seeds[:, 0] >= 0)

    def renew(self, seen, state, mask):
        state = self.begun(state, mask)
        return jnp.where(mask[:, None], self.observe(state), seen), state

    def begun(self, state, mask):
        keys = jax.vmap(jax.random.split)(jax.random.wrap_key_data(state.chance))
        clue = jax.vmap(lambda key: jax.random.bernoulli(key).astype(jnp.float32))(keys[:, 0]) * 2 - 1
        return State(
            jnp.where(mask[:, None], jax.random.key_data(keys[:, 1]), state.chance),
            jnp.where(mask, clue, state.clue),
            jnp.where(mask, 0, state.age),
            jnp.where(mask, 0, state.episode_return),
        )

    def observe(self, state):
        return self.see(state.clue, state.age.astype(jnp.float32))[:, None]

    def advance(self, state, action):
        reward = self.pay(state.clue, state.age, action).astype(jnp.float32)
        age = state.age + 1
        after = State(state.chance, state.clue, age, state.episode_return + reward)
        terminated = age >= self.length
        info = Info(
            final_obs=self.observe(after),
            episode_return=after.episode_return,
            episode_length=age,
            achievements=jnp.stack([after.episode_return > 0, age > 0], axis=1),
        )
        return self.observe(after), after, reward, terminated, (age >= self.limit) & ~terminated, info

    def step(self, state, action):
        _, after, reward, terminated, truncated, info = self.advance(state, action)
        after = self.begun(after, terminated | truncated)
        return self.observe(after), after, reward, terminated, truncated, info


def nothing(clue, age):
    return jnp.zeros_like(clue)


def one(clue, age, action):
    return jnp.ones_like(clue)


FOREVER = 1_000_000

#: The value net alone: one step, always paid 1.
VALUE = Probe("value", see=nothing, pay=one, length=1)
#: Values must depend on what is seen: one step, paid what is seen.
SIGHT = Probe("sight", see=lambda clue, age: clue, pay=lambda clue, age, action: clue, length=1)
#: Discount: two steps, paid 1 at the end.
DISCOUNT = Probe("discount", see=lambda clue, age: age, pay=lambda clue, age, action: age == 1, length=2)
#: The policy alone: one step, only action 1 is paid.
ACTION = Probe("action", see=nothing, pay=lambda clue, age, action: 2 * action - 1, length=1, num_actions=2)
#: Both: one step, paid for doing what is seen.
BOTH = Probe(
    "both",
    see=lambda clue, age: clue,
    pay=lambda clue, age, action: clue * (2 * action - 1).astype(jnp.float32),
    length=1,
    num_actions=2,
)
#: Truncation: paid 1 a step for ever, but cut every five steps, which must not change the value.
CUT = Probe("cut", see=nothing, pay=one, length=FOREVER, limit=5)
#: The same, ended in earnest: what is seen tells the age.
ENDED = Probe("ended", see=lambda clue, age: age, pay=one, length=5)
#: Memory: what is to be done in the second step is seen in the first alone.
MEMORY = Probe(
    "memory",
    see=lambda clue, age: jnp.where(age == 0, clue, 0.0),
    pay=lambda clue, age, action: jnp.where(age == 1, clue * (2 * action - 1).astype(jnp.float32), 0.0),
    length=2,
    num_actions=2,
)
#: What is seen tells the age, and nothing ever ends.
AGE = Probe("age", see=lambda clue, age: age, pay=one, length=FOREVER)
#: Broken: its rewards are no numbers once an episode is three steps old.
POISON = Probe(
    "poison",
    see=nothing,
    pay=lambda clue, age, action: jnp.where(age >= 60, jnp.nan, 1.0),
    length=FOREVER,
)
