"""The settings of a run in its folder, the changes that a resumed run may make, and its newest policy."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from openworld_trainers.errors import TrainerError
from openworld_trainers.ppo import config as settings
from openworld_trainers.ppo.batched_env import BatchedEnv, identity_problem, make_env
from openworld_trainers.ppo.config import Config, Network
from openworld_trainers.ppo.devices import all_agree, is_first, wait_for_all
from openworld_trainers.ppo.network_policy import Policy
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.run.checkpoint import CheckpointError, Checkpoints
from openworld_trainers.run.folder import CONFIG, RunFolder, RunFolderError
from openworld_trainers.run.lock import Lock, LockedError, acquire
from openworld_trainers.run.signals import cleanup_on_exit

Result = TypeVar("Result")

#: Settings that a resumed run may change: the arrays of a checkpoint do not depend on them.
CHANGEABLE = ("run", "learning", "advantage")
#: Entries of the record about how a run was started; a resumed run keeps them.
MADE = ("command", "origin")


@contextmanager
def exclusive_run(folder: RunFolder, doing: str, force: bool = False) -> Iterator[Lock | None]:
    """Own a run's folder as its only writer; the first of several processes has the lock for all."""
    lock, problem = None, None
    if is_first():
        try:
            lock = acquire(folder.path, doing, force)
        except TrainerError as error:
            problem = error
    if not all_agree(problem is None):
        raise problem or LockedError(f"{folder.path} is not available; see the message of the first process")
    if lock is None:
        yield None
        return
    with cleanup_on_exit(lock.release):
        try:
            yield lock
        finally:
            lock.release()


def new_run_config(folder: RunFolder, config: Config | None, made: Mapping[str, Any] | None = None) -> Config:
    """Start a run in an empty folder, and return its settings.

    Args:
        folder: of the run.
        config: its settings.
        made: what else its record says: the command that started it, and the agent that it started from.
    """
    if config is None:
        raise RunFolderError("a new run needs settings; only a resumed run has them already")
    if is_first():
        folder.create({"config": settings.to_dict(config), "derived": config.derived(), **(made or {})})
    wait_for_all("begun")
    return config


def resumed_run_config(folder: RunFolder, config: Config | None) -> Config:
    """Return the settings of a resumed run: its own, or new ones that its checkpoints allow."""
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
    if kept.learning.optimiser != config.learning.optimiser:
        raise RunFolderError(
            f"{folder.path} was begun with optimiser={kept.learning.optimiser}, now {config.learning.optimiser}: "
            f"its checkpoints hold the state of the one it was begun with"
        )
    wait_for_all("compared")
    if is_first():
        record = folder.read_settings()
        made = {name: record[name] for name in MADE if name in record}
        folder.write_settings({"config": settings.to_dict(config), "derived": config.derived(), **made})
    return config


def can_continue(folder: RunFolder, checkpoints: Checkpoints) -> bool:
    """Return whether a run can be continued; one that was killed before its first checkpoint starts again."""
    return bool(checkpoints.numbers() or folder.metrics())


def read_newest(checkpoints: Checkpoints, read: Callable[[int], Result]) -> Result:
    """Read the newest checkpoint; if training removes it meanwhile, read the next one."""
    while True:
        number = checkpoints.latest()
        try:
            return read(number)
        except CheckpointError:
            if number in checkpoints.numbers():
                raise


def difference(old: Any, new: Any) -> str:
    """Return the names and values that differ between two groups of settings."""
    pairs = zip(dataclasses.asdict(old).items(), dataclasses.asdict(new).values(), strict=True)
    return ", ".join(f"{name}={was}, now {now}" for (name, was), now in pairs if was != now)


def read_config(folder: RunFolder) -> Config:
    """Return the settings of a run."""
    kept = folder.read_settings()
    try:
        return settings.from_dict(kept["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunFolderError(f"{folder.path} keeps settings of another version: {error}") from error


def check_identity(env: BatchedEnv, facts: dict[str, Any], path: Path) -> None:
    """Raise `CheckpointError` if a checkpoint was made in another environment."""
    if problem := identity_problem(env, facts):
        raise CheckpointError(f"{path} {problem}")


def check_network(network: Network, facts: dict[str, Any], path: Path) -> None:
    """Raise `CheckpointError` if a checkpoint's network had other settings."""
    here, there = settings.to_dict(network), facts.get("network")
    if there is None or there == here:
        return
    kept = there if isinstance(there, dict) else {}
    names = [name for name in here if kept.get(name) != here[name]]
    changed = ", ".join(f"{name}={str(kept.get(name))[:40]}, in {CONFIG} {here[name]}" for name in names)
    raise CheckpointError(
        f"{path} was saved with other settings of the network: {changed or 'names that this version does not have'}"
    )


def newest_policy(env: BatchedEnv, config: Config, folder: RunFolder) -> Policy:
    """Return the newest policy of a run in its environment."""
    checkpoints = Checkpoints(folder.checkpoints)
    shapes = jax.eval_shape(lambda: make_network(env, config.network, jax.random.key(0)))

    def read(number: int) -> Policy:
        facts = checkpoints.manifest(number).facts
        check_identity(env, facts, checkpoints.path(number))
        check_network(config.network, facts, checkpoints.path(number))
        return Policy(checkpoints.restore(number, "policy", shapes), jnp.float32(1))

    return read_newest(checkpoints, read)


def load_policy(run_dir: Path | str) -> Policy:
    """Return the newest policy of a run: `(carry, key, observation) -> (carry, action)` on batches."""
    folder = RunFolder(run_dir)
    config = read_config(folder)
    return newest_policy(make_env(config.env), config, folder)
