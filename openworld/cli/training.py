"""The commands about training: train, plan, report."""

import dataclasses
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from openworld.cli.options import (
    check_ending,
    is_on,
    number_of,
    parse,
    prepare,
    require,
    run_to_resume,
    value_of,
)
from openworld.system.files import REPORT, check_output
from openworld.system.foreign_text import plain

if TYPE_CHECKING:
    from openworld_trainers.planner.scaling import Reason
    from openworld_trainers.ppo.config import Config
    from openworld_trainers.run.origin import Origin

#: Options that scale the settings of a reference.
SCALED = ("--worlds", "--steps", "--reference", "--scaling")


def train(words: list[str]) -> None:
    """Train an agent with PPO."""
    require("optax", "orbax.checkpoint", "rich")
    import tyro

    from openworld_trainers.ppo.config import Config

    @dataclass(frozen=True)
    class Train:
        """Train an agent with PPO, and keep everything about the run in one folder.

        With --worlds no other option is needed: the other settings are scaled from a reference, and each is
        printed with its reason. Settings on the command line replace the scaled ones.

        Ctrl-C, SIGTERM and SIGHUP end the run after the current update, which is saved. A second signal ends
        it at once. The exit status is then 128 + the signal's number.

        Attributes:
            out: the run's folder; None: runs/, with the preset's name and the time.
            resume: continue from the last checkpoint in --out. Settings that are not given stay those of the
                run.
            force: with --resume, take over a run whose process is on another machine, where it cannot be
                seen. Use it only if that process has ended: two processes that train in one folder spoil the
                run.
            preset: settings to use as they are: tiny, demo, cpu, standard or strong.
            worlds: number of worlds, to which all settings are scaled, as 4096 or 2**12, not 4k: k is 1000;
                None: as in the preset or the reference.
            steps: steps of each world between two updates; None: as in the preset or the reference.
            reference: settings to scale from: tiny, demo, cpu, standard, strong or million; None: standard
                or million, whichever has the nearer number of worlds.
            scaling: what grows with the worlds: recipe (the number of minibatches), fixed-minibatches (their
                size) or sqrt (their size, and the learning rate with the square root of it).
            from_: start a new run from the parameters of an agent: a run, a checkpoint, an export, or the name of
                an agent that ships with OpenWorld. The settings of the network are then the agent's, where none
                are given. None: untrained.
            from_optimiser: with --from and a run, start from the state of its optimiser too.
        """

        out: Path | None = None
        resume: bool = False
        force: bool = False
        preset: str = "standard"
        worlds: int | None = None
        steps: int | None = None
        reference: str | None = None
        scaling: str = "recipe"
        from_: Annotated[str | None, tyro.conf.arg(name="from")] = None
        from_optimiser: bool = False
        config: Annotated[Config, _without_prefix()] = field(default_factory=Config)

    start, reasons, name = (_resumed_config if is_on("--resume", words) else starting_config)(words)
    origin = None if {"-h", "--help"} & set(words) else origin_of(words)
    if origin is not None:
        start = dataclasses.replace(start, network=origin.network)
    options = parse(Train, "train", words, Train(preset=name, config=start))
    _train(options, words, reasons, name, origin)


def _train(
    options: Any, words: list[str], reasons: "tuple[Reason, ...]", name: str, origin: "Origin | None"
) -> None:
    """Start or continue the run that the options describe; `name` is that of its settings."""
    prepare()
    from openworld_trainers.planner import scaling
    from openworld_trainers.ppo import devices
    from openworld_trainers.ppo.batched_env import make_env
    from openworld_trainers.run.train import train as run

    make_env(options.config.env)  # an unknown id is refused before anything is printed
    devices.start()
    if reasons and devices.is_first():
        print(scaling.table(scaling.explain(options.config, reasons)), flush=True)
    out = options.out or new_folder(options.reference or name)
    command = shlex.join(["openworld", "train", *words])
    folder = run(options.config, out, options.resume, force=options.force, origin=origin, command=command)
    print(f"run folder: {plain(folder, 500)}")


