"""`openworld demo`: train for minutes, evaluate on held-out worlds, and make the pictures."""

import dataclasses
from pathlib import Path

from rich.console import Console

from openworld_trainers.ppo.presets import preset
from openworld_trainers.run.evaluate import EVALUATION, Report, evaluate
from openworld_trainers.run.film import film
from openworld_trainers.run.folder import CURVE
from openworld_trainers.run.phases import Phases
from openworld_trainers.run.train import train

#: Held-out episodes of the evaluation, and the steps after which an episode is cut.
EPISODES, MAX_STEPS = 1000, 5000
#: Seconds of each phase on two CPU cores, compiling included.
PHASES = Phases(training=240.0, evaluation=70.0, video=40.0)


def demo(run_dir: Path | str, console: Console | None = None) -> Report:
    """Train the `demo` preset in a folder, evaluate the agent, make its video, and print the paths.

    Example:
        >>> demo("runs/demo")  # doctest: +SKIP
    """
    console = console or Console()
    config = preset("demo")
    # Here the video is made after the evaluation.
    config = dataclasses.replace(config, run=dataclasses.replace(config.run, film=False))
    train(config, run_dir, phases=PHASES)
    report = evaluate(run_dir, EPISODES, MAX_STEPS, phases=PHASES)
    report.show(console)
    folder = Path(run_dir)
    made = [f"evaluation: {folder / EVALUATION}", *film(run_dir, phases=PHASES)]
    if (folder / CURVE).exists():
        made.append(f"learning curve: {folder / CURVE}")
    for text in made:
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    return report
