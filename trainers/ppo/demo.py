"""What `make demo` does: train for minutes, measure on held-out worlds, say where the pictures are."""

import dataclasses
from pathlib import Path

from rich.console import Console

from trainers.ppo.config import preset
from trainers.ppo.evaluate import EVALUATION, Report, evaluate
from trainers.ppo.film import film
from trainers.ppo.train import train
from trainers.sinks import CURVE

#: Held-out episodes that the agent is measured on, and steps after which they count as they stand.
EPISODES, MAX_STEPS = 1000, 5000


def demo(run_dir: Path | str, console: Console | None = None) -> Report:
    """Train the `demo` preset in a folder, evaluate and film the agent, and print where everything lies."""
    console = console or Console()
    config = preset("demo")
    # The film comes last here, after the evaluation.
    train(dataclasses.replace(config, run=dataclasses.replace(config.run, film=False)), run_dir)
    report = evaluate(run_dir, EPISODES, MAX_STEPS)
    report.show(console)
    folder = Path(run_dir)
    made = [f"evaluation: {folder / EVALUATION}", *film(run_dir)]
    if (folder / CURVE).exists():
        made.append(f"learning curve: {folder / CURVE}")
    for text in made:
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    return report
