"""Load a trained agent from a run, a checkpoint or an export, or one that ships with OpenWorld.

An export needs none of the packages for training; a run and a checkpoint need Orbax.
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp

from openworld.content.rulesets import Ruleset
from openworld.judging import agents as judging
from openworld.observe.forms import FORMS
from openworld.system import shipped
from openworld_trainers.ppo.network_policy import Policy
from openworld_trainers.ppo.networks import ActorCritic
from openworld_trainers.run.agent import Agent, AgentError, RecurrentAgent
from openworld_trainers.run.exported import CARD, WEIGHTS, read_export
from openworld_trainers.run.folder import CONFIG


def load_agent(path: Path | str) -> Agent:
    """Load a trained agent.

    Args:
        path: a run's folder, one of its checkpoints, an export (its folder or one of its files), or the name of an
            agent that ships with OpenWorld (`openworld watch --list`).

    Returns:
        An `Agent`, `tokens -> action`; with memory a `RecurrentAgent`, `(memory, tokens) -> (memory,
        action)`.

    Raises:
        AgentError: the export is damaged, was changed by hand, is of another version, or was made for other
        rules or another observation; or parameters are not finite. The message is one line and names the file.
        CheckpointError: the same for a checkpoint of a run.
        RunFolderError: the same for the settings of a run.

    Example:
        >>> agent = load_agent("runs/first")  # doctest: +SKIP
    """
    path = shipped.found(path)
    if not path.exists():
        raise AgentError(f"there is no file or folder {path}{shipped.hint()}")
    if is_run(path):
        from openworld_trainers.run import checkpointed

        is_folder = (path / CONFIG).is_file()
        found = checkpointed.newest(path) if is_folder else checkpointed.of_checkpoint(*_run_of(path))
    elif (path / CARD).is_file() or (path / WEIGHTS).is_file():
        found = read_export(path)
    elif path.name in (WEIGHTS, CARD):
        found = read_export(path.parent)
    else:
        raise AgentError(f"{path} is not a run, a checkpoint or an exported agent")
    return agent_of(*found)


def agent_of(network: ActorCritic, card: dict[str, Any]) -> Agent:
    """Return the agent of a policy and its card."""
    remembers = network.recurrent or network.sees_action
    return (RecurrentAgent if remembers else Agent)(network, card)


def is_run(path: Path) -> bool:
    """Return whether a path is the folder of a run or one of its checkpoints, which need Orbax to be read."""
    return (path / CONFIG).is_file() or (path.is_dir() and path.name.isdecimal() and path.name.isascii())


def policy_of(path: Path | str, rules: Ruleset, *, greedy: bool = False) -> Policy:
    """Return the policy of a run, a checkpoint or an export, to be judged.

    Args:
        path: as of `load_agent`.
        rules: those that it is to play under.
        greedy: take the most probable action instead of a random one.

    Raises:
        AgentError: it was trained under other rules, or sees another layout of observations.
    """
    agent = load_agent(path)
    card = agent.card
    if list(card["ruleset"]) != [rules.name, rules.version]:
        made, here = ("-".join(map(str, of)) for of in (card["ruleset"], (rules.name, rules.version)))
        raise judging.AgentError(
            f"{path} plays {card['env_id']} under rules {made!r}; it is asked to play under {here!r}"
        )
    shape = tuple(card["observation_shape"])
    observation = next((name for name, form in FORMS.items() if form.shape(rules) == shape), None)
    if observation is None:
        here = ", ".join(f"{name} {form.shape(rules)}" for name, form in FORMS.items())
        raise judging.AgentError(
            f"{path} sees observations of shape {shape}; those of {card['env_id']} are {here}"
        )
    return Policy(agent.network, jnp.float32(1), greedy=greedy, observation=observation)


def _run_of(checkpoint: Path) -> tuple[Path, int]:
    """Return the run's folder and the number of a checkpoint."""
    return checkpoint.absolute().parent.parent, int(checkpoint.name)
