"""An agent that plays one world, a step at a time, as the judge lets it play."""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int32, Key, UInt8

from openworld.content.rulesets import Ruleset
from openworld.core.random import key_words
from openworld.judging.agents import CheckedAgent, Factory, check_form, check_range, is_jax_policy
from openworld.judging.episodes import device_view, host_view


class Actor:
    """An agent of either kind in one world; its random numbers are those of an episode that is judged.

    Example:
        >>> from openworld.content.rulesets import FULL
        >>> from openworld.observe.layout import layout_of
        >>> actor = Actor(lambda: lambda carry, keys, tokens: (carry, jnp.ones(len(tokens), jnp.int32)), FULL)
        >>> actor.begin(0)
        >>> actor.act(np.zeros(layout_of(FULL).size, np.uint8), np.ones(FULL.actions, bool), step=0)
        1
    """

    def __init__(self, factory: Factory, rules: Ruleset, name: str = "the agent", seed: int = 0) -> None:
        """Make the agent.

        Args:
            factory: returns an `Agent` or a `JaxPolicy`.
            rules: of the world.
            name: for error messages.
            seed: for the agent's own random numbers.
        """
        first = factory()
        self.rules, self.name, self._seed = rules, name, seed
        self._policy, self._agent = None, None
        if is_jax_policy(first):
            # The arrays of a module are arguments of the compiled program; a function is a constant of it.
            self._policy = first if isinstance(first, eqx.Module) else jax.tree_util.Partial(first)
            self._begin = getattr(first, "begin", lambda worlds: None)
            self._observation = str(getattr(first, "observation", "tokens"))
        else:
            self._agent = CheckedAgent(factory, name, first)
            self._view = host_view(self._agent.observation, rules)
        self._carry: Any = None
        self._episode = np.zeros(1, np.int64)
        self._key = jax.random.wrap_key_data(jnp.asarray(key_words(seed)), impl="threefry2x32")

    def begin(self, episode: int) -> None:
        """Begin an episode.

        Args:
            episode: its number, from which the agent's random numbers are derived, as those of the judge are.
        """
        self._episode = np.array([episode], np.int64)
        if self._agent is not None:
            self._agent.begin(self._episode, self._seed)
        else:
            self._carry = self._begin(1)

    def act(
        self,
        tokens: UInt8[np.ndarray, " tokens"],
        mask: Bool[np.ndarray, " actions"],
        *,
        step: int,
        reward: float = 0.0,
    ) -> int:
        """Choose the next action.

        Args:
            tokens: of the world as it is now.
            mask: the actions with an effect; only agents that ask for it get it.
            step: steps played so far.
            reward: of the last step.
        """
        if self._agent is None:
            self._carry, action = _turn(
                self._policy,
                self._carry,
                (self._key, np.uint32(self._episode[0]), np.int32(step)),
                np.asarray(tokens)[None],
                observation=self._observation,
                rules=self.rules,
            )
            found = np.asarray(action)
            check_range(found, self.rules.actions, self.name)
            return int(found[0])
        infos: dict[str, Any] = {
            "step": step,
            "episode": self._episode,
            "reward": np.array([reward], np.float32),
            "playing": np.ones(1, bool),
        }
        if self._agent.action_masks:
            infos["action_mask"] = np.asarray(mask)[None]
        seen = self._view(jnp.asarray(tokens)[None])
        return int(self._agent.act(seen, infos, self.rules.actions)[0])


@partial(jax.jit, static_argnames=("observation", "rules"))
def _turn(
    policy: Any,
    carry: Any,
    place: tuple[Key[Array, ""], Any, Any],
    tokens: UInt8[Array, "1 tokens"],
    *,
    observation: str,
    rules: Ruleset,
) -> tuple[Any, Int32[Array, "1"]]:
    """Return the carry and the action; `place` is the key, the number of the episode and the step."""
    key, episode, step = place
    keys = jax.random.fold_in(jax.random.fold_in(key, episode), step)[None]
    carry, action = policy(carry, keys, device_view(observation, rules)(tokens))
    check_form(action, (1,), "the policy")
    return carry, action.astype(jnp.int32)
