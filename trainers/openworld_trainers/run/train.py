"""A training run: build or restore, then collect, improve, log and save until it is over."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from openworld_trainers.errors import StoppedError, TrainerError
from openworld_trainers.planner.device_memory import device_memory
from openworld_trainers.planner.plan import check_fits
from openworld_trainers.ppo import devices as several
from openworld_trainers.ppo.config import Config, to_dict
from openworld_trainers.ppo.devices import ALONE, Devices, devices_of
from openworld_trainers.ppo.learner import Learner, begin, outer_update, row_of, template
from openworld_trainers.ppo.network_policy import Policy
from openworld_trainers.ppo.networks import count_parameters, make_network
from openworld_trainers.ppo.worlds import Worlds, achievement_names, identity, make
from openworld_trainers.run.checkpoint import Checkpoints
from openworld_trainers.run.clock import Clock
from openworld_trainers.run.folder import (
    alone_in,
    begun_config,
    check_identity,
    check_network,
    got_going,
    of_newest,
    read_config,
    resumed_config,
)
from openworld_trainers.run.lock import Lock
from openworld_trainers.run.metrics import RunFolder, RunFolderError, plain
from openworld_trainers.run.phases import Phases
from openworld_trainers.run.progress import Display, Output
from openworld_trainers.run.signals import Interruption, interruption, leaving

__all__ = [
    "DivergedError",
    "begun_config",
    "load_policy",
    "read_config",
    "resumed_config",
    "train",
    "train_in",
]


class DivergedError(TrainerError):
    """Training met a number that is none."""


@dataclass
class Sitting:
    """What a sitting of a run works with.

    Attributes:
        lock: of the folder; None where somebody else sees to it that there is one writer.
    """

    folder: RunFolder
    checkpoints: Checkpoints
    display: Display
    stop: Interruption
    clock: Clock
    lock: Lock | None = None

    def append(self, row: dict[str, Any]) -> None:
        """Add a row of metrics; a full disk is told with what is safe."""
        try:
            self.folder.append(row)
        except OSError as error:
            raise RunFolderError(
                f"no more metrics can be kept in {self.folder.path} ({error.strerror}); the last checkpoint is "
                f"{self.checkpoints.path(self.checkpoints.latest())}"
            ) from error

    def save(self, world: Worlds, learner: Learner, row: dict[str, Any]) -> None:
        """Save after an update, unless another process has taken the run over."""
        if self.lock:
            self.lock.check()
        if row:
            self.folder.flush()
        save(world, learner, self.clock, self.checkpoints, row)


def train(
    config: Config | None,
    run_dir: Path | str,
    resume: bool = False,
    *,
    force: bool = False,
    phases: Phases | None = None,
) -> Path:
    """Train in a folder and return it; on several machines each calls this with the same arguments.

    SIGINT, SIGTERM and SIGHUP end it after the update that is being made, saved: a `StoppedError`.

    Args:
        config: the settings; None, on resuming, keeps those of the run.
        resume: continue from the last checkpoint of the run in that folder; its metrics go on from there.
        force: take the run over from a process on another machine, which is over but did not give it back.
        phases: of a job of which training is a step.
    """
    several.start()
    folder = RunFolder(run_dir)
    if config is None:
        config = read_config(folder) if resume else begun_config(folder, None)
    world = make(config.world)
    # What cannot be is refused before there is a folder.
    check_fits(config, world, device_memory(devices_of(config).count))
    if resume:
        folder.read_settings()
    films = config.run.film
    if phases is None and films:
        phases = Phases(training=config.run.time_budget_s or 3600.0, film=60.0)
    with alone_in(folder, f"training {world.id}", force) as lock:
        config = resumed_config(folder, config) if resume else begun_config(folder, config)
        train_in(world, config, folder, resume, lock=lock, phases=phases)
        if films and several.is_first():
            from openworld_trainers.run.film import film

            for told in film(folder.path, phases=phases):
                print(told)
    return folder.path


def train_in(
    world: Worlds,
    config: Config,
    folder: RunFolder,
    resume: bool = False,
    *,
    lock: Lock | None = None,
    phases: Phases | None = None,
) -> Learner:
    """Train in a world that is made already; the folder holds the settings."""
    devices = devices_of(config)
    checkpoints = Checkpoints(folder.checkpoints, config.run.keep)
    clock = Clock(config)
    display = Display(
        f"{world.id} in {folder.path}",
        Output(quiet=not several.is_first()),
        settings=to_dict(config),
        history=folder.metrics() if resume else (),
        step=(phases, "training") if phases else None,
    )
    with display, interruption(display.say) as stop, leaving(display.console.show_cursor):
        sitting = Sitting(folder, checkpoints, display, stop, clock, lock)
        if resume and got_going(folder, checkpoints):
            display.doing("reading the checkpoint")
            learner = restore(world, checkpoints, clock, devices)
        else:
            display.doing(f"making {config.rollout.worlds:,} worlds, which compiles first")
            learner = start(world, checkpoints, clock, devices)
        if several.is_first():
            lost = folder.forget_after(clock.updates, checkpoints.manifest(clock.updates).facts.get("row"))
            if lost:
                display.say(f"the metrics of {lost} earlier updates are lost: their lines were cut short")
        describe(learner, clock, devices, display)
        try:
            learner = loop(world, learner, sitting, devices)
        except DivergedError:
            curve(folder, display)
            raise
        curve(folder, display)
    return learner


def curve(folder: RunFolder, display: Display) -> None:
    """Draw the learning curve and say where it is; without it a run is no worse."""
    if several.is_first():
        display.doing("drawing the learning curve")
        try:
            told = folder.draw()
        except OSError as error:
            told = f"no learning curve: {error.strerror}"
        display.doing("")
        display.say(f"learning curve: {told}")


def loop(world: Worlds, learner: Learner, sitting: Sitting, devices: Devices = ALONE) -> Learner:
    """Update until the run is over, or until it is interrupted, and save."""
    clock, stop, display = sitting.clock, sitting.stop, sitting.display
    if clock.progress() >= 1:
        return learner
    display.doing("compiling the update")
    improve = jax.jit(outer_update(world, clock.config, devices), donate_argnums=0)
    improve = improve.lower(learner, clock.learning_rate()).compile()
    display.doing("")
    names = achievement_names(world)
    saved, saved_at, row = clock.updates, clock.seconds, {}
    # From here on a signal waits until the update is saved.
    stop.gentle = True
    clock.go()
    while clock.progress() < 1 and not clock.stopped:
        before = time.monotonic()
        learner, outcome = improve(learner, clock.learning_rate())
        row = row_of(outcome, names)
        if not outcome.finite:
            raise diverged(clock, sitting.checkpoints)
        clock.updates += 1
        clock.look()
        row = clock.row(time.monotonic() - before) | row
        if several.is_first():
            sitting.append(row)
        display.show(row, clock.progress(), clock.seconds_left(), last=clock.progress() >= 1)
        if clock.seconds - saved_at >= clock.config.run.save_every_s:
            sitting.save(world, learner, row)
            saved, saved_at = clock.updates, clock.seconds
        clock.look(bool(stop))
    if saved < clock.updates:
        sitting.save(world, learner, row)
    stop.gentle = False
    if clock.stopped or stop:
        path = sitting.folder.path
        raise StoppedError(
            f"interrupted after update {clock.updates}, which is saved; to go on: openworld train --resume "
            f"--run-dir {path}",
            stop.number or signal.SIGTERM,
        )
    return learner


def start(world: Worlds, checkpoints: Checkpoints, clock: Clock, devices: Devices = ALONE) -> Learner:
    """Begin a learner and save it: a run always has a checkpoint, and a full disk shows before the work."""
    learner = jax.jit(lambda: begin(world, clock.config, devices))()
    save(world, learner, clock, checkpoints, {})
    return learner


def restore(world: Worlds, checkpoints: Checkpoints, clock: Clock, devices: Devices = ALONE) -> Learner:
    """Read the newest checkpoint back, onto the devices there are now, and set the clock by it."""
    number = checkpoints.latest()
    facts = checkpoints.manifest(number).facts
    check_identity(world, facts, checkpoints.path(number))
    check_network(clock.config.network, facts, checkpoints.path(number))
    shapes = template(world, clock.config, devices)
    parts = {name: checkpoints.restore(number, name, tree) for name, tree in shapes.items()}
    clock.start(number, facts["seconds"])
    return Learner.of(parts)


def save(
    world: Worlds, learner: Learner, clock: Clock, checkpoints: Checkpoints, row: dict[str, Any]
) -> None:
    """Save everything that a resumed run needs; its row of metrics too, should its line be cut short."""
    facts = identity(world) | {"seconds": clock.seconds, "transitions": clock.transitions}
    facts["network"] = to_dict(clock.config.network)
    if row:
        facts |= {"row": plain(row)}
    checkpoints.save(clock.updates, learner.parts(), facts)


def trained_policy(world: Worlds, config: Config, folder: RunFolder) -> Policy:
    """The newest policy of a run."""
    checkpoints = Checkpoints(folder.checkpoints)
    shapes = jax.eval_shape(lambda: make_network(world, config.network, jax.random.key(0)))

    def read(number: int) -> Policy:
        facts = checkpoints.manifest(number).facts
        check_identity(world, facts, checkpoints.path(number))
        check_network(config.network, facts, checkpoints.path(number))
        return Policy(checkpoints.restore(number, "policy", shapes), jnp.float32(1))

    return of_newest(checkpoints, read)


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


def describe(learner: Learner, clock: Clock, devices: Devices, display: Display) -> None:
    """Say what is about to happen, and what follows from the settings."""
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
            f"nothing is left to do: the run ended at update {clock.updates}; to go on, raise {limit}"
        )
        return
    display.say(
        f"{'going on from' if clock.updates else 'beginning at'} update {clock.updates}; "
        f"the update is compiled first, which may take half a minute"
    )
