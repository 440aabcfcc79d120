"""The command that trains a baseline with Stable-Baselines3."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from openworld.cli.options import is_on, parse, prepare, require, run_to_resume, value_of
from openworld.cli.sources import ALGORITHMS
from openworld.system.foreign_text import plain

if TYPE_CHECKING:
    from openworld_trainers.baselines.sb3.train_sb3 import Settings


def train_sb3(words: list[str]) -> None:
    """Train an agent with Stable-Baselines3."""
    require("stable_baselines3", "torch", "rich")
    words = with_own_names(words)
    if value_of("--algorithm", words) in ("maskable-ppo", "recurrent-ppo"):
        require("sb3_contrib")
    import tyro

    from openworld_trainers.baselines.sb3 import train_sb3 as sb3

    @dataclass(frozen=True)
    class Train:
        """Train an agent with one of Stable-Baselines3's algorithms, as a baseline.

        The run's folder then holds model.zip, which Stable-Baselines3 loads, and the files that `openworld
        report` reads. Ctrl-C, SIGTERM and SIGHUP save the model and end the run with the exit status 128 +
        the signal's number. A second signal ends it at once.

        Attributes:
            out: the run's folder; None: runs/, with the algorithm's name and the time.
            resume: continue with the model in --out and its settings, to more --transitions. The worlds are
                new, and a replay buffer starts empty.
            force: with --resume, take over a run whose process is on another machine, where it cannot be
                seen. Use it only if that process has ended: two processes that train in one folder spoil the
                run.
        """

        out: Path | None = None
        resume: bool = False
        force: bool = False
        settings: Annotated[sb3.Settings, tyro.conf.arg(name="")] = field(default_factory=sb3.Settings)

    start = _resumed(words) if is_on("--resume", words) else sb3.Settings()
    options = parse(Train, "train-sb3", words, Train(settings=start))
    changed = {"transitions": start.transitions, "device": start.device}
    if options.resume and replace(options.settings, **changed) != start:
        raise ValueError("--resume keeps the run's own settings; only --transitions and --device may change")
    prepare()
    out = options.out or sb3.new_folder(options.settings)
    print(f"model: {plain(sb3.train(options.settings, out, options.resume, force=options.force), 500)}")


def with_own_names(words: list[str]) -> list[str]:
    """Return the arguments with the algorithm as `train-sb3` writes it, where its class is named.

    Example:
        >>> with_own_names(["--algorithm", "MaskablePPO"]), with_own_names(["--algorithm=PPO"])
        (['--algorithm', 'maskable-ppo'], ['--algorithm=ppo'])
    """
    own = {kind: name for name, kind in ALGORITHMS.items()}
    found = list(words)
    for i, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option == "--algorithm" and equals:
            found[i] = f"{option}={own.get(value, value)}"
        elif option == "--algorithm" and i + 1 < len(words):
            found[i + 1] = own.get(words[i + 1], words[i + 1])
    return found


def _resumed(words: list[str]) -> "Settings":
    """Return the settings of the run to continue."""
    from openworld_trainers.baselines.sb3 import train_sb3 as sb3
    from openworld_trainers.run.folder import RunFolder

    return sb3.from_dict(RunFolder(run_to_resume(words)).read_settings().get("config", {}))
