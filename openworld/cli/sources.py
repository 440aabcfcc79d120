"""Agents by their names, for every command that takes one."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openworld.cli.options import require
from openworld.system import shipped

if TYPE_CHECKING:
    from openworld.content.rulesets import Ruleset

#: Agents that need no training.
BASELINES = ("random", "scripted")
#: The files of an export; either stands for its folder.
FILES = ("model.safetensors", shipped.CARD)
#: The algorithms of Stable-Baselines3 by the names of `train-sb3`, with their classes.
ALGORITHMS = {"ppo": "PPO", "dqn": "DQN", "maskable-ppo": "MaskablePPO", "recurrent-ppo": "RecurrentPPO"}


def check(source: str) -> None:
    """Refuse, before anything slow, a name that stands for no agent."""
    if source in BASELINES or ":" in source or shipped.found(source).exists():
        return
    from openworld.judging.agents import AgentError

    if Path(source).suffix == ".zip":
        raise AgentError(f"there is no file {source}")
    known = ", ".join([*BASELINES, *shipped.names()])
    raise AgentError(f"there is no agent {source!r}: name {known}, a folder, a .zip, or package.module:Agent")


def factory_of(
    source: str, rules: "Ruleset", algorithm: str = "PPO", greedy: bool = False
) -> Callable[[], Any]:
    """Return the factory of the agent that a source names.

    Args:
        source: random, scripted, the name of an agent that ships with OpenWorld, a run, a checkpoint, an
            export, a .zip of Stable-Baselines3, or package.module:Agent. Of a name and a path that are alike, it
            is the path.
        rules: of the world that it plays.
        algorithm: class that saved the .zip, or its name in `ALGORITHMS`.
        greedy: trained agents take their most probable action.
    """
    from openworld.judging.agents import load

    check(source)
    if source == "random":
        from openworld_trainers.baselines.scripted.uniform import Uniform

        return lambda: Uniform(rules.actions)
    if source == "scripted":
        from openworld_trainers.baselines.scripted.policy import Scripted

        return lambda: Scripted(rules)
    path = shipped.found(source)
    if path.suffix == ".zip" and path.is_file():
        require("stable_baselines3")
        from openworld_trainers.baselines.sb3.zips import Zip

        return lambda: Zip(path, rules, algorithm=ALGORITHMS.get(algorithm, algorithm), greedy=greedy)
    if path.exists():
        from openworld_trainers.run.load import policy_of

        return lambda: policy_of(path, rules, greedy=greedy)
    return load(source)


def name_of(source: str) -> str:
    """Return the short name of an agent. Folders keep what follows a point, so that their results differ.

    Example:
        >>> name_of("my.module:Agent"), name_of("runs/rate-0.001"), name_of("models/first.zip")
        ('Agent', 'rate-0.001', 'first')
        >>> name_of("agents/first/model.safetensors")
        'first'
    """
    if ":" in source:
        return source.rpartition(":")[2]
    path = Path(source).absolute()
    return (path.parent if path.name in FILES else path).name.removesuffix(".zip")
