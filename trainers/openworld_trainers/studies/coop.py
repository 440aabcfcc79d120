"""Does a team that learned together beat one player alone in the same worlds?

    python -m openworld_trainers.studies.coop --out runs/coop --json docs/results/coop-cpu.json

A shared policy is trained in teams and another one alone, for as long each. Both are then measured in the same
held-out worlds: how much of the achievements' weight somebody of a world unlocks, what each player's return is, and
how long a world lasts.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from openworld.bench import machine
from openworld.content.achievements import WEIGHTS
from openworld.content.ids import Achievement
from openworld.judging import intervals
from openworld.system import cache
from openworld.system.files import STUDY, check_output, replacing
from openworld_trainers.ppo.config import Config, Learning, Network, Rollout, Run, World, to_dict
from openworld_trainers.ppo.network_policy import Policy
from openworld_trainers.ppo.worlds import make
from openworld_trainers.run.evaluate import play_held_out
from openworld_trainers.run.metrics import RunFolder
from openworld_trainers.run.train import load_policy, train

ID = "OpenWorld-Coop-v0"


@dataclass(frozen=True, kw_only=True)
class Study:
    """Train a team and one alone, and measure them in the same worlds.

    Attributes:
        out: the folder of the runs; those that are there are kept, and measured as they are.
        players: of the team.
        sharing: the share of a team's rewards that is the mean of all.
        seconds: of training, of each.
        worlds: held-out worlds to measure in.
        steps: after which an episode is counted as it stands.
        seed: of both.
        json: where the numbers go.
    """

    out: Path = Path("runs/coop")
    players: int = 4
    sharing: float = 0.0
    seconds: float = 150.0
    worlds: int = 64
    steps: int = 1000
    seed: int = 0
    json: Path | None = None


def config(study: Study, players: int) -> Config:
    """The settings of a run: the demo's, for teams of so many players."""
    sharing = study.sharing if players > 1 else 0.0
    return Config(
        world=World(id=ID, players=players, sharing=sharing),
        network=Network(embedding=4, learn_embedding=False),
        rollout=Rollout(worlds=512, steps=16),
        learning=Learning(minibatch_size=256, epochs=1, learning_rate=4e-4, final_learning_rate=0.0),
        run=Run(seed=study.seed, time_budget_s=study.seconds, save_every_s=3600.0, film=False),
    )


def trained(study: Study, players: int) -> tuple[Policy, int]:
    """The policy of a run of so many players, trained unless it is there, and of how many transitions."""
    folder = study.out / f"players-{players}"
    if not (folder / "config.json").exists():
        train(config(study, players), folder)
    return load_policy(folder), int(RunFolder(folder).metrics()[-1]["transitions"])


def measure(study: Study, policy: Policy, players: int) -> dict[str, Any]:
    """Play one episode in each held-out world; return what came of it, world by world."""
    world = make(World(id=ID, players=players))
    played = play_held_out(world, policy, study.worlds * players, study.steps)
    weights = np.array([WEIGHTS[achievement] for achievement in Achievement])
    seats = (study.worlds, players)
    unlocked = played.unlocked.reshape(*seats, -1).any(axis=1)
    return {
        "weight": (unlocked @ weights).tolist(),
        "return": played.returns.reshape(seats).mean(axis=1).tolist(),
        "length": played.lengths.reshape(seats)[:, 0].tolist(),
    }


def main(study: Study) -> dict[str, Any]:
    """Train, measure, print, and return the numbers."""
    check_output(study.json, STUDY, force=True)
    cache.enable()
    (team, with_others), (alone, by_itself) = trained(study, study.players), trained(study, 1)
    random = Policy(team.network, jnp.float32(0))
    each = {
        "the learned team": measure(study, team, study.players),
        "a random team": measure(study, random, study.players),
        "one of the team alone": measure(study, team, 1),
        "one who learned alone": measure(study, alone, 1),
    }
    told = {
        "settings": to_dict(config(study, study.players)),
        **machine.facts(),
        "players": study.players,
        "worlds": study.worlds,
        "steps": study.steps,
        "seconds": study.seconds,
        "transitions": {"team": with_others, "alone": by_itself},
        "agents": {name: {key: _told(values) for key, values in of.items()} for name, of in each.items()},
    }
    ahead = {}
    for name in ("one of the team alone", "one who learned alone"):
        gain = np.subtract(each["the learned team"]["weight"], each[name]["weight"])
        ahead[name] = _told(gain.tolist())
    told["ahead"] = ahead
    _say(told)
    if study.json is not None:
        with replacing(study.json) as aside:
            aside.write_text(json.dumps(told, indent=1, default=str) + "\n")
    return told


def _told(values: list[float]) -> dict[str, float]:
    return dataclasses.asdict(intervals.mean([float(value) for value in values]))


def _say(told: dict[str, Any]) -> None:
    """Print the numbers as a table of means and 95 % intervals."""
    print(f"{told['worlds']} held-out worlds, {told['steps']} steps at most; means and 95 % intervals")
    for name, of in told["agents"].items():
        numbers = (f"{key} {e['value']:7.2f} ({e['low']:.2f} to {e['high']:.2f})" for key, e in of.items())
        print(f"  {name:<22} {', '.join(numbers)}")
    for name, e in told["ahead"].items():
        gain = f"{e['value']:+.2f} ({e['low']:+.2f} to {e['high']:+.2f})"
        print(f"  the learned team is ahead of {name} by {gain} of weight in the same worlds")


if __name__ == "__main__":
    import tyro

    main(tyro.cli(Study))
