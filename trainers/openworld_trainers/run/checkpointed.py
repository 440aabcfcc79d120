"""The policy of a run, or of one of its checkpoints, as an agent with a model card."""

import shlex
from functools import partial
from pathlib import Path
from typing import Any

from openworld_trainers.errors import require
from openworld_trainers.ppo.batched_env import make_env
from openworld_trainers.ppo.networks import ActorCritic
from openworld_trainers.run.checkpoint import Checkpoints
from openworld_trainers.run.exported import card_of, check_finite, named_arrays, shapes_of
from openworld_trainers.run.folder import RunFolder
from openworld_trainers.run.settings import check_identity, check_network, read_config, read_newest


def newest(run_dir: Path) -> tuple[ActorCritic, dict[str, Any]]:
    """Return the newest policy of a run, and a model card for it."""
    return read_newest(Checkpoints(RunFolder(run_dir).checkpoints), partial(of_checkpoint, run_dir))


def of_checkpoint(run_dir: Path, number: int) -> tuple[ActorCritic, dict[str, Any]]:
    """Return a checkpoint's policy, and a model card for it."""
    require("train", "orbax.checkpoint", purpose="reading a run")
    folder = RunFolder(run_dir)
    record, config = folder.read_settings(), read_config(folder)
    checkpoints, env = Checkpoints(folder.checkpoints), make_env(config.env)
    facts = checkpoints.manifest(number).facts
    check_identity(env, facts, checkpoints.path(number))
    check_network(config.network, facts, checkpoints.path(number))
    network = checkpoints.restore(number, "policy", shapes_of(env, config.network))
    check_finite(named_arrays(network), checkpoints.path(number))
    rows = [row for row in folder.metrics() if row["update"] <= number and row.get("return") is not None]
    last = rows[-1] if rows else {}
    training = {
        "updates": number,
        "transitions": facts.get("transitions"),
        "seconds": facts.get("seconds"),
        "return": last.get("return"),
        "episode_length": last.get("length"),
        "command": without_folder(record.get("command")),
        "origin": record.get("origin"),
    }
    made_with = {"commit": record.get("commit", ""), "versions": record.get("versions", {})}
    return network, card_of(env, config, network, training, made_with)


def without_folder(command: str | None) -> str | None:
    """Return the command of a run without its `--out`, which says nothing about the agent.

    Example:
        >>> without_folder("openworld train --out /home/me/runs/x --preset cpu")
        'openworld train --preset cpu'
    """
    if command is None:
        return None
    words = shlex.split(command)
    kept = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if before != "--out" and word != "--out" and not word.startswith("--out=")
    ]
    return shlex.join(kept)
