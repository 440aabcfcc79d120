"""The agent that a new run starts from: its parameters and, if asked for, the state of its optimiser."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from openworld.observe.layout import layout_of
from openworld.system import shipped
from openworld_trainers.ppo.batched_env import BatchedEnv, env_identity, make_env
from openworld_trainers.ppo.config import Config, Network
from openworld_trainers.ppo.devices import SINGLE_DEVICE
from openworld_trainers.ppo.ewma import Ewma
from openworld_trainers.ppo.learner import Learner, learner_shapes
from openworld_trainers.ppo.records import from_dict
from openworld_trainers.run.agent import Agent, AgentError
from openworld_trainers.run.checkpoint import Checkpoints
from openworld_trainers.run.exported import checksum, different, named_arrays
from openworld_trainers.run.folder import CONFIG, RunFolder
from openworld_trainers.run.load import is_run, load_agent
from openworld_trainers.run.settings import read_config


@dataclass(frozen=True)
class Origin:
    """An agent that a run starts from.

    Attributes:
        source: its path, or its name if it ships with OpenWorld.
        agent: with its parameters and its card.
        opt_state: the arrays of its optimiser's state by name; None: the run starts with a new one.
    """

    source: str
    agent: Agent
    opt_state: dict[str, Any] | None = None

    @property
    def network(self) -> Network:
        """The settings of the agent's network."""
        return from_dict(self.agent.card["network"], Network)

    def facts(self) -> dict[str, Any]:
        """Return what the record of the run says about its origin."""
        card = self.agent.card
        return {
            "source": self.source,
            "env_id": card["env_id"],
            "transitions": card["training"]["transitions"],
            "parameters_sha256": self._checksum(),
            "optimiser": self.opt_state is not None,
        }

    def check(self, env: BatchedEnv, config: Config) -> None:
        """Raise `AgentError`, in one line, if a run of these settings cannot start from the agent."""
        here, there = env_identity(env), self.agent.card
        for name, what in (("observation_shape", "observations"), ("num_actions", "actions")):
            if here[name] != there[name]:
                raise AgentError(
                    f"{self.source} cannot start this run: {there['env_id']} has {what} {there[name]} and {env.id} "
                    f"{here[name]}"
                )
        own, rules = getattr(env, "ruleset", None), self.agent.network.rules
        if own is not None and rules is not None and _places(own) != _places(rules):
            raise AgentError(
                f"{self.source} cannot start this run: the tokens of {env.id} have another layout"
            )
        shapes = learner_shapes(env, config, SINGLE_DEVICE)
        self._compare(named_arrays(self.agent.network), named_arrays(shapes["policy"]), "parameters")
        if self.opt_state is not None:
            wanted = named_arrays(shapes["learner"]["opt_state"])
            self._compare(self.opt_state, wanted, "arrays of the optimiser")

    def given_to(self, learner: Learner) -> Learner:
        """Return a new learner with the agent's parameters."""
        state = learner.train_state
        network = _filled(state.network, named_arrays(self.agent.network))
        opt_state = state.opt_state if self.opt_state is None else _filled(state.opt_state, self.opt_state)
        ewma = None if state.ewma is None else Ewma.start(network)
        begun = dataclasses.replace(state, network=network, opt_state=opt_state, ewma=ewma)
        return dataclasses.replace(learner, train_state=begun)

    def _compare(self, there: dict[str, Any], here: dict[str, Any], what: str) -> None:
        """Raise `AgentError` that names the arrays which differ in dtype or shape."""
        if problem := different(here, there, most=3):
            raise AgentError(
                f"{self.source} cannot start this run, whose {what} have other shapes: {problem}"
            )

    def _checksum(self) -> str:
        arrays = named_arrays(self.agent.network)
        return checksum(b"".join(np.asarray(arrays[name]).tobytes() for name in sorted(arrays)))


def read_origin(source: Path | str, *, optimiser: bool = False) -> Origin:
    """Read the agent that a run is to start from.

    Args:
        source: a run, a checkpoint, an export, or the name of an agent that ships with OpenWorld.
        optimiser: read the optimiser's state too, which only a run and a checkpoint have.

    Raises:
        AgentError: it cannot be read, a parameter is not finite, or it has no optimiser's state.
    """
    agent = load_agent(source)
    if not optimiser:
        return Origin(str(source), agent)
    path = shipped.found(source)
    if not is_run(path):
        raise AgentError(
            f"{source} is an export, which has no optimiser state; leave out --from-optimiser, or name a run"
        )
    folder = RunFolder(path if (path / CONFIG).is_file() else path.absolute().parent.parent)
    config, number = read_config(folder), agent.card["training"]["updates"]
    template = learner_shapes(make_env(config.env), config, SINGLE_DEVICE)["learner"]
    kept = Checkpoints(folder.checkpoints).restore(number, "learner", template)
    return Origin(str(source), agent, named_arrays(kept["opt_state"]))


def read_again(folder: RunFolder) -> Origin | None:
    """Return the origin of a run that was killed before its first checkpoint; None: it started untrained.

    Raises:
        AgentError: the agent is not there any more, or is another one now.
    """
    facts = folder.read_settings().get("origin")
    if facts is None:
        return None
    origin = read_origin(facts["source"], optimiser=facts["optimiser"])
    if origin.facts()["parameters_sha256"] != facts["parameters_sha256"]:
        raise AgentError(f"{facts['source']}, which {folder.path} started from, holds another agent now")
    return origin


def _places(ruleset: Any) -> list[tuple[str, int, int]]:
    """Return the name, place and size of each field of the tokens."""
    return [(field.name, field.offset, field.size) for field in layout_of(ruleset).values()]


def _filled(tree: Any, arrays: dict[str, Any]) -> Any:
    """Return a tree with other numbers, on the same devices."""
    leaves = [
        jax.device_put(np.array(arrays[name]), leaf.sharding) for name, leaf in named_arrays(tree).items()
    ]
    return jax.tree.unflatten(jax.tree.structure(tree), leaves)
