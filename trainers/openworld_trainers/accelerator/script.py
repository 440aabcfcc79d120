"""The command `.ci/gpu`: run legs one after the other, the most valuable first."""

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from openworld.system import provenance
from openworld.system.files import check_folder
from openworld_trainers.accelerator.equality_leg import EqualityLeg
from openworld_trainers.accelerator.leg import Leg, Work
from openworld_trainers.accelerator.leg_results import RESULTS, Results
from openworld_trainers.accelerator.leg_scale import Scale
from openworld_trainers.accelerator.million_leg import MillionLeg
from openworld_trainers.accelerator.profile_leg import ProfileLeg
from openworld_trainers.accelerator.programs_ahead import NotCompiledError, Programs
from openworld_trainers.accelerator.training_leg import TrainingLeg
from openworld_trainers.accelerator.worlds_leg import WorldsLeg
from openworld_trainers.run.signals import Ended, Interruption, cleanup_on_exit, interruption

#: The legs in order, each with its seconds: 12 minutes in all.
LEGS: dict[str, tuple[type[Leg], float]] = {
    "equality": (EqualityLeg, 60.0),
    "worlds": (WorldsLeg, 150.0),
    "train": (TrainingLeg, 330.0),
    "million": (MillionLeg, 120.0),
    "profile": (ProfileLeg, 60.0),
}
#: XLA's options for programs that run only for a moment.
LITTLE_EFFORT = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
#: Files that may come back from a lent machine, and the most bytes of one.
MOST_FILES, MOST_BYTES = 8, 16 * 10**6


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit code: 0; 1 after a leg that failed; 2 after a wrong option; 128 + the signal's number.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(words)
    try:
        chosen = _chosen(options.legs or list(LEGS))
        scale = Scale(options.scale)
        _check_out(options.out)
    except (ValueError, OSError) as error:
        print(f".ci/gpu: {error}", flush=True)
        return 2
    if scale.factor < 1:
        # A rehearsal's programs run for a second or two: compiling them would take far longer.
        os.environ["XLA_FLAGS"] = f"{LITTLE_EFFORT} {os.environ.get('XLA_FLAGS', '')}".strip()
    facts = {**provenance.facts(), "scale": scale.factor, "legs": chosen, "preset": options.preset}
    with interruption() as stop:
        results = Results(options.out, facts)
        work = Work(
            out=options.out,
            results=results,
            programs=Programs(),
            scale=scale,
            stop=stop,
            start=options.start,
            weights_only=options.weights_only,
            preset=options.preset,
            seed=options.seed,
            command=shlex.join([".ci/gpu", *words]),
        )
        with cleanup_on_exit(results.interrupted):
            try:
                legs = [LEGS[name][0](work, scale.seconds(seconds)) for name, seconds in chosen.items()]
                for leg in legs:
                    leg.prepare()
            except ValueError as error:
                print(f".ci/gpu: {error}", flush=True)
                return 2
            return _run_all(legs, results, stop)


def _run_all(legs: list[Leg], results: Results, stop: Interruption) -> int:
    """Run legs in order; one whose program is late comes once more at the end."""
    code, late = 0, list[Leg]()
    try:
        for leg in legs:
            code |= _run(leg, results, late)
        for leg in list(late):
            code |= _run(leg, results, [])
    except Ended as ended:
        stop.gentle = False
        results.interrupted()
        code = ended.exit_code
    for line in summary(results):
        print(line, flush=True)
    return code


def _run(leg: Leg, results: Results, late: list[Leg]) -> int:
    """Run one leg; return 0, or 1 after an error."""
    results.begin(leg.name)
    try:
        leg.run()
    except NotCompiledError as error:
        late.append(leg)
        results.end(leg.name, "left out", str(error))
        return 0
    except Exception as error:  # the next legs are worth as much without this one
        results.end(leg.name, "failed", f"{type(error).__name__}: {error}"[:2000])
        leg.work.stop.gentle = False
        return 1
    results.end(leg.name, "finished")
    return 0


def summary(results: Results) -> list[str]:
    """Return a line for each leg, and one for each file that is too large to come back."""
    legs = results.content["legs"]
    lines = [
        f"{name}: {leg['state']}, {leg.get('seconds', 0.0):.1f} s, {len(leg['rows'])} rows"
        for name, leg in legs.items()
    ]
    files = [path for path in sorted(results.folder.rglob("*")) if path.is_file()]
    for path in files:
        if path.stat().st_size > MOST_BYTES:
            lines.append(f"{path} has {path.stat().st_size:,} bytes, more than {MOST_BYTES:,}")
    if len(files) > MOST_FILES:
        lines.append(f"{results.folder} has {len(files)} files, more than {MOST_FILES}")
    return lines


def _chosen(words: list[str]) -> dict[str, float]:
    """Return the legs of the command line in the order of `LEGS`, with their seconds.

    Example:
        >>> _chosen(["train=400", "equality"])
        {'equality': 60.0, 'train': 400.0}
    """
    given: dict[str, float] = {}
    for word in words:
        name, _, seconds = word.partition("=")
        if name not in LEGS:
            raise ValueError(f"there is no leg {name!r}; the legs are {', '.join(LEGS)}")
        try:
            given[name] = float(seconds) if seconds else LEGS[name][1]
        except ValueError:
            raise ValueError(f"{word!r}: write seconds as a number, as {name}=400") from None
        if not 1 <= given[name] <= 86400:
            raise ValueError(f"{word!r}: seconds must be 1 to 86400")
    return {name: given[name] for name in LEGS if name in given}


def _check_out(folder: Path) -> None:
    """Refuse a folder that cannot be written to, or that has the results of an earlier call."""
    check_folder(folder)
    if (folder / RESULTS).exists():
        raise FileExistsError(
            f"{folder} has the {RESULTS} of an earlier call; name another folder with --out"
        )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report a wrong option in one line."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    legs = ", ".join(f"{name} ({seconds:.0f} s)" for name, (_, seconds) in LEGS.items())
    parser = _Parser(
        prog=".ci/gpu",
        description=f"Ask an accelerator in legs, the most valuable first: {legs}. {RESULTS} has the results.",
    )
    add = parser.add_argument
    add(
        "legs",
        nargs="*",
        metavar="LEG",
        help="legs to run, as train or train=400 (seconds); none: all of them",
    )
    out = Path(os.environ.get("OUT") or Path("runs") / f"gpu-{time.strftime('%Y%m%d-%H%M%S')}")
    add("--out", type=Path, default=out, help="folder of the results (default: $OUT, else runs/gpu-TIME)")
    add(
        "--scale",
        type=float,
        default=1.0,
        metavar="FLOAT",
        help="of clocks and sizes; 0.02 rehearses on a CPU",
    )
    add("--from", dest="start", type=Path, metavar="FOLDER", help="train: go on from an earlier leg's folder")
    add("--weights-only", action="store_true", help="train: with --from, begin with a new optimiser")
    add("--preset", default="strong", metavar="NAME", help="train, million: the preset (default: strong)")
    add("--seed", type=int, metavar="INT", help="train: the seed (default: 0; with --from, the next one)")
    return parser
