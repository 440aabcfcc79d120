"""A training run: build or restore, then collect, improve, log and save until it is over."""

import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from rich.console import Console

from trainers.checkpoint import Checkpoints
from trainers.display import Display
from trainers.errors import TrainerError
from trainers.ppo import devices as several
from trainers.ppo.clock import Clock, interruption
from trainers.ppo.config import Config, to_dict
from trainers.ppo.devices import ALONE, Devices, devices_of
from trainers.ppo.learner import Learner, begin, outer_update, row_of, template
from trainers.ppo.memory import device_memory
from trainers.ppo.networks import count_parameters, make_network
from trainers.ppo.plan import check_fits
from trainers.ppo.play import Policy
from trainers.ppo.runs import (
    begun_config,
    check_identity,
    check_network,
    got_going,
    read_config,
    resumed_config,
)
from trainers.ppo.worlds import Worlds, achievement_names, identity, make
from trainers.sinks import RunFolder, plain

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


def train(config: Config | None, run_dir: Path | str, resume: bool = False) -> Path:
    """Train in a folder and return it; on several machines each calls this with the same arguments.

    Args:
        config: the settings; None, on resuming, keeps those of the run.
        resume: continue from the last checkpoint of the run in that folder; its metrics go on from there.
    """
    several.start()
    folder = RunFolder(run_dir)
    if config is None:
        config = read_config(folder) if resume else begun_config(folder, None)
    world = make(config.world)
    # What cannot be is refused before there is a folder.
    check_fits(config, world, device_memory(devices_of(config).count))
    config = resumed_config(folder, config) if resume else begun_config(folder, config)
    train_in(world, config, folder, resume)
    if config.run.film and several.is_first():
        from trainers.ppo.film import film

        for told in film(folder.path):
            print(told)
    return folder.path


def train_in(world: Worlds, config: Config, folder: RunFolder, resume: bool = False) -> Learner:
    """Train in a world that is made already; the folder holds the settings."""
    devices = devices_of(config)
    checkpoints = Checkpoints(folder.checkpoints, config.run.keep)
    clock = Clock(config)
    with Display(
        f"{world.id} in {folder.path}",
        Console(quiet=not several.is_first()),
        settings=to_dict(config),
        history=folder.metrics() if resume else (),
    ) as display:
        if resume and got_going(folder, checkpoints):
            learner = restore(world, checkpoints, clock, devices)
        else:
            learner = start(world, checkpoints, clock, devices)
        if several.is_first():
            lost = folder.forget_after(clock.updates, checkpoints.manifest(clock.updates).facts.get("row"))
            if lost:
                display.say(f"the metrics of {lost} earlier updates are lost: their lines were cut short")
        describe(learner, clock, devices, display)
        learner = loop(world, learner, clock, (folder, checkpoints, display), devices)
        if several.is_first():
            display.say(f"learning curve: {folder.draw()}")
    return learner


def loop(
    world: Worlds,
    learner: Learner,
    clock: Clock,
    places: tuple[RunFolder, Checkpoints, Display],
    devices: Devices = ALONE,
) -> Learner:
    """Update until the run is over, or until it is interrupted, and save."""
    folder, checkpoints, display = places
    improve = jax.jit(outer_update(world, clock.config, devices), donate_argnums=0)
    names = achievement_names(world)
    saved, saved_at, row = clock.updates, clock.seconds, {}
    with interruption() as interrupted:
        clock.look()
        while clock.progress() < 1 and not clock.stopped:
            before = time.monotonic()
            learner, outcome = improve(learner, clock.learning_rate())
            row = row_of(outcome, names)
            if not outcome.finite:
                raise diverged(clock, checkpoints)
            clock.updates += 1
            clock.look()
            row = clock.row(time.monotonic() - before) | row
            if several.is_first():
                folder.append(row)
            display.show(row, clock.progress(), clock.seconds_left(), last=clock.progress() >= 1)
            if clock.seconds - saved_at >= clock.config.run.save_every_s:
                folder.flush()
                save(world, learner, clock, checkpoints, row)
                saved, saved_at = clock.updates, clock.seconds
            clock.look(interrupted())
        if saved < clock.updates:
            folder.flush()
            save(world, learner, clock, checkpoints, row)
        if clock.stopped:
            raise TrainerError(
                f"interrupted after update {clock.updates}, which is saved; resume {folder.path}"
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
    number = checkpoints.latest()
    facts = checkpoints.manifest(number).facts
    check_identity(world, facts, checkpoints.path(number))
    check_network(config.network, facts, checkpoints.path(number))
    shapes = jax.eval_shape(lambda: make_network(world, config.network, jax.random.key(0)))
    return Policy(checkpoints.restore(number, "policy", shapes), jnp.float32(1))


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
    display.say(
        f"{'going on from' if clock.updates else 'beginning at'} update {clock.updates}; "
        f"the first update compiles, which may take half a minute"
    )