def plan(words: list[str]) -> int:
    """Print how much memory of each device a run would need."""
    require("optax", "orbax.checkpoint", "rich")
    from openworld_trainers.ppo.config import Config

    @dataclass(frozen=True)
    class Plan:
        """Print how much memory of each device a run needs, and what to change if it does not fit.

        Nothing is trained. The settings are those of `openworld train`. The exit code is 1 if the run does
        not fit.

        Attributes:
            preset: settings to use as they are: tiny, demo, cpu, standard or strong.
            worlds: number of worlds, to which all settings are scaled, as 4096 or 2**12, not 4k: k is 1000;
                None: as in the preset or the reference.
            steps: steps of each world between two updates; None: as in the preset or the reference.
            reference: settings to scale from: tiny, demo, cpu, standard, strong or million; None: standard
                or million, whichever has the nearer number of worlds.
            scaling: what grows with the worlds: recipe, fixed-minibatches or sqrt.
            memory: memory of each device, as 80GiB; None: the memory of the devices of this machine.
            devices: number of devices that share the worlds; None: --run.devices, else one with --memory or
                --platform, else all devices of this machine.
            platform: kind of device: cpu, gpu or tpu; None: a gpu with --memory, else the kind of this
                machine.
        """

        preset: str = "standard"
        worlds: int | None = None
        steps: int | None = None
        reference: str | None = None
        scaling: str = "recipe"
        memory: str | None = None
        devices: int | None = None
        platform: str | None = None
        config: Annotated[Config, _without_prefix()] = field(default_factory=Config)

    start, reasons, name = starting_config(words)
    options = parse(Plan, "plan", words, Plan(preset=name, config=start))
    prepare()
    from openworld_trainers.planner import device_memory as memory
    from openworld_trainers.planner import scaling
    from openworld_trainers.planner import show as planning

    size = None if options.memory is None else memory.parse_bytes(options.memory)
    text, fits = planning.answer(options.config, size, options.devices, options.platform)
    numbers = [*scaling.explain(options.config, reasons), *scaling.derived(options.config)]
    print(f"{scaling.table(numbers)}\n\n{text}")
    return 0 if fits else 1


def report(words: list[str]) -> None:
    """Write a report that compares runs."""
    import tyro

    @dataclass(frozen=True)
    class Report:
        """Write a report that compares runs: their curves, their diagnostics, and a verdict on each.

        Attributes:
            runs: folders of runs.
            out: an .html file, or a .png of the curves.
            force: write over a file that is there, even if this command did not write it.
        """

        runs: Annotated[
            tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(help_behavior_hint="(required)")
        ]
        out: Path = Path("report.html")
        force: bool = False

    options = parse(Report, "report", words)
    check_ending(options.out, (".html", ".png"))
    if not options.runs:
        raise ValueError("name at least one run's folder: openworld report RUN...")
    check_output(options.out, REPORT, force=options.force)
    require("matplotlib", "rich")
    from openworld_trainers.run.compare import write_report

    print(f"written to {plain(write_report(options.runs, options.out), 500)}")


def starting_config(words: list[str]) -> "tuple[Config, tuple[Reason, ...], str]":
    """Return the settings to start from, the reasons of the scaled ones, and the preset's name.

    Args:
        words: the arguments of `train` or `plan`.
    """
    from openworld_trainers.planner import scaling
    from openworld_trainers.ppo import presets

    preset = value_of("--preset", words)
    given = [option for option in SCALED if value_of(option, words) is not None]
    if not given:
        return presets.preset(preset or "standard"), (), preset or "standard"
    if preset is not None:
        raise ValueError(
            f"--preset takes settings as they are; to scale them: {given[0]} with --reference {preset}"
        )
    scaled = scaling.configure(
        number_of("--worlds", words),
        number_of("--steps", words),
        value_of("--reference", words),
        value_of("--scaling", words) or "recipe",
        minibatch_size=number_of("--learning.minibatch-size", words),
    )
    return scaled.config, scaled.reasons, "standard"


def origin_of(words: list[str]) -> "Origin | None":
    """Return the agent that `--from` names; None without it.

    Args:
        words: the arguments of `train`.
    """
    source, optimiser = value_of("--from", words), is_on("--from-optimiser", words)
    if source is None:
        if optimiser:
            raise ValueError("--from-optimiser needs --from, the run to start from")
        return None
    if is_on("--resume", words):
        raise ValueError("--from starts a new run; leave it out with --resume")
    from openworld_trainers.run.origin import read_origin

    return read_origin(source, optimiser=optimiser)


def new_folder(name: str) -> Path:
    """Return a folder for a new run: runs/, with a name and the time."""
    return Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"


def _resumed_config(words: list[str]) -> "tuple[Config, tuple[Reason, ...], str]":
    """Return the settings of the run to continue, as `starting_config` does."""
    folder = run_to_resume(words)
    given = [option for option in SCALED if value_of(option, words) is not None]
    if given:
        raise ValueError(f"--resume keeps the run's own worlds and steps; leave out {', '.join(given)}")
    if value_of("--preset", words) is not None:
        return starting_config(words)
    from openworld_trainers.run.folder import RunFolder
    from openworld_trainers.run.settings import read_config

    return read_config(RunFolder(folder)), (), "standard"


def _without_prefix() -> Any:
    """Return Tyro's mark for a field whose own fields are options without its name before them."""
    import tyro

    return tyro.conf.arg(name="")
