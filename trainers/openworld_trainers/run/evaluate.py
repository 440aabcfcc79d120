"""Measure a trained agent on worlds it has never seen, beside an agent that plays at random in the same ones."""

import dataclasses
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
from rich.console import Console
from rich.table import Table

from openworld.judging import intervals
from openworld.judging.intervals import Estimate
from openworld.system.files import check_folder
from openworld_trainers.errors import TrainerError
from openworld_trainers.ppo.env import BatchedEnv, achievement_names, make_env
from openworld_trainers.run.folder import RunFolder, plain, write_atomically
from openworld_trainers.run.phases import Phases
from openworld_trainers.run.play import Episodes, Evaluator, Policy, Tell
from openworld_trainers.run.progress import Display
from openworld_trainers.run.settings import newest_policy, read_config
from openworld_trainers.run.signals import cleanup_on_exit, interruption

EVALUATION = "evaluation.json"
#: Steps after which an episode that has not ended is counted as it stands.
MAX_STEPS = 10_000


@dataclass(frozen=True)
class Score:
    """What one agent reached; all intervals are 95 %."""

    mean_return: Estimate
    mean_length: Estimate
    unfinished: int
    rates: dict[str, Estimate]


@dataclass(frozen=True)
class Report:
    """A trained agent and a random one in the same held-out worlds."""

    run: str
    world: str
    episodes: int
    max_steps: int
    trained: Score
    random: Score

    @property
    def gain(self) -> float:
        """How many times the random agent's mean return the trained one reaches; NaN where that is not positive."""
        random = self.random.mean_return.value
        return self.trained.mean_return.value / random if random > 0 else math.nan

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return dataclasses.asdict(self) | {"gain": self.gain}

    def show(self, console: Console | None = None) -> None:
        """Print the report as a table."""
        console = console or Console()
        console.print(table(self))
        for text in notes(self):
            console.print(text, highlight=False, markup=False, soft_wrap=True)


def evaluate(
    run_dir: Path | str, episodes: int = 1000, max_steps: int = MAX_STEPS, *, phases: Phases | None = None
) -> Report:
    """Play `episodes` held-out episodes with a run's newest policy and with a random one, and keep the report.

    A run that still trains is read as it is saved. How far it is, is shown on standard error.

    Args:
        phases: of a job of which the evaluation is a step.
    """
    if episodes < 1:
        raise ValueError(f"episodes={episodes} must be at least 1")
    if max_steps < 1:
        raise ValueError(f"max_steps={max_steps} must be at least 1")
    folder = RunFolder(run_dir)
    config = read_config(folder)
    with _kept_in(folder):
        check_folder(folder.path)
    env = make_env(config.env)
    display = Display(
        f"evaluation of {folder.path} in {env.id}",
        Console(stderr=True),
        step=(phases, "evaluation") if phases else None,
    )
    with interruption(), display, cleanup_on_exit(display.console.show_cursor):
        display.doing("reading the policy")
        policy = newest_policy(env, config, folder)
        tell = lambda share, text: display.doing(text, share)  # noqa: E731
        report = compare(env, policy, str(folder.path), episodes, max_steps, tell)
    with _kept_in(folder):
        write_atomically(folder.path / EVALUATION, json.dumps(plain(report.as_dict()), indent=2) + "\n")
    return report


@contextmanager
def _kept_in(folder: RunFolder) -> Iterator[None]:
    """Say in one line, before the episodes are played or after, that no evaluation can be kept."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise TrainerError(f"{EVALUATION} could not be kept in {folder.path}: {reason}") from error


def compare(
    env: BatchedEnv, policy: Policy, run: str, episodes: int, max_steps: int, tell: Tell | None = None
) -> Report:
    """Play a policy and a random one in the same worlds.

    Args:
        tell: is told now and then how far it is.
    """
    names = achievement_names(env)
    evaluator = Evaluator(env, episodes, max_steps)

    def play(agent: str, inverse_temperature: float, begin: float) -> Episodes:
        def of_both(share: float, text: str) -> None:
            if tell:
                tell(begin + share / 2, f"the {agent} agent plays: {text}")

        return evaluator.play(Policy(policy.network, jnp.float32(inverse_temperature)), of_both)

    # A policy of inverse temperature 0 plays at random; made so, both agents share one compiled program.
    trained, random = play("trained", 1.0, 0.0), play("random", 0.0, 0.5)
    return Report(
        run=run,
        world=env.id,
        episodes=episodes,
        max_steps=max_steps,
        trained=score(trained, names),
        random=score(random, names),
    )


def score(episodes: Episodes, names: tuple[str, ...]) -> Score:
    """Sum up episodes."""
    count = len(episodes.returns)
    hits = [int(column.sum()) for column in episodes.unlocked.T]
    return Score(
        mean_return=intervals.mean([float(x) for x in episodes.returns]),
        mean_length=intervals.mean([float(x) for x in episodes.lengths]),
        unfinished=int((~episodes.ended).sum()),
        rates={name: intervals.rate(hit, count) for name, hit in zip(names, hits, strict=True)},
    )


def table(report: Report) -> Table:
    """Return, length and every achievement that either agent unlocked, best first."""
    made = Table(title=f"{report.world}: {report.episodes} held-out episodes, 95 % intervals")
    made.add_column("")
    made.add_column("trained", justify="right")
    made.add_column("random", justify="right")
    trained, random = report.trained, report.random
    made.add_row("return", value(trained.mean_return), value(random.mean_return))
    made.add_row("length", value(trained.mean_length, 0), value(random.mean_length, 0), end_section=True)
    for name in sorted(trained.rates, key=lambda name: -trained.rates[name].value):
        if max(trained.rates[name].value, random.rates[name].value) > 0:
            made.add_row(name.replace("_", " "), percent(trained.rates[name]), percent(random.rates[name]))
    return made


def notes(report: Report) -> list[str]:
    """What the table leaves out."""
    told = []
    if report.random.mean_return.value > 0:
        told.append(f"The trained agent's mean return is {report.gain:.1f} times the random agent's.")
    never = [n for n, rate in report.trained.rates.items() if rate.value == report.random.rates[n].value == 0]
    if never:
        most = 100 * report.trained.rates[never[0]].high
        names = ", ".join(name.replace("_", " ") for name in never)
        told.append(f"Unlocked by neither (0 %, at most {most:.1f} %): {names}.")
    for agent, result in (("trained", report.trained), ("random", report.random)):
        if result.unfinished:
            told.append(
                f"{result.unfinished} episodes of the {agent} agent had not ended after {report.max_steps} steps "
                f"and count as they stood then."
            )
    return told


def value(estimate: Estimate, digits: int = 2) -> str:
    """An estimate as "mean (low to high)"."""
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"


def percent(estimate: Estimate) -> str:
    """A rate as "12.3 % (10.1 to 14.9)"."""
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"
