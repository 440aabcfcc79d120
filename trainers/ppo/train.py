"""A training run: build or restore, then collect, improve, log and save until it is over."""

import dataclasses
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from trainers.checkpoint import CheckpointError, Checkpoints
from trainers.display import Display
from trainers.errors import TrainerError
from trainers.ppo import config as settings
from trainers.ppo.config import Config
from trainers.ppo.learner import Learner, begin, outer_update, row_of
from trainers.ppo.networks import count_parameters, make_network
from trainers.ppo.play import Policy
from trainers.ppo.worlds import Worlds, achievement_names, identity, make
from trainers.sinks import RunFolder, RunFolderError

#: Settings that a resumed run may change: the arrays of a checkpoint do not depend on them.
CHANGEABLE = ("run", "learning", "horizon")


class DivergedError(TrainerError):
    """Training met a number that is none."""


@dataclass
class Clock:
    """Where a run stands. `seconds` are those spent training, of all its sittings together."""

    config: Config
    updates: int = 0
    seconds: float = 0.0
    began: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def transitions(self) -> int:
        """Steps played, of all worlds together."""
        return self.updates * self.config.rollout.batch

    def elapsed(self) -> float:
        """Seconds of training until now."""
        return self.seconds + time.monotonic() - self.began

    def progress(self) -> float:
        """The share of the run that is done, by whichever limit is nearer; it drives the learning rate."""
        run = self.config.run
        done = self.transitions / run.transitions
        return min(1.0, max(done, self.elapsed() / run.time_budget_s) if run.time_budget_s else done)

    def seconds_left(self) -> float:
        """Seconds until the run is over, at its pace so far."""
        done = self.progress()
        return self.elapsed() * (1 - done) / done if done else float("inf")


def train(config: Config | None, run_dir: Path | str, resume: bool = False) -> Path:
    """Train in a folder and return it.

    Args:
        config: the settings; None, on resuming, keeps those of the run.
        resume: continue from the last checkpoint of the run in that folder; its metrics go on from there.
    """
    folder = RunFolder(run_dir)
    if config is not None:
        make(config.world)  # an unknown id is refused before there is a folder
    config = resumed_config(folder, config) if resume else begun_config(folder, config)
    world = make(config.world)
    train_in(world, config, folder, resume)
    if config.run.film:
        from trainers.ppo.film import film

        for told in film(folder.path):
            print(told)
    return folder.path


def train_in(world: Worlds, config: Config, folder: RunFolder, resume: bool = False) -> Learner:
    """Train in a world that is made already; the folder holds the settings."""
    checkpoints = Checkpoints(folder.checkpoints, config.run.keep)
    clock = Clock(config)
    with Display(f"{world.id} in {folder.path}") as display:
        learner = restore(world, checkpoints, clock) if resume else start(world, checkpoints, clock)
        folder.forget_after(clock.updates)
        describe(learner, clock, display)
        learner = loop(world, learner, clock, folder, checkpoints, display)
        display.say(f"learning curve: {folder.draw()}")
    return learner


def loop(
    world: Worlds,
    learner: Learner,
    clock: Clock,
    folder: RunFolder,
    checkpoints: Checkpoints,
    display: Display,
) -> Learner:
    """Update until the run is over, or until it is interrupted, and save."""
    improve = jax.jit(outer_update(world, clock.config), donate_argnums=0)
    names = achievement_names(world)
    saved, saved_at = clock.updates, clock.elapsed()
    with interruption() as interrupted:
        while clock.progress() < 1 and not interrupted():
            before = time.monotonic()
            learner, outcome = improve(learner, learning_rate(clock))
            row = row_of(outcome, names)
            if not outcome.finite:
                raise diverged(clock, checkpoints)
            clock.updates += 1
            row = head(clock, time.monotonic() - before) | row
            folder.append(row)
            display.show(row, clock.progress(), clock.seconds_left(), last=clock.progress() >= 1)
            if clock.elapsed() - saved_at >= clock.config.run.save_every_s:
                save(world, learner, clock, checkpoints)
                saved, saved_at = clock.updates, clock.elapsed()
        if saved < clock.updates:
            save(world, learner, clock, checkpoints)
        if interrupted():
            raise TrainerError(
                f"interrupted after update {clock.updates}, which is saved; resume {folder.path}"
            )
    return learner


