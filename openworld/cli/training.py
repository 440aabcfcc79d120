"""The commands about training: train, plan, report."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from openworld.cli.options import check_ending, number_of, parse, prepare, require, value_of
from openworld.system.files import REPORT, check_output
from openworld.system.foreign_text import plain

if TYPE_CHECKING:
    from openworld_trainers.planner.scaling import Reason
    from openworld_trainers.ppo.config import Config

#: Options that scale a reference's settings.
SCALED = ("--worlds", "--steps", "--reference", "--scaling")


def train(words: list[str]) -> None:
    """Train an agent with PPO."""
    require("optax", "orbax.checkpoint", "rich")
    from openworld_trainers.ppo.config import Config

    @dataclass(frozen=True)
    class Train:
        """Train an agent with PPO in a folder that then holds everything about the run.

        With --worlds nothing else is needed: the other settings follow from the reference by the scaling rule, and
        each is printed with its reason. Settings given besides go before what follows.

        Ctrl-C, SIGTERM and SIGHUP end it after the update that is being made, saved; a second one ends it at once.
        The exit status is 128 + the signal's number then.

        Attributes:
            run_dir: the run's folder (default: runs/ and the preset's name and the time).
            resume: go on from the last checkpoint in --run-dir, with its settings where none are given.
            force: with --resume, take over a run whose process is on another machine, where it cannot be seen. Only
                where that process is over: two that train in one folder spoil the run.
            preset: settings as they are: tiny, demo or standard.
            worlds: how many worlds to scale the reference's settings to.
            steps: of a rollout, between two updates (default: the reference's).
            reference: settings to scale from: tiny, demo, standard or million (default: standard or million,
                whichever is nearer).
            scaling: what grows with the worlds: recipe (the number of minibatches), fixed-minibatches (their size)
                or sqrt (their size, and the learning rate with its root).
        """

        run_dir: Path | None = None
        resume: bool = False
        force: bool = False
        preset: str = "standard"
        worlds: int | None = None
        steps: int | None = None
        reference: str | None = None
        scaling: str = "recipe"
        config: Annotated[Config, _unnamed()] = field(default_factory=Config)

    folder = value_of("--run-dir", words)
    if "--resume" not in words:
        start, reasons, name = settings(words)
    elif folder is None:
        raise ValueError("--resume needs --run-dir, the folder of the run to go on with")
    else:
        start, reasons, name = _resumed(words, folder)
    options = parse(Train, "train", words, Train(preset=name, config=start))
    prepare()
    from openworld_trainers.planner import scaling
    from openworld_trainers.ppo import devices
    from openworld_trainers.ppo.worlds import make
    from openworld_trainers.run.train import train as run

    make(options.config.world)  # an unknown id is refused before anything is said
    devices.start()
    if reasons and devices.is_first():  # what follows from them is told by the run itself
        print(scaling.table(scaling.explain(options.config, reasons)), flush=True)
    run_dir = options.run_dir or new_folder(options.reference or name)
    print(f"run folder: {plain(run(options.config, run_dir, options.resume, force=options.force), 500)}")


def plan(words: list[str]) -> int:
    """Tell what a run would take of each device's memory."""
    require("optax", "orbax.checkpoint", "rich")
    from openworld_trainers.ppo.config import Config

    @dataclass(frozen=True)
    class Plan:
        """Tell what a run takes of each device's memory, whether it fits, and what to change. Nothing is trained.

        The settings are given as to `openworld train`. The exit code is 1 where the run does not fit.

        Attributes:
            preset: settings as they are: tiny, demo or standard.
            worlds: how many worlds to scale the reference's settings to.
            steps: of a rollout, between two updates (default: the reference's).
            reference: settings to scale from: tiny, demo, standard or million (default: standard or million,
                whichever is nearer).
            scaling: what grows with the worlds: recipe, fixed-minibatches or sqrt.
            memory: of each device, as 80GiB (default: that of the devices here).
            devices: how many share the worlds (default: --run.devices; else one where --memory or --platform is
                given, and all that are here otherwise).
            platform: what kind of devices: cpu, gpu or tpu (default: a gpu where --memory is given, else the kind
                that is here).
        """

        preset: str = "standard"
        worlds: int | None = None
        steps: int | None = None
        reference: str | None = None
        scaling: str = "recipe"
        memory: str | None = None
        devices: int | None = None
        platform: str | None = None
        config: Annotated[Config, _unnamed()] = field(default_factory=Config)

    start, reasons, name = settings(words)
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
    """Lay runs side by side."""
    import tyro

    @dataclass(frozen=True)
    class Report:
        """Write a report on some runs: their curves side by side, the instruments, and the verdict on each.

        Attributes:
            runs: folders of runs.
            out: an .html file, or a .png of the curves.
            force: write over a file that is there, even if this command did not write it.
        """

        runs: tyro.conf.Positional[tuple[Path, ...]]
        out: Path = Path("report.html")
        force: bool = False

    options = parse(Report, "report", words)
    check_ending(options.out, (".html", ".png"))
    if not options.runs:
        raise ValueError("which runs? give their folders: openworld report RUN...")
    check_output(options.out, REPORT, force=options.force)
    require("matplotlib", "rich")
    from openworld_trainers.analysis.report import report as write

    print(f"written to {plain(write(options.runs, options.out), 500)}")


def settings(words: list[str]) -> "tuple[Config, tuple[Reason, ...], str]":
    """Return the settings to start from, the reasons of those that were scaled, and the preset's name."""
    from openworld_trainers.planner import scaling
    from openworld_trainers.ppo import config

    chosen = value_of("--preset", words)
    given = [option for option in SCALED if value_of(option, words) is not None]
    if not given:
        return config.preset(chosen or "standard"), (), chosen or "standard"
    if chosen is not None:
        raise ValueError(
            f"--preset takes settings as they are; to scale them: {given[0]} with --reference {chosen}"
        )
    made = scaling.configure(
        number_of("--worlds", words),
        number_of("--steps", words),
        value_of("--reference", words),
        value_of("--scaling", words) or "recipe",
        minibatch_size=number_of("--learning.minibatch-size", words),
    )
    return made.config, made.reasons, "standard"


def new_folder(name: str) -> Path:
    """Return a folder for a new run."""
    return Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"


def _resumed(words: list[str], folder: str) -> "tuple[Config, tuple[Reason, ...], str]":
    given = [option for option in SCALED if value_of(option, words) is not None]
    if given:
        raise ValueError(
            f"--resume goes on with the run's own worlds and steps; leave out {', '.join(given)}"
        )
    if value_of("--preset", words) is not None:
        return settings(words)
    from openworld_trainers.run.metrics import RunFolder
    from openworld_trainers.run.train import read_config

    return read_config(RunFolder(folder)), (), "standard"


def _unnamed() -> Any:
    """Mark a field whose own fields are options without its name before them."""
    import tyro

    return tyro.conf.arg(name="")
