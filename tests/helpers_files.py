"""A valid file of each format, a reader of it, and ways to damage it.

`SEEDS[name].make(folder)` writes a file (and what belongs beside it) and returns the one to damage;
`SEEDS[name].read(path)` returns what it means, or raises the one error that its reader documents.
"""

import hashlib
import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

import openworld
import openworld_trainers
from openworld.storage import saving
from openworld.storage.replay import Replay, ReplayError
from openworld.storage.saving import StateError
from openworld_trainers.ppo import config as settings
from openworld_trainers.ppo.batched_env import env_identity, make_env
from openworld_trainers.ppo.config import Config, Env, Learning, Network, Rollout, Run
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.run.agent import AgentError
from openworld_trainers.run.checkpoint import MANIFEST, CheckpointError, Checkpoints
from openworld_trainers.run.export import export
from openworld_trainers.run.exported import CARD, WEIGHTS
from openworld_trainers.run.folder import CONFIG, METRICS, RunFolder, RunFolderError
from openworld_trainers.run.settings import read_config

ID = "OpenWorld-Classic-v0"
#: What a reader said a file means: one text, or of metrics one for each row.
Meaning = tuple[str, ...]


class Seed(NamedTuple):
    """A format of files.

    Attributes:
        make: writes a valid file into a folder and returns its path; a second or two at most.
        read: returns what a file means.
        error: the one error that `read` raises for a damaged file.
        same: whether a damaged file that could be read means what it should: `same(before, after)`.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], Meaning]
    error: type[ValueError]
    same: Callable[[Meaning, Meaning], bool] = tuple.__eq__


def digest(*parts: object) -> str:
    """Arrays by their bytes, everything else by its representation."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            total.update(f"{part.dtype}{part.shape}".encode() + part.tobytes())
        else:
            total.update(repr(part).encode())
    return total.hexdigest()


def arrays_of(tree: object) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def make_replay(folder: Path) -> Path:
    actions = np.random.default_rng(0).integers(17, size=200).astype(np.uint8)
    made = Replay(ID, "classic-1", 10_000, (3, 4), actions, "0" * 32, 1.5, "terminated")
    return made.save(folder / "a.replay")


def read_replay(path: Path) -> Meaning:
    loaded = Replay.load(path)
    return (digest(loaded.actions, {**vars(loaded), "actions": 0}),)


@cache
def world() -> openworld.Environment:
    return openworld.make(ID)


def make_state(folder: Path) -> Path:
    _, state = world().reset(5, 3)
    path = folder / "a.state"
    path.write_bytes(saving.save_state(world(), state, over=[False] * 3))
    return path


def read_state(path: Path) -> Meaning:
    data = path.read_bytes()
    return (digest(*arrays_of(saving.load_state(world(), data)), saving.notes_of(data)),)


CONFIG_OF_RUN = Config(
    env=Env(id=ID),
    network=Network(width=8, depth=1, embedding=2, precision="float32"),
    rollout=Rollout(worlds=16, steps=16),
    learning=Learning(minibatch_size=64),
    run=Run(transitions=1024, film=False),
)


def make_run(folder: Path) -> Path:
    """A run's folder with a checkpoint of its policy."""
    run, game = RunFolder(folder / "run"), make_env(CONFIG_OF_RUN.env)
    run.create({"config": settings.to_dict(CONFIG_OF_RUN), "derived": CONFIG_OF_RUN.derived()})
    for update in range(1, 9):
        run.append({"update": update, "transitions": update * 256, "return": update / 3, "entropy": None})
    network = make_network(game, CONFIG_OF_RUN.network, jax.random.key(0))
    facts = env_identity(game) | {"seconds": 12.5, "transitions": 256}
    Checkpoints(run.checkpoints).save(7, {"policy": network}, facts)
    return run.path


def make_manifest(folder: Path) -> Path:
    return Checkpoints(RunFolder(make_run(folder)).checkpoints).path(7) / MANIFEST