def learning_rate(clock: Clock) -> jax.Array:
    """The learning rate now: on a straight line from the first to the final one."""
    learning = clock.config.learning
    first = last = learning.learning_rate
    if learning.final_learning_rate is not None:
        last = learning.final_learning_rate
    return jnp.float32(first + (last - first) * clock.progress())


def head(clock: Clock, seconds: float) -> dict[str, Any]:
    """The first columns of a row of metrics; `steps_per_second` is of this update alone."""
    return {
        "update": clock.updates,
        "transitions": clock.transitions,
        "seconds": round(clock.elapsed(), 3),
        "steps_per_second": round(clock.config.rollout.batch / seconds, 1),
    }


def begun_config(folder: RunFolder, config: Config | None) -> Config:
    """Begin a run in an empty folder."""
    if config is None:
        raise RunFolderError("a new run needs settings; only a resumed one has them already")
    folder.create({"config": settings.to_dict(config), "derived": config.derived()})
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
    folder.write_settings({"config": settings.to_dict(config), "derived": config.derived()})
    return config


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


def start(world: Worlds, checkpoints: Checkpoints, clock: Clock) -> Learner:
    """Begin a learner and save it: a run always has a checkpoint, and a full disk shows before the work."""
    learner = jax.jit(lambda: begin(world, clock.config))()
    save(world, learner, clock, checkpoints)
    return learner


def restore(world: Worlds, checkpoints: Checkpoints, clock: Clock) -> Learner:
    """Read the newest checkpoint back and set the clock by it."""
    number = checkpoints.latest()
    facts = checkpoints.read(number).facts
    check_identity(world, facts, checkpoints.path(number))
    template = jax.eval_shape(lambda: begin(world, clock.config)).parts()
    parts = {name: checkpoints.restore(number, name, tree) for name, tree in template.items()}
    clock.updates, clock.seconds, clock.began = number, facts["seconds"], time.monotonic()
    return Learner.of(parts)


def save(world: Worlds, learner: Learner, clock: Clock, checkpoints: Checkpoints) -> None:
    """Save everything that a resumed run needs."""
    facts = identity(world) | {"seconds": clock.elapsed(), "transitions": clock.transitions}
    checkpoints.save(clock.updates, learner.parts(), facts)


def check_identity(world: Worlds, facts: dict[str, Any], path: Path) -> None:
    """Raise `CheckpointError` where a checkpoint was made in another world."""
    for name, here in identity(world).items():
        if facts.get(name) != here:
            raise CheckpointError(
                f"{path} is of another version: {name} {facts.get(name)} there and {here} here"
            )


def trained_policy(world: Worlds, config: Config, folder: RunFolder) -> Policy:
    """The newest policy of a run."""
    checkpoints = Checkpoints(folder.checkpoints)
    number = checkpoints.latest()
    check_identity(world, checkpoints.read(number).facts, checkpoints.path(number))
    template = jax.eval_shape(lambda: make_network(world, config.network, jax.random.key(0)))
    return Policy(checkpoints.restore(number, "policy", template), jnp.float32(1))


def load_policy(run_dir: Path | str) -> Policy:
    """The newest policy of a run: `(carry, key, observation) -> (carry, action)` on batches."""
    folder = RunFolder(run_dir)
    config = read_config(folder)
    return trained_policy(make(config.world), config, folder)


def diverged(clock: Clock, checkpoints: Checkpoints) -> DivergedError:
    """The error that stops a run whose numbers are none."""
    number = checkpoints.latest()
    return DivergedError(
        f"training stopped in update {clock.updates + 1}: the loss or its gradient is not a finite number; the "
        f"last good checkpoint is {checkpoints.path(number)}; resume with a smaller learning rate"
    )


def describe(learner: Learner, clock: Clock, display: Display) -> None:
    """Say what is about to happen."""
    derived = ", ".join(
        f"{name.replace('_', ' ')} {value:,}" for name, value in clock.config.derived().items()
    )
    display.say(f"{count_parameters(learner.network):,} parameters; {derived}")
    display.say(
        f"{'going on from' if clock.updates else 'beginning at'} update {clock.updates}; "
        f"the first update compiles, which may take half a minute"
    )


@contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C end the run after its update, saved; the second ends it at once."""
    asked = threading.Event()

    def ask(number: int, frame: Any) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
