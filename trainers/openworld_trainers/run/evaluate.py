"""Evaluate a trained agent in held-out worlds, beside an agent that plays at random in the same ones."""

import dataclasses
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt32
from rich.console import Console

from openworld.content.achievements import WEIGHTS
from openworld.content.ids import Achievement
from openworld.core.random import key_words, world_seeds
from openworld.judging.episodes import play
from openworld.judging.intervals import Estimate
from openworld.judging.record import Episodes
from openworld.judging.statistics import Numbers, Scale, numbers
from openworld.judging.summary import summary
from openworld.judging.trace import Report as Progress
from openworld.system.files import check_folder
from openworld_trainers.errors import TrainerError
from openworld_trainers.ppo.batched_env import BatchedEnv, achievement_names, make_env
from openworld_trainers.ppo.network_policy import Policy
from openworld_trainers.run.folder import RunFolder, plain, write_atomically
from openworld_trainers.run.phases import Phases
from openworld_trainers.run.progress import Display
from openworld_trainers.run.settings import newest_policy, read_config
from openworld_trainers.run.signals import cleanup_on_exit, interruption

EVALUATION = "evaluation.json"
#: Steps after which an episode is stopped.
MAX_STEPS = 10_000
#: The key of the held-out worlds, and the seed of the agents' random numbers.
SEED = 20_000


@dataclass(frozen=True)
class Score:
    """The part of an agent's statistics that is written to `evaluation.json`; all intervals are 95 %.

    Attributes:
        unfinished: episodes that were stopped before they ended.
        rates: the share of episodes that unlock each achievement.
    """

    mean_return: Estimate
    mean_length: Estimate
    unfinished: int
    rates: dict[str, Estimate]

    @classmethod
    def of(cls, found: Numbers) -> "Score":
        """Return the score of an agent's statistics."""
        return cls(
            mean_return=Estimate(**found["return"]["mean"]),
            mean_length=Estimate(**found["length"]),
            unfinished=found["episodes"] - sum(found["ended"].values()),
            rates={name: Estimate(**rate) for name, rate in found["achievements"].items()},
        )


@dataclass(frozen=True)
class Report:
    """A trained agent and a random one in the same held-out worlds.

    Attributes:
        numbers: all statistics of both, by "trained" and "random".
    """

    run: str
    world: str
    episodes: int
    max_steps: int
    numbers: dict[str, Numbers]

    @property
    def trained(self) -> Score:
        """The score of the trained agent."""
        return Score.of(self.numbers["trained"])

    @property
    def random(self) -> Score:
        """The score of the random agent."""
        return Score.of(self.numbers["random"])

    @property
    def gain(self) -> float:
        """The trained agent's mean return divided by the random one's; NaN unless that is positive."""
        random = self.random.mean_return.value
        return self.trained.mean_return.value / random if random > 0 else math.nan

    def as_dict(self) -> dict[str, Any]:
        """Return the report as `evaluation.json` has it."""
        names = ("run", "world", "episodes", "max_steps")
        return {
            **{name: getattr(self, name) for name in names},
            "trained": dataclasses.asdict(self.trained),
            "random": dataclasses.asdict(self.random),
            "gain": self.gain,
        }

    def show(self, console: Console | None = None) -> None:
        """Print the summary of both agents."""
        console = console or Console()
        title = f"{self.world}: {self.episodes} held-out episodes, 95 % intervals"
        for text in [*summary(title, self.numbers), *notes(self)]:
            console.print(text, highlight=False, markup=False, soft_wrap=True)


