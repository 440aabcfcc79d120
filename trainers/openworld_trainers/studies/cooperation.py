"""A study of cooperation: players that learned together, compared with one player.

    python -m openworld_trainers.studies.cooperation --out runs/coop --json docs/results/coop-cpu.json

One policy is trained with several players and another with one, for the same time. Both are measured in the
same held-out worlds: the total weight of the achievements that any player of a world unlocks, the return of
each player, and the length of the episode.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from openworld.content.achievements import WEIGHTS
from openworld.content.ids import Achievement
from openworld.judging import intervals
from openworld.system import cache, provenance
from openworld.system.files import STUDY, check_output, replacing
from openworld_trainers.ppo.batched_env import make_env
from openworld_trainers.ppo.config import Config, Env, Learning, Network, Rollout, Run, to_dict
from openworld_trainers.ppo.network_policy import Policy
from openworld_trainers.run.evaluate import play_held_out
from openworld_trainers.run.folder import RunFolder
from openworld_trainers.run.settings import load_policy
from openworld_trainers.run.train import train

ID = "OpenWorld-Coop-v0"


@dataclass(frozen=True, kw_only=True)
class Study:
    """Train with several players and with one, and measure both in the same worlds.

    Attributes:
        out: the folder of the runs; existing runs are measured and not trained again.
        players: players in a world.
        sharing: the share of each reward that is the mean of all players.
        seconds: seconds of training, for each policy.
        worlds: held-out worlds.
        steps: the longest episode.
        seed: seed of both runs.
        json: the file of the numbers; None: no file.
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
    """Return the settings of a run: those of the demo, with a number of players."""
    sharing = study.sharing if players > 1 else 0.0
    return Config(
        env=Env(id=ID, players=players, sharing=sharing),
        network=Network(embedding=4, learn_embedding=False),
        rollout=Rollout(worlds=512, steps=16),
        learning=Learning(minibatch_size=256, epochs=1, learning_rate=4e-4, schedule="linear"),
        run=Run(seed=study.seed, time_budget_s=study.seconds, save_every_s=3600.0, film=False),
    )


def trained(study: Study, players: int) -> tuple[Policy, int]:
    """Return the policy of a run with a number of players, trained if necessary, and its transitions."""
    folder = study.out / f"players-{players}"
    if not (folder / "config.json").exists():
        train(config(study, players), folder)
    return load_policy(folder), int(RunFolder(folder).metrics()[-1]["transitions"])


def measure(study: Study, policy: Policy, players: int) -> dict[str, Any]:
    """Play one episode in each held-out world; return weight, return and length of each."""
    env = make_env(Env(id=ID, players=players))
    played = play_held_out(env, policy, study.worlds * players, study.steps)
    weights = np.array([WEIGHTS[achievement] for achievement in Achievement])
    by_world = (study.worlds, players)
    unlocked = played.unlocked.reshape(*by_world, -1).any(axis=1)
    return {
        "weight": (unlocked @ weights).tolist(),
        "return": played.returns.reshape(by_world).mean(axis=1).tolist(),
        "length": played.lengths.reshape(by_world)[:, 0].tolist(),
    }


def main(study: Study) -> dict[str, Any]:
    """Train, measure, print, and return the numbers.

    Example:
        >>> main(Study(players=2, seconds=60.0))  # doctest: +SKIP
    """
    check_output(study.json, STUDY, force=True)
    cache.enable()
    (coop, coop_transitions), (alone, alone_transitions) = trained(study, study.players), trained(study, 1)
    random = Policy(coop.network, jnp.float32(0))
    each = {
        "trained coop": measure(study, coop, study.players),
        "random coop": measure(study, random, study.players),
        "one coop player alone": measure(study, coop, 1),
        "one trained alone": measure(study, alone, 1),
    }
    result = {
        "settings": to_dict(config(study, study.players)),
        **provenance.facts(),
        "players": study.players,
        "worlds": study.worlds,
        "steps": study.steps,
        "seconds": study.seconds,
        "transitions": {"coop": coop_transitions, "alone": alone_transitions},
        "agents": {name: {key: _interval(values) for key, values in of.items()} for name, of in each.items()},
    }
    ahead = {}
    for name in ("one coop player alone", "one trained alone"):
        gain = np.subtract(each["trained coop"]["weight"], each[name]["weight"])
        ahead[name] = _interval(gain.tolist())
    result["ahead"] = ahead
    _print(result)
    if study.json is not None:
        with replacing(study.json) as aside:
            aside.write_text(json.dumps(result, indent=1, default=str) + "\n")
    return result


def _interval(values: list[float]) -> dict[str, float]:
    return dataclasses.asdict(intervals.mean([float(value) for value in values]))


def _print(result: dict[str, Any]) -> None:
    """Print a table of means and 95 % intervals."""
    print(f"{result['worlds']} held-out worlds, {result['steps']} steps at most: means and 95 % intervals")
    for name, of in result["agents"].items():
        numbers = (f"{key} {e['value']:7.2f} ({e['low']:.2f} to {e['high']:.2f})" for key, e in of.items())
        print(f"  {name:<22} {', '.join(numbers)}")
    for name, e in result["ahead"].items():
        gain = f"{e['value']:+.2f} ({e['low']:+.2f} to {e['high']:+.2f})"
        print(f"  trained coop minus {name}: {gain} of weight in the same worlds")


if __name__ == "__main__":
    import tyro

    from openworld.system import numbers

    main(tyro.cli(Study, registry=numbers.registry()))
