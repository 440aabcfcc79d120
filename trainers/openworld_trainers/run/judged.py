"""A trained agent as an agent for `openworld evaluate`: NumPy arrays in and out."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Int32, Shaped

from openworld.content.rulesets import Ruleset
from openworld.judging.agents import AgentError
from openworld.observe.forms import FORMS
from openworld_trainers.run.agent import RecurrentAgent
from openworld_trainers.run.load import load_agent


class Trained:
    """A run's newest policy, a checkpoint's or an export's; its actions are drawn as in training."""

    def __init__(self, path: Path | str, rules: Ruleset, *, greedy: bool = False) -> None:
        """Load the agent and look whether it was made for these rules.

        Args:
            greedy: take the likeliest action instead of drawing one.
        """
        self._agent, self._greedy = load_agent(path), greedy
        card = self._agent.card
        if list(card["ruleset"]) != [rules.name, rules.version]:
            made, here = ("-".join(map(str, of)) for of in (card["ruleset"], (rules.name, rules.version)))
            raise AgentError(
                f"{path} plays {card['env_id']} under rules {made!r}; the protocol's are {here!r}"
            )
        shape = tuple(card["observation_shape"])
        self.observation = next(name for name, form in FORMS.items() if form.shape(rules) == shape)
        self.begin(0, 0)

    def begin(self, num_worlds: int, seed: int) -> None:
        """Forget, and take up the dice."""
        self._key = jax.random.key(seed)
        self._memory: Any = self._agent.begin(num_worlds) if isinstance(self._agent, RecurrentAgent) else None

    def act(
        self, observations: Shaped[np.ndarray, "B *shape"], infos: dict[str, Any]
    ) -> Int32[np.ndarray, " B"]:
        """The action of each world."""
        key = None if self._greedy else jax.random.fold_in(self._key, infos["step"])
        if isinstance(self._agent, RecurrentAgent):
            self._memory, actions = self._agent(self._memory, observations, key)
        else:
            actions = self._agent(observations, key)
        return np.asarray(actions)