def evaluate(
    run_dir: Path | str,
    episodes: int = 1000,
    max_steps: int = MAX_STEPS,
    *,
    greedy: bool = False,
    at_once: int | None = None,
    phases: Phases | None = None,
) -> Report:
    """Play held-out episodes with a run's newest policy and with a random one, and write the report.

    It is written to `evaluation.json` in the folder of the run.
    A run that is still training may be evaluated. Progress is shown on standard error.

    Args:
        episodes: how many each agent plays; of coop, of all players together.
        max_steps: longer episodes are stopped.
        greedy: the policy takes its most probable action.
        at_once: worlds (of coop: players) that play side by side; None for all.
        phases: of the job of which the evaluation is one step.

    Example:
        >>> evaluate("runs/my-run", episodes=100).show()  # doctest: +SKIP
    """
    if episodes < 1:
        raise ValueError(f"episodes={episodes} must be at least 1")
    if max_steps < 1:
        raise ValueError(f"max_steps={max_steps} must be at least 1")
    folder = RunFolder(run_dir)
    config = read_config(folder)
    with _written_to(folder):
        check_folder(folder.path)
    env = make_env(config.env)
    display = Display(
        f"evaluation of {folder.path} in {env.id}",
        Console(stderr=True),
        step=(phases, "evaluation") if phases else None,
    )
    with interruption(), display, cleanup_on_exit(display.console.show_cursor):
        display.doing("reading the policy")
        policy = dataclasses.replace(newest_policy(env, config, folder), greedy=greedy)

        def progress(share: float, text: str) -> None:
            display.doing(text, share)

        report = compare(
            env, policy, str(folder.path), episodes, max_steps, at_once=at_once, progress=progress
        )
    with _written_to(folder):
        write_atomically(folder.path / EVALUATION, json.dumps(plain(report.as_dict()), indent=2) + "\n")
    return report


@contextmanager
def _written_to(folder: RunFolder) -> Iterator[None]:
    """Turn an error of writing to the folder into one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise TrainerError(f"{EVALUATION} could not be kept in {folder.path}: {reason}") from error


def compare(
    env: BatchedEnv,
    policy: Policy,
    run: str,
    episodes: int,
    max_steps: int,
    *,
    at_once: int | None = None,
    progress: Progress = lambda share, text: None,
) -> Report:
    """Play a policy and a random one in the same held-out worlds.

    Args:
        progress: receives the progress of both together.
    """
    names = achievement_names(env)
    total = sum(WEIGHTS[a] for a in list(Achievement)[: len(names)]) if hasattr(env, "ruleset") else None
    # At inverse temperature 0 the policy plays at random. So both agents share a compiled program.
    uniform = dataclasses.replace(policy, inverse_temperature=jnp.float32(0), greedy=False)
    found = {}
    for begin, (name, agent) in enumerate({"trained": policy, "random": uniform}.items()):

        def of_both(share: float, text: str, begin: int = begin, name: str = name) -> None:
            progress((begin + share) / 2, f"the {name} agent plays: {text}")

        played = play_held_out(env, agent, episodes, max_steps, at_once=at_once, progress=of_both)
        found[name] = numbers(played, Scale(names, total))
    return Report(run=run, world=env.id, episodes=episodes, max_steps=max_steps, numbers=found)


def play_held_out(
    env: BatchedEnv,
    policy: Any,
    episodes: int,
    max_steps: int,
    *,
    at_once: int | None = None,
    progress: Progress = lambda share, text: None,
) -> Episodes:
    """Play the first episode of each of the held-out worlds; they are the same for each policy.

    Args:
        policy: a `JaxPolicy` of `openworld.judging.agents`.
        episodes: how many; of coop, worlds times players.
    """
    seeds = held_out_seeds(env, episodes)
    return play(
        env,
        seeds,
        policy,
        at_once=at_once,
        agent_seed=SEED,
        max_steps=max_steps,
        keep_steps=False,
        report=progress,
    )


def held_out_seeds(env: BatchedEnv, episodes: int) -> UInt32[np.ndarray, "episodes 2"]:
    """Return the seeds of the worlds of evaluation; in coop each seed is there once for each player."""
    players = getattr(env, "players", 1)
    words = key_words(jax.random.key(SEED))
    seeds = np.asarray(world_seeds(words, -(-episodes // players), held_out=True))
    return np.repeat(seeds, players, axis=0)[:episodes]


def notes(report: Report) -> list[str]:
    """Return what the summary does not show, as sentences."""
    found = []
    if report.random.mean_return.value > 0:
        times = f"The trained agent's mean return is {report.gain:.1f} times the random agent's,"
        found.append(f"{times} which chooses among the same actions.")
    trained, random = report.trained, report.random
    never = [name for name, rate in trained.rates.items() if rate.value == random.rates[name].value == 0]
    if never:
        most = 100 * trained.rates[never[0]].high
        names = ", ".join(name.replace("_", " ") for name in never)
        found.append(f"Unlocked by neither (0 %, at most {most:.1f} %): {names}.")
    for agent, score in (("trained", trained), ("random", random)):
        if score.unfinished:
            found.append(
                f"{score.unfinished} episodes of the {agent} agent had not ended after {report.max_steps} steps "
                f"and count as they stood then."
            )
    return found
