"""The settings that a run keeps in its folder, and which of them a resumed run may change."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from openworld_trainers.errors import TrainerError
from openworld_trainers.ppo import config as settings
from openworld_trainers.ppo.config import Config, Network
from openworld_trainers.ppo.devices import all_agree, is_first, wait_for_all
from openworld_trainers.ppo.env import BatchedEnv, env_identity, make_env
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.run.checkpoint import CheckpointError, Checkpoints
from openworld_trainers.run.lock import Lock, LockedError, acquire
from openworld_trainers.run.metrics import CONFIG, RunFolder, RunFolderError
from openworld_trainers.run.play import Policy
from openworld_trainers.run.signals import leaving

Kept = TypeVar("Kept")

#: Settings that a resumed run may change: the arrays of a checkpoint do not depend on them.
CHANGEABLE = ("run", "learning", "advantage")


@contextmanager
def alone_in(folder: RunFolder, doing: str, force: bool = False) -> Iterator[Lock | None]:
    """Own a run's folder as its one writer; of several processes the first has the lock, for all of them."""
    lock, problem = None, None
    if is_first():
        try:
            lock = acquire(folder.path, doing, force)
        except TrainerError as error:
            problem = error
    if not all_agree(problem is None):
        raise problem or LockedError(f"{folder.path} cannot be had; the first process says why")
    if lock is None:
        yield None
        return
    with leaving(lock.release):
        try:
            yield lock
        finally:
            lock.release()


def begun_config(folder: RunFolder, config: Config | None) -> Config:
    """Begin a run in an empty folder."""
    if config is None:
        raise RunFolderError("a new run needs settings; only a resumed one has them already")
    if is_first():
        folder.create({"config": settings.to_dict(config), "derived": config.derived()})
    wait_for_all("begun")
    return config


def resumed_config(folder: RunFolder, config: Config | None) -> Config:
    """Settings to go on with: the run's own, or new ones that its checkpoints allow."""
    kept = read_config(folder)
    if config is None or config == kept:
        return kept
    for field in dataclasses.fields(Config):
        old, new = getattr(kept, field.name), getattr(config, field.name)
        if old != new and field.name not in CHANGEABLE:
            raise RunFolderError(
                f"{folder.path} was begun with another {field.name} ({difference(old, new)}); "
                f"a resumed run can change only {', '.join(CHANGEABLE)}"
            )
    if (kept.learning.ewma is None) != (config.learning.ewma is None):
        raise RunFolderError(
            f"{folder.path} was begun with ewma={kept.learning.ewma}, now {config.learning.ewma}: its checkpoints "
            f"hold an average of the policy only if it was begun with one"
        )
    wait_for_all("compared")
    if is_first():
        folder.write_settings({"config": settings.to_dict(config), "derived": config.derived()})
    return config


def got_going(folder: RunFolder, checkpoints: Checkpoints) -> bool:
    """Whether a run has anything to go on from; one that was killed before its first checkpoint is begun anew."""
    return bool(checkpoints.numbers() or folder.metrics())


def of_newest(checkpoints: Checkpoints, read: Callable[[int], Kept]) -> Kept:
    """Read the newest checkpoint; where training removes it meanwhile, the one that is newest then."""
    while True:
        number = checkpoints.latest()
        try:
            return read(number)
        except CheckpointError:
            if number in checkpoints.numbers():
                raise


def difference(old: Any, new: Any) -> str:
    """Name what differs between two records of settings."""
    pairs = zip(dataclasses.asdict(old).items(), dataclasses.asdict(new).values(), strict=True)
    return ", ".join(f"{name}={was}, now {now}" for (name, was), now in pairs if was != now)


def read_config(folder: RunFolder) -> Config:
    """The settings that a run keeps."""
    try:
        return settings.from_dict(folder.read_settings()["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunFolderError(f"{folder.path} keeps settings of another version: {error}") from error


def check_identity(env: BatchedEnv, facts: dict[str, Any], path: Path) -> None:
    """Raise `CheckpointError` where a checkpoint was made in another world."""
    for name, here in env_identity(env).items():
        if facts.get(name) != here:
            raise CheckpointError(
                f"{path} is of another version: {name} {facts.get(name)} there and {here} here"
            )


def check_network(network: Network, facts: dict[str, Any], path: Path) -> None:
    """Raise `CheckpointError` where a checkpoint's network had other settings; earlier versions kept none."""
    here, there = settings.to_dict(network), facts.get("network")
    if there is None or there == here:
        return
    kept = there if isinstance(there, dict) else {}
    names = [name for name in here if kept.get(name) != here[name]]
    told = ", ".join(f"{name}={str(kept.get(name))[:40]}, in {CONFIG} {here[name]}" for name in names)
    raise CheckpointError(
        f"{path} was saved with other settings of the network: {told or 'more than are known'}"
    )


def newest_policy(env: BatchedEnv, config: Config, folder: RunFolder) -> Policy:
    """The newest policy of a run."""
    checkpoints = Checkpoints(folder.checkpoints)
    shapes = jax.eval_shape(lambda: make_network(env, config.network, jax.random.key(0)))

    def read(number: int) -> Policy:
        facts = checkpoints.manifest(number).facts
        check_identity(env, facts, checkpoints.path(number))
        check_network(config.network, facts, checkpoints.path(number))
        return Policy(checkpoints.restore(number, "policy", shapes), jnp.float32(1))

    return of_newest(checkpoints, read)


def load_policy(run_dir: Path | str) -> Policy:
    """The newest policy of a run: `(carry, key, observation) -> (carry, action)` on batches."""
    folder = RunFolder(run_dir)
    config = read_config(folder)
    return newest_policy(make_env(config.env), config, folder)