def make_arrays(folder: Path) -> Path:
    part = make_manifest(folder).parent / "policy"
    return max((file for file in part.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)


def read_checkpoint(path: Path) -> Meaning:
    """What is in the checkpoint that a file belongs to."""
    path = next(parent for parent in path.parents if parent.parent.name == "checkpoints")
    checkpoints = Checkpoints(path.parent)
    manifest = checkpoints.read(int(path.name))
    template = jax.eval_shape(
        lambda: make_network(make_env(CONFIG_OF_RUN.env), CONFIG_OF_RUN.network, jax.random.key(0))
    )
    restored = checkpoints.restore(int(path.name), "policy", template)
    return (digest(*arrays_of(restored), sorted(manifest.facts.items())),)


def make_card(folder: Path) -> Path:
    return export(make_run(folder), folder / "agent") / CARD


def make_weights(folder: Path) -> Path:
    return make_card(folder).with_name(WEIGHTS)


def read_export(path: Path) -> Meaning:
    agent = openworld_trainers.load_agent(path.parent)
    return (digest(*arrays_of(agent.network), agent.network.activation, sorted(agent.card.items(), key=str)),)


def make_config(folder: Path) -> Path:
    return make_run(folder) / CONFIG


def read_settings(path: Path) -> Meaning:
    folder = RunFolder(path.parent)
    return (digest(read_config(folder), sorted(folder.read_settings().items())),)


def make_metrics(folder: Path) -> Path:
    return make_run(folder) / METRICS


def read_metrics(path: Path) -> Meaning:
    return tuple(json.dumps(row, sort_keys=True) for row in RunFolder(path.parent).metrics())


def some_of(before: Meaning, after: Meaning) -> bool:
    """Whether rows are as they were; a damaged one may be missing."""
    return set(after) <= set(before)


SEEDS = {
    "replay": Seed(make_replay, read_replay, ReplayError),
    "state": Seed(make_state, read_state, StateError),
    "manifest": Seed(make_manifest, read_checkpoint, CheckpointError),
    "arrays": Seed(make_arrays, read_checkpoint, CheckpointError),
    "card": Seed(make_card, read_export, AgentError),
    "weights": Seed(make_weights, read_export, AgentError),
    "config": Seed(make_config, read_settings, RunFolderError),
    "metrics": Seed(make_metrics, read_metrics, RunFolderError, some_of),
}

#: What is put in the place of a value.
ODD = (
    b"-1",
    b"1e400",
    b"NaN",
    b"null",
    b"true",
    b'"x"',
    b"[]",
    b"{}",
    b"9" * 500,
    b"4294967296",
    b"1.5",
    b'"\\ud800"',
)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Some bytes, changed in one of the ways in which files come to harm."""
    content, at = bytearray(data), chance.randrange(len(data))
    end = min(len(data), at + chance.choice((1, 2, 8, 100)))
    ways = ("flip", "byte", "cut", "drop", "twice", "insert", "value", "digit", "nest", "tail")
    match chance.choice(ways):
        case "flip":
            content[at] ^= 1 << chance.randrange(8)
        case "byte":
            content[at] = chance.randrange(256)
        case "cut":
            del content[at:]
        case "drop":
            del content[at:end]
        case "twice":
            content[at:at] = content[at:end]
        case "insert":
            content[at:at] = chance.randbytes(end - at)
        case "value":
            colon = data.find(b": ", at)
            stop = min((s for s in (data.find(b",", colon), data.find(b"\n", colon)) if s > 0), default=end)
            content[colon + 2 : max(stop, colon + 2)] = chance.choice(ODD)
        case "digit":
            digits = [place for place in range(at, end) if content[place] in b"0123456789"]
            for place in digits:
                content[place] = chance.choice(b"0123456789")
        case "nest":
            content[at:end] = chance.choice((b"[", b'{"a":')) * 50_000
        case "tail":
            content += chance.randbytes(9)
    return bytes(content)


def check(seed: Seed, path: Path, data: bytes, before: Meaning) -> bool:
    """Put bytes in the place of a file; return whether it could be read, and then means what it did."""
    path.write_bytes(data)
    try:
        after = seed.read(path)
    except seed.error as error:
        message = str(error)
        assert "\n" not in message
        assert len(message) < 1000, message
        # A state is bytes without a name.
        assert seed.error is StateError or any(part.name in message for part in (path, *path.parents[:3])), (
            message
        )
        return False
    assert seed.same(before, after), "it means something else"
    return True
