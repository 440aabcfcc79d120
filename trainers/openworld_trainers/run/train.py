"""A training run: make or restore the learner, then update, log and save until the run ends."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from openworld_trainers.errors import StoppedError, TrainerError, require
from openworld_trainers.planner.device_memory import device_memory
from openworld_trainers.planner.plan import check_fits
from openworld_trainers.ppo import devices as several
from openworld_trainers.ppo.batched_env import BatchedEnv, achievement_names, env_identity, make_env
from openworld_trainers.ppo.config import Config, to_dict
from openworld_trainers.ppo.devices import SINGLE_DEVICE, Devices, devices_of
from openworld_trainers.ppo.learner import Learner, init_learner, learner_shapes, make_update, metrics_row
from openworld_trainers.ppo.networks import count_parameters
from openworld_trainers.run.checkpoint import Checkpoints
from openworld_trainers.run.clock import Clock
from openworld_trainers.run.film import film
from openworld_trainers.run.folder import RunFolder, RunFolderError, plain
from openworld_trainers.run.lock import Lock
from openworld_trainers.run.origin import Origin, read_again
from openworld_trainers.run.phases import Phases
from openworld_trainers.run.progress import Display, Output
from openworld_trainers.run.settings import (
    can_continue,
    check_identity,
    check_network,
    exclusive_run,
    new_run_config,
    read_config,
    resumed_run_config,
)
from openworld_trainers.run.signals import Interruption, cleanup_on_exit, interruption


class DivergedError(TrainerError):
    """A loss or a gradient was NaN or infinite."""


@dataclass
class Session:
    """The objects of one session of a run, from its start or resume to its end.

    Attributes:
        folder: of the run.
        checkpoints: in the folder.
        display: of the progress.
        stop: the signals received.
        clock: of the run.
        lock: of the folder; None if the caller makes sure that there is one writer.
    """

    folder: RunFolder
    checkpoints: Checkpoints
    display: Display
    stop: Interruption
    clock: Clock
    lock: Lock | None = None

    def append(self, row: dict[str, Any]) -> None:
        """Add a row of metrics; the error of a full disk names the last checkpoint."""
        try:
            self.folder.append(row)
        except OSError as error:
            raise RunFolderError(
                f"no more metrics can be written to {self.folder.path} ({error.strerror}); the last checkpoint is "
                f"{self.checkpoints.path(self.checkpoints.latest())}"
            ) from error

    def save(self, env: BatchedEnv, learner: Learner, row: dict[str, Any]) -> None:
        """Save a checkpoint, unless another process has taken the run over."""
        if self.lock:
            self.lock.check()
        if row:
            self.folder.flush()
        save(env, learner, self.clock, self.checkpoints, row)


def train(
    config: Config | None,
    run_dir: Path | str,
    resume: bool = False,
    *,
    force: bool = False,
    phases: Phases | None = None,
    origin: Origin | None = None,
    command: str | None = None,
) -> Path:
    """Train in a folder and return it. On several machines each process calls this with the same arguments.

    SIGINT, SIGTERM and SIGHUP end the run after the current update, which is saved.

    Args:
        config: the settings; None with `resume` keeps those of the run.
        run_dir: the run's folder.
        resume: continue from the last checkpoint in the folder.
        force: take the run over from a process on another machine, which has ended without releasing it.
        phases: of a command in which training is one phase.
        origin: the agent whose parameters a new run starts from; None: it starts untrained.
        command: the command line that starts the run, for its record.

    Raises:
        AgentError: the run cannot start from `origin`.
        StoppedError: a signal ended the run.
        DivergedError: a loss or a gradient was NaN or infinite.

    Example:
        >>> from openworld_trainers.ppo.presets import preset
        >>> train(preset("tiny"), "runs/tiny")  # doctest: +SKIP
    """
    require("train", "optax", "orbax.checkpoint", "rich", purpose="training")
    several.start()
    folder = RunFolder(run_dir)
    if config is None:
        config = read_config(folder) if resume else new_run_config(folder, None)
    env = make_env(config.env)
    # A run that cannot fit is refused before its folder is made.
    check_fits(config, env, device_memory(devices_of(config).count))
    if resume:
        folder.read_settings()
    if origin is not None:
        origin.check(env, config)
    films = config.run.film
    if phases is None and films:
        phases = Phases(training=config.run.time_budget_s or 3600.0, video=60.0)
    with exclusive_run(folder, f"training {env.id}", force) as lock:
        made = {"command": command, "origin": origin and origin.facts()}
        config = resumed_run_config(folder, config) if resume else new_run_config(folder, config, made)
        train_in(env, config, folder, resume, lock=lock, phases=phases, origin=origin)
        if films and several.is_first():
            for line in film(folder.path, phases=phases):
                print(line)
    return folder.path


def train_in(
    env: BatchedEnv,
    config: Config,
    folder: RunFolder,
    resume: bool = False,
    *,
    lock: Lock | None = None,
    phases: Phases | None = None,
    origin: Origin | None = None,
) -> Learner:
    """Train in an environment that exists already; the folder holds the settings."""
    devices = devices_of(config)
    checkpoints = Checkpoints(folder.checkpoints, config.run.keep)
    clock = Clock(config)
    display = Display(
        f"{env.id} in {folder.path}",
        Output(quiet=not several.is_first()),
        settings=to_dict(config),
        history=folder.metrics() if resume else (),
        step=(phases, "training") if phases else None,
    )
    with display, interruption(display.say) as stop, cleanup_on_exit(display.console.show_cursor):
        session = Session(folder, checkpoints, display, stop, clock, lock)
        if resume and can_continue(folder, checkpoints):
            display.doing("reading the checkpoint")
            learner = restore(env, checkpoints, clock, devices)
        else:
            display.doing(f"making {config.rollout.worlds:,} worlds, which compiles first")
            learner = start(env, checkpoints, clock, devices, read_again(folder) if resume else origin)
        if several.is_first():
            lost = folder.forget_after(clock.updates, checkpoints.manifest(clock.updates).facts.get("row"))
            if lost:
                display.say(f"the metrics of {lost} earlier updates are lost: their lines were cut short")
        describe(learner, clock, devices, display)
        try:
            learner = loop(env, learner, session, devices)
        except DivergedError:
            curve(folder, display)
            raise
        curve(folder, display)
    return learner


def curve(folder: RunFolder, display: Display) -> None:
    """Draw the learning curve and print its path; an error is only printed."""
    if several.is_first():
        display.doing("drawing the learning curve")
        try:
            result = folder.draw()
        except OSError as error:
            result = f"no learning curve: {error.strerror}"
        display.doing("")
        display.say(f"learning curve: {result}")


def loop(env: BatchedEnv, learner: Learner, session: Session, devices: Devices = SINGLE_DEVICE) -> Learner:
    """Update until the run ends or is interrupted, and save."""
    clock, stop, display = session.clock, session.stop, session.display
    if clock.progress() >= 1:
        return learner
    display.doing("compiling the update")
    update = jax.jit(make_update(env, clock.config, devices), donate_argnums=0)
    update = update.lower(learner, clock.learning_rate(), clock.measures()).compile()
    display.doing("")
    names = achievement_names(env)
    saved, saved_at, row = clock.updates, clock.seconds, {}
    # From here on a signal takes effect after the update is saved.
    stop.gentle = True
    clock.go()
    while clock.progress() < 1 and not clock.stopped:
        before = time.monotonic()
        learner, metrics = update(learner, clock.learning_rate(), clock.measures())
        row = metrics_row(metrics, names)
        if not metrics.finite:
            raise diverged(clock, session.checkpoints)
        clock.updates += 1
        clock.look()
        row = clock.row(time.monotonic() - before) | row
        if several.is_first():
            session.append(row)
        display.show(row, clock.progress(), clock.seconds_left(), last=clock.progress() >= 1)
        if clock.seconds - saved_at >= clock.config.run.save_every_s:
            session.save(env, learner, row)
            saved, saved_at = clock.updates, clock.seconds
        clock.look(bool(stop))
    if saved < clock.updates:
        session.save(env, learner, row)
    stop.gentle = False
    if clock.stopped or stop:
        path = session.folder.path
        raise StoppedError(
            f"interrupted after update {clock.updates}, which is saved; to continue: openworld train --resume "
            f"--out {path}",
            stop.number or signal.SIGTERM,
        )
    return learner


def start(
    env: BatchedEnv,
    checkpoints: Checkpoints,
    clock: Clock,
    devices: Devices = SINGLE_DEVICE,
    origin: Origin | None = None,
) -> Learner:
    """Return a new learner, saved: a run always has a checkpoint, and a full disk is noticed at the start."""
    learner = jax.jit(lambda: init_learner(env, clock.config, devices))()
    if origin is not None:
        learner = origin.given_to(learner)
    save(env, learner, clock, checkpoints, {})
    return learner


def restore(
    env: BatchedEnv, checkpoints: Checkpoints, clock: Clock, devices: Devices = SINGLE_DEVICE
) -> Learner:
    """Return the learner of the newest checkpoint on the present devices, and set the clock."""
    number = checkpoints.latest()
    facts = checkpoints.manifest(number).facts
    check_identity(env, facts, checkpoints.path(number))
    check_network(clock.config.network, facts, checkpoints.path(number))
    shapes = learner_shapes(env, clock.config, devices)
    parts = {name: checkpoints.restore(number, name, tree) for name, tree in shapes.items()}
    clock.start(number, facts["seconds"])
    return Learner.from_parts(parts)


def save(
    env: BatchedEnv, learner: Learner, clock: Clock, checkpoints: Checkpoints, row: dict[str, Any]
) -> None:
    """Save everything that a resumed run needs, and the row of metrics in case its line is incomplete."""
    facts = env_identity(env) | {"seconds": clock.seconds, "transitions": clock.transitions}
    facts["network"] = to_dict(clock.config.network)
    if row:
        facts |= {"row": plain(row)}
    checkpoints.save(clock.updates, learner.parts(), facts)


def diverged(clock: Clock, checkpoints: Checkpoints) -> DivergedError:
    """Return the error for a loss or a gradient that is NaN or infinite."""
    number = checkpoints.latest()
    return DivergedError(
        f"training stopped in update {clock.updates + 1}: the loss or its gradient is not a finite number; the "
        f"last good checkpoint is {checkpoints.path(number)}; resume with a smaller learning rate"
    )


def describe(learner: Learner, clock: Clock, devices: Devices, display: Display) -> None:
    """Print the size of the run and the numbers that follow from the settings."""
    display.say(f"{count_parameters(learner.network):,} parameters, {learner.network.precision} arithmetic")
    machines = f" of {jax.process_count()} processes" if jax.process_count() > 1 else ""
    display.say(f"{devices.count} x {jax.devices()[0].device_kind}{machines}")
    for name, (value, reason) in clock.config.reasons().items():
        display.say(f"{name.replace('_', ' ')} {value:,} ({reason})")
    if clock.progress() >= 1:
        run = clock.config.run
        limit = f"--run.transitions (now {run.transitions:,})"
        limit += f" or --run.time-budget-s (now {run.time_budget_s:g})" if run.time_budget_s else ""
        display.say(
            f"nothing is left to do: the run ended at update {clock.updates}; to continue, raise {limit}"
        )
        return
    display.say(
        f"{'continuing from' if clock.updates else 'starting at'} update {clock.updates}; "
        f"the update is compiled first, which may take half a minute"
    )
