"""An agent that Stable-Baselines3 saved, for `openworld evaluate`.

Loading such a zip unpickles parts of it, and so can run any code in it. Load only files that you trust.
"""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from openworld.content.rulesets import Ruleset
from openworld.judging.agents import AgentError
from openworld.observe.forms import FORMS


class Zip:
    """A model of Stable-Baselines3 or sb3-contrib; its actions are drawn as in training.

    Example:
        >>> from openworld.content.rulesets import FULL
        >>> agent = Zip("runs/sb3/model.zip", FULL, algorithm="PPO")  # doctest: +SKIP
    """

    def __init__(
        self, path: Path | str, rules: Ruleset, *, algorithm: str = "PPO", greedy: bool = False
    ) -> None:
        """Load the model and find its form of observation.

        Args:
            algorithm: the class that saved it, such as PPO, DQN, MaskablePPO or RecurrentPPO.
            greedy: take the likeliest action instead of drawing one.
        """
        self._model, self._greedy = _loaded(path, algorithm), greedy
        self.observation = _seen(self._model.observation_space, rules, path)
        actions = getattr(self._model.action_space, "n", None)
        if actions != rules.actions:
            raise AgentError(
                f"{path} chooses among {actions} actions; the protocol's world has {rules.actions}"
            )
        asked = inspect.signature(self._model.predict).parameters
        self.action_masks = "action_masks" in asked
        self._state: Any = None

    def begin(self, num_worlds: int, seed: int) -> None:
        """Start new episodes with the random numbers of a seed."""
        self._state = None
        self._model.set_random_seed(seed)

    def act(
        self, observations: Shaped[np.ndarray, "B *shape"], infos: dict[str, Any]
    ) -> Int[np.ndarray, " B"]:
        """Return the action of each world."""
        masks = {"action_masks": infos["action_mask"]} if self.action_masks else {}
        actions, self._state = self._model.predict(
            np.array(observations),  # PyTorch needs a writable array
            state=self._state,
            episode_start=np.full(len(observations), infos["step"] == 0),
            deterministic=self._greedy,
            **masks,
        )
        return np.asarray(actions)


def _loaded(path: Path | str, algorithm: str) -> Any:
    """Return the model of a zip; one line if another algorithm saved it."""
    kind = _class(algorithm)
    try:
        return kind.load(path)
    except (TypeError, AttributeError, ValueError) as error:
        if isinstance(error, ValueError) and not str(error).startswith("Policy must subclass"):
            raise
        raise AgentError(
            f"{path} was saved by another algorithm than {algorithm}, or by another version of it; name it with "
            f"--algorithm: PPO, DQN, MaskablePPO or RecurrentPPO"
        ) from error


def _class(algorithm: str) -> Any:
    import stable_baselines3

    found = getattr(stable_baselines3, algorithm, None)
    if found is None:
        try:
            import sb3_contrib
        except ModuleNotFoundError:
            raise AgentError(
                f"stable_baselines3 has no {algorithm!r}, and sb3_contrib is not installed"
            ) from None
        found = getattr(sb3_contrib, algorithm, None)
    if not hasattr(found, "load"):
        raise AgentError(f"neither stable_baselines3 nor sb3_contrib has an algorithm {algorithm!r}")
    return found


def _seen(space: Any, rules: Ruleset, path: Path | str) -> str:
    """Return the form of observation of a space; pictures may have their colours first."""
    shape = tuple(space.shape or ())
    for name, form in FORMS.items():
        wanted = form.shape(rules)
        if shape in (wanted, (*wanted[-1:], *wanted[:-1])) and space.dtype == form.dtype:
            return name
    raise AgentError(f"{path} has observations {space.dtype}{list(shape)}, unlike the protocol's environment")
